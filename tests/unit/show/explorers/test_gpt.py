"""The page's GPT computes what PyTorch computes, chooses as `Decoding` does, and says what it cannot do."""

import numpy as np
import pytest
import torch
from node import run_module
from scipy.stats import kstest

from genai_utils import zoo
from genai_utils.data.text import encode, shakespeare, shakespeare_alphabet
from genai_utils.models.gpt import GPT, Config, gpt2_config
from genai_utils.models.sampling import Decoding, generate
from genai_utils.show.explorers.gpt import GPTExplorer

READ = """
  const network = explorer.unpack(Int8Array.from(given.weights), Float32Array.from(given.numbers), given.sizes);
  const text = (prompt) => {
    const text = explorer.begin(network, prompt);
    while (!explorer.read(text));
    return text;
  };
"""
SETTINGS = [(1.0, None, None), (0.7, None, None), (1.3, 12, None), (0.8, None, 0.9), (1.1, 20, 0.73), (0.0, 5, 0.5)]
ALPHABET = "\n !'ABCDabcdefghi"


def small(**changes):
    """A GPT of few weights that are not those of an untrained one."""
    torch.manual_seed(0)
    sizes = {"vocabulary": len(ALPHABET), "context": 16, "layers": 2, "heads": 2, "width": 12}
    model = GPT(Config(**sizes | changes)).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def on_the_page(body, widget, given, folder, modules="network.js"):
    """What `body` returns, with text(prompt) a prompt that was read by the network of the widget."""
    values = {"weights": np.frombuffer(widget.weights, np.int8).tolist(), "sizes": widget.sizes}
    values["numbers"] = np.frombuffer(widget.numbers, "<f4").tolist()
    return run_module(modules, READ + body, values | given, folder)


def as_stored(widget, model):
    """The model with the weights that the page has."""
    whole, numbers = (torch.from_numpy(np.frombuffer(*pair).copy()) for pair in stored(widget))
    state, w, n = {}, 0, 0
    for name, value in model.state_dict().items():
        state[name] = numbers[n : n + len(value)]
        n += len(value)
        if value.dim() == 2:
            state[name] = state[name][:, None] * whole[w : w + value.numel()].view_as(value)
            w += value.numel()
    assert (w, n) == (len(whole), len(numbers))
    same = GPT(model.config).eval()
    same.load_state_dict(state)
    return same.requires_grad_(False)


def stored(widget):
    return (widget.weights, np.int8), (widget.numbers, "<f4")


@pytest.fixture(scope="module")
def shipped():
    return GPTExplorer()


def test_logits_equal_pytorch_for_any_shape_and_length(tmp_path):
    for changes in ({}, {"heads": 1, "layers": 1, "width": 6}, {"heads": 3, "width": 18}):
        model = small(**changes)
        widget = GPTExplorer("A", model=model, alphabet=ALPHABET)
        prompts = [torch.randint(len(ALPHABET), (length,)).tolist() for length in (1, 2, 9, 16, 23)]
        body = "return given.prompts.map((prompt) => Array.from(text(prompt).logits));"
        ours = torch.tensor(on_the_page(body, widget, {"prompts": prompts}, tmp_path))
        exact = as_stored(widget, model)
        theirs = torch.stack([exact(torch.tensor([prompt[-16:]]))[0, -1] for prompt in prompts])
        assert torch.allclose(ours, theirs, atol=1e-4)
        assert theirs.std(dim=0).min() > 0.1  # they do depend on the prompt


