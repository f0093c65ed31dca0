"""Reductions of many elements to one, over all dimensions or over some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import EmptyBatchError, GraphError
from graphnet.op import Op, T
from graphnet.ops.broadcasting import count, expand_as, size
from graphnet.ops.dims import Dims, normal_dims, restore_dims
from graphnet.ops.dtypes import Convert, cast_to, narrowed, widened
from graphnet.validation import require_flag, require_numbers

if TYPE_CHECKING:
    from torch import Tensor, dtype

__all__ = ["mean", "mean_of_batch", "std", "sum", "var"]


def reduced_dims(x: Tensor | T, dim: Dims) -> tuple[int, ...]:
    """The dimensions of a reduction, counted from the front; all of them for None and for ().

    A scalar accepts the dimensions 0 and -1, as in torch, but has none to reduce.

    Raises:
        ShapeError: x has no such dimension, or one is named twice.
    """
    dims = normal_dims(x, None if dim in ((), []) else dim)
    return dims if x.ndim else ()


class Reduction(Op, abstract=True):
    """What makes one element of those along some dimensions."""

    dims: tuple[int, ...]
    keepdim: bool = False


class Sum(Reduction):
    """y = Σ x over some dimensions, so dy/dx = 1.  Shapes: (n, m) -> (n) for dims (1,)."""

    symbol = "Σ"

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return expand_as(restore_dims(grad, self.dims, self.keepdim), x_like)


def sum(input: T, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None) -> T:
    """The sum of the elements of the input, of all of them or along the given dimensions.

    With a `dtype` the input is converted first.

    Raises:
        ShapeError: the input has no such dimension.

    >>> from torch import empty
    >>> sum(empty(2, 3).fill_(1), dim=1)
    tensor([3., 3.])
    """
    return Sum(reduced_dims(input, dim), keepdim)(cast_to(input, dtype))


class Mean(Reduction):
    """y = Σ x / n over some dimensions of n elements, so dy/dx = 1 / n.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "mean"
    nonempty: bool = False
    """True for a loss: then the mean over no elements is an error, not NaN."""

    def forward(self, x: Tensor) -> Tensor:
        if self.nonempty and not x.numel():
            raise EmptyBatchError(
                "the mean over an empty batch does not exist; feed at least one row"
            )
        return x.mean(self.dims, self.keepdim)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        for dim in self.dims:
            grad = grad / count(x_like, dim)
        return expand_as(restore_dims(grad, self.dims, self.keepdim), x_like)


def mean(input: T, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None) -> T:
    """The mean of the elements of the input, of all of them or along the given dimensions.

    With a `dtype` the input is converted first.

    Raises:
        ShapeError: the input has no such dimension.

    >>> from torch import empty
    >>> mean(empty(2, 3).fill_(4))
    tensor(4.)
    """
    return Mean(reduced_dims(input, dim), keepdim)(cast_to(input, dtype))


def mean_of_batch(input: T) -> T:
    """The mean of all elements, of which there must be at least one: what a loss averages.

    Raises:
        EmptyBatchError: the input has no elements.

    >>> from torch import empty
    >>> mean_of_batch(empty(2, 3).fill_(4))
    tensor(4.)
    """
    return Mean(reduced_dims(input, None), nonempty=True)(input)


class Var(Op):
    """y = Σ (x - mean x)² / (n - c) over n elements, so dy/dx = 2 (x - mean x) / (n - c).

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "var"
    dims: tuple[int, ...]
    correction: float = 1
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        return x.var(self.dims, correction=self.correction, keepdim=self.keepdim)

    def trial(self, x: Tensor) -> Tensor:
        return x.sum(self.dims, self.keepdim)  # torch warns about the variance of one number

    def grad_x(self, grad: Tensor, x: Tensor) -> Tensor:
        # float16 holds no count above 65,504.
        twice = widened((x - x.mean(self.dims, True)) * 2)
        slope = narrowed(twice / self.divisor(twice), x)
        dx: Tensor = restore_dims(grad, self.dims, self.keepdim) * slope
        return dx

    def divisor(self, x: Any) -> Any:
        """The number of elements of each variance, less the correction."""
        number: Any = 1
        for dim in self.dims:
            number = number * size(x, dim)
        if self.correction == int(self.correction):
            return number - int(self.correction)
        if not isinstance(number, int):  # an integer node
            number = Convert(x.dtype)(number)
        return number - self.correction


class Std(Op):
    """y = √ var x, so dy/dx = d(var x)/dx / 2y, and 0 at the kink y = 0.

    Shapes: (n, m) -> (n) for dims (1,).
    """

    symbol = "std"
    dims: tuple[int, ...]
    correction: float = 1
    keepdim: bool = False
    trial = Var.trial

    def forward(self, x: Tensor) -> Tensor:
        return x.std(self.dims, correction=self.correction, keepdim=self.keepdim)

    def grad_x(self, grad: Tensor, x: Tensor, top: Tensor) -> Tensor:
        of_variance = (grad / (top * 2)).masked_fill(top.eq(0), 0.0)
        return Var(self.dims, self.correction, self.keepdim).grad_x(of_variance, x)


def var(
    input: T,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> T:
    """The variance of the elements of the input, of all of them or along the given dimensions.

    The sum of squares is divided by n - correction; `correction` defaults to 1, and
    `unbiased=False` means 0.

    Raises:
        ShapeError: the input has no such dimension.
        GraphError: both `unbiased` and `correction` are given.

    >>> from torch import empty
    >>> var(empty(2, 3).fill_(1), dim=1)
    tensor([0., 0.])
    """
    return Var(*_options("var", input, dim, unbiased, correction), keepdim)(input)


def std(
    input: T,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> T:
    """The standard deviation of the elements: the square root of `var` with the same arguments.

    Where it is 0 its derivative is 0, as in torch.

    Raises:
        ShapeError: the input has no such dimension.
        GraphError: both `unbiased` and `correction` are given.

    >>> from torch import empty
    >>> std(empty(2, 3).fill_(1), dim=1)
    tensor([0., 0.])
    """
    return Std(*_options("std", input, dim, unbiased, correction), keepdim)(input)


def _options(
    name: str, x: Any, dim: Any, unbiased: Any, correction: Any
) -> tuple[tuple[int, ...], float]:
    """The dimensions and the correction; torch takes `var(False)` for `var(unbiased=False)`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise GraphError(f"{name}: give unbiased={unbiased} or correction={correction}, not both.")
    unbiased = True if unbiased is None else require_flag("unbiased", unbiased)
    correction = int(unbiased) if correction is None else correction
    require_numbers(correction=correction)
    return reduced_dims(x, dim), correction
