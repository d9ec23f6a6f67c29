"""Twenty questions about money: each answer comes from the function of the package that its chapter uses."""

from __future__ import annotations

import math
from random import Random

from genai_utils.business import competition, evidence, machines, penalties, valuation, verdict
from genai_utils.business import unit_economics as unit
from genai_utils.business.adoption import Bass
from genai_utils.records.forecasts import brier
from tools.exams.question import Asked, question


@question("value-and-bubbles", "Payments without end")
def perpetuity(draw: Random) -> Asked:
    """Worth of growing payments."""
    cash, rate, growth = draw.choice([2, 3, 5, 8]), draw.choice([0.09, 0.1, 0.12]), draw.choice([0.02, 0.03, 0.04])
    return Asked(
        f"A firm will pay its owners {cash} million USD in a year, and {growth:.0%} more each year after that, "
        f"without end. The owners ask for {rate:.0%} a year. What is the firm worth today, in million USD?",
        {"cash": cash, "rate": rate, "growth": growth},
        valuation.perpetuity(cash, rate=rate, growth=growth),
        f"{cash} / ({rate} - {growth})",
        {"The growth of the payments is missing.": cash / rate},
    )


@question("value-and-bubbles", "Three payments today")
def present_value(draw: Random) -> Asked:
    """Discounting."""
    cash, rate = (
        [draw.choice([-5, -4, -2]), draw.choice([3, 5, 6]), draw.choice([9, 12, 20])],
        draw.choice([0.08, 0.1, 0.15]),
    )
    return Asked(
        f"A project brings {cash[0]}, {cash[1]} and {cash[2]} million USD at the end of its first, second and third "
        f"year. At {rate:.0%} a year, what is it worth today, in million USD?",
        {"first": cash[0], "second": cash[1], "third": cash[2], "rate": rate},
        valuation.present_value(cash, rate=rate),
        f"{cash[0]} / {1 + rate:.2f} + {cash[1]} / {1 + rate:.2f}^2 + {cash[2]} / {1 + rate:.2f}^3",
        {"The first payment comes in a year, not today.": (1 + rate) * valuation.present_value(cash, rate=rate)},
    )


@question("machines", "Machines on credit")
def annuity(draw: Random) -> Asked:
    """Equal payments that repay a loan."""
    amount, rate, years = draw.choice([30, 60, 90]), draw.choice([0.06, 0.08, 0.1]), draw.choice([3, 4, 5, 6])
    return Asked(
        f"Machines for {amount} million USD are paid with a loan at {rate:.0%} a year and repaid by {years} equal "
        "payments, each at the end of a year. How large is one payment, in million USD?",
        {"amount": amount, "rate": rate, "years": years},
        machines.annuity(amount, rate=rate, years=years),
        f"{amount} x {rate} / (1 - {1 + rate:.2f}^-{years})",
        {"That is repayment without interest.": amount / years},
    )


@question("machines", "Wear that lags behind")
def depreciation(draw: Random) -> Asked:
    """Straight-line depreciation of growing purchases."""
    bought, years = [draw.choice([10, 20]), draw.choice([30, 40]), draw.choice([60, 90])], draw.choice([4, 5, 6])
    return Asked(
        f"A firm bought machines for {bought[0]}, {bought[1]} and {bought[2]} billion USD in three years in a row. "
        f"Each is written off in equal parts over {years} years, the first part in the year of purchase. How much "
        "depreciation, in billion USD, burdens the profit of the third year?",
        {"first": bought[0], "second": bought[1], "third": bought[2], "years": years},
        float(machines.straight_line(bought, years=years)[2]),
        f"({bought[0]} + {bought[1]} + {bought[2]}) / {years}",
        {"Machines of earlier years are still written off.": bought[2] / years, "That is what was paid.": bought[2]},
    )


@question("machines", "Electricity of a million tokens")
def energy(draw: Random) -> Asked:
    """Electricity, in kWh."""
    tokens, kilowatts, pue = draw.choice([4, 8, 12]) * 1e6, draw.choice([8, 10]), draw.choice([1.15, 1.3, 1.5])
    load = draw.choice([0.5, 0.6, 0.7])
    return Asked(
        f"A node of {kilowatts} kW at most draws {load:.0%} of that and serves {tokens / 1e6:.0f} million tokens an "
        f"hour. The site uses {pue} times what its machines draw. How many kWh does a million tokens take?",
        {"millions": tokens / 1e6, "kilowatts": kilowatts, "load": load, "pue": pue},
        machines.kwh_per_million(tokens, node_hours=1, kilowatts=kilowatts, load=load, pue=pue),
        f"{kilowatts} x {load} x {pue} / {tokens / 1e6:.0f}",
        {"Cooling and losses of the site are missing.": kilowatts * load / (tokens / 1e6)},
    )


