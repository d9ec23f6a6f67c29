"""A checkpoint means what it says: whole, of this run, of all that trains in it, and of no other process."""

import os
import pickle
import random
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import torch
from gan_run import train
from safetensors.torch import save_file
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from genai_utils.models import gpt
from genai_utils.recipes.ship import cut_gradients
from genai_utils.run import Run, checkpoints, fingerprint, schedule
from genai_utils.run.lock import Lock

WAYS_OUT = r"start anew with Run\(\.\.\., fresh=True\) or name another file"
DATA = torch.arange(12.0).reshape(6, 2) / 12


# --- bytes ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    train(2, path)
    return path.read_bytes()


def test_every_flipped_bit_is_noticed(written, tmp_path):
    chance, header, path = random.Random(0), 8 + int.from_bytes(written[:8], "little"), tmp_path / "flipped"
    places = [chance.randrange(header) for _ in range(30)] + [chance.randrange(header, len(written)) for _ in range(30)]
    for place in places:
        flipped = bytearray(written)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(OSError, match=f"damaged.*{WAYS_OUT}"):
            checkpoints.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1],
        lambda whole: whole + b"\0",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[100:],
        lambda whole: b"",
        lambda whole: b"\x10\0\0\0\0\0\0\0{}",
        lambda whole: pickle.dumps({"step": 3}),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_one_sentence(written, change, tmp_path):
    (path := tmp_path / "run.safetensors").write_bytes(change(written))
    with pytest.raises(OSError, match=f"{path.name} is damaged.*{WAYS_OUT}$") as refused:
        train(3, path)
    assert "\n" not in str(refused.value)


def test_a_file_of_an_older_version_is_called_that(tmp_path):
    path = tmp_path / "run.safetensors"
    save_file({"0": torch.ones(2)}, path, metadata={"tree": '{"dict": []}'})
    with pytest.raises(OSError, match=f"of an older version.*{WAYS_OUT}"):
        checkpoints.load(path)


def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(OSError, match=f"could not read the checkpoint .*directory; {WAYS_OUT}"):
        checkpoints.load(tmp_path)


def test_a_checkpoint_is_a_safetensors_file_for_everybody(written, tmp_path):
    (path := tmp_path / "run.safetensors").write_bytes(written)
    code = f"from safetensors import safe_open\nwith safe_open({str(path)!r}, 'np') as f: print(len(f.keys()))"
    assert int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) > 10


def test_the_mode_of_the_file_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    checkpoints.save(tmp_path / "x", {"step": 1})
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_the_leftover_of_a_killed_save_is_removed_at_the_next_start(tmp_path):
    (tmp_path / "run.safetensors.part").write_bytes(b"half")
    steps = Run(2, checkpoint=tmp_path / "run.safetensors", progress=False).remaining()
    next(steps)
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors.lock"]


# --- of this run ------------------------------------------------------------------------------------------------------


def dropping(share=0.5, width=2):
    return nn.Sequential(nn.Linear(2, width), nn.Dropout(share), nn.Linear(width, 1))


def adam(parameters, rate=0.1, betas=(0.9, 0.999)):
    return torch.optim.Adam(parameters, rate, betas)


def tiny(
    path, steps=4, stop_in=None, *,
    net=dropping, make=adam, plan=None, cut=None, decay=0.9, data=DATA, batch_size=2, **options,
):  # fmt: skip
    """Train a few steps, each setting open to change; returns the weights and the rates that were used."""
    torch.manual_seed(0)
    model = net()
    optimizer = make(model.parameters())
    if cut:
        cut_gradients(optimizer, cut)
    run = Run(steps, checkpoint=path, checkpoint_every=1, progress=False, **options)
    model, optimizer, *plans = run.setup(model, optimizer, *([plan(optimizer)] if plan else []))
    run.average(model, decay)
    rates = []
    for x in run.batches(data, batch_size=batch_size):
        if run.done == stop_in:
            break
        rates.append(optimizer.param_groups[0]["lr"])
        run.step(optimizer, loss := model(x).square().mean())
        for one in plans:
            one.step(*[loss.item()] * isinstance(one.scheduler, lr_scheduler.ReduceLROnPlateau))
    return [weight.detach().clone() for weight in model.parameters()], rates


def one_cycle(optimizer, steps=4):
    return OneCycleLR(optimizer, 0.1, total_steps=steps)


def falling(optimizer, last=0.02, steps=4):
    return schedule(optimizer, steps, warm_up=0.3, last=last)


