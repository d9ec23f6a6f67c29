"""What hints do not say: one table for good values, one for bad ones, and the exceptions to the rules, with reasons."""

from dataclasses import replace
from pathlib import Path

import fuzz_networks
import numpy as np
import torch
from hypothesis import strategies as st

from genai_utils.business.bubbles import exuberance, random_walks
from genai_utils.business.compliance import DUTIES, KINDS, PLACES, UNITS
from genai_utils.business.machines import Buildout
from genai_utils.business.memo import READINGS
from genai_utils.business.price_lists import price_lists
from genai_utils.metrics.estimate import Estimate
from genai_utils.records import results
from genai_utils.records.claims import SIGN
from genai_utils.records.facts import TABLE, Fact, facts
from genai_utils.records.forecasts import Ledger, forecasts

ROOMS = ("business", "metrics", "records")

# Largest good value of a count, where 8 would be too few.
LIMITS = {"seed": 99, "n": 40, "window": 9}

Special = dict[str, tuple[st.SearchStrategy, str]]
_BUILD = Buildout(100.0, 0.6, 5.0, 20.0, 0.1, 0.05, 0.4, 0.7)
_RANGES = st.dictionaries(st.sampled_from(["margin", "rate"]), st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)))
_DAYS = st.sampled_from(["2024-02-29", "2026-08-02"])


def _tensors(*shape: int) -> st.SearchStrategy:
    """Numbers in (0.05, 0.95), another set for each seed."""
    return st.integers(0, 5).map(lambda seed: torch.rand(shape, generator=torch.Generator().manual_seed(seed)))


def _pictures(x: torch.Tensor) -> torch.Tensor:
    return 2 * x - 1


_RATE = Estimate(1.0, 0.1, 5, "made up")
_ANSWERS = st.just(("in_eu",))

