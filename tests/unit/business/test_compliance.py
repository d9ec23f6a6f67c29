"""The checklist: every duty rests on a fact that names its article, and answers trigger what they should."""

import re
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genai_utils.business import compliance as c
from genai_utils.records.facts import fact

ANSWERS = [each.name for each in fields(c.Product) if each.name != "name"]
PRODUCTS = st.builds(c.Product, name=st.just("any"), **{name: st.booleans() for name in ANSWERS})
SHOP = c.Product("shop assistant", in_china=True, in_eu=True, talks=True, pictures=True, exports=True, trains=True)


def articles(product, place):
    return [f"{duty.law} {duty.article}" for duty in c.duties(product) if duty.place == place]


@pytest.mark.parametrize("duty", c.DUTIES, ids=str)
def test_every_duty_names_an_article_that_its_fact_names(duty):
    named = re.search(r"\d+(?:\.\d)?(?:\(\w\))?(?: to \d+)?", duty.article)
    pattern = rf"(?<![\d(]){re.escape(named[0])}(?![\d(])" if named else rf"\b{re.escape(duty.article)}\b"
    assert re.search(pattern, fact(duty.fact).statement)


@pytest.mark.parametrize("duty", c.DUTIES, ids=str)
def test_every_duty_has_a_date_that_a_fact_gives(duty):
    day = date.fromisoformat(duty.since)
    words = f"{day.day} {day:%B} {day.year}"
    ids = (duty.fact, "B-R9", "B-R10")
    assert duty.since == fact(duty.fact).date or any(words in fact(id).statement for id in ids)


@pytest.mark.parametrize("duty", c.DUTIES, ids=str)
def test_every_duty_says_what_triggers_it_and_how_sure_we_are(duty):
    assert duty.place in c.PLACES and set(duty.needs + duty.any_of + duty.unless) <= set(ANSWERS)
    assert c.OFFERED[duty.place] in duty.needs
    assert duty.why and re.search("primary source read|secondary source only|unverified", duty.confidence)


def test_no_duty_stands_twice():
    assert len(set(c.DUTIES)) == len(c.DUTIES)


def test_a_product_offered_nowhere_has_no_duties():
    assert c.duties(replace(SHOP, in_china=False, in_eu=False)) == ()


@given(PRODUCTS)
def test_the_interim_measures_leave_alone_what_the_public_cannot_use(product):
    assert all(article.startswith("PIPL") for article in articles(replace(product, public=False), "CN"))


@given(PRODUCTS, st.sampled_from(list(c.PLACES)))
def test_a_place_where_it_is_not_offered_asks_for_nothing(product, place):
    assert articles(replace(product, **{c.OFFERED[place]: False}), place) == []


@given(PRODUCTS)
def test_who_handles_no_data_about_people_meets_no_law_on_them(product):
    assert all(duty.kind != "data" for duty in c.duties(replace(product, personal=False)))


@given(PRODUCTS)
def test_what_china_asks_does_not_depend_on_the_offer_in_the_eu(product):
    assert articles(replace(product, in_eu=True), "CN") == articles(replace(product, in_eu=False), "CN")


@given(PRODUCTS, st.sampled_from([name for name in ANSWERS if name != "open_weights"]))
def test_one_more_yes_never_removes_a_duty(product, name):
    fewer, more = (set(c.duties(replace(product, **{name: answer}))) for answer in (False, True))
    assert fewer <= more


def test_the_shop_s_assistant_is_labelled_but_needs_no_filing():
    china = articles(SHOP, "CN")
    assert {"Labelling Art. 4", "Labelling Art. 5", "Deep synthesis Art. 17", "Interim Measures Art. 7"} <= set(china)
    assert "Interim Measures Art. 17" not in china
    act = [article for article in articles(SHOP, "EU") if article.startswith("AI Act")]
    assert act == ["AI Act Art. 4", "AI Act Art. 5", "AI Act Art. 50(1)", "AI Act Art. 50(2)"]


def test_what_can_shape_opinion_is_filed():
    assert {"Interim Measures Art. 17", "Deep synthesis Art. 19"} <= set(articles(replace(SHOP, opinion=True), "CN"))


@pytest.mark.parametrize(("opened", "systemic", "documents"), [(False, False, 1), (True, False, 0), (True, True, 1)])
def test_open_weights_spare_the_documentation_unless_the_risk_is_systemic(opened, systemic, documents):
    maker = c.Product("model", in_eu=True, base_model=True, open_weights=opened, systemic=systemic)
    assert sum(duty.topic == "documentation" for duty in c.duties(maker)) == documents
    assert ("AI Act Art. 55" in articles(maker, "EU")) == systemic


