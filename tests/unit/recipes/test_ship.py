"""Shipping: refusals, the command line, and the second look at what was shipped."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from genai_utils import zoo
from genai_utils.recipes import __main__ as command
from genai_utils.recipes import ship
from genai_utils.zoo import catalogue
from genai_utils.zoo.catalogue import entries

TINY = ship.Recipe(
    zoo.Entry("tiny", "models.gpt:sized", '{"vocabulary": 3, "context": 4, "layers": 1, "heads": 1, "width": 4}'),
    steps=3,
    train=lambda job: fitted(job),
    judge=lambda model: {"mean": float(model.tokens.weight.mean())},
    card="# tiny\n\n{facts}\n\nIts mean is {mean:.4f}.\n",
)


def fitted(job: ship.Job) -> nn.Module:
    run, model = job.run(), job.build()
    model, optimizer = run.setup(model, torch.optim.SGD(model.parameters(), 0.1))
    for _ in run.remaining():
        run.step(optimizer, model(torch.zeros(1, 2, dtype=torch.long)).square().mean())
    return model


@pytest.fixture
def house(monkeypatch, tmp_path):
    """A zoo of its own in the place of the package's, with the tiny model in it."""
    monkeypatch.setattr(zoo, "ROOT", tmp_path)
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path / "weights")
    ship.ship(ship.planned(TINY, out=tmp_path))
    for name, entry in entries(tmp_path / "catalogue.csv").items():
        monkeypatch.setitem(zoo.ENTRIES, name, entry)
    return tmp_path


@pytest.mark.parametrize(("steps", "seed"), [(2, 0), (3, 1)])
def test_the_shipped_files_are_not_replaced_by_those_of_another_training(house, steps, seed):
    with pytest.raises(ValueError, match=f"ships as trained with 3 steps, seed 0, not {steps} steps.*--out FOLDER"):
        ship.planned(TINY, steps=steps, seed=seed, out=house)
    assert ship.planned(TINY, steps=steps, seed=seed, out=house / "mine").steps == steps


def test_a_checkpoint_is_neither_forgotten_nor_invented(tmp_path):
    with pytest.raises(ValueError, match="no checkpoint of tiny with these steps and seed .* without --resume"):
        ship.planned(TINY, resume=True, out=tmp_path)
    TINY.train(ship.Job(TINY, 3, folder=tmp_path))
    with pytest.raises(ValueError, match="tiny-steps3-seed0-1.checkpoint holds an interrupted training; .*--resume"):
        ship.planned(TINY, out=tmp_path)
    ship.ship(ship.planned(TINY, resume=True, out=tmp_path))
    assert not list(tmp_path.glob("*.checkpoint"))


def test_a_new_row_leaves_the_others_as_they_were(house):
    before = entries(house / "catalogue.csv")
    ship.ship(ship.planned(replace(TINY, model=replace(TINY.model, name="another")), out=house))
    after = entries(house / "catalogue.csv")
    assert list(after) == ["another", "tiny"] and after["tiny"] == before["tiny"]
    assert catalogue.as_csv(after.values()) == (house / "catalogue.csv").read_text()


def test_the_catalogue_of_the_package_is_as_a_recipe_would_write_it():
    assert catalogue.as_csv(zoo.ENTRIES.values()) == catalogue.TABLE.read_text()


def test_a_crash_while_writing_leaves_the_old_file(house, monkeypatch):
    before = {path: path.read_bytes() for path in house.rglob("*.*")}
    monkeypatch.setattr(ship.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        ship.ship(ship.planned(TINY, out=house))
    assert all(path.read_bytes() == content for path, content in before.items())


def test_threads_are_as_before_after_shipping(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    ship.ship(ship.planned(TINY, out=tmp_path))
    found, _ = torch.get_num_threads(), torch.set_num_threads(before)
    assert found == 2


# --- verify -----------------------------------------------------------------------------------------------------------


def test_a_card_is_confirmed_or_its_wrong_number_is_shown(house, capsys):
    assert command.differs(TINY) == 0
    card = house / "weights" / "tiny.md"
    card.write_text(card.read_text().replace("mean is ", "mean is 1"))
    assert command.differs(TINY) == 1
    assert "tiny: 1 lines differ\nstated: Its mean is 1" in (said := capsys.readouterr().out)
    assert "found:  Its mean is" in said and "tiny: hash and card confirmed" in said


def test_another_file_is_not_judged(house):
    with (house / "weights" / "tiny.safetensors").open("ab") as file:
        file.write(b"!")
    with pytest.raises(ValueError, match="not the published file"):
        ship.verify(TINY)


@pytest.mark.parametrize(
    ("stated", "found", "same"),
    [
        ("| recall | 0.818 ± 0.0039 |", "| recall | 0.821 ± 0.0039 |", True),
        ("| recall | 0.818 ± 0.0039 |", "| recall | 0.918 ± 0.0039 |", False),
        ("| recall | 0.818 |", "| precision | 0.818 |", False),
        ("size 1,234 parameters", "size 1,235 parameters", False),
        ("1,000.5 nats", "1,001.5 nats", True),
        ("1,000.5 nats", "2,001.5 nats", False),
    ],
)
def test_lines_agree_up_to_rounding(stated, found, same):
    assert ship.agree(stated, found) == same


# --- command line -----------------------------------------------------------------------------------------------------


def test_the_command_trains_into_a_folder_and_prints_the_card(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "known", lambda: {"tiny": TINY})
    assert command.main(["tiny", "--steps", "2", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("# tiny\n")
    assert (tmp_path / "weights" / "tiny.safetensors").exists()


def test_of_several_processes_only_the_first_ships(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "known", lambda: {"tiny": TINY})
    monkeypatch.setattr(ship.Job, "main", False)
    assert command.main(["tiny", "--steps", "2", "--out", str(tmp_path)]) == 0
    assert not capsys.readouterr().out and not (tmp_path / "weights").exists()


def test_a_stopped_command_says_how_to_go_on(monkeypatch, tmp_path, capsys):
    def stopped(job):
        fitted(job)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "known", lambda: {"tiny": replace(TINY, train=stopped)})
    with pytest.raises(SystemExit):
        command.main(["tiny", "--out", str(tmp_path)])
    assert "the same command with --resume goes on" in capsys.readouterr().err


def test_the_command_verifies_all_or_some(house, monkeypatch, capsys):
    monkeypatch.setattr(command, "known", lambda: {"tiny": TINY})
    assert command.main(["verify"]) == command.main(["verify", "tiny"]) == 0
    assert capsys.readouterr().out.count("tiny: hash and card confirmed") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wavenett"], "'wavenet', got 'wavenett'; did you mean 'wavenet'?"),
        (["verify", "llama"], "'wavenet', got 'llama'"),
        (["gpt", "vae"], "one model at a time, got gpt, vae"),
        (["gpt", "--steps", "7"], "ships as trained with 1,000 steps, seed 0, not 7 steps, seed 0"),
    ],
)
def test_the_command_says_what_it_cannot_do(arguments, message, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert message in capsys.readouterr().err
