"""Names of nodes: unique in a graph, and prefixed by the path of the module that appends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError

if TYPE_CHECKING:
    from graphnet.graph.node import Node


class Names:
    """The nodes of one graph by name."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._counts: dict[str, int] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __getitem__(self, name: str) -> Node:
        if name not in self._nodes:
            raise GraphError(f"No node is called {name!r}; print(graph) lists all names.")
        return self._nodes[name]

    def claim(self, name: str, node: Node) -> None:
        """Give a name to a node.

        Raises:
            GraphError: another node has it, or it is not a name at all.
        """
        if not isinstance(name, str) or not name:
            raise GraphError(f"A name is a text of one character or more; {name!r} came.")
        if name in self._nodes:
            raise GraphError(
                f"The name {name!r} is taken by {self._nodes[name]!r}; "
                "names are unique in a graph. Choose another one."
            )
        self._nodes[name] = node

    def unique(self, name: str) -> str:
        """The name itself if it is free, else with the first free number: tanh, tanh_1, tanh_2."""
        free, count = name, self._counts.get(name, 0)
        while free in self._nodes:
            count += 1
            free = f"{name}_{count}"
        self._counts[name] = count
        return free


class Scopes:
    """The stack of modules that are being built, each with its path in the graph."""

    def __init__(self) -> None:
        self._stack: list[tuple[object, str]] = [(None, "")]
        self._roots: dict[object, str] = {}
        self.kinds: dict[str, str] = {}
        """For the path of each module that was built, what it is: "Linear"."""
        self.modules: dict[Any, None] = {}
        """The modules that were built, in the order in which they were first called."""

    @property
    def owner(self) -> object:
        """The module that is being built; None outside any module."""
        return self._stack[-1][0]

    def path(self, name: str) -> str:
        """A name with the path of the current module before it: encoder.0.weight."""
        prefix = self._stack[-1][1]
        return f"{prefix}.{name}" if prefix and name else prefix or name

    def root(self, owner: object, name: str) -> str:
        """The path of a module that no other module calls: empty for the first one of a graph."""
        if owner not in self._roots:
            taken = set(self._roots.values())
            choices = ("", name, *(f"{name}_{count}" for count in range(1, len(taken) + 1)))
            self._roots[owner] = next(choice for choice in choices if choice not in taken)
        return self._roots[owner]

    @contextmanager
    def inside(self, path: str, owner: object = None) -> Iterator[None]:
        """Prefix the names of the nodes that are appended inside the block."""
        self._stack.append((owner, path))
        if owner is not None:
            self.kinds[path] = type(owner).__name__
            self.modules[owner] = None
        try:
            yield
        finally:
            self._stack.pop()
