"""Shipped weights are verified, documented and as good as their card says."""

import csv
import hashlib
import re
import shutil

import pytest
import torch

from genai_utils import zoo
from genai_utils.data.images import fashion_mnist
from genai_utils.models.quantization import on_grid
from genai_utils.records import used
from genai_utils.zoo import __main__, catalogue, storage


@pytest.mark.parametrize("name", zoo.names())
def test_every_model_is_small_verified_ready_and_documented(name):
    model = zoo.load(name)
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    file = zoo.WEIGHTS / f"{name}.safetensors"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == zoo.ENTRIES[name].sha256
    card = zoo.card(name)
    assert card.startswith(f"# {name}\n") and zoo.ENTRIES[name].sha256 in card
    assert "icence" in card and "python -m genai_utils.recipes " in card
    assert f"{zoo.seconds(name):,.0f} s of CPU time" in card


def test_every_shipped_file_is_registered():
    assert {path.stem for path in zoo.WEIGHTS.iterdir()} == set(zoo.names())


def test_the_classifier_recognises_what_its_card_says():
    test = fashion_mnist("test")
    accuracy = (zoo.load("fashion-classifier")(test.images).argmax(dim=1) == test.labels).float().mean().item()
    stated = float(re.search(r"test images: \*\*([\d.]+)\*\*", zoo.card("fashion-classifier"))[1])
    assert stated >= 0.925
    assert accuracy == pytest.approx(stated, abs=0.02)  # the shipped 2,000 are a fifth of the 10,000 of the card


def test_an_unknown_name_gets_a_hint():
    with pytest.raises(ValueError, match="name must be .*'fashion-clasifier'; did you mean 'fashion-classifier'"):
        zoo.load("fashion-clasifier")
    with pytest.raises(ValueError, match="name must be one of .*'fashion-classifier'.* got 'llama'$"):
        zoo.card("llama")


def test_changed_weights_are_refused(monkeypatch, tmp_path):
    shutil.copy(zoo.WEIGHTS / "fashion-classifier.safetensors", tmp_path)
    with (tmp_path / "fashion-classifier.safetensors").open("ab") as file:
        file.write(b"!")
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    with pytest.raises(ValueError, match="is not the published file: .* reinstall"):
        zoo.load("fashion-classifier")


def test_weights_are_noted_as_used_with_the_hash_that_was_verified(monkeypatch):
    monkeypatch.setattr(used, "noted", set())
    zoo.load("vqvae")
    with catalogue.TABLE.open(newline="", encoding="utf-8") as file:
        (row,) = (row for row in csv.DictReader(file) if row["name"] == "vqvae")
    assert used.noted == {(catalogue.TABLE, "?name=vqvae")} and row["sha256"] == zoo.ENTRIES["vqvae"].sha256


def test_missing_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    with pytest.raises(FileNotFoundError, match="fashion-classifier.safetensors is missing; reinstall"):
        zoo.load("fashion-classifier")


# Shapes and storage


def test_a_list_of_arguments_builds_a_list_of_models():
    maps = zoo.build("vae-maps")
    assert len(maps) == 4 and maps[0] is not maps[1] and zoo.build("vqvae-prior").labels == 10


def test_an_entry_survives_its_row(tmp_path):
    table = tmp_path / "catalogue.csv"
    row = zoo.Entry("b", "models.vae:VAE", '{"latent": 2, "hidden": [8, 4]}', "00ff", 7)
    table.write_text(catalogue.as_csv([row, zoo.Entry("a", "models.gan:Generator")]))
    assert list(catalogue.entries(table)) == ["a", "b"] and catalogue.entries(table)["b"] == row
    assert row.build().latent == 2 and catalogue.entries(tmp_path / "none.csv") == {}


STATE = {
    "matrix": torch.linspace(-1, 1, 1200).view(30, 8, 5),
    "small": torch.linspace(-1, 1, 12).view(3, 4),
    "bias": torch.tensor([0.1, 1e-4]),
    "counter": torch.tensor(70_000),
}


def test_float16_halves_numbers_and_keeps_counters():
    back = storage.unpacked(storage.packed(STATE, "float16"))
    assert torch.equal(back["matrix"], STATE["matrix"].half()) and torch.equal(back["bias"], STATE["bias"].half())
    assert torch.equal(back["counter"], STATE["counter"])


def test_int8_rounds_the_rows_of_large_matrices_and_keeps_the_rest():
    content = storage.packed(STATE, "int8")
    back = storage.unpacked(content)
    assert back.keys() == STATE.keys() and torch.equal(back["matrix"], on_grid(STATE["matrix"]))
    assert all(torch.equal(back[name], STATE[name]) for name in ("small", "bias", "counter"))
    assert torch.equal(storage.unpacked(storage.packed(back, "int8"))["matrix"], back["matrix"])


def test_verify_says_what_each_file_holds_and_refuses_another(monkeypatch, tmp_path, capsys):
    assert __main__.main(["verify", "vqvae"]) == 0
    assert "vqvae" in capsys.readouterr().out
    monkeypatch.setattr(__main__, "card", lambda name: "# vqvae of somebody else")
    assert __main__.main(["verify", "vqvae"]) == 1
    assert "card of vqvae does not state the sha256" in capsys.readouterr().err
    assert __main__.main(["verify", "vqvai"]) == 1
    assert "did you mean 'vqvae'?" in capsys.readouterr().err
