"""Price lists: what they say is stated by the facts that they name, and they are in order."""

from itertools import groupby, pairwise

import pytest

from genai_utils.business import unit_economics as ue
from genai_utils.business.price_lists import price_list, price_lists
from genai_utils.records.facts import fact

LISTS = price_lists()


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.model)
def test_each_price_is_in_the_statement_of_its_fact(row):
    """Read back as numbers, without the strings of the module."""
    words = fact(row.fact, history=True).statement.replace("$", " ").split()
    numbers = {float(word) for word in (each.strip(";,()") for each in words) if word.replace(".", "", 1).isdigit()}
    assert {row.prices.cached_input, row.prices.fresh_input, row.prices.output} <= numbers


def test_cached_input_is_never_dearer_and_output_never_cheaper_than_fresh_input():
    assert all(row.prices.cached_input <= row.prices.fresh_input < row.prices.output for row in LISTS)


def test_sellers_stand_together_and_each_in_the_order_of_time():
    sellers = [seller for seller, _ in groupby(LISTS, key=lambda row: row.seller)]
    assert len(sellers) == len(set(sellers)) == 4
    assert all(a.month <= b.month for a, b in pairwise(LISTS) if a.seller == b.seller)
    assert len({row.model for row in LISTS}) == len(LISTS)


def test_a_list_is_found_by_its_model_and_an_unknown_one_names_the_nearest():
    assert price_list("V3.2").prices == ue.Prices(cached_input=0.028, fresh_input=0.28, output=0.42)
    assert price_list("V3.2") in LISTS
    with pytest.raises(ValueError, match=r"model.*V4-Pro"):
        price_list("V4-Prd")
