"""Checks that training learns every parameter that it should."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, counted
from graphnet.layers import Module
from graphnet.optim import Optimizer
from graphnet.validation import must_be

if TYPE_CHECKING:
    from graphnet.graph import Parameter
    from graphnet.train.training_graph import TrainingGraph

_NAMED = 5  # parameters in a message


def require_learnable(task: TrainingGraph, loss: Any, optimizer: Any) -> None:
    """Refuse an optimizer that would silently leave parameters of the list untrained.

    Leaving out parameters that `model.parameters()` or `parameters()` of a loss lists is a choice,
    and so is freezing some of them.

    Raises:
        GraphError: it is not an optimizer, it belongs to another model, all its parameters in the
            list are frozen, or a parameter of the list is neither frozen, nor known, nor updated.
    """
    if not isinstance(optimizer, Optimizer):
        rule = "one of graphnet, such as gn.Adam(model.parameters())"
        raise GraphError(must_be("optimizer", rule, optimizer))
    updated = set(optimizer.parameters)
    listed = [each for each in task.graph.parameters() if not each.is_buffer]
    known = [each for each in listed if each in updated]
    if not known:
        raise GraphError(
            "The optimizer updates parameters of another model: none of them is in this one. "
            "Make it with model.parameters()."
        )
    if not any(each.requires_grad for each in known):
        raise GraphError(
            f"Nothing can be learned: {_names(task, known)}, all that the optimizer updates in "
            "this model, are frozen. Set `requires_grad` of some of them to True."
        )
    expected = {*updated, *task.model.parameters(), *_of_losses(loss)}
    stray = [each for each in listed if each.requires_grad and each not in expected]
    if stray:
        raise GraphError(
            f"{_names(task, stray)} would never be learned: model.parameters() does not list them, "
            "and the optimizer does not update them. Layers are attributes of their module, made "
            "in __init__ and not in build, and several of them go into a ModuleList. What belongs "
            "to a function is given to the optimizer, too; what shall stay as it is has "
            "requires_grad=False."
        )


def _of_losses(loss: Any) -> Iterable[Parameter]:
    """The parameters of losses that are modules."""
    entries = loss if isinstance(loss, list | tuple) else [loss]
    for entry in entries:
        for each in entry if isinstance(entry, tuple) else (entry,):
            if isinstance(each, Module):
                yield from each.parameters()


def _names(task: TrainingGraph, parameters: list[Parameter]) -> str:
    """The names of some parameters in the list, and how many there are."""
    names = [repr(task.graph.name_of(each)) for each in parameters[:_NAMED]]
    more = ", ..." if len(parameters) > _NAMED else ""
    return f"{counted(len(parameters), 'parameter')} ({', '.join(names)}{more})"
