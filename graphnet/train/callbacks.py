"""Callbacks: what may observe a training run, or stop it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, LoadError, RangeError
from graphnet.graph import Operation
from graphnet.train.checkpoint_file import reason_of
from graphnet.train.dataset import DataSet
from graphnet.train.examples import examined, looked_at
from graphnet.train.metrics import better
from graphnet.validation import require_counts, require_flag
from graphnet.weights import refuse_name_of_torch, save_weights

if TYPE_CHECKING:
    from os import PathLike

    from torch import Tensor

    from graphnet.train.run import Run


class Callback:
    """The base class of callbacks; a subclass defines any of these methods.

    What it remembers from step to step belongs in `state_dict`, so that a resumed training run goes
    on as if it had never stopped, and is forgotten in `reset`, so that a second run starts afresh.

    Attributes:
        every_step: True if `step` must be called right after each update; False if one call after
            several is enough, which native code then makes in one go.
        rank_zero_only: True if, of several processes that train together, only the first one calls
            it, since it writes or shows something.
    """

    every_step = True
    rank_zero_only = False

    def reset(self) -> None:
        """Forget what was remembered: called when training begins, before a state is loaded."""

    def start(self, run: Run) -> None:
        """Called once, before the first step, or before the first one after a resume."""

    def step(self, run: Run) -> None:
        """Called after each update."""

    def epoch(self, run: Run) -> None:
        """Called after each epoch, when `run.history.last` is its row."""

    def end(self, run: Run) -> None:
        """Called once, also if an error or a signal ends the training."""

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on later: texts, numbers and tensors by name."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`.

        Raises:
            LoadError: it belongs to another callback.
        """
        if state:
            raise LoadError(f"{type(self).__name__} remembers nothing; got {sorted(state)}.")


def tell(run: Run, callback: Callback, moment: str) -> None:
    """Call one method of a callback; of several processes only rank 0 writes and shows."""
    if run.across is None or not callback.rank_zero_only:
        getattr(callback, moment)(run)
    elif run.across.group.rank == 0:
        with run.across.group.apart():  # the others do not wait
            getattr(callback, moment)(run)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Inside, an OSError, such as a full disk, is only a warning: the training goes on."""
    try:
        yield
    except OSError as error:
        warnings.warn(
            f"{path} cannot be written: {reason_of(error)}. The training goes on.", stacklevel=4
        )


class Monitor(Callback):
    """The base of callbacks that monitor one column of the history.

    Args:
        monitor: the column; None takes "validation_loss" if it exists, else "loss".
        mode: "min" if smaller is better, "max" if larger is; None takes what is known of the loss
            and the metrics of `metrics`, by the end of the column's name.
        minimum_change: how much better a number must be to count.

    Raises:
        RangeError: the mode is another word, or None for a column that nothing is known about.
    """

    def __init__(
        self, monitor: str | None = None, mode: str | None = None, minimum_change: float = 0.0
    ) -> None:
        if mode is None:
            mode = better("loss" if monitor is None else monitor)
        if mode not in ("min", "max"):
            raise RangeError(
                f"mode must be 'min' if smaller is better in {monitor!r}, and 'max' if larger is; "
                f"got {mode!r}. It may be omitted for losses and the metrics of gn.metrics."
            )
        self.monitor, self.mode, self.minimum_change = monitor, mode, minimum_change
        self.reset()

    def reset(self) -> None:
        """Forget the best number."""
        self.best = inf if self.mode == "min" else -inf

    def improved(self, run: Run) -> bool:
        """Take note of the last epoch; True if it is the best so far."""
        name = self.monitor
        if name is None:
            name = "validation_loss" if "validation_loss" in run.history.last else "loss"
        if name not in run.history.last:
            raise GraphError(
                f"{type(self).__name__} follows {name!r}, and the history has "
                f"{', '.join(run.history.last)}."
            )
        value = run.history.last[name]
        gain = self.best - value if self.mode == "min" else value - self.best
        if isnan(value) or not gain > self.minimum_change:
            return False
        self.best = value
        return True

    def state_dict(self) -> dict[str, Any]:
        """The best number so far."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`."""
        self._load_numbers(state)

    def _load_numbers(self, state: dict[str, Any]) -> None:
        names = {name for name in self.state_dict() if not name.startswith(_WEIGHT)}
        if state.keys() != names:
            raise LoadError(
                f"A state of {type(self).__name__} has {sorted(names)}; got {sorted(state)}."
            )
        for name, value in state.items():
            setattr(self, name, value)


_WEIGHT = "weight."
"""What the names of weights begin with in the state of a callback."""


