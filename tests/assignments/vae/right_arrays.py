"""Right, in other words: searches in place of closed forms, arrays, and densities written as exponents."""

from scipy.optimize import minimize_scalar

my_guess = 1.0


def one_number(v):
    # the slope in c = b^2 is 1 / (c + 1) - v / (c + 1)^2
    c = np.maximum(v - 1, 0)
    var = 1 / (1 + c)
    return np.sqrt(c), 0.5 * (c * v * var**2 + var - 1 - np.log(var))


def alive(variances, units, noise):
    return np.count_nonzero(np.sort(variances)[::-1][:units] > noise**2)


def best_bound(variances, units, noise):
    v = np.sort(variances)[::-1]
    s = np.full(len(v), noise**2)
    s[:units] = np.maximum(v, noise**2)[:units]
    return (-0.5 * (np.log(2 * np.pi * s) + v / s)).sum()


def best_noise(variances, units):
    found = minimize_scalar(lambda log: -best_bound(variances, units, np.exp(log)), bounds=(-6, 3), method="bounded",
                            options={"xatol": 1e-10})  # fmt: skip
    return np.exp(found.x)


@tensors
def gaussian_kl(mean, log_var):
    return (torch.expm1(log_var) - log_var + mean**2) / 2


@tensors
def draw(mean, log_var, noise):
    return noise * torch.exp(log_var) ** 0.5 + mean


@tensors
def bound(x, mean, log_var, noise, loading, log_sd):
    z = draw(mean, log_var, noise)
    sd = np.exp(log_sd) if isinstance(log_sd, float) else log_sd.exp()
    said = torch.einsum("nk,dk->nd", z, loading)
    log_px = -((x - said) ** 2 / (2 * sd**2)).sum(1) - x.shape[1] * np.log(np.sqrt(2 * np.pi)) - x.shape[1] * log_sd
    return log_px - (torch.expm1(log_var) - log_var + mean**2).sum(1) / 2


@tensors
def active_units(mean, least=0.01):
    return np.sum(np.var(mean.detach().numpy(), axis=0) > least)


@tensors
def swap_cost(x, mean, log_var, noise, loading, log_sd):
    before = torch.arange(len(x)) - 1
    swapped = bound(x, mean[before], log_var[before], noise[before], loading, log_sd)
    return bound(x, mean, log_var, noise, loading, log_sd).mean() - swapped.mean()


@tensors
def objective(reconstruction, price, free, weight):
    each = price.mean(dim=0)
    return reconstruction.sum() / len(reconstruction) - weight * (free + torch.relu(each - free)).sum()


def warm_up(step, steps):
    return np.clip(step / max(steps, 1e-9), 0, 1) if steps else 1.0


my_alive = alive(OWN["variances"], 4, OWN["noise"])
my_gain = best_bound(OWN["variances"], 4, best_noise(OWN["variances"], 4)) - best_bound(
    OWN["variances"], 4, OWN["noise"]
)
