"""Elements in another order, or several times: flip, roll, repeat, repeat_interleave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import GraphError, ShapeError
from graphnet.op import Structural, T
from graphnet.ops.broadcasting import expand
from graphnet.ops.dims import TENSOR, described, normal_dim, normal_dims, unpacked
from graphnet.ops.gathering import index_select
from graphnet.ops.shapes import flatten, reshape, unsqueeze
from graphnet.validation import require_integer, require_integers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["flip", "repeat", "repeat_interleave", "roll"]


class Flip(Structural):
    """The elements in reverse order along some dimensions; so is the gradient.  Shapes: any."""

    symbol = "flip"
    dims: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(self.dims)

    def grad_x(self, grad: Tensor) -> Tensor:
        return Flip(self.dims)(grad)


def flip(input: T, *dims: int | Sequence[int]) -> T:
    """The elements of the input in reverse order along the given dimensions.

    Raises:
        ShapeError: the input has no such dimension, or one is named twice.

    >>> from torch import empty
    >>> flip(empty(3).long().fill_(1).cumsum(0), 0)
    tensor([3, 2, 1])
    """
    named = normal_dims(input, unpacked(dims))
    return Flip(named if input.ndim else ())(input)


class Roll(Structural):
    """Elements moved along dimensions, in a circle; the gradient moves back.  Shapes: any."""

    symbol = "roll"
    shifts: tuple[int, ...]
    dims: tuple[int, ...]

    def forward(self, x: Tensor) -> Tensor:
        return x.roll(self.shifts, self.dims)

    def grad_x(self, grad: Tensor) -> Tensor:
        return Roll(tuple(-shift for shift in self.shifts), self.dims)(grad)


def roll(input: T, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> T:
    """The elements of the input, moved along dimensions; what leaves at the end returns in front.

    Args:
        input: any shape.
        shifts: how far, for each of the dimensions; a negative number moves to the front.
        dims: the dimensions; None to roll all elements as one row.

    Raises:
        ShapeError: the input has no such dimension, or there are not as many shifts.

    >>> from torch import empty
    >>> roll(empty(3).long().fill_(1).cumsum(0), 1, 0)
    tensor([3, 1, 2])
    """
    moves = require_integers("roll: a shift", shifts if isinstance(shifts, Sequence) else [shifts])
    if dims is None or dims in ((), []):
        if len(moves) != 1:
            raise ShapeError(f"roll: without dims there is one shift; got {len(moves)}.")
        row = Roll(moves, (0,))(flatten(input))
        return row if input.ndim == 1 else row.reshape_as(input)
    named = dims if isinstance(dims, Sequence) else [dims]
    if len(named) != len(moves):
        raise ShapeError(f"roll takes one shift for each dimension; got {shifts!r} and {dims!r}.")
    total: dict[int, int] = {}
    for dim, move in zip(named, moves, strict=True):  # a dimension may be named twice
        place = normal_dim(input, dim)
        total[place] = total.get(place, 0) + move
    return Roll(tuple(total.values()), tuple(total))(input) if input.ndim else input


def repeat(input: T, *repeats: int | Sequence[int]) -> T:
    """The input, several times along each dimension; numbers in front are for new dimensions.

    Shapes: (n, m) -> (k, n · i, m · j) for the numbers (k, i, j).

    Raises:
        ShapeError: there are fewer numbers than dimensions, or one is negative.

    >>> from torch import empty
    >>> repeat(empty(2, 3), 4, 1, 2).shape
    torch.Size([4, 2, 6])
    """
    times = require_integers("repeat: a number", unpacked(repeats))
    if len(times) < input.ndim or any(each < 0 for each in times):
        raise ShapeError(
            f"repeat takes a number of 0 or more for each dimension of {described(input)}; "
            f"got {times}."
        )
    for _ in range(len(times) - input.ndim):
        input = unsqueeze(input, 0)
    for dim, count in enumerate(times):
        if count != 1:
            input = _times(unsqueeze(input, dim), dim, count)
    return input


def _times(x: Any, dim: int, count: int) -> Any:
    """A dimension of size 1, repeated and joined to the one after it."""
    sizes = [-1] * x.ndim
    sizes[dim] = count
    return flatten(expand(x, *sizes), dim, dim + 1)


def repeat_interleave(input: T, repeats: Any, dim: int | None = None) -> T:
    """Each element of the input, several times in a row.

    Args:
        input: any shape.
        repeats: how often, for all elements, or for each in a list or a tensor that is no node.
        dim: the dimension; None for all elements as one row.

    Raises:
        ShapeError: the input has no such dimension, or there are not as many numbers as elements.
        GraphError: a number is negative, or a node: then the size would depend on values.

    >>> from torch import empty
    >>> repeat_interleave(empty(3).long().fill_(1).cumsum(0), 2)
    tensor([1, 1, 2, 2, 3, 3])
    """
    if dim is None:
        input, dim = flatten(input), 0
    if not input.ndim:
        input = reshape(input, 1)
    dim = normal_dim(input, dim)
    counts = _counts(repeats)
    if isinstance(counts, int):
        x = unsqueeze(input, dim + 1)
        sizes = [-1] * x.ndim
        sizes[dim + 1] = counts
        return flatten(expand(x, *sizes), dim, dim + 1)
    if input.shape[dim] != len(counts):
        raise ShapeError(
            f"repeat_interleave: dimension {dim} of {described(input)} needs as many numbers; "
            f"got {len(counts)}."
        )
    places = [place for place, count in enumerate(counts) for _ in range(count)]
    row: Any = _row(input, places)
    chosen: T = index_select(input, dim, row)
    return chosen


def _counts(repeats: Any) -> int | tuple[int, ...]:
    """How often each element is repeated: one number, or one for each.

    Raises:
        GraphError: they are not integers of 0 or more.
    """
    if isinstance(repeats, TENSOR):
        repeats = repeats.tolist()
    if isinstance(repeats, Sequence):
        numbers = tuple(require_integer("repeats", each, 0) for each in repeats)
        return numbers[0] if len(numbers) == 1 else numbers
    if hasattr(repeats, "shape"):
        raise GraphError(
            "repeat_interleave: repeats must be known when the list is built, since the size of "
            f"the result depends on them; got {repeats}."
        )
    return require_integer("repeats", repeats, 0)


def _row(x: Any, places: list[int]) -> Any:
    """Integers as a tensor where x is; a node takes it as a constant."""
    like = x.new_empty(0) if isinstance(x, TENSOR) else empty(0)
    return like.long().new_tensor(places)
