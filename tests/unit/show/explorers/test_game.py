"""The explorer's JavaScript computes what scipy and numpy compute, and its defaults are those of the Python class."""

import json
from functools import cache

import numpy as np
import pytest
from node import read, run_module
from scipy.integrate import quad
from scipy.special import erf, expit
from scipy.stats import norm

from genai_utils.show.explorers import PlayTheGame

SETTINGS = [
    {"step": step, "r1": r1, "start": 0.9, "rounds": 40, "order": order}
    for order in ("simultaneous", "alternating")
    for step, r1 in [(0.02, 0.0), (0.3, 0.0), (1.0, 0.0), (0.3, 0.05), (0.3, 0.6), (1.0, 1.0), (0.5, 2.5)]
]
PAIRS = [
    ({"mean": 0.0, "width": p}, {"mean": m, "width": q})
    for p, m, q in [(1, 0, 1), (1, 2, 1), (1, -3.3, 0.4), (0.1, 6, 0.1), (2, 0.5, 0.1), (0.1, 0.05, 0.3)]
]


@pytest.fixture(scope="module")
def js(tmp_path_factory):
    """Evaluate JavaScript expressions over the exports of game.js, all in one call of node."""
    folder = tmp_path_factory.mktemp("js")

    def evaluate(expressions):
        return run_module("game.js", f"const g = explorer; return [{','.join(expressions)}];", None, folder)

    return evaluate


def calls(name, arguments):
    return [f"g.{name}({','.join(map(json.dumps, each))})" for each in arguments]


@cache
def gaussian(mean, width):
    return norm(mean, width)


def density(g):
    return gaussian(g["mean"], g["width"])


def over_the_line(f, p, q):
    """Quadrature of f, split where either Gaussian has its mass."""
    cuts = sorted({g["mean"] + k * g["width"] for g in (p, q) for k in (-9, -3, -1, 0, 1, 3, 9)})
    pieces = zip(cuts, cuts[1:], strict=False)
    return sum(quad(f, a, b, epsabs=1e-10, limit=200)[0] for a, b in pieces)


def value(p, q, log_odds):
    """E_p log D + E_q log(1 - D) by scipy's adaptive quadrature."""

    def integrand(x):
        real = density(p).pdf(x) * -np.logaddexp(0, -log_odds(x))
        return real + density(q).pdf(x) * -np.logaddexp(0, log_odds(x))

    return over_the_line(integrand, p, q)


def round_of_the_dirac_gan(theta, psi, step, r1, order):
    """One round with f'(t) = 1 / (1 + e^t) written out."""
    new_psi = psi - step * (theta / (1 + np.exp(-psi * theta)) + r1 * psi)
    slope = new_psi if order == "alternating" else psi
    return theta + step * slope / (1 + np.exp(-slope * theta)), new_psi


def linear_round(step, r1, order):
    """Jacobian of a round at (0, 0) by central differences."""
    e = 1e-6
    columns = [
        np.subtract(*(round_of_the_dirac_gan(*(sign * e * axis), step, r1, order) for sign in (1, -1))) / (2 * e)
        for axis in np.eye(2)
    ]
    return np.stack(columns, axis=1)


def test_the_optimal_discriminator_is_the_share_of_real_samples(js):
    points = [(x, p, q) for p, q in PAIRS for x in (-4.0, -0.3, 0.0, 1.1, 5.0)]
    expected = [expit(density(p).logpdf(x) - density(q).logpdf(x)) for x, p, q in points]
    assert js(calls("optimalDiscriminator", points)) == pytest.approx(expected, abs=1e-9)


def test_the_value_at_the_optimum_agrees_with_quadrature(js):
    expected = [value(p, q, lambda x, p=p, q=q: density(p).logpdf(x) - density(q).logpdf(x)) for p, q in PAIRS]
    assert js(calls("valueAtOptimum", PAIRS)) == pytest.approx(expected, abs=1e-4)


def test_the_value_of_a_discriminator_of_your_own_agrees_with_quadrature(js):
    ours = js([f"g.value({json.dumps(p)},{json.dumps(q)},(x) => 2 * (0.5 - x))" for p, q in PAIRS])
    assert ours == pytest.approx([value(p, q, lambda x: 2 * (0.5 - x)) for p, q in PAIRS], abs=1e-4)


def test_the_jensen_shannon_divergence_agrees_with_its_definition(js):
    def half(p, q):
        def integrand(x):
            a, b = density(p).logpdf(x), density(q).logpdf(x)
            return np.exp(a) * (a - np.logaddexp(a, b) + np.log(2))

        return 0.5 * over_the_line(integrand, p, q)

    assert js(calls("jsd", PAIRS)) == pytest.approx([half(p, q) + half(q, p) for p, q in PAIRS], abs=1e-4)


