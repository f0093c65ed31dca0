"""A progress bar over the steps of a training."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from graphnet.train.callbacks import Callback

if TYPE_CHECKING:
    from graphnet.train.run import Run


class Progress(Callback):
    """A bar with the loss and the learning rate.

    Args:
        shown: True to show it, False to hide it, None to show it on terminals only.
    """

    def __init__(self, shown: bool | None = None) -> None:
        self._disable = None if shown is None else not shown
        self._bar: Any = None

    def start(self, run: Run) -> None:
        """Begin with the steps that are done."""
        from tqdm import tqdm

        batches = ceil(run.rows / run.settings.batch_size)
        self._bar = tqdm(
            total=run.settings.epochs * ceil(batches / run.settings.accumulate),
            initial=run.step,
            unit="step",
            disable=self._disable,
            leave=False,
            mininterval=0.1,
        )
        self._shown = not self._bar.disable

    def step(self, run: Run) -> None:
        """Go on by one step."""
        if self._shown:
            loss = run.history.losses[-1]
            self._bar.set_postfix(loss=f"{loss:.4g}", lr=f"{run.optimizer.lr:.3g}", refresh=False)
            self._bar.update()

    def end(self, run: Run) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.refresh()  # a short training has shown nothing yet
            self._bar.close()
