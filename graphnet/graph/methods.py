"""The operators and methods of a tensor, for whatever an op can be applied to.

A rule is written once, with these; names and argument order are those of `torch.Tensor`. Each is
the function of `graphnet.ops` itself, so all that a symbol adds is `apply`, which tells what an
operation on it becomes: a node of a list, a new value in a place, a part of a pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, TypeVar, cast, overload

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.graph.casts import CastMethods
from graphnet.graph.entry import not_a_node

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate

    from graphnet.graph.node import Node
    from graphnet.ops.selected import Selected

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


def reflected(function: Callable[[Any, Node], Node]) -> Callable[[Node, Node | float], Node]:
    """A function of two as a method of the second: the subtraction of `1 - x`."""

    def method(self: Node, other: Node | float) -> Node:
        if hasattr(other, "__array_interface__") and not isinstance(other, float):
            raise GraphError(not_a_node(function.__name__, other))
        return function(other, self)

    return method


def floor_divide(input: Node | float, other: Node | float) -> Node:
    """The quotient rounded down, as Python's // does."""
    return ops.div(input, other, rounding_mode="floor")


class TensorMethods(CastMethods):
    """The operators and methods of a tensor, on a symbol; a subclass has `apply`.

    They give what `apply` gives: a node for nodes, which is what type checkers are told.

    >>> class Text(TensorMethods):
    ...     def __init__(self, text):
    ...         self.text = text
    ...     def apply(self, op, arguments):
    ...         texts = [getattr(each, "text", str(each)) for each in arguments]
    ...         return Text(f"{op.name}({', '.join(texts)})")
    >>> y = Text("y")
    >>> (1 - y.tanh() * y).text
    'sub(1, mul(tanh(y), y))'
    """

    __slots__ = ()

    # operators, and the methods of the same name
    __add__ = add = as_method(ops.add)
    __sub__ = sub = as_method(ops.sub)
    __mul__ = mul = as_method(ops.mul)
    __truediv__ = div = as_method(ops.div)
    __floordiv__ = as_method(floor_divide)
    __pow__ = pow = as_method(ops.pow)
    __matmul__ = matmul = as_method(ops.matmul)
    __neg__ = neg = as_method(ops.neg)
    __radd__ = as_method(reflected(ops.add))
    __rsub__ = as_method(reflected(ops.sub))
    __rmul__ = as_method(reflected(ops.mul))
    __rtruediv__ = as_method(reflected(ops.div))
    __rfloordiv__ = as_method(reflected(floor_divide))
    __rpow__ = as_method(reflected(ops.pow))
    __rmatmul__ = as_method(reflected(ops.matmul))
    __gt__ = gt = as_method(ops.gt)
    __ge__ = ge = as_method(ops.ge)
    __lt__ = lt = as_method(ops.lt)
    __le__ = le = as_method(ops.le)
    __and__ = __rand__ = bitwise_and = as_method(ops.bitwise_and)
    __or__ = __ror__ = bitwise_or = as_method(ops.bitwise_or)
    __invert__ = bitwise_not = as_method(ops.bitwise_not)

    def __abs__(self: Any) -> Node:
        return cast("Node", ops.abs(self))

    def __bool__(self) -> NoReturn:
        raise GraphError(
            "A rule is one formula for all values, so it cannot ask whether one is true. To choose "
            "between two values, use ops.where."
        )

    # arithmetic
    abs = as_method(ops.abs)
    sign = as_method(ops.sign)
    maximum = as_method(ops.maximum)
    minimum = as_method(ops.minimum)
    clamp = as_method(ops.clamp)
    floor = as_method(ops.floor)
    ceil = as_method(ops.ceil)
    trunc = as_method(ops.trunc)
    round = as_method(ops.round)
    detach = as_method(ops.detach)

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
    tan = as_method(ops.tan)
    asin = as_method(ops.asin)
    acos = as_method(ops.acos)
    atan = as_method(ops.atan)
    atan2 = as_method(ops.atan2)
    sinh = as_method(ops.sinh)
    cosh = as_method(ops.cosh)
    asinh = as_method(ops.asinh)
    acosh = as_method(ops.acosh)
    atanh = as_method(ops.atanh)
    erf = as_method(ops.erf)
    tanh = as_method(ops.tanh)
    sigmoid = as_method(ops.sigmoid)
    relu = as_method(ops.relu)
    softmax = as_method(ops.softmax)
    log_softmax = as_method(ops.log_softmax)

    # comparison
    eq = as_method(ops.eq)
    ne = as_method(ops.ne)
    logical_and = as_method(ops.logical_and)
    logical_or = as_method(ops.logical_or)
    logical_not = as_method(ops.logical_not)
    masked_fill = as_method(ops.masked_fill)

    def where(self: Any, condition: Node, other: Node | float) -> Node:
        """This one where the condition is true, else the other."""
        return cast("Node", ops.where(condition, self, other))

    @overload
    def max(self: Any, dim: Node | None = None, keepdim: bool = False) -> Node: ...
    @overload
    def max(self: Any, dim: int, keepdim: bool = False) -> Selected[Node]: ...
    def max(self: Any, dim: Any = None, keepdim: bool = False) -> Any:
        """The largest element, or with a dimension (values, indices): see `ops.max`."""
        return ops.max(self, dim, keepdim)

    @overload
    def min(self: Any, dim: Node | None = None, keepdim: bool = False) -> Node: ...
    @overload
    def min(self: Any, dim: int, keepdim: bool = False) -> Selected[Node]: ...
    def min(self: Any, dim: Any = None, keepdim: bool = False) -> Any:
        """The smallest element, or with a dimension (values, indices): see `ops.min`."""
        return ops.min(self, dim, keepdim)

    # products and reductions
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
    flip = as_method(ops.flip)
    roll = as_method(ops.roll)
    repeat = as_method(ops.repeat)
    repeat_interleave = as_method(ops.repeat_interleave)
    diagonal = as_method(ops.diagonal)
    sort = as_method(ops.sort)
    argsort = as_method(ops.argsort)
    topk = as_method(ops.topk)

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
    def T(self: Any) -> Node:  # noqa: N802 - torch's name
        """The transpose of a matrix."""
        return cast("Node", ops.permute(self, *reversed(range(self.ndim))))

    @property
    def mT(self: Any) -> Node:  # noqa: N802 - torch's name
        """The tensor with its last two dimensions swapped."""
        return cast("Node", ops.transpose(self, -2, -1))

    def t(self: Any) -> Node:
        """The transpose of a matrix."""
        return cast("Node", ops.transpose(self, 0, 1))

    @overload
    def size(self: Any) -> tuple[int | None, ...]: ...
    @overload
    def size(self: Any, dim: int) -> Any: ...
    def size(self: Any, dim: int | None = None) -> Any:
        """All sizes, or one of them: a node if that size is unknown until a tensor is fed."""
        return self.shape if dim is None else ops.size(self, dim)

    def dim(self: Any) -> int:
        """The number of dimensions."""
        return cast("int", self.ndim)
