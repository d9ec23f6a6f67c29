"""Do the tests notice a small mistake? Plant one at a time in the package, and run the tests that pass its place.

    OMP_NUM_THREADS=1 python benchmarks/mutants.py [--sample 400] [--seed 0] [--minutes 9] [--again] [--output FILE]

A sample is drawn from all mutants of four rooms with equal chances. Mutants that the file holds are not tried again, so
that a run goes on where it stopped; --again tries only those that survived. A mutant is killed where a test fails,
hangs or cannot be collected. Those that live on stand in mutants.csv with a reason: "same" is what no test can tell
from the original, "gpu" what differs on a GPU alone, "choice" what would do as well.

The mistakes are those of mutmut and cosmic-ray. But mutmut 3 leaves out every function that has a decorator, as most of
our formulas have; cosmic-ray starts Python and torch for each mutant. Here a process that has imported the libraries,
and nothing of ours, is forked.
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import gc
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from coverage import CoverageData
from hypothesis import Phase, settings

from genai_utils.records.table import markdown_table

ROOT, PACKAGE, ROOMS = Path(__file__).parents[1], "genai_utils", ("business", "metrics", "models", "records")
TESTS = ("tests/equations", *(f"tests/unit/{room}" for room in (*ROOMS, "rules", "fuzz")))
LOOKING = ROOT / "tests/unit/rules"  # at all of the package
LIBRARIES = "torch torchvision torchmetrics transformers arch statsmodels.api hmmlearn.hmm sklearn.mixture IPython"
LIBRARIES += " matplotlib.pyplot jupytext nbformat bs4 sympy.parsing.latex scipy.stats pyexuber anywidget tqdm.auto"
RESULT, REASONS = ROOT / "benchmarks/results/mutants.json", ROOT / "benchmarks/mutants.csv"
FAILED = {99, -signal.SIGTERM, -signal.SIGINT, -signal.SIGKILL}  # of a process whose tests say nothing of its mutant
QUICK = ("-x", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:unraisableexception")
SECONDS = 30  # that a test may take; the slowest takes 4
SWAPS: dict[type[ast.AST], type[ast.AST]] = {ast.Add: ast.Sub, ast.Mult: ast.Div, ast.BitAnd: ast.BitOr}
SWAPS |= {ast.Lt: ast.LtE, ast.Gt: ast.GtE, ast.And: ast.Or, ast.Eq: ast.NotEq, ast.Is: ast.IsNot, ast.In: ast.NotIn}
SWAPS |= {new: old for old, new in SWAPS.items()} | {ast.Pow: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Div}
SAME = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)  # to swap one is to negate the condition


def wrong(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one small mistake, for each that can be made in itself, not in its children."""

    def but(field: str, new: Any) -> ast.AST:
        changed = copy.copy(node)
        setattr(changed, field, new)
        return changed

    def each(field: str, change: Callable[[Any], list[Any]]) -> Iterator[ast.AST]:
        old = getattr(node, field)
        yield from (but(field, [*old[:i], *change(old[i]), *old[i + 1 :]]) for i in range(len(old)))

    def negated(test: ast.expr) -> ast.expr:  # or the same, where another mistake is just that
        twice = isinstance(test, ast.UnaryOp) or (isinstance(test, ast.Compare) and isinstance(test.ops[0], SAME))
        return test if twice else ast.UnaryOp(ast.Not(), test)

    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp() if type(node.op) in SWAPS:
            yield but("op", SWAPS[type(node.op)]())
        case ast.Compare():
            yield from each("ops", lambda op: [SWAPS[type(op)]()])
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield but("value", not value)
        case ast.Constant(value=int(value) | float(value)):
            yield from (but("value", value + 1), but("value", value - 1))
        case ast.If() | ast.While() | ast.IfExp():
            yield but("test", negated(node.test))
        case ast.comprehension():
            yield from each("ifs", lambda test: [negated(test)])
        case ast.For():
            yield but("iter", ast.Tuple([], ast.Load()))
        case ast.ExceptHandler(type=ast.expr()):
            yield but("type", ast.Tuple([], ast.Load()))
        case ast.Call():
            yield from each("keywords", lambda _: [])
        case ast.FunctionDef():
            yield from each("decorator_list", lambda _: [])
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield ast.Pass()
        case ast.Break() | ast.Continue():
            yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


@dataclass(eq=False)
class Mutant:
    """A mistake: a node in a slot of the tree of a file.  lines: of the function that has it, or of the file."""

    name: str
    file: Path
    lines: range
    tree: ast.Module
    slot: tuple[ast.AST, str, int | None]
    node: ast.AST

    def swap(self) -> None:
        """Put the mistake into the tree, or take it out again."""
        parent, field, i = self.slot
        holder: Any = vars(parent) if i is None else getattr(parent, field)
        key: Any = field if i is None else i
        holder[key], self.node = self.node, holder[key]


