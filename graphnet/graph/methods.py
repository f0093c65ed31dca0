"""Functions of nodes as methods of nodes: a plain assignment, except to mypy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate

    from graphnet.graph.node import Node

P = ParamSpec("P")
R = TypeVar("R")

MYPY = False
"""mypy assumes that this is True; editors and other type checkers do not."""

if MYPY:

    class as_method(Generic[P, R]):  # noqa: N801 - it stands for a function
        """A function of a node as a method that returns what the function returns.

        Without it, mypy replaces the type variable of the function by the class of `self`, even
        where the variable does not allow that class: the `tanh` of an `Input` would be an `Input`.
        """

        def __init__(self, function: Callable[Concatenate[Node, P], R]) -> None: ...
        def __get__(self, node: object, owner: object) -> Callable[P, R]: ...

else:

    def as_method(function: R) -> R:
        """Return the function itself: Python binds it to a node as any function of a class."""
        return function
