"""The operators and tensor methods of a node, which the operations provide.

Names and argument order are those of `torch.Tensor`, so that a rule reads the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, overload

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph.entry import Entry, not_a_node
from graphnet.graph.methods import as_method

if TYPE_CHECKING:
    from torch import Tensor


class Node(Entry):
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
    add = as_method(ops.add)
    sub = as_method(ops.sub)
    mul = as_method(ops.mul)
    div = as_method(ops.div)
    neg = as_method(ops.neg)
    pow = as_method(ops.pow)
    abs = as_method(ops.abs)
    sign = as_method(ops.sign)
    maximum = as_method(ops.maximum)
    minimum = as_method(ops.minimum)
    clamp = as_method(ops.clamp)

    # functions and activations
    exp = as_method(ops.exp)
    expm1 = as_method(ops.expm1)
    log = as_method(ops.log)
    log1p = as_method(ops.log1p)
    sqrt = as_method(ops.sqrt)
    rsqrt = as_method(ops.rsqrt)
    square = as_method(ops.square)
    reciprocal = as_method(ops.reciprocal)
    sin = as_method(ops.sin)
    cos = as_method(ops.cos)
    erf = as_method(ops.erf)
    tanh = as_method(ops.tanh)
    sigmoid = as_method(ops.sigmoid)
    relu = as_method(ops.relu)
    softmax = as_method(ops.softmax)
    log_softmax = as_method(ops.log_softmax)

    # comparison
    eq = as_method(ops.eq)
    ne = as_method(ops.ne)
    gt = as_method(ops.gt)
    ge = as_method(ops.ge)
    lt = as_method(ops.lt)
    le = as_method(ops.le)
    bitwise_and = as_method(ops.bitwise_and)
    bitwise_or = as_method(ops.bitwise_or)
    bitwise_not = as_method(ops.bitwise_not)
    logical_and = as_method(ops.logical_and)
    logical_or = as_method(ops.logical_or)
    logical_not = as_method(ops.logical_not)
    masked_fill = as_method(ops.masked_fill)

    def where(self, condition: Node, other: Node | float) -> Node:
        """This node where the condition is true, else the other."""
        return ops.where(condition, self, other)

    @overload
    def max(self, dim: Node | None = None, keepdim: bool = False) -> Node: ...
    @overload
    def max(self, dim: int, keepdim: bool = False) -> tuple[Node, Node]: ...
    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The largest element, or with a dimension (values, indices): see `ops.max`."""
        return ops.max(self, dim, keepdim)

    @overload
    def min(self, dim: Node | None = None, keepdim: bool = False) -> Node: ...
    @overload
    def min(self, dim: int, keepdim: bool = False) -> tuple[Node, Node]: ...
    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The smallest element, or with a dimension (values, indices): see `ops.min`."""
        return ops.min(self, dim, keepdim)

    # products and reductions
    matmul = as_method(ops.matmul)
    mm = as_method(ops.mm)
    bmm = as_method(ops.bmm)
    addmm = as_method(ops.addmm)
    sum = as_method(ops.sum)
    mean = as_method(ops.mean)
    var = as_method(ops.var)
    std = as_method(ops.std)
    amax = as_method(ops.amax)
    amin = as_method(ops.amin)
    argmax = as_method(ops.argmax)
    argmin = as_method(ops.argmin)
    prod = as_method(ops.prod)
    cumsum = as_method(ops.cumsum)
    logsumexp = as_method(ops.logsumexp)
    norm = as_method(ops.norm)

    # shapes
    reshape = as_method(ops.reshape)
    reshape_as = as_method(ops.reshape_as)
    transpose = as_method(ops.transpose)
    permute = as_method(ops.permute)
    unsqueeze = as_method(ops.unsqueeze)
    squeeze = as_method(ops.squeeze)
    expand = as_method(ops.expand)
    expand_as = as_method(ops.expand_as)
    view = as_method(ops.view)
    flatten = as_method(ops.flatten)
    unflatten = as_method(ops.unflatten)
    tril = as_method(ops.tril)
    triu = as_method(ops.triu)

    # parts
    __getitem__ = as_method(ops.getitem)
    select = as_method(ops.select)
    narrow = as_method(ops.narrow)
    gather = as_method(ops.gather)
    index_select = as_method(ops.index_select)
    scatter_add = as_method(ops.scatter_add)
    split = as_method(ops.split)
    chunk = as_method(ops.chunk)
    unbind = as_method(ops.unbind)
    unfold = as_method(ops.sliding_windows)
    numel = as_method(ops.numel)

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

    @overload
    def size(self) -> tuple[int | None, ...]: ...
    @overload
    def size(self, dim: int) -> Any: ...
    def size(self, dim: int | None = None) -> Any:
        """All sizes, or one of them: a node if that size is unknown until a tensor is fed."""
        return self.shape if dim is None else ops.size(self, dim)

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim
