"""Formulas as chapters print them are what the package computes; those that cannot be read are bound by their text."""

import latex
import printed
import pytest
import references_business
import references_models
from latex import Unreadable, read, statements
from printed import CASES, Derived, Fixed, as_printed, formulas, misfit, unread
from pytest import approx

from _ext.equation_tests import bound, digest
from tools.notebooks import ROOT

TIED = bound(str(ROOT))
PARSED = [name for name in formulas() if name not in TIED]
REFERENCES = (references_business, references_models)  # importing them fills CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.part}-{case.reference.__name__}")
def test_the_printed_formula_is_what_the_reference_computes(case):
    assert misfit(case, formulas()[case.name]) == ""


@pytest.mark.parametrize("name", sorted(formulas()))
def test_every_formula_is_read_from_its_page_or_bound_to_it(name):
    rest, tied = unread(name, formulas()[name]), TIED.get(name)
    if tied is None:
        why = f"nothing computes {rest} of ({name}): add @as_printed to tests/equations/references_*.py, or bind it"
        assert not rest and name in {case.name for case in CASES}, f"{why}: {name} {digest(formulas()[name])}"
        return
    told = f"look at the tests of ({name}) again, then write {name} {digest(formulas()[name])} into bound.txt"
    assert tied == digest(formulas()[name]), f"the formula {formulas()[name]!r} has changed: {told}"
    assert rest or name not in {case.name for case in CASES}, f"({name}) is parsed: take it out of bound.txt"


def test_nothing_is_bound_that_no_chapter_prints_and_most_that_can_be_computed_is_parsed():
    assert set(TIED) <= set(formulas()) and {case.name for case in CASES} <= set(formulas())
    assert len(PARSED) >= 60


MISPRINTS = [
    (
        "prob.moments",
        r"\sqrt{\mathrm{Var}_p[x]}",
        r"\mathrm{Var}_p[x]",
    ),  # printed so once, under a green test
    ("adoption.bass", "(p+q)t}}{1 + ", "(p-q)t}}{1 + "),
    ("adoption.peak", r"\ln (q/p)", r"\ln (p/q)"),
    ("bubble.window", r"1.8 \sqrt n", "1.8 n"),
    ("china.profit", "(1 - m) f", "m f"),
    ("china.open", r"\frac{t + a}{2}", r"\frac{t + a}{3}"),
    ("evidence.selection", r"p\,(1-p)", "p"),
    ("evidence.heterogeneity", r"Q - (k-1)", "Q - k"),
    ("unit.free-tier", r"\frac{1 - s}{s}", r"\frac{s}{1 - s}"),
    ("unit.break-even", r"\frac{F + n^\star M}{p}", r"\frac{F - n^\star M}{p}"),
    ("value.ramp", r"\min", r"\max"),
    ("value.surplus", r"S + \Pi", "S + R"),
    ("value.dcf", r"r - g_\infty", r"r + g_\infty"),
    ("machines.path", "- R_o", "+ R_o"),
    ("machines.depreciation", r"\frac{1}{n}", "n"),
    ("machines.debt", "{T-t}", "{T}"),
    ("machines.every-year", "eK", "K"),
    ("gpu.ring", "2 (n - 1)", "2 n"),
    ("gpt.flops", "4 L w", "2 L w"),
    ("gpt.causal", r"[j \le i] \exp", r"[j < i] \exp"),
    ("gpt.rmsnorm", "x_j^2", "x_j"),
    ("vae.kl", r"\mu_j^2 + \sigma_j^2 - 1", r"\mu_j^2 + \sigma_j^2 + 1"),
    ("vae.mean-field", r"\frac{1}{2}", r"\frac{1}{4}"),
    ("metric.frechet", r"- 2\,(\Sigma_r", r"- (\Sigma_r"),
    ("lm.gru", r"(1 - z) \odot \tilde h + z \odot h", r"(1 - z) \odot h + z \odot \tilde h"),
    ("ae.wiener", "^{-1}", ""),
    ("wave.mu-law", r"\frac{255}{2}", r"\frac{256}{2}"),
    ("cost.usable", r"\frac{T}{N} + t", r"\frac{T}{N} - t"),
    ("tts.step", r"m_t(j-1)", "m_t(j)"),
    ("gmm.m-step", r"\frac{1}{N_k}", r"\frac{1}{n}"),
    ("diffusion.ddim", r"x_t - \alpha_t D", r"x_t - \alpha_s D"),
    ("diffusion.precondition", r"\frac{\sigma_d^2}{\sigma^2 + \sigma_d^2}", r"\frac{\sigma^2}{\sigma^2 + \sigma_d^2}"),
    ("flow.score", r"v^\star(x_t) - x_t", r"v^\star(x_t) + x_t"),
]


