import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gan_run import train
from safetensors.torch import load_file
from torch import nn

from genai_utils.models import gan, gpt
from genai_utils.run import NonFiniteLossError, Run, checkpoints
from genai_utils.run.batches import Order

STEPS = 10


@pytest.fixture(scope="module")
def uninterrupted():
    return train(STEPS)


@pytest.mark.parametrize("stop_in", range(STEPS))
def test_a_run_interrupted_at_any_step_and_resumed_equals_the_uninterrupted_one_bit_for_bit(
    stop_in, uninterrupted, tmp_path
):
    path = tmp_path / "run.safetensors"
    train(STEPS, path, stop_in=stop_in)
    torch.rand(7)  # whatever happens to the global generator in between must not matter
    weights, run = train(STEPS, path)
    expected, straight = uninterrupted
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[key], expected[key]) for key in expected)
    assert run.history == straight.history


def test_history_holds_one_value_a_step(uninterrupted):
    _, run = uninterrupted
    assert [len(values) for values in run.history.values()] == [STEPS, STEPS]


def test_a_finished_run_does_not_train_again(tmp_path):
    first, _ = train(4, tmp_path / "run.safetensors")
    again, run = train(4, tmp_path / "run.safetensors")
    assert run.done == 4
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_the_interruption_says_where_to_go_on(tmp_path, capsys):
    train(STEPS, tmp_path / "run.safetensors", stop_in=8)
    assert "stopped at step 8 of 10" in (err := capsys.readouterr().err)
    assert "(step 6), run again to go on" in err


def test_a_nan_loss_stops_with_the_step_and_the_last_good_checkpoint_named(tmp_path):
    path = tmp_path / "run.safetensors"
    run = Run(9, checkpoint=path, checkpoint_every=2, progress=False)
    model, optimizer = run.setup(net := nn.Linear(1, 1), torch.optim.SGD(net.parameters(), 0.1))
    found = r"the loss of Linear \(part 1\) became nan in step 6 of 9.*run\.safetensors \(step 4\)"
    with pytest.raises(NonFiniteLossError, match=found):
        for x in run.batches(torch.ones(4, 1), batch_size=2):
            run.step(optimizer, model(x).mean() * (float("nan") if run.done == 5 else 1.0))
    assert checkpoints.load(path)["step"] == 4
    assert model.weight.isfinite().all()


NAN = float("nan")


def play(run, spoil, losses):
    """Train two players whose losses are multiplied by what `spoil` says; a third optimizer came to no setup."""
    one, two, three = nn.Linear(1, 1), nn.Bilinear(1, 1, 1), nn.Linear(1, 1)
    sgds = [torch.optim.SGD(net.parameters(), 0.1) for net in (one, two)]
    one, two, *sgds = run.setup(one, two, *sgds)
    x, sgds = torch.ones(3, 1), [*sgds, torch.optim.Adam(three.parameters())]
    for step in run.remaining():
        values = [one(x).mean(), two(x, x).mean(), three(x).mean()]
        for i in losses:
            run.step(sgds[i], values[i] * spoil(step, i))
    return run


@pytest.mark.parametrize(("broken", "name"), [(0, r"Linear \(part 1\)"), (1, r"Bilinear \(part 2\)"), (2, "Adam")])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_of_several_losses_the_message_names_the_one_that_broke(broken, name, value):
    with pytest.raises(NonFiniteLossError, match=f"the loss of {name} became -?{value} in step 3 of 9"):
        play(Run(9, progress=False), lambda step, i: float(value) if (step, i) == (2, broken) else 1.0, (0, 1, 2))


def test_the_loss_tells_of_a_network_whose_weights_broke_and_its_layers_keep_silent():
    run, net = Run(9, progress=False), gpt.GPT(gpt.Config(7, context=4, layers=2, heads=1, width=4))
    model, sgd = run.setup(net, torch.optim.SGD(net.parameters(), 0.1))
    with pytest.raises(NonFiniteLossError, match=r"the loss of GPT \(part 1\) became nan in step 4 of 9"):
        for step in run.remaining():
            if step == 3:
                net.blocks[0].up.weight.data.fill_(NAN)
            run.step(sgd, model(torch.ones(2, 3).long()).square().mean())


