"""What can be written on a node: the operators and tensor methods that the operations provide.

Names and argument order are those of `torch.Tensor`, so that a rule reads the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph.entry import Entry

if TYPE_CHECKING:
    from torch import Tensor


class Node(Entry):
    """An entry of the list that can be computed with: each operator appends an operation."""

    __slots__ = ("grad", "requires_grad")
    __array_ufunc__ = None  # lets numpy hand `array + node` to the node, which explains
    grad: Tensor | None
    """The gradient; None where no backward pass has come by."""
    requires_grad: bool
    """True if a gradient is computed for it."""

    @property
    def version(self) -> int:
        """How often the value was changed since it was computed, fed or made."""
        return 0

    def __add__(self, other: Node | float) -> Node:
        return ops.add(self, other)

    def __radd__(self, other: Node | float) -> Node:
        return ops.add(other, self)

    def __sub__(self, other: Node | float) -> Node:
        return ops.sub(self, other)

    def __rsub__(self, other: Node | float) -> Node:
        return ops.sub(other, self)

    def __mul__(self, other: Node | float) -> Node:
        return ops.mul(self, other)

    def __rmul__(self, other: Node | float) -> Node:
        return ops.mul(other, self)

    def __truediv__(self, other: Node | float) -> Node:
        return ops.div(self, other)

    def __rtruediv__(self, other: Node | float) -> Node:
        return ops.div(other, self)

    def __pow__(self, other: Node | float) -> Node:
        return ops.pow(self, other)

    def __rpow__(self, other: Node | float) -> Node:
        return ops.pow(other, self)

    def __matmul__(self, other: Node) -> Node:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Node) -> Node:
        return ops.matmul(other, self)

    def __neg__(self) -> Node:
        return ops.neg(self)

    def __abs__(self) -> Node:
        return ops.abs(self)

    def __gt__(self, other: Node | float) -> Node:
        return ops.gt(self, other)

    def __ge__(self, other: Node | float) -> Node:
        return ops.ge(self, other)

    def __lt__(self, other: Node | float) -> Node:
        return ops.lt(self, other)

    def __le__(self, other: Node | float) -> Node:
        return ops.le(self, other)

    def __and__(self, other: Node) -> Node:
        return ops.logical_and(self, other)

    def __iter__(self) -> NoReturn:
        raise GraphError(f"{self} cannot be iterated over: its values do not exist yet.")

    # Methods are the functions themselves: `x.sum(1)` is `ops.sum(x, 1)`.

    # arithmetic
    add = ops.add
    sub = ops.sub
    mul = ops.mul
    div = ops.div
    neg = ops.neg
    pow = ops.pow
    abs = ops.abs
    sign = ops.sign
    maximum = ops.maximum
    clamp = ops.clamp

    # functions and activations
    exp = ops.exp
    log = ops.log
    log1p = ops.log1p
    sqrt = ops.sqrt
    tanh = ops.tanh
    sigmoid = ops.sigmoid
    relu = ops.relu

    # comparison
    eq = ops.eq
    ne = ops.ne
    logical_and = ops.logical_and
    masked_fill = ops.masked_fill

    def where(self, condition: Node, other: Node | float) -> Node:
        """This one where the condition is true, else the other."""
        return ops.where(condition, self, other)

    # products and reductions
    matmul = ops.matmul
    sum = ops.sum
    mean = ops.mean

    # shapes
    reshape = ops.reshape
    reshape_as = ops.reshape_as
    transpose = ops.transpose
    permute = ops.permute
    unsqueeze = ops.unsqueeze
    squeeze = ops.squeeze
    expand = ops.expand
    expand_as = ops.expand_as

    @property
    def T(self) -> Node:  # noqa: N802 - torch's name
        """The transpose of a matrix."""
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Node:  # noqa: N802 - torch's name
        """The last two dimensions in each other's place."""
        return ops.transpose(self, -2, -1)

    def t(self) -> Node:
        """The transpose of a matrix."""
        return ops.transpose(self, 0, 1)

    def size(self, dim: int | None = None) -> Any:
        """All sizes, or one of them: a node where it is unknown until a tensor is fed."""
        return self.shape if dim is None else ops.size(self, dim)

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim
