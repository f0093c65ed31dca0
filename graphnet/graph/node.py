"""A node: an entry of the list that is computed with as a tensor is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph.entry import Entry, not_a_node
from graphnet.graph.methods import TensorMethods, floor_divide

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": ops.add,
    "sub": ops.sub,
    "mul": ops.mul,
    "div": ops.div,
    "truediv": ops.div,
    "floordiv": floor_divide,
    "pow": ops.pow,
    "matmul": ops.matmul,
    "getitem": ops.getitem,
    "eq": ops.eq,
    "ne": ops.ne,
    "lt": ops.lt,
    "le": ops.le,
    "gt": ops.gt,
    "ge": ops.ge,
    "and": ops.bitwise_and,
    "or": ops.bitwise_or,
}
"""The operators of a tensor with a node on its right, and the functions that they are."""


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
    ) -> Any:
        """What torch calls for `tensor * node`: an operator takes the tensor as a constant."""
        name = function.__name__.strip("_")
        if name in _OPERATORS and len(args) == 2 and not kwargs:
            return _OPERATORS[name](*args)
        others = [argument for argument in args if not isinstance(argument, Node | int | float)]
        if others:
            raise GraphError(not_a_node(name, others[0]))
        raise GraphError(f"torch's {name} takes tensors; for nodes, use graphnet.ops.{name}.")
