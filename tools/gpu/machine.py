"""Parts of the GPU check that know no model: what the machine is, and how fast it multiplies and fetches."""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

import torch

from genai_utils.device import device_name, precision, processor
from genai_utils.metrics import hardware
from genai_utils.metrics.estimate import Estimate
from tools.gpu.check import Check, free, reason

PACKAGES = ("accelerate", "matplotlib", "numpy", "safetensors", "scipy", "torchmetrics", "torchvision", "triton")
ASKED = "name,driver_version,memory.total,power.limit,clocks.max.sm,temperature.gpu"
KINDS = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def asked_of_nvidia(question: str) -> list[str]:
    """What nvidia-smi answers of the first GPU, cell by cell; nothing where there is none."""
    command = ["nvidia-smi", f"--query-gpu={question}", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [cell.strip() for cell in told[0].split(",")] if told else []


def describe(check: Check) -> None:
    """What this machine is."""
    check.note("device", device_name())
    check.note("nvidia-smi", dict(zip(ASKED.split(","), asked_of_nvidia(ASKED), strict=False)))
    check.note("processor", processor())
    check.note("cpus", os.cpu_count())
    check.note("precision of Run", precision())
    check.note("versions", {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}})
    check.note("torch", {"version": torch.__version__, "cuda": torch.version.cuda})
    if check.on_gpu:
        found = torch.cuda.get_device_properties(check.device)
        check.figure("machine.memory", found.total_memory, "bytes")
        check.figure("machine.multiprocessors", found.multi_processor_count, "multiprocessors")


def peak(check: Check) -> None:
    """Operations and bytes a second at best, for each number format, and the whole sweep for the roofline."""
    sizes = check.pick([512, 1024, 2048, 4096, 8192, 16384], [32, 64])
    check.figure("bandwidth", hardware.bandwidth(check.device, check.pick(1_024, 4), check.pick(20, 3)), "B/s")
    for kind in KINDS:
        with reduced(kind == "tf32"):
            sweep = {n: _rate(check, kind, n) for n in sizes}
        known = {n: rate for n, rate in sweep.items() if rate}
        check.note(f"sweep.{kind}", {n: rate.value for n, rate in known.items()})
        if known:
            check.figure(f"peak.{kind}", max(known.values(), key=float), "operations/s")
    free()


@contextmanager
def reduced(on: bool) -> Iterator[None]:
    """A block in which products of fp32 are made in tf32, or are not."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if on else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _rate(check: Check, kind: str, n: int) -> Estimate | None:
    """Operations a second at one size; None, and a note, where the device cannot."""
    if kind == "fp32" and n > 8_192:  # a second for each product
        return None
    try:
        return hardware.matmul_sweep([(n, n, n)], KINDS[kind], check.device, check.pick(20, 2))[n, n, n]
    except RuntimeError as error:
        check.note(f"sweep.{kind}.{n}", reason(error))
        free()
        return None


class Power:
    """Watts of the GPU over a block, asked of nvidia-smi five times a second; joules are their integral."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Power:
        command = ["nvidia-smi", "--query-gpu=power.draw", "--format=csv,noheader,nounits", "-lms", "200", "-i", "0"]
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        except OSError:
            return self
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.process:
            self.process.terminate()
            self.reader.join(2)

    def _read(self) -> None:
        for line in (self.process and self.process.stdout) or ():
            try:
                self.seen.append((time.time(), float(line)))
            except ValueError:  # "[N/A]"
                continue

    @property
    def joules(self) -> float | None:
        """Energy; None where nobody told."""
        pairs = zip(self.seen, self.seen[1:], strict=False)
        return sum((b - a) * (v + w) / 2 for (a, v), (b, w) in pairs) if len(self.seen) > 4 else None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
