"""Kill training at random events, start it again, and count how often it ends as if nothing had happened.

python killed.py KILLS: that many kills of each kind of run, in one process and in two (gloo). Torch is imported once,
and each run is a fork, so that a kill costs its steps and no more.
"""

import os
import random
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import IPython.core.getipython  # noqa: F401  (so that the forks need not)
import torch
import torch._dynamo
from gan_run import train as train_gan
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from genai_utils.data import images
from genai_utils.models import gpt, vae
from genai_utils.recipes import ship
from genai_utils.recipes import vae as recipe
from genai_utils.run import Run, schedule

STEPS, EVERY = 7, 2
PICTURES = images.fashion_mnist("test").images[:64]


def gan(checkpoint: Path | None) -> tuple[dict[str, Tensor], Run]:
    """Two players, dropout, batch statistics and an average."""
    return train_gan(STEPS, checkpoint, every=EVERY)


def transformer(checkpoint: Path | None) -> tuple[dict[str, Tensor], Run]:
    """Two optimizers, each with its schedule."""
    torch.manual_seed(0)
    run, model = Run(STEPS, checkpoint=checkpoint, checkpoint_every=EVERY, progress=False), gpt.sized(5, 8, 1, 2, 8)
    optimizers = gpt.optimizers(model)
    ready, *parts = run.setup(model, *optimizers, *(schedule(one, STEPS) for one in optimizers))
    for window in run.batches(gpt.windows(torch.arange(60) % 5, 9), batch_size=8):
        loss = cross_entropy(ready(window[:, :-1]).flatten(0, 1).float(), window[:, 1:].flatten())
        run.step(parts[:2], loss)
        for rate in parts[2:]:
            rate.step()
        run.log(loss=loss)
    return model.state_dict(), run


def autoencoder(checkpoint: Path | None) -> tuple[dict[str, Tensor], Run]:
    """The recipe of the shipped one, with its schedule and its cut of gradients."""
    torch.manual_seed(0)
    ship.Run = partial(Run, checkpoint_every=EVERY)
    job = ship.Job(recipe.RECIPES[0], STEPS, folder=checkpoint and checkpoint.parent, progress=False)
    return recipe.fit(job, vae.VAE(2, 16), PICTURES, rate=1e-2, cut=200).state_dict(), job.runs[0]


KINDS = {"GAN": gan, "GPT with schedules": transformer, "VAE recipe": autoencoder}


def count_events(fatal: int | None) -> list[int]:
    """Count what a run does from now on, and die at the event of that number."""
    seen = [0]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **named: Any) -> Any:
            seen[0] += 1
            if seen[0] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **named)

        return counting

    Run.step, Run.log = counted(Run.step), counted(Run.log)  # type: ignore[method-assign]
    os.fsync, os.replace = counted(os.fsync), counted(os.replace)
    return seen


def child(kind: str, folder: Path, rank: int, checkpoint: bool, fatal: int | None) -> None:
    """Train, and leave the weights, the history and the number of events."""
    if "WORLD_SIZE" in os.environ:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    seen = count_events(fatal)
    weights, run = KINDS[kind](folder / "run.safetensors" if checkpoint else None)
    result = {key: value.detach().contiguous() for key, value in weights.items()}
    history = {f"history.{key}": torch.tensor(values) for key, values in run.history.items()}
    save_file(result | history | {"events": torch.tensor(seen)}, folder / f"result{rank}")


def forked(work: Callable[[], None]) -> int:
    """Run in a child.  Returns: its process number."""
    if process := os.fork():
        return process
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def train(kind: str, ranks: int, folder: Path, checkpoint: bool = True, fatal: tuple[int, int] = (-1, 0)) -> bool:
    """Train in one process or in several.  fatal: which of them dies, and at which event; the others die with it.

    Returns: it finished.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if ranks > 1:
        os.environ |= {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    deaths = [fatal[1] if fatal[0] == rank else None for rank in range(ranks)]
    alive = {forked(partial(child, kind, folder, rank, checkpoint, death)) for rank, death in enumerate(deaths)}
    whole = True
    while alive:
        process, status = os.wait()
        alive.discard(process)
        whole &= not status
        if status == signal.SIGKILL:
            for other in alive:
                os.kill(other, signal.SIGKILL)
            alive -= {os.wait()[0] for _ in alive}
    return whole


def survived(kind: str, ranks: int, kills: int, chance: random.Random) -> int:
    """Of so many runs that were killed once and started again, those that ended like the straight one."""
    same = 0
    with tempfile.TemporaryDirectory() as place:
        straight, unbroken = (Path(place) / name for name in ("straight", "unbroken"))
        for folder, checkpoint in ((straight, False), (unbroken, True)):
            folder.mkdir()
            assert train(kind, ranks, folder, checkpoint)
        events = [int(load_file(unbroken / f"result{rank}")["events"]) for rank in range(ranks)]
        for number in range(kills):
            (folder := Path(place) / str(number)).mkdir()
            victim = chance.randrange(ranks)
            assert not train(kind, ranks, folder, fatal=(victim, chance.randint(1, events[victim])))
            assert train(kind, ranks, folder)
            same += equal(folder, straight)
    return same


def equal(folder: Path, straight: Path) -> bool:
    """Bit for bit, and nothing left beside the checkpoint."""
    found, expected = (load_file(one / "result0") for one in (folder, straight))
    tidy = not [path for path in folder.iterdir() if path.suffix in (".part", ".lock")]
    return tidy and all(torch.equal(found[key], value) for key, value in expected.items() if key != "events")


if __name__ == "__main__":
    torch.set_num_threads(1)
    kills, chance = int(sys.argv[1]), random.Random(0)
    for ranks in (1, 2):
        for kind in KINDS:
            print(f"{kind}, {ranks} process(es): {survived(kind, ranks, kills, chance)} of {kills}", flush=True)
