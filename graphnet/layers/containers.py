"""Modules that hold modules, beside `Sequential`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, overload

from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.layers.module import Module, modules_among, not_a_module

if TYPE_CHECKING:
    from graphnet.graph import Node


class ModuleList(Module):
    """A list of modules that a subclass of `Module` calls as it likes.

    Their parameters are found under "0", "1", ..., as in torch.nn. The list itself has no build.

    Raises:
        GraphError: something else than a module is given.

    >>> import graphnet as gn
    >>> class Twice(gn.Module):
    ...     def __init__(self):
    ...         self.steps = gn.ModuleList([gn.Linear(2, 2), gn.Linear(2, 2)])
    ...     def build(self, x):
    ...         for step in self.steps:
    ...             x = step(x)
    ...         return x
    >>> [name for name, _ in Twice().named_parameters()]
    ['steps.0.weight', 'steps.0.bias', 'steps.1.weight', 'steps.1.bias']
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        self._list: tuple[Module, ...] = ()
        self.extend(modules or ())

    def append(self, module: Module) -> Self:
        """Append a module, and return the list."""
        if not isinstance(module, Module):
            raise not_a_module("A ModuleList", module, "extend(modules)")
        self._list = (*self._list, module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Append several modules, and return the list."""
        for module in tuple(modules):
            self.append(module)
        return self

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules by their places; then those of a subclass by their names."""
        yield from ((str(place), module) for place, module in enumerate(self._list))
        others = {name: each for name, each in vars(self).items() if name != "_list"}
        yield from modules_among(self, others)

    def __len__(self) -> int:
        return len(self._list)

    def __bool__(self) -> bool:
        return True  # an empty one is a module too

    def __iter__(self) -> Iterator[Module]:
        return iter(self._list)

    @overload
    def __getitem__(self, place: int) -> Module: ...
    @overload
    def __getitem__(self, place: slice) -> ModuleList: ...
    def __getitem__(self, place: Any) -> Any:
        """A module by its place; by a slice, a ModuleList that shares its modules."""
        chosen = self._list[place]
        return ModuleList(chosen) if isinstance(place, slice) else chosen


class Residual(Module):
    """y = x + inner(x), so that the gradient has a way past the inner module.

    Shapes: any that the inner module returns as it came.

    Args:
        inner: the module that is added to its input.

    Source: He et al., Deep residual learning (2016), equation 1.

    Raises:
        GraphError: something else than a module is given.
        ShapeError: the inner module returns another shape.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> gn.Residual(gn.ReLU()).forward(empty(2).fill_(3))
    tensor([6., 6.])
    """

    def __init__(self, inner: Module) -> None:
        if not isinstance(inner, Module):
            raise GraphError(f"A Residual holds a module; {inner!r} came.")
        self.inner = inner

    def build(self, x: Node) -> Node:
        """Append the inner module, and the sum."""
        y: Node = self.inner(x)
        if y.shape != x.shape:
            raise ShapeError(
                f"Residual: the inner module makes {shape_text(y.shape)} of {x} "
                f"{shape_text(x.shape)}; a sum without broadcasting needs the same."
            )
        return x + y
