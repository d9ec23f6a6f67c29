"""Run the notebooks of this folder, and say which of their checks hold: `python .github/check.py`.

These are the checks that the notebook shows, nothing else: the hidden tests are with the teacher, who gives the points.
"""

import contextlib
import io
import json
import sys
from pathlib import Path


def cells(path):
    """Code of a notebook, without lines for the shell."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).splitlines()
            yield "\n".join("pass" if line[:1] in ("!", "%") else line for line in lines)


def run(path):
    """Lines that the checks of a notebook print, and its cells that fail."""
    names, said, faults = {"__name__": "__main__"}, io.StringIO(), []
    for number, code in enumerate(cells(path), start=1):
        try:
            with contextlib.redirect_stdout(said):
                exec(compile(code, f"cell {number}", "exec"), names)
        except Exception as error:
            faults.append(f"not yet: cell {number} ({type(error).__name__}: {error})")
    return [*said.getvalue().splitlines(), *faults]


def main(folder="."):
    """Print what was found.  Returns: 0 if all checks hold."""
    lines = [line for path in sorted(Path(folder).glob("*.ipynb")) for line in run(path)]
    told = [line for line in lines if line.startswith(("right: ", "not yet: ", "  hint "))]
    print("\n".join(told))
    right, open_ones = (sum(line.startswith(word) for line in told) for word in ("right: ", "not yet: "))
    print(f"{right} public checks hold, {open_ones} do not; hidden tests are not run here")
    return int(open_ones > 0 or right == 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
