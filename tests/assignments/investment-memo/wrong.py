"""Plausible mistakes in the investment memo: what replaces the right functions, and which test must notice."""

MEAN = "def mean_range(values):\n    from scipy import stats\n    import numpy as np\n" \
       "    n, mean = len(values), np.mean(values)\n" \
       "    if n < 2:\n        raise ValueError\n    half = "  # fmt: skip
END = "\n    return [mean - half, mean, mean + half]"
OVER = """def price_over_cost(price, speeds, rent, busy, tokens, check_usd, accepted, tries):
    found = []
    for speed, share in zip(SPEEDS, SHARES):
        found.append(price * share / (tokens / 1e6 * usd_per_million(speed, rent, busy) + check_usd))
    return found
"""
SALES = """def sales(pays, growth, keeps, years):
    found, pace = [], pays
    for year in range(FIRST, years + FIRST):
        g = growth * keeps**year
        found.append(INSTEAD)
        pace *= 1 + g
    return found
"""
PAID = """def paid_share(pays, growth, keeps, years, rate, must):
    found = sales(pays, growth, keeps, years)
    return """
NEEDED = """def growth_needed(pays, keeps, years, rate, must):
    return min((n / 50 for n in range(2_000)), key=lambda g: abs(paid_share(pays, g, keeps, years, rate, must) - 1))
"""


def over(speeds: str = "mean_range(speeds)", shares: str = "share_range(accepted, tries)") -> str:
    """Price over cost, from other ranges."""
    return OVER.replace("SPEEDS", speeds).replace("SHARES", shares)


def sales(instead: str, first: int = 1) -> str:
    """Sales of a year, told otherwise."""
    return SALES.replace("INSTEAD", instead).replace("FIRST", str(first))


WRONG = {
    "a bell curve for few measurements": (MEAN + "1.96 * np.std(values, ddof=1) / n**0.5" + END, "range of a mean"),
    "the range of one measurement": (MEAN + "stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1)" + END,
     "range of a mean"),
    "n under the root": (MEAN + "stats.t.ppf(0.975, n - 1) * np.std(values) / n**0.5" + END, "range of a mean"),
    "least and greatest": ("def mean_range(v):\n    if len(v) < 2: raise ValueError\n"
                           "    return min(v), sum(v) / len(v), max(v)", "range of a mean"),
    "Wald for Wilson": ("def share_range(k, n):\n    p = k / n\n    half = 1.96 * (p * (1 - p) / n) ** 0.5\n"
                        "    return p - half, p, p + half", "range of a share"),
    "the middle for the share": ("def share_range(k, n):\n    z2 = 1.96**2\n    m = (k + z2 / 2) / (n + z2)\n"
                                 "    half = (z2 * (k * (n - k) / n + z2 / 4)) ** 0.5 / (n + z2)\n"
                                 "    return m - half, m, m + half", "range of a share"),
    "the machine is always busy": ("def usd_per_million(v, rent, busy): return 1e6 * rent / 3600 / v", "a token costs"),
    "only the speed has a range": (over(shares="[accepted / tries] * 3"), "price over cost"),
    "the best with the worst": (over(shares="share_range(accepted, tries)[::-1]"), "price over cost"),
    "each task is tried once": (over().replace("price * share", "price"), "price over cost"),
    "the check is free": (over().replace(" + check_usd", ""), "price over cost"),
    "the middle decides": ("def stands(low, today, high):\n    if not low <= today <= high: raise ValueError\n"
                           "    return 'holds' if today >= 1 else 'fails'", "where a condition"),
    "more than enough": ("def stands(low, today, high):\n    if not low <= today <= high: raise ValueError\n"
                                      "    return 'holds' if low > 1 else 'fails' if high < 1 else 'open'",
     "where a condition"),
    "readings in any order": ("def stands(a, b, c):\n    low, _, high = sorted([a, b, c])\n"
                              "    return 'holds' if low >= 1 else 'fails' if high < 1 else 'open'",
     "where a condition"),
    "the majority decides": ("def all_stand(found):\n    if not found: raise ValueError\n"
                             "    return max(found, key=found.count)", "where all"),
    "open before fails": ("def all_stand(found):\n    if not found: raise ValueError\n"
                          "    return next((w for w in ('open', 'fails') if w in found), 'holds')", "where all"),
    "nothing holds": ("def all_stand(found):\n"
                      "    return next((w for w in ('fails', 'open') if w in found), 'holds')", "where all"),
    "the year's first day": (sales("pace"), "sales"),
    "the year's last day": (sales("pace * (1 + g)"), "sales"),
    "this year grows like the last": (sales("pace * (g / math.log1p(g) if g > 1e-12 else 1.0)", 0), "sales"),
    "no growth is an error": (sales("pace * g / math.log1p(g)"), "sales"),
    "money costs nothing": (PAID + "sum(found) / (years * must)", "what is paid"),
    "only one side is discounted": (PAID + "sum(s / (1 + rate) ** y for y, s in enumerate(found, 1)) / (must * years)",
                                         "what is paid"),
    "today is discounted, too little": (PAID + "sum(s / (1 + rate) ** y for y, s in enumerate(found)) / "
                                        "sum(must / (1 + rate) ** y for y in range(1, years + 1))", "what is paid"),
    "a coarse grid": (NEEDED, "the growth that pays"),
    "chances are multiplied": ("def known(chances): return math.prod(chances), min(chances)", "what is known"),
    "less than nothing": ("def known(chances): return sum(chances) - len(chances) + 1, min(chances)", "what is known"),
    "the tie the other way": ("def tied(chances, tie): return tie * math.prod(chances) + (1 - tie) * min(chances)",
                                       "chances that are tied"),
    "somebody else's numbers": ("my_readings, my_paid, my_growth, my_verdict = [0.9, 1.2, 1.4], [1, 2, 3], 0.7, 'open'",
                                "the numbers"),
    "next spring": ("my_forecast = {'says': 'users will pay more than today', 'by': 'next spring', 'chance': 0.6}",
                    "a forecast"),
    "certainly": ("my_forecast = {'says': 'users will pay more than today', 'by': '2027-03-01', 'chance': 1.0}",
                  "a forecast"),
    "maybe": ("my_guess = 'maybe'", "a guess"),
}  # fmt: skip