def test_the_pages_probabilities_equal_those_of_the_shipped_model(shipped, tmp_path):
    """Prompts of one character, of a line, as long as the context, and longer than it."""
    macbeth, alphabet = shakespeare("validation"), shakespeare_alphabet()
    prompts = [encode(part, alphabet) for part in ("M", "MACBETH:\n", macbeth[1000:1128], macbeth[5000:5400])]
    body = """return given.prompts.map((prompt) => {
      const { logits } = text(prompt);
      return given.settings.map((settings) => Array.from(explorer.probabilities(logits, settings)));
    });"""
    settings = [as_javascript(*setting) for setting in SETTINGS]
    given = {"prompts": [prompt.tolist() for prompt in prompts], "settings": settings}
    ours = torch.tensor(on_the_page(body, shipped, given, tmp_path))
    model = zoo.load("gpt")
    logits = torch.cat([model(prompt[None, -128:])[:, -1] for prompt in prompts])
    theirs = torch.stack([Decoding(*setting).probabilities(logits) for setting in SETTINGS], dim=1)
    print(f"largest difference {(ours - theirs).abs().max():.1e}")
    assert (ours - theirs).abs().max() < 1e-4
    assert theirs.amax(dim=(1, 2)).max() > 0.5 and (theirs == 0).any()  # it is sure of some, and some are cut


def as_javascript(temperature, top_k, top_p):
    return {"temperature": temperature, "top_k": top_k or 10_000, "top_p": top_p or 1}


def test_eight_bits_lose_nothing_of_the_shipped_model(shipped):
    model = zoo.load("gpt")
    for ours, theirs in zip(as_stored(shipped, model).parameters(), model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-6, atol=0)


class Dictation:
    """In place of a `Decoding`: says which token comes, and remembers the logits it was asked about."""

    def __init__(self, tokens):
        self.tokens, self.heard = iter(tokens), []

    def probabilities(self, logits, past):
        self.heard.append(logits[0])
        return torch.nn.functional.one_hot(torch.tensor([next(self.tokens)]), logits.shape[-1]).float()


@pytest.mark.parametrize("context, before", [(16, 3), (16, 40), (7, 7), (1, 2)])
def test_a_text_longer_than_the_context_is_forgotten_as_generate_forgets_it(context, before, tmp_path):
    model = small(context=context)
    widget = GPTExplorer("A", model=model, alphabet=ALPHABET)
    tokens = torch.randint(len(ALPHABET), (before + 50,)).tolist()
    body = """const growing = text(given.tokens.slice(0, given.before));
    return given.tokens.slice(given.before).map((token) => {
      const logits = Array.from(growing.logits);
      explorer.append(growing, token);
      while (!explorer.read(growing));
      return logits;
    });"""
    ours = torch.tensor(on_the_page(body, widget, {"tokens": tokens, "before": before}, tmp_path))
    dictation = Dictation(tokens[before:])
    generate(as_stored(widget, model), torch.tensor([tokens[:before]]), 50, dictation)
    assert torch.allclose(ours, torch.stack(dictation.heard), atol=1e-4)


def test_temperature_and_cuts_choose_as_decoding_does(tmp_path):
    """Ties among the logits included."""
    generator = torch.Generator().manual_seed(3)
    logits = torch.cat(
        [torch.randn(60, 9, generator=generator) * 3, torch.randint(-2, 3, (60, 9), generator=generator)]
    )
    draws = torch.rand(120, 3, generator=generator)
    settings = [(2 * t.item() + 0.1, int(10 * k) + 1, 1 - p.item()) for t, k, p in draws]
    body = "return given.map(({ logits, settings }) => Array.from(explorer.probabilities(logits, settings)));"
    given = [{"logits": x.tolist(), "settings": as_javascript(*s)} for x, s in zip(logits, settings, strict=True)]
    theirs = torch.cat([Decoding(*s).probabilities(x[None]) for x, s in zip(logits, settings, strict=True)])
    assert torch.allclose(torch.tensor(run_module("network.js", body, given, tmp_path)), theirs, atol=1e-6)


def test_random_numbers_are_uniform_and_belong_to_their_seed_and_place(tmp_path):
    body = "return given.map((seed) => Array.from({ length: 4000 }, (_, place) => explorer.draw(seed, place)));"
    draws = np.array(run_module("network.js", body, [0, 1, 2, 1], tmp_path))
    assert (draws[1] == draws[3]).all()
    assert kstest(draws[:3].ravel(), "uniform").pvalue > 1e-3
    assert kstest(draws[:3, 1:].ravel() - draws[:3, :-1].ravel(), "triang", args=(0.5, -1, 2)).pvalue > 1e-3
    assert abs(np.corrcoef(draws[:3]) - np.eye(3)).max() < 0.06  # four standard errors


def test_a_token_is_picked_as_often_as_it_is_likely(tmp_path):
    chances = [0.1, 0, 0.55, 0.35]
    body = """const order = explorer.ranked(given), counts = [0, 0, 0, 0];
    for (let u = 0.0005; u < 1; u += 0.001) counts[explorer.pick(given, order, u)] += 1;
    return [counts, explorer.pick(given, order, 1 - 2 ** -53), explorer.pick(given, order, 0)];"""
    counts, last, first = run_module("network.js", body, chances, tmp_path)
    assert counts == pytest.approx([100, 0, 550, 350], abs=1)
    assert (first, last) == (2, 0)


def test_the_page_says_which_characters_the_model_does_not_know(tmp_path):
    body = "return given.map(([prompt, alphabet]) => explorer.complaint(prompt, alphabet));"
    prompts = [("KING:\n", shakespeare_alphabet()), ("Café 7 7", shakespeare_alphabet()), ("", ALPHABET)]
    fine, strange, empty = run_module("network.js", body, prompts, tmp_path)
    assert fine == "" and "empty" in empty
    assert strange.startswith("The model does not know “é”, “7”. It knows: new line space !")
    assert strange.endswith("? A to Z a to z")


def test_the_explorer_says_what_it_is(shipped):
    assert repr(shipped) == f"GPTExplorer: a GPT of {len(shipped.weights):,} weights writes on after 'MACBETH:\\n'"
    size = sum(p.numel() for p in zoo.load("gpt").parameters())
    assert f"{size:,} weights" in shipped.note and "Shakespeare" in shipped.note
    assert "Shakespeare" not in GPTExplorer("A", model=small(), alphabet=ALPHABET).note


def test_settings_without_a_cut_cut_nothing(shipped):
    assert (shipped.temperature, shipped.top_k, shipped.top_p) == (0.8, len(shakespeare_alphabet()), 1.0)
    asked = GPTExplorer("A", 0.0, 3, 0.5, seed=7, model=small(), alphabet=ALPHABET)
    assert (asked.temperature, asked.top_k, asked.top_p, asked.seed) == (0.0, 3, 0.5, 7)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"prompt": "A7"}, r"'7', not in the alphabet"),
        ({"prompt": ""}, r"at least one character"),
        ({"temperature": 2.5}, r"temperature must be in \[0, 2\], got 2.5"),
        ({"top_k": 0}, r"top_k must be a whole number, 1 or more"),
        ({"top_p": 1.5}, r"top_p is a share in"),
        ({"alphabet": ALPHABET + "z"}, r"alphabet has 18 characters, the model 17 tokens"),
        ({"model": GPT(gpt2_config(Config(17, width=8, heads=1)))}, r"computes the variations .*'rotary'.*'learned'"),
        ({"model": GPT(Config(17, width=160))}, r"at most 550,000 weights, the model has 1,2"),
    ],
)
def test_what_the_page_cannot_do_is_said_at_once(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        GPTExplorer(**{"prompt": "A", "model": small(), "alphabet": ALPHABET} | arguments)


def test_at_temperature_zero_the_page_writes_what_generate_writes_and_goes_in_circles(shipped, tmp_path):
    """#gpt=temperature:0,written:400, as the text says; a character that PyTorch takes for as likely may differ."""
    body = """const writer = new explorer.Writer(network, given.alphabet, given.prompt, 0);
    writer.wanted = 400;
    while (writer.step({ temperature: 0, top_k: 67, top_p: 1 }));
    return [writer.written, writer.since(writer.before)];"""
    given = {"alphabet": shipped.alphabet, "prompt": shipped.prompt}
    count, text = on_the_page(body, shipped, given, tmp_path)
    assert count == len(text) == 400 and "of the man of the man of the state" in text
    prompt = encode(shipped.prompt, shipped.alphabet)[None]
    theirs = generate(zoo.load("gpt"), prompt, 100, Decoding(0.0))[0, -100:]
    assert encode(text[:100], shipped.alphabet).tolist() == theirs.tolist()
