import json

import pytest

from tools.collect_results import MIME, collect
from tools.stamps import RESULTS

HEAD = (
    "chapter,model,data,parameters,steps,seconds,bits_per_dim,likelihood,bits_per_character,bits_per_sample,n,"
    "frechet,coverage,usd_per_1000"
)
ROW = {"chapter": "", "model": "toy", "seconds": 1.23456789, "bits_per_dim": None}


def project(folder, *rows):
    (folder / RESULTS).parent.mkdir(parents=True)
    (folder / "notebooks").mkdir()
    files = "".join(f"      - file: {file}\n" for file in ("book/page", "notebooks/b", "notebooks/a", "notebooks/new"))
    (folder / "_toc.yml").write_text(f"parts:\n  - chapters:\n{files}")
    for name in "ab":
        outputs = [{"data": {MIME: row}} for row in rows] + [{"name": "stdout"}]
        cells = [{"cell_type": "code", "source": "", "metadata": {}} | more for more in ({"outputs": outputs}, {})]
        (folder / "notebooks" / f"{name}.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
    return folder


def test_the_table_follows_the_contents_of_the_book_and_skips_what_is_not_executed(tmp_path):
    collect(project(tmp_path, ROW))
    assert (tmp_path / RESULTS).read_text() == f"{HEAD}\nb,toy,,,,1.235,,,,,,,,\na,toy,,,,1.235,,,,,,,,\n"


def test_two_models_of_one_name_in_a_chapter_are_refused_and_the_old_table_stays(tmp_path):
    folder = project(tmp_path, ROW, ROW)
    (folder / RESULTS).write_text("old")
    with pytest.raises(ValueError, match="b has two results of one name"):
        collect(folder)
    assert (folder / RESULTS).read_text() == "old"


@pytest.mark.parametrize("damage", [b"\xef\xbb\xbf", b"\xe9", b"\r\n"])
def test_a_damaged_table_is_written_anew(damage, tmp_path):
    collect(folder := project(tmp_path, ROW))
    whole = (folder / RESULTS).read_bytes()
    (folder / RESULTS).write_bytes(whole.replace(b"\n", damage) if damage == b"\r\n" else damage + whole)
    collect(folder)
    assert (folder / RESULTS).read_bytes() == whole
