"""Measure on a GPU what the pages tell about GPUs: one command, in minutes, for whoever can get at one.

    python -m tools.gpu_check --out FOLDER [--minutes 8] [--only PART,...] [--data FOLDER]
    python -m tools.gpu_check --out FOLDER --rehearse       all parts at toy size on a processor
    python -m tools.gpu_check --keep FOLDER/gpu.json        put it into the repository, for the pages

It needs torch, accelerate, safetensors, scipy, scikit-learn, torchmetrics and matplotlib, and no network.
FOLDER/gpu.json is written after each figure, so that what was found stays when time runs out. Where a part fails, the
others go on. A part that is in the file and well is not measured again. The exit status is 1 if a part failed or was
not reached.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType

from tools.gpu.report import FAILED, OK, SKIPPED, STOPPED, Report

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / ".gpu-data"
POISONED = 3  # exit status of a process whose GPU answers no more


@dataclass(frozen=True)
class Part:
    """One function, and the seconds that it is expected to take on an H100; it is ended after half as many more."""

    name: str
    seconds: float
    function: str


PARTS = [  # the most valuable first
    Part("machine", 3, "machine:describe"),
    Part("peak", 12, "machine:peak"),
    Part("promises", 40, "checks:promises"),
    Part("gpt", 60, "language:rates_of_the_gpt"),
    Part("waterfall-gpt", 200, "language:waterfall_of_the_gpt"),
    Part("waterfall-dcgan", 200, "pictures:waterfall_of_the_dcgan"),
    Part("memory", 40, "language:memory_of_the_gpt"),
    Part("dcgan", 85, "pictures:dcgan"),
    Part("language", 130, "writing:write"),
    Part("chapters", 280, "chapters:chapters"),
]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.  Returns: the exit status."""
    options = _options(arguments)
    if options.keep:
        from tools.gpu.keep import keep

        keep(options.keep)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    return worker(options) if options.until else supervise(options)


def supervise(options: argparse.Namespace) -> int:
    """Run the parts in a process that may die, and in another one what is left, until time is out."""
    until, chosen, child = time.time() + 60 * options.minutes, options.only, None

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit("asked to stop")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        while left := _left(options.out, chosen):
            child = _process(options, left, until)
            code = _watched(child, options.out, until)
            died = _bury(options.out, f"its process ended with {code}", FAILED)
            if time.time() > until or not (died or code == POISONED):
                break
    finally:
        if child:
            _kill(child)
        _bury(options.out, "time was out or somebody stopped it", STOPPED)
        signal.signal(signal.SIGTERM, before)
    return _told(Report(options.out / "gpu.json"), chosen)


def _left(out: Path, chosen: list[str]) -> list[str]:
    """Parts that this call has not begun, and that no earlier call brought to a good end."""
    parts = Report(out / "gpu.json").parts
    over = {name for name, part in parts.items() if part["state"] == OK or part.get("call") == os.getpid()}
    return [name for name in chosen if name not in over]


def _process(options: argparse.Namespace, names: list[str], until: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tools.gpu_check", "--out", str(options.out), "--only", ",".join(names)]
    command += ["--until", str(until), "--data", str(options.data), *["--rehearse"] * options.rehearse]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GENAI_GPU_CALL": str(os.getpid())}
    if options.rehearse:
        environment |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def _watched(child: subprocess.Popen[bytes], out: Path, until: float) -> int:
    """Wait for a process; one that hangs beyond the time of its part, or of all, is killed.  Returns: how it ended."""
    while child.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.3)
        report = Report(out / "gpu.json")
        part = report.parts.get(report.running() or "", {"since": time.time(), "cap": 60})
        if time.time() > min(until + 5, part["since"] + part["cap"] + 15):
            _kill(child)
    return child.returncode


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _bury(out: Path, why: str, state: str) -> bool:
    """Close the part whose process is gone.  Returns: whether there was one."""
    report = Report(out / "gpu.json")
    if name := report.running():
        report.end(name, state, why)
    return bool(name)


