"""Fashion-MNIST: a balanced part that ships with the package, and the full 70,000 images from disk or network."""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

Split = Literal["train", "test"]

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
SUBSET = Path(__file__).with_name("fashion_mnist.npz")
SUBSET_SHA256 = "9743708ec6b201051d63139756384a11559412773392c4670a2c12eff90cf88e"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")

# Of the unpacked files: who packs them (the authors, Debian, a browser) changes the .gz but not these.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

_NETWORK = (urllib.error.URLError, ConnectionError, TimeoutError)


@dataclass(frozen=True, repr=False)
class Images:
    """Labelled grey images, kept as the bytes they came in: one uint8 tensor instead of a file per image.

    Attributes: pixels: (n, 28, 28) uint8.  labels: (n,) int64.  classes: names by label.  source: where they came from.
    """

    pixels: Tensor
    labels: Tensor
    classes: list[str]
    source: str

    @cached_property
    def images(self) -> Tensor:
        """The images as models want them: (n, 1, 28, 28) float32 in [-1, 1]."""
        return self.pixels.unsqueeze(1) / 127.5 - 1.0

    @property
    def note(self) -> str:
        """One line that says which images these are."""
        return f"{len(self):,} images of {len(self.classes)} classes: {self.source}"

    def __len__(self) -> int:
        """Number of images."""
        return len(self.pixels)

    def __repr__(self) -> str:
        return f"Images({self.note})"


def fashion_mnist(split: Split = "train", full: bool = False, root: str | Path | None = None) -> Images:
    """Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747; MIT licence), 28 x 28 grey, ten classes.

    Args:
        split: "train" or "test".
        full: False gives the part inside the package (12,000 train or 2,000 test images, equally many per class);
            True gives all 60,000 or 10,000: from ``root`` or ``$GENAI_DATA``, else from Debian's package
            dataset-fashion-mnist, else downloaded (30 MB, resumed if interrupted).
        root: Folder of the full set; missing files are downloaded into it. Ignored unless ``full``.

    Raises:
        ValueError: unknown split, or a file whose content is not the published one.
        ConnectionError: the download failed; what has arrived is kept and the next call goes on from there.
        OSError: the disk is full (ENOSPC); says how much is needed.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    return _full(split, _data_folder(root)) if full else _subset(split)


def _subset(split: Split) -> Images:
    with _advised("reinstall genai-utils"):
        _check(SUBSET.read_bytes(), SUBSET_SHA256, SUBSET)
    with np.load(SUBSET) as arrays:
        pixels, labels = arrays[f"{split}_pixels"], arrays[f"{split}_labels"]
    source = f"the part of Fashion-MNIST {split} that ships with the course (full=True loads all)"
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels).long(), list(CLASSES), source)


def _full(split: Split, folder: Path) -> Images:
    prefix = "train" if split == "train" else "t10k"
    pixels, origin = _idx(f"{prefix}-images-idx3-ubyte", folder)
    labels, _ = _idx(f"{prefix}-labels-idx1-ubyte", folder)
    source = f"all of Fashion-MNIST {split}, {origin}"
    return Images(pixels[16:].view(-1, 28, 28), labels[8:].long(), list(CLASSES), source)


def _data_folder(root: str | Path | None) -> Path:
    chosen = root or os.environ.get("GENAI_DATA")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen).expanduser() if chosen else cache / "genai" / "fashion-mnist"


def _idx(name: str, folder: Path) -> tuple[Tensor, str]:
    """Bytes of one verified file of the data set (header included), and where they came from."""
    found = next((path for path in _places(name, folder) if path.is_file()), None)
    path = found or _download(name, folder)
    with _advised("delete it and call again"):
        content = _unpacked(path)
        _check(content, SHA256[name], path)
    origin = "from the Debian package" if path.parent == DEBIAN else "from your data folder"
    return torch.frombuffer(bytearray(content), dtype=torch.uint8), origin


def _places(name: str, folder: Path) -> Iterator[Path]:
    """Where a file of the data set may lie, best first; torchvision keeps it two folders down."""
    for base in (folder, folder / "FashionMNIST" / "raw", DEBIAN):
        yield base / name
        yield base / f"{name}.gz"


def _unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix not in (".gz", ".part"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} ({len(content):,} bytes) is cut off or not a gzip file ({error})") from error


def _check(content: bytes, expected: str, path: Path) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"{path} is not the published file: sha256 is {found}, expected {expected}")


@contextmanager
def _advised(advice: str) -> Iterator[None]:
    """Add what to do to an error about the content of a file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{error}; {advice}") from error


def _mirrors() -> list[str]:
    from torchvision.datasets import FashionMNIST

    return list(FashionMNIST.mirrors)


def _download(name: str, folder: Path) -> Path:
    """Fetch NAME.gz into the folder, through NAME.gz.part that survives interruptions; returns the finished file."""
    target, part = folder / f"{name}.gz", folder / f"{name}.gz.part"
    folder.mkdir(parents=True, exist_ok=True)
    with _explained(part):
        _fetch_from_any([mirror + target.name for mirror in _mirrors()], part)
    _accept(part, SHA256[name])
    return part.replace(target)


def _fetch_from_any(urls: list[str], part: Path) -> None:
    *others, last = urls
    for url in others:
        with suppress(*_NETWORK):
            return _fetch(url, part)
    return _fetch(last, part)


def _accept(part: Path, expected: str) -> None:
    """Check a finished download; a wrong one is removed, since going on from it could never succeed."""
    try:
        with _advised("the damaged download was removed: call again"):
            _check(_unpacked(part), expected, part)
    except ValueError:
        part.unlink()
        raise


def _fetch(url: str, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to fetch; the checksum decides
        raise
    with response:
        resumed = response.status == http.client.PARTIAL_CONTENT
        total = int(response.headers.get("Content-Length", 0)) + have * resumed
        _append(response, part, have * resumed, total)


def _append(response: http.client.HTTPResponse, part: Path, have: int, total: int) -> None:
    bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem)
    with bar, part.open("ab" if have else "wb") as file:
        while block := response.read(1 << 16):
            file.write(block)
            have += len(block)
            bar.update(len(block))
    if have < total:
        raise ConnectionResetError(f"the server stopped after {have:,} of {total:,} bytes")


@contextmanager
def _explained(part: Path) -> Iterator[None]:
    """Turn what may go wrong during a download into an error that says what to do."""
    try:
        yield
    except (*_NETWORK, http.client.HTTPException) as error:
        raise ConnectionError(
            f"could not download {part.stem} ({error}); what has arrived is kept and the next call goes on from there. "
            "Offline? Use fashion_mnist(full=False), or put the four .gz files into a folder and pass it as root"
        ) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        free = shutil.disk_usage(part.parent).free
        raise OSError(
            errno.ENOSPC,
            f"disk full: the data set needs 32 MB in {part.parent}, {free / 1e6:.0f} MB are free; what has arrived is "
            "kept. Make room or set GENAI_DATA to another folder, then call again",
        ) from error
