"""Inside a head the page has the queries, keys, scores, shares, values and result of PyTorch; guesses are counted."""

import pytest
import torch
from test_gpt import ALPHABET, as_stored, on_the_page, small

from genai_utils import zoo
from genai_utils.data.text import encode, shakespeare, shakespeare_alphabet
from genai_utils.models.gpt import attention_weights
from genai_utils.show.explorers.gpt import GPTExplorer

MODULES = ("network.js", "attention.js")
LOOK = """
  const plain = (v) => Array.from(v, (each) => (typeof each === "number" ? each : Array.from(each)));
  const whole = (head) => Object.fromEntries(Object.entries(head).map(([name, v]) => [name, plain(v)]));
  const reading = new explorer.Reading(network);
"""
KINDS = ("query", "keys", "values", "scores", "shares", "found")


@torch.no_grad()
def by_pytorch(model, tokens, layer, head, place):
    """The same six by the model's own layers, and by (gpt.causal) for all places at once."""
    x, turn = model._embed(torch.tensor([tokens]), 0)
    for block in model.blocks[:layer]:
        x = block(x, turn)
    block = model.blocks[layer]
    q, k, v = (part[0, head] for part in block.attention.project(block.norm1(x), turn))
    shares = attention_weights(q[None, None], k[None, None])[0, 0]
    scores = q[place] @ k[: place + 1].T / q.shape[1] ** 0.5
    return q[place], k[: place + 1], v[: place + 1], scores, shares[place, : place + 1], (shares @ v)[place]


def check(widget, model, prompts, folder):
    """All layers and heads, at the first place, one in the middle and the last.  Returns the shares."""
    context, layers, heads = (widget.sizes[name] for name in ("context", "layers", "heads"))
    asked = [
        (i, layer, head, place)
        for i, prompt in enumerate(prompts)
        for layer in range(layers)
        for head in range(heads)
        for place in sorted({0, min(len(prompt), context) // 2, min(len(prompt), context) - 1})
    ]
    body = """return given.asked.map(([i, ...where]) => {
      reading.follow(given.prompts[i]);
      return whole(reading.head(...where));
    });"""
    given = {"prompts": prompts, "asked": asked}
    answers = on_the_page(LOOK + body, widget, given, folder, MODULES)
    largest, all_shares = 0.0, []
    for (i, *where), ours in zip(asked, answers, strict=True):
        theirs = by_pytorch(model, prompts[i][-context:], *where)
        for kind, tensor in zip(KINDS, theirs, strict=True):
            mine = torch.tensor(ours[kind])
            assert mine.shape == tensor.shape, kind
            largest = max(largest, (mine - tensor).abs().max().item())
        assert sum(ours["shares"]) == pytest.approx(1, abs=1e-9)
        all_shares.append(torch.tensor(ours["shares"]))
    print(f"{len(asked)} heads at places, largest difference {largest:.1e}")
    assert largest < 1e-4
    return all_shares


def test_the_inside_of_each_head_equals_pytorch_for_any_shape_and_length(tmp_path):
    for changes in ({}, {"heads": 1, "layers": 1, "width": 6}, {"heads": 3, "width": 18}):
        model = small(**changes)
        widget = GPTExplorer("A", model=model, alphabet=ALPHABET)
        prompts = [torch.randint(len(ALPHABET), (length,)).tolist() for length in (1, 2, 9, 16, 23)]
        check(widget, as_stored(widget, model), prompts, tmp_path)


def test_the_inside_of_the_shipped_model_equals_pytorch(tmp_path):
    """Prompts of one character, of a line, as long as the context, and longer than it."""
    macbeth, alphabet = shakespeare("validation"), shakespeare_alphabet()
    texts = ("M", "My name is Macbeth, and my name is d", macbeth[1000:1128], macbeth[5000:5400])
    prompts = [encode(part, alphabet).tolist() for part in texts]
    shares = check(GPTExplorer(inside=True), zoo.load("gpt"), prompts, tmp_path)
    assert max(share.max() for share in shares if len(share) > 9) > 0.5  # some of them are sure


def test_a_text_that_changes_in_the_middle_is_read_as_if_it_were_new(tmp_path):
    """What was read is kept up to the first character that differs; a longer, a shorter, the same and an empty text."""
    widget = GPTExplorer("A", model=small(), alphabet=ALPHABET)
    start = torch.randint(len(ALPHABET), (12,)).tolist()
    other = [*start[:5], (start[5] + 1) % len(ALPHABET), *start[6:]]
    texts = [start, other, start[:7], start[:7], [*start, 1, 2, 3], [*start, *start], other[3:]]
    body = """return given.map((tokens) => {
      const fresh = new explorer.Reading(network);
      for (const each of [reading, fresh]) each.follow(tokens);
      const place = fresh.tokens.length - 1;
      return [reading, fresh].map((each) => JSON.stringify(whole(each.head(1, 1, place))));
    });"""
    body = body.replace("given.map", "given.texts.map")
    for kept, fresh in on_the_page(LOOK + body, widget, {"texts": texts}, tmp_path, MODULES):
        assert kept == fresh


def test_a_guess_is_right_where_the_share_is_largest_and_blind_ones_hit_one_in_as_many_as_there_are(tmp_path):
    model = small()
    widget = GPTExplorer("A", model=model, alphabet=ALPHABET)
    tokens = torch.randint(len(ALPHABET), (10,)).tolist()
    tops = [int(by_pytorch(as_stored(widget, model), tokens, 1, 0, place - 1)[4].argmax()) + 1 for place in (4, 5, 10)]
    guesses = [f"1.0.{place}.{top}" for place, top in zip((4, 5, 10), tops, strict=True)]
    guesses[1] = f"1.0.5.{tops[1] % 5 + 1}"
    nonsense = ["1.0.5", "9.0.5.1", "1.2.5.1", "1.0.5.6", "1.0.5.0", "1.0.11.1", "1.0.1.1", "a.b.c.d", ""]
    body = """reading.follow(given.tokens);
    return explorer.scored(reading, explorer.guessesOf(given.said, network, given.tokens.length));"""
    given = {"tokens": tokens, "said": "_".join([*nonsense, *guesses])}
    score = on_the_page(LOOK + body, widget, given, tmp_path, MODULES)
    assert score == {"right": 2, "asked": 3, "blind": pytest.approx(1 / 4 + 1 / 5 + 1 / 10)}


def test_only_who_asks_gets_the_inside():
    assert GPTExplorer("A", model=small(), alphabet=ALPHABET, inside=True).inside
    assert not GPTExplorer("A", model=small(), alphabet=ALPHABET).inside
    with pytest.raises(TypeError, match="inside must be bool"):
        GPTExplorer("A", model=small(), alphabet=ALPHABET, inside=1)


def test_weights_are_in_the_state_once_and_the_scripts_are_small():
    plain, inside = GPTExplorer(), GPTExplorer(inside=True)
    bytes_of = [{k for k, v in w.get_state().items() if isinstance(v, bytes)} for w in (plain, inside)]
    assert bytes_of == [{"weights", "numbers"}] * 2
    assert len(inside._esm.encode()) < 60_000
