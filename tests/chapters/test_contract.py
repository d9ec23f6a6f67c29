"""The rules of contract.py accept a good chapter and name what is wrong with a spoilt one."""

import re
from copy import deepcopy
from dataclasses import replace

import contract
import jupytext
import pytest
from contract import BOOK_RULES, CHAPTER_RULES, Book, Chapter, announced, leads_with_the_answer, read_book
from nbformat.v4 import new_output

from _ext import equation_tests
from genai_utils.records.claims import MIME
from tools.notebooks import MARKDOWN, ROOT, WIDGETS, Project

SETUP = "import genai_utils as gu\ngu.start(seed=0)"
QUIZ = "\n\n".join(
    f"> **Quiz {number}.** Why?\n>\n"
    + "\n".join(f"> - <details><summary>choice {choice}</summary>because {choice}</details>" for choice in "abc")
    for number in range(1, 6)
)
EXERCISES = "\n\n".join(
    f'> **Exercise {number}{title}.** Do it.\n\n```python tags=["hide-cell"]\n#@title Solution\nprint({number})\n```'
    for number, title in enumerate(["", "", "", " (bug hunt)"], start=1)
)
TEXT = f"""\
# A title

**Question.** Does it hold? An hour costs what fact B-U1 says, and $2$ or $3$ is a number.

```python tags=["setup"]
{SETUP}
```

> **Predict.** Guess. See [Author, 2014](https://arxiv.org/abs/1406.2661) and ![a curve that falls](x.png).

$$
V = 1 \\tag{{gan.value}}
$$

We use (gan.value).

```python
def fit(run):
    for x in run.batches(images):
        run.step(x)
```

```python tags=["nbval-ignore-output"]
fit(run)
```

```python
print(fact("B-U1"))
```

```python tags=["remove-cell"]
sliders(cost, live, hours=(1, 2))
```

```python
low = measure()
claim("gan.a", "It falls.", source="x", supported=low < 1, refuted=low > 1, evidence=f"{{low:.2f}}")
```

```python tags=["hide-input"]
#@title Draw: what falls
fig, ax = plt.subplots()
figure(fig, alt=f"With R1 it falls to {{low:.2f}} until 2026.")
```

> **Business.** It pays.

## Exercises

{EXERCISES}

## Quiz

{QUIZ}

## Going further

Read on.
"""


def chapter(text: str = TEXT) -> Chapter:
    """A chapter as if it had been executed: each code cell prints, the last one also shows a figure and four claims."""
    notebook = jupytext.reads(text, fmt=MARKDOWN)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        cell.outputs = [] if cell.source.startswith("def ") else [new_output("stream", name="stdout", text="1\n")]
    code[-1].outputs += [
        new_output("display_data", data={"image/png": "aGk="}, metadata={"image/png": {"alt": "it falls"}}),
        new_output("display_data", data={"text/html": '<img src="data:image/gif;base64,AA/home/A" alt="it moves">'}),
        *(new_output("display_data", data={MIME: claim(f"gan.{letter}")}) for letter in "abcd"),
    ]
    notebook.metadata["widgets"] = {WIDGETS: {"state": {"1": {"state": {"_esm": "export default {}"}}}}}
    return Chapter("good", notebook, size=1000, setup_cell=SETUP)


def claim(name: str) -> dict[str, str]:
    said = {"id": name, "text": "It holds.", "source": "x", "verdict": "supported"}
    return said | {"evidence": "it costs $2", "alternative": "luck"}


LANDING = """\
# A course

- [Good](../notebooks/good.ipynb#question): it is.

## What is coming

- **Models**: Diffusion, GAN stability
"""


def book(*chapters: Chapter) -> Book:
    return Book(list(chapters), "@article{x, eprint = {1406.2661}}", {"B-U1"}, {"gan.value"}, ["good"], LANDING)


def complaints(spoilt: Chapter) -> dict[str, list[str]]:
    found = {rule.__name__: list(rule(spoilt)) for rule in CHAPTER_RULES}
    found |= {rule.__name__: list(rule(book(spoilt))) for rule in BOOK_RULES}
    return {rule: problems for rule, problems in found.items() if problems}


