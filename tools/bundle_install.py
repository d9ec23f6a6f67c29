"""Install the course from this folder, without a network: python3 install.py"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Make .venv beside this file and install the wheels into it.  Returns: exit status."""
    wanted, this = (HERE / "python.txt").read_text().strip(), "{}.{}".format(*sys.version_info)
    if this != wanted:
        sys.exit(f"these wheels are for Python {wanted}, and this is {this}: type python{wanted} install.py")
    venv = HERE / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "--isolated", "--disable-pip-version-check", "-q", "install", "--no-index"]
    wheels = HERE / "wheels"
    listed = ["--find-links", str(wheels), "-r", str(HERE / "requirements.txt")]
    own = next(wheels.glob("gold_mine_or_bubble-*.whl"))
    for what in (listed, ["--no-deps", str(own)]):  # the package last and alone: what it needs was chosen before
        subprocess.run([*pip, "--no-compile", *what], check=True)
    print(f"installed into {venv}; go on with: {python.parent / 'jupyter'} lab notebooks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
