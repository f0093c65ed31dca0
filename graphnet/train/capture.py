"""The whole state of a training run as one tree of dicts, and a run from such a tree.

A tree comes from a file, whose checksums reveal damage but not forgery: it is checked here.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from math import isclose
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor

from graphnet.data.order import RowOrder
from graphnet.errors import LoadError
from graphnet.layers.state import load_state
from graphnet.schedules import Plateau
from graphnet.schedules.groups import ratios
from graphnet.snapshot import own_generators
from graphnet.train.identity import differences, identity_of, remembering

if TYPE_CHECKING:
    from graphnet.graph import Parameter
    from graphnet.train.run import Run

_SAMPLE = 32
"""Steps whose learning rates are compared."""

_PLACE = ("epoch", "step", "position", "stopped")

_IN_ORDER = "in order"
"""What stands for an order that is not random, within an epoch."""


def captured(run: Run) -> dict[str, Any]:
    """The state of a training run: dicts of tensors, numbers and texts."""
    schedule = run.settings.schedule
    return {
        "about": identify(run),
        "model": dict(run.task.model.state_dict()),
        "beside": {name: each.top.clone() for name, each in _beside(run).items()},
        "optimizer": run.optimizer.state_dict(),
        "schedule": schedule.state_dict() if isinstance(schedule, Plateau) else None,
        "random": _random_states(run),
        "place": {**{name: getattr(run, name) for name in _PLACE}, "order": _order(run)},
        "data": run.feeding.state_dict(),
        "means": {"totals": [*run.means.totals], "weights": [*run.means.weights]},
        "history": {
            "epochs": [dict(row) for row in run.history.epochs],
            "losses": torch.tensor(run.history.losses, dtype=torch.float64),
            "rates": torch.tensor(run.history.rates, dtype=torch.float64),
            "skipped": run.history.skipped,
        },
        "callbacks": [callback.state_dict() for callback in remembering(run)],
    }


def restore(run: Run, state: Mapping[str, Any]) -> None:
    """Put a training run into a captured state.

    Raises:
        LoadError: it belongs to another training run.
        Exception: it is no such state at all; the run is left somewhere in between.
    """
    place, history = state["place"], state["history"]
    differing = [*differences(state["about"], identify(run), state["optimizer"]["param_groups"])]
    if differing:
        raise LoadError(f"{'; '.join(differing)}.")
    _check_place(place, run.data.count)
    _check_means(state["means"], len(run.means.totals))
    _check_history(history, place)
    _check_schedule(run, history["rates"])
    run.task.model.load_state_dict(state["model"])
    load_state(_beside(run), state["beside"], strict=True)
    optimizer = state["optimizer"]
    memories = {int(number): memory for number, memory in optimizer["state"].items()}
    run.optimizer.load_state_dict({**optimizer, "state": memories})
    if isinstance(run.settings.schedule, Plateau):
        run.settings.schedule.load_state_dict(state["schedule"])
    for callback, remembered in zip(remembering(run), state["callbacks"], strict=True):
        callback.load_state_dict(remembered)
    for name in _PLACE:
        setattr(run, name, place[name])
    run.order = _order_of(place["order"], run.data.count or 0)
    run.means.totals, run.means.weights = state["means"]["totals"], state["means"]["weights"]
    if not run.feeding.load_state_dict(state.get("data"), run.epoch, run.order is not None):
        run.order = None  # the epoch begins anew, after the updates that it has made
    run.history.epochs[:] = history["epochs"]
    run.history.losses[:] = array("d", history["losses"].tolist())
    run.history.rates[:] = array("d", history["rates"].tolist())
    run.history.skipped = history["skipped"]
    _set_random_states(run, state["random"])


def identify(run: Run) -> dict[str, Any]:
    """What the training run is, as of the first call, which is before its first step."""
    if run.identity is None:
        run.identity = identity_of(run)
    return run.identity


def _beside(run: Run) -> dict[str, Parameter]:
    """Parameters and buffers of the list that are not the model's, such as those of the loss."""
    graph, known = run.task.graph, {each for _, each in run.task.model.named_state()}
    return {graph.name_of(each): each for each in graph.parameters() if each not in known}


def _check_schedule(run: Run, rates: Tensor) -> None:
    """Refuse a schedule that gives other rates than those of the steps already made."""
    schedule, count = run.settings.schedule, len(rates)
    if schedule is None or isinstance(schedule, Plateau) or not count:
        return
    ratio = ratios(run.optimizer)[0]
    for step in sorted({place * (count - 1) // _SAMPLE for place in range(_SAMPLE + 1)}):
        was, now = float(rates[step]), float(schedule(step)) * ratio
        if not isclose(was, now, rel_tol=1e-9):  # the last bits of a cosine depend on the machine
            raise LoadError(
                f"the learning rate of step {step} was {was} by the schedule, is {now}."
            )


def _order(run: Run) -> Tensor | str | None:
    """What the order of the epoch is made from; None between epochs."""
    if run.order is None:
        return None
    return _IN_ORDER if run.order.source is None else run.order.source


def _order_of(saved: Tensor | str | None, rows: int) -> RowOrder | None:
    if saved is None:
        return None
    return RowOrder(rows, saved if isinstance(saved, Tensor) else None)


def _check_place(place: Mapping[str, Any], count: int | None) -> None:
    """Refuse a position that no training run on this many rows can have."""
    rows = 2**63 if count is None else count
    order = place["order"]
    right = {
        "epoch": _is_count(place["epoch"]),
        "step": _is_count(place["step"]),
        "position": _is_count(place["position"], rows),
        "stopped": type(place["stopped"]) is bool,
        "order": _is_order(order, rows),
    }
    _require_right("place", right)


def _check_means(means: Mapping[str, Any], count: int) -> None:
    """Refuse means with another number of terms."""
    totals, weights = means["totals"], means["weights"]
    right = {
        "totals": _is_floats(totals, count),
        "weights": _is_floats(weights, count) and all(each >= 0 for each in weights),
    }
    _require_right("means", right)


def _is_floats(value: Any, count: int) -> bool:
    return type(value) is list and len(value) == count and set(map(type, value)) <= {float}


def _check_history(history: Mapping[str, Any], place: Mapping[str, Any]) -> None:
    """Refuse a history that does not have this many epochs and steps."""
    epochs, count, steps = history["epochs"], place["epoch"], place["step"]
    right = {
        "epochs": type(epochs) is list and len(epochs) == count and all(map(_is_row, epochs)),
        "losses": _is_column(history["losses"], steps),
        "rates": _is_column(history["rates"], steps),
        "skipped": _is_count(history["skipped"], steps),
    }
    _require_right("history", right)


def _require_right(what: str, right: Mapping[str, bool]) -> None:
    wrong = [name for name, is_right in right.items() if not is_right]
    if wrong:
        raise LoadError(f"No training run has such a {what}: {', '.join(wrong)}.")


def _is_count(value: Any, most: int = 2**63) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_row(value: Any) -> bool:
    return type(value) is dict and {int, float} >= set(map(type, value.values()))


def _is_column(value: Any, length: int) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.float64 and value.shape == (length,)


def _is_order(value: Any, rows: int) -> bool:
    """None, in order, the state of a generator; or of an earlier version, each row once."""
    if not isinstance(value, Tensor):
        return value is None or value == _IN_ORDER
    if value.dtype == torch.uint8:
        return value.shape == Generator().get_state().shape
    return (
        value.dtype == torch.int64
        and value.shape == (rows,)
        and value.sort().values.equal(torch.arange(rows))
    )


def _random_states(run: Run) -> dict[str, Any]:
    """What is drawn next; several processes share what they read with, and seed the rest."""
    with _of_all(run):
        return _states(run)


def _of_all(run: Run) -> AbstractContextManager[None]:
    return nullcontext() if run.across is None else run.across.reading()


def _states(run: Run) -> dict[str, Any]:
    return {
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
        "order": run.generator.get_state(),
        "graph": [each.get_state() for each in own_generators(run.task.graph)],
        "python": random.getstate(),
    }


def _set_random_states(run: Run, states: Mapping[str, Any]) -> None:
    with _of_all(run):
        torch.set_rng_state(states["torch"])
        random.setstate(states["python"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
    run.generator.set_state(states["order"])
    for generator, state in zip(own_generators(run.task.graph), states["graph"], strict=True):
        generator.set_state(state)
