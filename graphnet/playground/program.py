"""How the model, its loss and its optimizer are written in Python, where that is known.

A page writes its run as a program. Containers and layers of graphnet show themselves as the call
that makes them, so a Sequential of them can be written out; any other model is left to its author.
"""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Any

import graphnet.layers
import graphnet.losses
from graphnet.layers import Module, Sequential

if TYPE_CHECKING:
    from graphnet.optim import Optimizer
    from graphnet.playground.task import Task

_BETAS = "({beta1}, {beta2})"


def in_python(task: Task) -> dict[str, Any]:
    """The texts of model and loss, None if they are not known, and the settings of the optimizer.

    A setting is a text in which {lr} stands for the present number.
    """
    model = None if task.model is None else _model(task.model)
    loss = _call(task.loss_module)
    optimizer = task.optimizer
    known = model is not None and loss is not None and len(optimizer.param_groups) == 1
    whole = known and {*optimizer.parameters} == {*_learned(task)}
    return {
        "model": model if whole and type(optimizer).__module__.startswith("graphnet.") else None,
        "loss": loss,
        "settings": _settings(optimizer),
    }


def _learned(task: Task) -> list[Any]:
    return [] if task.model is None else [*task.model.parameters()]


def _model(module: Module) -> str | None:
    """The call that makes a module; None if it is not known."""
    if type(module) is not Sequential:
        return _call(module)
    parts = [_model(each) for each in module]
    if any(part is None for part in parts) or len({*map(id, module)}) != len(parts):
        return None
    inside = "".join(f"{part},\n" for part in parts)
    return f"gn.Sequential(\n{indent(inside, '    ')})"


def _call(module: Any) -> str | None:
    """The call that makes a layer or a loss of graphnet."""
    name = type(module).__name__
    own = {**vars(graphnet.layers), **vars(graphnet.losses)}.get(name) is type(module)
    text = repr(module)
    is_loss = own and name in vars(graphnet.losses)
    if not own or "\n" in text or (is_loss and module.state_dict()):
        return None
    return f"gn.{text}"


def _settings(optimizer: Optimizer) -> dict[str, str]:
    """The settings of the first group, those of numbers as places for them."""
    group, found = optimizer.param_groups[0], {}
    for name in optimizer.defaults:
        value = group[name]
        if name == "betas":
            found[name] = _BETAS
        elif isinstance(value, bool) or value is None:
            if value:
                found[name] = repr(value)
        elif isinstance(value, int | float):
            found[name] = f"{{{name}}}"
    return found
