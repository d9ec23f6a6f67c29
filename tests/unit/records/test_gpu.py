"""What a GPU measured is read by id; before one has, there is nothing, and a page can say so."""

import json
from datetime import date

import pytest

from genai_utils.records import gpu, used
from tools.gpu import keep
from tools.notebooks import ROOT
from tools.stamps import changed, digests

HEAD = "id,value,spread,unit,device,date\n"
ROW = "peak.bf16,7.9e+14,1e+12,operations/s,Some GPU,2026-11-28\n"


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table that does not exist yet."""
    path = tmp_path / "genai_utils" / "records" / "gpu.csv"
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(gpu, "TABLE", path)
    monkeypatch.setattr(used, "noted", set())
    return path


def test_without_a_table_nothing_is_known(table):
    assert gpu.measured_on_gpu("peak.bf16") is None


def test_a_figure_has_value_spread_unit_device_and_date(table):
    table.write_text(HEAD + ROW + "dcgan.seconds,41,,s,Some GPU,2026-11-28\n")
    found = gpu.measured_on_gpu("peak.bf16")
    assert (float(found), found.spread, found.device, found.date) == (7.9e14, 1e12, "Some GPU", date(2026, 11, 28))
    assert str(gpu.measured_on_gpu("dcgan.seconds")) == "41 s (Some GPU, 2026-11-28)"
    assert gpu.measured_on_gpu("dcgan.second") is None


def test_a_chapter_that_asked_is_stale_when_its_row_appears_and_not_when_another_does(table, tmp_path):
    gpu.measured_on_gpu("peak.bf16")
    (address,) = (path.relative_to(tmp_path).as_posix() + part for path, part in used.noted)
    stamp = digests(tmp_path, [address])
    assert changed(tmp_path, stamp) is None
    table.write_text(HEAD + ROW.replace("bf16", "fp32"))
    assert changed(tmp_path, stamp) is None
    table.write_text(HEAD + ROW)
    assert "peak.bf16" in changed(tmp_path, stamp)


def test_what_a_model_wrote_is_given_text_by_text_and_nothing_before_a_gpu_trained_one(table, monkeypatch):
    monkeypatch.setattr(gpu, "SAMPLES", table.with_name("gpu_samples.txt"))
    assert gpu.written_on_gpu() == []
    gpu.SAMPLES.write_text(f"first\nline two\n\n{gpu.PARTED}\n\nsecond\n\n{gpu.PARTED}\n")
    assert gpu.written_on_gpu() == ["first\nline two", "second"]


@pytest.mark.skipif(not (ROOT / keep.RESULT).exists(), reason="no GPU has measured yet")
def test_the_table_is_what_the_results_say():
    found = json.loads((ROOT / keep.RESULT).read_text(encoding="utf-8"))
    assert (ROOT / keep.TABLE).read_text(encoding="utf-8") == keep.table(found), "run tools.gpu_check --keep"


def test_there_are_both_files_or_none():
    assert (ROOT / keep.RESULT).exists() == (ROOT / keep.TABLE).exists()
