"""Fashion-MNIST: the shipped part, the full set, and every way a download can go wrong."""

import errno
import gzip
import hashlib
import lzma
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from genai_utils.data import images as data
from genai_utils.data.images import fashion_mnist
from tools.make_fashion_subset import balanced, duplicates

needs_debian = pytest.mark.skipif(not data.DEBIAN.is_dir(), reason="needs Debian's dataset-fashion-mnist")
NAMES = {
    "t10k-images-idx3-ubyte": bytes(16) + bytes(range(256)) * 49,  # 16 images
    "t10k-labels-idx1-ubyte": bytes(8) + bytes(range(10)) + bytes(6),
}


class Mirror(BaseHTTPRequestHandler):
    """Serves the two files with Range support; ``stop_after`` cuts every answer, ``files`` may be replaced."""

    files: dict[str, bytes] = {}
    stop_after: int | None = None
    ranges: list[str | None] = []
    honours_ranges = True

    def do_GET(self):
        content = self.files.get(self.path.lstrip("/"))
        asked = self.headers["Range"]
        self.ranges.append(asked)
        if content is None:
            return self.send_error(404)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.honours_ranges else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.stop_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """A mirror on 127.0.0.1 that holds a tiny data set; Debian's folder and the user's cache are empty."""
    handler = type("TinyMirror", (Mirror,), {"ranges": []})
    handler.files = {f"{name}.gz": gzip.compress(content) for name, content in NAMES.items()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(data, "_mirrors", lambda: [f"http://127.0.0.1:{server.server_port}/"])
    isolate(monkeypatch, tmp_path)
    monkeypatch.setattr(data, "SHA256", {name: hashlib.sha256(content).hexdigest() for name, content in NAMES.items()})
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


def isolate(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "DEBIAN", tmp_path / "nothing")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GENAI_DATA", raising=False)


def load(root):
    return fashion_mnist("test", full=True, root=root)


# The shipped part


@pytest.mark.parametrize(("split", "n"), [("train", 12_000), ("test", 2_000)])
def test_the_shipped_part_is_balanced_and_scaled(split, n):
    part = fashion_mnist(split)
    assert len(part) == n and part.pixels.shape == (n, 28, 28) and part.pixels.dtype == torch.uint8
    assert part.images.shape == (n, 1, 28, 28) and part.images.dtype == torch.float32
    assert (part.images.min(), part.images.max()) == (-1.0, 1.0)
    assert part.labels.dtype == torch.int64 and part.labels.bincount().tolist() == [n // 10] * 10


def test_images_are_the_pixels_in_other_units():
    part = fashion_mnist("test")
    torch.testing.assert_close((part.images.squeeze(1) + 1) * 127.5, part.pixels.float(), atol=1e-4, rtol=0)


def test_the_note_says_which_images_these_are():
    part = fashion_mnist("test")
    assert part.note.startswith("2,000 images of 10 classes: the part of Fashion-MNIST test")
    assert part.note in repr(part) and "\n" not in part.note
    assert part.classes[0] == "T-shirt/top" and len(part.classes) == 10


@pytest.mark.parametrize("below", ["", "sub/folder"])
def test_a_file_in_the_place_of_the_data_folder_is_named_with_the_remedy(mirror, monkeypatch, tmp_path, below):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GENAI_DATA", str(tmp_path / "file" / below))
    with pytest.raises(OSError, match="file.* cannot be a folder .*: a file is in the way; set GENAI_DATA, or root"):
        fashion_mnist("test", full=True)


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="split must be one of 'train', 'test', got 'validation'"):
        fashion_mnist("validation")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: data.SUBSET.read_bytes()[:-1], "cut off or not a lzma file"),
        (
            lambda: lzma.compress(lzma.decompress(data.SUBSET.read_bytes())[:-1] + b"x", preset=0),  # seconds less
            "not the published file: sha256",
        ),
    ],
)
def test_a_changed_shipped_file_is_refused(content, message, monkeypatch, tmp_path):
    damaged = tmp_path / "fashion_mnist.npz.xz"
    damaged.write_bytes(content())
    monkeypatch.setattr(data, "SUBSET", damaged)
    with pytest.raises(ValueError, match=f"{message} .* reinstall"):
        fashion_mnist()


# The full set


@needs_debian
@pytest.mark.parametrize(("split", "per_class"), [("train", 1200), ("test", 200)])
def test_the_shipped_part_is_cut_from_the_full_set_by_its_recipe(split, per_class):
    full, part = fashion_mnist(split, full=True), fashion_mnist(split)
    assert "Debian" in full.note
    pixels, labels = balanced(full, per_class)
    assert np.array_equal(part.pixels, pixels) and np.array_equal(part.labels, labels)


