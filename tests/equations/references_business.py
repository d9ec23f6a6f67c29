"""What the formulas of the business chapters must give: see printed.py."""

import math

import numpy as np
from printed import Derived, Fixed, as_printed
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from sklearn.metrics import brier_score_loss

from genai_utils.business import bubbles, clusters, evidence, machines, penalties, valuation, verdict
from genai_utils.business import competition as co
from genai_utils.business import unit_economics as unit
from genai_utils.business.adoption import Bass
from genai_utils.metrics import hardware


def mean_of(name):
    return Derived(lambda v: v[name].mean())


def numbers(n, low=-1.0, high=1.0):
    return lambda random: random.uniform(low, high, n)


# --- adoption and bubbles ---------------------------------------------------------------------------------------------


@as_printed("adoption.hazard", p=(0.01, 0.1), q=(0.1, 1.0), F=(0.05, 0.95))
def rate_of_those_left(p, q, F):
    model = Bass(1.0, p, q)
    year = brentq(lambda t: model.share(t) - F, 0.0, 1_000.0, xtol=1e-13)
    return (model.share(year + 1e-3) - model.share(year - 1e-3)) / 2e-3 / (1 - F)


@as_printed("adoption.bass", p=(0.01, 0.1), q=(0.1, 1.0), t=(0.0, 20.0))
def share_of_adopters(p, q, t):
    return Bass(1.0, p, q).share(t)


@as_printed("adoption.peak", p=(0.01, 0.1), q=(0.2, 1.0))
def year_of_the_peak(p, q):
    return Bass(1.0, p, q).peak


@as_printed("bubble.window", n=range(20, 5_000))
def shortest_window(n):
    return bubbles.minimum_window(n)


@as_printed("forecast.brier", n=8, f=numbers(8, 0.0), o=lambda random: random.integers(0, 2, 8))
def score(f, o):
    return brier_score_loss(o, f, pos_label=1, labels=[0, 1])


@as_printed("forecast.honest", f=(0.0, 1.0), pi=(0.0, 1.0))
def expected_score(f, pi):
    return pi * brier_score_loss([1], [f], labels=[0, 1]) + (1 - pi) * brier_score_loss([0], [f], labels=[0, 1])


# --- China ------------------------------------------------------------------------------------------------------------


@as_printed("china.revenue", d=(0.05, 0.95))
def volume_for_revenue(d):
    return co.volume_to_keep_revenue(d)


@as_printed("china.profit", d=(0.05, 0.3), m=(0.5, 0.9), f=(0.0, 0.9))
def volume_for_profit(d, m, f):
    return co.volume_to_keep_profit(d, margin=m, cost_fall=f)


PRICES = {"p_0": (1.0, 5.0), "p_1": (0.1, 0.9), "q_0": (1.0, 2.0), "q_1": (2.0, 9.0)}


@as_printed("china.elasticity", **PRICES)
def elasticity(p_0, p_1, q_0, q_1):
    return co.elasticity(price=(p_0, p_1), volume=(q_0, q_1))


@as_printed("china.elasticity", part=1, where=(0,), **PRICES)
def revenue_after_over_before(p_0, p_1, q_0, q_1):
    return p_1 * q_1 / (p_0 * q_0)


LINE = {"t": numbers(7, 2020, 2030), "y": numbers(7, -2, 2), "bar_t": mean_of("t"), "bar_y": mean_of("y")}
AROUND = {"s": Derived(lambda v: co.fit_growth(v["t"], np.exp(v["y"])).residual)}


@as_printed("china.growth", over={"i": 7}, **LINE)
def growth_rate(t, y):
    return co.fit_growth(t, np.exp(y)).rate


@as_printed("china.growth", part=1, over={"i": 7}, **LINE, **AROUND)
def error_of_the_growth_rate(t, y):
    return stats.linregress(t, y).stderr