OTHERS = {
    "another shape": ({"net": partial(dropping, width=3)}, r"0\.out_features of part 1 .* is 2 there and 3 here \(and"),
    "another setting of a layer": (
        {"net": partial(dropping, 0.1)},
        r"1\.p of part 1 .Sequential. is 0.5 there and 0.1",
    ),
    "another optimizer": ({"make": partial(torch.optim.SGD, lr=0.1)}, "part 2 is Adam there and SGD here"),
    "another rate": ({"make": partial(adam, rate=0.2)}, "lr of group 1 of part 2 .Adam. is 0.1 there and 0.2 here"),
    "other betas": (
        {"make": partial(adam, betas=(0.5, 0.9))},
        "betas of group 1 .* is .0.9, 0.999. there and .0.5, 0.9.",
    ),
    "other cut gradients": ({"cut": 3.0}, "hook 1 of part 2 .Adam. is absent there and cut_gradients.* here"),
    "a schedule": ({"plan": one_cycle}, "part 3 is AveragedModel there and OneCycleLR here|differences"),
    "another average": ({"decay": 0.5}, r"multi_avg_fn of part 3 .* is .*\[0.9\] there and .*\[0.5\] here"),
    "another batch size": ({"batch_size": 3}, "batch_size is 2 there and 3 here"),
    "one other number in the data": ({"data": DATA + torch.eye(6, 2)}, "data 1 is float32 .6, 2. with digest"),
    "other data in the same numbers": ({"data": DATA.flip(0)}, "data 1 is float32 .6, 2. with digest"),
    "another seed": ({"seed": 1}, "seed is 0 there and 1 here"),
    "fewer steps": ({"steps": 3}, "it trains for 4 steps, this one for 3"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_another_run_is_refused_with_the_difference_and_the_two_ways_out(other, tmp_path):
    change, found = OTHERS[other]
    tiny(path := tmp_path / "run.safetensors", stop_in=2)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=f"run.safetensors belongs to another run: .*({found}).*; {WAYS_OUT}$"
    ) as refused:
        tiny(path, **change)
    assert path.read_bytes() == before and "\n" not in str(refused.value)
    tiny(path, fresh=True, **change)
    tiny(path, **change)


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        (partial(falling, last=0.5), "factor 1 at step 2 of part 3 .LambdaLR. is .* there and .* here"),
        (partial(falling, steps=8), "factor 1 at step 0"),
        (one_cycle, "part 3 is LambdaLR there and OneCycleLR here"),
    ],
)
def test_a_checkpoint_of_another_schedule_is_refused(plan, found, tmp_path):
    tiny(path := tmp_path / "run", plan=falling, stop_in=2)
    with pytest.raises(ValueError, match=f"belongs to another run: {found}"):
        tiny(path, plan=plan)


CONFIG = gpt.Config(5, 8, 1, 2, 8)


@pytest.mark.parametrize(("option", "value"), [("positions", "none"), ("activation", "gelu"), ("qk_norm", False)])
def test_two_transformers_of_equal_shapes_and_other_choices_are_told_apart(option, value):
    one, other = gpt.GPT(CONFIG), gpt.GPT(gpt.Config(5, 8, 1, 2, 8, **{option: value}))
    shapes = [{name: value.shape for name, value in model.state_dict().items()} for model in (one, other)]
    assert shapes[0] == shapes[1]
    assert f"config.{option} of part 1 (GPT) is" in fingerprint.difference(
        fingerprint.of_parts([one], 3), fingerprint.of_parts([other], 3)
    )


def test_the_same_run_built_again_has_the_same_fingerprint():
    def rows():
        model = gpt.GPT(CONFIG)
        optimizers = gpt.optimizers(model)
        return fingerprint.of_parts([model, *optimizers, *(schedule(one, 9) for one in optimizers)], 9)

    assert rows() == rows() and fingerprint.difference(rows(), rows()) is None