class EarlyStopping(Monitor):
    """Stops training when the monitored number has not improved for some epochs.

    Args:
        monitor: as for `Monitor`.
        patience: how many epochs may pass without a better number.
        mode: as for `Monitor`.
        minimum_change: how much better a number must be to count.
        restore_best: True to give the model the weights of the best epoch at the end.

    Raises:
        RangeError: the patience is not an integer of 1 or more, or as for `Monitor`.
    """

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 10,
        mode: str | None = None,
        minimum_change: float = 0.0,
        restore_best: bool = False,
    ) -> None:
        require_counts(patience=patience)
        self.patience = patience
        self.restore_best = require_flag("restore_best", restore_best)
        super().__init__(monitor, mode, minimum_change)

    def reset(self) -> None:
        """Forget the best number, and how many epochs have passed since."""
        super().reset()
        self.waiting = 0
        self._weights: dict[str, Tensor] = {}

    def epoch(self, run: Run) -> None:
        """Count the epochs without a better number."""
        better = self.improved(run)
        self.waiting = 0 if better else self.waiting + 1
        if better and self.restore_best:
            self._weights = run.task.model.state_dict()
        if self.waiting >= self.patience:
            run.stop()

    def end(self, run: Run) -> None:
        """Restore the weights of the best epoch, if wanted."""
        if self._weights:
            run.task.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """The best number, how many epochs have passed since, and the weights if they are kept."""
        weights = {f"{_WEIGHT}{name}": value for name, value in self._weights.items()}
        return {**super().state_dict(), "waiting": self.waiting, **weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of `state_dict`."""
        of_weights = [name for name in state if name.startswith(_WEIGHT)]
        self._weights = {name.removeprefix(_WEIGHT): state[name] for name in of_weights}
        self._load_numbers({name: state[name] for name in state if name not in of_weights})


class BestModel(Monitor):
    """Keeps the weights of the best epoch in a file; `gn.load_weights` reads them.

    Args:
        path: the file, such as "best.safetensors".
        monitor: as for `Monitor`.
        mode: as for `Monitor`.
        minimum_change: how much better a number must be to count.

    Raises:
        GraphError: the name has the suffix of another format, such as best.pt.
        RangeError: as for `Monitor`.
    """

    rank_zero_only = True

    def __init__(
        self,
        path: str | PathLike[str],
        monitor: str | None = None,
        mode: str | None = None,
        minimum_change: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, minimum_change)
        self.path = Path(path)
        refuse_name_of_torch(self.path)  # now, rather than after the first epoch

    def start(self, run: Run) -> None:
        """Make the folder."""
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def epoch(self, run: Run) -> None:
        """Write the weights if the epoch is the best so far."""
        if self.improved(run):
            with writing(self.path):
                save_weights(run.task.model, self.path)


class DeadLayerWarning(UserWarning):
    """All units of a layer were 0 for all rows of the training data."""


class DeadLayers(Callback):
    """Warns once about a relu whose units are all 0 for all rows: no gradient can pass it.

    A few rows are examined after each epoch, and all of them if those gave nothing but 0.
    """

    rows = 16
    rank_zero_only = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget which layers were reported."""
        self._warned: set[str] = set()

    def epoch(self, run: Run) -> None:
        """Look for dead layers."""
        found = [
            node
            for node in run.task.graph
            if isinstance(node, Operation)
            and (bounds := node.op.bounds())
            and bounds.rectifies
            and not node.derived
            and node.name not in self._warned
        ]
        for size in (self.rows, examined(run)):
            found = _dead(run, found, size)
        for node in found:
            self._warned.add(node.name)
            warnings.warn(
                f"Node {node.index} {node.name!r} is dead: it gave 0 for every unit and every row "
                f"of {_rows_text(run)} at the end of epoch {run.epoch}, so that nothing before it "
                "learns. A smaller learning rate, smaller first weights or leaky_relu may help.",
                DeadLayerWarning,
                stacklevel=2,
            )


def _rows_text(run: Run) -> str:
    every = isinstance(run.data, DataSet) and examined(run) == len(run.data)
    return "the training data" if every else f"{examined(run)} that were looked at"


def _dead(run: Run, nodes: list[Operation], rows: int) -> list[Operation]:
    """The nodes whose value is 0 everywhere on the first rows of the data."""
    graph, step = run.task.graph, max(DeadLayers.rows, run.settings.batch_size)
    with graph.evaluating():
        for start in range(0, min(rows, examined(run)), step):
            if not nodes:
                break
            batch = looked_at(run, start, min(start + step, rows))
            tops = graph.forward(run.task.feed(batch), outputs=nodes)
            nodes = [node for node, top in zip(nodes, tops, strict=True) if not top.any()]
    return nodes