@as_printed("china.growth", part=2, hat_r=(0.1, 2.0))
def years_to_double(hat_r):
    return co.fit_growth([0.0, 1.0, 2.0], np.exp(hat_r * np.arange(3))).doubling_months / 12


@as_printed("china.basket", over={"k": 4}, n=numbers(4, 0.1, 9.0), p=numbers(4, 0.0, 30.0))
def price_of_a_basket(n, p):
    return np.average(p, weights=n)


@as_printed("china.owned", c=(0.5, 2.0), t=(1.0, 2.0), a=(0.0, 3.0))
def price_against_an_owner(c, t, a):
    return co.leader_price(cost=c, switching=t, advantage=a, open_rival=False)


@as_printed("china.open", c=(0.5, 2.0), t=(1.0, 2.0), a=(0.0, 3.0))
def price_against_open_weights(c, t, a):
    return co.leader_price(cost=c, switching=t, advantage=a, open_rival=True)


@as_printed("china.break-even", F=(1.0, 1e3), m=(0.1, 0.9))
def revenue_that_pays(F, m):
    return co.break_even_revenue(fixed=F, margin=m)


# --- evidence ---------------------------------------------------------------------------------------------------------

K = 6
STUDIES = {"s": numbers(K, 0.05, 0.5), "y": numbers(K, -0.5, 0.9), "k": K}
PRECISION = {"v": Derived(lambda v: v["s"] ** -2.0), "bar_y": Derived(lambda v: np.average(v["y"], weights=v["v"]))}
OVER = {"i": K}


def pooled(y, s):
    return evidence.random_effects([evidence.Effect(*pair) for pair in zip(y, s, strict=True)])


@as_printed("evidence.log-ratio", pm=1.0, c=(-0.5, 1.0))
def log_of_a_change(c):
    return evidence.effect_from_error(c, 0.1).log


@as_printed("evidence.log-ratio", part=1, c=(-0.5, 1.0), varepsilon=(0.01, 0.3))
def error_of_the_log(c, varepsilon):
    return evidence.effect_from_error(c, varepsilon).error


WEIGHTS = {
    "tau": Derived(lambda v: pooled(v["y"], v["s"]).tau),
    "w": Derived(lambda v: 1 / (v["s"] ** 2 + v["tau"] ** 2)),
}


@as_printed("evidence.random-effects", over=OVER, **STUDIES, **WEIGHTS)
def pooled_mean(y, s):
    return pooled(y, s).effect.log


@as_printed("evidence.random-effects", part=1, i=3, **STUDIES, tau=Derived(lambda v: pooled(v["y"], v["s"]).tau))
def weight_of_a_study(y, s):
    return pooled(y, s).weights[2] / pooled(y, s).effect.error ** 2


@as_printed(
    "evidence.hartung-knapp",
    over=OVER,
    **STUDIES,
    **WEIGHTS,
    hat_mu=Derived(lambda v: pooled(v["y"], v["s"]).effect.log),
)
def error_by_the_trials_own_spread(y, s):
    return pooled(y, s).knapp


@as_printed("evidence.heterogeneity", over=OVER, **STUDIES, **PRECISION)
def spread_in_errors(y, s):
    return pooled(y, s).q


@as_printed("evidence.heterogeneity", part=1, where=(0,), over=OVER, **STUDIES, **PRECISION)
def share_that_is_no_chance(y, s):
    return pooled(y, s).i2


@as_printed("evidence.heterogeneity", part=2, where=(0,), over=OVER, **STUDIES, **PRECISION)
def variance_of_true_effects(y, s):
    return pooled(y, s).tau ** 2


@as_printed(
    "evidence.power", z_falsealarm=ndtri(0.975), z_power=ndtri(0.8), sigma=(0.5, 2.0), delta=(0.1, 1.0)
)  # fmt: skip
def observations_of_each_group(sigma, delta):
    return evidence.sample_size(delta, sigma)


@as_printed("evidence.design-effect", m=(1.0, 30.0), rho=(0.0, 1.0))
def loss_by_clusters(m, rho):
    return evidence.design_effect(m, rho)


