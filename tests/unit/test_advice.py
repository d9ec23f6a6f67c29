"""What the pages tell a reader to type is typed here, as printed; what is not stands in a table with the reason.

A command or line of code that is new on a page fails until it runs here or has a row in one of the tables.
"""

import ast
import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scratch import furnish, typed

import genai_utils as gu
from tools.front_matter import FrontMatter, parted
from tools.notebooks import ROOT, Project

pytestmark = pytest.mark.xdist_group("advice")  # one copy of the tree for all commands

EXAMPLE = re.compile(r"^````.*?^````$", re.DOTALL | re.MULTILINE)  # of a chapter: test_contract.py runs it
PAGES = {
    name: EXAMPLE.sub("", (ROOT / name).read_text(encoding="utf-8"))
    for name in ("README.md", "CONTRIBUTING.md", "book/how-to-use.md", "book/guide.md")
}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!Do not type )`([^`\n]+)`")
WORD = re.compile(r"(?!make$)[\w./*-]+")  # a file, an option, a name
PROGRAM = re.compile(
    r"(?:\w+=\S+ )?(make$|(accelerate|conda|git|jupyter|kubectl|make|pip|pre-commit|python3?|sbatch|sky|source|sudo|"
    r"tensorboard|torchrun|wsl) )"
)

# Only shown by make, not done: each takes minutes, opens a browser, needs root or the network.
DRY = {
    "make book": "`make test`, which CI runs, begins with it",
    "make bundle": "hundreds of MB; tests/unit/tools/test_bundle.py makes a small one and installs it",
    "make bundle TORCH=yes": "the same, and GB",
    "make lab": "opens a browser",
    "make lab TORCH_INDEX=URL": "opens a browser; test_install.py reads the variable",
    "make lock": "writes down what is installed, for which pip is needed; test_licenses.py runs its second half",
    "make notebooks": "would execute every stale chapter; test_chapter.py and test_notebooks.py execute small ones",
    "make pdf": "minutes; tests/site/test_pdf.py prints three pages",
    "make slides": "may take reveal.js from the network; tests/site/test_slides.py makes and opens every deck",
    "make slides NAME=vae": "the same",
    "make test": "CI runs it; this is a part of it",
    "make test TESTS=tests/equations": "minutes; tests/site/test_jupyter.py types it with a smaller part",
    "make wheel": "takes its tools from the network; test_wheel.py builds the same wheel without",
    "sudo make system": "installs for the whole machine; CI does it, as root",
}
# Run by another test or command.
ELSEWHERE = {
    "python -m genai_utils.recipes fashion-classifier --out my-zoo --steps 2": "the same command line as the next",
    "python -m genai_utils.recipes NAME": "tests/unit/recipes/test_ship.py trains a small recipe so",
    "python -m genai_utils.recipes verify": "minutes; tests/unit/recipes/test_ship.py verifies a small recipe so",
    "python -m genai_utils.recipes verify NAME": "the same",
    "python -m genai_utils.recipes verify fashion-classifier": "the same",
    "python -m tools.gpu_check --keep gpu/gpu.json": "needs what a GPU measured; tests/unit/tools/test_gpu_check.py",
    "python -m tools.gpu_check --out gpu": "needs a GPU; the same test rehearses it",
    "python -m tools.gpu_check --out gpu --only language,chapters": "the same",
    "python -m tools.gpu_check --out gpu --rehearse": "a minute; the same test",
    "python tools/grade.py SUBMISSIONS --assignment business-case": "needs a sandbox; tests/grading/test_batch.py",
    "python3 install.py": "tests/unit/tools/test_bundle.py types it in a bundle",
    "python tools/leaderboard.py SUBMISSIONS --assignment train-under-budget": "tests/grading/test_leaderboard.py",
    "python tools/peers.py SUBMISSIONS --assignment investment-memo": "tests/grading/test_peers.py",
    "python -m tools.notebooks NAME": "executes a chapter; test_notebooks.py executes a small one so",
    "git checkout": "undoes what a reader did; git's own",
    "tensorboard --logdir runs": "tests/unit/run/test_tracking.py",
    "python -m tools.notebooks --check": "`make book` begins with it, also when it is only shown",
}
# With a name where the page has a placeholder.
INSTEAD = {
    "make address": "make address URL=https://github.com/you/your-fork",
    "python -m tools.lint_chapters NAME": "python -m tools.lint_chapters pixels",
}
# The page says of these that they are untried.
UNTRIED = {
    "conda activate gold-mine-or-bubble": "CI has no conda",
    "conda env create -f environment.yml": "CI has no conda",
    "python -m tools.lab": "with conda; opens a browser",
    "kubectl apply -f cluster/kubernetes.yaml": "CI has no cluster; test_cluster.py reads the file",
    "pip install pre-commit && pre-commit install": "downloads",
    "pip install tensorboard": "downloads; test_tracking.py starts it",
    "pip install wandb": "downloads; test_tracking.py runs its lines where it is installed",
    "sbatch cluster/slurm.sh": "CI has no cluster; test_cluster.py runs the script with stand-ins",
    "sky jobs launch cluster/skypilot.yaml": "CI has no cluster; test_cluster.py reads the file",
    "wsl --install": "CI has no Windows",
}
# Words in a font for code that are neither a command nor Python.
NOTATION = {
    "$$ … \\tag{family.name} $$",
    "#@title Solution",
    "#@title Draw: speed against batch",
    "**kwargs",
    "> **Exercise 4 (bug hunt).**",
    "!cp /kaggle/input/*/*.whl .",  # of Kaggle and Colab; the page says that they are untried
    "TORCH_INDEX=URL",
    'drive.mount("/content/drive")',
    "from google.colab import drive",
    "fresh=True",
    "https://download.pytorch.org/whl/cpu",  # the page says that it is untried
}
PUBLISHING = re.search(r"^## Publish your own\n(.*?)^## ", PAGES["book/how-to-use.md"], re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The lines of the blocks of commands and the commands within sentences, in order, each once."""
    lines = [line for language, block in BLOCK.findall(text) if language == "bash" for line in block.splitlines()]
    spans = [span for span in SPAN.findall(BLOCK.sub("", text)) if PROGRAM.match(span)]
    return list(dict.fromkeys(re.sub(r"\s+#.*", "", line) for line in lines + spans if line))


def snippets(text: str) -> list[str]:
    """The code within sentences."""
    return [span for span in SPAN.findall(BLOCK.sub("", text)) if not PROGRAM.match(span) and not WORD.fullmatch(span)]


def blocks(language: str) -> list[str]:
    return [block for text in PAGES.values() for found, block in BLOCK.findall(text) if found == language]


COMMANDS = list(dict.fromkeys(command for text in PAGES.values() for command in commands(text)))
PUBLISH = commands(PUBLISHING[1]) if PUBLISHING else []
TRAINED = ["python train.py", "torchrun --standalone --nproc-per-node 2 train.py"]
OTHERS = {*DRY, *ELSEWHERE, *UNTRIED, *PUBLISH, *TRAINED, "source .venv/bin/activate"}  # not here, or in other tests
TRIED = [each for each in dict.fromkeys(INSTEAD.get(each, each) for each in COMMANDS) if each not in OTHERS]
SNIPPETS = sorted({snippet for text in PAGES.values() for snippet in snippets(text)} - NOTATION)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of this tree, with the script that a page prints, and what is installed here as its .venv."""
    root = tmp_path_factory.mktemp("advice") / "course"
    root.mkdir()
    furnish(root)
    (root / "train.py").write_text(blocks("python")[0])
    return root


def test_every_block_says_whether_it_is_to_be_typed():
    assert {language for text in PAGES.values() for language, _ in BLOCK.findall(text)} <= {"bash", "python", "text"}
    assert len(blocks("python")) == 4, "run the new block of code, here or as tests/unit/run/test_tracking.py does"


def test_the_tables_name_only_what_the_pages_say():
    assert {*DRY, *ELSEWHERE, *INSTEAD, *UNTRIED} <= set(COMMANDS)


@pytest.mark.parametrize("command", UNTRIED)
def test_a_page_says_so_of_what_is_untried(command):
    found = [part for text in PAGES.values() for part in re.split(r"\n\n|\n- ", text) if f"`{command}`" in part]
    assert found and all("ntried" in paragraph for paragraph in found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_commands_of_the_courses_python_says_how_to_get_it(name):
    of_python = [command for command in commands(PAGES[name]) if re.match("python|torchrun", command)]
    assert of_python and "source .venv/bin/activate" in commands(PAGES[name])


@pytest.mark.parametrize("command", DRY)
def test_a_command_that_is_only_shown_is_one_of_the_makefile(command, copy):
    assert typed(command.removeprefix("sudo "), copy, MAKEFLAGS="n -- PIP=true")


@pytest.mark.parametrize("command", TRIED)
def test_a_command_does_as_printed(command, copy):
    typed(command, copy)


def weights(said: str, processes: int) -> list[float]:
    """The weights that each of so many processes ended with; they are the same."""
    found = re.findall(rf"process (\d) of {processes}: weights \[\[(.+?), (.+?)\]\]", said)
    assert sorted(int(number) for number, *_ in found) == list(range(1, processes + 1)), said
    assert len({tuple(rest) for _, *rest in found}) == 1
    return [float(each) for each in found[0][1:]]


def test_two_processes_start_where_two_are_promised_and_end_with_the_weights_of_one(copy):
    one, two = (weights(typed(command, copy), number) for number, command in enumerate(TRAINED, start=1))
    assert one == pytest.approx([1.0, -2.0], abs=0.05) and two == pytest.approx(one, abs=0.01)


def test_a_notebook_starts_two_processes_with_the_printed_cell(copy):
    cell = f"import genai_utils as gu\ngu.start(seed=0)\n{blocks('python')[1]}"
    assert weights(typed(f"python -c {shlex.quote(cell)}", copy), 2) == pytest.approx([1.0, -2.0], abs=0.05)


def test_the_tag_is_published_before_the_site_and_has_the_address(copy):
    """In the order of the page: address, commit, tag, site."""
    typed(
        "git init -q -b main && git config user.name a && git config user.email a@example.org && git add -A && "
        "git commit -qm start && git init -q --bare ../origin && git remote add origin ../origin",
        copy,
    )
    published = "git -C ../origin for-each-ref --format='%(refname)'"
    after = {command: typed(f"{command}\n{published}", copy).splitlines()[-1] for command in PUBLISH}
    tag, site = list(after)[-2:]
    assert after[tag] == f"refs/tags/v{gu.__version__}" and "refs/heads/main" in typed(published, copy)
    assert site == "git push origin main" and list(after)[0].startswith("make address")
    assert "github.com/you/your-fork" in typed(f"git -C ../origin show v{gu.__version__}:_config.yml", copy)


def function(call: ast.Call) -> Callable[..., Any]:
    """What a call in a sentence calls: `gu.` and the room may be left out there."""
    rooms = [gu, gu.show, gu.data, gu.records, gu.records.facts, gu.records.results, gu.recipes.ship, pytest.mark]
    path = ast.unparse(call.func).removeprefix("gu.").split(".")
    for found in rooms:
        for name in path:
            found = getattr(found, name, None)
        if found:
            return found
    raise AttributeError(f"{ast.unparse(call)}: the package has no {'.'.join(path)}")


# Arguments that sentences name alone: where they belong.
ARGUMENTS = {
    'alt=f"…{value:.1f}…"': "figure",
    'checkpoint="run.safetensors"': "gu.Run",
    "exact=True": "claim",
    'form="int8"': "Recipe",
    "full=True": "fashion_mnist",
}


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_code_in_a_sentence_is_code_of_this_course(snippet, monkeypatch):
    monkeypatch.setenv("GENAI_BUDGET", "gpu")
    if snippet.startswith("genai: "):
        assert parted(f"---\n{snippet}\n---\n")[0] == FrontMatter()
        return
    if snippet == "fold: true":
        assert parted(f"---\ngenai: {{{snippet}}}\n---\n")[0] == FrontMatter(fold=True)
        return
    if name := re.fullmatch("GENAI_BUDGET=(.+)", snippet):
        monkeypatch.setenv("GENAI_BUDGET", name[1])
        assert gu.budget(cpu=1, gpu=2) == 1
        return
    if snippet == "live = True":
        assert any("live = False" in Project(ROOT).text(name).read_text() for name in Project(ROOT).names)
        return
    source = f"{ARGUMENTS[snippet]}({snippet})" if snippet in ARGUMENTS else snippet.removeprefix("@")
    try:
        call = ast.parse(re.sub(r"…(?=[,)])", "...", source), mode="eval").body
    except SyntaxError:
        pytest.fail(f"{snippet}: neither a command nor Python; give its program to PROGRAM, or itself to NOTATION")
    signature = inspect.signature(function(call))
    call.args = [each for each in call.args if ast.unparse(each) != "..."]
    signature.bind_partial(*call.args, **{each.arg: each.value for each in call.keywords})
    if snippet in ("gu.budget(cpu=1_200, gpu=12_000)", 'gu.zoo.card("fashion-classifier")'):
        assert eval(snippet)
