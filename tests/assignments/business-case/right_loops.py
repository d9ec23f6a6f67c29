"""Right, in other words: one step after the other, without a library."""

my_guess = 12.5


def usd_per_million(tokens_per_second, machine_usd_per_hour, utilisation):
    hours = 1_000_000 / (tokens_per_second * utilisation) / 3600
    return hours * machine_usd_per_hour


def task_cost(try_usd, check_usd, accepted, tries, by_hand_usd):
    if not (accepted > 0 and accepted <= 1):
        raise ValueError(accepted)
    total, open_still = 0.0, 1.0
    for _ in range(tries):
        total += open_still * (try_usd + check_usd)
        open_still -= open_still * accepted
    return total + open_still * by_hand_usd


def mean_task_cost(shares, try_usd, check_usd, tries, by_hand_usd):
    total = 0
    for share in shares:
        total = total + task_cost(try_usd, check_usd, share, tries, by_hand_usd)
    return total / len(shares)


def best_tries(shares, try_usd, check_usd, by_hand_usd, most=30):
    best, least = 1, mean_task_cost(shares, try_usd, check_usd, 1, by_hand_usd)
    for tries in range(2, most + 1):
        cost = mean_task_cost(shares, try_usd, check_usd, tries, by_hand_usd)
        if cost < least - 1e-12:
            best, least = tries, cost
    return best


def worth(revenue, growth, margin, rate, today=None, fade=0.25, long_run=0.03, years=10):
    near, discount = 0.0, 1.0
    for year in range(years):
        revenue, discount = revenue * (1 + growth), discount / (1 + rate)
        keeps = margin
        if today is not None and year < 5:
            keeps = today + (margin - today) * (year + 1) / 5
        near += keeps * revenue * discount
        growth -= (growth - long_run) * fade
    next_cash = keeps * revenue * (1 + long_run)
    return [near, next_cash / (rate - long_run) * discount]


def growth_asked(price, revenue, margin, rate):
    growth, step = 0.0, 0.5
    for _ in range(400):
        if sum(worth(revenue, growth, margin, rate)) < price:
            growth += step
        else:
            growth, step = max(growth - step, -0.9), step / 2
    return growth


def profits(months, users, grows, paying, fee, user_cost, fixed):
    found = []
    while len(found) < months:
        found.append(users * paying * fee - users * user_cost - fixed)
        users += users * grows
    return tuple(found)


def money_needed(cash):
    start, purse = 0.0, 0.0
    for change in cash:
        purse += change
        if purse < 0:
            start, purse = start - purse, 0.0
    return start


my_task_usd = mean_task_cost([OWN["easy"], OWN["hard"]], OWN["try_usd"], OWN["check_usd"], 3, OWN["hand"])
my_growth = growth_asked(OWN["price"], OWN["revenue"], OWN["margin"], OWN["rate"])
my_money = money_needed(profits(48, *[OWN[n] for n in ("users", "grows", "paying", "fee", "user_cost", "fixed")]))