def test_a_loss_that_is_given_nan_says_so_at_once_and_the_run_says_where_it_stopped(capsys):
    run, (G, D) = Run(9, progress=False), (gan.MLPGenerator(2, 2, (3,)), gan.MLPDiscriminator(2, (3,)))
    G, D, sgd = run.setup(G, D, torch.optim.SGD(D.parameters(), 0.1))
    with pytest.raises(ValueError, match="fake must hold no NaN: 12 of 12 .* diverged before .* learning rate"):
        for real in run.batches(torch.zeros(8, 3), batch_size=4):
            fake = G(run.noise(4, 2)).detach()
            run.step(sgd, gan.discriminator_loss(D, real, fake * NAN if run.done == 5 else fake))
    assert "stopped at step 5 of 9; no checkpoint was written yet" in capsys.readouterr().err


def test_a_gpu_is_asked_for_its_losses_every_twenty_steps_and_the_first_that_broke_is_named(monkeypatch):
    run, asked, isfinite = Run(60, progress=False), [], torch.Tensor.isfinite
    run.device = torch.device("meta")  # anything but a CPU
    monkeypatch.setattr(torch.Tensor, "isfinite", lambda x: (asked.append(run.done), isfinite(x))[1])
    with pytest.raises(NonFiniteLossError, match=r"the loss of Bilinear \(part 2\) became nan in step 24 of 60"):
        play(run, lambda step, i: NAN if (step, i) == (23, 1) else 1.0, (0, 1))
    assert run.done == 40 and set(asked) == {20, 40}


@pytest.mark.parametrize("checkpoint", [None, "run.safetensors"])
def test_weights_that_a_finite_loss_spoilt_are_noticed_before_they_are_kept(checkpoint, tmp_path):
    path = checkpoint and tmp_path / checkpoint
    run, root = Run(9, checkpoint=path, checkpoint_every=4, progress=False), nn.Linear(1, 1)
    model, sgd = run.setup(root, torch.optim.SGD(root.parameters(), 0.1))
    found = r"a weight of Linear \(part 1\) became NaN or infinite by step 8 of 9"
    with pytest.raises(NonFiniteLossError, match=found):
        for step in run.remaining():
            run.step(sgd, (model(torch.ones(1, 1)) * (step != 7)).square().sum().sqrt())  # the root at 0: 0 x inf
    assert path is None or checkpoints.load(path)["step"] == 4


def test_weights_that_the_last_step_spoilt_are_noticed():
    run, net = Run(3, progress=False), nn.Linear(1, 1)
    model, sgd = run.setup(net, torch.optim.SGD(net.parameters(), 0.1))
    with pytest.raises(NonFiniteLossError, match="a weight of Linear .* by step 3 of 3"):
        for step in run.remaining():
            run.step(sgd, (model(torch.ones(1, 1)) * (step != 2)).square().sum().sqrt())


def test_losses_of_two_shapes_are_read_together():
    run, weight = Run(2, progress=False), torch.nn.Parameter(torch.ones(1))
    run.device = torch.device("meta")
    for _ in run.remaining():
        for loss in (weight.sum(), weight * 2):
            run.step(torch.optim.SGD([weight], 0.1), loss)


def test_only_the_optimizers_own_parameters_get_gradients():
    run = Run(1, progress=False)
    mine, other = nn.Linear(2, 2), nn.Linear(2, 1)
    mine, other, optimizer = run.setup(mine, other, torch.optim.SGD(mine.parameters(), 0.1))
    run.step(optimizer, other(mine(torch.ones(3, 2))).mean())
    assert mine.weight.grad is not None and other.weight.grad is None