@needs_debian
def test_no_shipped_test_image_is_in_the_full_training_set():
    assert duplicates(fashion_mnist("train", full=True).pixels.numpy(), fashion_mnist("test").pixels.numpy()) == 0


def test_a_duplicate_would_be_found():
    a = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    assert duplicates(a, np.stack([a[1], a[1] + 1])) == 1


def test_the_environment_names_the_folder_of_the_full_set(mirror, monkeypatch, tmp_path):
    monkeypatch.setenv("GENAI_DATA", str(tmp_path))
    for name, content in NAMES.items():
        (tmp_path / name).write_bytes(content)  # unpacked files serve as well
    assert len(load(None)) == 16 and "your data folder" in load(None).note
    assert mirror.ranges == []


def test_files_where_torchvision_puts_them_are_found(mirror, tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in NAMES.items():
        (raw / name).write_bytes(content)
    assert len(load(tmp_path)) == 16
    assert mirror.ranges == []


def test_a_download_is_stored_and_not_repeated(mirror, tmp_path):
    first = load(None)
    assert first.pixels[0, 0, :3].tolist() == [0, 1, 2] and first.labels[:3].tolist() == [0, 1, 2]
    stored = sorted(path.name for path in (tmp_path / "cache" / "genai" / "fashion-mnist").iterdir())
    assert stored == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    load(None)
    assert len(mirror.ranges) == 2


def test_an_interrupted_download_goes_on_where_it_stopped(mirror, tmp_path):
    mirror.stop_after = 30
    with pytest.raises(ConnectionError, match=r"stopped after 30 of .* kept and the next call goes on"):
        load(tmp_path)
    assert (tmp_path / "t10k-images-idx3-ubyte.gz.part").stat().st_size == 30
    mirror.stop_after = None
    assert len(load(tmp_path)) == 16
    assert mirror.ranges == [None, "bytes=30-", None]
    assert not list(tmp_path.glob("*.part"))


def test_a_mirror_without_ranges_starts_over(mirror, tmp_path):
    mirror.honours_ranges = False
    (tmp_path / "t10k-images-idx3-ubyte.gz.part").write_bytes(b"half a file")
    assert len(load(tmp_path)) == 16


def test_a_finished_part_needs_no_more_bytes(mirror, tmp_path):
    name = "t10k-images-idx3-ubyte.gz"
    (tmp_path / f"{name}.part").write_bytes(mirror.files[name])
    assert len(load(tmp_path)) == 16


@pytest.mark.parametrize(
    "content", [gzip.compress(b"other images"), b"<html>Please log in</html>"], ids=["another file", "a login page"]
)
def test_a_damaged_download_is_removed_so_that_the_next_call_succeeds(mirror, tmp_path, content):
    good = dict(mirror.files)
    mirror.files = good | {"t10k-images-idx3-ubyte.gz": content}
    with pytest.raises(ValueError, match="the damaged download was removed: call again"):
        load(tmp_path)
    assert not list(tmp_path.iterdir())
    mirror.files = good
    assert len(load(tmp_path)) == 16


def test_a_second_mirror_serves_when_the_first_does_not(mirror, monkeypatch, tmp_path):
    working = data._mirrors()
    monkeypatch.setattr(data, "_mirrors", lambda: ["http://127.0.0.1:1/", *working])
    assert len(load(tmp_path)) == 16


def test_no_network_says_how_to_work_offline(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    monkeypatch.setattr(data, "_mirrors", lambda: ["http://127.0.0.1:1/"])
    with pytest.raises(ConnectionError, match=r"Offline\? Use fashion_mnist\(full=False\)"):
        load(None)


def test_half_of_a_file_in_the_folder_is_named(mirror, tmp_path):
    name = "t10k-images-idx3-ubyte.gz"
    (tmp_path / name).write_bytes(mirror.files[name][:-9])
    with pytest.raises(ValueError, match=rf"{name} .* cut off .* delete it"):
        load(tmp_path)


def test_a_file_with_another_content_is_named(mirror, tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"0" * 100)
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte is not the published file: sha256 is .*, expected"):
        load(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_says_how_much_is_needed(mirror, tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte.gz.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"disk full: the data set needs 32 MB .* MB are free") as caught:
        load(tmp_path)
    assert caught.value.errno == errno.ENOSPC


def test_other_disk_errors_pass_unchanged(mirror, tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte.gz.part").symlink_to(tmp_path / "no folder" / "file")
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


def test_a_file_that_left_the_mirror_is_a_network_error(mirror, tmp_path):
    mirror.files = {}
    with pytest.raises(ConnectionError, match="could not download t10k-images-idx3-ubyte.gz .*404"):
        load(tmp_path)


def test_the_mirrors_are_those_of_torchvision():
    assert all(url.startswith("http") and url.endswith("/") for url in data._mirrors())
