"""Ranges end where they say: their ends are taken if they belong to them, and the next number is refused by name."""

import math
import re

import numpy as np
import pytest
import torch

from genai_utils.business import adoption, bubbles, clusters, competition, evidence, machines, valuation
from genai_utils.metrics import distances, features, hardware, likelihood, text
from genai_utils.models import (
    autoencoder,
    classical,
    coding,
    densities,
    gan,
    gpt,
    ngram,
    pixelcnn,
    sampling,
    shapes,
    vae,
    vqvae,
    wavenet,
)

torch.manual_seed(0)
X = torch.randn(5, 3)
PIXELS = torch.tensor([[0, 1], [1, 0]])
ROWS = torch.rand(2, 4)
PCA = classical.GaussianPCA(torch.zeros(3), torch.ones(3), torch.eye(3))
MIXTURE = classical.GaussianMixture(torch.ones(1), torch.zeros(1, 3), torch.eye(3)[None])
HMM = classical.HMM(torch.ones(2) / 2, torch.ones(2, 2) / 2, torch.ones(2, 2) / 2)
GPT = gpt.GPT(gpt.Config(vocabulary=4, context=4, layers=1, heads=1, width=2))
PROMPT = torch.zeros(1, 1, dtype=torch.long)
LOGITS = torch.randn(1, 4)
BOOK = vqvae.Codebook(2, 3)
PASS = vqvae.Pass(X, X, X, X)
LINEAR = vae.LinearVAE(3, 2)
SOUND = wavenet.WaveNet(levels=4, width=2, dilations=(1,), head=2)
PRIOR = vqvae.CodePrior(codes=3, shape=(2, 2), width=2, blocks=0)
PIXELCNN = pixelcnn.PixelCNN(levels=2, shape=(2, 2), width=2, blocks=0, first=1)
COMPANY = {"revenue": 1.0, "growth": 0.1, "margin": 0.1, "rate": 0.1}
BUILD = {"capex": 1.0, "chip_share": 0.5, "chip_life": 5.0, "building_life": 20.0, "rate": 0.1, "running": 0.1}
BUILD |= {"margin": 0.5, "utilisation": 0.5}
GROWTH = {"rate": 0.1, "error": 0.1, "residual": 0.1, "log_mean": 0.0, "year_mean": 0.0, "n": 5}
BASS = {"ceiling": 1.0, "innovation": 0.1, "imitation": 0.1}
YEARS = np.array([1.0, 2.0, 3.0, 4.0])
RING = {"gradient_bytes": 1.0, "devices": 2, "bytes_per_second": 1.0, "latency": 1.0}
RUN = {"device_hours": 1.0, "devices": 2, "efficiency": 0.5, "usd_per_device_hour": 1.0}
LEADER = {"cost": 1.0, "switching": 1.0, "advantage": 1.0, "open_rival": True}


def bell(z):
    return -z.square().sum(dim=-1) / 2


def annealed(**changes):
    return likelihood.annealed_importance(bell, X[:1], X[:1], **({"chains": 2, "temperatures": 2} | changes))


def config(**changes):
    return gpt.Config(**({"vocabulary": 4, "context": 4, "layers": 1, "heads": 1, "width": 2} | changes))


def replaced(call, kind, good):
    """The same call with one argument of these changed."""
    return {name: (lambda value, name=name: call(**(good | {name: value}))) for name in good if kind(name)}