def _told(report: Report, chosen: list[str]) -> int:
    """Print how the parts ended.  Returns: the exit status."""
    for name in chosen:
        part = report.parts.get(name, {"state": STOPPED, "seconds": 0, "figures": {}})
        last = part.get("error", [""])[-1]
        print(f"{name:16} {part['state']:8} {part['seconds']:6.1f} s {len(part['figures']):4} figures  {last}"[:160])
    return int(any(report.parts.get(name, {}).get("state") not in (OK, SKIPPED) for name in chosen))


def worker(options: argparse.Namespace) -> int:
    """Run parts one after the other in this process.  Returns: 0; 2 without a GPU; POISONED."""
    import torch

    if not options.rehearse and not torch.cuda.is_available():
        print("no GPU: torch finds none; --rehearse runs all parts at toy size on a processor", file=sys.stderr)
        return 2
    report = Report(options.out / "gpu.json")
    report.made |= _made(options)
    for part in PARTS:
        if part.name in options.only and not _run(part, report, options):
            return POISONED
    return 0


def _made(options: argparse.Namespace) -> dict[str, object]:
    """About this run."""
    import platform

    import torch

    from genai_utils.device import device_name

    return {
        "date": date.today().isoformat(), "device": device_name(), "rehearsal": options.rehearse,
        "python": platform.python_version(), "torch": torch.__version__,
    }  # fmt: skip


def _run(part: Part, report: Report, options: argparse.Namespace) -> bool:
    """Run one part within its time.  Returns: whether the device still answers."""
    from tools.gpu.check import OutOfTime, limited

    rest = options.until - time.time() - 3
    cap = min(1.5 * part.seconds, rest)
    report.begin(part.name, cap, call=int(os.environ.get("GENAI_GPU_CALL", 0)))
    if cap < min(10, part.seconds):
        report.end(part.name, STOPPED, f"only {max(rest, 0):.0f} s were left")
        return True
    print(f"-- {part.name}", flush=True)
    try:
        with limited(cap):
            _call(part, report, options, cap)
        report.end(part.name, OK)
    except OutOfTime as error:
        report.end(part.name, STOPPED, f"OutOfTime: {error}")
    except Exception:
        report.end(part.name, FAILED, traceback.format_exc().replace(f"{ROOT}/", ""))
    return _answers(options)


def _call(part: Part, report: Report, options: argparse.Namespace, cap: float) -> None:
    import torch

    from tools.gpu.check import Check

    module, function = part.function.split(":")
    device = torch.device("cpu" if options.rehearse else "cuda")
    data = options.data if options.data.is_dir() else None
    until, planned = (time.time() + seconds for seconds in (cap, part.seconds))
    check = Check(report, part.name, device, options.rehearse, data, options.out, until, planned)
    torch.manual_seed(0)
    work = getattr(importlib.import_module(f"tools.gpu.{module}"), function)
    gc.freeze()  # what imports made stays: looking through it took most of the time that a part spends freeing
    work(check)


def _answers(options: argparse.Namespace) -> bool:
    """Whether the device still computes: after some errors it never does again in the same process."""
    if options.rehearse:
        return True
    import torch

    from tools.gpu.check import free

    try:
        free()
        return float(torch.ones(2, device="cuda").sum()) == 2
    except Exception:
        return False


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [part.name for part in PARTS]
    parser.add_argument("--out", type=Path)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--only", type=lambda text: text.split(","), default=names, metavar="PART,...")
    parser.add_argument("--data", type=Path, default=DATA, help="what tools.make_gpu_data wrote")
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--keep", type=Path, nargs="+", metavar="FILE", help="of several, a later one wins")
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.only) - set(names)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(names)}")
    if not options.keep and not options.out:
        parser.error("say where to write with --out FOLDER")
    options.out = options.out and options.out.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
