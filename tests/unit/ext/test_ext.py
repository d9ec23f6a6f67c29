"""The site's extensions, on a small book that is right and on one that is wrong in every way they notice."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from _ext import facts

ROOT = Path(__file__).parents[3]
KINDS = ["Business", "Claim", "Definition", "Exercise", "Lemma", "Note"]
KINDS += ["Pitfall", "Predict", "Proof", "Quiz", "Theorem"]
CONF = f"""\
import sys
sys.path[:0] = [{str(ROOT / "_ext")!r}, {str(ROOT)!r}]
extensions = ["myst_nb", "callouts", "equations", "equation_links", "cost_card", "ledger", "results"]
extensions += ["facts", "answers", "_ext.glossary", "_ext.teaching", "citations", "folds", "questions", "site_fixes"]
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type"]
html_theme = "basic"

def setup(app):
    for priority in (500, 600):
        app.add_js_file(None, priority=priority, body="const THEBE_JS_URL = 1")
"""
STAMP = {
    "seconds": 41.6,
    "peak_memory_mb": 2600,
    "hardware": "A fine processor, 2 cores",
    "device": "cpu",
    "threads": 1,
    "budget": "cpu",
    "date": "2020-02-29",
    "versions": {"python": "3.11", "torch": None, "genai_utils": "0.1.0"},
}
TESTS = """\
import pytest
verifies = pytest.mark.verifies

@verifies("toy.first")
def test_the_first_equation_holds_everywhere(): ...

