"""Shipped weights are verified, documented and as good as their card says."""

import hashlib
import re
import shutil

import pytest
import torch

from genai_utils import zoo
from genai_utils.data.images import Images, fashion_mnist
from tools import train_classifier


@pytest.mark.parametrize("name", zoo.names())
def test_every_model_is_small_verified_ready_and_documented(name):
    model = zoo.load(name)
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    file = zoo.WEIGHTS / f"{name}.safetensors"
    assert file.stat().st_size <= 5_000_000
    assert hashlib.sha256(file.read_bytes()).hexdigest() == zoo.ENTRIES[name].sha256
    card = zoo.card(name)
    assert card.startswith(f"# {name}\n") and zoo.ENTRIES[name].sha256 in card
    assert "icence" in card and "python tools/" in card
    assert f"{zoo.seconds(name):,.0f} s of CPU time" in card


def test_every_shipped_file_is_registered():
    assert {path.stem for path in zoo.WEIGHTS.iterdir()} == {*zoo.names(), "zoo"}


def test_the_classifier_recognises_what_its_card_says():
    test = fashion_mnist("test")
    accuracy = (zoo.load("fashion-classifier")(test.images).argmax(dim=1) == test.labels).float().mean().item()
    stated = float(re.search(r"test images: \*\*([\d.]+)\*\*", zoo.card("fashion-classifier"))[1])
    assert stated >= 0.925
    assert accuracy == pytest.approx(stated, abs=0.02)  # the shipped 2,000 are a fifth of the 10,000 of the card


def test_an_unknown_name_gets_a_hint():
    with pytest.raises(KeyError, match="no model named 'fashion-clasifier' .* did you mean 'fashion-classifier'"):
        zoo.load("fashion-clasifier")
    with pytest.raises(KeyError, match="there are: .*fashion-classifier"):
        zoo.card("llama")


def test_changed_weights_are_refused(monkeypatch, tmp_path):
    shutil.copy(zoo.WEIGHTS / "fashion-classifier.safetensors", tmp_path)
    with (tmp_path / "fashion-classifier.safetensors").open("ab") as file:
        file.write(b"!")
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path)
    with pytest.raises(ValueError, match="have sha256 .*, expected .* reinstall"):
        zoo.load("fashion-classifier")


def test_missing_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path)
    with pytest.raises(FileNotFoundError, match="fashion-classifier.safetensors are missing; reinstall"):
        zoo.load("fashion-classifier")


# The recipe of the classifier


def test_the_recipe_gives_the_same_weights_twice():
    test = fashion_mnist("test")
    few = Images(test.pixels[:300], test.labels[:300], test.classes, "a few")
    first, second = (train_classifier.train(few, epochs=1, seed=5).state_dict() for _ in range(2))
    other = train_classifier.train(few, epochs=1, seed=6).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_augmentation_moves_by_at_most_a_pixel_and_may_mirror():
    image = torch.full((64, 1, 28, 28), -1.0)
    image[:, 0, 10, 5] = 1.0
    seeds = [train_classifier.augmented(image, torch.Generator().manual_seed(seed)) for seed in range(20)]
    lit = (torch.cat(seeds) == 1).nonzero()
    assert len(lit) == 20 * 64
    assert set(lit[:, 2].tolist()) == {9, 10, 11} and set(lit[:, 3].tolist()) == {4, 5, 6, 21, 22, 23}


def test_the_recipe_writes_weights_and_card(monkeypatch, tmp_path):
    test = fashion_mnist("test")
    few = Images(test.pixels[:300], test.labels[:300], test.classes, "a few")
    monkeypatch.setattr(train_classifier, "fashion_mnist", lambda split, full: few)
    monkeypatch.setattr("sys.argv", ["train_classifier.py", "--epochs", "1", "--out", str(tmp_path)])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)  # the other tests keep their threads
    train_classifier.main()
    content = (tmp_path / "fashion-classifier.safetensors").read_bytes()
    written = (tmp_path / "fashion-classifier.md").read_text()
    assert hashlib.sha256(content).hexdigest() in written and "--seed 0 --epochs 1`" in written
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [line for line in zoo.card("fashion-classifier").splitlines() if line.startswith("#")]