HIRING = c.Product("hiring", in_china=True, in_eu=True, public=False, high_risk=True)
HIGH = {f"AI Act Art. {number}" for number in (9, 10, 11, 12, 13, 14, 15, 17, 26, 43, 49, 72, 73, 86)}


def test_a_hiring_tool_for_the_own_staff_meets_data_law_in_china_and_each_article_on_high_risk_in_the_eu():
    assert "PIPL Art. 24" in articles(HIRING, "CN") and set(articles(HIRING, "EU")) >= HIGH
    assert not any(article.startswith(("Interim", "Deep", "Label")) for article in articles(HIRING, "CN"))
    assert HIGH.isdisjoint(f"{duty.law} {duty.article}" for duty in c.duties(HIRING, on="2026-12-31"))


def test_the_two_laws_on_data_share_all_topics_but_three():
    topics = {place: {d.topic for d in c.DUTIES if d.place == place and d.kind == "data"} for place in ("CN", "EU")}
    assert topics["EU"] - topics["CN"] == {"design", "records"} and topics["CN"] - topics["EU"] == {"audits"}


@given(PRODUCTS)
def test_china_asks_for_an_impact_assessment_whenever_others_process_the_data(product):
    """PIPL Art. 55(3) names entrusting, which our Art. 21 takes for granted; training is no trigger there."""
    china = articles(replace(product, in_china=True), "CN")
    assert ("PIPL Art. 55" in china) == ("PIPL Art. 21" in china) == product.personal


@given(PRODUCTS)
def test_training_on_others_works_counts_in_both_places_or_in_none(product):
    product = replace(product, in_china=True, in_eu=True, public=True, base_model=False)
    asked = {d.place for d in c.duties(product) if d.topic == "training data" and d.kind in c.SAME_FOOTING}
    assert asked & {"CN", "EU"} == ({"CN", "EU"} if product.trains else set())


@pytest.mark.parametrize("day", ["20260802", "2026-W31-7", "2026-8-2"])
def test_a_day_that_would_not_sort_among_the_others_is_refused(day):
    with pytest.raises(ValueError, match="on must be a date like 2026-08-02"):
        c.duties(SHOP, on=day)


def test_three_ways_of_counting_one_product():
    counts = {unit: [c.tally(HIRING, place, unit=unit) for place in ("CN", "EU")] for unit in c.UNITS}
    assert counts == {"text": [1, 2], "article": [9, 26], "topic": [9, 25]}
    assert [c.tally(HIRING, place, kinds=("AI",)) for place in ("CN", "EU")] == [0, 16]


@given(PRODUCTS, st.sampled_from(list(c.PLACES)))
def test_coarser_units_never_count_more(product, place):
    text, article, topic = (c.tally(product, place, unit=unit) for unit in c.UNITS)
    assert text <= article and text <= topic * len(c.DUTIES) and (text > 0) == (article > 0) == (topic > 0)
    assert topic <= sum(duty.place == place for duty in c.duties(product))


@given(PRODUCTS)
def test_joint_work_lies_between_the_larger_list_and_the_sum(product):
    union, both = c.joint(product)
    parts = [c.tally(product, place) for place in ("CN", "EU")]
    assert max(parts) <= union == sum(parts) - both and both <= min(parts)


def test_duties_come_into_force_one_law_after_the_other():
    counts = [
        len(c.duties(SHOP, on=day)) for day in ("2017-12-31", "2018-05-25", "2021-11-01", "2023-01-10", "2025-09-01")
    ]
    assert counts[0] == 0 and counts == sorted(set(counts))
    assert len(c.duties(SHOP, on="2026-08-01")) < len(c.duties(SHOP, on="2026-08-02"))


@given(PRODUCTS)
def test_the_matrix_holds_every_duty_once(product):
    cells = [article for row in c.matrix(product).values() for place in c.PLACES for article in row[place]]
    assert sorted(cells) == sorted(f"{duty.law} {duty.article}" for duty in c.duties(product))


def test_switches_count_what_one_other_answer_changes():
    changed = c.switches(SHOP)
    assert set(changed) == set(ANSWERS) and changed["opinion"] == 2 and changed["open_weights"] == 0
    assert changed["in_china"] == len(articles(SHOP, "CN")) > changed["public"] > changed["talks"]


def test_a_checklist_shows_article_reason_and_confidence():
    html = c.duties(SHOP)._repr_html_()
    assert html.count("<tr>") == len(c.duties(SHOP)) + 1
    assert "Interim Measures Art. 7" in html and "secondary source only" in html and "the public can use it" in html
    assert "CN Labelling Art. 5: " in str(c.duties(SHOP))


def test_the_reason_names_alternatives_and_exceptions():
    why = {(duty.law, duty.article, duty.text): duty.why for duty in c.DUTIES}
    assert any("like a person or it edits faces" in text for text in why.values())
    assert any(", unless the weights of that model are free and open" in text for text in why.values())
