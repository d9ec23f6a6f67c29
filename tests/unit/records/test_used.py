"""Whoever reads a record leaves a note of just that: the notebook that did so is stale when it changes."""

import pytest

from genai_utils import zoo
from genai_utils.records import used
from genai_utils.records.facts import fact, facts
from genai_utils.records.forecasts import forecasts
from genai_utils.records.results import measured, results
from genai_utils.records.scaling import scaling_runs
from tools.notebooks import ROOT
from tools.stamps import digests


@pytest.mark.parametrize(
    ("read", "notes"),
    [
        (lambda: fact("B-U4"), {"records/facts.csv?id=B-U4"}),
        (lambda: facts("GPU price"), {"records/facts.csv?topic=GPU+price"}),
        (facts, {"records/facts.csv"}),
        (forecasts, {"records/forecasts.csv"}),
        (lambda: scaling_runs("no positions"), {"records/scaling.csv?variant=no+positions"}),
        (lambda: scaling_runs(None), {"records/scaling.csv"}),
        (results, {"records/results.csv"}),
        (
            lambda: measured("bits_per_dim", "probability", "vae"),
            {f"records/results.csv?chapter={chapter}#model,bits_per_dim" for chapter in ("probability", "vae")},
        ),
        (lambda: zoo.load("vqvae"), {"zoo/catalogue.csv?name=vqvae"}),
        (lambda: zoo.seconds("gpt"), {"zoo/catalogue.csv?name=gpt#seconds"}),
        (lambda: zoo.card("vae"), {"zoo/weights/vae.md"}),
    ],
)
def test_a_reader_notes_what_it_read_and_nothing_more(monkeypatch, read, notes):
    monkeypatch.setattr(used, "noted", set())
    read()
    addresses = {file.relative_to(ROOT).as_posix() + part for file, part in used.noted}
    assert addresses == {f"genai_utils/{note}" for note in notes}
    assert all(digests(ROOT, addresses).values()), "nothing lies there"