@question("unit-economics", "Price of a million tokens")
def token_cost(draw: Random) -> Asked:
    """Rent over tokens delivered."""
    rent, pace, use = draw.choice([2.0, 2.5, 3.0]), draw.choice([1_500, 2_500, 4_000]), draw.choice([0.2, 0.4, 0.5])
    return Asked(
        f"A GPU is rented for {rent:.2f} USD an hour. At full load it writes {pace:,} tokens a second; over the day "
        f"it is {use:.0%} utilised. What does a million tokens cost, in USD?",
        {"rent": rent, "pace": pace, "use": use},
        unit.usd_per_million_tokens(tokens_per_second=pace, machine_usd_per_hour=rent, utilisation=use),
        f"{rent} / ({pace} x 3600 x {use}) x 10^6",
        {"Idle hours are paid for too.": rent / (pace * 3600) * 1e6},
    )


@question("unit-economics", "How busy must it be?")
def break_even(draw: Random) -> Asked:
    """Break-even utilisation, in per cent."""
    price, rent, pace = draw.choice([0.5, 0.6, 0.8]), draw.choice([2.0, 2.5, 3.0]), draw.choice([2_500, 3_000, 4_000])
    share = unit.break_even_utilisation(usd_per_million=price, tokens_per_second=pace, machine_usd_per_hour=rent)
    return Asked(
        f"A million tokens sell for {price:.2f} USD. The GPU costs {rent:.2f} USD an hour and writes {pace:,} "
        "tokens a second at full load. At which utilisation, in per cent, does the sale just pay the rent?",
        {"price": price, "rent": rent, "pace": pace},
        100 * share,
        f"100 x {rent} / ({pace} x 3600 / 10^6 x {price})",
        {"In per cent, please.": share},
    )


@question("unit-economics", "Many answers side by side")
def batch(draw: Random) -> Asked:
    """Tokens a second in a batch."""
    size, step, each = draw.choice([16, 32, 64]), draw.choice([12, 20, 24]), draw.choice([0.2, 0.3, 0.5])
    return Asked(
        f"A step costs {step} ms however many answers share it, and {each} ms more for each answer. How many tokens "
        f"a second are written when {size} answers run side by side, one token each a step?",
        {"size": size, "step": step, "each": each},
        unit.batch_tokens_per_second(size, seconds_per_step=step / 1e3, seconds_per_sequence=each / 1e3),
        f"{size} / ({step} + {size} x {each}) x 1000",
        {"What each answer adds to a step is missing.": 1e3 * size / step, "That is one answer.": 1e3 / (step + each)},
    )


@question("unit-economics", "Training hours")
def training(draw: Random) -> Asked:
    """GPU-hours by 6 N D."""
    size, tokens, mfu = draw.choice([1, 3, 7, 8]), draw.choice([0.5, 1, 2, 15]), draw.choice([0.3, 0.4, 0.45])
    flop = unit.training_flop(parameters=size * 1e9, tokens=tokens * 1e12)
    return Asked(
        f"A dense model of {size} billion parameters reads {tokens} trillion tokens. The GPUs do 990 teraFLOP a "
        f"second at best, of which {mfu:.0%} is reached. How many thousand GPU-hours does that take?",
        {"billions": size, "trillions": tokens, "mfu": mfu},
        unit.training_gpu_hours(flop=flop, peak_flop_per_second=990e12, mfu=mfu) / 1e3,
        f"6 x {size}e9 x {tokens}e12 / (990e12 x {mfu}) / 3600 / 1000",
        {
            "2 N D is the way forward alone.": flop / 3 / 990e12 / mfu / 3.6e6,
            "The peak is not reached.": flop / 990e12 / 3.6e6,
        },
    )


