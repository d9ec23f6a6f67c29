"""What a token costs, what it earns and what training costs: plain arithmetic with units, and errors that explain.

Money is in US dollars (USD), time in seconds, hours, months or years as each name says, shares and margins in 0..1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from genai_utils import checks

MILLION = 1e6
SECONDS_PER_HOUR = 3600.0
HOURS_PER_MONTH = 730.0  # 365 days of 24 hours, in 12 equal months
MONTHS_PER_YEAR = 12


@checks.representable
def usd_per_million_tokens(*, tokens_per_second: float, machine_usd_per_hour: float, utilisation: float) -> float:
    """Machine cost of a million tokens, in USD. Equation (unit.cost-per-token).

    Args:
        tokens_per_second: of the whole machine at full load, > 0.
        machine_usd_per_hour: rent of that same machine, >= 0. Both per GPU, or both per node: never mixed.
        utilisation: tokens served / tokens it could have served in the hours paid for, in (0, 1].
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.above(0.0, tokens_per_second=tokens_per_second)
    checks.at_least(0.0, machine_usd_per_hour=machine_usd_per_hour)
    checks.share("(0, 1]", utilisation=utilisation)
    return MILLION * machine_usd_per_hour / (SECONDS_PER_HOUR * tokens_per_second * utilisation)


@checks.representable
def break_even_utilisation(*, usd_per_million: float, tokens_per_second: float, machine_usd_per_hour: float) -> float:
    """Utilisation at which a million tokens cost what they are sold for; above 1 no load can pay for the machine.

    Args: usd_per_million: price of a million tokens in USD, > 0; the others as in `usd_per_million_tokens`.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.above(0.0, usd_per_million=usd_per_million)
    full = usd_per_million_tokens(
        tokens_per_second=tokens_per_second, machine_usd_per_hour=machine_usd_per_hour, utilisation=1.0
    )
    return full / usd_per_million


@checks.representable
def batch_tokens_per_second(batch: int, *, seconds_per_step: float, seconds_per_sequence: float) -> float:
    """Tokens a second when `batch` answers are written side by side, one token each a step. Equation (unit.batch).

    Args:
        batch: answers in one step, >= 1.
        seconds_per_step: what a step costs however few answers share it (reading the weights), >= 0.
        seconds_per_sequence: what each answer adds to a step, > 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.above(0.0, batch=batch, seconds_per_sequence=seconds_per_sequence)
    checks.at_least(0.0, seconds_per_step=seconds_per_step)
    return batch / (seconds_per_step + seconds_per_sequence * batch)


@checks.representable
def answer_seconds(*, tokens: float, load: float, seconds_per_step: float, seconds_per_sequence: float) -> float:
    """Mean time of an answer in an engine that lets newcomers join at every step. Equation (unit.slowdown).

    Alone it takes `tokens` steps; in company that much over the idle share of the engine, however lengths are spread.

    Args:
        tokens: of a mean answer, > 0.
        load: tokens asked for a second, as a share of the most that the engine can write, in [0, 1).
        seconds_per_step, seconds_per_sequence: as in `batch_tokens_per_second`.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    Source: the processor-sharing queue whose speed is that of (unit.batch); the chapter derives it.
    """
    checks.above(0.0, tokens=tokens, seconds_per_sequence=seconds_per_sequence)
    checks.at_least(0.0, seconds_per_step=seconds_per_step)
    checks.share("[0, 1)", load=load)
    return tokens * (seconds_per_step + seconds_per_sequence) / (1.0 - load)


@dataclass(frozen=True)
class Tokens:
    """Tokens served: input found in the cache, input that was computed afresh, and output.

    Raises: ValueError: a number negative, NaN or infinite.
    """

    cached_input: float
    fresh_input: float
    output: float

    def __post_init__(self) -> None:
        checks.at_least(0.0, cached_input=self.cached_input, fresh_input=self.fresh_input, output=self.output)

    @property
    @checks.representable
    def total(self) -> float:
        """All tokens."""
        return self.cached_input + self.fresh_input + self.output

    @property
    @checks.representable
    def hit_rate(self) -> float:
        """Share of the input that was in the cache.  Raises: ValueError: there was no input."""
        return self.cached_input / (self.cached_input + self.fresh_input)