def mutants(file: Path) -> list[Mutant]:
    """All mistakes that can be made in a file, in the order of its text; no two have one name."""
    source = file.read_text(encoding="utf-8")
    tree, found, named = ast.parse(source), list[Mutant](), Counter[str]()
    whole = range(1, source.count("\n") + 2)

    def visit(parent: ast.AST, scope: str, lines: range, statement: ast.AST) -> None:
        for field, value in ast.iter_fields(parent):
            for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or field in ("annotation", "returns", "exc"):
                    continue  # types are checked by mypy, and the words of an error are free
                inside, span = scope, lines
                if isinstance(child, ast.ClassDef | ast.FunctionDef) and lines == whole:
                    inside = f"{scope}.{child.name}".lstrip(".")
                    if isinstance(child, ast.FunctionDef):
                        span = range(child.body[0].lineno, (child.end_lineno or 0) + 1)
                own = isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)
                within = child if own else statement
                for new in wrong(child):
                    mutant = Mutant("", file, span, tree, (parent, field, i), new)
                    old = header(within)
                    mutant.swap()
                    change = difference(old, header(new if own else within))
                    mutant.swap()
                    if change:
                        name = f"{file.relative_to(ROOT / PACKAGE)} {inside}: {change}"
                        named[name] += 1
                        mutant.name = name if named[name] == 1 else f"{name} #{named[name]}"
                        found.append(mutant)
                visit(child, inside, span, within)

    visit(tree, "", whole, tree)
    return found


def header(node: ast.AST) -> str:
    """A statement as text, without the statements in it."""
    bare = copy.copy(node)
    for name in ("body", "orelse", "handlers", "finalbody", "cases"):
        if isinstance(getattr(node, name, None), list):
            setattr(bare, name, [ast.Pass()] if name == "body" else [])
    return ast.unparse(bare).removesuffix("\n    pass")


def difference(old: str, new: str) -> str:
    """Where two texts differ, with what stands beside it; nothing if they do not."""
    start = len(os.path.commonprefix([old, new]))
    end = len(os.path.commonprefix([old[start:][::-1], new[start:][::-1]]))
    cut = [text[max(0, start - 30) : len(text) - max(0, end - 30)].split() for text in (old, new)]
    return " => ".join(map(" ".join, cut)) if old != new else ""


def passed() -> Callable[[Mutant], dict[str, set[str]]]:
    """Which tests, by file, pass the place of a mutant; runs all once if a file of ours is newer than the last run."""
    data = ROOT / ".coverage.mutants"
    ours = [path for folder in (PACKAGE, "tests") for path in (ROOT / folder).rglob("*.py")]
    if not data.exists() or data.stat().st_mtime < max(path.stat().st_mtime for path in ours):
        command = f"{sys.executable} -m pytest -q -p no:cacheprovider --cov={PACKAGE} --cov-context=test --cov-report="
        environment = os.environ | {"COVERAGE_FILE": str(data)}
        subprocess.run([*command.split(), *TESTS], cwd=ROOT, env=environment, check=True)
    found = CoverageData(str(data))
    found.read()

    def through(mutant: Mutant) -> dict[str, set[str]]:
        tests: dict[str, set[str]] = defaultdict(set)
        lines = found.contexts_by_lineno(str(mutant.file))
        inside = {context for line in mutant.lines for context in lines.get(line, []) if context}
        for context in inside or {context for contexts in lines.values() for context in contexts if context}:
            tests[context.split("::")[0]].add(context.rsplit("|", 1)[0])
        if mutant.lines.start > 1 and inside:
            return tests
        # Outside of functions it may matter to those who only look at what there is: all tests of these files.
        return dict.fromkeys([*tests, *(str(file.relative_to(ROOT)) for file in LOOKING.glob("test_*.py"))], set())

    return through


def killed(mutant: Mutant, tests: dict[str, set[str]]) -> bool:
    """Whether a test fails with the mutant in its place, tried in a process of its own, which is silent."""
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status in FAILED:
            raise RuntimeError(f"the process of {mutant.name} ended with {status} outside of its tests")
        return status != 0
    status = max(FAILED)
    try:
        status = trial(mutant, tests)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def trial(mutant: Mutant, tests: dict[str, set[str]]) -> int:
    """Put the mutant into the package and run the tests up to the first failure: 0 if there is none."""
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]
    mutant.swap()
    code = compile(ast.fix_missing_locations(mutant.tree), mutant.file, "exec")
    read = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, name: str) -> CodeType | None:
        return code if self.path == str(mutant.file) else read(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]  # imports ask the class
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    whole = {file for file in tests if file.endswith(f"/test_{mutant.file.stem}.py") or not tests[file]}
    for file in sorted(tests, key=lambda file: file not in whole):
        status = pytest.main([*QUICK, file], plugins=[Chosen(tests[file], file in whole)])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return status
    return 0


