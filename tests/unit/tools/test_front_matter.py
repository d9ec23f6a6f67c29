"""The front matter of a chapter says what a machine must know of it, and nothing else."""

import pytest

from tools.front_matter import FrontMatter, parted

TEXT = "# Title\n\n---\n\ngenai: {live: true}\n\n---\n"


@pytest.mark.parametrize("head", ["", "---\ngenai: {}\n---\n\n", "---\ngenai:\n---\n", "---\njupyter: {a: 1}\n---\n"])
def test_what_is_not_said_is_as_documented_and_rules_further_down_are_text(head):
    assert parted(head + TEXT) == (FrontMatter("cpu", 90, 2048, live=False, fold=False), TEXT)


def test_everything_can_be_said_in_one_line():
    head = "---\ngenai: {budget: gpu, seconds: 300, memory_mb: 4096, live: true, fold: true}\n---\n"
    assert parted(head + TEXT) == (FrontMatter("gpu", 300, 4096, live=True, fold=True), TEXT)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("genai: {second: 5}", "genai has no 'second'; it has budget, seconds, memory_mb, live, fold"),
        ("genai: {seconds: fast}", "seconds takes a value like 90, got 'fast'"),
        ("genai: {seconds: true}", "seconds takes a value like 90, got True"),
        ("genai: {fold: 1}", "fold takes a value like False, got 1"),
        ("genai: {budget: tpu}", "budget is cpu or gpu, got 'tpu'"),
        ("genai: {memory_mb: 0}", "seconds and memory_mb are at least 1, got 90 and 0"),
        ("genai: [live]", r"genai takes \{key: value, ...\}, got \['live'\]"),
        ("title: A chapter", r"it is one mapping named genai, got \{'title'"),
        ("genai", "it is one mapping named genai, got 'genai'"),
        ("genai: {seconds: .nan}", "seconds takes a value like 90, got nan"),
        ("genai: {seconds: .inf}", "seconds takes a value like 90, got inf"),
        ("genai: {seconds: 5, seconds: 50}", "'seconds' stands there twice"),
        ("genai: {live: true; fold: true}", "it is no YAML: "),
        ("genai: {", "it is no YAML: "),
    ],
)
def test_what_is_wrong_is_refused_with_its_line_and_what_is_allowed(said, complaint):
    with pytest.raises(ValueError, match=rf"(?:{complaint}).*\(line [23]\)$") as caught:
        parted(f"---\n{said}\n---\n{TEXT}")
    assert "\n" not in str(caught.value)


def test_an_error_is_found_in_its_line():
    with pytest.raises(ValueError, match=r"it is no YAML: .*'%'.*\(line 4\)"):
        parted(f"---\ngenai:\n  live: true\n  fold: %\n---\n{TEXT}")


@pytest.mark.parametrize(
    "head", ["---\ngenai: {}\n", "\n---\ngenai: {}\n---\n", "--- \ngenai: {}\n---\n", "----\n---\n"]
)
def test_a_head_that_is_not_closed_or_not_at_the_top_does_not_become_text(head):
    with pytest.raises(ValueError, match=r"begins and ends with a line of three dashes .*\(line 1\)"):
        parted(head + "# Title\n")