@pytest.mark.parametrize("n", [10, 3_000_000])
@pytest.mark.parametrize("kind", [torch.float32, torch.int64, torch.bfloat16, torch.bool])
def test_data_are_told_apart_by_any_number_and_by_their_order(n, kind):
    data = (torch.arange(n * 2) % 7 == 0).view(n, 2).to(kind)
    changed, moved = data.clone(), data.roll(1, 0)
    changed[n // 2 + 1, 0] = changed[n // 2 + 1, 0] == 0
    assert len({fingerprint.digest(one) for one in (data, data.clone(), changed, moved)}) == 3
    assert fingerprint.digest(data) == fingerprint.digest(data.T.contiguous().T)


def test_more_steps_go_on(tmp_path):
    straight, _ = tiny(None, steps=6)
    tiny(path := tmp_path / "run", steps=4)
    longer, rates = tiny(path, steps=6)
    assert len(rates) == 2 and all(map(torch.equal, straight, longer))


def test_more_steps_go_on_with_a_schedule_that_does_not_know_the_end(tmp_path):
    plan = partial(LambdaLR, lr_lambda=lambda step: min(1.0, (step + 1) / 3))
    straight, _ = tiny(None, steps=6, plan=plan)
    tiny(path := tmp_path / "run", steps=4, plan=plan)
    longer, rates = tiny(path, steps=6, plan=plan)
    assert len(rates) == 2 and all(map(torch.equal, straight, longer))


def test_more_steps_with_a_schedule_made_for_the_new_end_are_another_run(tmp_path):
    tiny(path := tmp_path / "run", plan=falling)
    with pytest.raises(ValueError, match="factor 1 at step 0 .* is .* there and .* here"):
        tiny(path, steps=8, plan=partial(falling, steps=8))


# --- all that trains --------------------------------------------------------------------------------------------------

PLANS = {
    "LambdaLR": partial(LambdaLR, lr_lambda=lambda step: 1 / (step + 1)),
    "MultiplicativeLR": partial(lr_scheduler.MultiplicativeLR, lr_lambda=lambda step: 0.9),
    "OneCycleLR": one_cycle,
    "MultiStepLR": partial(lr_scheduler.MultiStepLR, milestones=[1, 3]),
    "CosineAnnealingWarmRestarts": partial(lr_scheduler.CosineAnnealingWarmRestarts, T_0=3),
    "CyclicLR": partial(lr_scheduler.CyclicLR, base_lr=0.01, max_lr=0.1, step_size_up=2),
    "ReduceLROnPlateau": partial(lr_scheduler.ReduceLROnPlateau, patience=0, threshold=10.0),
    "SequentialLR": lambda optimizer: lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.ConstantLR(optimizer), lr_scheduler.ExponentialLR(optimizer, 0.5)], [2]
    ),
    "ChainedScheduler": lambda optimizer: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(optimizer), lr_scheduler.ExponentialLR(optimizer, 0.9)]
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_prepared_schedule_goes_on_where_it_stopped(name, tmp_path):
    plan = PLANS[name]
    straight, rates = tiny(None, plan=plan)
    _, before = tiny(tmp_path / "run", plan=plan, stop_in=2)
    resumed, after = tiny(tmp_path / "run", plan=plan)
    assert before + after == rates and len(set(rates)) > 1
    assert all(map(torch.equal, straight, resumed))


def lambda_outside(run, model, sgd):
    return run.setup(model, sgd), LambdaLR(sgd, lambda step: 1 / (step + 1)).step


def one_cycle_outside(run, model, sgd):
    cycle = OneCycleLR(sgd, 0.1, total_steps=9)
    return run.setup(model, sgd), cycle.step


def cycle_of_the_prepared_optimizer(run, model, sgd):
    model, sgd = run.setup(model, sgd)
    return (model, sgd), OneCycleLR(sgd, 0.1, total_steps=9).step


def set_by_hand(run, model, sgd):
    def halve():
        sgd.param_groups[0]["lr"] *= 0.5

    return run.setup(model, sgd), halve


def a_second_schedule_outside(run, model, sgd):
    first, second = LambdaLR(sgd, lambda step: 1.0), LambdaLR(sgd, lambda step: 0.5**step)
    return run.setup(model, sgd, first)[:2], second.step


def optimizer_outside(run, model, sgd):
    return (run.setup(model), sgd), lambda: None


def model_outside(run, model, sgd):
    return (model, run.setup(sgd)), lambda: None


OUTSIDE = {
    lambda_outside: "a schedule moves the rate of SGD, and the checkpoint does not keep it; give it to run.setup",
    one_cycle_outside: "a schedule moves the rate of SGD, and the checkpoint does not keep it; give it to run.setup",
    cycle_of_the_prepared_optimizer: "a schedule moves the rate of SGD",
    set_by_hand: r"the rate of SGD went from \[0.1\] to \[0.05\] by nothing that the checkpoint keeps; make it a sched",
    a_second_schedule_outside: r"the rate of SGD went from \[0.1\] to \[0.05\] by nothing that the checkpoint keeps",
    optimizer_outside: "the checkpoint does not keep SGD; give it to run.setup",
    model_outside: "2 of the 2 tensors that SGD trains are in no model that the checkpoint keeps",
}


def outside(setup, path):
    run, model = Run(3, checkpoint=path, progress=False), nn.Linear(2, 1)
    (model, sgd), move = setup(run, model, torch.optim.SGD(model.parameters(), 0.1))
    for x in run.batches(DATA, batch_size=2):
        run.step(sgd, model(x).square().mean())
        move()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("setup", OUTSIDE)
