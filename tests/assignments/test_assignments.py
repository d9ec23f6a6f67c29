"""What holds for every assignment of a folder here: right in any words, wrong caught, stubs empty, variants solvable.

Solutions of ours need no sandbox: they run here, by the code that runs in the sandbox, so that libraries load once.
"""

import importlib.util
import json
import math
import re
import sys
from dataclasses import replace
from functools import cache, partial

import nbformat
import numpy as np
import pytest
import torch
from attacks import SALT

from tools.grading import handout, viva
from tools.grading.batch import Batch
from tools.grading.judge import Ask, Result, items, mark
from tools.grading.runner import Notebook, answered
from tools.grading.sandbox import Sandbox
from tools.grading.source import Source, broken, load, parse, solution, variant
from tools.grading.submissions import Submission
from tools.grading.values import Wrong
from tools.notebooks import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of mistakes that are meant
FOLDER = ROOT / "tests/assignments"
NAMES = ["gan-game", "vae", "language-model"]
load = cache(load)


class Here(Sandbox):
    """No sandbox and no process: the same runner, called."""

    def start(self) -> "Here.Direct":
        return self.Direct()

    class Direct:
        """Answers as the process would, in JSON."""

        def __init__(self) -> None:
            self.notebook = Notebook()

        def ask(self, question, seconds, cores=None):
            kept = sys.stdout, sys.stderr
            try:
                return json.loads(json.dumps(answered(self.notebook, json.loads(json.dumps(question)))))
            finally:
                sys.stdout, sys.stderr = kept

        def close(self) -> None:
            pass