@as_printed(
    "evidence.selection", rho=(-1.0, 1.0), sigma=(0.5, 2.0), p=(0.1, 0.9), z_p=Derived(lambda v: ndtri(v["p"])),
    varphi=Fixed(stats.norm.pdf),
)  # fmt: skip
def bias_of_users(rho, sigma, p):
    return evidence.selection_bias(rho, sigma, p)


@as_printed(
    "evidence.withheld", mu=(-1.0, 1.0), omega=(0.1, 2.0), q=(0.1, 0.8), z_1_q=Derived(lambda v: ndtri(1 - v["q"])),
    varphi=Fixed(stats.norm.pdf),
)  # fmt: skip
def mean_of_what_is_kept(mu, omega, q):
    return evidence.kept_mean(mu, omega, q)


@as_printed(
    "evidence.winner", where=(1,), mu=(-0.5, 1.0), s=(0.2, 1.0), varphi=Fixed(stats.norm.pdf), Phi=Fixed(ndtr)
)  # fmt: skip
def mean_of_what_is_significant(mu, s):
    return stats.truncnorm.mean(1.96 - mu / s, np.inf) * s + mu


@as_printed("evidence.hulten", e=(0.0, 1.0), a=(0.0, 1.0), kappa=(0.0, 1.0), lambda_=(0.0, 1.0))
def gain_of_productivity(e, a, kappa, lambda_):
    return evidence.hulten(exposed=e, adopted=a, saving=kappa, labour_share=lambda_)


def invested(random):
    return random.uniform(0, 0.3, 10)


MODEL = {"g": (0.1, 0.5), "p": (0.1, 1.0), "d": (0.01, 0.1), "i": invested, "t": 7}


def know_how(v):
    """Known in each month, from what is measured; months count from 1."""
    curve = evidence.j_curve(v["i"], gain=v["g"], pace=v["p"], decay=v["d"])
    return (curve.measured / (1 - v["i"]) - 1) / v["g"]


@as_printed("evidence.j-curve", **MODEL, K=Derived(know_how))
def measured_productivity(g, p, d, i):
    return evidence.j_curve(i, gain=g, pace=p, decay=d).measured[6]


@as_printed("evidence.j-curve", part=1, **MODEL, K=Derived(know_how))
def know_how_of_the_next_month(g, p, d, i):
    return know_how({"g": g, "p": p, "d": d, "i": i})[7]


# --- rules ------------------------------------------------------------------------------------------------------------


@as_printed("rules.ceiling", F=(1.0, 50.0), s=(0.01, 0.1), T=(1.0, 2_000.0))
def ceiling_of_a_large_firm(F, s, T):
    return penalties.fine_ceiling(T, amount=F, share=s)


@as_printed("rules.ceiling", part=1, F=(1.0, 50.0), s=(0.01, 0.1), T=(1.0, 2_000.0))
def ceiling_of_a_small_firm(F, s, T):
    return penalties.fine_ceiling(T, amount=F, share=s, lower=True)


@as_printed("rules.expected", p=(0.0, 1.0), phi=(0.1, 1.0), C=(1.0, 50.0))
def average_fine(p, phi, C):
    return penalties.expected_fine(chance=p, ceiling=C, severity=phi)


@as_printed("rules.expected", part=1, K=(0.1, 9.0), phi=(0.1, 1.0), C=(1.0, 50.0))
def chance_at_which_complying_pays(K, phi, C):
    return penalties.needed_chance(cost=K, ceiling=C, severity=phi)


WAIT = {"q": (0.0, 0.9), "r": (0.0, 0.3), "t": (0.0, 5.0)}


@as_printed("rules.wait", K=(0.1, 9.0), h=(0.0, 2.0), **WAIT)
def value_of_waiting(K, h, q, r, t):
    return penalties.waiting_value(cost=K, dropped=q, years=t, rate=r, hurry=h)


