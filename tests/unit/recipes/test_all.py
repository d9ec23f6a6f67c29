"""What holds for every recipe: it can be repeated, stopped and resumed, and writes what the zoo holds."""

import hashlib
from functools import partial

import pytest
import torch

from genai_utils import zoo
from genai_utils.recipes import dcgan, gpt, pixelcnn, ship, vae, vqvae
from genai_utils.recipes.__main__ import known
from genai_utils.recipes.ship import Job
from genai_utils.run import Run
from genai_utils.zoo.catalogue import entries

RECIPES = known()


@pytest.fixture(autouse=True)
def brief_judges(monkeypatch):
    monkeypatch.setattr(ship, "Run", partial(Run, checkpoint_every=1))
    for module, size in ((dcgan, 100), (pixelcnn, 70), (vae, 100), (vqvae, 100)):
        monkeypatch.setattr(module, "N_SAMPLES", size)
    monkeypatch.setattr(vae, "IWAE_IMAGES", 10)
    monkeypatch.setattr(vae, "IWAE_DRAWS", 3)
    monkeypatch.setattr(gpt, "WRITTEN", 20)


def stop_at(monkeypatch, step):
    """Break off in the middle of a step of the last run, after its optimizers moved the weights."""
    logged = Run.log

    def log(run, **values):
        if run.done == step:
            raise InterruptedError
        logged(run, **values)

    monkeypatch.setattr(Run, "log", log)


def test_every_model_of_the_catalogue_has_its_recipe_and_the_other_way_round():
    shape = {name: (recipe.model.builder, recipe.model.arguments) for name, recipe in RECIPES.items()}
    assert shape == {name: (entry.builder, entry.arguments) for name, entry in zoo.ENTRIES.items()}


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_stopped_at_a_step_and_resumed_equals_the_straight_one_bit_for_bit(name, monkeypatch, tmp_path):
    recipe = RECIPES[name]
    straight = recipe.train(Job(recipe, 4, progress=False)).state_dict()
    with monkeypatch.context() as patch:
        stop_at(patch, 2)
        with pytest.raises(InterruptedError):
            recipe.train(Job(recipe, 4, folder=tmp_path, progress=False))
    torch.rand(7)  # whatever happens to the global generator in between must not matter
    resumed = recipe.train(job := Job(recipe, 4, folder=tmp_path, progress=False)).state_dict()
    assert all(torch.equal(straight[key], resumed[key]) for key in straight)
    assert all(run.done == 4 for run in job.runs)
    other = recipe.train(Job(recipe, 4, seed=1, progress=False)).state_dict()
    assert not all(torch.equal(straight[key], other[key]) for key in straight)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_writes_weights_card_and_row_and_no_more(name, tmp_path):
    recipe = RECIPES[name]
    card = ship.ship(ship.planned(recipe, steps=2, out=tmp_path))
    content = (tmp_path / "weights" / f"{name}.safetensors").read_bytes()
    row = entries(tmp_path / "catalogue.csv")[name]
    assert card == (tmp_path / "weights" / f"{name}.md").read_text()
    assert row.sha256 == hashlib.sha256(content).hexdigest() and row.sha256 in card
    assert f"genai_utils.recipes {name} --steps 2 --seed 0`" in card
    assert row.restored(content).training is False
    assert {path.name for path in tmp_path.rglob("*.*")} == {"catalogue.csv", f"{name}.safetensors", f"{name}.md"}
    fixed = ("#", "| metric", "| beta", "| measure", "- **Licence")
    shipped, written = (
        [line[:20] for line in text.splitlines() if line.startswith(fixed)] for text in (zoo.card(name), card)
    )
    assert written == shipped


def test_what_a_recipe_writes_is_what_it_trained(tmp_path):
    recipe = RECIPES["dcgan"]
    trained = recipe.train(Job(recipe, 2, progress=False))
    ship.ship(ship.planned(recipe, steps=2, out=tmp_path))
    row = entries(tmp_path / "catalogue.csv")["dcgan"]
    stored = row.restored((tmp_path / "weights" / "dcgan.safetensors").read_bytes()).state_dict()
    assert all(torch.equal(stored[key], value.half().to(value.dtype)) for key, value in trained.state_dict().items())
