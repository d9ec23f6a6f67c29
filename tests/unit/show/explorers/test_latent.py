import pytest
import torch
from node import run_module
from torch import nn

from genai_utils.models.gan import Generator
from genai_utils.show.explorers.latent import LatentExplorer, clear_latents, fold_batchnorm, parameters

FORWARD = """
  const view = new DataView(Uint8Array.from(given.bytes).buffer);
  const layers = explorer.unpack(explorer.fromHalf(view), given.shapes);
  return given.latents.map((z) => Array.from(explorer.generate(layers, z)));
"""


def apply(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if weight.dim() == 2:
        return (x @ weight.T + bias).view(len(x), -1, 7, 7)
    if weight.shape[-1] == 4:
        return torch.conv_transpose2d(x, weight, bias, 2, 1)
    return torch.conv2d(x, weight, bias, padding=1)


@pytest.mark.parametrize("width", [4, 16])
def test_the_pages_generator_equals_pytorch(width, tmp_path):
    torch.manual_seed(0)
    generator = Generator(width=width).eval()
    for norm in generator.modules():
        if hasattr(norm, "running_mean"):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
    parts = [part.half() for part in parameters(generator)]
    latents = torch.randn(3, 64)
    given = {
        "bytes": list(torch.cat([part.flatten() for part in parts]).numpy().tobytes()),
        "shapes": [list(part.shape) for part in parts],
        "latents": latents.tolist(),
    }
    pixels = torch.tensor(run_module("latent.js", FORWARD, given, tmp_path)).view(3, 1, 28, 28)
    expected = latents
    for k, (weight, bias) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        expected = torch.relu(expected) if k else expected
        expected = apply(expected, weight.float(), bias.float())
    expected = torch.tanh(expected)
    assert torch.allclose(pixels, expected, atol=1e-4)
    with torch.no_grad():
        assert torch.allclose(pixels, generator(latents), atol=0.02)  # what half precision and folding cost


def test_a_blend_keeps_the_length_of_noise_and_meets_its_corners(tmp_path):
    corners = torch.randn(4, 64).tolist()
    places = [[0, 0], [1, 0], [0, 1], [1, 1], [0.3, 0.6]]
    body = "return given.places.map(([x, y]) => explorer.blend(given.corners, x, y));"
    blends = torch.tensor(run_module("latent.js", body, {"corners": corners, "places": places}, tmp_path))
    assert torch.allclose(blends.norm(dim=1), torch.full((5,), 8.0), atol=1e-4)
    cosine = torch.cosine_similarity(blends[:4], torch.tensor(corners))
    assert torch.allclose(cosine, torch.ones(4), atol=1e-5)


def test_the_explorer_carries_the_shipped_generator():
    widget = LatentExplorer(examples=2)
    count = sum(torch.Size(shape).numel() for shape in widget.shapes)
    assert len(widget.weights) == 2 * count
    assert torch.tensor(widget.latents).shape == (10, 2, 64)
    assert len(widget.names) == 10 and len(set(widget.corners)) == 4
    assert len(widget._esm) > 100 and ".genai-latent" in widget._css


def test_the_corner_examples_are_the_ones_the_classifier_is_surest_of():
    from genai_utils import zoo

    generator = zoo.load("dcgan")
    latents = clear_latents(generator, examples=2, draws=500)
    with torch.no_grad():
        predicted = zoo.load("fashion-classifier")(generator(latents.flatten(0, 1))).argmax(1)
    assert (predicted.view(10, 2) == torch.arange(10)[:, None]).float().mean() > 0.9


def test_convolutions_and_transposed_convolutions_equal_pytorch(tmp_path):
    """Each kind of layer on its own, with unequal numbers of channels, so that no index can be mixed up unseen."""
    torch.manual_seed(1)
    shapes = [(3 * 49, 5), (3 * 49,), (2, 3, 3, 3), (2,), (2, 4, 4, 4), (4,), (1, 4, 3, 3), (1,)]
    parts = [torch.randn(shape) / 4 for shape in shapes]
    latents = torch.randn(2, 5)
    x = apply(latents, *parts[:2])
    for k in range(2, len(parts), 2):
        x = apply(torch.relu(x), *parts[k : k + 2])
    body = """
      const tensors = given.parts.map((data, k) => ({ data, shape: given.shapes[k] }));
      return given.latents.map((z) => Array.from(explorer.generate(tensors, z)));
    """
    given = {"parts": [p.flatten().tolist() for p in parts], "shapes": shapes, "latents": latents.tolist()}
    pixels = torch.tensor(run_module("latent.js", body, given, tmp_path))
    assert torch.allclose(pixels, torch.tanh(x).flatten(1), atol=1e-4)


def test_folding_batch_norm_into_the_weights_changes_nothing_that_can_be_seen():
    torch.manual_seed(0)
    G = Generator(latent=12, width=4)
    for _ in range(5):
        G(torch.randn(20, 12) + 1)  # moves the running statistics away from (0, 1)
    z = torch.randn(9, 12)
    folded = fold_batchnorm(G)
    torch.testing.assert_close(folded(z), G.eval()(z), atol=1e-6, rtol=1e-5)
    assert not any(isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) for layer in folded)


def test_folding_leaves_the_generator_as_it_was():
    G = Generator(latent=8, width=4)
    before = {name: t.clone() for name, t in G.state_dict().items()}
    fold_batchnorm(G)
    assert G.training
    assert all(torch.equal(before[name], t) for name, t in G.state_dict().items())