@question("unit-economics", "A task that is finished")
def task(draw: Random) -> Asked:
    """Cost of an accepted result."""
    try_usd, check, accepted = draw.choice([0.2, 0.5, 1.5]), draw.choice([4, 6, 10]), draw.choice([0.4, 0.6, 0.8])
    return Asked(
        f"An agent's try costs {try_usd:.2f} USD, and a person's time to check it {check} USD; {accepted:.0%} of "
        "the tries pass, and it goes on until one does. What does a finished task cost on average, in USD?",
        {"try": try_usd, "check": check, "accepted": accepted},
        unit.usd_per_task(try_usd=try_usd, check_usd=check, accepted=accepted),
        f"({try_usd} + {check}) / {accepted}",
        {"Failed tries are checked too.": try_usd / accepted + check},
    )


@question("unit-economics", "What a customer is worth")
def lifetime(draw: Random) -> Asked:
    """Months until he leaves."""
    price, cost, churn = draw.choice([20, 25, 30]), draw.choice([4, 8, 12]), draw.choice([0.04, 0.05, 0.08])
    return Asked(
        f"A subscriber pays {price} USD a month and costs {cost} USD a month to serve; {churn:.0%} leave each "
        "month. What does he bring in all, the first month included and without interest, in USD?",
        {"price": price, "cost": cost, "churn": churn},
        unit.lifetime_usd(usd_per_month=price - cost, churn=churn),
        f"({price} - {cost}) / {churn}",
        {"Serving him costs money.": price / churn},
    )


@question("unit-economics", "Who pays for the free users?")
def free_users(draw: Random) -> Asked:
    """Burden of each payer."""
    share, payer, free = draw.choice([0.04, 0.05, 0.1]), draw.choice([5, 8]), draw.choice([0.3, 0.5, 0.8])
    return Asked(
        f"{share:.0%} of the users of an app pay. Serving costs {payer} USD a month for one who pays and {free:.2f} "
        "USD for one who does not. How much must each payer bring in a month to cover himself and the free users "
        "he carries?",
        {"share": share, "payer": payer, "free": free},
        unit.usd_per_payer(paying_share=share, payer_cost_usd=payer, free_cost_usd=free),
        f"{payer} + {free} x (1 - {share}) / {share}",
        {"Each payer carries more than one free user.": payer + free},
    )


@question("evidence-of-value", "How many people a trial needs")
def trial_size(draw: Random) -> Asked:
    """Sample size of two groups."""
    effect, spread = draw.choice([4, 5, 8]), draw.choice([18, 20, 25])
    return Asked(
        f"A tool may save {effect} minutes a task; single tasks vary with a standard deviation of {spread} minutes. "
        "How many independent observations does each of two groups need, for a power of 80 % at the 5 % level "
        "(two-sided)?",
        {"effect": effect, "spread": spread},
        evidence.sample_size(effect, spread),
        f"2 x (1.960 + 0.842)^2 x ({spread} / {effect})^2",
        {"There are two groups, and both vary.": evidence.sample_size(effect, spread) / 2},
    )


@question("evidence-of-value", "Observations that come in heaps")
def heaps(draw: Random) -> Asked:
    """Effective number of observations."""
    people, each, tied = draw.choice([20, 30, 40]), draw.choice([10, 20, 50]), draw.choice([0.1, 0.2, 0.4])
    return Asked(
        f"A trial has {people} people with {each} tasks each; two tasks of one person correlate with {tied}. As "
        "many independent observations as how many are these tasks worth?",
        {"people": people, "each": each, "tied": tied},
        people * each / evidence.design_effect(each, tied),
        f"{people} x {each} / (1 + ({each} - 1) x {tied})",
        {"Tasks of one person are alike.": people * each},
    )


@question("evidence-of-value", "From tasks to an economy")
def economy(draw: Random) -> Asked:
    """Hulten's theorem."""
    exposed, adopted = draw.choice([0.2, 0.3, 0.4]), draw.choice([0.23, 0.4, 0.5])
    saving, labour = draw.choice([0.15, 0.27, 0.35]), draw.choice([0.55, 0.6])
    gain = evidence.hulten(exposed=exposed, adopted=adopted, saving=saving, labour_share=labour)
    return Asked(
        f"{exposed:.0%} of all tasks can be done with the technology, and for {adopted:.0%} of these it pays; there "
        f"it saves {saving:.0%} of the labour, which is {labour:.0%} of their cost. By how many per cent does "
        "productivity rise?",
        {"exposed": exposed, "adopted": adopted, "saving": saving, "labour": labour},
        100 * gain,
        f"100 x {exposed} x {adopted} x {saving} x {labour}",
        {
            "Labour is not the whole cost.": 100 * gain / labour,
            "Not wherever it could be used does it pay.": 100 * gain / adopted,
        },
    )


