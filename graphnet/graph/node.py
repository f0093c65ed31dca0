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

    from graphnet.ops.dims import Dims


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

    # arithmetic

    def add(self, other: Node | float) -> Node:
        """The sum of both."""
        return ops.add(self, other)

    def sub(self, other: Node | float) -> Node:
        """The difference of both."""
        return ops.sub(self, other)

    def mul(self, other: Node | float) -> Node:
        """The product of both, element by element."""
        return ops.mul(self, other)

    def div(self, other: Node | float) -> Node:
        """The quotient of both, element by element."""
        return ops.div(self, other)

    def neg(self) -> Node:
        """The same with the other sign."""
        return ops.neg(self)

    def pow(self, exponent: Node | float) -> Node:
        """Each element to the power of the exponent."""
        return ops.pow(self, exponent)

    def abs(self) -> Node:
        """The absolute value of each element."""
        return ops.abs(self)

    def sign(self) -> Node:
        """The sign of each element."""
        return ops.sign(self)

    def maximum(self, other: Node) -> Node:
        """The larger of both, element by element."""
        return ops.maximum(self, other)

    def clamp(self, min: float | None = None, max: float | None = None) -> Node:
        """Each element kept between two bounds."""
        return ops.clamp(self, min, max)

    # functions and activations

    def exp(self) -> Node:
        """e to the power of each element."""
        return ops.exp(self)

    def log(self) -> Node:
        """The natural logarithm of each element."""
        return ops.log(self)

    def log1p(self) -> Node:
        """The natural logarithm of 1 plus each element."""
        return ops.log1p(self)

    def sqrt(self) -> Node:
        """The square root of each element."""
        return ops.sqrt(self)

    def tanh(self) -> Node:
        """The hyperbolic tangent of each element."""
        return ops.tanh(self)

    def sigmoid(self) -> Node:
        """The logistic function of each element."""
        return ops.sigmoid(self)

    def relu(self) -> Node:
        """Each element where it is positive, else 0."""
        return ops.relu(self)

    # comparison

    def eq(self, other: Node | float) -> Node:
        """Where both are equal; `==` asks whether two nodes are one object."""
        return ops.eq(self, other)

    def ne(self, other: Node | float) -> Node:
        """Where both differ."""
        return ops.ne(self, other)

    def logical_and(self, other: Node) -> Node:
        """Where both are true."""
        return ops.logical_and(self, other)

    def where(self, condition: Node, other: Node | float) -> Node:
        """This one where the condition is true, else the other."""
        return ops.where(condition, self, other)

    def masked_fill(self, mask: Node, value: float) -> Node:
        """A number in every place where the mask is true."""
        return ops.masked_fill(self, mask, value)

    # products and reductions

    def matmul(self, other: Node) -> Node:
        """The matrix product of both."""
        return ops.matmul(self, other)

    def sum(self, dim: Dims = None, keepdim: bool = False) -> Node:
        """The sum of the elements, of all or along dimensions."""
        return ops.sum(self, dim, keepdim)

    def mean(self, dim: Dims = None, keepdim: bool = False) -> Node:
        """The mean of the elements, of all or along dimensions."""
        return ops.mean(self, dim, keepdim)

    # shapes

    @property
    def T(self) -> Node:  # noqa: N802 - torch's name
        """The transpose of a matrix."""
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Node:  # noqa: N802 - torch's name
        """The last two dimensions in each other's place."""
        return ops.transpose(self, -2, -1)

    def size(self, dim: int | None = None) -> Any:
        """All sizes, or one of them: a node where it is unknown until a tensor is fed."""
        return self.shape if dim is None else ops.size(self, dim)

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    def reshape(self, *shape: int | tuple[int, ...]) -> Node:
        """The same elements in another shape."""
        return ops.reshape(self, *shape)

    def reshape_as(self, other: Node) -> Node:
        """The same elements in the shape of another node."""
        return ops.reshape_as(self, other)

    def transpose(self, dim0: int, dim1: int) -> Node:
        """Two dimensions change places."""
        return ops.transpose(self, dim0, dim1)

    def t(self) -> Node:
        """The transpose of a matrix."""
        return ops.transpose(self, 0, 1)

    def permute(self, *dims: int | tuple[int, ...]) -> Node:
        """The dimensions in another order."""
        return ops.permute(self, *dims)

    def unsqueeze(self, dim: int) -> Node:
        """A new dimension of size 1."""
        return ops.unsqueeze(self, dim)

    def squeeze(self, dim: Dims = None) -> Node:
        """Dimensions of size 1 taken away."""
        return ops.squeeze(self, dim)

    def expand(self, *sizes: int | tuple[int, ...]) -> Node:
        """Sizes of 1 repeated."""
        return ops.expand(self, *sizes)

    def expand_as(self, other: Node) -> Node:
        """Sizes of 1 repeated to the shape of another node."""
        return ops.expand_as(self, other)
