"""The site's JavaScript is put in place as a whole or not at all; npm is played by a script, nothing is downloaded."""

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from tools import vendor_assets

NPM = """\
#!/bin/sh
# npm pack OPTIONS PACKAGE: hands out the tarball that the test has prepared.
for package; do :; done
echo "$package" >> "{log}"
name=$(echo "$package" | tr '/@' '__').tgz
cp "{shop}/$name" . && echo "$name"
"""


def tarball(package: str, shop: Path) -> str:
    """Make the tarball of a package with all that is wanted of it.  Returns: its sha256."""
    content = shop / "content" / package
    for name, path in vendor_assets.WANTED:
        if name == package:
            file = content / "package" / path
            file = file if file.suffix else file / "part.js"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"// {path}")
    file = shop / (package.replace("/", "_").replace("@", "_") + ".tgz")
    with tarfile.open(file, "w:gz") as archive:
        archive.add(content / "package", "package")
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with one explorer, and an npm that knows the packages."""
    explorers = tmp_path / "course" / vendor_assets.EXPLORERS
    explorers.mkdir(parents=True)
    (explorers / "game.js").write_text("export default {}")
    (explorers / "game.css").write_text("svg {}")
    (explorers / "game.py").write_text("pass")
    (tmp_path / "shop").mkdir()
    (tmp_path / "calls").touch()
    hashes = {package: tarball(package, tmp_path / "shop") for package in vendor_assets.PACKAGES}
    monkeypatch.setattr(vendor_assets, "PACKAGES", hashes)
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text(NPM.format(log=tmp_path / "calls", shop=tmp_path / "shop"))
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "course"


@pytest.fixture
def vendored(course):
    """The same course, with its JavaScript in place."""
    assert vendor_assets.main(course) == 0
    return course


def contents(course: Path) -> dict[str, str]:
    """All files under _static with what they hold."""
    static = course / "book/_static"
    return {str(path.relative_to(static)): path.read_text() for path in sorted(static.rglob("*")) if path.is_file()}


def calls(course: Path) -> list[str]:
    """Packages that npm was asked for."""
    return (course.parent / "calls").read_text().split()


def test_all_that_the_site_loads_is_put_in_place(vendored):
    found = contents(vendored)
    for target in vendor_assets.WANTED.values():
        assert any(name == f"vendor/{target}" or name.startswith(f"vendor/{target}/") for name in found), target
    assert {"vendor/anywidget/index.js", "vendor/widgets-config.js"} < set(found)
    assert [name for name in found if "explorers" in name] == [
        "vendor/explorers/game.css",
        "vendor/explorers/game.js",
    ]
    assert calls(vendored) == list(vendor_assets.PACKAGES)


def test_a_second_run_does_nothing(vendored, capsys):
    before = contents(vendored)
    assert vendor_assets.main(vendored) == 0
    assert calls(vendored) == list(vendor_assets.PACKAGES) and contents(vendored) == before
    assert "current" in capsys.readouterr().out


def test_a_changed_explorer_is_brought_up_to_date(vendored):
    (vendored / vendor_assets.EXPLORERS / "game.js").write_text("export default { better: true }")
    assert vendor_assets.main(vendored) == 0
    assert contents(vendored)["vendor/explorers/game.js"] == "export default { better: true }"


def test_a_changed_configuration_is_brought_up_to_date(vendored, monkeypatch):
    monkeypatch.setattr(vendor_assets, "CONFIG", vendored / "widgets-config.js")
    vendor_assets.CONFIG.write_text("// better")
    assert vendor_assets.main(vendored) == 0
    assert contents(vendored)["vendor/widgets-config.js"] == "// better"


def test_a_package_with_another_hash_is_refused_and_nothing_changes(vendored, monkeypatch, capsys):
    before, package = contents(vendored), next(iter(vendor_assets.PACKAGES))
    monkeypatch.setitem(vendor_assets.PACKAGES, package, "0" * 64)
    assert vendor_assets.main(vendored) == 1
    error = capsys.readouterr().err
    assert package in error and "expected " + "0" * 64 in error
    assert contents(vendored) == before


def test_without_a_network_the_message_says_so_and_nothing_changes(vendored, capsys):
    before = contents(vendored)
    (vendored / vendor_assets.EXPLORERS / "game.js").write_text("export default { better: true }")
    npm = vendored.parent / "bin/npm"
    npm.write_text("#!/bin/sh\necho 'npm error ENOTFOUND registry' >&2\nexit 1\n")
    assert vendor_assets.main(vendored) == 1
    error = capsys.readouterr().err
    assert "could not fetch" in error and "is there a network?" in error and "ENOTFOUND" in error
    assert contents(vendored) == before


def test_without_a_network_a_first_run_leaves_no_half_filled_folder(course):
    (course.parent / "bin/npm").write_text("#!/bin/sh\nexit 1\n")
    assert vendor_assets.main(course) == 1
    assert contents(course) == {}