def test_several_optimizers_share_one_loss_and_one_backward_pass():
    run = Run(2, progress=False)
    matrix, rest, other = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1)
    before = [part.weight.detach().clone() for part in (matrix, rest, other)]
    optimizers = [torch.optim.SGD(matrix.parameters(), 0.1), torch.optim.Adam(rest.parameters(), 0.1)]
    matrix, rest, other, *optimizers = run.setup(matrix, rest, other, *optimizers)
    gradients = []
    for x in run.batches(torch.ones(4, 2), batch_size=4):
        run.step(optimizers, other(rest(matrix(x))).sum())
        gradients.append(matrix.weight.grad.clone())
    moved = [not torch.equal(part.weight, old) for part, old in zip((matrix, rest, other), before, strict=True)]
    assert moved == [True, True, False] and other.weight.grad is None
    assert gradients[1].norm() < 10 * gradients[0].norm()  # each step forgets the gradient of the one before
    assert torch.allclose(gradients[0], gradients[0][:, :1].expand(2, 2))


def test_a_loop_may_make_its_own_batches_from_the_number_of_the_step():
    run = Run(3, progress=False)
    assert [(step, run.done) for step in run.remaining()] == [(0, 0), (1, 1), (2, 2)]
    assert run.done == 3 and run.cpu_seconds >= 0


def test_the_average_follows_its_definition():
    run = Run(5, progress=False)
    model, optimizer = run.setup(net := nn.Linear(1, 1), torch.optim.SGD(net.parameters(), 0.5))
    average = run.average(model, decay=0.15)
    expected = None
    for n, x in enumerate(run.batches(torch.randn(8, 1), batch_size=4)):
        if n > 0:
            weight = model.weight.detach().clone()
            d = min(0.15, n / (9 + n))
            expected = weight if n == 1 else d * expected + (1 - d) * weight
            assert torch.allclose(average.module.weight, expected, atol=1e-6)
        run.step(optimizer, model(x).square().mean() - model(x).mean())


def test_every_example_is_seen_once_an_epoch_in_a_new_order():
    run = Run(8, progress=False)
    seen = torch.cat(list(run.batches(torch.arange(20.0)[:, None], batch_size=5))).flatten()
    first, second = seen[:20], seen[20:]
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(20))
    assert not torch.equal(first, second)


def test_several_tensors_stay_aligned():
    run = Run(3, progress=False)
    for x, y in run.batches(torch.arange(12.0)[:, None], torch.arange(12), batch_size=4):
        assert torch.equal(x[:, 0].long(), y)


