"""The equations of the chapter on language models: both sides computed, without shared code."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from torch.nn.functional import one_hot

from genai_utils.metrics import text as score
from genai_utils.models.ngram import NGram

verifies = pytest.mark.verifies
WANTED = ["CharGRU", "words", "merged", "split_bytes", "train_bpe", "encode", "decode", "library_bpe"]
SEEDS = st.integers(0, 10_000)


def tables(seed: int, symbols: int = 2, length: int = 3) -> np.ndarray:
    """A random distribution over all texts of a length: an array with one axis a place."""
    return np.random.default_rng(seed).dirichlet(np.ones(symbols**length)).reshape((symbols,) * length)


def conditional(joint: np.ndarray, past: tuple[int, ...]) -> np.ndarray:
    """Distribution of the symbol after a past, by summing the joint distribution."""
    over = joint[past]
    over = over.reshape(len(over), -1).sum(1)
    return over / over.sum()


@verifies("lm.chain")
@given(SEEDS)
def test_a_distribution_is_the_product_of_its_conditionals(seed):
    joint = tables(seed, 3)
    for x in product(range(3), repeat=3):
        assert math.prod(conditional(joint, x[:t])[x[t]] for t in range(3)) == pytest.approx(joint[x])


@verifies("lm.chain")
@settings(max_examples=20)
@given(st.text("abc", min_size=5, max_size=30), st.integers(1, 4))
def test_the_probabilities_of_all_texts_of_the_counting_model_sum_to_one(text, order):
    model = NGram(text, order, alphabet="abc")
    total = sum(math.exp(model.log_probs("".join(x)).sum()) for x in product("abc", repeat=4))
    assert total == pytest.approx(1, abs=1e-9)


@verifies("lm.chain")
@settings(max_examples=5)
@given(seed=SEEDS)
def test_the_probabilities_of_all_texts_of_the_network_sum_to_one(chapter, seed):
    torch.manual_seed(seed)
    model = chapter["CharGRU"](3, width=8)
    texts = torch.tensor(list(product(range(3), repeat=4)))
    with torch.no_grad():
        log_p = model(torch.cat([torch.zeros(81, 1, dtype=torch.long), texts], 1))[0].log_softmax(-1)[:, :-1]
    assert log_p.gather(2, texts[..., None]).sum((1, 2)).double().exp().sum().item() == pytest.approx(1, abs=1e-5)


@verifies("lm.chain")
@pytest.mark.parametrize("changed", range(1, 8))
def test_the_network_does_not_see_the_future(chapter, changed):
    model, x = chapter["CharGRU"](5, width=8), torch.randint(5, (3, 8))
    other = x.clone()
    other[:, changed:] = (other[:, changed:] + 1) % 5
    with torch.no_grad():
        before, after = model(x)[0], model(other)[0]
    assert torch.equal(before[:, :changed], after[:, :changed]) and not torch.equal(
        before[:, changed], after[:, changed]
    )


@verifies("lm.perplexity")
@verifies("lm.bits")
@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30))
def test_both_scores_follow_from_the_probability_of_the_whole_text(p):
    whole = float(np.prod([Fraction(x) for x in p]))  # exact until here: no underflow for 30 factors
    assert score.perplexity(np.log(p)) == pytest.approx(whole ** (-1 / len(p)), rel=1e-9)
    assert score.bits_per_character(np.log(p), characters=7).value == pytest.approx(-math.log2(whole) / 7, abs=1e-9)


@verifies("lm.bound")
@given(SEEDS)
def test_expected_surprise_is_entropy_plus_divergence(seed):
    p, q = tables(seed).ravel(), tables(seed + 1).ravel()
    surprise = sum(a * math.log2(1 / b) for a, b in zip(p, q, strict=True))
    assert surprise == pytest.approx(entropy(p, base=2) + entropy(p, q, base=2)) and entropy(p, q) >= 0


@verifies("lm.context")
@given(SEEDS)
def test_a_longer_past_never_raises_the_entropy(seed):
    joint = tables(seed, 3, 4)
    uncertain = [
        entropy(joint.sum(tuple(range(3 - k))).ravel()) - entropy(joint.sum((*range(3 - k), 3)).ravel())
        for k in range(4)
    ]  # H(X_4 | k symbols before) = H(k + 1 symbols) - H(k symbols)
    assert all(more <= less + 1e-12 for less, more in zip(uncertain, uncertain[1:], strict=False))


def counted(gram: str, text: str, order: int) -> int:
    """c(g) by definition: places of the text at full length, else the number of symbols that come before it."""
    if len(gram) == order:
        return sum(text.startswith(gram, place) for place in range(len(text)))
    return sum(counted(v + gram, text, order) > 0 for v in "abc")


def smoothed(symbol: str, past: str, text: str, order: int, d: Fraction) -> Fraction:
    """Kneser-Ney by asking the whole text anew for every number: slow, exact, without tables."""
    shorter = smoothed(symbol, past[1:], text, order, d) if past else Fraction(1, 3)
    after = {w: counted(past + w, text, order) for w in "abc"}
    total = sum(after.values())
    if total == 0:
        return shorter
    return (max(after[symbol] - d, Fraction(0)) + d * sum(n > 0 for n in after.values()) * shorter) / total


@verifies("lm.kneser-ney")
@verifies("lm.continuation")
@settings(max_examples=25)
@given(st.text("abc", min_size=4, max_size=25), st.text("abc", min_size=1, max_size=6), st.integers(1, 3))
def test_the_tables_give_what_the_definition_counts_to_1e_12(text, asked, order):
    d = Fraction(3, 4)
    log_probs = NGram(text, order, alphabet="abc", discount=float(d)).log_probs(asked)
    for t, symbol in enumerate(asked):
        p = smoothed(symbol, asked[max(0, t - order + 1) : t], text, order, d)
        assert math.exp(log_probs[t]) == pytest.approx(float(p), rel=1e-12)


@verifies("lm.kneser-ney")
@settings(max_examples=10)
@given(st.text("abc", min_size=6, max_size=40), st.text("abc", min_size=3, max_size=10))
def test_perplexity_equals_that_of_the_definition_to_1e_6(text, asked):
    d = Fraction(1, 2)
    p = [smoothed(symbol, asked[max(0, t - 2) : t], text, 3, d) for t, symbol in enumerate(asked)]
    expected = float(math.prod(p)) ** (-1 / len(p))
    model = NGram(text, 3, alphabet="abc", discount=float(d))
    assert score.perplexity(model.log_probs(asked)) == pytest.approx(expected, abs=1e-6)


@verifies("lm.loss")
@given(SEEDS)
def test_the_loss_is_the_mean_surprise_of_the_tokens_that_count(seed):
    rng = np.random.default_rng(seed)
    logits, tokens, lengths = rng.standard_normal((3, 6, 4)), rng.integers(4, size=(3, 6)), rng.integers(2, 7, 3)
    total, n = 0.0, 0
    for i, length in enumerate(lengths):
        for t in range(length - 1):
            p = np.exp(logits[i, t]) / np.exp(logits[i, t]).sum()
            total, n = total - math.log(p[tokens[i, t + 1]]), n + 1
    mask = torch.arange(6) < torch.from_numpy(lengths)[:, None]
    found = score.next_token_loss(torch.from_numpy(logits), torch.from_numpy(tokens), mask)
    assert found.item() == pytest.approx(total / n, rel=1e-5)


@verifies("lm.gradient")
@given(SEEDS, st.integers(0, 4))
def test_the_gradient_is_softmax_minus_one_hot(seed, came):
    logits = torch.randn(1, 2, 5, generator=torch.Generator().manual_seed(seed), requires_grad=True)
    score.next_token_loss(logits, torch.tensor([[0, came]])).backward()
    said = logits.detach()[0, 0].exp() / logits.detach()[0, 0].exp().sum()
    assert torch.allclose(logits.grad[0, 0], said - one_hot(torch.tensor(came), 5), atol=1e-6)


@verifies("lm.gru")
def test_the_gates_written_out_give_the_memory_of_torch(chapter):
    torch.manual_seed(0)
    model = chapter["CharGRU"](7, width=6).double()
    x = torch.randint(7, (1, 9))
    with torch.no_grad():
        final = model(x)[1][0, 0].numpy()
        inward, memory = (w.numpy() for w in (model.gru.weight_ih_l0, model.gru.weight_hh_l0))
        b, c = (w.numpy() for w in (model.gru.bias_ih_l0, model.gru.bias_hh_l0))
        h = np.zeros(6)
        for e in model.embed(x)[0].numpy():
            (ir, iz, iw), (mr, mz, mw) = np.split(inward @ e + b, 3), np.split(memory @ h + c, 3)
            r, z = 1 / (1 + np.exp(-ir - mr)), 1 / (1 + np.exp(-iz - mz))
            h = (1 - z) * np.tanh(iw + r * mw) + z * h
    assert final == pytest.approx(h, abs=1e-12)


@verifies("lm.forcing")
@given(SEEDS)
def test_the_divergence_of_texts_is_the_sum_of_those_of_next_symbols_after_real_pasts(seed):
    p, q = tables(seed, 3), tables(seed + 1, 3)
    total = 0.0
    for t in range(3):
        for past in product(range(3), repeat=t):
            total += p[past].sum() * entropy(conditional(p, past), conditional(q, past))
    assert total == pytest.approx(entropy(p.ravel(), q.ravel()))


@settings(max_examples=300)
@given(text=st.text(max_size=60))
def test_the_tokeniser_of_the_chapter_gives_back_any_text(chapter, merges, text):
    tokens = chapter["encode"](text, merges)
    assert chapter["decode"](tokens) == text and len(tokens) <= len(text.encode())


@settings(max_examples=300)
@given(text=st.text(max_size=60))
def test_the_tokeniser_of_the_library_gives_back_any_text(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@pytest.fixture(scope="module")
def merges(chapter):
    return chapter["train_bpe"]("the king and the queen, 国王和王后 and the 国王", 30)


@pytest.fixture(scope="module")
def tokenizer(chapter):
    return chapter["library_bpe"]("the king and the queen, 国王和王后 and the 国王 " * 3, 300)


@pytest.mark.parametrize("text", ["生存还是毁灭", "國王", "𠮷野家", "to be 或 not", "\u200d\r\n\x00🎭"])
def test_chinese_and_stranger_texts_survive_both(chapter, merges, tokenizer, text):
    assert chapter["decode"](chapter["encode"](text, merges)) == text == tokenizer.decode(tokenizer.encode(text).ids)


def test_the_first_merge_is_the_most_frequent_pair(chapter):
    assert list(chapter["train_bpe"]("abab ab ab xy", 2)) == [(b"a", b"b"), (b" ", b"ab")]