@as_printed("rules.wait", part=1, **WAIT)
def hurry_that_waiting_bears(q, r, t):
    return penalties.bearable_hurry(dropped=q, years=t, rate=r)


# --- unit economics ---------------------------------------------------------------------------------------------------


@as_printed("unit.cost-per-token", r=(0.5, 5.0), v=(10.0, 2_000.0), eta=(0.1, 1.0))
def usd_per_million(r, v, eta):
    return unit.usd_per_million_tokens(tokens_per_second=v, machine_usd_per_hour=r, utilisation=eta)


@as_printed("unit.batch", B=range(1, 200), a=(0.01, 0.1), b=(0.0001, 0.01))
def tokens_per_second(B, a, b):
    return unit.batch_tokens_per_second(B, seconds_per_step=a, seconds_per_sequence=b)


KINDS = {f"{what}_{kind}": (0.1, 5.0) for what in "pT" for kind in "hmo"}


@as_printed("unit.revenue", **KINDS)
def revenue(p_h, T_h, p_m, T_m, p_o, T_o):
    return unit.Prices(p_h, p_m, p_o).revenue_usd(unit.Tokens(T_h, T_m, T_o))


@as_printed("unit.margin", R=(1.0, 9.0), C=(0.5, 9.0))
def margin(R, C):
    return unit.Account(R, C).margin


@as_printed("unit.margin", part=1, where=(0,), R=(1.0, 9.0), C=(0.5, 9.0))
def markup(R, C):
    return unit.Account(R, C).markup


@as_printed("unit.paid-share", R=(1.0, 9.0), C=(0.5, 9.0), m=Derived(lambda v: unit.Account(v["R"], v["C"]).margin))
def share_that_must_pay(R, C):
    return unit.Account(R, C).break_even_share


RUN = {"N": (1e8, 1e10), "D": (1e9, 1e12), "F": (1e14, 1e15)}


@as_printed("unit.training-cost", mu=(0.1, 0.6), **RUN)
def gpu_hours(N, D, F, mu):
    return unit.training_gpu_hours(flop=unit.training_flop(parameters=N, tokens=D), peak_flop_per_second=F, mfu=mu)


@as_printed("unit.mfu", H=(1e4, 1e6), **RUN)
def utilisation_of_a_run(N, D, F, H):
    flop = unit.training_flop(parameters=N, tokens=D)
    return unit.model_flop_utilisation(flop=flop, peak_flop_per_second=F, gpu_hours=H)


FLEET = {"F": (10.0, 900.0), "K": (1e4, 2e4), "M": (5.0, 50.0), "p": (0.01, 0.05)}


@as_printed("unit.break-even", where=(2,), **FLEET)
def tokens_from_which_a_fleet_pays(F, K, M, p):
    return unit.Fleet(machine_tokens=K, machine_usd=M, fixed_usd=F).break_even_tokens(p * 1e6)


@as_printed("unit.free-tier", c_p=(0.0, 9.0), c_f=(0.0, 2.0), s=(0.01, 1.0))
def cost_of_a_payer(c_p, c_f, s):
    return unit.usd_per_payer(paying_share=s, payer_cost_usd=c_p, free_cost_usd=c_f)


@as_printed("unit.decline", p_0=(1.0, 60.0), f=(1.1, 60.0), t=(0.0, 3.0))
def declined_price(p_0, f, t):
    return unit.declined(p_0, factor=f, years=t)


@as_printed("unit.decline", part=1, p_before=(10.0, 60.0), p_after=(0.1, 9.0), years=(0.5, 3.0))
def factor_of_a_year(p_before, p_after, years):
    return unit.yearly_factor(before=p_before, after=p_after, years=years)


@as_printed(
    "unit.slowdown",
    where=(1,),
    n=(20.0, 200.0),
    a=(0.0, 0.05),
    b=(0.001, 0.002),
    nu=Derived(lambda v: 0.8 / v["n"] / v["b"]),
)
def mean_time_of_an_answer(n, a, b, nu):
    """Little's law on the chances that k answers are on board, from the balance of rides up and down."""
    k = np.arange(1, 20_000)
    chance = np.concatenate([[0.0], np.cumsum(np.log(nu * n * (a + b * k) / k))])
    chance = np.exp(chance - chance.max())
    return (np.arange(20_000) @ chance) / chance.sum() / nu


@as_printed("unit.task", k=(0.01, 9.0), h=(0.0, 40.0), q=(0.05, 1.0), n=range(1, 9), H=(0.0, 200.0))
def usd_of_a_finished_task(k, h, q, n, H):
    return unit.usd_per_task(try_usd=k, check_usd=h, accepted=q, tries=n, by_hand_usd=H)


@as_printed("unit.lifetime", m=(-5.0, 50.0), c=(0.01, 0.9), d=(0.0, 0.05))
def worth_of_a_customer(m, c, d):
    return unit.lifetime_usd(usd_per_month=m, churn=c, discount=d)


# --- value and bubbles ------------------------------------------------------------------------------------------------


@as_printed("value.npv", T=5, C=numbers(5, -1, 9), r=(0.01, 0.3))
def worth_of_a_row_of_cash(C, r):
    return valuation.present_value(C, rate=r)


@as_printed("value.perpetuity", C_1=(1.0, 9.0), r=(0.06, 0.2), g=(-0.02, 0.05))
def worth_of_cash_for_ever(C_1, r, g):
    return valuation.perpetuity(C_1, rate=r, growth=g)


COMPANY = {"growth": (0.0, 0.8), "today": (-0.6, 0.2), "end": (0.05, 0.4), "r": (0.06, 0.2), "g_infty": (0.0, 0.05)}


def company(growth, today, end, r, g_infty):
    return valuation.Company(3.0, growth, end, r, long_run=g_infty, margin_today=today, ramp=5)


def told(years):
    """What a company tells of each year, as the value of a symbol."""
    return Derived(lambda v: getattr(company(**{name: v[name] for name in COMPANY}), years))


@as_printed("value.dcf", **COMPANY, R=told("revenues"), m=told("margins"))
def worth_of_a_company(growth, today, end, r, g_infty):
    return company(growth, today, end, r, g_infty).value


@as_printed("value.ramp", m=(0.05, 0.4), m_0=(-0.6, 0.2), t=range(1, 11))
def margin_of_a_year(m, m_0, t):
    return valuation.Company(3.0, 0.5, m, 0.5, margin_today=m_0, ramp=5).margins[t - 1]


@as_printed("value.fade", where=(1,), g_1=(0.0, 0.8), g_infty=(0.0, 0.05), f=(0.0, 1.0), t=range(2, 11),
            R=Derived(lambda v: valuation.Company(3.0, v["g_1"], 0.2, 0.5, v["f"], v["g_infty"]).revenues),
            )  # fmt: skip
def revenue_of_a_year(R, t):
    return R[t - 1]


@as_printed("value.surplus", where=(1,), S=(0.0, 90.0), R=(1.0, 20.0), n=3, m=numbers(3, 0.1, 0.9),
            s=Derived(lambda v: list(valuation.capture({str(i): m for i, m in enumerate(v["m"])}).values())),
            )  # fmt: skip
def share_of_the_makers(S, R, m):
    return valuation.kept_by_makers(S, R, {str(i): margin for i, margin in enumerate(m)})


@as_printed("value.npv-option", p=(0.1, 0.9), I=(50.0, 150.0), V_d=(10.0, 49.0), r=(0.0, 0.2), c=(0.0, 20.0))
def gain_of_waiting(p, I, V_d, r, c):
    """Invest now, or a year later if it went well (worth 300 then); c is what a year's operation would bring."""
    now = (p * 300 + (1 - p) * V_d + c) / (1 + r) - I
    return p * (300 - I) / (1 + r) - now


