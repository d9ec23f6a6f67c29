"""The address of the repository is written down once; who forks the course changes one line."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
NAME = ADDRESS.removeprefix("https://github.com/")


def tracked() -> list[Path]:
    """Files that git keeps or would keep."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_the_address_stands_in_the_configuration_only():
    written = [path for path in tracked() if path.suffix != ".ipynb" and NAME.encode() in path.read_bytes()]
    assert [path.name for path in written] == ["_config.yml"]
    assert (ROOT / "_config.yml").read_text().count(NAME) == 1


def test_generated_notebooks_install_from_the_address_in_the_configuration():
    notebooks = [path for path in tracked() if path.parent == ROOT / "notebooks" and path.suffix == ".ipynb"]
    assert notebooks
    for path in notebooks:
        assert {address for address in re.findall(r"git\+(https://[^@\"\\ ]+)", path.read_text())} == {ADDRESS}
