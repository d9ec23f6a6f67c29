"""The recipe of the shipped variational autoencoders, on a few images and a few steps."""

import hashlib

import pytest
import torch

from genai_utils import zoo
from genai_utils.data.images import Images, fashion_mnist
from genai_utils.models import vae
from tools import train_vae

TEST = fashion_mnist("test")
FEW = Images(TEST.pixels[:300], TEST.labels[:300], TEST.classes, "a few")


def bound(model):
    with torch.no_grad():
        return float(vae.elbo(model, FEW.images, noise=torch.zeros(300, model.latent)).objective)


def test_training_raises_the_bound_and_repeats_with_its_seed():
    def trained(seed):
        torch.manual_seed(seed)
        return train_vae.train(vae.VAE(2, 16), FEW.images, train_vae.Recipe(40, 1e-2), seed)

    torch.manual_seed(0)
    untrained = vae.VAE(2, 16).centre(FEW.images)
    first, second, other = trained(0), trained(0), trained(1)
    assert bound(first) > bound(untrained) + 30
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.decoder[0].weight, other.decoder[0].weight)


@pytest.mark.parametrize("name", list(train_vae.RECIPES))
def test_the_recipe_writes_weights_and_card(monkeypatch, tmp_path, name):
    monkeypatch.setattr(train_vae, "fashion_mnist", lambda split, full: FEW)
    for setting, small in {"N_SAMPLES": 100, "IWAE_IMAGES": 10, "IWAE_DRAWS": 3}.items():
        monkeypatch.setattr(train_vae, setting, small)
    monkeypatch.setattr("sys.argv", ["train_vae.py", name, "--steps", "2", "--output", str(tmp_path)])
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)  # the other tests keep their threads
    train_vae.main()
    content = (tmp_path / f"{name}.safetensors").read_bytes()
    written = (tmp_path / f"{name}.md").read_text()
    assert hashlib.sha256(content).hexdigest() in written and f"{name} --seed 0 --steps 2`" in written
    assert [line for line in written.splitlines() if line.startswith(("#", "| beta"))] == [
        line for line in zoo.card(name).splitlines() if line.startswith(("#", "| beta"))
    ]


def test_each_map_is_trained_with_its_own_beta():
    maps = zoo.load("vae-maps")
    with torch.no_grad():
        rates = [float(one(TEST.images)[1].sum(dim=1).mean()) for one in maps]
    assert len(maps) == len(vae.MAP_BETAS) and all(a > 1.5 * b for a, b in zip(rates, rates[1:], strict=False))
