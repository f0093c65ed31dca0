"""A node: an entry of the list that is computed with as a tensor is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from graphnet.errors import GraphError
from graphnet.graph.entry import Entry, not_a_node
from graphnet.graph.methods import TensorMethods

if TYPE_CHECKING:
    from torch import Tensor


class Node(Entry, TensorMethods):
    """An entry of the list to compute with: each operator appends an operation."""

    __slots__ = ("grad", "requires_grad")
    __array_ufunc__ = None  # lets numpy pass `array + node` to the node, which explains
    grad: Tensor | Any
    """The gradient; None before a backward pass. `Any` spares users a test for None."""
    requires_grad: bool
    """True if its gradient is computed."""

    @property
    def version(self) -> object:
        """A value that changes whenever the value of an input or a parameter does."""
        return 0

    def __iter__(self) -> NoReturn:
        raise GraphError(
            f"{self} cannot be iterated over: its values do not exist yet. Compute with the whole "
            "node, or iterate over its top after graph.forward."
        )

    def __float__(self) -> NoReturn:
        raise GraphError(f"{self} is not a number; after graph.forward, float(node.top) is.")

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> NoReturn:
        name = function.__name__.strip("_")
        others = [argument for argument in args if not isinstance(argument, Node | int | float)]
        if others:
            raise GraphError(not_a_node(name, others[0]))
        raise GraphError(f"torch's {name} takes tensors; for nodes, use graphnet.ops.{name}.")
