"""A model stands still on a page and follows sliders where a kernel runs."""

import ipywidgets

from genai_utils.show import sliders


def price(cost=2.0, margin=0.5):
    return cost / (1 - margin)


def test_without_a_kernel_the_defaults_speak():
    assert sliders(price, live=False, cost=(1.0, 3.0), margin=(0.0, 0.9)) == 4.0


def test_with_a_kernel_each_input_has_its_slider(monkeypatch):
    shown = []
    monkeypatch.setattr("ipywidgets.interaction.display", shown.append)
    assert sliders(price, live=True, cost=(1.0, 3.0), margin=(0.0, 0.9, 0.1)) is None
    (box,) = (each for each in shown if isinstance(each, ipywidgets.VBox))
    cost, margin, _ = box.children
    assert isinstance(cost, ipywidgets.FloatSlider) and (cost.min, cost.max, cost.value) == (1.0, 3.0, 2.0)
    assert isinstance(margin, ipywidgets.FloatSlider) and (margin.step, margin.value) == (0.1, 0.5)
