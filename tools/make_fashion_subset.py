"""Cut the balanced part of Fashion-MNIST that ships inside the package out of the full set, and print its sha256.

Usage: python tools/make_fashion_subset.py
Takes the first 1,200 train and the first 200 test images of every class, in the official order.
"""

from __future__ import annotations

import hashlib
import io
import lzma

import numpy as np

from genai_utils.data.images import SUBSET, Images, fashion_mnist


def balanced(images: Images, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """The first ``per_class`` images of every class, in the order of the data set: pixels and labels, both uint8."""
    labels = images.labels.numpy()
    firsts = [np.flatnonzero(labels == label)[:per_class] for label in range(len(images.classes))]
    chosen = np.sort(np.concatenate(firsts))
    return images.pixels.numpy()[chosen], labels[chosen].astype(np.uint8)


def duplicates(a: np.ndarray, b: np.ndarray) -> int:
    """How many images of ``b`` are, byte for byte, also in ``a``."""
    seen = {image.tobytes() for image in a}
    return sum(image.tobytes() in seen for image in b)


def main() -> None:
    """Write the file and say what is in it."""
    full = fashion_mnist("train", full=True)
    train_pixels, train_labels = balanced(full, 1200)
    test_pixels, test_labels = balanced(fashion_mnist("test", full=True), 200)
    content = io.BytesIO()
    np.savez(
        content,
        train_pixels=train_pixels,
        train_labels=train_labels,
        test_pixels=test_pixels,
        test_labels=test_labels,
    )
    SUBSET.write_bytes(lzma.compress(content.getvalue()))  # a seventh smaller than what numpy packs
    print(f"{SUBSET.name}: {len(train_pixels):,} train, {len(test_pixels):,} test, {SUBSET.stat().st_size:,} bytes")
    print(f"test images that are also train images: {duplicates(full.pixels.numpy(), test_pixels)}")
    print(f"sha256 {hashlib.sha256(content.getvalue()).hexdigest()}")


if __name__ == "__main__":
    main()
