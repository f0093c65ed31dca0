"""How a function of nodes becomes a method of nodes: nothing happens, but for mypy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate

    from graphnet.graph.node import Node

P = ParamSpec("P")
R = TypeVar("R")

MYPY = False
"""mypy takes it to be true; editors and other checkers do not."""

if MYPY:

    class as_method(Generic[P, R]):  # noqa: N801 - it stands for a function
        """A function of a node as a method, which returns what the function does.

        Without it mypy puts the class of `self` in place of the function's type variable, whatever
        that is constrained to: it would take the `tanh` of an `Input` for an `Input`.
        """

        def __init__(self, function: Callable[Concatenate[Node, P], R]) -> None: ...
        def __get__(self, node: object, owner: object) -> Callable[P, R]: ...

else:

    def as_method(function: R) -> R:
        """The function itself, which Python binds to a node as any function of a class."""
        return function
