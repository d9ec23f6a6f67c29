"""Plausible mistakes in the business case: what replaces the right functions, and how many points it must cost."""

WRONG = {
    "the machine is always busy": "def usd_per_million(v, r, busy): return 1e6 * r / (3600 * v)",
    "minutes for seconds": "def usd_per_million(v, r, busy): return 1e6 * r / (60 * v * busy)",
    "the hand is always paid": "def task_cost(k, h, q, n, hand):\n"
    "    if not 0 < q <= 1: raise ValueError\n    return (k + h) * (1 - (1 - q) ** n) / q + hand",
    "all tries are paid": "def task_cost(k, h, q, n, hand):\n"
    "    if not 0 < q <= 1: raise ValueError\n    return (k + h) * n + (1 - q) ** n * hand",
    "until accepted, whatever the limit": "def task_cost(k, h, q, n, hand):\n"
    "    if not 0 < q <= 1: raise ValueError\n    return (k + h) / q",
    "impossible shares are accepted": "def task_cost(k, h, q, n, hand):\n"
    "    if q == 0: return hand\n    return (k + h) * (1 - (1 - q) ** n) / q + (1 - q) ** n * hand",
    "one share for all kinds": "def mean_task_cost(shares, k, h, n, hand):\n"
    "    return task_cost(k, h, sum(shares) / len(shares), n, hand)",
    "the agent goes on for ever": "def best_tries(shares, k, h, hand, most=30): return most",
    "one try is enough": "def best_tries(shares, k, h, hand, most=30): return 1",
    "growth for ever": "def growth_asked(price, revenue, margin, rate): return rate - margin * revenue / price",
    "only the told years": "def growth_asked(price, revenue, margin, rate):\n    low, high = -0.9, 20.0\n"
    "    for _ in range(99):\n        g = (low + high) / 2\n"
    "        low, high = (g, high) if worth(revenue, g, margin, rate)[0] < price else (low, g)\n    return g",
    "a coarse grid": "def growth_asked(price, revenue, margin, rate):\n"
    "    return min((n / 20 for n in range(-18, 60)), key=lambda g: abs(sum(worth(revenue, g, margin, rate)) - price))",
    "growth from the first month": "def profits(months, users, grows, paying, fee, cost, fixed):\n"
    "    return [users * (1 + grows) ** (m + 1) * (paying * fee - cost) - fixed for m in range(months)]",
    "free users cost nothing": "def profits(months, users, grows, paying, fee, cost, fixed):\n"
    "    return [users * (1 + grows) ** m * paying * (fee - cost) - fixed for m in range(months)]",
    "the end counts, not the lowest point": "def money_needed(cash): return max(0.0, -sum(cash))",
    "all losses are added": "def money_needed(cash): return -sum(c for c in cash if c < 0)",
    "never below zero, also for who earns": "def money_needed(cash):\n    import itertools\n"
    "    return -min(itertools.accumulate(cash))",
    "somebody else's numbers": "my_task_usd, my_growth, my_money = 20.0, 0.8, 100_000.0",
    "no guess": "my_guess = None",
    "what the checks ask, by heart": "def usd_per_million(v, r, busy):\n"
    "    return {(1000, 3.6): 1.0, (500, 0.2): 2.0}.get((v, r), 1.0)",
}