@dataclass(frozen=True)
class Prices:
    """List prices in USD per million tokens of each kind.

    Raises: ValueError: a price negative, NaN or infinite.
    """

    cached_input: float
    fresh_input: float
    output: float

    def __post_init__(self) -> None:
        checks.at_least(0.0, cached_input=self.cached_input, fresh_input=self.fresh_input, output=self.output)

    @checks.representable
    def revenue_usd(self, tokens: Tokens) -> float:
        """What the tokens earn if every one is billed, in USD. Equation (unit.revenue)."""
        checks.of_type(Tokens, tokens=tokens)
        hits, misses = tokens.cached_input * self.cached_input, tokens.fresh_input * self.fresh_input
        return (hits + misses + tokens.output * self.output) / MILLION

    @checks.representable
    def usd_per_million(self, tokens: Tokens) -> float:
        """What a million tokens earn on average, if they are mixed as these are, in USD.

        Raises: ValueError: there are no tokens.  TypeError: no Tokens.
        """
        checks.of_type(Tokens, tokens=tokens)
        checks.above(0.0, tokens=tokens.total)
        return MILLION * self.revenue_usd(tokens) / tokens.total


@dataclass(frozen=True)
class Account:
    """Revenue and cost of one period, in USD.

    Raises: ValueError: revenue not above zero, cost negative, or either NaN or infinite.
    """

    revenue_usd: float
    cost_usd: float

    def __post_init__(self) -> None:
        checks.above(0.0, revenue_usd=self.revenue_usd)
        checks.at_least(0.0, cost_usd=self.cost_usd)

    @property
    @checks.representable
    def margin(self) -> float:
        """Profit as a share of revenue, at most 1. Equation (unit.margin)."""
        return 1.0 - self.cost_usd / self.revenue_usd

    @property
    @checks.never_nan
    def markup(self) -> float:
        """Profit as a share of cost, which has no upper end; infinite at no cost. Equation (unit.margin)."""
        return self.revenue_usd / self.cost_usd - 1.0 if self.cost_usd else math.inf

    @property
    @checks.representable
    def break_even_share(self) -> float:
        """Share of the traffic that must be paid for to cover the cost of all. Equation (unit.paid-share)."""
        return self.cost_usd / self.revenue_usd


@checks.representable
def training_flop(*, parameters: float, tokens: float) -> float:
    """Floating-point operations to train: 6 N D. Equation (unit.training-cost).

    Args: parameters: that work on each token (of a mixture of experts: the active ones), > 0.  tokens: seen, > 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    Source: Kaplan et al. 2020, arXiv:2001.08361, §2.1.
    """
    checks.above(0.0, parameters=parameters, tokens=tokens)
    return 6.0 * parameters * tokens


