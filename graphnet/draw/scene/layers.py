"""What a user calls a layer.

As in torch.fx, a layer is a module of the library that does not only hold others: Conv2d,
BatchNorm2d, MultiheadAttention, a loss. A picture shows it as one box. So it is with the modules of
torch.nn in an imported model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.layers import Module, Residual, Sequential
from graphnet.losses.base import Loss

if TYPE_CHECKING:
    from graphnet.graph import Graph, Node
    from graphnet.graph.naming import Call

_ROOMS = ("graphnet.layers.", "graphnet.losses.")
_TORCH = ("torch.nn.modules.", "torch.nn.utils.parametrize")
_PARTS = {"out_proj", "parametrizations"}
"""What torch's layers hold: the last map of attention, and what computes a weight."""


def is_layer(module: object) -> bool:
    """True for a module of the library, or one that inherits its `build`, unless it holds others.

    >>> import graphnet as gn
    >>> is_layer(gn.Linear(2, 3)), is_layer(gn.Sequential(gn.Linear(2, 3)))
    (True, False)
    """
    if not isinstance(module, Module) or isinstance(module, Sequential | Residual):
        return False
    if origin := str(vars(module).get("origin", "")):  # imported
        held = {name for name, _ in module.named_children()}
        return origin.startswith(_TORCH) and held <= _PARTS
    build = type(module).build
    room = str(getattr(build, "__module__", ""))  # anything callable may be a `build`
    return isinstance(module, Loss) or (build is not Module.build and room.startswith(_ROOMS))


def layer_call(graph: Graph, node: Node) -> Call | None:
    """The call of the outermost layer that appended a node; None if no layer did."""
    call, found = graph.calls.get(node), None
    while call is not None:
        if is_layer(call.module):
            found = call
        call = call.caller
    return found