def wrong(name: str) -> dict[str, str]:
    found = importlib.util.spec_from_file_location("wrong", FOLDER / name / "wrong.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.WRONG


def own(name: str, student: str = "ada") -> dict:
    return variant(load(name), SALT, student)


def marked(source: Source, cells: tuple[str, ...], student: str = "ada") -> Result:
    result = mark(source, Submission(student, "x", cells, digest="x"), SALT, Here())
    assert not result.alarm, result.alarm
    return result


def comments(result: Result) -> list[str]:
    return [f"{item['title']}: {item['comment']}" for item in result.items if item["comment"]]


def code(notebook: dict, *tags: str) -> tuple[str, ...]:
    """Cells of code; only those with these tags, if any are named."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return tuple("".join(each["source"]) for each in cells if not tags or set(tags) & set(each["metadata"]["tags"]))


@cache
def solved(name: str, student: str = "ada", checked: bool = False) -> tuple[str, ...]:
    """The teacher's cells, without the checks unless they are asked for."""
    tags = () if checked else ("given", "task", "mend", "predict")
    return code(handout.teacher(load(name), own(name, student)), *tags)


def full(name: str) -> float:
    return sum(item.points for item in items(load(name)))


def right(name: str, path) -> tuple[str, ...]:
    return load(name).code("given"), f"OWN = {own(name)}", path.read_text(encoding="utf-8")


RIGHT = [
    pytest.param(name, path, id=path.stem) for name in NAMES for path in sorted((FOLDER / name).glob("right_*.py"))
]
WRONG = [pytest.param(name, kind, id=f"{name}: {kind}") for name in NAMES for kind in wrong(name)]
BUGS = [pytest.param(name, bug, id=f"{name}: {bug}") for name in NAMES for bug in load(name).bugs]
each_one = pytest.mark.parametrize("name", NAMES)


@each_one
def test_the_teachers_notebook_gets_full_marks_and_passes_its_public_checks(name):
    result = marked(load(name), solved(name, checked=True))
    assert result.points == full(name) and not result.errors, (comments(result), result.errors)
    assert "not yet" not in result.log and result.log.count("right: ") == load(name).code("public").count("check("), (
        result.log
    )


@pytest.mark.parametrize(("name", "path"), RIGHT)
def test_a_right_solution_in_other_words_gets_full_marks(name, path):
    result = marked(load(name), right(name, path))
    assert (result.points, comments(result)) == (full(name), [])


@pytest.mark.parametrize(("name", "kind"), WRONG)
def test_a_wrong_solution_loses_points(name, kind):
    result = marked(load(name), (*solved(name), wrong(name)[kind]))
    assert result.points < full(name) and not result.errors
    assert len(comments(result)) <= 3, "more is lost than this mistake is about"


@pytest.mark.parametrize(("name", "bug"), BUGS)
def test_every_planted_mistake_loses_points_and_shows_in_a_public_check(name, bug):
    text = next(part.text for part in load(name).parts if part.kind == "mend")
    cells = [cell.replace(text, broken(text, load(name).bugs, bug)) for cell in solved(name, checked=True)]
    result = marked(load(name), tuple(cells))
    assert result.points < full(name) and "not yet" in result.log, result.log


@each_one
def test_the_notebook_as_it_is_handed_out_passes_nothing_and_tells_hints(name):
    cells = handout.student(load(name), own(name), 1)
    result = marked(load(name), code(cells))
    assert result.points == 0, [item for item in result.items if item["points"]]
    assert result.log.count("hint 1 of") > 10


@each_one
def test_the_student_sees_no_solution_and_no_hidden_test(name):
    made = handout.student(load(name), own(name), len(items(load(name))))
    nbformat.validate(nbformat.from_dict(made), relax_add_props=False)
    text = json.dumps(made)
    assert f"there are {len(items(load(name)))} hidden tests" in text and "{{" not in text and "<!-- task" not in text
    for secret in ("@hidden", "BUGS", own(name)["bug"], "def variant", "@viva"):
        assert secret not in text
    assert not re.search(r"truth\.\w", text)
    inside = [line.strip() for part in load(name).parts if part.kind == "task" for line in part.text.splitlines()]
    bodies = [line for line in inside if line.startswith(("return ", "for ", "while "))]
    assert bodies and not [line for line in bodies if json.dumps(line)[1:-1] in text and len(line) > 30]


@each_one
def test_it_says_what_is_learned_how_long_it_takes_and_how_words_are_judged(name):
    text = load(name).code("text")
    hours = load(name).settings["hours"]
    assert "After this you can" in text and "Read first:" in text and int(hours) >= 3
    words = ["no", "one", "two", "three", "four", "five", "six"]
    assert f"**About {words[int(hours)]} hours.**" in text
    assert text.count("A person reads this") == load(name).code("answer").count("<!-- answer") >= 2


@each_one
def test_a_talk_has_three_questions_with_computed_answers(name):
    path = sorted((FOLDER / name).glob("right_*.py"))[0]
    submission = Submission("ada", "x", right(name, path), digest="x")
    page = viva.page(load(name), submission, SALT, Here())
    said = re.findall(r"This notebook: (\S+) becomes (\S+?)\. The solution: (\S+) becomes (\S+?)\.\*", page)
    assert len(said) == 3 and all(a == c and b == d and a != b for a, b, c, d in said), page
    assert page.count("    def ") >= 3
    others = {viva.page(load(name), replace(submission, student=f"s{n}"), SALT, Here()) for n in range(3)}
    assert len(others) == 3


@each_one
def test_every_question_of_a_talk_changes_a_number(name):
    truth = solution(load(name), own(name))
    asked = viva.questions(load(name))
    assert len(asked) >= 6
    for each in asked:
        before, after = (viva._said(partial(truth[each.name], *given)) for given in each.inputs(own(name)))
        assert before != after and "n" not in before + after, (each.change, before, after)


@each_one
def test_a_thousand_students_have_a_thousand_assignments_which_all_can_be_solved(name):
    source = load(name)
    owns = [variant(source, SALT, f"student {number}") for number in range(1_000)]
    assert len({repr(each) for each in owns}) == 1_000 and {each["bug"] for each in owns} == set(source.bugs)
    assert owns[7] == variant(source, SALT, "student 7") != variant(source, b"another salt", "student 7")
    for number, each in enumerate(owns):
        CAN_BE_SOLVED[name](each, solution(source, each) if number % EVERY[name] == 0 else None)


@each_one
def test_what_somebody_else_was_given_does_not_help(name):
    result = marked(load(name), solved(name, "ben"))
    assert full(name) - 6 < result.points < full(name) and any("your own" in each for each in comments(result))


@each_one
def test_it_runs_with_the_limits_that_it_asks_for(name, tmp_path):
    batch = Batch(load(name), SALT, tmp_path, trust=True)
    result = mark(load(name), Submission("ada", "x", solved(name, checked=True), digest="x"), SALT, batch.sandbox(0))
    assert result.points == full(name) and not result.errors


def test_the_gan_is_that_of_the_package_and_of_autograd():
    from scipy.spatial.distance import jensenshannon

    mine, truth = own("gan-game"), solution(load("gan-game"), own("gan-game"))
    assert truth["my_divergence"] == pytest.approx(jensenshannon(mine["p"], mine["q"]) ** 2)
    real, noise = torch.randn(2, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    state = torch.tensor([0.3, 0.8, 0.1, 0.4, 0.5], dtype=torch.float64, requires_grad=True)

    def logit(x, at):
        return at[2] + at[3] * x + at[4] * x**2

    fake, log_d = state[0] + state[1] * noise, torch.nn.functional.logsigmoid
    steep = state[3] + 2 * state[4] * real
    value = log_d(logit(real, state)).mean() + log_d(-logit(fake, state)).mean() - 0.7 / 2 * steep.square().mean()
    (up,) = torch.autograd.grad(value, state)
    up[:2] = 0
    new = (state + 0.1 * up).detach().requires_grad_()
    loss = -log_d(logit(new[0] + new[1] * noise, new)).mean()
    (down,) = torch.autograd.grad(loss, new)
    down[2:] = 0
    found = truth["one_round"](state.tolist(), real.tolist(), noise.tolist(), 0.1, 0.7)
    assert found == pytest.approx((new - 0.1 * down).tolist())


def test_the_bound_is_that_of_the_package():
    from genai_utils.models import vae

    truth = solution(load("vae"), own("vae"))
    mean, log_var, noise = torch.randn(3, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x, loading = torch.ones(5, 3, dtype=torch.float64), torch.eye(3, 2, dtype=torch.float64)
    z = vae.reparameterize(mean, log_var, noise)
    whole = vae.log_normal(x, z @ loading.T, 2 * torch.tensor(-0.4)) - vae.gaussian_kl(mean, log_var).sum(1)
    assert torch.allclose(truth["bound"](x, mean, log_var, noise, loading, -0.4), whole)
    assert torch.equal(truth["gaussian_kl"](mean, log_var), vae.gaussian_kl(mean, log_var))
    assert truth["active_units"](mean) == int(vae.active_units(mean).sum())
    rows = truth["data"](own("vae")["variances"])
    assert np.linalg.eigvalsh(rows.T @ rows / len(rows))[::-1] == pytest.approx(own("vae")["variances"])


def test_the_language_model_is_that_of_the_package_and_the_chapter():
    from genai_utils.metrics.text import bits_per_character, perplexity
    from genai_utils.models.sampling import Decoding
    from tools.grading.source import function

    truth = solution(load("language-model"), own("language-model"))
    surprises = np.log([0.5, 0.1, 0.9])
    assert truth["perplexity"](surprises) == pytest.approx(perplexity(surprises))
    assert truth["bits_per_character"](surprises, 7) == pytest.approx(bits_per_character(surprises, 7).value)
    logits = torch.randn(1, 9, generator=torch.Generator().manual_seed(0))
    ours = truth["chances"](logits[0].tolist(), 1.3, 5, 0.8)
    assert ours == pytest.approx(Decoding(1.3, top_k=5, top_p=0.8).probabilities(logits)[0].numpy(), abs=1e-6)
    names = {"torch": torch, "math": math}
    exec(function("transformers", "causal_attend"), names)
    x, *weights = torch.randn(4, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert np.allclose(
        truth["attention"](*(each.numpy() for each in (x, *weights)), 1), names["causal_attend"](x, weights)
    )


def test_a_source_takes_functions_as_they_are_and_mends_its_own():
    text = """# X

<!-- given: language-models merged -->

```python tags=["mend"]
def twice(x):
    return 2 * x
```

```python tags=["bugs"]
BUGS = {"thrice": ("2 *", "3 *")}
```
"""
    source = parse("x", text)
    handed, solved_by = code(handout.student(source, {"bug": "thrice"}, 1)), code(handout.teacher(source, {}))
    assert "3 * x" in handed[-1] and "2 * x" in solved_by[-1] and handed[1] == solved_by[1]
    assert "out.append" in handed[1] and solution(source, {})["merged"](("a", "b"), ("a", "b")) == ("ab",)


def test_an_array_is_asked_for_by_its_shape():
    cells = (
        "def table(x): return [[x, 2.0], [3, 4]]",
        "one, words, ragged, lost = 1.5, 'abc', [[1], [2, 3]], [float('nan')]",
    )
    ask = Ask(Here(), cells)
    assert ask.array("table", 1, shape=(2, 2)).tolist() == [[1, 2], [3, 4]] and ask.value("one", shape=()) == 1.5
    assert ask.value("words") == "abc"
    for question in (
        lambda: ask.array("table", 1, shape=(4,)),
        lambda: ask.array("table", "x", shape=(2, 2)),
        lambda: ask.array("table", float("inf"), shape=(2, 2)),
        *(lambda name=name: ask.value(name, shape=(1,)) for name in ("one", "words", "ragged", "lost")),
    ):
        with pytest.raises(Wrong):
            question()


EVERY = {"gan-game": 1, "vae": 1, "language-model": 10}
HOME = {}


def gan_can_be_solved(own, truth):
    """The package's numbers, and a brake that works; tried once for each kind of data."""
    assert truth["my_divergence"] > 0 and truth["my_spread"] > 1 and min(own["p"] + own["q"]) > 0
    kind = abs(own["mean"]), own["sd"]
    if kind not in HOME:
        data, off = own["mean"] + own["sd"] * truth["evenly"](), {}
        for brake in (truth["my_brake"], 0.0):
            path = truth["journey"](data, truth["evenly"](), 600, 0.2, brake)
            off[brake] = truth["worst_of"](path, own["mean"], own["sd"], 100)
        HOME[kind] = off[truth["my_brake"]] < 0.05 < off[0.0], off
    assert HOME[kind][0], (kind, HOME[kind])
    assert np.isclose(sum(own["p"]), 1) and np.isclose(sum(own["q"]), 1)


def vae_can_be_solved(own, truth):
    """Some units live and some die, with room to spare; a noise that is learned wakes all."""
    margin = [v / own["noise"] ** 2 for v in own["variances"][:4]]
    assert 1 <= truth["my_alive"] <= 3 and min(abs(np.log(margin))) > 0.1 and truth["my_gain"] > 0.05
    wakes = truth["best_noise"](own["variances"], 4)
    assert truth["alive"](own["variances"], 4, wakes) == 4 and own["variances"] == sorted(own["variances"])[::-1]


def language_can_be_solved(own, truth):
    """The higher perplexity is the better model, and pairs suffice; a tenth of the tokenizers is trained."""
    bits = [math.log2(own["one"]) / own["one_long"], math.log2(own["other"]) / own["other_long"]]
    assert bits[0] < bits[1] - 0.1 and own["one"] > own["other"]
    if truth:
        assert len(truth["train_bpe"](own["text"], own["merges"])) == own["merges"]
        assert 8 < truth["my_tokens"] < len(own["sentence"]) and np.isclose(sum(truth["my_chances"]), 1)


CAN_BE_SOLVED = {"gan-game": gan_can_be_solved, "vae": vae_can_be_solved, "language-model": language_can_be_solved}