def test_two_processes_equal_one_on_the_same_batches(tmp_path):
    """Same seed, same global batch, split in two by gloo: equal to 1e-6 (sums are taken in another order)."""
    script = str(Path(__file__).with_name("gan_run.py"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", script]
    for name, command in {"one": [sys.executable, script], "two": two}.items():
        command = [*command, str(tmp_path / name), str(tmp_path / f"{name}.checkpoint")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = load_file(tmp_path / "one"), load_file(tmp_path / "two")
    assert one.keys() == two.keys()
    for key in one:
        assert torch.allclose(one[key], two[key], atol=1e-6), key
    assert train(8, tmp_path / "two.checkpoint", norm=False)[1].done == 8  # and one process may go on from two


def _limit_file_size() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path):
    path = tmp_path / "run.safetensors"
    checkpoints.save(path, {"step": 1})
    code = (
        "import sys, torch, pathlib; from genai_utils.run import checkpoints\n"
        f"checkpoints.save(pathlib.Path({str(path)!r}), {{'step': 2, 'weights': torch.zeros(9000)}})"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], preexec_fn=_limit_file_size, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "the checkpoint before it is untouched. Free some disk space" in done.stderr
    assert checkpoints.load(path) == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_checkpoint_survives_the_round_trip(tmp_path):
    state = {"a": [1, 2.5, None, "x", True], "b": {3: torch.arange(4), "c": {"d": torch.ones(2, 2).T}}, "e": []}
    checkpoints.save(tmp_path / "x", state)
    back = checkpoints.load(tmp_path / "x")
    assert back["a"] == state["a"] and back["e"] == []
    assert torch.equal(back["b"][3], torch.arange(4)) and torch.equal(back["b"]["c"]["d"], torch.ones(2, 2))


@pytest.mark.parametrize(
    ("data", "batch_size", "message"),
    [
        ([torch.tensor([[1.0], [float("nan")], [2.0]])], 2, "1 of 3 examples hold NaN .*, the first is number 1"),
        ([torch.ones(3, 1), torch.ones(4)], 2, "equal length, .*, got lengths \\[3, 4\\]"),
        ([torch.ones(1, 1)], 2, "batch_size must be at most n = 1, .*, got 2"),
        ([torch.ones(3, 1)], 1.5, "batch_size must be a whole number, got 1.5"),
        ([], 2, "equal length"),
        ([torch.ones(0, 1)], 2, "at least one row"),
        ([[1.0, 2.0]], 2, "data must be a torch tensor"),
    ],
)
def test_bad_batches_are_refused_with_a_reason(data, batch_size, message):
    with pytest.raises((TypeError, ValueError), match=message):
        next(Run(1, progress=False).batches(*data, batch_size=batch_size))


def test_in_a_notebook_the_bar_is_one_line_updated_in_place(monkeypatch):
    from genai_utils.run import progress

    shown = []

    class Output:
        def update(self, text):
            shown.append(text.data)

    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda text, display_id: shown.append(text.data) or Output())
    with progress.Progress(total=3) as bar:
        bar.show(3, {"loss": 0.123})
    assert "3/3" in shown[-1] and "loss=0.12" in shown[-1] and "\n" not in shown[-1]


def test_without_ipython_there_is_no_notebook(monkeypatch):
    from genai_utils.run import progress

    monkeypatch.setitem(sys.modules, "IPython", None)
    assert not progress._in_notebook()


@pytest.mark.parametrize("option", ["steps", "checkpoint_every", "seed"])
@pytest.mark.parametrize("value", [-1, 2.5, float("nan"), float("inf"), "3", None])
def test_bad_runs_are_refused_with_a_reason(option, value):
    with pytest.raises((TypeError, ValueError), match=f"{option} must be a whole number.*, got {value!r}"):
        Run(**{"steps": 1, option: value})


def test_a_process_is_one_of_those_that_share_a_batch():
    with pytest.raises(ValueError, match="rank must be below ranks = 2, got 2"):
        Order(4, 2, 0, rank=2, ranks=2)


@pytest.mark.parametrize("shape", [(), (0, 3), (2, -1), (10**6, 10**6)])
def test_noise_has_a_shape(shape):
    with pytest.raises(ValueError, match="shape"):
        Run(1, progress=False).noise(*shape)


def test_a_step_goes_down_a_gradient():
    run, weight = Run(1, progress=False), torch.nn.Parameter(torch.ones(2))
    sgd = torch.optim.SGD([weight], 0.1)
    for loss in (weight, weight.sum().detach()):
        with pytest.raises(ValueError, match="loss must be one number that depends on weights"):
            run.step(sgd, loss)
    with pytest.raises(ValueError, match="optimizer must be one or several"):
        run.step([], weight.sum())


def test_numbers_of_a_step_may_be_logged_in_parts():
    run = Run(2, progress=False)
    for step in run.remaining():
        run.log(a=step)
        run.log(b=10 * step, c=-1)
        run.log(c=step)
    assert run.history == {"a": [0, 1], "b": [0, 10], "c": [0, 1]}


def test_a_number_need_not_be_logged_in_every_step(monkeypatch):
    monkeypatch.setattr(Run, "_flush", lambda run: None)  # as on a GPU, where many steps are read at once
    run = Run(3, progress=False)
    for step in run.remaining():
        run.log(**({"even": step} if step % 2 == 0 else {"odd": step}))
    run._log.flush(lambda values: values)
    assert run.history == {"even": [0, 2], "odd": [1]}


def test_what_is_no_number_is_not_logged():
    with pytest.raises(ValueError, match=r"one number a name, loss has shape \(2,\); log its mean"):
        Run(1, progress=False).log(loss=torch.ones(2))
