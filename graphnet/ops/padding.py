"""Padding and cropping: pad, which is its own derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet.errors import ShapeError
from graphnet.op import Structural, T
from graphnet.ops.dims import described
from graphnet.validation import require_choice, require_integers, require_numbers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pad"]


class Pad(Structural):
    """x with elements of one value around it; a negative amount removes elements.

    Shapes: (n, m) -> (n, m + 3) for the amounts (1, 2), which start with the last dimension.
    """

    symbol = "pad"
    hint = "Negative amounts must not remove more than there is."
    amounts: tuple[int, ...]
    value: float = 0.0

    def forward(self, x: Tensor) -> Tensor:
        kept, sizes = x, list(x.shape)
        for dim, before, after in self.sides(x.ndim):
            left = sizes[dim] + min(before, 0) + min(after, 0)
            if left < 0:
                raise ShapeError(f"dimension {dim} of size {sizes[dim]} would shrink to {left}")
            kept = kept.narrow(dim, max(-before, 0), left)
            sizes[dim] += before + after
        result = inside = x.new_full(sizes, self.value)
        for dim, before, _ in self.sides(x.ndim):
            inside = inside.narrow(dim, max(before, 0), kept.shape[dim])
        inside.copy_(kept)
        return result

    def grad_x(self, grad: Tensor) -> Tensor:
        return Pad(tuple(-amount for amount in self.amounts))(grad)

    def sides(self, ndim: int) -> list[tuple[int, int, int]]:
        """The dimensions, each with the amounts before and after."""
        pairs = zip(self.amounts[::2], self.amounts[1::2], strict=True)
        return [(ndim - 1 - place, *pair) for place, pair in enumerate(pairs)]


def pad(input: T, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> T:
    """The input with elements of one value, by default 0, around it.

    `pad` gives the amounts in pairs, starting with the last dimension: (left, right, top, bottom).
    A negative amount removes elements.

    Raises:
        ShapeError: the amounts are not pairs, are for too many dimensions, or remove too much.
        GraphError: the mode is not "constant", or the value is not a number.

    >>> from torch import empty
    >>> pad(empty(2).fill_(3), (1, 0), value=7)
    tensor([7., 3., 3.])
    """
    require_choice("pad: mode", mode, ("constant",))
    amounts = require_integers("pad: an amount", pad)
    if len(amounts) % 2 or len(amounts) > 2 * input.ndim:
        raise ShapeError(
            "pad: the amounts must be pairs, one for each of the last dimensions of "
            f"{described(input)}; got {amounts}."
        )
    if not isinstance(value, bool | None):  # True fills booleans
        require_numbers(value=value)
    return Pad(amounts, float(value or 0))(input)
