"""A progress bar over the steps of a training."""

from __future__ import annotations

import sys
from functools import cache
from math import ceil
from threading import RLock
from typing import TYPE_CHECKING, Any

from graphnet.train.callbacks import Callback

if TYPE_CHECKING:
    from graphnet.train.run import Run


class Progress(Callback):
    """A bar with the loss and the learning rate.

    Args:
        shown: True to show it, False to hide it, None to show it on terminals only.
    """

    every_step = False

    def __init__(self, shown: bool | None = None) -> None:
        self._shown = shown
        self._bar: Any = None

    def start(self, run: Run) -> None:
        """Begin with the steps that are already done."""
        batches = ceil(run.rows / run.settings.batch_size)
        self._bar = progress_bar(
            self._shown,
            total=run.settings.epochs * ceil(batches / run.settings.accumulate),
            initial=run.step,
            unit="step",
        )
        self._shown = not self._bar.disable

    def step(self, run: Run) -> None:
        """Advance to the present step."""
        if self._shown:
            loss = run.history.losses[-1]
            self._bar.set_postfix(loss=f"{loss:.4g}", lr=f"{run.optimizer.lr:.3g}", refresh=False)
            self._bar.update(run.step - self._bar.n)

    def end(self, run: Run) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.refresh()  # a short training run has not shown anything yet
            self._bar.close()


def progress_bar(shown: bool | None, *, total: int, initial: int, unit: str) -> Any:
    """A tqdm bar that is removed at its end.

    A program without a console, such as under pythonw, has no place for one.

    Args:
        shown: True to show it, False to hide it, None to show it on terminals only.
        total: how many units there are.
        initial: how many of them are done.
        unit: what is counted.
    """
    stream = sys.stderr
    nowhere = stream is None or stream.closed
    return _bar()(
        total=total,
        initial=initial,
        unit=unit,
        disable=True if nowhere else None if shown is None else not shown,
        leave=False,
        mininterval=0.1,
    )


@cache
def _bar() -> Any:
    """tqdm with a lock for this process alone.

    Its own lock is shared with processes forked from this one, and one that is killed while it
    holds the lock would keep all others waiting forever.
    """
    from tqdm import tqdm

    bar: Any = type("ProgressBar", (tqdm,), {})
    bar.set_lock(RLock())
    return bar
