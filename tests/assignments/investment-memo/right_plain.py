"""Right, in other words: plain loops, and intervals found by halving."""

import math
import statistics

from scipy.special import stdtrit

my_guess = "holds"
my_forecast = {"chance": 0.8, "by": "2026-12-31", "says": "no try will cost more than two dollars"}


def halved(wrong_side, low, high):
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if wrong_side(middle) else (low, middle)
    return low


def mean_range(values):
    if len(values) < 2:
        raise ValueError(values)
    half = stdtrit(len(values) - 1, 0.975) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean - half, mean, mean + half


def share_range(k, n):
    share = k / n

    def outside(p):
        return (p - share) ** 2 > 1.96**2 * p * (1 - p) / n

    low = 0.0 if k == 0 else halved(outside, 0.0, share)
    high = 1.0 if k == n else halved(lambda p: not outside(p), share, 1.0)
    return [low, share, high]


def usd_per_million(tokens_per_second, machine_usd_per_hour, utilisation):
    seconds = 1_000_000 / tokens_per_second
    return seconds / 3600 * machine_usd_per_hour / utilisation


def price_over_cost(price, speeds, rent, busy, tokens, check_usd, accepted, tries):
    found = []
    for reading in range(3):
        speed, share = mean_range(speeds)[reading], share_range(accepted, tries)[reading]
        one_try = usd_per_million(speed, rent, busy) * tokens / 1_000_000 + check_usd
        tries_needed = 1 / share
        found.append(price / (one_try * tries_needed))
    return tuple(found)


def stands(low, today, high):
    if [low, today, high] != sorted([low, today, high]):
        raise ValueError("not in order")
    if low >= 1:
        return "holds"
    if high >= 1:
        return "open"
    return "fails"


def all_stand(found):
    if len(found) == 0:
        raise ValueError("none")
    if found.count("holds") == len(found):
        return "holds"
    return "fails" if "fails" in found else "open"


def sales(pays, growth, keeps, years):
    found = []
    for _ in range(years):
        growth = growth * keeps
        found.append(pays if growth < 1e-10 else pays * growth / math.log(1 + growth))
        pays += pays * growth
    return found


def paid_share(pays, growth, keeps, years, rate, must):
    comes = owed = 0.0
    for sold in reversed(sales(pays, growth, keeps, years)):
        comes, owed = (comes + sold) / (1 + rate), (owed + must) / (1 + rate)
    return comes / owed


def growth_needed(pays, keeps, years, rate, must):
    return halved(lambda growth: paid_share(pays, growth, keeps, years, rate, must) < 1, 0.0, 1_000.0)


def known(chances):
    least = 1.0
    for chance in chances:
        least -= 1 - chance
    return (least if least > 0 else 0.0), min(chances)


def tied(chances, tie):
    product = 1.0
    for chance in chances:
        product *= chance
    return tie * min(chances) + (1 - tie) * product


def pool(logs, errors):
    logs, errors = list(logs), list(errors)
    k, v = len(logs), [1 / error**2 for error in errors]
    common = sum(a * y for a, y in zip(v, logs, strict=True)) / sum(v)
    q = sum(a * (y - common) ** 2 for a, y in zip(v, logs, strict=True))
    tau2 = max(0.0, (q - (k - 1)) / (sum(v) - sum(a * a for a in v) / sum(v)))
    w = [1 / (error**2 + tau2) for error in errors]
    mean = sum(a * y for a, y in zip(w, logs, strict=True)) / sum(w)
    scatter = sum(a * (y - mean) ** 2 for a, y in zip(w, logs, strict=True))
    return mean, sum(w) ** -0.5, math.sqrt(tau2), max(0.0, (q - k + 1) / q), math.sqrt(scatter / (k - 1) / sum(w))


my_readings = list(price_over_cost(OWN["price"], OWN["speeds"], OWN["rent"], OWN["busy"], OWN["tokens"],
                                   OWN["check_usd"], OWN["accepted"], OWN["tries"]))  # fmt: skip
my_paid = []
for times in (0.5, 1.0, 1.5):
    my_paid.append(paid_share(OWN["pays"], times * OWN["growth"], OWN["keeps"], OWN["years"], OWN["rate"], OWN["must"]))
my_growth = growth_needed(OWN["pays"], OWN["keeps"], OWN["years"], OWN["rate"], OWN["must"])
my_verdict = all_stand([stands(*my_readings), stands(*my_paid)])