@checks.representable
def training_gpu_hours(*, flop: float, peak_flop_per_second: float, mfu: float) -> float:
    """Hours of one GPU for so many operations. Equation (unit.training-cost).

    Args: peak_flop_per_second: of one GPU, dense, at the precision in use, > 0.  mfu: share of it achieved, (0, 1].
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.above(0.0, flop=flop, peak_flop_per_second=peak_flop_per_second)
    checks.share("(0, 1]", mfu=mfu)
    return flop / (SECONDS_PER_HOUR * peak_flop_per_second * mfu)


@checks.representable
def model_flop_utilisation(*, flop: float, peak_flop_per_second: float, gpu_hours: float) -> float:
    """MFU: useful operations a second as a share of the GPU's peak. Equation (unit.mfu).

    Above 1 the inputs contradict each other; the number is returned, because that is how one finds out.
    Raises: ValueError: an argument not above zero, NaN or infinite.
    Source: Chowdhery et al. 2022, arXiv:2204.02311, §4.1.
    """
    checks.above(0.0, flop=flop, peak_flop_per_second=peak_flop_per_second, gpu_hours=gpu_hours)
    return flop / (SECONDS_PER_HOUR * peak_flop_per_second * gpu_hours)


@checks.representable
def yearly_factor(*, before: float, after: float, years: float) -> float:
    """By what factor a price fell each year, on average; below 1 it rose. Equation (unit.decline).

    Raises: ValueError: an argument not above zero, NaN or infinite.
    """
    checks.above(0.0, before=before, after=after, years=years)
    return float((before / after) ** (1.0 / years))


@checks.representable
def declined(amount: float, *, factor: float, years: float) -> float:
    """An amount that falls by `factor` a year, after `years`. Equation (unit.decline).

    Raises: ValueError: amount or years negative, factor not above zero, or any NaN or infinite.
    """
    checks.at_least(0.0, amount=amount, years=years)
    checks.above(0.0, factor=factor)
    return float(amount * factor**-years)


@dataclass(frozen=True)
class Fleet:
    """Machines you rent yourself. They come whole: the first token of a month costs as much as the last it can serve.

    machine_tokens: tokens one machine serves in a month.  machine_usd: its rent for the month.
    fixed_usd: people, monitoring, a spare: what the month costs however many machines run.
    Raises: ValueError: machine_tokens or machine_usd not above zero, fixed_usd negative, or any NaN or infinite.
    """

    machine_tokens: float
    machine_usd: float
    fixed_usd: float

    def __post_init__(self) -> None:
        checks.above(0.0, machine_tokens=self.machine_tokens, machine_usd=self.machine_usd)
        checks.at_least(0.0, fixed_usd=self.fixed_usd)

    @checks.representable
    def usd(self, tokens: float) -> float:
        """Cost of serving so many tokens in a month; at least one machine stands by."""
        checks.at_least(0.0, tokens=tokens)
        return self.fixed_usd + self.machine_usd * max(1, math.ceil(tokens / self.machine_tokens))

    @checks.never_nan
    def lasting_tokens(self, api_usd_per_million: float) -> float:
        """Tokens a month from which the API never wins again: one more machine, still empty, is paid for too.

        Infinite where a full machine costs as much as the API or more.
        Raises: ValueError: the price is not above zero, NaN or infinite.
        """
        checks.above(0.0, api_usd_per_million=api_usd_per_million)
        api = api_usd_per_million / MILLION
        saved = api * self.machine_tokens - self.machine_usd  # by one full machine
        if saved <= 0:
            return math.inf
        machines = math.ceil((self.fixed_usd + self.machine_usd) / saved)
        return (self.fixed_usd + machines * self.machine_usd) / api

    @checks.never_nan
    def break_even_tokens(self, api_usd_per_million: float) -> float:
        """Tokens a month from which the fleet first costs no more than an API. Equation (unit.break-even).

        Infinite where even a machine that never idles costs more than the API. Just above, where one more machine
        is needed, the API can win again for a while.
        Raises: ValueError: the price is not above zero, NaN or infinite.
        """
        checks.above(0.0, api_usd_per_million=api_usd_per_million)
        api = api_usd_per_million / MILLION
        saved = api * self.machine_tokens - self.machine_usd  # by one full machine
        if saved < 0 or (saved == 0 and self.fixed_usd > 0):
            return math.inf
        machines = max(1, math.ceil(self.fixed_usd / saved)) if saved else 1
        return (self.fixed_usd + machines * self.machine_usd) / api


@checks.representable
def usd_per_task(
    *, try_usd: float, check_usd: float, accepted: float, tries: int | None = None, by_hand_usd: float = 0.0
) -> float:
    """Cost of a finished task in USD: an agent tries, a person checks each try. Equation (unit.task).

    Args:
        try_usd, check_usd: of one try, and of the person's time to check it, >= 0.
        accepted: share of the tries that pass the check, in (0, 1], whatever came before.
        tries: after so many, >= 1, the person does the task; None: the agent goes on until one is accepted.
        by_hand_usd: what the task costs by hand, >= 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.at_least(0.0, try_usd=try_usd, check_usd=check_usd, by_hand_usd=by_hand_usd)
    checks.share("(0, 1]", accepted=accepted)
    if tries is None:
        return (try_usd + check_usd) / accepted
    checks.whole(1, tries=tries)
    left_over = (1.0 - accepted) ** tries
    return (try_usd + check_usd) * (1.0 - left_over) / accepted + left_over * by_hand_usd


