"""The n-gram model: probabilities, refusals, what it draws, and a second implementation that counts by definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai_utils.models.ngram import NGram

TEXT = "abracadabra, abraham, a cab and a bar in a park"


@settings(max_examples=30)
@given(st.text("abc", min_size=6, max_size=40), st.text("abcd", max_size=6), st.integers(1, 4))
def test_probabilities_are_positive_and_sum_to_one_after_any_past(text, past, order):
    p = NGram(text, order, alphabet="abcd").distribution(past)
    assert p.sum() == pytest.approx(1) and (p > 0).all()


def test_log_probs_agree_with_distributions_along_a_text():
    model = NGram(TEXT, 3)
    p = [model.distribution(TEXT[:t])[model.alphabet.index(symbol)] for t, symbol in enumerate(TEXT)]
    assert model.log_probs(TEXT) == pytest.approx(np.log(p))


def test_without_discount_it_counts_and_finds_the_unseen_impossible():
    model = NGram("abababac", 2, discount=0)
    assert np.exp(model.log_probs("ab")[1]) == pytest.approx(3 / 4)
    assert model.log_probs("bb")[1] == -math.inf


def test_the_future_changes_nothing():
    model = NGram(TEXT, 4)
    before, after = model.log_probs(TEXT[:20] + "aaaa"), model.log_probs(TEXT[:20] + "bbbb")
    assert np.array_equal(before[:20], after[:20]) and not np.array_equal(before, after)


def test_it_sees_exactly_order_minus_one_symbols():
    model = NGram(TEXT, 3)
    assert np.array_equal(model.distribution("xxxab"), model.distribution("ab"))
    assert not np.array_equal(model.distribution("ab"), model.distribution("cb"))
    assert np.array_equal(NGram(TEXT, 1).distribution("abra"), NGram(TEXT, 1).distribution(""))


def test_a_longer_memory_predicts_a_periodic_text_better():
    text = "aabb" * 50
    first, second = (NGram(text, order).log_probs(text)[8:].mean() for order in (2, 3))
    assert first < -0.5 and second > -0.05


def test_what_it_draws_follows_its_distribution_and_repeats_with_the_seed():
    model = NGram(TEXT, 1)
    drawn = model.sample(4_000, generator=np.random.default_rng(1))
    shares = np.array([drawn.count(symbol) / 4_000 for symbol in model.alphabet])
    assert np.abs(shares - model.distribution("")).max() < 0.035
    first, again, other = (model.sample(20, past="ab", generator=np.random.default_rng(s)) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("order", [0, 50, 2.0])
def test_an_order_that_the_text_does_not_have_is_refused(order):
    with pytest.raises((ValueError, TypeError), match="order must be (in 1..len|a whole number)"):
        NGram(TEXT, order)


def test_symbols_outside_the_alphabet_are_named():
    with pytest.raises(ValueError, match=r"not in the alphabet: \['z'\]"):
        NGram("az", 1, alphabet="a")
    with pytest.raises(ValueError, match=r"not in the alphabet: \['z'\]"):
        NGram(TEXT, 2).log_probs("az")


def test_the_discount_is_that_of_what_was_seen_once_and_twice():
    """Two symbols once, two twice: 2 / (2 + 2 * 2) is taken off each count and spread over the alphabet of five."""
    p = NGram("abccdd", 1, alphabet="abcde").distribution("")
    assert p.tolist() == pytest.approx([(count - 1 / 3 * (count > 0) + 4 / 15) / 6 for count in (1, 1, 2, 2, 0)])


def test_a_discount_is_found_even_where_nothing_is_rare():
    assert NGram("aaaa", 1, alphabet="ab").distribution("")[0] == pytest.approx((4 - 0.5 + 0.25) / 4)


@pytest.mark.parametrize("discount", [-0.1, 1.0, 2])
def test_a_discount_that_gives_more_than_a_count_has_is_refused(discount):
    with pytest.raises(ValueError, match=rf"discount is a share in \[0, 1\), got {discount}"):
        NGram(TEXT, 2, discount=discount)
