"""Modules one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, overload

from graphnet.layers.module import Module, modules_among, not_a_module

if TYPE_CHECKING:
    from graphnet.graph import Node


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    Raises:
        GraphError: something else than a module is given.

    >>> import graphnet as gn
    >>> model = gn.Sequential(gn.Linear(2, 25), gn.Tanh()).add(gn.Linear(25, 2))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *modules: Module) -> None:
        self._sequence: tuple[Module, ...] = ()
        self.add(*modules)

    def add(self, *modules: Module) -> Self:
        """Append modules, and return the whole."""
        for module in modules:
            if not isinstance(module, Module):
                raise not_a_module("A Sequential", module, "Sequential(*modules)")
        self._sequence = (*self._sequence, *modules)
        return self

    def build(self, x: Node) -> Node:
        """Append the operations of each module in turn."""
        for module in self._sequence:
            x = module(x)
        return x

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules by their places, "0", "1", ...; then those of a subclass by their names."""
        yield from ((str(place), module) for place, module in enumerate(self._sequence))
        others = {name: each for name, each in vars(self).items() if name != "_sequence"}
        yield from modules_among(self, others)

    def __len__(self) -> int:
        return len(self._sequence)

    def __bool__(self) -> bool:
        return True  # an empty one is a module too

    def __iter__(self) -> Iterator[Module]:
        return iter(self._sequence)

    @overload
    def __getitem__(self, place: int) -> Module: ...
    @overload
    def __getitem__(self, place: slice) -> Sequential: ...
    def __getitem__(self, place: Any) -> Any:
        """A module by its place; by a slice, a Sequential that shares its modules."""
        chosen = self._sequence[place]
        return Sequential(*chosen) if isinstance(place, slice) else chosen
