"""What normalization needs beyond arithmetic: the training mode, and running statistics.

`Remember` and `CountUp` are the only operations that write to a parameter, and only to a buffer.
They return what the output is computed from, so that a walk to the output never skips them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

from graphnet.errors import GraphError, ShapeError, shape_text
from graphnet.op import TRAINING, Op, Structural, Symbolic, T, View
from graphnet.ops.arguments import require_floating
from graphnet.ops.broadcasting import numel, zeros_like
from graphnet.ops.dims import described, require_tensors
from graphnet.ops.dtypes import narrowed, widened
from graphnet.validation import require_flags

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["choose"]


class Choose(Structural):
    """z = x in training, else y; the gradient flows back to the chosen one.

    Shapes: (n, m) and any that expands to it -> (n, m).
    """

    symbol = "mode"
    broadcasts = True

    def forward(self, x: Tensor, y: Tensor, training: bool) -> Tensor:
        # A copy, since y may be a buffer that a later walk changes.
        return x if training else y.expand_as(x).clone()

    def grad_x(self, grad: Tensor, training: bool) -> Tensor:
        return choose(grad, zeros_like(grad), training)

    def grad_y(self, grad: Tensor, training: bool) -> Tensor:
        return choose(zeros_like(grad), grad, training)

    grad_training = None


def training_mode(x: Any, training: bool | None, otherwise: bool) -> Any:
    """The fixed mode if there is one, else the graph's; for tensors, `otherwise`.

    Raises:
        GraphError: it is fixed, but neither to True nor to False.
    """
    if training is not None:
        require_flags(training=training)
        return training
    return TRAINING if isinstance(x, Symbolic) else otherwise


def choose(x: T, y: T, training: Any) -> T:
    """x in training, else y; for nodes `training` may follow the graph: `graphnet.op.TRAINING`.

    >>> from torch import empty
    >>> choose(empty(2).fill_(3), empty(2).fill_(4), False)
    tensor([4., 4.])
    """
    return Choose()(x, y, training)


class Remembering(Op, abstract=True):
    """What passes a statistic on, and moves a buffer towards it in training: b ← (1 - m) b + m x.

    x is the mean of some values; several rows are averaged first. A variance is first made
    unbiased: times n / (n - 1) for n values each. If the momentum m is None, it is 1 / batches, so
    that b is the average over all batches.
    """

    symbol = "keep"
    mutates = True
    mixes_dtypes = True  # statistics are float32 if the buffer is shorter
    momentum: float | None = 0.1
    unbiased: bool = False

    def moved_by(self, x: Any, buffer: Any, factor: Any, batches: Any) -> Any:
        """The buffer after a statistic, as a new tensor or node; a variance times `factor`."""
        new = x.reshape(-1, numel(buffer)).mean(0)
        if self.unbiased:
            new = new * factor
        kept: Any = widened(buffer)
        change = new - kept
        moved = kept + (change / batches if self.momentum is None else change * self.momentum)
        return narrowed(moved, buffer)


class Remember(Remembering):
    """y = x, the mean of values of this process; in training, the buffer moves towards it.

    Shapes: (..., channels, 1, 1), (channels), any, (), () -> (..., channels, 1, 1).
    """

    def forward(
        self, x: Tensor, buffer: Tensor, values_like: Tensor, batches: Any, training: bool
    ) -> Tensor:
        if training and values_like.numel():
            # `data` shares the values but not the count of writes, so no walk becomes stale.
            buffer.data.copy_(self.moved(x, buffer, values_like, batches))
        return x

    def moved(self, x: T, buffer: T, values_like: T, batches: Any) -> T:
        """The buffer after these values, as a new tensor or node."""
        count = numel(values_like) // numel(x)
        factor = count / max(count - 1, 1) if self.unbiased else 1
        return cast("T", self.moved_by(x, buffer, factor, batches))

    def trial(
        self, x: Tensor, buffer: Tensor, values_like: Tensor, batches: Any, training: bool
    ) -> Tensor:
        return x

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    grad_buffer = grad_batches = grad_training = None


class CountUp(Op):
    """y = the number in a buffer, which each walk in training increases by one.

    Shapes: (), any -> ().
    """

    symbol = "n+1"
    mutates = True

    def forward(self, count: Tensor, x_like: Tensor, training: bool) -> Tensor:
        if training:
            count.data.add_(1)
        return count.clone()

    def trial(self, count: Tensor, x_like: Tensor, training: bool) -> Tensor:
        return count.clone()

    grad_count = grad_training = None


class Column(View):
    """One number for each channel, in a shape that broadcasts along the channels of x.

    Shapes: (channels), (n, channels, ...) -> (channels, 1, ...).
    """

    symbol = "column"

    def forward(self, values: Tensor, x_like: Tensor) -> Tensor:
        refuse_sizes(values, (x_like.size(1),))
        return self.trial(values, x_like)

    def trial(self, values: Tensor, x_like: Tensor) -> Tensor:
        return values.reshape(-1, *[1] * (x_like.ndim - 2))

    def grad_values(self, grad: Tensor, values_like: Tensor) -> Tensor:
        return grad.reshape_as(values_like)


class Several(View):
    """y = x, refused in training if there is only one value over some dimensions.

    With `refused=0` it is refused if there is none.  Shapes: any.
    """

    symbol = "n>1"
    dims: tuple[int, ...]
    refused: int = 1

    def forward(self, x: Tensor, training: bool) -> Tensor:
        if training and prod(x.size(dim) for dim in self.dims) == self.refused:
            raise ShapeError(
                "in training, a normalization needs more than one value to average over, since one "
                f"value has no variance; got the shape {shape_text(tuple(x.shape))}. Feed a "
                "larger batch, or switch to evaluation: graph.eval(), module.eval()"
            )
        return x

    def trial(self, x: Tensor, training: bool) -> Tensor:
        return x

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    grad_training = None


def several(x: T, dims: tuple[int, ...], training: Any, refused: int = 1) -> T:
    """x, with a check for more than one value over `dims` unless that is already known."""
    sizes = [x.shape[dim] for dim in dims]
    known = [size for size in sizes if size is not None]
    if training is False or (len(known) == len(sizes) and prod(known) != refused):
        return x
    return Several(dims, refused)(x, training)


class Sized(View):
    """y = x, refused unless it has the given sizes; None is any.

    Shapes: the given sizes -> the same.
    """

    symbol = "sizes"
    sizes: tuple[int | None, ...]

    def forward(self, x: Tensor) -> Tensor:
        refuse_sizes(x, self.sizes)
        return x

    def trial(self, x: Tensor) -> Tensor:
        # The sizes are known from here on.
        sizes = [b if a is None else a for a, b in zip(self.sizes, x.shape, strict=True)]
        return x.new_zeros(()).expand(sizes)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return SizedAs()(grad, x_like)


class SizedAs(View):
    """y = x, refused unless it has the shape of the other tensor.  Shapes: (n), (n) -> (n)."""

    symbol = "sizes"

    def forward(self, x: Tensor, other_like: Tensor) -> Tensor:
        refuse_sizes(x, other_like.shape)
        return x

    def trial(self, x: Tensor, other_like: Tensor) -> Tensor:
        # Each may know sizes that the other does not know until it is fed.
        return x.new_zeros(()).expand_as(other_like)

    def grad_x(self, grad: Tensor, x_like: Tensor) -> Tensor:
        return SizedAs()(grad, x_like)


def sized(x: T, sizes: tuple[int | None, ...]) -> T:
    """x, checked to have these sizes, now or when unknown sizes become known.

    Raises:
        ShapeError: x has other sizes.
    """
    refuse_sizes(x, sizes)
    open_sizes = [a for a, b in zip(sizes, x.shape, strict=True) if b is None and a is not None]
    return Sized(sizes)(x) if open_sizes else x


def refuse_sizes(x: Any, sizes: Sequence[int | None], name: str = "a normalization") -> None:
    """Refuse a tensor or node whose sizes, as far as they are known, differ from the given ones."""
    if x.ndim != len(sizes) or any(
        None not in (a, b) and a != b for a, b in zip(sizes, x.shape, strict=True)
    ):
        raise ShapeError(f"{name} needs the sizes {shape_text(sizes)}; got {described(x)}.")


def with_channels(name: str, x: T, *vectors: Any) -> tuple[T, list[Any]]:
    """x and vectors, checked to have one number for each channel of x; None stays None.

    Raises:
        ShapeError: the numbers differ, or x has no channels.
        DtypeError: the dtypes differ, or are not floating-point.
    """
    require_floating(name, x, optional=vectors)
    refuse_few_dims(name, x, 2)
    lines: list[Any] = [each for each in vectors if each is not None]
    for each in lines:
        refuse_sizes(each, (None,))
    known = [size for size in (x.shape[1], *(each.shape[0] for each in lines)) if size is not None]
    channels = known[0] if known else None
    x = sized(x, (None, channels, *[None] * (x.ndim - 2)))
    return x, [each if each is None else sized(each, (channels,)) for each in vectors]


def refuse_few_dims(name: str, x: Any, least: int) -> None:
    """Refuse a tensor or node with fewer dimensions than a function takes."""
    if x.ndim < least:
        raise ShapeError(f"{name} takes at least {least} dimensions; got {described(x)}.")


def require_buffer(node: Any, written: bool) -> None:
    """Refuse to write to a node that is not a buffer, but fed, computed or learned."""
    require_tensors("a running statistic", node)
    if written and isinstance(node, Symbolic) and not getattr(node, "is_buffer", False):
        raise GraphError(
            f"{node} would be written in training, so it must be a buffer: "
            "graph.parameter(tensor, requires_grad=False)."
        )
