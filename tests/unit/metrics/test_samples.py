"""The sample metrics agree with independent computations, and behave as metrics of generated images should."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from genai_utils.data.images import CLASSES, fashion_mnist
from genai_utils.metrics import samples
from genai_utils.metrics.samples import (
    class_coverage,
    class_shares,
    evaluate,
    features,
    frechet_distance,
    kernel_distance,
    precision_recall_density_coverage,
)


@pytest.fixture(scope="module")
def test_images():
    return fashion_mnist("test").images[:1000]


@pytest.fixture(scope="module")
def real(test_images):
    return features(test_images)


@pytest.fixture(scope="module")
def train_images():
    return fashion_mnist("train").images[:1000]


@pytest.fixture(scope="module")
def report(train_images, test_images):
    """What training images, passed off as generated, score."""
    return evaluate(train_images, test_images)


@pytest.fixture(scope="module")
def fake(train_images):
    """Features of noisy images: near the real ones, but not the same."""
    noise = 0.1 * torch.randn(train_images.shape, generator=torch.Generator().manual_seed(1))
    return features((train_images + noise).clamp(-1, 1))


def gaussian(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_moments(mean, sd, n=200, seed=0):
    """n points with exactly this mean and these standard deviations, uncorrelated."""
    z = gaussian(n, len(mean), seed).numpy()
    z -= z.mean(axis=0)
    white = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T
    return torch.from_numpy(white * np.asarray(sd) + np.asarray(mean))


# Agreement with independent computations


@pytest.mark.filterwarnings("ignore:Matrix is singular")  # some features are always 0
def test_frechet_distance_agrees_with_scipys_matrix_root(real, fake):
    a, b = fake.double().numpy(), real.double().numpy()
    root = sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert frechet_distance(fake, real, resamples=2).value == pytest.approx(expected, rel=1e-4)


numbers = st.lists(st.floats(-3, 3), min_size=3, max_size=3)
sizes = st.lists(st.floats(0.1, 3), min_size=3, max_size=3)


@settings(max_examples=25)
@given(numbers, sizes, numbers, sizes)
def test_frechet_distance_of_gaussians_is_the_closed_form(mean_a, sd_a, mean_b, sd_b):
    a, b = with_moments(mean_a, sd_a), with_moments(mean_b, sd_b, seed=1)
    expected = sum((np.array(mean_a) - mean_b) ** 2) + sum((np.array(sd_a) - sd_b) ** 2)
    assert frechet_distance(a, b, resamples=2).value == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("far", [0.0, 1e3, 1e6, 1e8, -1e8])
def test_frechet_distance_does_not_change_when_both_sets_move_together(far):
    """At a mean of 1e8 the mean square has no digit left for a variance of 1: it gave 0.0 instead of 18.5."""
    a, b = gaussian(300, 5, 0), 1.7 * gaussian(300, 5, 1) + 2.0
    here = frechet_distance(a, b, resamples=2)
    there = frechet_distance(a + far, b + far, resamples=2)
    assert here.value > 15 and there.value == pytest.approx(here.value, rel=1e-6)
    assert there.spread == pytest.approx(here.spread, rel=1e-5)


class Given(nn.Module):
    """Hands torchmetrics the features that are there already."""

    num_features = 64

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
@pytest.mark.parametrize("whole", [0, 10_000])
def test_both_distances_agree_with_torchmetrics(real, fake, monkeypatch, whole):
    """Also where not all pairs are held at once; torchmetrics draws its subsets from the global generator."""
    monkeypatch.setattr("genai_utils.metrics.distances.WHOLE_KERNEL", whole)
    theirs = FrechetInceptionDistance(Given(), normalize=True), KernelInceptionDistance(Given(), subsets=7)
    theirs[1].subset_size = 300
    for metric in theirs:
        metric.update(real.double(), real=True)
        metric.update(fake[:800].double(), real=False)
    frechet = theirs[0].compute().item()
    assert frechet_distance(fake[:800], real, resamples=2).value == pytest.approx(frechet, rel=1e-6)
    torch.manual_seed(0)
    mean, sd = theirs[1].compute()
    ours = kernel_distance(fake[:800], real, subsets=7, subset_size=300)
    assert (ours.value, ours.spread) == (pytest.approx(mean.item(), rel=1e-9), pytest.approx(sd.item(), rel=1e-9))


def test_kernel_distance_agrees_with_the_double_sum(real, fake):
    """With subsets as large as the sets, every subset is the whole, and the mean is the estimator itself."""
    x, y = fake[:300].double().numpy(), real[:300].double().numpy()

    def kernel(a, b):
        return (a @ b / x.shape[1] + 1) ** 3

    n = len(x)
    within = sum(kernel(s[i], s[j]) for s in (x, y) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    across = sum(kernel(x[i], y[j]) for i in range(n) for j in range(n)) / n**2
    ours = kernel_distance(fake[:300], real[:300], subsets=2, subset_size=300)
    assert ours.value == pytest.approx(within - 2 * across, rel=1e-4)


def test_neighbourhoods_agree_with_scikit_learn(real, fake):
    k, x, y = 5, real.double().numpy(), fake[:700].double().numpy()
    radius_x = NearestNeighbors(n_neighbors=k).fit(x).kneighbors()[0][:, -1]
    radius_y = NearestNeighbors(n_neighbors=k).fit(y).kneighbors()[0][:, -1]
    distance = cdist(y, x)
    ours = precision_recall_density_coverage(real, fake[:700], k=k)
    expected = (
        (distance < radius_x).any(axis=1).mean(),
        (distance < radius_y[:, None]).any(axis=0).mean(),
        (distance < radius_x).sum() / (k * len(y)),
        (distance.min(axis=0) < radius_x).mean(),
    )
    assert [estimate.value for estimate in ours] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_where_more_than_k_samples_are_equal_their_balls_are_empty(far):
    """Radius 0, and nobody is nearer than that: a distance by matrix product made it .03, .003, .006 and .003."""
    rows = gaussian(100, 8, 0).repeat(10, 1) + far
    found = precision_recall_density_coverage(rows, rows[torch.randperm(1000)])
    assert [estimate.value for estimate in found] == [0.0, 0.0, 0.0, 0.0]


def test_equal_sets_have_a_density_of_one_up_to_rounding(real):
    """Each ball holds its own centre and k - 1 others; the k-th lies on the edge, which is outside."""
    distinct = real.double() + 1e-3 * gaussian(*real.shape, 1)
    found = precision_recall_density_coverage(distinct, distinct.flip(0))
    assert [estimate.value for estimate in found] == pytest.approx([1.0] * 4, abs=1e-12)


def test_class_shares_are_the_counts_of_the_predicted_classes(test_images):
    from genai_utils import zoo

    predicted = zoo.load("fashion-classifier")(test_images).argmax(dim=1)
    shares = class_shares(test_images)
    assert list(shares) == list(CLASSES)
    for label, share in enumerate(shares.values()):
        p = (predicted == label).double().mean().item()
        assert (share.value, share.n) == (pytest.approx(p), 1000)
        assert share.spread == pytest.approx((p * (1 - p) / 1000) ** 0.5)


# Spread


def test_the_spread_of_the_frechet_distance_is_that_of_fresh_samples():
    def sets(seed):
        return gaussian(400, 4, 2 * seed), gaussian(400, 4, 2 * seed + 1) + 0.5

    fresh = [frechet_distance(*sets(seed), resamples=2).value for seed in range(150)]
    estimate = frechet_distance(*sets(999), resamples=150)
    assert estimate.spread == pytest.approx(np.std(fresh), rel=0.2)
    assert (estimate.n, estimate.meaning) == (400, samples.BOOTSTRAP)


def test_the_spread_of_the_kernel_distance_says_which_subsets(real, fake):
    estimate = kernel_distance(fake, real)
    assert estimate.spread > 0 and estimate.meaning == "standard deviation over random subsets of 500"


@pytest.mark.parametrize(("n", "m", "size"), [(11, 40, "5"), (40, 11, "5"), (4, 5, "2"), (2001, 2100, "1,000")])
def test_subsets_are_half_of_the_smaller_set_and_at_most_a_thousand(n, m, size):
    found = kernel_distance(gaussian(n, 2, 0), gaussian(m, 2, 1), subsets=2)
    assert found.meaning.endswith(f" of {size}")


def test_the_spread_of_the_frechet_distance_is_that_of_scipys_over_the_same_resamples():
    a, b = gaussian(40, 3, 0) * torch.tensor([1.0, 2.0, 9.0]), gaussian(50, 3, 1) + 1
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(5):
        x, y = (each[torch.randint(len(each), (len(each),), generator=generator)].numpy() for each in (a, b))
        root = sqrtm(np.cov(x.T) @ np.cov(y.T)).real
        found.append(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(np.cov(x.T) + np.cov(y.T) - 2 * root))
    assert frechet_distance(a, b, resamples=5).spread == pytest.approx(np.std(found), rel=1e-6)


def test_the_spread_of_precision_is_binomial(real, fake):
    p = precision_recall_density_coverage(real, fake).precision
    assert p.spread == pytest.approx((p.value * (1 - p.value) / 1000) ** 0.5)


def test_the_spread_of_the_class_coverage_shrinks_with_the_root_of_n():
    few = samples._coverage(torch.arange(10).repeat(10))
    many = samples._coverage(torch.arange(10).repeat(1000))
    assert few.smallest.spread / many.smallest.spread == pytest.approx(10, rel=0.3)


def test_measuring_leaves_the_random_numbers_of_the_caller_alone(real, fake):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    kernel_distance(fake, real, subsets=2)
    frechet_distance(fake, real, resamples=2)
    assert torch.equal(torch.rand(2), expected)


def test_measuring_twice_gives_the_same_numbers(real, fake):
    measured = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        measured.append((frechet_distance(fake, real), kernel_distance(fake, real, subsets=3)))
    assert measured[0] == measured[1]


# Invariance


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_features_do_not_depend_on_the_batch_size(test_images, real, batch_size):
    torch.testing.assert_close(features(test_images[:50], batch_size), real[:50], atol=1e-4, rtol=1e-4)


def test_features_do_not_depend_on_the_dtype_of_the_images(test_images, real):
    found = features(test_images[:50].double())
    assert found.dtype == torch.float32 and found.shape == (50, 64) and not found.requires_grad
    torch.testing.assert_close(found, real[:50], atol=1e-4, rtol=1e-4)


def test_a_reference_in_half_precision_is_accepted(test_images):
    kept = samples._reference(test_images[:100].bfloat16())
    assert kept.features.shape == (100, 64) and kept.radius.shape == (100,)


def test_the_order_of_the_samples_does_not_matter(real, fake):
    order = torch.randperm(len(fake), generator=torch.Generator().manual_seed(0))
    assert frechet_distance(fake[order], real, 2).value == pytest.approx(
        frechet_distance(fake, real, 2).value, rel=1e-6
    )
    shuffled = precision_recall_density_coverage(real, fake[order])
    ordered = precision_recall_density_coverage(real, fake)
    assert [e.value for e in shuffled] == pytest.approx([e.value for e in ordered])


def test_equal_sets_are_at_distance_zero(real):
    assert frechet_distance(real, real, resamples=2).value == pytest.approx(0, abs=1e-6)


# Behaviour


def test_more_noise_is_worse(test_images, train_images, real):
    noise = torch.randn(train_images.shape, generator=torch.Generator().manual_seed(0))
    noisy = [features((train_images + sd * noise).clamp(-1, 1)) for sd in (0.0, 0.1, 0.3, 0.9)]
    for distances in (
        [frechet_distance(x, real, resamples=2).value for x in noisy],
        [kernel_distance(x, real, subsets=10).value for x in noisy],
        [-precision_recall_density_coverage(real, x).coverage.value for x in noisy],
    ):
        assert distances == sorted(distances)


def test_a_dropped_class_is_noticed(real):
    train = fashion_mnist("train")
    without = train.images[train.labels != CLASSES.index("Bag")][:1000]
    complete, lacking = class_coverage(train.images[:1000]), class_coverage(without)
    assert (complete.above.value, lacking.above.value) == (10, 9)
    assert lacking.smallest.value < 0.01 < complete.smallest.value
    assert lacking.total_variation.value == pytest.approx(0.1, abs=0.05) and complete.total_variation.value < 0.05
    coverage = [
        precision_recall_density_coverage(real, features(x)).coverage.value for x in (train.images[:1000], without)
    ]
    assert coverage[1] < coverage[0] - 0.05


def test_one_class_only_is_nine_tenths_from_uniform():
    one_class = samples._coverage(torch.full((500,), 3))
    assert [e.value for e in one_class] == pytest.approx([0.0, 1.0, 0.9])


def test_one_repeated_image_has_no_recall(test_images, real):
    same = features(test_images[:1].expand(200, -1, -1, -1))
    found = precision_recall_density_coverage(real, same)
    assert (found.precision.value, found.recall.value) == (1.0, 0.0)


def test_copies_of_training_images_score_as_well_as_real_ones(report):
    """What the metric cannot see: memorised samples are perfect samples."""
    difference = abs(report.frechet.value - report.floor.frechet.value)
    assert difference < 3 * (report.frechet.spread + report.floor.frechet.spread)
    assert report.precision.value == pytest.approx(report.floor.precision.value, abs=0.05)


# The report


def test_the_report_shows_the_floor_beside_every_number(report):
    assert report.header() == ("metric", "samples (n = 1,000)", "real images (n = 1,000)")
    html, text = report._repr_html_(), str(report)
    for name, value, floor in report.rows():
        assert "±" in value and "±" in floor
        assert all(part in text for part in (name, value, floor)) and value in html and floor in html
    assert repr(report) == text and html.count("<tr>") == 10


def test_the_default_floor_is_real_training_images_against_the_same_reference(report, test_images):
    order = torch.randperm(12_000, generator=torch.Generator().manual_seed(0))[:1000]
    expected = frechet_distance(features(fashion_mnist("train").images[order]), features(test_images))
    assert report.floor.frechet.value == pytest.approx(expected.value)


def test_the_report_holds_what_each_metric_says_alone(report, train_images, test_images, real):
    found = features(train_images)
    assert report.frechet == frechet_distance(found, real) and report.kernel == kernel_distance(found, real)
    assert precision_recall_density_coverage(real, found) == (
        report.precision,
        report.recall,
        report.density,
        report.coverage,
    )
    assert class_coverage(train_images) == (report.smallest_share, report.classes_above, report.total_variation)


def test_the_floor_is_computed_once_for_each_reference(test_images, monkeypatch):
    computed = []
    monkeypatch.setattr(samples, "_floors", {})
    monkeypatch.setattr(samples, "_report", lambda *given: computed.append(given) or "a report")
    for n in (100, 200, 100):
        samples._floor(n, test_images[:100])
    samples._floor(100, test_images[:101])
    assert [len(fake[0]) for fake, _, _ in computed] == [100, 200, 100]
    assert len(computed[-1][1][0]) == 101


def test_a_floor_can_be_given(report, test_images):
    assert evaluate(test_images[:100], test_images[:100], floor=report).floor is report


# Bad input


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (fashion_mnist("test").pixels[:3], r"must be in \[-1, 1\], got max 255.0; use data.fashion_mnist\(\)"),
        (torch.zeros(2, 1, 28, 28) + 1.001, r"must be in \[-1, 1\], got max 1.001"),
        (torch.zeros(2, 1, 28, 28) - 1.001, r"must be in \[-1, 1\], got min -1.001"),
        (torch.zeros(2, 1, 28, 28) - 3, r"must be in \[-1, 1\], got min -3.0"),
        (torch.zeros(2, 1, 28, 28, dtype=torch.int64), r"must be floating point in \[-1, 1\], got torch.int64"),
        (torch.zeros(2, 28, 28), r"shape \(n, 1, 28, 28\), got \(2, 28, 28\)"),
        (torch.zeros(2, 3, 28, 28), r"shape \(n, 1, 28, 28\), got \(2, 3, 28, 28\)"),
        (torch.zeros(0, 1, 28, 28), "at least one image"),
        (torch.tensor([0.0, float("nan")]).view(2, 1, 1, 1).expand(2, 1, 28, 28), "got NaN or infinity in 1 of 2"),
        (torch.full((2, 1, 28, 28), float("nan")), "got NaN or infinity in 2 of 2"),
    ],
)
def test_images_of_the_wrong_kind_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        features(images)


def test_arrays_are_refused():
    with pytest.raises(TypeError, match="must be a torch tensor, got ndarray"):
        features(np.zeros((1, 1, 28, 28), dtype=np.float32))


def test_one_image_has_features_but_no_distance(test_images):
    assert features(test_images[:1]).shape == (1, 64)
    with pytest.raises(ValueError, match="too few samples: 1, this needs at least 65"):
        evaluate(test_images[:1], test_images)
    with pytest.raises(ValueError, match="too few samples: 1, this needs at least 65"):
        evaluate(test_images, test_images[:1])


def test_fewer_samples_than_dimensions_are_refused(real):
    with pytest.raises(ValueError, match=r"too few samples: 64, this needs at least 65 \(d = 64\)"):
        frechet_distance(real[:64], real)
    with pytest.raises(ValueError, match="too few samples: 5, this needs at least 6"):
        precision_recall_density_coverage(real, real[:5])


def test_features_that_do_not_fit_together_are_refused(real):
    with pytest.raises(ValueError, match=r"got \(1000, 64\) and \(1000, 63\)"):
        frechet_distance(real, real[:, 1:])
    with pytest.raises(ValueError, match="b must be finite"):
        kernel_distance(real, real * float("nan"))


def test_an_image_without_axes_is_refused():
    with pytest.raises(ValueError, match=r"images must have shape \(n, 1, 28, 28\), got \(\)"):
        features(torch.tensor(float("nan")))


def test_images_that_look_like_0_to_1_get_a_hint_at_the_line_that_gave_them(test_images):
    with pytest.warns(UserWarning, match=r"images hold no value below 0: .* give 2 \* images - 1") as hints:
        features((test_images[:3] + 1) / 2)
    assert hints[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features(test_images[:3])


def test_samples_and_reference_are_named_in_errors(test_images):
    for made, real, named in ((test_images[:1], test_images, "samples"), (test_images, "test", "reference")):
        with pytest.raises((TypeError, ValueError), match=f"{named} must"):
            evaluate(made, real)
