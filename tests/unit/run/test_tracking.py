"""The lines of the page that hand a run's history to TensorBoard, and to Weights & Biases where it is installed."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from genai_utils.run import Run
from tools.notebooks import ROOT

PAGE = (ROOT / "book/how-to-use.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def run():
    """A run with two logged numbers."""
    run = Run(4, progress=False)
    model, sgd = run.setup(net := nn.Linear(1, 1), torch.optim.SGD(net.parameters(), 0.1))
    for x in run.batches(torch.ones(8, 1), batch_size=2):
        run.step(sgd, loss := model(x).square().mean())
        run.log(loss=loss, norm=net.weight.detach().norm())
    return run


def printed(word: str) -> str:
    """The one block of the page with this word."""
    (block,) = (block for block in BLOCKS if word in block)
    return block


@contextmanager
def server(folder: str) -> Iterator[str]:
    """TensorBoard on a free port, as the page starts it; its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", "0", "--load_fast", "false"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
    finally:
        process.terminate()
        process.wait()


def test_tensorboard_shows_the_history_that_the_printed_lines_gave_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(printed("SummaryWriter"), {"run": run})
    with server("runs") as address:
        for name, values in run.history.items():
            with urllib.request.urlopen(f"{address}data/plugin/scalars/scalars?run=first&tag={name}") as answer:
                points = json.load(answer)
            assert [step for _, step, _ in points] == [1, 2, 3, 4]
            assert [value for *_, value in points] == pytest.approx(values)


def test_weights_and_biases_keeps_the_history_and_sends_nothing(run, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="needs Weights & Biases (pip install wandb)")
    monkeypatch.chdir(tmp_path)
    exec(printed("wandb"), {"run": run})
    assert [path.suffix for path in tmp_path.glob("wandb/offline-run-*/run-*")] == [".wandb"]
