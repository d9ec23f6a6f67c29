"""Right, in other words: recursion instead of closed forms, and numpy."""

import numpy as np

my_guess = 1


def usd_per_million(tokens_per_second, machine_usd_per_hour, utilisation):
    usd_a_second = machine_usd_per_hour / 60 / 60
    return 1e6 * usd_a_second / (utilisation * tokens_per_second)


def task_cost(try_usd, check_usd, accepted, tries, by_hand_usd):
    if accepted <= 0 or accepted > 1:
        raise ValueError("impossible")
    if tries == 0:
        return by_hand_usd
    return try_usd + check_usd + (1 - accepted) * task_cost(try_usd, check_usd, accepted, tries - 1, by_hand_usd)


def mean_task_cost(shares, try_usd, check_usd, tries, by_hand_usd):
    return np.mean([task_cost(try_usd, check_usd, q, tries, by_hand_usd) for q in shares])


def best_tries(shares, try_usd, check_usd, by_hand_usd, most=30):
    costs = [mean_task_cost(shares, try_usd, check_usd, n + 1, by_hand_usd) for n in range(most)]
    return np.argmin(np.round(costs, 9)) + 1


def worth(revenue, growth, margin, rate, today=None, fade=0.25, long_run=0.03, years=10):
    excess = (growth - long_run) * (1 - fade) ** np.arange(years)
    sales = revenue * np.cumprod(1 + long_run + excess)
    first = margin if today is None else today
    keeps = first + (margin - first) * np.minimum(np.arange(1, years + 1) / 5, 1)
    worth_now = keeps * sales / (1 + rate) ** np.arange(1, years + 1)
    return worth_now.sum(), worth_now[-1] * (1 + long_run) / (rate - long_run)


def growth_asked(price, revenue, margin, rate):
    from scipy.optimize import brentq

    return brentq(lambda growth: sum(worth(revenue, growth, margin, rate)) - price, -0.9, 20)


def profits(months, users, grows, paying, fee, user_cost, fixed):
    crowd = users * (1 + grows) ** np.arange(months)
    return crowd * paying * fee - crowd * user_cost - fixed


def money_needed(cash):
    return max(0.0, -np.cumsum(cash).min())


my_task_usd = mean_task_cost([OWN["easy"], OWN["hard"]], OWN["try_usd"], OWN["check_usd"], 3, OWN["hand"])
my_growth = growth_asked(OWN["price"], OWN["revenue"], OWN["margin"], OWN["rate"])
my_money = money_needed(profits(48, *[OWN[n] for n in ("users", "grows", "paying", "fee", "user_cost", "fixed")]))
