"""What an explorer is set to is checked: names, words with the nearest one, numbers by range; also when bent later."""

import math

import pytest

from genai_utils.show import explorers


@pytest.mark.parametrize(("explorer", "settings", "message"), [
    (explorers.PlayTheGame, {"order": "alternatign"}, "order must be one of .*did you mean 'alternating'"),
    (explorers.PlayTheGame, {"widht": 2.0}, "trait must be one of .*did you mean 'width'"),
    (explorers.PlayTheGame, {"rounds": 0}, "rounds must be a whole number, 1 or more"),
    (explorers.PlayTheGame, {"rounds": 2.5}, "rounds must be a whole number"),
    (explorers.PlayTheGame, {"mean": math.nan}, "mean must be in"),
    (explorers.PlayTheGame, {"width": 0.0}, "width must be in .*got 0.0"),
    (explorers.ProfitAndLoss, {"paying_share": 1.5}, r"paying_share must be in \[0, 1\], got 1.5"),
    (explorers.ProfitAndLoss, {"users": math.inf}, "users must be in"),
    (explorers.ProfitAndLoss, {"users": "many"}, "users must be a number"),
    (explorers.WhatMustBeTrue, {"margin": math.nan}, "margin must be in"),
    (explorers.LatentMap, {"beta": 2.0}, "beta must be one of"),
    (explorers.LatentMap, {"examples": 0}, "examples must be a whole number"),
    (explorers.LatentExplorer, {"examples": 10**6}, "examples must be in"),
    (explorers.GPTExplorer, {"temperature": math.nan}, "temperature must be in"),
    (explorers.GPTExplorer, {"seed": 0.5}, "seed must be a whole number"),
    (explorers.GPTExplorer, {"model": "gpt"}, "model must be GPT"),
])  # fmt: skip
def test_a_setting_that_cannot_be_is_named(explorer, settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        explorer(**settings)


def test_what_is_bent_later_is_checked_too():
    game = explorers.PlayTheGame(step=1)
    assert game.step == 1.0 and isinstance(game.step, float)
    with pytest.raises(ValueError, match="step must be in"):
        game.step = math.nan
    assert game.step == 1.0
