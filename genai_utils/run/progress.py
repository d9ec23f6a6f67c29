"""A progress bar with time left and live losses: one line in a terminal, one line in a notebook's stored output."""

from __future__ import annotations

from io import StringIO
from types import TracebackType
from typing import Any

from tqdm import tqdm

from genai_utils.checks import of_type, whole


class Progress:
    """A tqdm bar; in a notebook its text is one display that is updated in place, so that no widget is stored.

    Raises: TypeError, ValueError: another type, or a number below 0.
    """

    def __init__(self, total: int, done: int = 0, show: bool = True, unit: str = "step"):
        whole(0, total=total, done=done)
        of_type(str, unit=unit)
        if _in_notebook():
            self._bar: tqdm = _NotebookBar(
                total=total, initial=done, disable=not show, unit=unit, file=StringIO(), ascii=False
            )
        else:
            self._bar = tqdm(total=total, initial=done, disable=not show, unit=unit, dynamic_ncols=True)

    def show(self, done: int, values: dict[str, float]) -> None:
        """Move to `done` and show the values.  Raises: TypeError, ValueError: no such number, or no dict of them."""
        whole(0, done=done)
        of_type(dict, values=values)
        if self._bar.disable:
            return
        self._bar.set_postfix({name: f"{value:.2f}" for name, value in values.items()}, refresh=False)
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()


class _NotebookBar(tqdm):
    """tqdm that draws itself into one notebook output."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        from IPython.display import Pretty, display

        text = Pretty(msg or str(self))
        if not hasattr(self, "_output"):
            self._output: Any = display(text, display_id=True)
        else:
            self._output.update(text)


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return type(get_ipython()).__name__ in ("ZMQInteractiveShell", "Shell")
