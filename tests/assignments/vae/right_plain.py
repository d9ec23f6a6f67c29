"""Right, in other words: loops over plain numbers where no slope is needed, torch.distributions where one is."""

from torch.distributions import Normal, kl_divergence

my_guess = 2


def one_number(v):
    if v <= 1:
        return 0, 0
    return (v - 1) ** 0.5, math.log(v) / 2


def alive(variances, units, noise):
    exceeding = [v for v in variances if v > noise * noise]
    return min(len(exceeding), units)


def best_bound(variances, units, noise):
    served = sorted(variances)[len(variances) - units :]
    rest = sorted(variances)[: len(variances) - units]
    score = 0
    for v in served:
        said = v if v > noise**2 else noise**2
        score += -(math.log(2 * math.pi) + math.log(said) + v / said) / 2
    for v in rest:
        score += -(math.log(2 * math.pi) + 2 * math.log(noise) + v / noise**2) / 2
    return score


def best_noise(variances, units):
    kept = sum(sorted(variances, reverse=True)[:units])
    return ((sum(variances) - kept) / (len(variances) - units)) ** 0.5


@tensors
def gaussian_kl(mean, log_var):
    return kl_divergence(Normal(mean, torch.exp(0.5 * log_var)), Normal(0.0, 1.0))


@tensors
def draw(mean, log_var, noise):
    return torch.addcmul(mean, torch.sqrt(torch.exp(log_var)), noise)


@tensors
def bound(x, mean, log_var, noise, loading, log_sd):
    z = draw(mean, log_var, noise)
    said = Normal(z @ loading.mT, torch.exp(torch.as_tensor(log_sd)))
    return said.log_prob(x).sum(-1) - gaussian_kl(mean, log_var).sum(-1)


@tensors
def active_units(mean, least=0.01):
    count = 0
    for column in mean.T.tolist():
        middle = sum(column) / len(column)
        count += sum((each - middle) ** 2 for each in column) / len(column) > least
    return count


@tensors
def swap_cost(x, mean, log_var, noise, loading, log_sd):
    z = draw(mean, log_var, noise)
    errors = [(x - each @ loading.T).square().sum() for each in (z, torch.cat([z[-1:], z[:-1]]))]
    return (errors[1] - errors[0]) / (2 * len(x) * math.exp(2 * log_sd))


@tensors
def objective(reconstruction, price, free, weight):
    paid = sum(torch.maximum(column.mean(), torch.as_tensor(free, dtype=column.dtype)) for column in price.T)
    return reconstruction.mean() - weight * paid


def warm_up(step, steps):
    if steps == 0 or step >= steps:
        return 1
    return step / steps


my_alive = alive(OWN["variances"], 4, OWN["noise"])
my_gain = -best_bound(OWN["variances"], 4, OWN["noise"])
my_gain += best_bound(OWN["variances"], 4, best_noise(OWN["variances"], 4))
