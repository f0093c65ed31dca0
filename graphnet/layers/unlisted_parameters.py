"""Strays: parameters that are used in `build` but not listed by `parameters`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from warnings import warn

from graphnet.errors import GraphError
from graphnet.graph import Parameter
from graphnet.graph.location import user_level
from graphnet.layers.state import contents

if TYPE_CHECKING:
    from graphnet.graph import Graph
    from graphnet.graph.nodelist import NodeList
    from graphnet.layers.module import Module

_NAMED = 4  # strays whose origin a warning gives


def warn_of_strays(module: Module, graph: NodeList, first: int, inputs: Sequence[Any]) -> None:
    """Warn of learned parameters that a module added to the list but does not hold.

    Args:
        module: the outermost module, at the end of its build.
        graph: the list.
        first: the length of the list before.
        inputs: the arguments of the module; parameters among them are the caller's.
    """
    unknown = [
        node
        for node in graph[first:]
        if isinstance(node, Parameter) and node.requires_grad and not graph.scopes.known(node)
    ]
    if not unknown:  # the usual case, without another search of all modules
        return
    listed = {id(each) for each in (*module.parameters(), *contents(inputs))}
    strays = [parameter for parameter in unknown if id(parameter) not in listed]
    if strays:
        warn(_message(module, graph, first, strays), stacklevel=user_level())


def _message(module: Module, graph: NodeList, first: int, strays: list[Parameter]) -> str:
    makers = [cast("Graph", graph).makers[node] for node in graph[first:]]
    users = dict.fromkeys([*module.modules(), *filter(None, makers)])
    lines = [
        f"  {graph.name_of(stray)}, made at {stray.line}: {_held(stray, users)}"
        for stray in strays[:_NAMED]
    ]
    if len(strays) > _NAMED:
        lines.append(f"  and {len(strays) - _NAMED:,} more")
    listed = "\n".join(lines)
    name = type(module).__name__
    return (
        f"{name} uses parameters that {name}.parameters() does not list; an optimizer does not "
        f"train them, and state_dict() does not save them:\n{listed}\n"
        "Make them, or their modules, in __init__ and assign them to attributes: "
        "self.layer = ..., self.layers = graphnet.ModuleList(...)."
    )


def _held(stray: Parameter, users: Iterable[Any]) -> str:
    """Where a parameter is held, as far as the modules that may use it show."""
    for module in users:
        for kind in type(module).__mro__:
            for name, value in vars(kind).items():
                if _holds(value, stray):
                    return f"held by the class, {kind.__name__}.{name}"
        for name, value in vars(module).items():
            if any(_holds(each, stray) for each in _plain_contents(value)):
                holder = f"{type(module).__name__}.{name}"
                return f"held by {holder}, which is not a module but a {type(value).__name__}"
    return "made in build, or held outside the module"


def _plain_contents(value: object) -> list[Any]:
    """The attributes of an object that is not a module."""
    attributes = getattr(value, "__dict__", None)
    if not isinstance(attributes, dict) or hasattr(type(value), "named_children"):
        return []
    return list(attributes.values())


def _holds(value: object, stray: Parameter) -> bool:
    """True for the parameter, a module with it, or a list of these."""
    for each in contents(value):
        if each is stray:
            return True
        if hasattr(type(each), "named_children"):
            with suppress(GraphError, AttributeError):  # it may hide modules, or be torch.nn's
                if stray in each.parameters():
                    return True
    return False