def test_a_good_chapter_breaks_no_rule():
    assert complaints(chapter()) == {}


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("begins_with_its_title", "# A title\n", "A title\n"),
        ("has_its_sections", "**Question.** Does", "Does"),
        ("has_its_sections", "> **Predict.**", "**Predict.**"),
        ("has_its_sections", "> **Business.**", "> Business."),
        ("has_its_sections", "## Going further", "## More"),
        ("names_its_equations", "gan.value", "Value 1"),
        ("has_exercises", "Exercise 4 (bug hunt)", "Note"),
        ("has_exercises", "Exercise 2", "Exercise 3"),
        ("has_exercises", " (bug hunt)", ""),
        ("solves_its_exercises", 'tags=["hide-cell"]\n#@title Solution\nprint(2)', "\nprint(2)"),
        ("solves_its_exercises", 'tags=["hide-cell"]\n#@title Solution\nprint(4)', "\nprint(4)"),
        ("folds_its_solutions", "#@title Solution\nprint(2)", "print(2)"),
        ("folds_its_solutions", 'tags=["hide-cell"]\n#@title Solution\nprint(2)', "\n#@title Solution\nprint(2)"),
        ("has_a_quiz", "**Quiz 3.**", "**Question 3.**"),
        ("has_a_quiz", "because b", ""),
        ("has_a_quiz", "<details><summary>choice b</summary>because b</details>", "b"),
        ("keeps_cells_short", "print(fact", "\n".join(["# line"] * 40) + "\nprint(fact"),
        ("folds_what_only_draws", "#@title Draw: what falls\n", ""),
        ("folds_what_only_draws", ' tags=["hide-input"]\n#@title Draw', "\n#@title Draw"),
        ("folds_what_only_draws", "figure(fig, alt", "print(fig, alt"),
        ("folds_what_only_draws", "fig, ax = plt.subplots()", "assert low"),
        ("folds_what_only_draws", "print(2)", "print(ax)"),
        ("leaves_sliders_to_notebooks", ' tags=["remove-cell"]\nsliders', "\nsliders"),
        ("leaves_sliders_to_notebooks", "sliders(cost", "print(cost"),
        ("computes_its_verdicts", "supported=low < 1", "supported=not False"),
        ("computes_its_verdicts", "refuted=low > 1", "refuted=1 > 2"),
        ("computes_its_verdicts", "low = measure()", "low = True"),
        ("writes_plain_markdown", "Read on.", "See {eq}`value`."),
        ("writes_plain_markdown", "Read on.", ":::{note}\nx\n:::"),
        ("writes_plain_markdown", "Read on.", "> ```{note}\n> x\n> ```"),
        ("writes_plain_markdown", "## Going", "(going)=\n## Going"),
        ("suits_every_front_end", 'print(fact("B-U1"))', 'print(fact("B-U1"));'),
        ("suits_every_front_end", 'print(fact("B-U1"))', 'widgets.Play(fact("B-U1"))'),
        ("suits_every_front_end", "Read on.", "```bash\nls\n```"),
        ("describes_its_images", "![a curve that falls]", "![]"),
        ("tags_training_and_widgets", 'tags=["nbval-ignore-output"]\nfit(run)', "\nfit(run)"),
        ("tags_training_and_widgets", "print(fact", "optimizer.step()\nprint(fact"),
        ("sources_its_money", "It pays.", "It costs \\$2.10 an hour."),
        ("sources_its_money", "It pays.", "It costs $5 to $10 an hour."),
        ("sources_its_money", "It pays.", "It costs 20 €."),
        ("begins_with_the_setup_cell", SETUP, SETUP + "\nprint()"),
        ("begins_with_the_setup_cell", 'tags=["setup"]', ""),
        ("names_each_equation_once", "We use", "$$\nV \\tag{gan.value}\n$$\n\nWe use"),
        ("verifies_each_equation", "\\tag{gan.value}", "\\tag{gan.jsd}"),
        ("refers_to_equations_that_exist", "We use (gan.value)", "We use (gan.valeu)"),
        ("cites_what_the_bibliography_has", "1406.2661", "1406.2662"),
        ("cites_what_the_bibliography_has", "arxiv.org/abs/1406.2661", "doi.org/10.1000/182"),
        ("uses_facts_that_exist", 'fact("B-U1")', 'fact("B-U99")'),
        ("uses_facts_that_exist", "fact B-U1", "fact B-U99"),
    ],
)
def test_a_spoilt_text_is_found_by_its_rule(rule, old, new):
    assert old in TEXT
    assert rule in complaints(chapter(TEXT.replace(old, new)))


TOO_MUCH = {
    "words of prose": ("It pays.", "It pays. " * 2_300),
    "code cells": ("It pays.", "It pays.\n\n" + "```python\nx = 1\n```\n\n" * 42),
    "lines of code outside solutions": ("print(fact", "x = 1\n" * 540 + "print(fact"),
    "lines of code with more than 100": ("print(fact", "x = " + "1" * 97 + "\nprint(fact"),
    "alt texts": ("until 2026", "in 300 steps"),
    "alt texts, negative": ("until 2026", "to -0.4"),
    "alt texts, in a list": (
        'R1 it falls to {low:.2f} until 2026."',
        'R1 " + ", ".join(f"{name}: 5 of 8" for name in low)',
    ),
    "alt texts, named": ("figure(fig, alt=", 'words = f"9 {low}"\nfigure(fig, words, '),
    "cells that only draw": (' tags=["hide-input"]\n#@title Draw', "\n# Draw"),
}