def test_the_wasserstein_distance_agrees_with_the_area_between_the_distribution_functions(js):
    expected = [over_the_line(lambda x, p=p, q=q: abs(density(p).cdf(x) - density(q).cdf(x)), p, q) for p, q in PAIRS]
    assert js(calls("w1", PAIRS)) == pytest.approx(expected, abs=1e-4)


def test_the_error_function_agrees_with_scipy(js):
    points = [(x,) for x in (-3.0, -0.5, 0.0, 0.01, 1.0, 2.5)]
    assert js(calls("erf", points)) == pytest.approx([erf(x) for (x,) in points], abs=2e-7)


def test_the_orbit_agrees_with_numpy(js):
    for setting, orbit in zip(SETTINGS, js(calls("diracOrbit", [(s,) for s in SETTINGS])), strict=True):
        expected = [(setting["start"], 0.0)]
        for _ in range(setting["rounds"]):
            expected.append(round_of_the_dirac_gan(*expected[-1], setting["step"], setting["r1"], setting["order"]))
        assert np.array(orbit) == pytest.approx(np.array(expected), abs=1e-9)


def test_the_loss_of_the_orbit_is_the_value_of_the_dirac_gan(js):
    points = [(0.0, 3.0), (1.0, -2.0), (0.7, 0.9), (-30.0, -40.0)]
    expected = [-np.log(2) - np.logaddexp(0, theta * psi) for theta, psi in points]
    assert js(calls("diracValue", points)) == pytest.approx(expected, abs=1e-9)


def test_the_predicted_factor_is_the_spectral_radius_of_the_linearised_round(js):
    linear = [linear_round(s["step"], s["r1"], s["order"]) for s in SETTINGS]
    expected = [abs(np.linalg.eigvals(each)).max() for each in linear]
    assert js(calls("spectralRadius", [(s,) for s in SETTINGS])) == pytest.approx(expected, abs=1e-4)


def test_near_the_centre_the_observed_factor_is_the_predicted_one(js):
    near = [s | {"start": 1e-3, "rounds": 600} for s in SETTINGS if s["step"] == 0.3 and s["r1"] < 0.6]
    observed = js([f"g.observedFactor(g.diracOrbit({json.dumps(s)}))" for s in near])
    predicted = js(calls("spectralRadius", [(s,) for s in near]))
    assert observed == pytest.approx(predicted, abs=1e-3)


def test_the_page_and_the_class_start_from_the_same_defaults(js):
    (defaults,) = js(["g.DEFAULTS"])
    widget = PlayTheGame()
    assert defaults == {name: getattr(widget, name) for name in defaults}
    assert set(defaults) == set(PlayTheGame.class_own_traits(sync=True)) - {"_esm", "_css", "_anywidget_id"}


def test_the_tables_say_what_the_pictures_show(js):
    state = {"data_width": 0.8, "mean": 1.5, "width": 1.2, "threshold": 0.4, "steepness": -2.0} | SETTINGS[3]
    knowledge, orbit = js([f"g.{name}({json.dumps(state)})" for name in ("knowledgeTable", "orbitTable")])
    p, q = gaussian(0, 0.8), gaussian(1.5, 1.2)
    for x, *cells in ([read(cell) for cell in row] for row in knowledge["rows"]):
        best = p.pdf(x) / (p.pdf(x) + q.pdf(x))
        assert cells == pytest.approx([p.pdf(x), q.pdf(x), best, expit(-2 * (0.4 - x))], abs=6e-4)
    (path,) = js([f"g.diracOrbit({json.dumps(state)})"])
    for k, *cells in ([read(cell) for cell in row] for row in orbit["rows"]):
        theta, psi = path[int(k)]
        expected = [theta, psi, np.hypot(theta, psi), -np.log(2) - np.logaddexp(0, theta * psi)]
        assert cells == pytest.approx(expected, abs=6e-4)
    assert [row[0] for row in orbit["rows"]] == ["0", "5", "10", "15", "20", "25", "30", "35", "40"]


def test_the_linked_states_show_what_the_texts_say(js):
    """#game=mean:4,width:0.2,data_width:0.2: the divergence at its ceiling; r1:0.3: home; step:0.5: away."""
    narrow = [({"mean": 0, "width": 0.2}, {"mean": m, "width": 0.2}) for m in (2, 4)]
    assert js(calls("jsd", narrow)) == pytest.approx([np.log(2)] * 2, abs=1e-5)
    assert js(calls("w1", narrow)) == [2, 4]
    home, away = js(
        [f"g.observedFactor(g.diracOrbit({{ ...g.DEFAULTS, {change} }}))" for change in ("r1: 0.3", "step: 0.5")]
    )
    assert home < 0.99 and away > 1.005
