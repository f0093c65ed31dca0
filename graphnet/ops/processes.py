"""Sums over several processes, each of which holds some rows of a batch.

Inside `synchronized`, what is appended takes its statistics from the rows of all processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from math import prod
from typing import TYPE_CHECKING, Any, Protocol, cast

from graphnet.errors import ShapeError
from graphnet.op import Op, T
from graphnet.ops.dims import require_tensors
from graphnet.ops.running import Remembering, training_mode

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["all_reduce"]


class Processes(Protocol):
    """Several processes, each with a tensor of the same shape: see `graphnet.distributed`."""

    def all_reduce(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The sum of the tensors of all processes, as a new tensor, or in a given one."""
        ...

    def apart(self, whole: bool = False) -> AbstractContextManager[None]:
        """Inside, this process does not wait for the others: its own tensor is the sum."""
        ...

    @property
    def is_apart(self) -> bool:
        """True inside `apart`, except if this process takes its rows for the whole batch."""
        ...


class SumAcross(Op, abstract=True):
    """The sum over all processes in training.

    What is made smaller is the sum of the losses of all processes, and all of them read y; so the
    gradient of x is the sum of all gradients of y.
    """

    symbol = "all Σ"
    group: Processes

    def grad_x(self, grad: Tensor, training: bool) -> Tensor:
        return AllReduce(self.group)(grad, training)


class AllReduce(SumAcross):
    """y = Σ x over all processes in training, else x.  Shapes: any -> the same."""

    pure = False  # it waits for others

    def forward(self, x: Tensor, training: bool) -> Tensor:
        return self.group.all_reduce(x) if training else x

    def trial(self, x: Tensor, training: bool) -> Tensor:
        return x.clone()

    grad_training = None


class CountedAllReduce(SumAcross):
    """The same for sums of values, of which x[-1] is the number; refused if that is 1 in all.

    All processes refuse it at the same place, so that none waits for the others. The number is read
    only where it may be 1: where this process has no more values than that.
    Shapes: (c), any -> (c).
    """

    pure = False
    dims: tuple[int, ...] = (0,)

    def forward(self, x: Tensor, values_like: Tensor, training: bool) -> Tensor:
        if not training:
            return x
        few = self.has_few(values_like.shape)
        return self.refusing(x) if few else self.group.all_reduce(x)

    def trial(self, x: Tensor, values_like: Tensor, training: bool) -> Tensor:
        return x.clone()

    def has_few(self, shape: Sequence[int]) -> bool:
        """True if this process has one value over the dimensions, or none."""
        return prod(shape[dim] for dim in self.dims) <= 1

    def refusing(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """The sum, as a new tensor or in a given one.

        Raises:
            ShapeError: there is one value in all processes together.
        """
        total = self.group.all_reduce(x, out)
        if total[-1] == 1 and not self.group.is_apart:
            raise ShapeError(
                "in training, a normalization needs more than one value to average over, since one "
                "value has no variance; got one in all processes together. Feed a larger batch, or "
                "switch to evaluation: graph.eval(), module.eval()"
            )
        return total

    grad_training = None


def all_reduce(input: T, group: Processes, training: bool | None = None) -> T:
    """The sum of the inputs of all processes, which each of them gets.

    Every process of the group makes the same call. Outside training it is the input itself;
    `training=None` follows the graph, and for tensors it is True.
    Shapes: any, the same in all processes.

    Raises:
        ProcessError: another process has ended, or does not come.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> all_reduce(empty(2).fill_(3), gn.distributed.join())  # a group of one
    tensor([3., 3.])
    """
    require_tensors("all_reduce", input)
    return AllReduce(group)(input, training_mode(input, training, otherwise=True))


class RememberAcross(Remembering):
    """y = x, the mean of `count` values of all processes; in training, the buffer moves towards it.

    Shapes: (1, channels, 1, 1), (channels), (), (), () -> (1, channels, 1, 1).
    """

    def forward(
        self, x: Tensor, buffer: Tensor, count: Tensor, batches: Any, training: bool
    ) -> Tensor:
        if training:
            buffer.data.copy_(self.moved(x, buffer, count, batches))
        return x

    def moved(self, x: T, buffer: T, count: T, batches: Any) -> T:
        """The buffer after these values, as a new tensor or node."""
        known: Any = count
        return cast("T", self.moved_by(x, buffer, known / (known - 1).clamp(min=1), batches))

    def trial(
        self, x: Tensor, buffer: Tensor, count: Tensor, batches: Any, training: bool
    ) -> Tensor:
        return x

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad

    grad_buffer = grad_count = grad_batches = grad_training = None


_SYNCHRONIZED: ContextVar[Processes | None] = ContextVar("synchronized", default=None)


@contextmanager
def synchronized(group: Processes | None) -> Iterator[None]:
    """Inside, batch norms are appended that take their statistics from the rows of all processes.

    With None they take those of the rows of this process, as outside.
    """
    token = _SYNCHRONIZED.set(group)
    try:
        yield
    finally:
        _SYNCHRONIZED.reset(token)


def synchronizing() -> Any:
    """The processes whose rows count in what is appended now; None for this one alone."""
    return _SYNCHRONIZED.get()