@pytest.mark.parametrize("cap", TOO_MUCH)
def test_a_chapter_that_exceeds_a_cap_is_found(cap):
    old, new = TOO_MUCH[cap]
    assert old in TEXT
    (problem,) = complaints(chapter(TEXT.replace(old, new)))["keeps_to_its_caps"]
    assert cap.split(",")[0] in problem


def test_years_names_keys_and_formats_are_no_numbers_of_an_alt_text():
    fine = "{table['step 9']:.2f}, GLM-3, V2-Lite, 2008-09"
    assert complaints(chapter(TEXT.replace("until 2026", fine))) == {}


def test_a_drawing_may_make_names_that_a_later_cell_makes_anew_before_another_needs_them():
    later = TEXT.replace("print(2)", "fig = 2").replace("print(3)", "print(fig)")
    assert complaints(chapter(later)) == {}


def last_outputs(spoilt: Chapter) -> list:
    return spoilt.code[-1].outputs


SPOILERS = {
    "describes_its_images, figure": lambda it: last_outputs(it)[1].metadata.clear(),
    "describes_its_images, animation": lambda it: last_outputs(it)[2].data.update({"text/html": '<img src="x.gif">'}),
    "makes_claims, only three": lambda it: last_outputs(it).pop(),
    "makes_claims, verdict": lambda it: last_outputs(it)[3].data[MIME].update(verdict="true"),
    "makes_each_claim_once": lambda it: last_outputs(it)[3].data[MIME].update(id="gan.b"),
    "keeps_to_its_caps, no other explanation": lambda it: last_outputs(it)[3].data[MIME].update(alternative=" "),
    "sources_its_money, claim": lambda it: last_outputs(it)[3].data[MIME].update(text="It costs $2."),
    "names_no_machine, printed": lambda it: last_outputs(it)[0].update(text="saved to /Users/me/x.pt\n"),
    "names_no_machine, html": lambda it: last_outputs(it)[2].data.update({"text/html": "in /home/me/x"}),
    "names_no_machine, widget": lambda it: it.notebook.metadata.widgets[WIDGETS]["state"]["1"]["state"].update(
        _esm="// /root/x.js"
    ),
    "tags_training_and_widgets": lambda it: last_outputs(it)[0].update(
        output_type="display_data", data={"application/vnd.jupyter.widget-view+json": {}}
    ),
    "is_executed, cleared": lambda it: it.code[2].update(execution_count=None, outputs=[]),
    "is_executed, failed": lambda it: it.code[3].update(outputs=[new_output("error", traceback=[])]),
    "is_executed, nothing compared": lambda it: [cell.update(outputs=[]) for cell in it.code],
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_spoilt_output_is_found_by_its_rule(spoiler):
    spoilt = chapter()
    SPOILERS[spoiler](spoilt)
    assert spoiler.split(",")[0] in complaints(spoilt)


def test_a_large_notebook_is_found():
    assert "stays_small" in complaints(replace(chapter(), size=1_500_001))


def test_a_claim_or_an_equation_of_another_chapter_is_found_again():
    found = {rule.__name__ for rule in BOOK_RULES if list(rule(book(chapter(), deepcopy(chapter()))))}
    assert found == {"makes_each_claim_once", "names_each_equation_once"}


LISTS = {
    "is_in_the_contents, lacking": (dict(contents=[]), "_toc.yml lacks good: add `- file: notebooks/good`"),
    "is_in_the_contents, unknown": (
        dict(contents=["good", "old"]),
        "_toc.yml lists notebooks/old, which has no text: write book/chapters/old.md or take it out",
    ),
    "is_on_the_landing_page, lacking": (
        dict(landing=LANDING.replace("good.ipynb", "better.ipynb")),
        "book/intro.md lacks good: add `- [Title](../notebooks/good.ipynb): in one sentence.` below",
    ),
    "is_on_the_landing_page, still to come": (
        dict(landing=LANDING.replace("Diffusion", "Diffusion, Good")),
        'book/intro.md announces good, which is here: take it out of "What is coming"',
    ),
}


@pytest.mark.parametrize("lists", LISTS)
def test_a_chapter_that_a_list_lacks_is_named_with_the_remedy(lists):
    rules = {rule.__name__: rule for rule in BOOK_RULES}
    changes, sentence = LISTS[lists]
    (problem,) = rules[lists.split(",")[0]](replace(book(chapter()), **changes))
    assert problem.startswith(sentence)


def test_a_landing_page_without_announcements_announces_nothing():
    assert announced(LANDING) == {"diffusion", "gan-stability"}
    assert announced(LANDING.split("## What")[0]) == set()


# What a newcomer must be shown in the message that refuses a chapter without it.
FORMATS = {
    "has_exercises": ("**Exercise 2", "> **Exercise 4.** ..."),
    "solves_its_exercises": ("#@title Solution", "tagged hide-cell, that begins with #@title Solution"),
    "has_a_quiz": ("**Quiz", "> **Quiz 1.** ... to 5"),
    "has_a_quiz, choices": ("<details><summary>choice a", "<details><summary>choice</summary>explanation</details>"),
}


def doc(title: str) -> str:
    """The section of CONTRIBUTING.md with this title."""
    return re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL | re.M)[1]


