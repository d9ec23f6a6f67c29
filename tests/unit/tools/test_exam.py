"""The exam bank: answers agree with the way to them that is printed, and with a computation that shares no code."""

import math
import re
import zipfile
from itertools import combinations, pairwise
from random import Random
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tools import exam
from tools.exams import moodle, qti
from tools.exams.question import BANK

SALT = b"a class"
QTI = {"q": qti.XMLNS}
BY_NAME = {question.name: question for question in BANK}


def of_pairs(d, count):
    """Interpolated Kneser-Ney after an a, counted here: pairs by kind, and contexts for the level below."""
    pairs = set(pairwise("abracadabra"))
    before = {symbol: len({a for a, b in pairs if b == symbol}) for symbol in "abcdr"}
    below = {s: (max(n - d, 0) + d * len(before) / 5) / sum(before.values()) for s, n in before.items()}
    return (count - d + d * 3 * below["b"]) / 4


def entropy(shares):
    """In bits."""
    return -sum(p * math.log2(p) for p in shares if p)


def divergence(data, made):
    """Jensen-Shannon's, of two coins, in nats."""
    p, q = np.array([data, 1 - data]), np.array([made, 1 - made])
    m = (p + q) / 2
    return float((p * np.log(p / m) + q * np.log(q / m)).sum() / 2)


WORDS = {  # questions whose way is told in words
    "codes": lambda first, second, third, fourth: (
        2 ** entropy([n / (first + second + third + fourth) for n in (first, second, third, fourth)])
    ),
    "game": lambda data, made: 2 * divergence(data, made) - math.log(4),
    "kneser-ney": of_pairs,
    "level": lambda sample: round((math.copysign(math.log1p(255 * abs(sample)) / math.log(256), sample) + 1) / 2 * 255),
}


def printed(worked):
    """Compute a line as a student would who types it into a calculator."""
    text = worked.replace(" x ", "*").replace("^", "**").replace("ln", "log")
    text = re.sub(r"\be\*\*(-?\d+)", r"exp(\1)", text)
    text = re.sub(r"\blog (\d+\.?\d*)", r"log(\1)", text)
    return eval(text, {"__builtins__": {}, "min": min, "max": max}, vars(math))


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.name)
def test_the_answer_is_what_the_printed_way_leads_to(question):
    for number in range(40):
        asked = question.draw(SALT, number)
        other = WORDS[question.name](**asked.given) if question.name in WORDS else printed(asked.worked)
        assert asked.answer == pytest.approx(other, rel=1e-3, abs=1e-9), (asked.worked, asked.given)


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.name)
def test_no_slip_passes_for_the_answer_or_for_another(question):
    for number in range(40):
        asked = question.draw(SALT, number)
        values = [asked.answer, *asked.slips.values()]
        assert len(values) > 1 and all(math.isfinite(value) for value in values)
        assert all(abs(a - b) > 2 * asked.tolerance for a, b in combinations(values, 2)), asked


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.name)
def test_copies_differ_and_each_number_is_in_the_text(question):
    copies = [question.draw(SALT, number) for number in range(40)]
    assert len({copy.text for copy in copies}) >= 3
    assert question.draw(SALT, 0) == copies[0] and question.ask(Random(1)) == question.ask(Random(1))
    assert [question.draw(b"another class", number).given for number in range(40)] != [copy.given for copy in copies]


def test_forty_questions_of_many_chapters_have_names_of_their_own():
    assert len(BY_NAME) == len(BANK) >= 40
    assert len({question.chapter for question in BANK}) >= 16


def test_moodle_marks_what_is_near_and_tells_slips_apart():
    root = ET.fromstring(moodle.document(BANK, SALT, copies=2))
    numerical = root.findall("question[@type='numerical']")
    assert len(numerical) == 2 * len(BANK) and len(root.findall("question[@type='category']")) == len(BANK)
    first = BANK[0].draw(SALT, 1)
    right, slip = numerical[0].findall("answer")[:2]
    assert right.get("fraction") == "100" and float(right.find("text").text) == first.answer
    assert float(right.find("tolerance").text) == pytest.approx(first.answer / 100)
    assert slip.get("fraction") == "0" and slip.find("feedback/text").text in first.slips


def score(item, response):
    """What Canvas would give: the points of the conditions that hold, and what it shows."""
    points, shown = 0.0, []
    for condition in item.findall("q:resprocessing/q:respcondition", QTI):
        low, high = (condition.find(f".//q:{name}", QTI) for name in ("vargte", "varlte"))
        if low is not None and not float(low.text) <= response <= float(high.text):
            continue
        points = max(points, float(condition.findtext("q:setvar", "0", QTI)))
        shown += [each.get("linkrefid") for each in condition.findall("q:displayfeedback", QTI)]
    return points, shown


def test_canvas_gets_an_archive_in_which_answers_score_and_slips_do_not(tmp_path):
    qti.write(tmp_path / "bank.zip", BANK, SALT, copies=3)
    with zipfile.ZipFile(tmp_path / "bank.zip") as archive:
        manifest = ET.fromstring(archive.read("imsmanifest.xml"))
        assert {file.get("href") for file in manifest.iter(f"{{{qti.PACKAGE}}}file")} <= set(archive.namelist())
        root = ET.fromstring(archive.read(qti.FILE))
    items = {item.get("ident"): item for item in root.iter(f"{{{qti.XMLNS}}}item")}
    assert len(items) == 3 * len(BANK)
    for question in BANK:
        asked, item = question.draw(SALT, 2), items[f"{question.name}-2"]
        feedback = {each.get("ident") for each in item.findall("q:itemfeedback", QTI)}
        assert score(item, asked.answer) == (100.0, ["general_fb"])
        for number, value in enumerate(asked.slips.values(), 1):
            assert score(item, value) == (0.0, ["general_fb", f"slip{number}_fb"]) and f"slip{number}_fb" in feedback


def test_the_command_writes_three_files_and_refuses_what_it_cannot_do(tmp_path, capsys):
    words = ["--salt", str(tmp_path / "salt"), "--copies", "2"]
    assert exam.main([str(tmp_path / "exam"), *words, "--chapters", "vae", "sound"]) == 0
    assert "4 questions, 2 copies each" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "exam").iterdir()) == ["canvas.zip", "moodle.xml", "paper.md"]
    paper = (tmp_path / "exam/paper.md").read_text()
    assert paper.count("\n4. ") == 2 and "# Solutions" in paper
    assert exam.main([str(tmp_path / "exam"), *words, "--chapters", "cooking"]) == 2
    assert exam.main([str(tmp_path / "exam"), *words[:2], "--copies", "0"]) == 2
    assert "no question is about cooking" in (told := capsys.readouterr().err) and "copies must be 1 or more" in told
