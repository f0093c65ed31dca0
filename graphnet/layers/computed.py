"""Attributes of a module that are computed from its parameters, such as a normalized weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.graph.entry import open_graphs


class Computed:
    """What a module inherits to have such attributes: see `parametrizations`.

    While the module is built, reading one gives a node, the same for the whole call; in a graph
    otherwise a new node; elsewhere a tensor.
    """

    if not TYPE_CHECKING:  # else any name would be taken for an attribute

        def __getattr__(self, name: str) -> Any:
            held = vars(self).get("parametrizations")
            if held is None or name not in held:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            graph = next(reversed(open_graphs.get()), None)
            if graph is None:
                return held[name].forward()
            scope = graph.scopes.scope
            known = scope.computed if scope.owner is self else {}
            if name not in known:
                known[name] = held[name].append_to(graph)
            return known[name]