def test_what_a_checkpoint_would_not_keep_is_refused_as_soon_as_there_is_one(setup, tmp_path):
    outside(setup, None)
    with pytest.raises(ValueError, match=OUTSIDE[setup]):
        outside(setup, tmp_path / "run")
    assert not list(tmp_path.iterdir())


# --- of no other process ----------------------------------------------------------------------------------------------


@pytest.fixture
def held(tmp_path):
    """A checkpoint that another process holds, and how to kill that process."""
    told, tells = os.pipe()
    if not (process := os.fork()):
        with Lock(tmp_path / "run"):
            os.write(tells, b"!")
            signal.pause()
    os.close(tells)

    def kill():
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)

    yield os.read(told, 1) and tmp_path / "run", kill
    with suppress(ProcessLookupError):
        kill()


def test_a_second_process_on_a_checkpoint_is_refused_until_the_first_dies(held, tmp_path):
    path, kill = held
    with pytest.raises(OSError, match="run is in use by another run; stop that one or name another file"):
        tiny(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.lock"]
    kill()
    tiny(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_a_child_that_inherits_a_run_neither_releases_nor_takes_it(tmp_path):
    lock = Lock(path := tmp_path / "run")
    with lock:
        if not (child := os.fork()):
            lock.__exit__(None, None, None)
            try:
                Lock(path).__enter__()
            except OSError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        lock.check()
        assert (tmp_path / "run.lock").exists()


def test_the_same_cell_goes_on_although_its_interrupted_loop_is_still_alive(tmp_path):
    first, second = (Run(4, checkpoint=tmp_path / "run", checkpoint_every=1, progress=False) for _ in range(2))
    left = first.batches(DATA, batch_size=2)
    next(left), next(left)
    assert len(list(second.batches(DATA, batch_size=2))) == 3
    with pytest.raises(OSError, match="now belongs to a later run"):
        next(left)


def test_runs_on_two_files_do_not_disturb_each_other(tmp_path):
    runs = [Run(3, checkpoint=tmp_path / name, checkpoint_every=1, progress=False) for name in "ab"]
    pairs = zip(*(run.batches(DATA, batch_size=2) for run in runs), strict=True)
    assert sum(torch.equal(*pair) for pair in pairs) == 3


def test_where_files_cannot_be_locked_a_run_goes_on(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError("Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    tiny(tmp_path / "run")
    monkeypatch.setattr("genai_utils.run.lock.fcntl", None)
    tiny(tmp_path / "run")


# --- in a folder that is not always there -----------------------------------------------------------------------------


def test_a_checkpoint_may_lie_in_a_folder_anywhere_and_its_own_folder_is_made(tmp_path):
    (disk := tmp_path / "drive").mkdir()
    straight, away = tiny(tmp_path / "run")[0], tiny(disk / "course" / "run")[0]
    assert all(map(torch.equal, straight, away)) and [one.name for one in (disk / "course").iterdir()] == ["run"]


def test_where_a_disk_is_not_mounted_nothing_is_written_in_its_place(tmp_path):
    with pytest.raises(OSError, match="there is no folder .*drive to keep a checkpoint in. If it lies on a mounted"):
        tiny(tmp_path / "drive" / "course" / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("empty", [True, False])
def test_a_disk_that_is_cut_off_stops_the_run_and_once_it_is_mounted_again_the_run_goes_on(tmp_path, empty):
    """In its place there is nothing, or an empty folder, as where a disk is mounted."""

    def batches():
        return Run(4, checkpoint=disk / "run", checkpoint_every=1, progress=False).batches(DATA, batch_size=2)

    (disk := tmp_path / "drive").mkdir()
    left = batches()
    next(left), next(left)
    disk.rename(tmp_path / "away")
    if empty:
        disk.mkdir()
    with pytest.raises(OSError, match="drive is not the folder any more .*; nothing was written. If it lies on a moun"):
        next(left)
    assert disk.exists() == empty and not list(tmp_path.glob("drive/*"))
    if empty:
        disk.rmdir()
    (tmp_path / "away").rename(disk)
    assert len(list(batches())) == 3  # the first step was in the checkpoint


def test_a_disk_on_which_a_file_never_looks_like_itself_is_no_endless_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(os.path, "samestat", lambda one, other: False)
    tiny(tmp_path / "run")


# --- killed -----------------------------------------------------------------------------------------------------------


def test_a_killed_run_ends_like_one_that_was_not_in_one_process_and_in_two():
    script = Path(__file__).with_name("killed.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    found = subprocess.run(
        [sys.executable, str(script), "1"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == 0, found.stderr[-2000:]
    assert [line.rsplit(": ")[1] for line in found.stdout.splitlines()] == ["1 of 1"] * 6
