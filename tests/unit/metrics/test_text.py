"""The text metrics: known answers, refusals, and what they must not depend on."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genai_utils.metrics import text


def test_a_fair_die_has_perplexity_six_and_a_coin_costs_one_bit():
    assert text.perplexity(np.full(50, -math.log(6))) == pytest.approx(6)
    assert text.bits_per_character(np.full(50, -math.log(2))).value == pytest.approx(1)


def test_something_impossible_makes_both_infinite():
    log_probs = np.array([-1.0, -math.inf, -1.0] * 20)
    assert text.perplexity(log_probs) == math.inf and text.bits_per_character(log_probs).value == math.inf
    assert math.isnan(text.bits_per_character(log_probs).spread)


def test_tokens_of_several_characters_share_their_bits():
    assert text.bits_per_character(np.full(50, -math.log(8)), characters=100).value == pytest.approx(1.5)


def test_the_error_of_blocks_is_that_of_the_mean_for_independent_symbols():
    rng = np.random.default_rng(0)
    measured = [text.bits_per_character(-rng.exponential(size=2_000)) for _ in range(200)]
    spread = np.std([estimate.value for estimate in measured])
    assert np.mean([estimate.spread for estimate in measured]) == pytest.approx(spread, rel=0.2)


def test_the_error_is_that_of_twenty_stretches_if_nothing_else_is_said():
    log_probs = -np.random.default_rng(0).exponential(size=100)
    means = log_probs.reshape(20, 5).mean(axis=1) / math.log(2)
    found = text.bits_per_character(log_probs)
    assert found == text.bits_per_character(log_probs, blocks=20)
    assert found.spread == pytest.approx(means.std(ddof=1) / 20**0.5)
    assert math.isnan(text.bits_per_character(log_probs[:39]).spread)


@pytest.mark.parametrize("bad", [[], [[-1.0]], [0.5], [math.nan]])
def test_what_is_no_list_of_log_probabilities_is_refused(bad):
    with pytest.raises(ValueError, match="log_probs must (be 0 or less|have shape|hold)"):
        text.perplexity(bad)


def test_a_model_that_knows_the_next_token_is_right_and_one_that_repeats_is_not():
    tokens = torch.tensor([[0, 1, 2, 3, 4, 5]])
    knows = 50 * torch.nn.functional.one_hot(tokens.roll(-1, 1), 6).float()
    repeats = 50 * torch.nn.functional.one_hot(tokens, 6).float()
    assert text.next_token_accuracy(knows, tokens) == 1 and text.next_token_loss(knows, tokens) < 1e-6
    assert text.next_token_accuracy(repeats, tokens) == 0 and text.next_token_loss(repeats, tokens) > 10


@settings(max_examples=20)
@given(st.integers(0, 1_000), st.integers(1, 7))
def test_padding_changes_neither_loss_nor_accuracy(seed, padding):
    generator = torch.Generator().manual_seed(seed)
    logits, tokens = torch.randn(2, 9, 5, generator=generator), torch.randint(5, (2, 9), generator=generator)
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[:, 9 - padding :] = False
    short = logits[:, : 9 - padding], tokens[:, : 9 - padding]
    spoilt = tokens.masked_fill(~mask, 4)
    if padding < 8:
        assert text.next_token_loss(logits, spoilt, mask) == pytest.approx(
            text.next_token_loss(*short).item(), rel=1e-5
        )
        assert text.next_token_accuracy(logits, spoilt, mask) == pytest.approx(text.next_token_accuracy(*short))


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="logits must be"):
        text.next_token_loss(torch.zeros(2, 5, 7), torch.zeros(2, 4, dtype=torch.long))
    with pytest.raises(ValueError, match="no token is left"):
        text.next_token_loss(torch.zeros(2, 1, 7), torch.zeros(2, 1, dtype=torch.long))


@settings(max_examples=100)
@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_the_longest_copy_is_the_longest_of_all_common_passages(written, source):
    parts = {written[i:j] for i in range(len(written)) for j in range(i + 1, len(written) + 1)}
    longest = max((len(part) for part in parts if part in source), default=0)
    copy = text.longest_copy(written, source)
    assert len(copy) == longest and copy in written and copy in source


def test_a_loop_has_few_distinct_passages():
    assert text.distinct("abc" * 100, 5) < 0.02 and text.distinct("abcdefgh", 5) == 1
    with pytest.raises(ValueError, match="no passage of 5"):
        text.distinct("abc", 5)


@pytest.mark.parametrize(
    ("logits", "tokens", "error", "message"),
    [
        (torch.zeros(1, 3, 5), torch.tensor([[0, 1, 5]]), ValueError, "tokens must be in 0 to 4, .* got 1 to 5"),
        (torch.zeros(1, 3, 5), torch.tensor([[0, 1, -100]]), ValueError, "tokens must be in 0 to 4"),
        (torch.full((1, 3, 5), math.nan), torch.zeros(1, 3).long(), ValueError, "logits must hold no NaN"),
        (torch.zeros(1, 3, 5), torch.zeros(1, 3), TypeError, "tokens must be whole numbers, got torch.float32"),
        ([[[0.0]]], torch.zeros(1, 3).long(), TypeError, "logits must be a torch tensor, got list"),
    ],
)
def test_scores_that_cannot_be_are_refused(logits, tokens, error, message):
    for measure in (text.next_token_loss, text.next_token_accuracy):
        with pytest.raises(error, match=message):
            measure(logits, tokens)