RANGES = [
    # models
    ("sd", "[0, 1e9]", lambda sd: autoencoder.denoising_loss(torch.nn.Identity(), X, sd)),
    ("sd", "[1e-6, 1e6]", lambda sd: autoencoder.score(torch.nn.Identity(), X, sd)),
    ("latent", "whole [1, ...", lambda n: autoencoder.Autoencoder(n, (), (2,))),
    ("smoothing", "[0, 1e9]", lambda s: classical.PixelTables.fit(torch.tensor([[0], [1]]), 2, smoothing=s)),
    ("levels", "whole [1, ...", lambda n: classical.PixelTables.fit(torch.zeros(2, 1, dtype=torch.long), n)),
    ("floor", "[0, 1e9]", lambda floor: classical.GaussianPCA.fit(X, floor=floor)),
    ("rank", "whole [0, 3]", lambda rank: classical.GaussianPCA.fit(X, rank, floor=1.0)),
    ("examples", "whole [2, ...", lambda n: classical.GaussianPCA.fit(X[:n], floor=1.0)),
    ("columns_of_z", "whole [..., 3]", lambda n: PCA.unwhiten(torch.zeros(1, n))),
    ("rank", "whole [1, ...", lambda rank: classical.ClassGaussians([PCA], rank)),
    ("components", "whole [1, 5]", lambda k: classical.GaussianMixture.start(X, k)),
    ("floor", "[0, 1e9]", lambda floor: MIXTURE.step(X, floor=floor)),
    ("smoothing", "[0, 1e9]", lambda s: HMM.step(PIXELS, smoothing=s)),
    ("kinds", "whole [1, ...", lambda n: classical.check_symbols(torch.zeros(1, 1, dtype=torch.long), n)),
    ("rounds", "whole [1, ...", lambda n: coding.lloyd_max(ROWS, 2, rounds=n)),
    ("bits", "whole [0, ...", lambda n: coding.allocate_bits(ROWS, n)),
    ("bits", "whole [1, ...", lambda n: coding.PCACoder.fit(torch.rand(3, 1, 28, 28), n)),
    ("log_var", "[-80, 80]", lambda v: densities.log_normal(X, 0.0, v)),
    ("mean", "[-1e9, 1e9]", lambda m: densities.log_normal(X, m)),
    ("sd", "[1e-6, 1e6]", lambda sd: densities.Gaussian(sd)),
    ("latent", "whole [1, ...", lambda n: densities.StandardNormal(n)),
    ("std", "[0, 1e9]", lambda std: gan.initialize(torch.nn.Linear(1, 1), std)),
    ("vocabulary", "whole [1, ...", lambda n: config(vocabulary=n)),
    ("room", "whole [1, ...", lambda n: gpt.LayerCache(n)),
    ("base", "[1, 1e9]", lambda base: gpt.rotations(2, 2, base)),
    ("muon", "[0, 1e9]", lambda rate: gpt.optimizers(GPT, muon=rate)),
    ("adamw", "[0, 1e9]", lambda rate: gpt.optimizers(GPT, adamw=rate)),
    ("decay", "[0, 1e9]", lambda rate: gpt.optimizers(GPT, decay=rate)),
    ("iterations", "whole [1, 99]", lambda n: gpt.optimizers(GPT, iterations=n)),
    ("length", "whole [1, ...", lambda n: gpt.windows(torch.arange(3), n)),
    ("batch", "whole [1, ...", lambda n: gpt.log_probs(GPT, torch.zeros(9, dtype=torch.long), n)),
    ("time", "whole [1, ...", lambda n: gpt.forward_flops(config(), n)),
    ("past", "whole [0, ...", lambda n: gpt.decoding_bytes(config(), n)),
    ("batch", "whole [1, ...", lambda n: gpt.decoding_bytes(config(), 1, batch=n)),
    ("item", "whole [1, ...", lambda n: gpt.decoding_bytes(config(), 1, item=n)),
    ("order", "whole [1, 3]", lambda n: ngram.NGram("abc", n)),
    ("discount", "[0, 1)", lambda d: ngram.NGram("abc", 2, discount=d)),
    ("n", "whole [0, ...", lambda n: ngram.NGram("abc", 1).sample(n)),
    ("levels", "whole [2, ...", lambda n: pixelcnn.to_levels(torch.zeros(1, dtype=torch.uint8), n)),
    ("levels", "whole [2, 256]", lambda n: pixelcnn.PixelCNN(n, (2, 2), width=2, blocks=0)),
    ("blocks", "whole [0, ...", lambda n: pixelcnn.PixelCNN(2, (2, 2), width=2, blocks=n)),
    ("down", "whole [0, 5]", lambda n: pixelcnn.shifted(X, down=n)),
    ("right", "whole [0, 3]", lambda n: pixelcnn.shifted(X, right=n)),
    ("up", "whole [0, ...", lambda n: pixelcnn.LookBack(1, 1, n, 0, 0)),
    ("left", "whole [0, ...", lambda n: pixelcnn.LookBack(1, 1, 0, n, 0)),
    ("right", "whole [0, ...", lambda n: pixelcnn.LookBack(1, 1, 0, 0, n)),
    ("dilation", "whole [1, ...", lambda n: pixelcnn.LookBack(1, 1, 0, 0, 0, n)),
    ("n", "whole [1, ...", lambda n: PIXELCNN.sample(n)),
    ("temperature", "[1e-6, 1e6]", lambda t: PIXELCNN.sample(1, temperature=t)),
    ("k", "whole [1, ...", lambda k: sampling.top_k(LOGITS, k)),
    ("p", "(0, 1]", lambda p: sampling.top_p(LOGITS, p)),
    ("p", "[0, 1]", lambda p: sampling.min_p(LOGITS, p)),
    ("penalty", "[1, 1e6]", lambda p: sampling.penalize(LOGITS, PROMPT, p)),
    ("temperature", "[0, 1e6]", lambda t: sampling.Decoding(temperature=t)),
    ("temperature", "[1e-6, 1e6]", lambda t: sampling.Decoding(temperature=max(t, 1e-9))),
    ("top_k", "whole [1, ...", lambda k: sampling.Decoding(top_k=k)),
    ("top_p", "(0, 1]", lambda p: sampling.Decoding(top_p=p)),
    ("min_p", "[0, 1]", lambda p: sampling.Decoding(min_p=p)),
    ("repetition", "[1, 1e6]", lambda p: sampling.Decoding(repetition=p)),
    ("tokens", "whole [0, ...", lambda n: sampling.generate(GPT, PROMPT, n)),
    ("stop", "whole [0, 3]", lambda n: sampling.generate(GPT, PROMPT, 1, stop=n)),
    ("kernel", "whole [1, ...", lambda n: shapes.check_odd(kernel=n + (n > 1) * (1 - n % 2))),
    ("labels", "whole [0, ...", lambda n: vae.VAE(1, 2, labels=n)),
    ("beta", "[0, 1e9]", lambda beta: vae.elbo(LINEAR, X, beta=beta)),
    ("free_bits", "[0, 1e9]", lambda bits: vae.elbo(LINEAR, X, free_bits=bits)),
    ("k", "whole [1, ...", lambda k: vae.log_weights(LINEAR, X, k)),
    ("threshold", "[0, 1e9]", lambda t: vae.active_units(X, t)),
    ("decay", "[0, 1]", lambda decay: vqvae.Codebook(2, 2, decay)),
    ("below", "[0, inf]", lambda below: BOOK.restart(torch.rand(4, 3, 1, 1), below)),
    ("channels", "whole [2, ...", lambda n: vqvae.Residual(n)),
    ("beta", "[0, 1e9]", lambda beta: vqvae.loss(X, PASS, beta)),
    ("width", "whole [2, ...", lambda n: vqvae.CausalBlock(n)),
    ("width", "whole [2, ...", lambda n: vqvae.CodePrior(width=n, blocks=0)),
    ("blocks", "whole [0, ...", lambda n: vqvae.CodePrior(width=2, blocks=n)),
    ("labels", "whole [0, ...", lambda n: vqvae.CodePrior(width=2, blocks=0, labels=n)),
    ("temperature", "[1e-6, 1e6]", lambda t: PRIOR.sample(1, temperature=t)),
    ("dilation", "whole [1, ...", lambda n: wavenet.GatedLayer(2, n)),
    ("labels", "whole [0, ...", lambda n: wavenet.WaveNet(4, 2, (1,), labels=n, head=2)),
    ("temperature", "[1e-6, 1e6]", lambda t: SOUND.sample(1, 1, temperature=t)),
    ("levels", "whole [2, ...", lambda n: wavenet.smooth(n, 2)),
    ("context", "whole [0, ...", lambda n: wavenet.excerpts([torch.arange(3)], n, 2)),
    ("silence", "whole [0, ...", lambda n: wavenet.excerpts([torch.arange(3)], 1, 2, n)),
    # metrics
    ("peak", "(0, ...", lambda peak: distances.psnr(X, X + 1, peak)),
    ("subset_size", "whole [2, 5]", lambda n: distances.kernel_distance(X, X + 1, subset_size=n)),
    ("a", "whole [4, ...", lambda n: distances.kernel_distance(torch.rand(n, 1), X[:, :1])),
    ("at_least", "whole [1, ...", lambda n: distances.pair(n, a=X)),
    ("k", "whole [1, 4]", lambda k: distances.precision_recall_density_coverage(X, X + 1, k)),
    ("batch_size", "whole [1, ...", lambda n: features.features(torch.rand(1, 1, 28, 28) - 0.5, n)),
    ("repeats", "whole [2, ...", lambda n: hardware.laps(dict, n)),
    ("intensity", "[0, ...", lambda n: hardware.attainable(n, 1.0, 1.0)),
    ("peak", "(0, ...", lambda n: hardware.attainable(1.0, n, 1.0)),
    ("bandwidth", "(0, ...", lambda n: hardware.attainable(1.0, 1.0, n)),
    ("work", "[0, ...", lambda n: hardware.utilization(n, 1.0, 1.0)),
    ("seconds", "(0, ...", lambda n: hardware.utilization(1.0, n, 1.0)),
    ("limit", "(0, ...", lambda n: hardware.utilization(1.0, 1.0, n)),
    ("dims", "whole [1, ...", lambda n: likelihood.bits_per_dim(X[:, 0], dims=n)),
    ("levels", "whole [1, ...", lambda n: likelihood.bits_per_dim(X[:, 0], levels=n)),
    ("chains", "whole [2, ...", lambda n: annealed(chains=n)),
    ("step", "[1e-9, 1e9]", lambda step: annealed(step=step, temperatures=1)),
    ("reach", "[1e-3, 1e3]", lambda reach: likelihood.sigmoid_path(3, reach)),
    ("blocks", "whole [2, ...", lambda n: text.bits_per_character([-1.0] * 9, blocks=n)),
    ("characters", "whole [1, ...", lambda n: text.bits_per_character([-1.0] * 9, n)),
    ("length", "whole [1, 3]", lambda n: text.distinct("abc", n)),
    # business
    *(
        (name, "(0, ...", call)
        for name, call in replaced(adoption.Bass, {"ceiling", "innovation"}.__contains__, BASS).items()
    ),
    ("imitation", "[0, ...", lambda q: adoption.Bass(1.0, 0.1, q)),
    ("bound", "(0, ...", lambda bound: adoption.fit(YEARS, YEARS, bound=bound)),
    ("ceiling", "(0, 9]", lambda ceiling: adoption.fit(YEARS, YEARS, bound=9.0, ceiling=ceiling)),
    ("bound", "(0, ...", lambda bound: adoption.bootstrap(YEARS, YEARS, bound=bound, draws=1, seed=0)),
    ("seed", "whole [0, ...", lambda seed: adoption.bootstrap(YEARS, YEARS, bound=9.0, draws=1, seed=seed)),
    ("seed", "whole [0, ...", lambda seed: bubbles.random_walks(3, paths=1, seed=seed)),
    ("seed", "whole [0, ...", lambda seed: bubbles.wild_walks(YEARS, paths=1, seed=seed)),
    (
        "seed",
        "whole [0, ...",
        lambda seed: bubbles.explosive_paths(4, start=0, end=1, root=1.1, level=1.0, paths=1, seed=seed),
    ),
    (
        "start",
        "whole [0, 1]",
        lambda n: bubbles.explosive_paths(4, start=n, end=2, root=1.0, level=1.0, paths=1, seed=0),
    ),
    ("end", "whole [2, 3]", lambda n: bubbles.explosive_paths(4, start=1, end=n, root=1.0, level=1.0, paths=1, seed=0)),
    ("window", "whole [3, 8]", lambda n: bubbles.exuberance(bubbles.random_walks(9, paths=1, seed=0), n)),
    (
        "level",
        "[0, 1]",
        lambda level: bubbles.exuberance(bubbles.random_walks(9, paths=2, seed=0), 4).thresholds(level),
    ),
    ("shortest", "whole [1, ...", lambda n: bubbles.episodes(np.array([True]), shortest=n)),
    *(
        (name, "[0, ...", call)
        for name, call in replaced(clusters.ring_seconds, {"gradient_bytes", "latency"}.__contains__, RING).items()
    ),
    ("devices", "whole [1, ...", lambda n: clusters.ring_seconds(**(RING | {"devices": n}))),
    ("bytes_per_second", "(0, ...", lambda n: clusters.ring_seconds(**(RING | {"bytes_per_second": n}))),
    ("compute_seconds", "(0, ...", lambda n: clusters.efficiency(compute_seconds=n, exchange_seconds=1.0)),
    ("exchange_seconds", "[0, ...", lambda n: clusters.efficiency(compute_seconds=1.0, exchange_seconds=n)),
    (
        "hidden_seconds",
        "[0, ...",
        lambda n: clusters.efficiency(compute_seconds=1.0, exchange_seconds=1.0, hidden_seconds=n),
    ),
    ("write_seconds", "(0, ...", lambda n: clusters.checkpoint_interval(write_seconds=n, seconds_between_failures=1.0)),
    (
        "seconds_between_failures",
        "(0, ...",
        lambda n: clusters.checkpoint_interval(write_seconds=1.0, seconds_between_failures=n),
    ),
    *(
        (name, "[0, ...", call)
        for name, call in replaced(clusters.bill, {"device_hours", "usd_per_device_hour"}.__contains__, RUN).items()
    ),
    ("devices", "whole [1, ...", lambda n: clusters.bill(**(RUN | {"devices": n}))),
    ("efficiency", "(0, 1]", lambda n: clusters.bill(**(RUN | {"efficiency": n}))),
    (
        "machine_usd",
        "[0, ...",
        lambda n: clusters.hours_to_own(machine_usd=n, owner_usd_per_hour=1.0, rent_usd_per_hour=2.0),
    ),
    (
        "owner_usd_per_hour",
        "[0, ...",
        lambda n: clusters.hours_to_own(machine_usd=1.0, owner_usd_per_hour=n, rent_usd_per_hour=2.0),
    ),
    (
        "rent_usd_per_hour",
        "(0, ...",
        lambda n: clusters.hours_to_own(machine_usd=1.0, owner_usd_per_hour=0.0, rent_usd_per_hour=n),
    ),
    ("cut", "[0, 1)", competition.volume_to_keep_revenue),
    ("cut", "[0, 1)", lambda cut: competition.volume_to_keep_profit(cut, margin=0.5)),
    ("margin", "(0, 1]", lambda margin: competition.volume_to_keep_profit(0.1, margin=margin)),
    ("cost_fall", "[0, 1]", lambda fall: competition.volume_to_keep_profit(0.1, margin=0.5, cost_fall=fall)),
    ("price_before", "(0, ...", lambda n: competition.elasticity(price=(n, 2.0), volume=(1.0, 2.0))),
    ("price_after", "(0, ...", lambda n: competition.elasticity(price=(2.0, n), volume=(1.0, 2.0))),
    ("volume_before", "(0, ...", lambda n: competition.elasticity(price=(2.0, 1.0), volume=(n, 2.0))),
    ("volume_after", "(0, ...", lambda n: competition.elasticity(price=(2.0, 1.0), volume=(1.0, n))),
    ("error", "[0, ...", lambda n: competition.Growth(**(GROWTH | {"error": n}))),
    ("residual", "[0, ...", lambda n: competition.Growth(**(GROWTH | {"residual": n}))),
    ("n", "whole [3, ...", lambda n: competition.Growth(**(GROWTH | {"n": n}))),
    ("level", "(0, 1)", lambda level: competition.Growth(**GROWTH).interval(level)),
    ("switching", "(0, ...", lambda n: competition.leader_price(**(LEADER | {"switching": n}))),
    ("cost", "[0, ...", lambda n: competition.leader_price(**(LEADER | {"cost": n}))),
    ("advantage", "[0, ...", lambda n: competition.leader_price(**(LEADER | {"advantage": n}))),
    ("costs", "[0, ...", lambda n: competition.undercut_price([n, 1.0])),
    ("fixed", "[0, ...", lambda n: competition.break_even_revenue(fixed=n, margin=0.5)),
    ("margin", "..., 1]", lambda n: competition.break_even_revenue(fixed=1.0, margin=n)),
    ("level", "(0, 1)", lambda level: evidence.Effect(0.1, 0.1).interval(level)),
    ("change", "(-1, ...", lambda n: evidence.effect_from_error(n, 0.1)),
    ("error", "(0, ...", lambda n: evidence.effect_from_error(0.1, n)),
    ("low", "(-1, 0.2]", lambda n: evidence.effect_from_interval(0.2, n, 0.3)),
    ("high", "[0.2, ...", lambda n: evidence.effect_from_interval(0.2, 0.1, n)),
    ("error", "(0, ...", lambda n: evidence.winners_mean(0.1, n)),
    ("level", "(0, 1)", lambda n: evidence.winners_mean(0.1, 0.1, level=n)),
    ("spread", "(0, ...", lambda n: evidence.sample_size(0.1, n)),
    ("power", "(0, 1)", lambda n: evidence.sample_size(0.1, 0.1, power=n)),
    ("spread", "(0, ...", lambda n: evidence.power(0.1, n, 9.0)),
    ("size", "(0, ...", lambda n: evidence.power(0.1, 0.1, n)),
    ("cluster", "[1, ...", lambda n: evidence.design_effect(n, 0.5)),
    ("correlation", "[0, 1]", lambda n: evidence.design_effect(3.0, n)),
    ("correlation", "[-1, 1]", lambda n: evidence.selection_bias(n, 1.0, 0.5)),
    ("spread", "(0, ...", lambda n: evidence.selection_bias(0.5, n, 0.5)),
    ("share", "(0, 1)", lambda n: evidence.selection_bias(0.5, 1.0, n)),
    ("spread", "(0, ...", lambda n: evidence.kept_mean(0.5, n, 0.5)),
    ("withheld", "(0, 1)", lambda n: evidence.kept_mean(0.5, 1.0, n)),
    ("successes", "whole [0, 4]", lambda n: evidence.exact_interval(n, 4)),
    ("trials", "whole [1, ...", lambda n: evidence.exact_interval(0, n)),
    ("level", "(0, 1)", lambda n: evidence.exact_interval(1, 4, level=n)),
    ("pace", "[0, ...", lambda n: evidence.j_curve([0.5], gain=0.1, pace=n, decay=0.1)),
    ("decay", "[0, 1]", lambda n: evidence.j_curve([0.5], gain=0.1, pace=0.1, decay=n)),
    ("invested", "[0, 1]", lambda n: evidence.j_curve([0.5, n], gain=0.1, pace=0.1, decay=0.1)),
    ("rate", "(-1, ...", lambda rate: valuation.present_value([1.0], rate=rate)),
    ("rate", "[0, ...", lambda rate: machines.annuity(1.0, rate=rate, years=2.0)),
    ("years", "(0, inf]", lambda years: machines.annuity(1.0, rate=0.1, years=years)),
    ("revenue", "(0, ...", lambda n: valuation.Company(**(COMPANY | {"revenue": n}))),
    ("growth", "(-1, ...", lambda n: valuation.Company(**(COMPANY | {"growth": n}))),
    ("long_run", "(-1, ...", lambda n: valuation.Company(**(COMPANY | {"long_run": min(n, 0.01)}))),
    ("fade", "[0, 1]", lambda n: valuation.Company(**(COMPANY | {"fade": n}))),
    ("price", "(0, ...", lambda n: valuation.implied_growth(n, valuation.Company(**COMPANY)) if n <= 0 else None),
    ("capex", "(0, ...", lambda n: machines.Buildout(**(BUILD | {"capex": n}))),
    ("utilisation", "(0, 1]", lambda n: machines.Buildout(**(BUILD | {"utilisation": n}))),
    ("chip_share", "[0, 1]", lambda n: machines.Buildout(**(BUILD | {"chip_share": n}))),
    *(
        (name, "[0, ...", call)
        for name, call in replaced(machines.Buildout, {"rate", "running"}.__contains__, BUILD).items()
    ),
    *(
        (name, "(0, inf]", call)
        for name, call in replaced(machines.Buildout, {"chip_life", "building_life"}.__contains__, BUILD).items()
    ),
    ("margin", "..., 1)", lambda n: machines.Buildout(**(BUILD | {"margin": n}))),
    ("seed", "whole [0, ...", lambda seed: machines.together(np.eye(1), draws=1, seed=seed)),
    ("start", "(0, ...", lambda n: valuation.bubble_paths(n, rate=0.1, burst=0.1, years=1, paths=1, seed=0)),
    ("rate", "(-1, ...", lambda n: valuation.bubble_paths(1.0, rate=n, burst=0.1, years=1, paths=1, seed=0)),
    ("burst", "[0, 1)", lambda n: valuation.bubble_paths(1.0, rate=0.1, burst=n, years=1, paths=1, seed=0)),
    ("seed", "whole [0, ...", lambda n: valuation.bubble_paths(1.0, rate=0.1, burst=0.1, years=1, paths=1, seed=n)),
]


def tried(within):
    """Numbers of a range at its ends, and the nearest ones outside."""
    whole = within.startswith("whole ")
    inside, outside = [], []
    for end, bracket, way in ((within.split(", ")[0], "[", -1), (within.split(", ")[-1], "]", 1)):
        if "..." in end:
            continue
        bound = float(re.sub(r"whole|[\[\]() ]", "", end))
        if whole:
            inside, outside = [*inside, int(bound)], [*outside, int(bound) + way]
        elif bracket in end:
            inside, outside = [*inside, bound], [*outside, *[np.nextafter(bound, way * math.inf)] * (bound < math.inf)]
        else:
            inside, outside = [*inside, bound - way * 1e-6], [*outside, bound]
    return inside, outside


@pytest.mark.parametrize(("name", "within", "call"), RANGES, ids=[f"{name} in {within}" for name, within, _ in RANGES])
def test_a_range_holds_its_ends_and_nothing_beyond(name, within, call):
    inside, outside = tried(within)
    for number in inside:
        call(number)
    for number in outside:
        with pytest.raises(ValueError, match=rf"(?<!\w){name}(,| (must|is|has|and|to|in|=|<) |$)"):
            call(number)