@pytest.mark.parametrize(("name", "right", "wrong"), MISPRINTS, ids=[name for name, *_ in MISPRINTS])
def test_a_planted_misprint_is_found(name, right, wrong):
    formula = formulas()[name]
    assert right in formula, f"plant another misprint in {formula!r}"
    spoilt = formula.replace(right, wrong)
    assert any(misfit(case, spoilt) for case in CASES if case.name == name)


def test_a_changed_letter_of_a_bound_formula_is_found_and_a_changed_space_is_none():
    name = next(iter(TIED))
    assert digest(formulas()[name] + "'") != TIED[name] == digest(" " + formulas()[name] + "\n")


# --- the reader of LaTeX ----------------------------------------------------------------------------------------------

VALUES = {"x": 3.0, "n": 4, "a": [1.0, 2.0, 4.0], "f": lambda x: 10 * x, "p_two": 7.0, "hat_x": 5.0, "over": {"i": 3}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\tfrac12 x", 1.5), (r"\frac1n", 0.25), ("2x^2", 18), ("-x^2", -9), (r"x\,(x + 1)^2", 48), ("f(x)^2", 900),
        (r"\hat x - p_{\text{two}}", -2), (r"\sum_{i=1}^{3} a_i", 7), (r"\sum_i a_i + 1", 8), (r"\sum a_i", 7),
        (r"\sum_{i > 1} a_i", 6), (r"\prod_i a_i", 8), (r"[x > 2]", 1), (r"[x \le 2]\, x", 0), (r"|{-x}| \ln 1", 0),
        (r"\max(0, 1 - x)", 0), (r"\log_2 2x^2 / 9", 1), (r"\lceil x / 2 \rceil", 2),
        (r"\underbrace{x + 1}_{\text{the {whole} thing}} \cdot 2", 8), (r"\left( x \right)/2", 1.5),
    ],
)  # fmt: skip
def test_a_notation_is_read(text, value):
    (((side,),)) = [statements(text)[0]]
    assert float(read(side)(VALUES)) == approx(value, rel=1e-6)


def test_statements_are_parted_at_lines_and_quads_and_a_line_that_goes_on_is_no_new_one():
    parts = statements(r"\begin{aligned} a &= b \\ &\quad + c, \\ d &= e = f \end{aligned} \qquad g \tag{x.y}")
    assert [[side.strip(" ,") for side in part] for part in parts] == [["a", "b  + c"], ["d", "e", "f"], ["g"]]


@pytest.mark.parametrize("text", [r"\nabla_\theta L", r"y", r"a_{0}", r"(x", r"\frac{1}"])
def test_what_cannot_be_read_is_said(text):
    with pytest.raises(Unreadable):
        read(text)(VALUES)


def test_a_left_side_is_named_as_it_is_looked_up():
    assert [latex.name_of(text) for text in (r"\tilde h", r"t^\star", "h'", r"p_{\text{before}}", r"\lambda")] == [
        "tilde_h", "t_star", "h_prime", "p_before", "lambda_",
    ]  # fmt: skip


def test_values_are_drawn_anew_and_may_follow_from_each_other(monkeypatch):
    monkeypatch.setattr(printed, "CASES", [])

    @as_printed("x.y", a=(0.0, 1.0), n=range(2, 9), twice=Derived(lambda v: 2 * v["a"]), f=Fixed(abs), one=1)
    def reference(a, n):
        return a + n

    (case,) = printed.CASES
    first, again, other = case.values(0), case.values(0), case.values(1)
    assert first == again != other and first["twice"] == 2 * first["a"] and first["n"] in range(2, 9)
    assert case.expected(first) == first["a"] + first["n"] and first["f"] is abs and first["one"] == 1
