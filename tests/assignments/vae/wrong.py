"""Plausible mistakes about the bound: what replaces the right functions."""

BOUND = "@tensors\ndef bound(x, mean, log_var, noise, loading, log_sd):\n    log_sd = torch.as_tensor(log_sd)\n"
NORMAL = "torch.distributions.Normal"
WRONG = {
    "a code for whatever varies": "def one_number(v): return math.sqrt(v), 0.5 * math.log(1 + v)",
    "b is the variance": "def one_number(v):\n    b = max(v - 1, 0.0)\n    return b, 0.5 * math.log(1 + b)",
    "the price of one row for that of all": "def one_number(v):\n    b = math.sqrt(max(v - 1, 0.0))\n"
    "    var = 1 / (1 + b * b)\n    return b, 0.5 * (var - 1 - math.log(var))",
    "standard deviation for variance": "def alive(vs, units, noise):\n"
    "    return sum(v > noise for v in sorted(vs)[-units:])",
    "all units live": "def alive(vs, units, noise): return units",
    "more live than there are": "def alive(vs, units, noise): return sum(v > noise**2 for v in vs)",
    "the first for the widest": "def best_bound(vs, units, noise):\n"
    "    s = [max(v, noise**2) if j < units else noise**2 for j, v in enumerate(vs)]\n"
    "    return -0.5 * sum(math.log(2 * math.pi * t) + v / t for v, t in zip(vs, s))",
    "the mean over all directions": "def best_noise(vs, units): return math.sqrt(sum(vs) / len(vs))",
    "the mean of deviations": "def best_noise(vs, units):\n    rest = sorted(vs)[:-units]\n"
    "    return sum(math.sqrt(v) for v in rest) / len(rest)",
    "half of the price is lost": "@tensors\ndef gaussian_kl(m, v): return m.square() + v.exp() - 1 - v",
    "the entropy is forgotten": "@tensors\ndef gaussian_kl(m, v): return 0.5 * (m.square() + v.exp() - 1)",
    "the other direction": "@tensors\ndef gaussian_kl(m, v):\n"
    "    return torch.distributions.kl_divergence(torch.distributions.Normal(0.0, 1.0),\n"
    "        torch.distributions.Normal(m, (v / 2).exp()))",
    "summed where entries are asked": "@tensors\ndef gaussian_kl(m, v):\n"
    "    return 0.5 * (m.square() + v.exp() - 1 - v).sum(-1, keepdim=True).expand_as(m)",
    "drawn with the variance": "@tensors\ndef draw(mean, log_var, noise): return mean + log_var.exp() * noise",
    "no draw": "@tensors\ndef draw(mean, log_var, noise): return mean",
    "the spread with no mean": "@tensors\ndef draw(mean, log_var, noise): return standard_deviation(log_var) * noise",
    "moves in any row": "@tensors\ndef active_units(mean, least=0.01): return int((mean.abs().mean(0) > least).sum())",
    "standard deviation above the line": "@tensors\ndef active_units(mean, least=0.01):\n"
    "    return int((mean.std(0) > least).sum())",
    "the line is built in": "@tensors\ndef active_units(mean, least=0.01): return int((mean.var(0) > 0.01).sum())",
    "only the means are handed on": "@tensors\ndef swap_cost(x, m, v, n, loading, log_sd):\n"
    "    return float((bound(x, m, v, n, loading, log_sd) - bound(x, m.roll(1, 0), v, n, loading, log_sd)).mean())",
    "the gain for the loss": "@tensors\ndef swap_cost(x, m, v, n, loading, log_sd):\n"
    "    r = [t.roll(1, 0) for t in (m, v, n)]\n"
    "    return float((bound(x, *r, loading, log_sd) - bound(x, m, v, n, loading, log_sd)).mean())",
    "units change places, not rows": "@tensors\ndef swap_cost(x, m, v, n, loading, log_sd):\n"
    "    r = [t.roll(1, 1) for t in (m, v, n)]\n"
    "    return float((bound(x, m, v, n, loading, log_sd) - bound(x, *r, loading, log_sd)).mean())",
    "free for each row, not on average": "@tensors\ndef objective(rec, price, free, weight):\n"
    "    return rec.mean() - weight * price.clamp(min=free).mean(0).sum()",
    "free for the whole code": "@tensors\ndef objective(rec, price, free, weight):\n"
    "    return rec.mean() - weight * price.sum(1).mean().clamp(min=free)",
    "free as a discount": "@tensors\ndef objective(rec, price, free, weight):\n"
    "    return rec.mean() - weight * (price.mean(0) - free).clamp(min=0).sum()",
    "the mean over units": "@tensors\ndef objective(rec, price, free, weight):\n"
    "    return rec.mean() - weight * price.mean(0).clamp(min=free).mean()",
    "the warm-up goes on": "def warm_up(step, steps): return step / steps if steps else 1.0",
    "never warm": "def warm_up(step, steps): return 1.0",
    "a bound that is the reconstruction": BOUND + "    z = mean + (log_var / 2).exp() * noise\n"
    "    return " + NORMAL + "(z @ loading.T, log_sd.exp()).log_prob(x).sum(1)",
    "a bound without a draw": BOUND + "    price = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)\n"
    "    return " + NORMAL + "(mean @ loading.T, log_sd.exp()).log_prob(x).sum(1) - price",
    "somebody else's numbers": "my_alive, my_gain = 9, 0.5",
    "no guess": "my_guess = ''",
}
