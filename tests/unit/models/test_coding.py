"""The coder without a network, genai_utils.models.coding: what it spends, what it keeps, what it refuses."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from genai_utils.models import coding


def pictures(n=300, seed=0):
    """Pictures with six strong axes and a little noise, in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.randn(6, 784, generator=torch.Generator().manual_seed(9))
    strength = 0.02 * torch.tensor([6.0, 5, 4, 3, 2, 1])
    flat = torch.randn(n, 6, generator=generator) * strength @ axes
    return (flat + 0.01 * torch.randn(n, 784, generator=generator)).clamp(-1, 1).view(n, 1, 28, 28)


def error(x, y):
    return (x - y).square().mean().item()


def test_two_levels_split_a_symmetric_pile_in_the_middle():
    assert coding.lloyd_max(torch.tensor([[-3.0, -1.0, 1.0, 3.0]]), 2).tolist() == [[-2, 2]]


def test_rows_are_quantised_each_for_itself():
    rows = torch.randn(3, 400, generator=torch.Generator().manual_seed(0)) * torch.tensor([[1.0], [5], [0.1]])
    together = coding.lloyd_max(rows, 4)
    for row, levels in zip(rows, together, strict=True):
        assert torch.allclose(coding.lloyd_max(row[None], 4)[0], levels, atol=1e-6)
    assert (together.diff(dim=1) > 0).all()


def test_the_levels_are_as_good_as_the_centres_of_k_means_on_the_line():
    values = np.random.default_rng(0).standard_normal(2_000)
    found = coding.lloyd_max(torch.tensor(values)[None], 8, rounds=1_000)[0].numpy()
    ours = np.square(values[:, None] - found).min(axis=1).sum()
    theirs = KMeans(8, n_init=5, random_state=0).fit(values[:, None]).inertia_
    assert ours < 1.01 * theirs


def test_more_levels_than_values_are_no_trouble():
    assert coding.lloyd_max(torch.tensor([[1.0, 2.0]]), 8).isfinite().all()


def test_bits_go_first_where_they_save_most():
    variances = torch.tensor([16.0, 1.0])
    errors = variances[:, None] / 4.0 ** torch.arange(5)
    assert [coding.allocate_bits(errors, bits).tolist() for bits in (0, 1, 2, 4)] == [[0, 0], [1, 0], [2, 0], [3, 1]]


@pytest.mark.parametrize("bits", [1, 7, 24])
def test_a_picture_takes_the_bits_that_were_asked_for(bits):
    x = pictures()
    coder = coding.PCACoder.fit(x, bits)
    numbers = coder.encode(x)
    assert sum(coder.bits) <= bits and sum(coder.bits) >= bits - 1
    assert all(column.min() >= 0 and column.max() < 2**b for column, b in zip(numbers.T, coder.bits, strict=True))


def test_more_bits_rebuild_unseen_pictures_better_but_never_better_than_their_projection():
    seen, unseen = pictures(), pictures(seed=1)
    errors = [error(unseen, coding.PCACoder.fit(seen, bits).rebuild(unseen)) for bits in (1, 6, 18, 40)]
    assert errors == sorted(errors, reverse=True)
    pca = PCA(6).fit(seen.flatten(1).numpy())
    projected = torch.from_numpy(pca.inverse_transform(pca.transform(unseen.flatten(1).numpy()))).view_as(unseen)
    assert error(unseen, projected) < errors[-1] < 0.1 * errors[0]


def test_it_beats_the_same_bits_spread_evenly_over_the_axes():
    seen, unseen, bits = pictures(), pictures(seed=1), 12
    pca = PCA(6).fit(seen.flatten(1).numpy())
    codes, known = (torch.from_numpy(pca.transform(x.flatten(1).numpy())) for x in (unseen, seen))
    low, high = known.amin(0), known.amax(0)
    rounded = low + ((codes.clip(low, high) - low) / (high - low) * 3).round() / 3 * (high - low)
    even = torch.from_numpy(pca.inverse_transform(rounded.numpy())).view_as(unseen)
    assert error(unseen, coding.PCACoder.fit(seen, bits).rebuild(unseen)) < 0.8 * error(unseen, even)


def test_coding_a_rebuilt_picture_again_changes_nothing():
    x = pictures(50)
    coder = coding.PCACoder.fit(x, 10)
    once = coder.rebuild(x)
    assert once.shape == x.shape and once.dtype == torch.float32 and once.abs().max() <= 1
    assert torch.allclose(coder.rebuild(once), once, atol=1e-5)
    assert torch.equal(coder.decode(coder.encode(x)), once)


@pytest.mark.parametrize("end", [-1.0, 1.0])
def test_decoded_pictures_are_cut_to_black_and_white(end):
    coder = coding.PCACoder(torch.zeros(784), torch.full((784, 1), 1 / 28), [torch.tensor([999.0 * end])])
    assert (coder.decode(torch.zeros(2, 1, dtype=torch.long)) == end).all()


def test_what_it_cannot_code_is_refused_by_name():
    with pytest.raises(ValueError, match=r"examples must be \(n, 1, 28, 28\)"):
        coding.PCACoder.fit(torch.zeros(5, 784), 8)
    with pytest.raises(ValueError, match="bits must be a whole number, 1 or more"):
        coding.PCACoder.fit(torch.zeros(5, 1, 28, 28), 0)
    coder = coding.PCACoder.fit(pictures(50), 8)
    with pytest.raises(ValueError, match="numbers"):
        coder.decode(torch.zeros(2, 99, dtype=torch.long))
    with pytest.raises(ValueError, match="levels must be given for each"):
        coding.PCACoder(coder.mean, coder.axes, [])
