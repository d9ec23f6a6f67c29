"""Right, in other words: arrays, library functions, the quadratic formula, a root finder."""

import numpy as np
from scipy import stats
from scipy.optimize import brentq

my_guess = "fails"
my_forecast = {"says": "the price of a task stays above five dollars", "by": "2027-06-30", "chance": 0.35}


def mean_range(values):
    x = np.array(values, float)
    if x.size <= 1:
        raise ValueError("measure again")
    low, high = stats.t.interval(0.95, x.size - 1, loc=x.mean(), scale=stats.sem(x))
    return np.array([low, x.mean(), high])


def share_range(k, n):
    p, z = k / n, 1.96
    a, b, c = 1 + z * z / n, -(2 * p + z * z / n), p * p
    root = np.sqrt(b * b - 4 * a * c)
    return [(-b - root) / (2 * a), p, (-b + root) / (2 * a)]


def usd_per_million(tokens_per_second, machine_usd_per_hour, utilisation):
    return machine_usd_per_hour / (tokens_per_second * utilisation * 3600 / 1e6)


def price_over_cost(price, speeds, rent, busy, tokens, check_usd, accepted, tries):
    speed, share = np.array(mean_range(speeds)), np.array(share_range(accepted, tries))
    cost = (tokens * rent / (3600 * busy * speed) + check_usd) / share
    return price / cost


def stands(low, today, high):
    if today < low or high < today:
        raise ValueError("in order, please")
    if high < 1:
        return "fails"
    return "open" if low < 1 else "holds"


def all_stand(found):
    return max(found, key=["holds", "open", "fails"].index)  # of nothing it raises ValueError


def sales(pays, growth, keeps, years):
    g = growth * keeps ** np.arange(1, years + 1, dtype=float)
    before = np.concatenate([[1.0], np.cumprod(1 + g)[:-1]])
    means = [each / np.log1p(each) if each > 1e-9 else 1 + each / 2 for each in g]
    return pays * before * means


def paid_share(pays, growth, keeps, years, rate, must):
    return np.average(sales(pays, growth, keeps, years), weights=(1 + rate) ** -np.arange(1.0, years + 1)) / must


def growth_needed(pays, keeps, years, rate, must):
    def missing(growth):
        return paid_share(pays, growth, keeps, years, rate, must) - 1

    return 0.0 if missing(0.0) >= 0 else brentq(missing, 0, 1_000, xtol=1e-13)


def known(chances):
    fails = sum(1 - each for each in chances)
    return [max(1 - fails, 0), sorted(chances)[0]]


def tied(chances, tie):
    return np.prod(chances) + tie * (np.min(chances) - np.prod(chances))


def pool(logs, errors):
    k, variance = logs.size, np.square(errors)
    common = np.average(logs, weights=1 / variance)
    q = np.sum((logs - common) ** 2 / variance)
    tau2 = max((q - (k - 1)) / (np.sum(1 / variance) - np.sum(variance**-2) / np.sum(1 / variance)), 0)
    mean, total = np.average(logs, weights=1 / (variance + tau2)), np.sum(1 / (variance + tau2))
    scatter = np.sum((logs - mean) ** 2 / (variance + tau2)) / (k - 1)
    return [mean, np.sqrt(1 / total), np.sqrt(tau2), max(1 - (k - 1) / q, 0), np.sqrt(scatter / total)]


my_readings = price_over_cost(
    *[OWN[n] for n in ("price", "speeds", "rent", "busy", "tokens", "check_usd", "accepted", "tries")]
)
rest = OWN["keeps"], OWN["years"], OWN["rate"], OWN["must"]
my_paid = [paid_share(OWN["pays"], OWN["growth"] * times, *rest) for times in (0.5, 1, 1.5)]
my_growth = growth_needed(OWN["pays"], *rest)
my_verdict = all_stand([stands(*my_readings), stands(*my_paid)])