# --- GPU training -----------------------------------------------------------------------------------------------------


@as_printed("gpu.roofline", I=(0.1, 300.0), P=(1e12, 1e15), B=(1e11, 4e12))
def attainable_rate(I, P, B):
    return hardware.attainable(I, P, B)


@as_printed("gpu.mfu", F=(1e12, 1e14), s=(0.1, 2.0), P=(1e14, 1e15))
def share_of_the_peak(F, s, P):
    return hardware.utilization(F, s, P)


@as_printed("gpu.mbu", b=(1e9, 1e11), s=(0.1, 2.0), B=(1e11, 4e12))
def share_of_the_bandwidth(b, s, B):
    return hardware.utilization(b, s, B)


@as_printed("gpu.interval", d=(1.0, 100.0), mu=(1e4, 1e6))
def seconds_between_checkpoints(d, mu):
    return clusters.checkpoint_interval(write_seconds=d, seconds_between_failures=mu)


@as_printed("gpu.ring", n=range(2, 64), S=(1e6, 1e9), B=(1e9, 1e11), lambda_=(0.0, 1e-3))
def seconds_around_the_ring(n, S, B, lambda_):
    return clusters.ring_seconds(gradient_bytes=S, devices=n, bytes_per_second=B, latency=lambda_)


@as_printed("gpu.efficiency", t_comp=(0.1, 2.0), t_ring=(0.0, 2.0), t_hidden=(0.0, 0.1))
def share_of_the_work(t_comp, t_ring, t_hidden):
    return clusters.efficiency(compute_seconds=t_comp, exchange_seconds=t_ring, hidden_seconds=t_hidden)


# --- machines ---------------------------------------------------------------------------------------------------------


@as_printed("machines.annuity", K=(1.0, 90.0), r=(0.01, 0.2), n=(2.0, 30.0))
def instalment(K, r, n):
    """The payment at which the present value of n years of it is K, by quadrature of nothing: solved."""
    return brentq(lambda pay: K - pay * (1 - (1 + r) ** -n) / r, 0.0, 10 * K, xtol=1e-12)


BUILT = {"K": (10.0, 90.0), "c": (0.3, 0.8), "r": (0.01, 0.2), "n_c": range(3, 8), "n_b": range(10, 30)}
BUILT |= {"e": (0.0, 0.2), "mu": (0.0, 0.6), "u": (0.2, 1.0)}
INSTALMENT = Fixed(lambda k, r, n: instalment(k, r, n))


def built(K, c, r, n_c, n_b, e, mu, u):
    return machines.Buildout(
        capex=K, chip_share=c, chip_life=n_c, building_life=n_b, rate=r, running=e, margin=mu, utilisation=u
    )


def of_built(what):
    return Derived(lambda v: what(built(**{name: v[name] for name in BUILT}), v))


@as_printed("machines.capex-revenue", **BUILT, a=INSTALMENT)
def bill_of_machines(K, c, r, n_c, n_b, e, mu, u):
    return built(K, c, r, n_c, n_b, e, mu, u).required_revenue


@as_printed("machines.pile", n=range(1, 9), g=(-0.3, 0.9))
def machines_in_use(n, g):
    return machines.pile(n, g)


@as_printed("machines.every-year", **BUILT, g=(-0.2, 0.9), a=INSTALMENT,
            P=Derived(lambda v: lambda n: sum((1 + v["g"]) ** -k for k in range(n))))  # fmt: skip
def bill_of_a_programme(K, c, r, n_c, n_b, e, mu, u, g):
    return built(K, c, r, n_c, n_b, e, mu, u).every_year(g)


@as_printed("machines.path", **BUILT, R_0=(5.0, 90.0), R_o=(0.0, 4.0), R=of_built(lambda b, v: b.required_revenue),
            x=of_built(lambda b, v: machines.break_even_growth(b, run_rate=v["R_0"], claimed=v["R_o"])))  # fmt: skip