class Chosen:
    """Plugin that runs tests of these names, then others too if asked: they may use what an earlier one has stored."""

    def __init__(self, names: set[str], others: bool) -> None:
        self.names, self.others = names, others

    def pytest_collectstart(self) -> None:
        """Limit the time of importing a file; nobody will read the smallest example that hypothesis could find."""
        signal.alarm(SECONDS)
        settings.register_profile("short", settings(), phases=(Phase.explicit, Phase.generate))
        settings.load_profile("short")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose and sort."""
        chosen = [item for item in items if item.nodeid in self.names]
        items[:] = chosen + [item for item in items if self.others and item.nodeid not in self.names]

    def pytest_runtest_setup(self) -> None:
        """Limit the time of a test."""
        signal.alarm(SECONDS)


def main(arguments: list[str] | None = None) -> None:
    """Try mutants, and write what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=400, help="number of mutants (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (%(default)s)")
    parser.add_argument("--minutes", type=float, default=9.0, help="after which no mutant is begun (%(default)s)")
    parser.add_argument("--again", action="store_true", help="try those that survived")
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args(arguments)
    os.chdir(ROOT)
    found = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else {}
    files = [file for room in ROOMS for file in sorted((ROOT / PACKAGE / room).rglob("*.py"))]
    every = {mutant.name: mutant for file in files for mutant in mutants(file)}
    if args.again:
        for sample in found.values():
            sample["survived"] |= dict.fromkeys(sample["survived"].keys() - every.keys(), "gone")
        fates = {name: fate for sample in found.values() for name, fate in sample["survived"].items()}
        names = [name for name in every if fates.get(name) == "survived"]
    else:
        tried = {known for sample in found.values() for known in (*sample["survived"], *sample["killed"].split())}
        drawn = random.Random(args.seed).sample(list(every), min(args.sample, len(every)))
        names = [name for name in drawn if not tried & {name, digest(name)}]
        sample = found.setdefault(str(args.seed), {"killed": "", "survived": {}})
    print(f"{len(every)} mutants, {len(names)} to try")
    through = passed()
    for library in LIBRARIES.split():
        with suppress(ImportError):
            import_module(library)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.freeze()  # what is imported need not be searched in every process
    end = time.monotonic() + 60 * args.minutes
    for name in names:
        if time.monotonic() > end:
            break
        dead = killed(every[name], through(every[name]))
        print(
            f"{'killed  ' if dead else 'survived'} {every[name].file.name}:{every[name].lines.start} {name}", flush=True
        )
        if args.again:
            for sample in found.values():
                sample["survived"] |= {name: "killed"} if dead and name in sample["survived"] else {}
        elif dead:
            sample["killed"] = f"{sample['killed']} {digest(name)}".strip()
        else:
            sample["survived"][name] = "survived"
        args.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def digest(name: str) -> str:
    """Short for the name of a mutant, and the room where it lives: all that is kept of one that died at once."""
    return f"{name.split('/')[0]}/{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def table(result: Path = RESULT, reasons: Path = REASONS) -> str:
    """What became of the samples, room by room; what went with dead code counts as the same."""
    with reasons.open(newline="", encoding="utf-8") as file:
        same = {row["mutant"] for row in csv.DictReader(file) if row["kind"] == "same"}
    rows = []
    for number, sample in enumerate(json.loads(result.read_text(encoding="utf-8")).values(), 1):
        for room in (*ROOMS, ""):
            first = sum(died.startswith(room) for died in sample["killed"].split())
            lived = {name: fate for name, fate in sample["survived"].items() if name.startswith(room)}
            equal = sum(name in same or fate == "gone" for name, fate in lived.items())
            now, n = first + list(lived.values()).count("killed"), first + len(lived)
            cells = f"{first} ({first / n:.0%})", f"{now} ({now / n:.0%})", f"{equal}", f"{now / (n - equal):.1%}"
            rows.append((f"{number}", room or "*all*", f"{n}", *cells))
    head = "sample", "room", "mutants", "killed at first", "killed now", "same as the original", "killed of the others"
    return markdown_table(head, rows)


if __name__ == "__main__":
    main()
