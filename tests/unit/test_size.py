"""The package stays small enough to be installed in seconds: a wheel is a zip of its files."""

import io
import zipfile
from pathlib import Path

import genai_utils
from genai_utils import zoo

PACKAGE = Path(genai_utils.__file__).parent
GRANDFATHERED = {"vae", "vae-maps"}  # larger than a new model may be


def test_the_wheel_stays_under_twelve_megabytes():
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    with zipfile.ZipFile(wheel := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(PACKAGE.parent))
    assert len(wheel.getvalue()) < 12e6


def test_a_new_model_has_at_most_half_a_megabyte():
    sizes = {name: (zoo.WEIGHTS / f"{name}.safetensors").stat().st_size for name in zoo.names()}
    assert {name for name, size in sizes.items() if size > 500_000} == GRANDFATHERED
