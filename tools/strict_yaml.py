"""YAML in which nothing is said twice, and whose errors and mappings know their lines."""

from __future__ import annotations

from typing import Any

import yaml


class Mapping(dict[Any, Any]):
    """A mapping, and the line where it begins."""

    line = 1


class _Loader(yaml.SafeLoader):
    """PyYAML lets the last of two equal keys win in silence."""

    def mapping(self, node: yaml.MappingNode) -> Mapping:
        """Make the mapping of a node.  Raises: yaml.YAMLError: a key that no mapping can have, or one that it has."""
        made = Mapping(self.construct_mapping(node, deep=True))
        made.line = node.start_mark.line + 1
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.MarkedYAMLError(problem=f"{twice[0]!r} stands there twice", problem_mark=node.start_mark)
        return made


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.mapping)


def load(text: str) -> Any:
    """What a text says.  Raises: LineError: it is no YAML, or says one thing twice."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        raise LineError(mark.line + 1 if mark else 1, f"it is no YAML: {problem or error}") from error


class LineError(ValueError):
    """What is wrong in a line of a text that does not know its file."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"{problem} (line {line})")
        self.line, self.problem = line, problem
