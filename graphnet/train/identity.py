"""What identifies a training run, so that a state of another one is refused, by name.

What may be longer or shorter, such as `epochs`, or gives the same numbers, such as `compile`, does
not count. The user's functions are identified by their code and the values that they use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphnet.errors import shape_text
from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.entry import dtype_text
from graphnet.optim.groups import NOTES
from graphnet.schedules import Plateau
from graphnet.train.digests import digest_of, digest_of_tensors, plain, settings_of

if TYPE_CHECKING:
    from graphnet.train.callbacks import Callback
    from graphnet.train.run import Run

_MOST_LINES = 5000
"""How many nodes are listed one by one."""
_COMPARED_ELSEWHERE = {"epochs", "compile", "schedule", "augment", "prefetch"}
"""The settings that may change, or are compared in another way."""


def identity_of(run: Run) -> dict[str, Any]:
    """What must be the same for a training to go on, as a tree of texts and numbers."""
    return {
        "settings": {**_settings(run), **_callback_settings(run)},
        "optimizer": optimizer_settings(run.optimizer.param_groups),
        "plateau": _plateau(run.settings.schedule),
        "list": _lines(run),
        "values": _values(run),
        "functions": _functions(run),
    }


def remembering(run: Run) -> list[Callback]:
    """The callbacks that have something to remember; others may come and go."""
    return [callback for callback in run.callbacks if callback.state_dict()]


def differences(saved: Mapping[str, Any], now: Mapping[str, Any], ended: Any) -> Iterator[str]:
    """What differs from a saved training run, in words.

    Args:
        saved: the identity of the saved one.
        now: that of this one.
        ended: the settings of the optimizer when it was saved; they may have changed during
            training, and a run that starts again on the same objects has these.
    """
    yield from _changed(saved["settings"], now["settings"])
    if saved["settings"].get("optimizer") == now["settings"]["optimizer"]:
        last = optimizer_settings(ended)
        same = {name for name, value in now["optimizer"].items() if last.get(name) == value}
        yield from _changed(_without(saved["optimizer"], same), _without(now["optimizer"], same))
    if saved["settings"].get("schedule") == now["settings"]["schedule"]:
        yield from _changed(saved["plateau"], now["plateau"])
    yield from _changed_line(saved["list"], now["list"])
    for name in _names(saved["values"], now["values"]):
        if saved["values"].get(name) != now["values"].get(name):
            yield f"{name}: the values differ"
    for name in _names(saved["functions"], now["functions"]):
        old, new = (each["functions"].get(name, ["None", ""]) for each in (saved, now))
        if old[0] != new[0]:
            yield f"{name} was {old[0]} and is {new[0]}"
        elif old != new:
            yield f"{name}: {new[0]} has other code, or uses other values"


def _names(*sides: Mapping[str, Any]) -> list[str]:
    """The names of all, each once."""
    return list(dict.fromkeys(name for side in sides for name in side))


def _without(settings: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in names}


def _changed(saved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in _names(now, saved):
        if saved.get(name) != now.get(name):
            yield f"{name} was {saved.get(name)!r} and is {now.get(name)!r}"


def _changed_line(saved: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """The first node that differs."""
    for place, (old, new) in enumerate(zip(saved, now, strict=False)):
        if old != new:
            yield f"node {place} was {old} and is {new}"
            return
    if len(saved) != len(now):
        yield f"the list had {len(saved)} nodes and has {len(now)}"


def _settings(run: Run) -> dict[str, Any]:
    schedule = run.settings.schedule
    kind = "a Plateau" if isinstance(schedule, Plateau) else schedule and "a function"
    return {
        "rows": run.data.count,
        **_without(vars(run.settings), _COMPARED_ELSEWHERE),
        "training modes": _modes(run),
        "optimizer": type(run.optimizer).__name__,
        "schedule": kind,
        "callbacks": [type(callback).__name__ for callback in remembering(run)],
    }


def _own_code(kind: type) -> str:
    """A digest of the methods of a class that the user wrote; empty for one of graphnet."""
    if kind.__module__.startswith("graphnet."):
        return ""
    return digest_of(tuple(value for value in vars(kind).values() if callable(value)))


def _modes(run: Run) -> str:
    """The modules in evaluation mode within a model in training mode."""
    modules = run.task.model.named_modules() if run.task.model.training else ()
    evaluating = [path for path, module in modules if not module.training]
    return f"evaluation of {', '.join(evaluating)}" if evaluating else "all in training"


def _plateau(schedule: Any) -> dict[str, Any]:
    if not isinstance(schedule, Plateau):
        return {}
    return {f"{name} of the Plateau": plain(each) for name, each in vars(schedule.settings).items()}


def _callback_settings(run: Run) -> dict[str, Any]:
    """The arguments that callbacks were made with, if they keep them under the same name."""
    return {
        f"{name} of callback {place}, {type(callback).__name__},": plain(value)
        for place, callback in enumerate(remembering(run))
        for name, value in settings_of(callback).items()
    }


def optimizer_settings(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All settings of all groups; for the learning rate, the one before any schedule."""
    found = {}
    for place, group in enumerate(groups):
        own = {**group, "lr": group.get("initial_lr", group["lr"])}
        for name, value in own.items():
            if name not in NOTES and name != "params":
                where = f" of group {place}" if len(groups) > 1 else ""
                found[f"{name}{where}"] = plain(value)
    return found


