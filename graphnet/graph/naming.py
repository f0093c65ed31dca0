"""Names of nodes: unique in a graph, and prefixed by the path of the module that appends them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

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
            GraphError: another node has it, or it is not a name.
        """
        if not isinstance(name, str) or not name:
            raise GraphError(f"A name must be a non-empty string; got {name!r}.")
        if name in self._nodes:
            raise GraphError(
                f"The name {name!r} is taken by {self._nodes[name]!r}; "
                "names are unique in a graph. Choose another."
            )
        self._nodes[name] = node

    def unique(self, name: str) -> str:
        """The name itself if free, else with the first free number: tanh, tanh_1, tanh_2."""
        return _numbered(name, self._nodes, self._counts)


class Built(Protocol):
    """A module as the list sees it: it knows its submodules and parameters."""

    def named_modules(self) -> Iterator[tuple[str, Built]]:
        """This module and all modules inside it, by path, parents first."""

    def _own_parameters(self) -> Iterator[tuple[str, Any]]:
        """The parameters directly in it, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a module, which appended nodes.

    Attributes:
        module: the module; None for a part of the list that no module builds.
        path: the prefix of the names of its nodes.
        caller: the call during which it was called; None for the list itself.
    """

    module: Any
    path: str
    caller: Call | None = None


@dataclass(slots=True)
class Scope:
    """A module that is being built.

    Attributes:
        owner: the module; None for a part of the list that no module builds.
        path: the prefix of the names of its nodes.
        call: this call of it, which the nodes remember.
        ways: where modules are in the owner; kept here by the layers while it is being built.
        names: for the outermost module, the names of the parameters inside it.
        held: False if the module that calls the owner does not hold it, but made it while being
            built or got it from elsewhere.
        computed: what the owner has computed from its parameters in this call, by name.
    """

    owner: Built | None
    path: str
    call: Call
    ways: Any = None
    names: dict[Any, str] = field(default_factory=dict)
    held: bool = True
    computed: dict[str, Any] = field(default_factory=dict)


class Scopes:
    """The stack of modules that are being built, each with its path in the graph."""

    def __init__(self) -> None:
        self._stack = [Scope(None, "", Call(None, ""))]
        self._modules: dict[str, object] = {}
        self._claims: dict[tuple[object, str], str] = {}
        self._counts: dict[str, int] = {}
        self.modules: dict[Any, None] = {}
        """The modules that were built, in the order in which they were first called."""
        self.uses: Counter[str] = Counter()
        """How often each module was built, by path."""

    @property
    def scope(self) -> Scope:
        """The innermost module that is being built, or the list itself."""
        return self._stack[-1]

    @property
    def owner(self) -> object:
        """The module that is being built; None outside any module."""
        return self._stack[-1].owner

    @property
    def leader(self) -> object:
        """The module whose training mode an operation follows; None if it is the list's.

        It is the module being built. A module made while another is being built follows that
        other one, which cannot set its mode, until somebody sets it.
        """
        for scope in reversed(self._stack):
            if scope.owner is None or scope.held or "training" in vars(scope.owner):
                return scope.owner
        return None

    def path(self, name: str) -> str:
        """A name prefixed by the path of the current module: encoder.0.weight."""
        return _joined(self.scope.path, name)

    def module(self, path: str) -> object:
        """The module at a path; None if there is none."""
        return self._modules.get(path)

    def kind(self, path: str) -> str:
        """The class of the module at a path; empty if there is none."""
        return type(self._modules[path]).__name__ if path in self._modules else ""

    # the paths of modules: no two modules share one

    def root(self, owner: object, name: str) -> str:
        """The path of a module that no other module calls: empty for the first one in a graph."""
        first = self._modules.setdefault("", owner) is owner
        return "" if first else self.claim(name, owner)

    def claim(self, path: str, module: object) -> str:
        """A path for a module: the same each time, with a number if another module has it."""
        key = (module, path)
        if key not in self._claims:
            mine = self._modules.get(path) is module
            free = path if mine else _numbered(path, self._modules, self._counts)
            self._claims[key], self._modules[free] = free, module
        return self._claims[key]

    # the names of parameters: their names in the outermost module

    def known(self, parameter: object) -> str | None:
        """The name of a parameter that the outermost module holds; None if it does not."""
        outermost = self._outermost
        return None if outermost is None else outermost.names.get(parameter)

    def found(self, parameter: object) -> str | None:
        """The same for a parameter that the module may have got since its building began."""
        if (outermost := self._outermost) is not None:
            self._read(outermost)
        return self.known(parameter)

    @property
    def _outermost(self) -> Scope | None:
        return next((scope for scope in self._stack if scope.owner is not None), None)

    def _read(self, outermost: Scope) -> None:
        """Claim a path for each module inside the outermost one, and name its parameters."""
        paths: dict[str, str] = {}
        for path, module in outermost.owner.named_modules() if outermost.owner else ():
            around, _, name = path.rpartition(".")
            start = paths.get(around)
            wanted = _joined(outermost.path, path) if start is None else _joined(start, name)
            paths[path] = claimed = self.claim(wanted, module)
            for own, parameter in module._own_parameters():
                outermost.names.setdefault(parameter, _joined(claimed, own))

    # entering and leaving

    def enter(self, path: str, owner: Built | None = None) -> None:
        """Prefix the names of nodes appended from now on, until `leave`."""
        outermost = owner is not None and self._outermost is None
        ways, call = self.scope.ways, Call(owner, path, self.scope.call)
        held = ways is None or bool(ways.to(owner))
        self._stack.append(Scope(owner, path, call, held=held))
        if owner is not None:
            self.uses[path] += 1
            self.modules[owner] = None
        if outermost:
            self._read(self.scope)

    def leave(self) -> None:
        """Undo the last `enter`."""
        self._stack.pop()

    @contextmanager
    def restored(self) -> Iterator[None]:
        """At the end of the block, leave whatever was entered in it."""
        depth = len(self._stack)
        try:
            yield
        finally:
            del self._stack[depth:]

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        """Prefix the names of nodes appended inside the block."""
        with self.restored():
            self.enter(path)
            yield


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _numbered(name: str, taken: Container[str], counts: dict[str, int]) -> str:
    """The name itself if free, else with the first free number appended."""
    free, count = name, counts.get(name, 0)
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    counts[name] = count
    return free
