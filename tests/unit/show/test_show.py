import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from genai_utils.records import fact
from genai_utils.show import animation, claim, claims, figure, plots, result, results, style
from genai_utils.show.claims import MIME


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would display: (data, metadata) of each output."""
    outputs = []

    def display(thing, metadata=None, raw=False):
        outputs.append((thing if raw else thing._repr_mimebundle_(), metadata or {}))

    monkeypatch.setattr(plots, "display", display)
    monkeypatch.setattr(claims, "display", display)
    monkeypatch.setattr(results, "display", display)
    return outputs


def _claim(**change):
    usual = {"id": "a.b", "text": "x < y", "source": "S0", "supported": False, "refuted": False, "evidence": "e"}
    claim(**(usual | change))


@pytest.mark.parametrize(
    ("supported", "refuted", "verdict"),
    [(True, False, "supported"), (False, True, "refuted"), (False, False, "depends")],
)
def test_the_verdict_follows_from_the_conditions(shown, supported, refuted, verdict):
    _claim(supported=supported, refuted=refuted)
    data, _ = shown[0]
    assert data[MIME]["verdict"] == verdict
    assert f"genai-{verdict}" in data["text/html"] and verdict in data["text/plain"]
    json.dumps(data[MIME])


def test_a_claim_shows_the_other_explanation_or_that_there_is_none(shown):
    _claim(alternative="luck & n = 1")
    _claim(exact=True)
    _claim()
    pages = [data["text/html"] for data, _ in shown]
    assert "Other explanation: luck &amp; n = 1." in pages[0] and "Other explanation: luck" in shown[0][0]["text/plain"]
    assert "Proven, counted or read" in pages[1] and "genai-doubt" not in pages[2]
    assert [data[MIME]["exact"] for data, _ in shown] == [False, True, False]


def test_a_claim_is_escaped(shown):
    _claim(text="<b>1 & 2</b>")
    assert "&lt;b&gt;1 &amp; 2" in shown[0][0]["text/html"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"supported": True, "refuted": True}, "both supported and refuted"),
        ({"id": "noname"}, "looks like 'gan.converges'"),
        ({"evidence": " "}, "needs a text, a source and evidence"),
        ({"exact": True, "alternative": "luck"}, "exact and yet names an alternative 'luck'"),
    ],
)
def test_a_bad_claim_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        _claim(**change)


def test_a_figure_carries_its_alt_text_and_is_closed(shown):
    style.use()
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    figure(fig, alt="A line rises.")
    data, metadata = shown[0]
    assert metadata["image/png"]["alt"] == data["text/plain"] == "A line rises."
    assert data["image/png"].startswith("iVBOR")
    assert not plt.fignum_exists(fig.number)


def test_an_animation_stands_still_for_readers_who_ask_for_less_motion(shown):
    frames = [np.full((4, 6), value, np.uint8) for value in (0, 255)]
    animation(frames, alt="It gets 'brighter'.", scale=2)
    markup = shown[0][0]["text/html"]
    assert "prefers-reduced-motion: reduce" in markup and "data:image/gif" in markup
    assert 'alt="It gets &#x27;brighter&#x27;."' in markup and 'width="12"' in markup


def test_alt_text_is_required():
    for show in (lambda: figure(plt.figure(), alt=" "), lambda: animation([np.zeros((2, 2), np.uint8)], alt="")):
        with pytest.raises(ValueError, match="needs alt text"):
            show()
    with pytest.raises(ValueError, match="uint8 frames of one size"):
        animation([np.zeros((2, 2))], alt="x")


def test_tiles_keep_the_order_and_the_range():
    images = torch.linspace(-1, 1, 3)[:, None, None, None].expand(3, 1, 2, 2)
    page = plots.tile(images, columns=2, gap=1)
    assert page.shape == (5, 5)
    assert (page[0, 0], page[0, 3], page[3, 0]) == (0, 128, 255)


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(n, 1, height, width\)"):
        plots.tile(torch.zeros(3, 28, 28))


def test_a_line_is_named_at_its_end_in_its_color():
    fig, ax = plt.subplots()
    (line,) = ax.plot([0, 1, 2], [3, 1, 4], color=style.GREEN)
    label = plots.at_end(line, "rises", lift=6)
    assert label.xy == (2, 4) and label.get_color() == style.GREEN and label.get_text() == "rises"
    fig.canvas.draw()
    words, (x, y) = label.get_window_extent(), ax.transData.transform((2, 4))
    assert words.x0 > x and (words.y0 + words.y1) / 2 > y
    plt.close(fig)


def test_bars_lie_in_order_from_the_top_with_their_numbers_behind_them():
    ax = plots.bars({"few": 0.25, "many": 1.5}, ".1f", [style.BLUE, style.RED], spread=[0.0, 0.5])
    assert [bar.get_width() for bar in ax.patches] == [0.25, 1.5]
    few, many = ax.texts
    assert (few.get_text(), many.get_text(), many.xy) == ("0.2", "1.5", (2.0, 1.0))
    assert to_hex(many.get_color()) == style.RED.lower()
    ax.figure.canvas.draw()
    assert few.get_window_extent().y0 > many.get_window_extent().y1
    plt.close(ax.figure)


def test_bars_can_share_a_figure():
    fig, (left, right) = plt.subplots(1, 2)
    assert plots.bars({"a": 1.0}, ax=right) is right and not left.patches and right.patches
    plt.close(fig)


def test_curves_label_each_line_with_its_running_mean():
    fig = plots.curves({"d": [0.0, 2.0] * 20, "g": [1.0] * 40}, title="t", smooth=2)
    lines = fig.axes[0].lines
    assert np.allclose(lines[0].get_ydata(), 1) and np.allclose(lines[1].get_ydata(), 1)
    assert [text.get_text().strip() for text in fig.axes[0].texts] == ["d", "g"]
    plt.close(fig)


def test_grids_and_rows_draw_what_they_are_given():
    images = torch.zeros(4, 1, 5, 5)
    for fig, axes in ((plots.grid(images, 2, "t"), 1), (plots.rows({"a": images, "b": images}, "t"), 2)):
        assert len(fig.axes) == axes
        plt.close(fig)


def _contrast(colour: str, ground: str) -> float:
    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("ink", "enough"), [(style.GRAY, 4.2), (style.RED, 3.5), *((i, 3.5) for i in style.INKS.values())]
)
def test_the_words_of_figures_are_legible_on_white_and_on_the_dark_page(ink, enough):
    assert min(_contrast(ink, "#ffffff"), _contrast(ink, "#121212")) > enough


def test_words_in_the_colour_of_a_line_get_its_ink_and_the_line_keeps_it(shown):
    fig, ax = plt.subplots()
    (line,) = ax.plot([1, 2], color=style.ORANGE)
    word, plain = ax.annotate("mine", (0, 1), color=style.ORANGE), ax.text(0, 1, "plain", color="white")
    figure(fig, alt="A line and two words.")
    assert (word.get_color(), line.get_color(), plain.get_color()) == (style.INKS[style.ORANGE], style.ORANGE, "white")


def _result(**change):
    usual = {"data": "toys, 20", "parameters": 1200, "steps": 300, "seconds": 4.4}
    result("Toy", **(usual | change))


def test_a_result_shows_its_numbers_and_a_dash_for_those_it_does_not_have(shown):
    _result(bits_per_dim=2.34567, likelihood="exact", sampling_seconds=3600.0)
    data, _ = shown[0]
    row = data[results.MIME]
    assert row["usd_per_1000"] == fact("B-U4").value and row["frechet"] is None
    assert "2.346 a pixel, exact" in data["text/html"] and "<td>–</td>" in data["text/html"]
    assert "1,200" in data["text/plain"] and "–" not in data["text/plain"]
    json.dumps(row)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bits_per_character": 1.5}, "Bits 1.500 a character; Price of drawing 3 USD for 1,000 characters"),
        ({"bits_per_sample": 2.5}, "Bits 2.500 a sample of sound; Price of drawing 3 USD for 1,000 seconds of sound"),
        (
            {"frechet": 80.0},
            "Pictures judged 2,000; Fréchet distance 80.0; Price of drawing 3 USD for 1,000 pictures",
        ),
        ({"coverage": 0.5, "n": 500}, "Pictures judged 500; Coverage 50%; Price of drawing 3 USD for 1,000 pictures"),
    ],
)
def test_a_result_says_of_what_its_bits_and_its_price_are_and_how_many_pictures_were_judged(shown, change, words):
    _result(sampling_seconds=3600.0 * 3 / fact("B-U4").value, **change)
    assert shown[0][0]["text/plain"].endswith(f"4 s; {words}")


def test_a_result_without_any_measurement_of_quality_is_shown_too(shown):
    _result()
    assert shown[0][0]["text/plain"] == "Model Toy; Learned from toys, 20; Parameters 1,200; Training 300 steps, 4 s"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bits_per_dim": 3.0}, "what kind of number"),
        ({"likelihood": "exact"}, "together"),
        ({"bits_per_character": 1.5, "bits_per_sample": 2.5}, "bits of one kind"),
        ({"frechet": float("nan")}, "frechet must be a finite number"),
        ({"seconds": -1.0}, "seconds must be a finite number >= 0"),
    ],
)
def test_a_result_that_cannot_be_compared_is_refused(shown, change, words):
    with pytest.raises(ValueError, match=words):
        _result(**change)
    assert not shown