@question("adoption-and-bubbles", "When adoption is fastest")
def peak(draw: Random) -> Asked:
    """Peak of a Bass curve."""
    own, imitation = draw.choice([0.01, 0.02, 0.03]), draw.choice([0.4, 0.5, 0.8])
    return Asked(
        f"Each year {own:.0%} of those who have not adopted do so of their own accord, and {imitation:.0%} more if "
        "all others had (Bass). After how many years do most adopt in a year?",
        {"own": own, "imitation": imitation},
        Bass(1.0, own, imitation).peak,
        f"ln({imitation} / {own}) / ({own} + {imitation})",
        {"Divide by both together.": math.log(imitation / own)},
    )


@question("adoption-and-bubbles", "How good were the forecasts?")
def score(draw: Random) -> Asked:
    """Brier score."""
    chances, came = [draw.choice([0.6, 0.7, 0.9]), draw.choice([0.2, 0.3]), draw.choice([0.55, 0.8])], [1, 0, 0]
    return Asked(
        f"Somebody gave three events the probabilities {chances[0]}, {chances[1]} and {chances[2]}. Only the first "
        "came true. What is the Brier score, the mean squared error (to four digits)?",
        {"first": chances[0], "second": chances[1], "third": chances[2]},
        brier(chances, [bool(x) for x in came]),
        f"((1 - {chances[0]})^2 + {chances[1]}^2 + {chances[2]}^2) / 3",
        {"The mean, not the sum.": 3 * brier(chances, [bool(x) for x in came])},
    )


@question("china", "Volume after a price cut")
def price_cut(draw: Random) -> Asked:
    """Volume that keeps the gross profit."""
    cut, margin = draw.choice([0.2, 0.3, 0.4]), draw.choice([0.6, 0.7, 0.8])
    return Asked(
        f"A vendor with a gross margin of {margin:.0%} cuts its price by {cut:.0%}; a unit costs what it cost. By "
        "which factor must the volume grow so that gross profit is what it was?",
        {"cut": cut, "margin": margin},
        competition.volume_to_keep_profit(cut, margin=margin),
        f"{margin} / ({margin} - {cut})",
        {"That keeps revenue; units cost money.": 1 / (1 - cut)},
    )


@question("rules", "A chance at which care pays")
def compliance(draw: Random) -> Asked:
    """Chance of a fine that makes compliance worth its cost."""
    cost, turnover = draw.choice([0.5, 1, 2]), draw.choice([800, 1_200, 2_000])
    ceiling = penalties.fine_ceiling(turnover, amount=15, share=0.03)
    return Asked(
        f"A fine may reach 15 million euro or 3 % of a turnover of {turnover:,} million, whichever is higher. "
        f"Complying costs {cost} million a year. At which yearly chance of the highest fine, in per cent, does "
        "complying pay?",
        {"cost": cost, "turnover": turnover},
        100 * penalties.needed_chance(cost=cost, ceiling=ceiling),
        f"100 x {cost} / max(15, 0.03 x {turnover})",
        {"The higher of the two ceilings holds.": 100 * cost / 15},
    )


@question("verdict", "All of them")
def all_of_them(draw: Random) -> Asked:
    """Tied conditions."""
    chances, tied = [draw.choice([0.8, 0.9]), draw.choice([0.5, 0.6]), draw.choice([0.4, 0.7])], draw.choice([0.3, 0.5])
    return Asked(
        f"Three conditions hold with chances {chances[0]}, {chances[1]} and {chances[2]}. With chance {tied} one "
        "cause decides them together (so that all hold as often as the least likely one); else they are "
        "independent. How likely is it, in per cent, that all three hold?",
        {"first": chances[0], "second": chances[1], "third": chances[2], "tied": tied},
        100 * verdict.chance_of_all(chances, tied=tied),
        f"100 x ({tied} x {min(chances)} + {1 - tied} x {chances[0]} x {chances[1]} x {chances[2]})",
        {"They are not independent.": 100 * math.prod(chances)},
    )
