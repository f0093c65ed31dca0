"""Checkpoints: everything that a training run needs to go on as if it had never stopped."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torch import Tensor

from graphnet.errors import CheckpointError, LoadError
from graphnet.train.callbacks import Callback
from graphnet.train.capture import captured, identify, restore
from graphnet.train.checkpoint_file import State
from graphnet.train.store import Store
from graphnet.validation import require_choice, require_counts

if TYPE_CHECKING:
    from os import PathLike

    from graphnet.train.run import Run


class Checkpoints(Callback):
    """Keeps the last states of a training run in a folder, from which `fit` goes on.

    A state is written beside the older ones and then moved into place, so that whatever ends the
    program leaves a complete one. If a signal ends the training, its last step is kept too.

    Args:
        folder: where; it belongs to one training run.
        every: the number of steps between two states; None writes one after each epoch.
        keep: how many are kept, 1 or more.
        on_error: "warn" to go on training if a state cannot be written, such as on a full disk;
            "stop" to raise a CheckpointError.

    Raises:
        RangeError: a setting is out of its range.
    """

    rank_zero_only = True

    def __init__(
        self,
        folder: str | PathLike[str],
        every: int | None = None,
        keep: int = 2,
        on_error: str = "warn",
    ) -> None:
        if every is not None:
            require_counts(every=every)
        require_choice("on_error", on_error, ("warn", "stop"))
        self.store = Store(str(folder), keep)
        self.every, self.on_error = every, on_error
        self.reset()

    def reset(self) -> None:
        """Forget what was written last."""
        self._kept: tuple[int, int] | None = None  # the epoch and the step of the last state

    def start(self, run: Run) -> None:
        """Move behind all other callbacks: what they remember of a step belongs to its state."""
        run.callbacks = sorted(run.callbacks, key=lambda each: isinstance(each, Checkpoints))
        identify(run)

    def step(self, run: Run) -> None:
        """Write a state if it is time."""
        if self.every is not None and run.step % self.every == 0:
            self.write(run)

    def epoch(self, run: Run) -> None:
        """Write the state of the epoch if it is time, or if it is the last one."""
        if self.every is None or run.epoch == run.settings.epochs or run.stopped:
            self.write(run)

    def end(self, run: Run) -> None:
        """Write the last step of training that was ended by a signal or a callback."""
        if not run.failed and run.step:
            self.write(run)

    def write(self, run: Run) -> None:
        """Write the current state.

        Raises:
            CheckpointError: it cannot be written, and `on_error` says to stop.
        """
        if self._kept == (run.epoch, run.step):
            return
        values, tensors = packed(captured(run))
        try:
            self.store.save(State(run.step, tensors, values))
        except CheckpointError as error:
            if self.on_error == "stop":
                raise
            warnings.warn(f"{error} The training goes on.", stacklevel=2)
        else:
            self._kept = run.epoch, run.step

    def resume(self, run: Run) -> bool:
        """Go on from the newest intact state; False if there is none.

        Raises:
            LoadError: no state is intact, or it belongs to another training run.
        """
        state = self._loaded() if run.across is None else run.across.shared(self._loaded)
        if state is None:
            return False
        before = captured(run)
        try:
            restore(run, unpacked(state.values, state.tensors))
        except Exception as error:  # whatever it is, the contents of the file are the cause
            restore(run, before)
            what = error if isinstance(error, LoadError) else f"{type(error).__name__}: {error}"
            raise LoadError(
                f"{self.store.folder} does not fit this training: {what} Choose another directory, "
                "or pass resume=False to start anew."
            ) from None
        self._kept = run.epoch, run.step
        return True

    def _loaded(self) -> State | None:
        state = self.store.load()
        if state is not None:
            with suppress(OSError, LoadError):  # leftovers of a crash do no harm
                self.store.clean(state.step)
        return state


# trees of dicts, lists and tuples, as JSON beside tensors

_TENSOR, _TUPLE = "$tensor", "$tuple"
_PLAIN = (int, float, str, bool, type(None))  # most are: a state of `random` has 625 integers


def packed(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """A tree of dicts, lists and tuples: what JSON can hold, and its tensors by their paths.

    >>> import torch
    >>> packed({"a": (1, torch.ones(1))})
    ({'a': {'$tuple': [1, {'$tensor': 'a.1'}]}}, {'a.1': tensor([1.])})
    """
    tensors: dict[str, Tensor] = {}

    def pack(value: Any, path: tuple[str, ...]) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, Tensor):
            name = ".".join(path)
            while name in tensors:  # {"a": {"b": ...}, "a.b": ...}
                name += "'"
            tensors[name] = value
            return {_TENSOR: name}
        if isinstance(value, Mapping):
            return {_written(key): pack(each, (*path, str(key))) for key, each in value.items()}
        if isinstance(value, list | tuple):
            items = [pack(each, (*path, str(place))) for place, each in enumerate(value)]
            return {_TUPLE: items} if isinstance(value, tuple) else items
        return value

    return pack(tree, ()), tensors


def _written(key: Any) -> str:
    """A key as text; one that looks like a mark gets another $."""
    return f"${key}" if str(key).startswith("$") else str(key)


def unpacked(values: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The original tree.

    Raises:
        KeyError: a tensor is missing.
    """
    if isinstance(values, dict):
        if values.keys() == {_TENSOR}:
            return tensors[values[_TENSOR]]
        if values.keys() == {_TUPLE}:
            return tuple(unpacked(each, tensors) for each in values[_TUPLE])
        return {key.removeprefix("$"): unpacked(each, tensors) for key, each in values.items()}
    if isinstance(values, list):
        return [unpacked(each, tensors) for each in values]
    return values
