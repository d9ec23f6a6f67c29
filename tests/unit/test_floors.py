"""The house has floors: a room imports what lies below it or beside it, never above, and no two rooms in a circle.

The catalogue of weights builds models by the names of their classes: these count as imports, too.
"""

import ast
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import genai_utils
from genai_utils import zoo

PACKAGE = Path(genai_utils.__file__).parent
FLOORS = (
    ("_lazy", "checks"),
    ("device", "models", "records"),
    ("business", "data", "run", "zoo"),
    ("metrics", "show"),
    ("recipes", "session"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
Edge = tuple[str, str]


def imported(source: str) -> set[str]:
    """Rooms of genai_utils that a file imports, at its top or inside its functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "genai_utils":
            names |= {f"genai_utils.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[1] for name in names if name.startswith("genai_utils.")} & set(FLOOR)


def edges_of(files: dict[str, str], builders: Iterable[str] = ()) -> set[Edge]:
    """Edges between rooms.  files: source by path below the package.  builders: "module:class" of the catalogue."""
    found = {(Path(path).parts[0].removesuffix(".py"), room) for path, code in files.items() for room in imported(code)}
    found |= {("zoo", builder.split(".")[0]) for builder in builders}
    return {(user, used) for user, used in found if user != used}


def upward(edges: set[Edge]) -> set[Edge]:
    """Edges that lead to a higher floor."""
    return {(user, used) for user, used in edges if FLOOR[used] > FLOOR[user]}


def circle(edges: set[Edge]) -> list[str]:
    """Rooms of a circle, or none."""
    graph: dict[str, set[str]] = {}
    for user, used in edges:
        graph.setdefault(user, set()).add(used)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def house() -> dict[str, str]:
    files = (path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
    return {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in files}


@pytest.fixture(scope="module")
def builders() -> list[str]:
    return [entry.builder for entry in zoo.ENTRIES.values()]


def test_every_room_has_a_floor(house):
    assert {Path(path).parts[0].removesuffix(".py") for path in house} <= set(FLOOR)


def test_no_room_imports_from_a_floor_above(house, builders):
    assert not upward(edges_of(house, builders))


def test_no_rooms_import_each_other_in_a_circle(house, builders):
    assert not circle(edges_of(house, builders))


def test_an_upward_import_is_found_in_code_and_in_the_catalogue(house, builders):
    late = house | {"run/loop.py": "def f():\n    from genai_utils.show import style\n"}
    assert upward(edges_of(late, builders)) == {("run", "show")}
    assert upward(edges_of(house, [*builders, "metrics.classifier:FashionClassifier"])) == {("zoo", "metrics")}


def test_a_circle_is_found_in_code_and_in_the_catalogue(house, builders):
    assert circle(edges_of(house | {"models/gan.py": "from genai_utils import records, zoo\n"}, builders))
    both = {"models/gan.py": "import genai_utils.records", "records/facts.py": "from genai_utils.models import gan"}
    assert set(circle(edges_of(both))) == {"models", "records"}