@checks.representable
def lifetime_usd(*, usd_per_month: float, churn: float, discount: float = 0.0) -> float:
    """What a customer brings before he leaves, in USD of today; the first month counts. Equation (unit.lifetime).

    Args: usd_per_month: left after serving him, may be negative.  churn: share that leaves each month, in (0, 1].
        discount: interest a month, >= 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.finite(usd_per_month=usd_per_month)
    checks.share("(0, 1]", churn=churn)
    checks.at_least(0.0, discount=discount)
    return usd_per_month * (1.0 + discount) / (discount + churn)


@checks.representable
def usd_per_payer(*, paying_share: float, payer_cost_usd: float, free_cost_usd: float) -> float:
    """What each payer must bring in to cover himself and the free users he carries. Equation (unit.free-tier).

    Args: paying_share: of all users, in (0, 1].  payer_cost_usd, free_cost_usd: serving one user of each kind, >= 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """
    checks.share("(0, 1]", paying_share=paying_share)
    checks.at_least(0.0, payer_cost_usd=payer_cost_usd, free_cost_usd=free_cost_usd)
    return payer_cost_usd + (1.0 - paying_share) / paying_share * free_cost_usd


@dataclass(frozen=True)
class Month:
    """One month's profit and loss, in USD.

    Raises: ValueError: a number NaN or infinite.
    """

    revenue_usd: float
    payers_usd: float
    free_users_usd: float
    fixed_usd: float

    def __post_init__(self) -> None:
        checks.finite(revenue_usd=self.revenue_usd, payers_usd=self.payers_usd)
        checks.finite(free_users_usd=self.free_users_usd, fixed_usd=self.fixed_usd)

    @property
    @checks.representable
    def profit_usd(self) -> float:
        """What is left of the revenue, maybe negative."""
        return self.revenue_usd - self.payers_usd - self.free_users_usd - self.fixed_usd

    @property
    @checks.representable
    def gross_margin(self) -> float:
        """(revenue - serving all users) / revenue. Equation (unit.margin).  Raises: ValueError: there is no revenue."""
        return 1.0 - (self.payers_usd + self.free_users_usd) / self.revenue_usd


@dataclass(frozen=True)
class Plan:
    """A product with paying and free users, served by rented machines.

    users: in the month.  paying_share: of them, 0..1.  usd_per_payer: a month, >= 0.
    payer_tokens, free_tokens: million tokens a month and user of the kind, >= 0.
    tokens_per_second, machine_usd_per_hour, utilisation: as in `usd_per_million_tokens`.
    fixed_usd: a month, >= 0.
    Raises: ValueError: an argument out of its range, NaN or infinite.
    """

    users: float
    paying_share: float
    usd_per_payer: float
    payer_tokens: float
    free_tokens: float
    tokens_per_second: float
    machine_usd_per_hour: float
    utilisation: float
    fixed_usd: float

    def __post_init__(self) -> None:
        checks.at_least(0.0, users=self.users, usd_per_payer=self.usd_per_payer, fixed_usd=self.fixed_usd)
        checks.at_least(0.0, payer_tokens=self.payer_tokens, free_tokens=self.free_tokens)
        checks.share("[0, 1]", paying_share=self.paying_share)
        checks.above(0.0, tokens_per_second=self.tokens_per_second)
        checks.at_least(0.0, machine_usd_per_hour=self.machine_usd_per_hour)
        checks.share("(0, 1]", utilisation=self.utilisation)

    @property
    @checks.representable
    def token_usd(self) -> float:
        """Machine cost of a million tokens in USD. Equation (unit.cost-per-token)."""
        return usd_per_million_tokens(
            tokens_per_second=self.tokens_per_second,
            machine_usd_per_hour=self.machine_usd_per_hour,
            utilisation=self.utilisation,
        )

    @checks.representable
    def month(self) -> Month:
        """The month's profit and loss at the plan's own prices."""
        payers = self.users * self.paying_share
        return Month(
            revenue_usd=payers * self.usd_per_payer,
            payers_usd=payers * self.payer_tokens * self.token_usd,
            free_users_usd=(self.users - payers) * self.free_tokens * self.token_usd,
            fixed_usd=self.fixed_usd,
        )

    @checks.representable
    def after(
        self,
        months: float,
        *,
        price_factor: float,
        cost_factor: float,
        users_factor: float = 1.0,
        use_factor: float = 1.0,
    ) -> Month:
        """A month later on, when prices and machines have got cheaper and traffic has grown. Equation (unit.decline).

        Args: price_factor, cost_factor: by which the price and the rent fall in a year.  users_factor, use_factor: by
            which the users, and the tokens of each, grow in a year. All > 0; 1 is no change.
        Raises: ValueError: months negative, a factor not above zero, or any NaN or infinite.
        """
        checks.at_least(0.0, months=months)
        checks.above(0.0, price_factor=price_factor, cost_factor=cost_factor)
        checks.above(0.0, users_factor=users_factor, use_factor=use_factor)
        years = months / MONTHS_PER_YEAR
        later = replace(
            self,
            users=self.users * users_factor**years,
            usd_per_payer=declined(self.usd_per_payer, factor=price_factor, years=years),
            payer_tokens=self.payer_tokens * use_factor**years,
            free_tokens=self.free_tokens * use_factor**years,
            machine_usd_per_hour=declined(self.machine_usd_per_hour, factor=cost_factor, years=years),
        )
        return later.month()

    @checks.representable
    def break_even_paying_share(self) -> float:
        """Share of payers at which the month breaks even; above 1 no share is enough.

        Raises: ValueError: there are no users, or a further payer earns nothing, so that no share could help.
        """
        checks.above(0.0, users=self.users)
        carried = self.free_tokens * self.token_usd  # what a free user costs
        gained = self.usd_per_payer - self.payer_tokens * self.token_usd + carried  # by a free user who starts to pay
        if gained <= 0:
            raise ValueError(f"usd_per_payer is {self.usd_per_payer}, and more payers lose more; raise the price")
        return (carried + self.fixed_usd / self.users) / gained