# "file.name.argument", "name.argument" or "room: argument" -> (strategy, why the hint is not enough).
GOOD: Special = {
    "Duty.place": (st.sampled_from(list(PLACES)), "one of four codes"),
    "Duty.kind": (st.sampled_from(KINDS), "one of four"),
    "Duty.since": (_DAYS, "an ISO date"),
    "tally.on": (_DAYS, "an ISO date"),
    "tally.place": (st.sampled_from(list(PLACES)), "one of four codes"),
    "tally.unit": (st.sampled_from(UNITS), "one of three"),
    "tally.kinds": (st.just(KINDS), "names of kinds"),
    "joint.first": (st.sampled_from(list(PLACES)), "one of four codes"),
    "joint.second": (st.sampled_from(list(PLACES)), "one of four codes"),
    "duties.on": (_DAYS, "an ISO date"),
    "Duty.needs": (_ANSWERS, "names of answers"),
    "Duty.any_of": (_ANSWERS, "names of answers"),
    "Duty.unless": (_ANSWERS, "names of answers"),
    "Growth.n": (st.integers(3, 40), "a line needs three points"),
    "quantile.simulated": (st.integers(200, 400).map(np.arange), "too few cannot bound a quantile"),
    "minimum_window.n": (st.integers(12, 40), "fewer have no window"),
    "price_list.model": (st.sampled_from([each.model for each in price_lists()]), "a model that has a list"),
    "swings.measure": (st.just(lambda build: build.required_revenue), "it must take the base"),
    "swings.base": (st.just(_BUILD), "any dataclass"),
    "swings.ranges": (_RANGES, "names of its fields"),
    "metrics: pixels": (_tensors(4, 3).map(lambda x: (255 * x).byte()), "bytes"),
    "metrics: images": (_tensors(8, 1, 28, 28).map(_pictures), "pictures"),
    "features.embedded.name": (st.just("images"), "what errors call them"),
    "features.check_images.name": (st.just("images"), "what errors call them"),
    "metrics: samples": (_tensors(70, 1, 28, 28).map(_pictures), "pictures, more than features"),
    "metrics: reference": (_tensors(70, 1, 28, 28).map(_pictures), "pictures, more than features"),
    "distances.psnr.images": (_tensors(12, 4), "of any shape"),
    "metrics: subset_size": (st.integers(2, 12), "a variance needs two"),
    "radius.k": (st.integers(1, 11), "below n"),
    "pair.at_least": (st.integers(1, 12), "at most n"),
    "pair.sets": (st.just({"a": torch.rand(12, 4), "b": torch.rand(12, 4)}), "features by name"),
    "metrics: real_radius": (_tensors(12), "one a row"),
    "metrics: values": (_tensors(12), "one axis"),
    "metrics: log_density": (_tensors(12), "one axis"),
    "log_mean_exp.dim": (st.integers(-2, 1), "an axis"),
    "metrics: log_joint": (st.just(lambda z: -z.square().sum(dim=-1)), "a log density"),
    "metrics: chains": (st.integers(2, 5), "an error needs two"),
    "metrics: log_probs": (st.lists(st.floats(-5, -0.1), min_size=2, max_size=60).map(np.array), "below 0"),
    "metrics: blocks": (st.integers(2, 8), "an error needs two"),
    "metrics: logits": (_tensors(2, 6, 5), "three axes"),
    "metrics: tokens": (_tensors(2, 6).map(lambda x: (5 * x).long()), "below the vocabulary"),
    "metrics: mask": (st.none() | st.just(torch.ones(2, 6, dtype=torch.bool)), "as the tokens"),
    "distinct.length": (st.integers(1, 3), "that of a word"),
    "text.distinct.text": (st.just("the quick brown fox"), "long enough"),
    "hardware.laps.call": (st.just(lambda: None), "something to call, that is quick"),
    "hardware.seconds.call": (st.just(lambda: None), "something to call, that is quick"),
    "metrics: repeats": (st.integers(2, 4), "a spread needs two"),
    "matmul_sweep.dtype": (st.sampled_from([torch.float32, torch.bfloat16]), "what every machine multiplies"),
    "metrics: device": (st.sampled_from(["cpu", torch.device("cpu")]), "what every machine has"),
    "bandwidth.megabytes": (st.just(1), "quick"),
    "attainable.intensity": (
        st.floats(0, 100) | st.lists(st.floats(0, 100), max_size=12).map(np.array),
        "a type variable: a number or an array",
    ),
    "SampleReport.floor": (st.none(), "no report within a report within a report"),
    "Claim.verdict": (st.sampled_from(list(SIGN)), "one of three words"),
    "stated.text": (st.sampled_from(["608B", "2", "$0.14"]), "a number as a fact writes it"),
    "fact.id": (st.sampled_from([each.id for each in facts()]), "an id of the table"),
    "facts.topic": (st.sampled_from([None, *{each.topic for each in facts()}]), "a topic of the table"),
    "brier.outcomes": (st.lists(st.sampled_from([0, 1]), min_size=12, max_size=12), "0 or 1"),
    "Forecast.outcome": (st.sampled_from(["", "yes", "no"]), "one of three words"),
    "Forecast.probability": (st.floats(0.05, 0.95), "a chance"),
    "measured.column": (st.sampled_from(["model", "seconds"]), "a column of the table"),
    "measured.chapters": (st.sampled_from(sorted({each.chapter for each in results.results()})), "one that measured"),
    "scaling_runs.variant": (st.sampled_from([None, "ours"]), "a variant of the table"),
    "from_csv.kind": (st.just(Fact), "a row of the table"),
    "from_csv.path": (st.just(TABLE), "the table"),
    "from_csv.key": (st.just("id"), "a column that names its rows"),
    "text_of.path": (st.just(TABLE), "a file"),
    "results.read.table": (st.just(results.TABLE), "the table"),
    "Fact.id": (st.sampled_from(["B-U4", "C-A12"]), "a code"),
    "milestones.statement": (st.just("100M (6 Nov 2023), 1.2B (29 Sep 2026)"), "dated numbers"),
    "Fact.confidence": (st.sampled_from(["V1", "V2 (a talk)", "U"]), "begins with one of three codes"),
    "Fact.value": (st.floats(0.05, 9), "with a unit"),
    "Fact.unit": (st.just("USD"), "with a value"),
    "Fact.date": (st.sampled_from(["2026", "2026-08..09", "2026-08-16"]), "begins with a year"),
    "Fact.until": (st.sampled_from(["", "2026-08", "2026-08-16"]), "a day or a month"),
    "note.where": (st.just({"id": "B-U4"}), "a column and its value"),
    "business: reading": (st.sampled_from(READINGS), "one of three words"),
    "sales_over_needed.year": (st.integers(1, 8), "a year that the price spells out"),
    "paid.build": (st.integers(1, 9).map(lambda life: replace(_BUILD, chip_life=float(life))), "whole years"),
    "flips.ratio": (st.just(lambda x: x / 3), "it must pass 1"),
    "flips.low": (st.floats(0.1, 1), "below where it does"),
    "flips.high": (st.floats(4, 9), "above where it does"),
    "together.correlation": (st.floats(-0.9, 0.9).map(lambda r: np.array([[1.0, r], [r, 1.0]])), "a matrix"),
}
BAD: Special = {
    "pair.sets": (
        st.sampled_from([{"sets": None}, {"sets": torch.ones(12)}, {"sets": torch.full((12, 3), np.nan)}]),
        "a set that is none",
    ),
    "metrics: log_joint": (st.sampled_from([None, 3.0, lambda z: z.sum(dim=-1) * np.nan]), "no density"),
    "matmul_sweep.shapes": (
        st.sampled_from([None, 7, "word", [3], [(2, 2)], [(2, 2, 0)], [(2, 2.0, 2)], [(1, 10**18, 1)], [(2, None, 2)]]),
        "no sizes",
    ),
    "matmul_sweep.dtype": (st.sampled_from([None, "float32", float, torch.bool]), "none that is multiplied"),
    "metrics: device": (st.sampled_from([None, 7, "", "gpu", "meta", "cuda:99", torch.device("cuda", 99)]), "not here"),
    "peak.sweep": (
        st.sampled_from([None, 7, {}, {"a": None}, {"a": np.nan}, {"a": replace(_RATE, value=np.nan)}, [_RATE]]),
        "no rates",
    ),
    "attainable.intensity": (
        st.sampled_from(
            [None, "word", np.nan, np.inf, -1.0, 1e300, 10**400, [[1.0], [1.0, 2.0]], np.array([1, np.nan])]
        ),
        "no number",
    ),
    "SampleReport.floor": (st.nothing(), "a result is not looked at"),
    "records: path": (
        st.sampled_from([None, "results.csv", 7, Path("/nonexistent/results.csv"), Path("/")]),
        "no file",
    ),
    "features.check_images.name": (st.nothing(), "any word"),
    "note.where": (st.sampled_from([{"where": 7}, {"where": b"id"}]), "no words"),
    "Exuberance.window": (st.just(3), "a result is not looked at"),
    "swings.ranges": (
        st.sampled_from([None, {"magrin": (0.1, 0.2)}, {"margin": 3}, {"margin": (0.1, np.nan)}, {"margin": ("0", 1)}]),
        "names and ends",
    ),
}

