"""The operators and tensor methods of a node, which the operations provide.

Names and argument order are those of `torch.Tensor`, so that a rule reads the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph.entry import Entry, not_a_node

if TYPE_CHECKING:
    from torch import Tensor


class Node(Entry):
    """An entry of the list to compute with: each operator appends an operation."""

    __slots__ = ("grad", "requires_grad")
    __array_ufunc__ = None  # lets numpy pass `array + node` to the node, which explains
    grad: Tensor | None
    """The gradient; None if no backward pass has reached the node."""
    requires_grad: bool
    """True if its gradient is computed."""

    @property
    def version(self) -> object:
        """A value that changes whenever the value of an input or a parameter does."""
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

    def __floordiv__(self, other: Node | float) -> Node:
        return ops.div(self, other, rounding_mode="floor")

    def __rfloordiv__(self, other: Node | float) -> Node:
        return ops.div(other, self, rounding_mode="floor")

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

    def __and__(self, other: Node | int) -> Node:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Node | int) -> Node:
        return ops.bitwise_and(self, other)

    def __or__(self, other: Node | int) -> Node:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Node | int) -> Node:
        return ops.bitwise_or(self, other)

    def __invert__(self) -> Node:
        return ops.bitwise_not(self)

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
    minimum = ops.minimum
    clamp = ops.clamp

    # functions and activations
    exp = ops.exp
    expm1 = ops.expm1
    log = ops.log
    log1p = ops.log1p
    sqrt = ops.sqrt
    rsqrt = ops.rsqrt
    square = ops.square
    reciprocal = ops.reciprocal
    sin = ops.sin
    cos = ops.cos
    erf = ops.erf
    tanh = ops.tanh
    sigmoid = ops.sigmoid
    relu = ops.relu
    softmax = ops.softmax
    log_softmax = ops.log_softmax

    # comparison
    eq = ops.eq
    ne = ops.ne
    gt = ops.gt
    ge = ops.ge
    lt = ops.lt
    le = ops.le
    bitwise_and = ops.bitwise_and
    bitwise_or = ops.bitwise_or
    bitwise_not = ops.bitwise_not
    logical_and = ops.logical_and
    logical_or = ops.logical_or
    logical_not = ops.logical_not
    masked_fill = ops.masked_fill

    def where(self, condition: Node, other: Node | float) -> Node:
        """This node where the condition is true, else the other."""
        return ops.where(condition, self, other)

    # products and reductions
    matmul = ops.matmul
    mm = ops.mm
    bmm = ops.bmm
    addmm = ops.addmm
    sum = ops.sum
    mean = ops.mean
    var = ops.var
    std = ops.std
    amax = ops.amax
    amin = ops.amin
    max = ops.max
    min = ops.min
    argmax = ops.argmax
    argmin = ops.argmin
    prod = ops.prod
    cumsum = ops.cumsum
    logsumexp = ops.logsumexp
    norm = ops.norm

    # shapes
    reshape = ops.reshape
    reshape_as = ops.reshape_as
    transpose = ops.transpose
    permute = ops.permute
    unsqueeze = ops.unsqueeze
    squeeze = ops.squeeze
    expand = ops.expand
    expand_as = ops.expand_as
    view = ops.view
    flatten = ops.flatten
    unflatten = ops.unflatten
    tril = ops.tril
    triu = ops.triu

    # parts
    __getitem__ = ops.getitem
    select = ops.select
    narrow = ops.narrow
    gather = ops.gather
    index_select = ops.index_select
    scatter_add = ops.scatter_add
    split = ops.split
    chunk = ops.chunk
    unbind = ops.unbind
    unfold = ops.sliding_windows
    numel = ops.numel

    @property
    def T(self) -> Node:  # noqa: N802 - torch's name
        """The transpose of a matrix."""
        return ops.permute(self, *reversed(range(self.ndim)))

    @property
    def mT(self) -> Node:  # noqa: N802 - torch's name
        """The node with its last two dimensions swapped."""
        return ops.transpose(self, -2, -1)

    def t(self) -> Node:
        """The transpose of a matrix."""
        return ops.transpose(self, 0, 1)

    def size(self, dim: int | None = None) -> Any:
        """All sizes, or one of them: a node if that size is unknown until a tensor is fed."""
        return self.shape if dim is None else ops.size(self, dim)

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim
