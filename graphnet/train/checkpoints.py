"""Checkpoints: all that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphnet.errors import CheckpointError, LoadError, RangeError
from graphnet.schedules import Plateau
from graphnet.train.callbacks import Callback
from graphnet.train.store import State, Store

if TYPE_CHECKING:
    from os import PathLike

    from graphnet.train.run import Run

__all__ = ["Checkpoints", "captured", "packed", "restore", "unpacked"]


class Checkpoints(Callback):
    """Keeps the last states of a training in a folder, from which `fit` goes on.

    A state is written beside the older ones and then moved to its place, so that whatever ends the
    program leaves a whole one. When a signal ends the training, its last step is kept too.

    Args:
        folder: where; it belongs to one training.
        every: after how many steps a state is written; after each epoch where None.
        keep: how many are kept, 1 or more.
        on_error: "warn" to go on training where a state cannot be written, such as on a full disk;
            "stop" to raise a CheckpointError then.

    Raises:
        RangeError: a setting is out of its range.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        every: int | None = None,
        keep: int = 2,
        on_error: str = "warn",
    ) -> None:
        for name, value in (("every", every), ("keep", keep)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise RangeError(f"{name} is a whole number of 1 or more; {value!r} came.")
        if on_error not in ("warn", "stop"):
            raise RangeError(f"on_error is 'warn' or 'stop'; {on_error!r} came.")
        self.store = Store(str(folder), keep)
        self.every, self.on_error = every, on_error
        self._kept: tuple[int, int] | None = None  # the epoch and the step of the last state

    def step(self, run: Run) -> None:
        """Write a state if it is time."""
        if self.every is not None and run.step % self.every == 0:
            self.write(run)

    def epoch(self, run: Run) -> None:
        """Write the state of the epoch, if it is time, or if it is the last one."""
        if self.every is None or run.epoch == run.settings.epochs or run.stopped:
            self.write(run)

    def end(self, run: Run) -> None:
        """Write the last step of a training that was ended by a signal or a callback."""
        if not run.failed and run.step:
            self.write(run)

    def write(self, run: Run) -> None:
        """Write the state of now.

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
        """Go on from the newest state that is whole; False where there is none.

        Raises:
            LoadError: no state is whole, or it is one of another training.
        """
        state = self.store.load()
        if state is None:
            return False
        with suppress(OSError):  # in the way of nothing
            self.store.clean()
        before = captured(run)
        try:
            restore(run, unpacked(state.values, state.tensors))
        except (LoadError, KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            restore(run, before)
            what = error if isinstance(error, LoadError) else f"{type(error).__name__}: {error}"
            raise LoadError(
                f"{self.store.folder} does not fit this training: {what} Choose another directory, "
                "or say resume=False to begin anew."
            ) from None
        self._kept = run.epoch, run.step
        return True


# all that a training is, as one tree of dicts


def captured(run: Run) -> dict[str, Any]:
    """The state of a training: dicts of tensors, numbers and texts."""
    schedule = run.settings.schedule
    return {
        "about": _about(run),
        "model": dict(run.task.model.state_dict()),
        "optimizer": run.optimizer.state_dict(),
        "schedule": schedule.state_dict() if isinstance(schedule, Plateau) else None,
        "random": _random_states(run),
        "place": {
            name: getattr(run, name)
            for name in ("epoch", "step", "position", "total", "learned", "stopped", "order")
        },
        "history": {
            "epochs": [dict(row) for row in run.history.epochs],
            "losses": torch.tensor(run.history.losses, dtype=torch.float64),
            "rates": torch.tensor(run.history.rates, dtype=torch.float64),
            "skipped": run.history.skipped,
        },
        "callbacks": [callback.state_dict() for callback in _remembering(run)],
    }


def restore(run: Run, state: Mapping[str, Any]) -> None:
    """Put a training into a state that was captured.

    Raises:
        LoadError: it is one of another training.
    """
    _require_same(state["about"], _about(run))
    run.task.model.load_state_dict(state["model"])
    optimizer = state["optimizer"]
    memories = {int(place): memory for place, memory in optimizer["state"].items()}
    run.optimizer.load_state_dict({**optimizer, "state": memories})
    if isinstance(run.settings.schedule, Plateau):
        run.settings.schedule.load_state_dict(state["schedule"])
    for callback, remembered in zip(_remembering(run), state["callbacks"], strict=True):
        callback.load_state_dict(remembered)
    for name, value in state["place"].items():
        setattr(run, name, value)
    history = state["history"]
    run.history.epochs[:] = history["epochs"]
    for name in ("losses", "rates"):
        column = getattr(run.history, name)
        del column[:]
        column.extend(history[name].tolist())
    run.history.skipped = history["skipped"]
    _set_random_states(run, state["random"])


def _about(run: Run) -> dict[str, Any]:
    """What must be the same for a training to go on."""
    return {
        "rows": len(run.data),
        "batch_size": run.settings.batch_size,
        "accumulate": run.settings.accumulate,
        "optimizer": type(run.optimizer).__name__,
        "callbacks": [type(callback).__name__ for callback in _remembering(run)],
    }


def _remembering(run: Run) -> list[Callback]:
    """The callbacks that have something to remember; others may come and go."""
    return [callback for callback in run.callbacks if callback.state_dict()]


def _require_same(saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differing = [f"{name} was {saved.get(name)!r} and is {now[name]!r}" for name in now
                 if saved.get(name) != now[name]]  # fmt: skip
    if differing:
        raise LoadError(f"{'; '.join(differing)}.")


def _random_states(run: Run) -> dict[str, Any]:
    return {
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
        "order": run.generator.get_state(),
        "graph": [each.get_state() for each in _generators(run)],
        "python": random.getstate(),
    }


def _set_random_states(run: Run, states: Mapping[str, Any]) -> None:
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
    run.generator.set_state(states["order"])
    for generator, state in zip(_generators(run), states["graph"], strict=True):
        generator.set_state(state)
    random.setstate(states["python"])


def _generators(run: Run) -> list[torch.Generator]:
    """The generators that operations of the list draw from."""
    from graphnet.compile.step import generators_of  # the compiler is loaded where it is used

    return generators_of(run.task.graph)


# trees of dicts as JSON beside tensors

_TENSOR, _TUPLE = "$tensor", "$tuple"


def packed(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """A tree of dicts, lists and tuples: what JSON can hold, and its tensors by their paths.

    >>> packed({"a": (1, torch.ones(1))})
    ({'a': {'$tuple': [1, {'$tensor': 'a.1'}]}}, {'a.1': tensor([1.])})
    """
    tensors: dict[str, Tensor] = {}

    def pack(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Tensor):
            name = ".".join(path)
            tensors[name] = value
            return {_TENSOR: name}
        if isinstance(value, Mapping):
            return {str(key): pack(each, (*path, str(key))) for key, each in value.items()}
        if isinstance(value, list | tuple):
            items = [pack(each, (*path, str(place))) for place, each in enumerate(value)]
            return {_TUPLE: items} if isinstance(value, tuple) else items
        return value

    return pack(tree, ()), tensors


def unpacked(values: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The tree again.

    Raises:
        KeyError: a tensor is missing.
    """
    if isinstance(values, dict):
        if values.keys() == {_TENSOR}:
            return tensors[values[_TENSOR]]
        if values.keys() == {_TUPLE}:
            return tuple(unpacked(each, tensors) for each in values[_TUPLE])
        return {key: unpacked(each, tensors) for key, each in values.items()}
    if isinstance(values, list):
        return [unpacked(each, tensors) for each in values]
    return values
