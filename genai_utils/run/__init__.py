"""A training run around a loop that stays visible: order of the data, losses, averages, checkpoints, progress."""

from genai_utils.run import flops, memory
from genai_utils.run.log import NonFiniteLossError
from genai_utils.run.loop import Run
from genai_utils.run.rates import schedule

__all__ = ["NonFiniteLossError", "Run", "flops", "memory", "schedule"]
