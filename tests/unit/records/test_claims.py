"""A claim says its verdict, its evidence, and what else could explain the numbers."""

from genai_utils.records.claims import Claim

TOLD = ("unit.pays", "It pays.", "S1 §2", "depends", "5 of 9")


def test_a_claim_is_sampled_and_nobody_has_named_another_explanation_unless_it_says_so():
    claim = Claim(*TOLD)
    assert (claim.exact, claim.doubt, claim.anchor) == (False, "", "claim-unit-pays")
    assert str(claim) == "~ depends: It pays. (S1 §2) 5 of 9"


def test_the_other_explanation_ends_the_claim():
    assert str(Claim(*TOLD, alternative="it was luck")).endswith("5 of 9 Other explanation: it was luck.")
    assert str(Claim(*TOLD, exact=True)).endswith("5 of 9 Proven, counted or read, not sampled.")
