"""Cuts keep what their definitions say, draws come as often as they should, and a cache changes no token."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from genai_utils.models import sampling
from genai_utils.models.gpt import GPT, Config, gpt2_config
from genai_utils.models.sampling import Decoding, generate

SIZE = 7
anything = hnp.arrays("float32", (2, SIZE), elements=st.floats(-8, 8, width=32)).map(torch.from_numpy)
distinct = st.permutations(range(SIZE)).map(lambda places: torch.tensor([places, places[::-1]]) / 2.0)


def kept(logits):
    return logits > -math.inf


def shares(logits):
    """Softmax written out, in float64."""
    return np.exp(logits.double().numpy()) / np.exp(logits.double().numpy()).sum(-1, keepdims=True)


# --- the cuts ---------------------------------------------------------------------------------------------------------


@given(distinct, st.integers(1, SIZE + 3))
def test_top_k_keeps_the_k_most_likely(logits, k):
    stay = kept(sampling.top_k(logits, k))
    assert (stay.sum(-1) == min(k, SIZE)).all()
    assert all(logits[i][stay[i]].min() > logits[i][~stay[i]].max() for i in range(2) if not stay[i].all())


def test_top_k_keeps_all_that_are_as_likely_as_the_last():
    assert kept(sampling.top_k(torch.tensor([1.0, 3.0, 2.0, 2.0, 0.0]), 2)).tolist() == [False, True, True, True, False]


@given(anything, st.floats(0.01, 1))
def test_top_p_keeps_the_smallest_set_that_holds_the_share(logits, p):
    stay, probabilities = kept(sampling.top_p(logits, p)).numpy(), shares(logits)
    for mask, row in zip(stay, probabilities, strict=True):
        inside, outside = row[mask], row[~mask]
        assert inside.sum() >= p - 1e-6
        assert inside.sum() - inside.min() < p + 1e-6  # without its least likely member it would not do
        assert not len(outside) or outside.max() <= inside.min() + 1e-9


@given(anything, st.floats(0, 1))
def test_min_p_keeps_what_is_at_least_that_share_of_the_most_likely(logits, p):
    probabilities = shares(logits)
    ratio = probabilities / probabilities.max(-1, keepdims=True)
    clear = abs(ratio - p) > 1e-5
    assert (kept(sampling.min_p(logits, p)).numpy() == (ratio >= p))[clear].all()


@given(anything)
def test_a_cut_that_cuts_nothing_changes_nothing(logits):
    for same in (sampling.top_k(logits, SIZE), sampling.top_p(logits, 1.0), sampling.min_p(logits, 0.0)):
        assert torch.equal(same, logits)


@given(anything, st.integers(1, SIZE), st.floats(0.01, 1), st.floats(0, 1))
def test_every_cut_keeps_the_most_likely_and_the_ratios_of_the_rest(logits, k, p, least):
    before = torch.tensor(shares(logits)).float()
    for cut in (Decoding(top_k=k), Decoding(top_p=p), Decoding(min_p=least), Decoding(1.0, k, p, least)):
        after = cut.probabilities(logits)
        assert torch.allclose(after.sum(-1), torch.ones(2))
        assert (after.gather(-1, logits.argmax(-1, keepdim=True)) > 0).all()
        renormalised = before * (after > 0) / (before * (after > 0)).sum(-1, keepdim=True)
        assert torch.allclose(after, renormalised, atol=1e-5)


# --- temperature and penalty ------------------------------------------------------------------------------------------


@given(anything, st.floats(0.1, 5))
def test_temperature_raises_probabilities_to_its_inverse(logits, temperature):
    powers = shares(logits) ** (1 / temperature)
    found = Decoding(temperature).probabilities(logits).numpy()
    assert np.allclose(found, powers / powers.sum(-1, keepdims=True), atol=1e-5)


@given(distinct)
def test_a_low_temperature_takes_the_most_likely_and_a_high_one_any(logits):
    greedy = torch.nn.functional.one_hot(logits.argmax(-1), SIZE).float()
    assert torch.equal(Decoding(0).probabilities(logits), greedy)
    assert torch.allclose(Decoding(0.01).probabilities(logits), greedy)
    assert torch.allclose(Decoding(1e6).probabilities(logits), torch.full((2, SIZE), 1 / SIZE), atol=1e-5)


@given(anything, st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=10))
def test_a_penalty_of_one_is_no_penalty_and_more_never_makes_the_past_likelier(logits, past):
    places = torch.tensor([past, past])
    assert torch.equal(sampling.penalize(logits, places, 1.0), logits)
    after = sampling.penalize(logits, places, 1.5)
    seen = torch.zeros(SIZE, dtype=torch.bool)
    seen[past] = True
    assert torch.equal(after[:, ~seen], logits[:, ~seen]) and (after <= logits).all()
    expected = torch.where(logits > 0, logits / 1.5, logits * 1.5)  # once, however often the token came
    assert torch.equal(after[:, seen], expected[:, seen])


def test_the_penalty_comes_before_the_temperature_and_needs_a_past():
    logits, past = torch.tensor([[2.0, 1.9, -1.0]]), torch.tensor([[0]])
    decoding = Decoding(0.5, repetition=2.0)
    expected = torch.tensor([[1.0, 1.9, -1.0]]).div(0.5).softmax(-1)
    assert torch.allclose(decoding.probabilities(logits, past), expected)
    assert torch.allclose(decoding.probabilities(logits), logits.div(0.5).softmax(-1))
    assert Decoding(0, repetition=2.0).probabilities(logits, past).argmax() == 1


def test_the_temperature_comes_before_the_cuts():
    """At temperature 10 the 7 shares are almost equal, so that half of them takes four tokens; at 1 it takes one."""
    logits = torch.tensor([[3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    assert (Decoding(10, top_p=0.5).probabilities(logits) > 0).sum() == 4
    assert (Decoding(1, top_p=0.5).probabilities(logits) > 0).sum() == 1


@pytest.mark.parametrize("call, message", [
    (lambda x: sampling.top_k(x, 0), "k must be a whole number, 1 or more, got 0"),
    (lambda x: sampling.top_p(x, 0.0), r"p is a share in \(0, 1\], got 0.0"),
    (lambda x: sampling.top_p(x, 1.1), r"p is a share in \(0, 1\], got 1.1"),
    (lambda x: sampling.min_p(x, -0.1), r"p is a share in \[0, 1\], got -0.1"),
    (lambda x: sampling.penalize(x, torch.zeros(1, 1).long(), 0.5), r"penalty must be in \[1, 1e\+06\], got 0.5"),
    (lambda x: Decoding(-1.0), r"temperature must be in \[0, 1e\+06\], got -1.0"),
    (lambda x: Decoding(math.inf), r"temperature must be in \[0, 1e\+06\], got inf"),
    (lambda x: Decoding(math.nan), r"temperature must be in \[0, 1e\+06\], got nan"),
])  # fmt: skip
def test_settings_without_a_meaning_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(1, SIZE))


# --- writing ----------------------------------------------------------------------------------------------------------


CONFIG = Config(11, context=12, layers=2, heads=2, width=16)


def awake(config=CONFIG):
    torch.manual_seed(0)
    model = GPT(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5 if parameter.dim() == 2 else 1.0)
    return model.requires_grad_(False)


def chance(seed=3):
    return torch.Generator().manual_seed(seed)


def prompts(batch, time):
    return torch.randint(11, (batch, time), generator=chance(5))


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, positions="none"), gpt2_config(CONFIG)])
@pytest.mark.parametrize("time", [1, 7, 12, 30])
def test_with_and_without_a_cache_the_tokens_are_the_same_also_beyond_the_context(config, time):
    model, prompt = awake(config), prompts(2, time)
    texts = [generate(model, prompt, 40, Decoding(0.9), generator=chance(), cached=cached) for cached in (True, False)]
    assert torch.equal(*texts)
    assert texts[0].shape == (2, time + 40) and torch.equal(texts[0][:, :time], prompt)
    assert not torch.equal(texts[0], generate(model, prompt, 40, Decoding(0.9), generator=chance(4)))


def read(model, monkeypatch):
    """Lengths that the model is given, from now on."""
    lengths, forward = [], model.forward
    monkeypatch.setattr(
        model, "forward", lambda x, *rest, **more: lengths.append(x.shape[1]) or forward(x, *rest, **more)
    )
    return lengths


def test_the_cache_reads_each_token_once_until_half_of_the_context_is_forgotten(monkeypatch):
    model = awake()
    lengths = read(model, monkeypatch)
    generate(model, prompts(1, 8), 12)
    assert lengths == [8, 1, 1, 1, 1, 6, 1, 1, 1, 1, 1, 1]


def test_without_a_cache_all_is_read_again(monkeypatch):
    model = awake()
    lengths = read(model, monkeypatch)
    generate(model, prompts(1, 8), 12, cached=False)
    assert lengths == [8, 9, 10, 11, 12, 6, 7, 8, 9, 10, 11, 12]


def test_of_a_prompt_beyond_the_context_only_the_end_counts():
    model, prompt = awake(), prompts(1, 40)
    whole, end = (generate(model, part, 20, Decoding(0))[:, -20:] for part in (prompt, prompt[:, -12:]))
    assert torch.equal(whole, end)


def test_greedy_writing_takes_the_most_likely_token_each_time():
    model, prompt = awake(), prompts(3, 4)
    text = generate(model, prompt, 8, Decoding(0))
    assert torch.equal(model(text)[:, 3:-1].argmax(-1), text[:, 4:])


@pytest.mark.parametrize("decoding", [None, Decoding(0.7, top_k=5), Decoding(1.3, top_p=0.8, repetition=1.2)])
def test_tokens_come_as_often_as_their_probability_says(decoding):
    model, n, prompt = awake(), 20_000, prompts(1, 3)
    drawn = generate(model, prompt.expand(n, 3), 1, decoding, generator=chance())[:, -1]
    p = (decoding or Decoding()).probabilities(model(prompt)[:, -1], prompt)[0]
    frequency = torch.bincount(drawn, minlength=11) / n
    assert ((frequency - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()
    assert (frequency[p == 0] == 0).all()


@pytest.mark.parametrize("name, values", [
    ("temperature", [1e-45, 1e300, "1", None]), ("repetition", [math.nan, 0.5, math.inf]), ("top_k", [0, 2.5]),
    ("top_p", [0.0, math.nan]), ("min_p", [1.5, math.nan]),
])  # fmt: skip
def test_a_rule_without_a_meaning_is_refused_when_it_is_made(name, values):
    for value in values:
        with pytest.raises((ValueError, TypeError), match=name):
            Decoding(**{name: value})


@pytest.mark.parametrize("temperature", [1e-6, 1e6])
def test_the_ends_of_the_range_give_probabilities(temperature):
    p = Decoding(temperature, repetition=1e6).probabilities(torch.tensor([[1e4, -1e4, -math.inf]]), torch.tensor([[1]]))
    assert torch.allclose(p.sum(-1), torch.ones(1))


def test_a_share_of_one_keeps_all_tokens_however_unlikely():
    logits = torch.tensor([[50.0, 0.0, -50.0, -100.0]])
    assert torch.equal(sampling.top_p(logits, 1.0), logits)


@pytest.mark.parametrize(
    "logits", [torch.tensor([[math.nan, 0.0]]), torch.tensor([[math.inf, 0.0]]), torch.full((1, 2), -math.inf)]
)
def test_scores_that_give_no_probabilities_are_refused(logits):
    with pytest.raises(ValueError, match="logits must"):
        Decoding().probabilities(logits)


@pytest.mark.parametrize("name, values", [
    ("prompt", [[[1, 2]], torch.zeros(1, 2), torch.tensor([[3, 11]]), torch.tensor([[-1]])]),
    ("tokens", [-3, 2.5]), ("stop", [11]), ("decoding", [{"temperature": 1}]), ("model", [None]),
])  # fmt: skip
def test_what_cannot_be_written_on_is_named(name, values):
    for value in values:
        with pytest.raises((ValueError, TypeError), match=name):
            generate(**{"model": awake(), "prompt": prompts(1, 3), "tokens": 3} | {name: value})


def test_nothing_to_add_adds_nothing():
    assert torch.equal(generate(awake(), prompts(2, 3), 0), prompts(2, 3))


def test_the_penalty_sees_all_of_the_text():
    """So high a penalty, on positive logits, that no token comes twice until all have come."""
    model = awake()
    model.head.register_forward_hook(lambda module, inputs, scores: scores.clamp(min=0) / 100 + 1)
    text = generate(model, torch.tensor([[3]]), 10, Decoding(0, repetition=5.0))
    assert sorted(text[0].tolist()) == list(range(11))


@pytest.mark.parametrize("prompt", [torch.zeros(3, dtype=torch.long), torch.zeros(1, 0, dtype=torch.long)])
def test_a_prompt_without_a_token_or_a_batch_is_refused(prompt):
    with pytest.raises(ValueError, match=r"prompt must be \(batch, time\) with at least one token, got"):
        generate(awake(), prompt, 3)


@pytest.mark.parametrize("cached", [True, False])
def test_a_text_that_wrote_the_stop_token_is_filled_up_with_it_and_the_others_go_on(cached):
    model, prompt = awake(), prompts(6, 3)
    free = generate(model, prompt, 30, generator=chance(), cached=cached)
    ended = generate(model, prompt, 30, stop=4, generator=chance(), cached=cached)
    for before, after in zip(free[:, 3:].tolist(), ended[:, 3:].tolist(), strict=True):
        until = before.index(4) + 1 if 4 in before else len(before)
        assert after[:until] == before[:until] and set(after[until:]) <= {4}


def test_writing_ends_when_all_texts_have_stopped():
    model = awake()
    model.head.register_forward_hook(lambda module, inputs, scores: scores + 1e4 * torch.eye(11)[4])
    assert generate(model, prompts(2, 3), 30, stop=4)[:, 3:].tolist() == [[4], [4]]
