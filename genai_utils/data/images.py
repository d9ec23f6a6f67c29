"""Fashion-MNIST: a balanced part that ships with the package, and the full 70,000 images from disk or network."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from genai_utils.checks import of_type, one_of
from genai_utils.data.files import fetched, verified
from genai_utils.models.shapes import check_axes, check_ids

Split = Literal["train", "test"]

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
SUBSET = Path(__file__).with_name("fashion_mnist.npz.xz")
SUBSET_SHA256 = "f4f4cdd9a259e13077651d6fe5e481f2c862e3dc8dad908502dd3d75748c702e"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")

# Of the unpacked files: who packs them (the authors, Debian, a browser) changes the .gz but not these.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

MEGABYTES = 32  # of the full set, packed
OFFLINE = "Use fashion_mnist(full=False), or put the four .gz files into a folder and pass it as root"


@dataclass(frozen=True, repr=False)
class Images:
    """Labelled grey images, kept as the bytes they came in: one uint8 tensor instead of a file per image.

    Attributes: pixels: (n, 28, 28) uint8.  labels: (n,) int64.  classes: names by label.  source: where they came from.
    """

    pixels: Tensor
    labels: Tensor
    classes: list[str]
    source: str

    def __post_init__(self) -> None:
        of_type((list, tuple), classes=self.classes)
        check_axes(pixels=(self.pixels, "n 28 28"), labels=(self.labels, "n"))
        check_ids(256, pixels=self.pixels)
        check_ids(len(self.classes), labels=self.labels)

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
        OSError: the disk is full (ENOSPC), or there can be no such folder; says what to do.
    """
    one_of(("train", "test"), split=split)
    of_type(bool, full=full)
    of_type((str, Path, NoneType), root=root)
    return _full(split, _data_folder(root)) if full else _subset(split)


def _subset(split: Split) -> Images:
    with np.load(io.BytesIO(verified(SUBSET, SUBSET_SHA256))) as arrays:
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
    path = next((path for path in _places(name, folder) if path.is_file()), None)
    if path is None:
        urls = [f"{mirror}{name}.gz" for mirror in _mirrors()]
        path = fetched(urls, folder / f"{name}.gz", SHA256[name], MEGABYTES, OFFLINE)
    content = verified(path, SHA256[name], "delete it and call again")
    origin = "from the Debian package" if path.parent == DEBIAN else "from your data folder"
    return torch.frombuffer(bytearray(content), dtype=torch.uint8), origin


def _places(name: str, folder: Path) -> Iterator[Path]:
    """Where a file of the data set may lie, best first; torchvision keeps it two folders down."""
    for base in (folder, folder / "FashionMNIST" / "raw", DEBIAN):
        yield base / name
        yield base / f"{name}.gz"


def _mirrors() -> list[str]:
    from torchvision.datasets import FashionMNIST

    return list(FashionMNIST.mirrors)