def bills_in_todays_money(R, r, n_c):
    return R * (1 - (1 + r) ** -n_c) / r


@as_printed("machines.run-rate", S=(20.0, 60.0), R_0=(61.0, 90.0),
            k=Derived(lambda v: math.log1p(machines.growth_behind(v["S"], v["R_0"]))))  # fmt: skip
def share_of_the_year_sold(S, R_0):
    return S / R_0


@as_printed("machines.hour", **BUILT, R=of_built(lambda b, v: b.required_revenue))
def dollars_an_hour(K, c, r, n_c, n_b, e, mu, u):
    return built(K, c, r, n_c, n_b, e, mu, u).price_per_hour


@as_printed("machines.depreciation", n=range(1, 9), g=(0.01, 0.9))
def wear_over_purchases(n, g):
    return machines.depreciation_share(n, g)


@as_printed("machines.loop", O=(1.0, 9.0), X=(1.0, 9.0), v=(0.0, 0.5))
def sales_with_vendor_finance(O, X, v):
    return machines.purchases(O, X, vendor=v)


def yearly(first, growth):
    return Derived(lambda v: v[first] * (1 + v[growth]) ** np.arange(6.0))


@as_printed("machines.debt", T=6, b=(10.0, 20.0), o=(1.0, 9.0), g_b=(0.0, 0.6), g_o=(0.0, 0.6), v=(0.0, 0.5),
            r=(0.0, 0.2), B=yearly("b", "g_b"), O=yearly("o", "g_o"))  # fmt: skip
def debt_at_the_end(b, o, g_b, g_o, v, r):
    return machines.Expansion(b, g_b, o, g_o, v, r).debts(6)[-1]


@as_printed("machines.energy", P=(1.0, 12.0), ell=(0.1, 1.0), q=(1.0, 2.0), H=(10.0, 900.0), N=(1.0, 900.0))
def kilowatt_hours(P, ell, q, H, N):
    return machines.kwh_per_million(N * 1e6, node_hours=H, kilowatts=P, load=ell, pue=q)


K_EQUAL = 4


@as_printed(
    "machines.spread", k=K_EQUAL, rho=(0.0, 0.9), sigma_one=(0.5, 2.0), over={"i": K_EQUAL, "j": K_EQUAL},
    sigma=Derived(lambda v: v["sigma_one"]), sigma_i=Derived(lambda v: v["sigma_one"]),
    sigma_j=Derived(lambda v: v["sigma_one"]), rho_ij=Derived(lambda v: v["rho"]),
)  # fmt: skip
def spread_of_tied_inputs(rho, sigma):
    return math.sqrt((sigma**2 * (rho + (1 - rho) * np.eye(K_EQUAL))).sum())


# --- verdict ----------------------------------------------------------------------------------------------------------


FADE = {"g": (0.1, 3.0), "kappa": (0.1, 1.0), "t": 6}


@as_printed("verdict.fading", R_0=(1.0, 500.0), **FADE)
def sales_while_growth_fades(R_0, g, kappa):
    return verdict.fading(R_0, g, years=6, keeps=kappa)[5]


RACE = {"B": (50.0, 500.0), "C": (0.0, 300.0), "r": (0.0, 0.3), "n": 5, "S": numbers(5, 100.0, 900.0)}


@as_printed("verdict.paid", **RACE)
def paid_over_needed(B, C, r, S):
    worth = [sum(each / (1 + r) ** year for year, each in enumerate(sums, 1)) for sums in (S, [B + C] * 5)]
    return worth[0] / worth[1]


@as_printed("verdict.bounds", n=4, p=numbers(4, 0.5))
def least_chance_that_all_hold(p):
    return verdict.bounds(p)[0]


@as_printed("verdict.tied", lambda_=(0.0, 1.0), n=4, p=numbers(4, 0.0), p_min=Derived(lambda v: v["p"].min()))
def chance_that_all_hold(lambda_, p):
    return verdict.chance_of_all(p, tied=lambda_)