# Class -> objects of it, where good arguments of its constructor do not fit together by chance.
INSTANCES: dict[str, st.SearchStrategy] = {
    "Fact": st.sampled_from([replace(fact, statement=f"{fact.statement} 608B, 2, $0.14.") for fact in facts()]),
    "Forecast": st.sampled_from(forecasts()),
    "Ledger": st.just(Ledger(replace(each, outcome="yes") for each in forecasts())),
    "Duty": st.sampled_from(DUTIES),
    "Exuberance": st.integers(0, 9).map(lambda seed: exuberance(random_walks(20, paths=3, seed=seed))),
}

# Tried with so many times fewer examples: they judge pictures, walk, or fill memory.
SLOW = {
    "metrics.hardware.bandwidth": 3,
    "metrics.samples.evaluate": 8,
    "metrics.distances.frechet_distance": 8,
    "metrics.likelihood.annealed_importance": 3,
}

# Not called: name -> why.
SKIPPED: dict[str, str] = {}

# Constructors of results that keep what they get, as named tuples do: name -> why.
HOLDERS: dict[str, str] = {
    "business.bubbles.Exuberance": "arrays that exuberance() has looked at",
    "metrics.estimate.Estimate": "any number that was measured",
    "metrics.samples.SampleReport": "estimates that evaluate() has made",
}

# May return what is not finite, as their docstrings say: name -> (what, when).
DOCUMENTED: dict[str, tuple[str, str]] = {
    "business.competition.volume_to_keep_profit": ("inf", "the new price does not cover the cost"),
    "business.clusters.hours_to_own": ("inf", "power costs the rent"),
    "business.competition.break_even_revenue": ("inf", "no margin is left"),
    "business.unit_economics.Account.markup": ("inf", "no cost"),
    "business.unit_economics.Fleet.break_even_tokens": ("inf", "the machine never pays"),
    "business.unit_economics.Fleet.lasting_tokens": ("inf", "the machine never pays"),
    "metrics.distances.psnr": ("inf", "the pictures are equal"),
    "metrics.likelihood.log_mean_exp": ("-inf", "all weights are 0"),
    "metrics.likelihood.importance_bound": ("-inf", "all weights are 0"),
    "metrics.text.perplexity": ("inf", "a symbol was impossible"),
    "metrics.text.bits_per_character": ("inf nan", "a symbol was impossible; too short for an error"),
    "metrics.text.next_token_loss": ("inf", "a token was impossible"),
}

# Words that stand for an argument in messages.
ALIASES: dict[str, tuple[str, ...]] = {
    "price": ("price_before", "price_after"),
    "volume": ("volume_before", "volume_after"),
    "margins": ("margin of",),
    "path": ("No such file", "Is a directory", "is missing", "is damaged", "the published file", "the checkpoint"),
    "urls": ("could not download", "the published file"),
    "target": ("cannot be a folder",),
}

# What networks, data, runs and the zoo need.
ROOMS += fuzz_networks.ROOMS
LIMITS |= fuzz_networks.LIMITS
GOOD |= {name: (strategy, "see fuzz_networks") for name, strategy in fuzz_networks.GOOD.items()}
BAD |= {name: (strategy, "see fuzz_networks") for name, strategy in fuzz_networks.BAD.items()}
INSTANCES |= fuzz_networks.INSTANCES
SKIPPED |= fuzz_networks.SKIPPED
HOLDERS |= fuzz_networks.HOLDERS
DOCUMENTED |= fuzz_networks.DOCUMENTED
ALIASES |= fuzz_networks.ALIASES