@pytest.mark.parametrize("rule", FORMATS)
def test_a_refusal_shows_the_format_and_where_an_example_stands(rule):
    old, form = FORMATS[rule]
    new = old.replace("hide-cell", "").replace("**", "").replace("<details>", "").replace("Solution", "Answer")
    said = complaints(chapter(TEXT.replace(f'tags=["hide-cell"]\n{old}', new).replace(old, new)))[rule.split(",")[0]]
    assert form in said[0] and contract.SHOWN in said[0]


def test_a_refusal_of_too_few_claims_shows_how_to_make_one():
    spoilt = chapter()
    last_outputs(spoilt).pop()
    (problem,) = complaints(spoilt)["makes_claims"]
    assert "claim(" in problem and "supported=" in problem and contract.SHOWN in problem


def test_the_example_in_contributing_is_accepted():
    title = re.search('"(.+)"', contract.SHOWN)[1]
    example = re.search(r"^````markdown\n(.*?)^````$", doc(title), re.DOTALL | re.M)[1]
    first = re.compile(r"> \*\*(?:Exercise|Quiz) 1\..*?(?=> \*\*(?:Exercise|Quiz) 2)", re.DOTALL)
    assert len(first.findall(TEXT)) == 2 and {"**Exercise 1.**", "**Quiz 1.**"} <= set(
        re.findall(r"\*\*.+?\*\*", example)
    )
    assert complaints(chapter(first.sub("", TEXT).replace("## Exercises", f"{example}\n## Exercises"))) == {}


def managers_chapter(anchor: str = "exercises") -> Chapter:
    """As `chapter`, folded, and led by a cell with an answer and a figure."""
    question = next(line for line in TEXT.splitlines() if line.startswith("**Question.**"))
    led = f"```python\nanswer()\n```\n\n{question}\n\n> **Predict.**"
    text = TEXT.replace(question, "").replace("> **Predict.**", led)
    made = chapter(text)
    made.notebook.metadata["genai"] = {"fold": True}
    made.code[1].outputs += [
        new_output("display_data", data={"text/html": f'<section class="genai-answer"><a href="#{anchor}">x</a>'}),
        new_output("display_data", data={"image/png": "aGk="}, metadata={"image/png": {"alt": "it falls"}}),
    ]
    return made


def test_a_managers_chapter_leads_with_its_answer_and_a_figure():
    assert list(leads_with_the_answer(managers_chapter())) == []
    assert "no-such-section" in next(leads_with_the_answer(managers_chapter("no-such-section")))
    for lost in range(2):
        made = managers_chapter()
        del made.code[1].outputs[-1 - lost]
        assert "does not lead with show.answer" in next(leads_with_the_answer(made))
    late = managers_chapter()
    late.notebook.cells[0].source += "\n\n" + "Much ado. " * 30
    assert "more than its title" in next(leads_with_the_answer(late))
    assert list(leads_with_the_answer(chapter())) == []


def test_every_rule_is_shown_to_fail():
    shown = {mark[0] for mark in test_a_spoilt_text_is_found_by_its_rule.pytestmark[0].args[1]}
    shown |= {spoiler.split(",")[0] for spoiler in [*SPOILERS, *LISTS]} | {"stays_small", "keeps_to_its_caps"}
    shown |= {"leads_with_the_answer"}
    assert shown == {rule.__name__ for rule in CHAPTER_RULES + BOOK_RULES}


def test_verified_equations_are_read_from_the_decorators_of_tests_only(tmp_path):
    path = tmp_path / "tests" / "equations" / "test_x.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        '@pytest.mark.verifies("gan.a", "gan.e")\n@given(x())\ndef test_a(x): ...\n\n\n'
        '@verifies("gan.b")\ndef test_b(): ...\n\n\n@verifies("gan.c")\ndef helper(): ...\n\n\n# @verifies("gan.d")\n'
    )
    assert equation_tests.tests(str(tmp_path)) == {"gan.a": ["test_a"], "gan.e": ["test_a"], "gan.b": ["test_b"]}


def test_a_course_without_a_bibliography_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_book(Project(tmp_path))
