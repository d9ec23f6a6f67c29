"""What the formulas of the model chapters must give: see printed.py."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from printed import Derived, Fixed, as_printed
from scipy import special, stats
from scipy.optimize import approx_fprime, minimize_scalar
from scipy.spatial.distance import jensenshannon
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import polynomial_kernel
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from genai_utils.data.toys import LinearGaussian
from genai_utils.metrics import distances, text
from genai_utils.metrics.likelihood import bits_per_dim
from genai_utils.models import diffusion, flow, gpt, vqvae, wavenet
from genai_utils.models.classical import GaussianMixture
from genai_utils.run import memory

SIGMOID = Fixed(special.expit)


def numbers(*shape, low=-1.0, high=1.0):
    return lambda random: random.uniform(low, high, shape)


def shares(n):
    return lambda random: random.dirichlet(np.full(n, 2.0))


def covariance(random, n=3):
    rows = random.normal(size=(3 * n, n))
    return rows.T @ rows / (3 * n) + 0.1 * np.eye(n)


def table(name):
    """Numbers as a function of their place, 1 .. n."""
    return Derived(lambda v: lambda place: v[name][int(place) - 1])


def tensor(x):
    return torch.tensor(np.asarray(x), dtype=torch.float64)


def slope(function, at, step=1e-6):
    return (function(at + step) - function(at - step)) / (2 * step)


# --- probability ------------------------------------------------------------------------------------------------------


@as_printed("prob.cross-entropy", over={"x": 5}, P=shares(5), Q=shares(5), p=table("P"), q=table("Q"))
def mean_code_length(P, Q):
    return (special.entr(P).sum() + special.rel_entr(P, Q).sum()) / math.log(2)


@as_printed(
    "prob.jensen-shannon", p=shares(5), q=shares(5), m=Derived(lambda v: (v["p"] + v["q"]) / 2),
    H=Fixed(lambda p: special.entr(p).sum()),
)  # fmt: skip
def divergence_from_the_middle(p, q):
    return jensenshannon(p, q) ** 2


@as_printed("prob.bits", x=0.0, bits=(-900.0, 900.0), p=Derived(lambda v: lambda x: 2.0 ** v["bits"]))
def bits_of_a_pixel(bits):
    return bits_per_dim(tensor([bits * math.log(2)] * 2)).value


@as_printed("prob.moments", x=numbers(9, low=-3, high=3), E_p=Fixed(np.mean), Var_p=Fixed(np.var))
def nearest_bell_curve(x):
    """The likeliest for points of equal weight, which is the one of the smallest divergence."""
    return np.array(stats.norm.fit(x))


@as_printed("gauss.log-density", z=numbers(784, low=-2, high=2), lambda_=numbers(784, low=0.1, high=2))
def log_density(z, lambda_):
    return stats.norm.logpdf(z * np.sqrt(lambda_), 0, np.sqrt(lambda_)).sum()


@as_printed("gauss.ppca", over={"j": 784}, k=range(1, 700), lambda_=numbers(784, low=0.1, high=2))
def variance_of_the_rest(k, lambda_):
    return lambda_[k:].mean()


MIXTURE = {
    "pi": shares(3), "mu": numbers(3, 2), "Sigma": lambda random: np.stack([covariance(random, 2) for _ in range(3)]),
    "x": numbers(8, 2),
}  # fmt: skip
NORMAL = {"N": Fixed(lambda x, mean, cov: stats.multivariate_normal(mean, cov).pdf(x))}


def mixture(v):
    return GaussianMixture(tensor(v["pi"]), tensor(v["mu"]), tensor(v["Sigma"]))


@as_printed("gmm.responsibility", i=4, k=2, over={"j": 3}, **MIXTURE, **NORMAL)
def responsibility(pi, mu, Sigma, x):
    return mixture({"pi": pi, "mu": mu, "Sigma": Sigma}).responsibilities(tensor(x))[3, 1].item()


SHARED = {"k": 2, "n": 8, "r": Derived(lambda v: mixture(v).responsibilities(tensor(v["x"])).numpy())}


def improved(pi, mu, Sigma, x):
    return mixture({"pi": pi, "mu": mu, "Sigma": Sigma}).step(tensor(x))


@as_printed("gmm.m-step", part=1, where=(0,), over={"i": 8}, **MIXTURE, **SHARED)
def weight_of_a_component(pi, mu, Sigma, x):
    return improved(pi, mu, Sigma, x).weights[1].item()


@as_printed("gmm.m-step", part=2, where=(0,), over={"i": 8}, **MIXTURE, **SHARED)
def mean_of_a_component(pi, mu, Sigma, x):
    return improved(pi, mu, Sigma, x).means[1].numpy()


COLUMNS = {"points": MIXTURE["x"]} | MIXTURE | SHARED | {  # a point is a column: the last product is a matrix
    "x": Derived(lambda v: v["points"][:, :, None]),
    "r": Derived(lambda v: mixture(v).responsibilities(tensor(v["points"])).numpy()),
    "mu_k": Derived(lambda v: mixture(v).step(tensor(v["points"])).means[1].numpy()[:, None]),
}  # fmt: skip


@as_printed("gmm.m-step", part=3, where=(0,), over={"i": 8}, **COLUMNS)
def covariance_of_a_component(pi, mu, Sigma, points):
    return improved(pi, mu, Sigma, points).covariances[1].numpy()


def paths(v, length, last):
    """Probability of the first symbols and of a last state, summed over all paths."""
    total = 0.0
    for path in itertools.product(range(3), repeat=length):
        moves = [v["A"][a, b] for a, b in itertools.pairwise(path)]
        seen = [v["emit"][state, v["x"][t] - 1] for t, state in enumerate(path)]
        total += (path[-1] == last) * v["pi"][path[0]] * np.prod(moves) * np.prod(seen)
    return total


CHAIN = {
    "pi": shares(3), "A": lambda random: random.dirichlet(np.ones(3), 3), "x": lambda random: random.integers(1, 5, 4),
    "emit": lambda random: random.dirichlet(np.ones(4), 3), "T": 4,
    "B": Derived(lambda v: lambda k: lambda symbol: v["emit"][int(k) - 1, int(symbol) - 1]),
    "alpha": Derived(lambda v: lambda t: lambda k: paths(v, int(t), int(k) - 1)),
}  # fmt: skip


@as_printed("hmm.forward", part=1, t=3, k=2, over={"j": 3}, **CHAIN)
def forward_step(pi, A, x, emit):
    return paths({"pi": pi, "A": A, "x": x, "emit": emit}, 3, 1)


# --- autoencoders -----------------------------------------------------------------------------------------------------


@as_printed("ae.psnr", r=2.0, x=numbers(2, 1, 4, 4), y=numbers(2, 1, 4, 4),
            L=Derived(lambda v: ((v["x"] - v["y"]) ** 2).mean()))  # fmt: skip
def peak_to_noise(x, y):
    return distances.psnr(tensor(x), tensor(y))


@as_printed("ae.covariance", d=3, E=numbers(2, 3), D=numbers(3, 2), I=np.eye(3), Sigma=covariance)
def error_of_a_linear_code(E, D, Sigma):
    root = np.linalg.cholesky(Sigma)
    return ((root - D @ E @ root) ** 2).sum() / 3


VARIANCES = Derived(lambda v: PCA().fit(v["x"]).explained_variance_ * (len(v["x"]) - 1) / len(v["x"]))


@as_printed("ae.pca", d=6, k=2, over={"j": 6}, x=numbers(40, 6), lambda_=VARIANCES)
def error_of_two_axes(x):
    axes = PCA(2).fit(x)
    return ((x - axes.inverse_transform(axes.transform(x))) ** 2).mean()


@as_printed("ae.wiener", Sigma=covariance, sigma=(0.2, 2.0), I=np.eye(3))
def best_linear_denoiser(Sigma, sigma):
    """Regression of x on x + noise, from as many exact moments."""
    return np.linalg.solve(Sigma + sigma**2 * np.eye(3), Sigma).T


FAULTS = {"a": (0.5, 2.0), "m": (5.0, 50.0), "pi": (0.05, 0.3), "gap": (1.0, 3.0)}
FAULTS |= {"F_0": Fixed(stats.norm.cdf), "F_1": Derived(lambda v: stats.norm(v["gap"], 1).cdf)}
FAULTS |= {"f_0": Fixed(stats.norm.pdf), "f_1": Derived(lambda v: stats.norm(v["gap"], 1).pdf)}


def bill(t, a, m, pi, gap):
    looked_at = (1 - pi) * stats.norm.sf(t) + pi * stats.norm.sf(t - gap)
    return a * looked_at + m * pi * stats.norm.cdf(t - gap)


@as_printed("ae.cost", t=(-1.0, 3.0), **FAULTS)
def cost_of_a_threshold(t, a, m, pi, gap):
    return bill(t, a, m, pi, gap)


def cheapest(v):
    prices = [v[name] for name in ("a", "m", "pi", "gap")]
    return minimize_scalar(lambda t: bill(t, *prices), bounds=(-20, 20), method="bounded", options={"xatol": 1e-12}).x


@as_printed("ae.threshold", **FAULTS, t=Derived(cheapest))
def chance_of_a_fault_at_the_cheapest_threshold(a, m, pi, gap, t):
    return pi * stats.norm.pdf(t - gap) / (pi * stats.norm.pdf(t - gap) + (1 - pi) * stats.norm.pdf(t))


# --- GANs -------------------------------------------------------------------------------------------------------------


@as_printed(
    "gan.optimal-d", x=0.0, P=(0.05, 2.0), Q=(0.05, 2.0), p=Derived(lambda v: lambda x: v["P"]),
    q=Derived(lambda v: lambda x: v["Q"]),
)  # fmt: skip
def best_verdict(P, Q):
    logit = minimize_scalar(lambda a: P * np.logaddexp(0, -a) + Q * np.logaddexp(0, a), tol=1e-14).x
    return special.expit(logit)


@as_printed("gan.saturating", part=1, a=(-3.0, 3.0), D=Derived(lambda v: special.expit(v["a"])))
def slope_of_the_saturating_loss(a):
    return slope(lambda logit: np.log1p(-special.expit(logit)), a)


@as_printed("gan.nonsaturating", part=1, a=(-3.0, 3.0), D=Derived(lambda v: special.expit(v["a"])))
def slope_of_the_other_loss(a):
    return slope(lambda logit: -special.log_expit(logit), a)


GAME = {"theta_k": (-1.0, 1.0), "psi_k": (-1.0, 1.0), "h": (0.01, 0.5), "f_prime": Fixed(lambda t: special.expit(-t))}


@as_printed("gan.dirac-simultaneous", **GAME)
def squared_distance_after_a_step(theta_k, psi_k, h):
    """Both players step at once, gradients by differences of V = f(0) + f(-psi theta), f(t) = log sigmoid t."""
    up, down = approx_fprime([theta_k, psi_k], lambda at: special.log_expit(-at[0] * at[1]), 1e-8)
    return (theta_k - h * up) ** 2 + (psi_k + h * down) ** 2


def damped(gamma):
    return np.array([[0, 0.5], [-0.5, -gamma]])


@as_printed("gan.dirac-r1", part=1, pm=1.0, gamma=(1.1, 3.0))
def larger_eigenvalue(gamma):
    return np.linalg.eigvals(damped(gamma)).real.max()


@as_printed("gan.dirac-r1", part=1, pm=-1.0, gamma=(1.1, 3.0))
def smaller_eigenvalue(gamma):
    return np.linalg.eigvals(damped(gamma)).real.min()


FEATURES = {"a": numbers(30, 3), "b": numbers(40, 3, low=-0.5, high=2.0)}
MOMENTS = {f"mu_{side}": Derived(lambda v, name=name: v[name].mean(0)) for side, name in zip("rg", "ab", strict=True)}
MOMENTS |= {f"Sigma_{s}": Derived(lambda v, name=name: np.cov(v[name].T)) for s, name in zip("rg", "ab", strict=True)}


@as_printed("metric.frechet", **FEATURES, **MOMENTS)
def frechet_distance(a, b):
    return distances.frechet_distance(tensor(a), tensor(b), resamples=2).value


@as_printed("metric.kernel", part=1, a=numbers(64), b=numbers(64))
def similarity(a, b):
    return polynomial_kernel(a[None], b[None], degree=3, gamma=1 / 64, coef0=1).item()


@as_printed("cost.usable", u=(0.1, 1.0), T=(10.0, 900.0), N=(1e3, 1e6), t=(0.001, 0.1), r=(1e-4, 1e-2))
def price_of_usable_pictures(u, T, N, t, r):
    """Pictures are made until a thousand are usable; each pays its part of the training and its own seconds."""
    made = 1_000 / u
    return (made * T / N + made * t) * r


# --- text -------------------------------------------------------------------------------------------------------------

SEEN = {"n": 20, "x": numbers(20, low=-6, high=-0.01), "p": Fixed(lambda now, past: np.exp(now))}


@as_printed("lm.perplexity", **SEEN)
def perplexity(x):
    return text.perplexity(x)


@as_printed("lm.bits", characters=55, **SEEN)
def bits_of_a_character(x):
    return text.bits_per_character(x, 55).value


RECURRENT = {
    "e": numbers(3), "h": numbers(4), "W": numbers(4, 3), "U": numbers(4, 4), "b": numbers(4), "c": numbers(4)
}  # fmt: skip
RECURRENT |= {f"{kind}_{gate}": numbers(4, n) for gate in "rz" for kind, n in (("W", 3), ("U", 4))}
RECURRENT |= {f"b_{gate}": numbers(4) for gate in "rz"} | {"sigma": SIGMOID}


@as_printed("lm.gru", part=3, where=(0, 1, 2), **RECURRENT)
def next_state(e, h, W, U, b, c, W_r, U_r, b_r, W_z, U_z, b_z):
    cell, zero = torch.nn.GRUCell(3, 4).double(), np.zeros(4)
    weights = {
        "weight_ih": (W_r, W_z, W),
        "weight_hh": (U_r, U_z, U),
        "bias_ih": (b_r, b_z, b),
        "bias_hh": (zero, zero, c),
    }
    cell.load_state_dict({name: tensor(np.concatenate(parts)) for name, parts in weights.items()})
    return cell(tensor(e)[None], tensor(h)[None])[0].detach().numpy()


# --- transformers -----------------------------------------------------------------------------------------------------

HEAD = {"d": 4, "n": 5, "q": numbers(4, low=-2, high=2), "k": numbers(5, 4, low=-2, high=2), "v": numbers(5, 3)}


@as_printed("gpt.attention", part=1, j=2, **HEAD)
def share_of_a_key(q, k):
    return torch.softmax(tensor(k) @ tensor(q) / 2, 0)[1].item()


@as_printed("gpt.attention", **HEAD, a=Derived(lambda v: special.softmax(v["k"] @ v["q"] / 2)))
def attended(q, k, v):
    inputs = (tensor(q)[None], tensor(k), tensor(v))
    return F.scaled_dot_product_attention(*inputs)[0].numpy()


@as_printed("gpt.causal", d=4, i=range(1, 6), j=range(1, 6), over={"l": 5}, q=numbers(5, 4), k=numbers(5, 4))
def share_of_the_past(i, j, q, k):
    return gpt.attention_weights(tensor(q)[None, None], tensor(k)[None, None])[0, 0, i - 1, j - 1].item()


@as_printed("gpt.rmsnorm", w=6, i=3, x=numbers(6), g=numbers(6))
def normalized(x, g):
    return F.rms_norm(tensor(x), (6,), tensor(g), eps=0.0)[2].item()


@as_printed(
    "gpt.temperature", v=2, tau=(0.2, 3.0), ell=numbers(6, low=-3, high=3), over={"u": 6},
    soft=Derived(lambda v: special.softmax(v["ell"])), p=table("soft"),
)  # fmt: skip
def cooled(tau, ell):
    return torch.softmax(tensor(ell) / tau, 0)[1].item()


@as_printed("gpt.cut", part=1, S=2, P=shares(5), p=Derived(lambda v: lambda n: v["P"][:n].sum()))
def divergence_of_what_was_kept(S, P):
    kept = P[:S] / P[:S].sum()
    return special.rel_entr(kept, P[:S]).sum()


NETWORK = {"L": range(1, 5), "heads": range(1, 4), "t": range(1, 30), "w": Derived(lambda v: 8 * v["heads"])}
NETWORK |= {"W": Derived(lambda v: 12 * v["L"] * v["w"] ** 2 + 11 * v["w"])}


def config(L, heads, w, context=32):
    return gpt.Config(11, context, L, heads, w)


@as_printed("gpt.flops", **NETWORK)
def operations_of_a_token(L, heads, w, t):
    return gpt.forward_flops(config(L, heads, w), t)


COST = {
    "n": range(2, 30),
    "c": Derived(lambda v: lambda t: gpt.forward_flops(config(v["L"], v["heads"], v["w"]), int(t))),
}


@as_printed("gpt.cache", recomputed=1, **NETWORK, **COST)
def operations_without_a_cache(L, heads, w, n):
    return sum(t * gpt.forward_flops(config(L, heads, w), t) for t in range(1, n + 1))


@as_printed("gpt.cache", part=1, kept=1, **NETWORK, **COST)
def operations_with_a_cache(L, heads, w, n):
    return sum(gpt.forward_flops(config(L, heads, w), t) for t in range(1, n + 1))


@as_printed("gpt.cache", part=2, cache=1, numbers=1, **NETWORK, **COST)
def numbers_of_a_cache(L, heads, w, n):
    shape = config(L, heads, w, context=n)
    gpt.GPT(shape)(torch.zeros(1, 1, dtype=torch.long), held := gpt.Cache(shape))
    return sum(part.numel() for layer in held.layers for part in (layer.keys, layer.values))


@as_printed("gpt.training-flops", D=(1e3, 1e9), c=gpt.forward_flops(config(2, 2, 16)),
            N=gpt.forward_flops(config(2, 2, 16)) / 2)  # fmt: skip
def operations_of_training(D):
    return D * gpt.training_flops(config(2, 2, 16))


@as_printed(
    "gpt.power-law", E=(0.0, 2.0), N=(1e4, 1e7), N_0=(1e2, 1e4), D=(1e5, 1e8), D_0=(1e3, 1e5), alpha=(0.1, 0.9),
    beta=(0.1, 0.9),
)  # fmt: skip
def loss_by_size_and_text(E, N, N_0, D, D_0, alpha, beta):
    return E + np.exp(alpha * np.log(N_0 / N)) + np.exp(beta * np.log(D_0 / D))


@as_printed("gpu.memory", n=range(1, 50), N=Derived(lambda v: v["n"] * 7 + 7), m=2, A=(0.0, 1e6))
def bytes_of_a_step(n, A):
    layer = torch.nn.Linear(n, 7)
    return memory.fits(layer, [torch.optim.Adam(layer.parameters())], A, room=0).total


# --- pixels and sound -------------------------------------------------------------------------------------------------


@as_printed("wave.mu-law", x=(-1.0, 1.0), sign=1)
def level_of_a_sample(x):
    return wavenet.mu_law(tensor(x)).item()


@as_printed("wave.receptive-field", L=4, d=lambda random: random.integers(1, 9, 4))
def samples_that_are_seen(d):
    return wavenet.WaveNet(4, 4, d.tolist(), head=4).receptive_field


@as_printed(
    "tts.step", t=2, j=range(2, 5), before=shares(5), move=numbers(5, low=0, high=1),
    alpha=Derived(lambda v: lambda t: lambda j: v["before"][int(j) - 1]),
    m=Derived(lambda v: lambda t: lambda j: v["move"][int(j) - 1]),
)  # fmt: skip
def attention_after_a_step(j, before, move):
    stay_or_step = np.diag(1 - move) + np.diag(move[:-1], 1)
    return (before @ stay_or_step)[j - 1]


# --- VAEs -------------------------------------------------------------------------------------------------------------


@as_printed("vae.kl", mu=numbers(4, low=-2, high=2), sigma=numbers(4, low=0.1, high=2), over={"j": 4})
def price_of_a_code(mu, sigma):
    return kl_divergence(Normal(tensor(mu), tensor(sigma)), Normal(0.0, 1.0)).sum().item()


@as_printed("vae.mean-field", Lambda=covariance, over={"j": 3})
def what_no_diagonal_reaches(Lambda):
    posterior = MultivariateNormal(torch.zeros(3).double(), precision_matrix=tensor(Lambda))
    best = MultivariateNormal(torch.zeros(3).double(), torch.diag(1 / tensor(Lambda).diagonal()))
    return kl_divergence(best, posterior).item()


@as_printed("vae.ppca", part=2, W=numbers(4, 2), sigma=(0.3, 2.0), I=np.eye(2))
def precision_of_the_posterior(W, sigma):
    return np.linalg.inv(LinearGaussian(tensor(W), sigma).posterior(torch.zeros(1, 4))[1].numpy())


def whiteness(z, x):
    """The grey that loses least, averaged over who was coded near z: found by a search."""
    weights = stats.norm.pdf(z, x, 0.5)
    loss = minimize_scalar(
        lambda a: weights @ (x * np.logaddexp(0, -a) + (1 - x) * np.logaddexp(0, a)), tol=1e-14
    )  # fmt: skip
    return special.expit(loss.x)


@as_printed(
    "vae.blur", z=(-0.5, 1.5), x=numbers(7, low=0, high=1), over={"n": 7},
    q=Fixed(lambda z, x: stats.norm.pdf(z, x, 0.5)), E=Fixed(lambda x, z: whiteness(z, x)),
)  # fmt: skip
def best_grey(z, x):
    return whiteness(z, x)


@as_printed(
    "vae.free-bits", x=0.0, z=0.0, lambda_=(0.1, 1.0), KL=numbers(4, 9, low=0, high=2), E_q=Fixed(np.mean),
    E_x=Fixed(np.mean), like=numbers(9, low=0.01, high=1), p=Derived(lambda v: lambda x, z: v["like"]), over={"j": 4},
)  # fmt: skip
def bound_with_free_bits(lambda_, KL, like):
    return np.log(like).mean() - np.clip(KL.mean(1), lambda_, None).sum()


# --- vector quantization ----------------------------------------------------------------------------------------------

ENTRIES = {"e": lambda random: np.sort(random.uniform(-3, 3, 4)), "theta": (-2.0, 2.0), "t": (-1.0, 1.0)}


def chances(e, theta):
    """Of each entry to be the nearest to theta plus standard normal noise."""
    borders = np.r_[-np.inf, (e[1:] + e[:-1]) / 2, np.inf]
    return np.diff(stats.norm.cdf(borders - theta))


@as_printed(
    "vq.exact-gradient", over={"k": 4}, **ENTRIES,
    P_prime=Derived(lambda v: lambda k: lambda theta: slope(lambda at: chances(v["e"], at)[int(k) - 1], theta)),
)  # fmt: skip
def slope_of_the_expected_loss(e, theta, t):
    return slope(lambda at: chances(e, at) @ (e - t) ** 2, theta)


@as_printed(
    "vq.exact-gradient", part=2, over={"k": 4}, **ENTRIES,
    P=Derived(lambda v: lambda k: lambda at: chances(v["e"], at)[int(k) - 1]),
)  # fmt: skip
def mean_gradient_straight_through(e, theta, t):
    return slope(lambda shift: chances(e, theta) @ (e + shift - t) ** 2, 0.0)


CODES = {"codes": lambda random: np.r_[np.arange(6), random.integers(0, 6, 40)]}


@as_printed("vq.perplexity", where=(1,), over={"j": 6}, **CODES, p=Derived(lambda v: np.bincount(v["codes"]) / 46))
def codes_in_use(codes):
    return vqvae.code_perplexity(torch.tensor(codes), 6)


@as_printed("cost.tokens", H=28, W=56, p=lambda random: random.choice([1, 2, 4, 7]), s=(0.001, 0.1), r=(1e-4, 1e-2))
def price_of_pictures_by_patches(p, s, r):
    patches = F.unfold(torch.zeros(1, 1, 28, 56), int(p), stride=int(p)).shape[-1]
    return 1_000 * patches * s * r


# --- diffusion --------------------------------------------------------------------------------------------------------


@as_printed(
    "diffusion.ddim", x_t=numbers(4), D=Fixed(np.tanh),
    alpha_t=(0.1, 0.9), sigma_t=(0.1, 0.9), alpha_s=(0.1, 0.9), sigma_s=(0.1, 0.9),
)  # fmt: skip
def ddim(x_t, alpha_t, sigma_t, alpha_s, sigma_s):
    return diffusion.ddim(tensor(x_t), tensor(np.tanh(x_t)), alpha_t, sigma_t, alpha_s, sigma_s)


@as_printed(
    "diffusion.precondition", where=(1, 2, 3), x_t=numbers(4), F=Fixed(np.tanh), sigma=(0.1, 9.0), sigma_d=(0.2, 2.0)
)
def preconditioned(x_t, sigma, sigma_d):
    scales = diffusion.precondition(sigma, sigma_d)
    return scales.skip * x_t + scales.out * np.tanh(scales.scale * x_t)


@as_printed("flow.score", x_t=numbers(4), t=(0.1, 0.9), v_star=Fixed(np.tanh))
def score_of_velocity(x_t, t):
    return flow.score_of_velocity(tensor(np.tanh(x_t)), tensor(x_t), t)
