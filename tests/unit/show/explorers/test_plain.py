"""What an explorer needs to run where no test of ours can go, as in Colab: plain JavaScript and plain state."""

import base64
import json
import re

import pytest
from node import NAMES

from genai_utils.show import explorers

SVG = "http://www.w3.org/2000/svg"  # a name, not an address
REACHES_OUT = re.compile(r"\bimport\b|\brequire\(|\bfetch\(|XMLHttpRequest|WebSocket|https?:|//cdn|\burl\(")


@pytest.fixture(scope="module", params=NAMES)
def widget(request):
    return getattr(explorers, request.param)()


def test_script_and_style_ask_nobody_for_anything(widget):
    for source in (widget._esm, widget._css):
        found = REACHES_OUT.search(str(source).replace(SVG, ""))
        assert not found, f"{type(widget).__name__} reaches out: {found[0]}"


def test_the_script_is_one_module_that_renders(widget):
    assert re.search(r"^export default \{ render \};$", str(widget._esm), re.MULTILINE)


def test_the_state_is_json_and_bytes_and_leaves_a_notebook_small(widget):
    stored = [base64.b64encode(v) if isinstance(v, bytes) else json.dumps(v) for v in widget.get_state().values()]
    assert sum(map(len, stored)) < 700_000