def _lines(run: Run) -> list[str]:
    """A line for each node: its operation with options, and what it is applied to."""
    task = run.task
    places = {node: place for place, node in enumerate(islice(task.graph, task.size))}
    groups = {
        each: place
        for place, group in enumerate(run.optimizer.param_groups)
        for each in group["params"]
    }
    lines = [_line(node, places, groups) for node in places]
    if len(lines) > _MOST_LINES:
        rest = digest_of("\n".join(lines[_MOST_LINES:]))
        return [*lines[:_MOST_LINES], f"one of {len(lines) - _MOST_LINES:,} more, {rest},"]
    return lines


def _line(node: Node, places: Mapping[Node, int], groups: Mapping[Node, int]) -> str:
    if isinstance(node, Operation):
        arguments = [
            str(places.get(each, each)) if isinstance(each, Node) else repr(each)
            for each in node.args
        ]
        options = [f"{name}={plain(value)!r}" for name, value in node.op.options.items()]
        code = _own_code(type(node.op))
        by = f" by code {code[:8]}" if code else ""
        return f"{node.op.name}({', '.join([*arguments, *options])}){by}"
    text = f"{shape_text(node.shape)} of {dtype_text(node.dtype)}"
    if not isinstance(node, Parameter):
        return f"{node.kind} {text}"
    if node.is_buffer:
        return f"buffer {text}"
    frozen = "" if node.requires_grad else "frozen "
    group = f"in group {groups[node]}" if node in groups else "in no group of the optimizer"
    return f"{frozen}parameter {text} {group}"


def _values(run: Run) -> dict[str, str]:
    """Digests of the data, and of buffers that no operation writes, such as class weights."""
    graph, found = run.task.graph, {"data": run.data.digest()}
    if run.validation is not None and (
        isinstance(run.settings.schedule, Plateau) or remembering(run)
    ):
        found["validation"] = run.validation.digest()
    written = {
        source
        for node in graph
        if isinstance(node, Operation) and node.op.trial is not None  # may keep state
        for source in node.inputs
    }
    for parameter in graph.parameters():
        if parameter.is_buffer and parameter not in written:
            found[f"buffer {graph.name_of(parameter)!r}"] = digest_of_tensors([parameter.top])
    return found


def _functions(run: Run) -> dict[str, list[str]]:
    """Name and digest of the code that the user wrote."""
    found = {}
    for what, function in (("augment", run.settings.augment), ("transform", run.data.transform)):
        if function is not None:
            name = getattr(function, "__qualname__", type(function).__name__)
            found[what] = [name, digest_of(function)]
    for place, callback in enumerate(remembering(run)):
        if code := _own_code(type(callback)):
            found[f"callback {place}"] = [type(callback).__name__, code]
    return found