@pytest.mark.verifies("toy.first")
@verifies("toy-model.second")
def test_both_sides_agree_to_six_digits(): ...
"""
TAGGED = {
    "setup": "import course",
    "hide-input": "#@title Draw: a dot\nfigure()",
    "hide-cell": "#@title Solution\n42",
    "remove-cell": "sliders()",
}
REFERENCES = """\
@article{first, author = {Anna B. Author and Bert van der Berg}, title = {On {Toys}}, year = {2014},
  url = {https://arxiv.org/abs/1.1}}
@article{second, author = {Zoe Last}, title = {Later toys}, year = {2020}, url = {https://doi.org/10.1/x}}
"""
ALPHA = r"""# The first chapter

The reader meets (toy.first) here.

$$
a = b \tag{toy.first}
$$

> **Theorem (toys exist).** Whenever there are toys,
>
> $$
> \begin{aligned} c &= d \\ &= e \end{aligned} \tag{toy-model.second}
> $$
>
> they are the same.

> An ordinary **quote** stays a quote.

> **Bold** words that name no kind leave a quote alone.

## `Play` & learn

These are four words.

### A heading inside

> **Exercise 1.** Play.
"""
BETA = """# The second chapter

Elsewhere we meet (toy.first) again, but `(toy.first)` in code stays as it is, and (e.g.) and (other.thing) are words.

It is known ([Author and van der Berg, 2014](https://arxiv.org/abs/1.1)).
Of all toys, **40 % are red**, and `x = 40 %` is code. A **top** is a **Toy**, and **toys** are **toys**.
"""
APPENDIX = """# Appendix

```{ledger-score}
```

```{ledger}
```

```{results}
```

```{facts}
```

```{answers} folded
```

```{lesson-times}
```

```{equation-index}
```

```{references}
```
"""


TOC = """\
parts:
  - caption: Toys
    chapters:
      - file: notebooks/beta
      - file: notebooks/alpha
"""
RESULTS = """\
chapter,model,data,parameters,steps,seconds,bits_per_dim,likelihood,bits_per_character,bits_per_sample,n,frechet,coverage,usd_per_1000
alpha,toy <i>,toys,1200,3,4.4,2.345678,exact,,,2000,1.24,0.756,0.00123
beta,second,toys,7,0,0.1,,,,,,,,
beta,speaker,words,7,0,0.1,,,,2.5,,,,
beta,writer,plays,7,0,0.1,,,1.5,,,,,0.00123
"""


FACTS = """\
id,topic,statement,date,who,title,url,confidence,value,unit,until
T-A1,price,A toy costs $2 <each>,2019-08-31,Toymaker,Toys,https://toys.example,V1,,,
T-A2,price,A toy costs $3,2019,Toymaker,Prices,,V2,,,2019-08
T-A3,history,A toy cost $1,1850,Toymaker,Memoirs,,U,,,
"""
TERMS = """\
term,also,chinese,meaning,chapter,section
toy,toys; play <thing>,玩具,What is played with.,alpha,The first chapter
plaything,,玩物,Another word.,beta,"Words, and more"
"""
READ = {f"genai_utils/records/facts.csv?id=T-A{number}": "0" * 16 for number in (1, 2, 3)}


def claim(name: str, verdict: str, text: str = "Toys <b>rule</b>.") -> nbformat.NotebookNode:
    """Output of a cell that shows a claim."""
    told = {"id": name, "text": text, "source": "S0 §1", "verdict": verdict, "evidence": "3 of 4"}
    told |= {"alternative": "1 < 2"} if verdict == "depends" else {}
    box = f'<div class="genai-claim" id="claim-{name.replace(".", "-")}">box</div>'
    return new_output("display_data", {"text/html": box, "text/plain": text, "application/vnd.genai.claim+json": told})


def figure(alt: str) -> nbformat.NotebookNode:
    """Output of a cell that shows a picture, as show.figure emits it."""
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    return new_output("display_data", {"image/png": dot, "text/plain": alt})


ANSWER = new_output(
    "display_data",
    {
        "text/html": "box",
        "text/plain": "The answer as of May 2026\n4 USD (1 to 9 USD): a toy & more [Why (so)?]\n5 (1): x [y]",
    },
)


def printed(text: str) -> nbformat.NotebookNode:
    """Output of a cell that prints."""
    return new_output("stream", name="stdout", text=text)


def notebook(text: str, *outputs: nbformat.NotebookNode, **metadata) -> str:
    """A notebook of one text cell, one code cell with the outputs, and one cell of each kind in TAGGED."""
    cells = [new_markdown_cell(text), new_code_cell("show()", outputs=list(outputs), execution_count=1)]
    for tag, source in TAGGED.items():
        cells.append(new_code_cell(source, metadata={"tags": [tag]}, outputs=[printed(f"output of {tag}")]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(new_notebook(cells=cells, metadata={"kernelspec": kernel, **metadata}))


def build(folder: Path, files: dict[str, str]) -> subprocess.CompletedProcess:
    """Write a book and build it as strictly as `make book` does."""
    pages = "\n".join(name for name in files if not name.endswith(".bib"))
    contents = f"# Book\n\n```{{toctree}}\n{pages}\n```\n"
    given = {"conf.py": CONF, "index.md": contents, "tests/equations/test_toy.py": TESTS}
    given["tests/equations/bound.txt"] = "# name, digest\ntoy-model.second 00000000\n"
    given["genai_utils/records/results.csv"], given["genai_utils/records/facts.csv"] = RESULTS, FACTS
    given["book/appendix/glossary.csv"], given["_toc.yml"] = TERMS, TOC
    for name, content in {**given, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    options = ["-b", "html", "-W", "-n", "-q", "--keep-going"]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(folder), str(folder / "html")], capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Pages of a book without faults, by name."""
    folder = tmp_path_factory.mktemp("book")
    callouts = "".join(f"\n> **{kind} 1 (so named).** The words of {kind}.\n" for kind in KINDS)
    table, sentences = printed("toys    12\nthings   3\n"), printed("There are 12 toys.\nThings:  3\n")
    outputs = (
        table,
        sentences,
        figure("One dot."),
        claim("toy.real", "supported"),
        claim("toy.cheap", "refuted", "Toys are cheap."),
    )
    done = build(
        folder,
        {
            "notebooks/alpha.ipynb": notebook(ALPHA + callouts, *outputs, genai={**STAMP, "used": READ}),
            "notebooks/beta.ipynb": notebook(BETA, claim("toy.fun", "depends", "Toys are fun.")),
            "notebooks/folded.ipynb": notebook("# A chapter for managers", ANSWER, genai={**STAMP, "fold": True}),
            "book/appendix.md": APPENDIX,
            "book/appendix/glossary.md": "# Glossary\n\n```{glossary-terms}\n```\n",
            "book/references.bib": REFERENCES,
        },
    )
    assert done.returncode == 0, done.stderr
    names = ("notebooks/alpha", "notebooks/beta", "notebooks/folded", "book/appendix", "book/appendix/glossary")
    return {name: BeautifulSoup((folder / f"html/{name}.html").read_text(), "html.parser") for name in names}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """Warnings about a book that is wrong in every way."""
    wrong = (
        r"$$ a = b \tag{toy.first} $$"
        + "\n\nSee (toy.missing), [nowhere](nowhere.md), [paper](https://arxiv.org/abs/9.9)"
    )
    done = build(
        tmp_path_factory.mktemp("wrong"),
        {
            "notebooks/alpha.ipynb": notebook("# Alpha\n\n" + wrong, claim("toy.real", "supported"), genai=STAMP),
            "notebooks/beta.ipynb": notebook(
                "# Beta\n\n" + r"$$ a = b \tag{toy.first} $$" + "\n\n" + r"$$ c \tag{toy.untested} $$",
                claim("toy.real", "refuted"),
            ),
            "notebooks/folded.ipynb": notebook("# Folded", ANSWER),
            "book/appendix.md": APPENDIX,
            "book/references.bib": REFERENCES,
        },
    )
    assert done.returncode == 1
    return [line for line in done.stderr.splitlines() if "WARNING" in line]


def place(page: BeautifulSoup, link) -> str:
    """The text of what a link within the book points at, given the page that it is on."""
    return page.find(id=link["href"].partition("#")[2]).get_text(" ", strip=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quote_that_opens_with_a_kind_becomes_a_box_of_it(book, kind):
    box = book["notebooks/alpha"].select(f".admonition.callout-{kind.lower()}")[-1]
    assert box.select_one(".admonition-title").get_text() == f"{kind} 1 (so named)"
    assert box.select("p")[1].get_text() == f"The words of {kind}."


def test_an_equation_survives_inside_a_theorem(book):
    theorem = book["notebooks/alpha"].select_one(".callout-theorem")
    assert theorem.select_one(".admonition-title").get_text() == "Theorem (toys exist)"
    assert "aligned" in theorem.select_one("#eq-toy-model-second div.math").get_text()
    assert [text.get_text() for text in theorem.find_all("p", recursive=False)][1:] == [
        "Whenever there are toys,",
        "they are the same.",
    ]


def test_other_quotes_stay_quotes(book):
    quotes = [quote.get_text() for quote in book["notebooks/alpha"].select("blockquote")]
    assert [quote.split()[0] for quote in quotes] == ["An", "Bold"]


def test_a_tested_equation_links_to_its_tests(book):
    mark = book["notebooks/alpha"].select_one("#eq-toy-first .equation-mark a")
    assert "tested" in mark.get_text() and mark["href"] == "../book/appendix.html#index-eq-toy-first"
    assert "both sides agree to six digits" in place(book["book/appendix"], mark)


def test_a_mark_says_whether_the_formula_is_parsed_or_bound(book):
    marks = [mark.get_text() for mark in book["notebooks/alpha"].select(".equation-mark")]
    assert marks == ["(toy.first) ✓ tested, parsed", "(toy-model.second) ✓ tested, bound"]


def test_the_name_of_an_equation_links_to_it_within_a_page_and_across(book):
    alpha, beta = (book[f"notebooks/{name}"].select('p a[href$="#eq-toy-first"]') for name in ("alpha", "beta"))
    assert [link.get_text() for link in alpha + beta] == ["(toy.first)"] * 2
    assert (alpha[0]["href"], beta[0]["href"]) == ("#eq-toy-first", "alpha.html#eq-toy-first")
    assert "a = b" in place(book["notebooks/alpha"], beta[0])


def test_code_and_other_words_in_brackets_are_no_links(book):
    paragraph = book["notebooks/beta"].find("p")
    assert paragraph.find("code").get_text() == "(toy.first)" and len(paragraph.find_all("a")) == 1
    assert "(e.g.) and (other.thing) are words" in paragraph.get_text()


def test_the_index_lists_equations_with_chapter_formula_and_tests_as_sentences(book):
    names = [entry.select_one("strong").get_text() for entry in book["book/appendix"].select(".equation-entry")]
    assert sorted(names) == ["toy-model.second", "toy.first"]
    first = book["book/appendix"].find(id="index-eq-toy-first")
    assert first.find("a")["href"] == "../notebooks/alpha.html#eq-toy-first"
    assert first.find("a").get_text() == "The first chapter"
    assert "a = b" in first.select_one("div.math").get_text() and r"\tag" not in first.get_text()
    assert [item.get_text(strip=True) for item in first.find_all("li")] == [
        "the first equation holds everywhere",
        "both sides agree to six digits",
    ]


def test_the_cost_card_stands_under_the_title_and_tells_the_run(book):
    card = book["notebooks/alpha"].select_one("aside.cost-card")
    assert card.find_previous_sibling().name == "h1" and card.find_next_sibling()["class"] == ["money-age"]
    for fact in ("42 s", "A fine processor, 2 cores with 1 thread", "2.5 GB", "2020-02-29", "python 3.11"):
        assert fact in card.get_text()


def test_a_notebook_without_stamp_has_no_card(book):
    assert not book["notebooks/beta"].select(".cost-card, .money-age")


def test_a_page_says_how_old_its_oldest_fact_on_money_is_that_still_holds(book):
    sentence = book["notebooks/alpha"].select_one(".money-age")
    assert sentence.get_text().endswith("is from 2019-08-31 (T-A1), 5 months before the page was computed.")
    assert sentence.find("a")["href"] == "../book/appendix/facts.html#fact-T-A1"


def test_the_first_bold_use_of_a_term_leads_to_its_row(book):
    links = book["notebooks/beta"].select('a[href*="glossary"]')
    assert [(link.get_text(), link["href"]) for link in links] == [("Toy", "../book/appendix/glossary.html#term-toy")]


def test_the_glossary_is_in_order_and_leads_to_the_sections(book):
    rows = book["book/appendix/glossary"].select(".terms tbody tr")
    assert [row.select_one("td").get_text() for row in rows] == ["plaything", "toy (toys; play <thing>)"]
    assert rows[0].select_one("a")["href"] == "../../notebooks/beta.html#words-and-more"
    assert book["book/appendix/glossary"].find(id="term-toy").select("td")[1].get_text() == "玩具"


def test_the_answer_so_far_is_the_first_number_of_a_chapter(book):
    box = book["book/appendix"].select_one(".genai-answer")
    assert box.get_text("|") == "The answer as of May 2026|4 USD| (1 to 9 USD): a toy & more"
    assert box.find("a")["href"] == "../notebooks/folded.html"


def test_one_month_is_no_plural():
    assert [facts.counted(number) for number in (0, 1, 12)] == ["0 months", "1 month", "12 months"]


def test_the_table_of_facts_shows_age_confidence_history_and_readers(book):
    rows = [[cell.get_text() for cell in row.select("td")] for row in book["book/appendix"].select(".facts tbody tr")]
    said = "A toy costs $2 <each> Toymaker: Toys"
    assert rows[0] == ["T-A1", "price", said, "2019-08-31", "5 months", "primary source read", "alpha"]
    assert rows[1][3:] == ["2019, held until 2019-08", "13 months", "secondary source only", "alpha"]
    row = book["book/appendix"].find(id="fact-T-A1")
    assert [link["href"] for link in row.select("a")] == ["https://toys.example", "../notebooks/alpha.html"]


def test_the_ledger_lists_each_claim_with_a_link_to_its_box(book):
    rows = [
        [cell.get_text() for cell in row.select("td")]
        for row in book["book/appendix"].select_one(".ledger").select("tbody tr")
    ]
    assert rows == [
        ["✓ supported", "Toys <b>rule</b>.", "S0 §1", "3 of 4"],
        ["✗ refuted", "Toys are cheap.", "S0 §1", "3 of 4"],
        ["~ depends", "Toys are fun.", "S0 §1", "3 of 4Other explanation: 1 < 2."],
    ]
    links = [link["href"] for link in book["book/appendix"].select(".ledger a")]
    assert links[2] == "../notebooks/beta.html#claim-toy-fun" and book["notebooks/beta"].find(id="claim-toy-fun")


def test_the_table_of_results_links_each_model_and_shows_a_dash_for_what_it_does_not_have(book):
    table, price = book["book/appendix"].select("table")[1], "0.0012 USD for 1,000 "
    assert [[cell.get_text() for cell in row.select("td")] for row in table.select("tbody tr")] == [
        ["toy <i>", "toys", "1,200", "3 steps, 4 s", "2.346 a pixel, exact", "2,000", "1.2", "76%", price + "pictures"],
        ["second", "toys", "7", "0 steps, 0 s", "–", "–", "–", "–", "–"],
        ["speaker", "words", "7", "0 steps, 0 s", "2.500 a sample of sound", "–", "–", "–", "–"],
        ["writer", "plays", "7", "0 steps, 0 s", "1.500 a character", "–", "–", "–", price + "characters"],
    ]
    assert [link["href"] for link in table.select("a")] == ["../notebooks/alpha.html", *["../notebooks/beta.html"] * 3]


def test_the_score_counts_verdicts(book):
    score = book["book/appendix"].select_one(".ledger-score").get_text()
    assert "3 claims" in score and "1 supported, 1 refuted, 1 " in score


def test_the_bibliography_lists_authors_year_and_title(book):
    items = [item.get_text(strip=True) for item in book["book/appendix"].select("li") if "20" in item.get_text()]
    assert items == ["A. B. Author and B. van der Berg (2014):On Toys.", "Z. Last (2020):Later toys."]


def test_a_figure_carries_its_alt_text_and_a_link_to_its_file(book):
    image = book["notebooks/alpha"].select_one(".cell_output img")
    assert image["alt"] == "One dot."
    assert image.parent.name == "a" and image.parent["href"] == image["src"]


def test_printed_columns_are_kept_and_printed_sentences_may_wrap(book):
    boxes = book["notebooks/alpha"].select(".cell_output .stream")[:2]
    assert [("columns" in box["class"], box.text.split()[0]) for box in boxes] == [(True, "toys"), (False, "There")]


def test_a_number_keeps_its_percent_sign_but_in_code(book):
    page = book["notebooks/beta"]
    assert page.select_one("strong").text == "40\N{NO-BREAK SPACE}% are red"
    assert "x = 40 %" in [code.text for code in page.select("code")]


def test_a_page_loads_the_scripts_of_its_boxes_and_no_other_does(book):
    loaded = {name: [script.get("src", "") for script in page.select("script")] for name, page in book.items()}
    for script in ("quiz.js", "predict.js"):
        assert [name for name, found in loaded.items() if any(script in each for each in found)] == ["notebooks/alpha"]


def folds(page: BeautifulSoup) -> dict[str, str]:
    """Title of each fold of a page, and the code that it hides."""
    return {
        "".join({line.get_text() for line in fold.select("summary p")}): fold.select_one("pre").get_text().strip()
        for fold in page.select("details.hide")
    }


def test_solutions_what_draws_and_the_installing_cell_fold_under_their_names(book):
    named = {"Install and start": "setup", "Draw: a dot": "hide-input", "Solution": "hide-cell"}
    assert folds(book["notebooks/alpha"]) == {title: TAGGED[tag] for title, tag in named.items()}


def test_a_folded_solution_hides_its_output_and_other_folds_show_theirs(book):
    page = book["notebooks/alpha"]
    hidden = [box.get_text(strip=True) for box in page.select("details .output")]
    shown = {box.get_text(strip=True) for box in page.select(".cell > .cell_output .output")}
    assert hidden == ["output of hide-cell"]
    assert {"output of setup", "output of hide-input"} <= shown


def test_a_removed_cell_leaves_nothing_on_the_page(book):
    assert "sliders" not in book["notebooks/alpha"].text and "remove-cell" not in str(book["notebooks/alpha"])


def test_a_chapter_that_folds_its_code_shows_none_of_it_and_has_a_button_under_its_card(book):
    page = book["notebooks/folded"]
    assert folds(page)["Code"] == "show()" and len(folds(page)) == 4
    assert not page.select(".cell > .cell_input")
    hidden = [box.get_text(strip=True) for box in page.select("details .output")]
    assert hidden == ["output of setup", "output of hide-cell"]
    button = page.select_one("h1 ~ button.fold-all")
    assert button.find_previous_sibling()["class"] == ["cost-card"] and button.has_attr("hidden")
    assert page.select_one("script[src$='fold-all.js']")["src"] == "../_static/fold-all.js"
    assert not book["notebooks/alpha"].select(".fold-all, script[src*='fold-all']")


def test_a_screen_reader_reads_the_title_of_a_fold(book):
    assert book["notebooks/alpha"].select("summary") and not book["notebooks/alpha"].select("summary[aria-label]")


def test_the_time_of_a_lesson_comes_from_words_open_cells_exercises_and_the_run(book):
    rows = book["book/appendix"].select(".lessons tbody tr")
    assert [row.select_one("a")["href"] for row in rows] == ["../notebooks/beta.html", "../notebooks/alpha.html"]
    assert [cell.get_text() for cell in rows[1].select("td")] == ["read 2 min", "exercises 30 min", "run 42 s"]
    sections = [item.get_text() for item in rows[1].select("li")]  # one of five cells is open, in the last section
    assert sections == ["The first chapter: 0 min", "Play & learn: 2 min"] and not rows[0].select("code")


def test_a_script_that_declares_a_constant_is_included_once(book):
    assert str(book["notebooks/alpha"]).count("const THEBE_JS_URL") == 1


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("beta.ipynb", 'equation toy.untested has no test; give one @verifies("toy.untested")'),
        ("beta.ipynb", "equation toy.first is defined twice, here and in notebooks/alpha"),
        ("alpha.ipynb", "no equation is called toy.missing"),
        ("alpha.ipynb", "https://arxiv.org/abs/9.9 is cited but has no entry in book/references.bib"),
        ("alpha.ipynb", "nowhere.md"),
        ("", "claim id toy.real is used twice: in notebooks/alpha and notebooks/beta"),
    ],
)
def test_a_fault_is_named_with_its_place(complaints, where, words):
    assert any(where in line and words in line for line in complaints), complaints


def test_only_faults_are_named(complaints):
    assert len({line.partition("WARNING")[2] for line in complaints}) == 6, complaints
