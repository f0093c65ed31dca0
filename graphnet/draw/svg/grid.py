"""The numbers of a small tensor as a grid of coloured cells: blue below zero, orange above."""

from __future__ import annotations

from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING

from graphnet.draw.layout.geometry import text_width
from graphnet.draw.svg.marks import number, text
from graphnet.draw.svg.style import INK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from graphnet.draw.layout.geometry import Point

MOST_NUMBERS = 32
"""The most numbers of a tensor that is shown as a grid."""

CELL = 13.0
"""The height of a cell."""

_LONGEST_ROW = 8
_VECTOR_ROW = 5  # a longer vector takes several rows
_SIZE = 7.5
_STEPS = 6  # shades of each colour: few, since each is a variable of a theme
_BELOW, _ABOVE = (0x7F, 0xB2, 0xE5), (0xF4, 0xA4, 0x61)  # black letters are legible on both
_EMPTY = "#ffffff"

Rows = tuple[tuple[float, ...], ...]


def rows_of(tensor: Tensor) -> Rows:
    """The numbers of a tensor in rows of its last dimension; none if they are too many for a grid.

    >>> import torch
    >>> rows_of(torch.tensor([[1.0, -2.0], [0.5, 0.0]]))
    ((1.0, -2.0), (0.5, 0.0))
    >>> rows_of(torch.zeros(33)), rows_of(torch.zeros(2, 9))
    ((), ())
    """
    if not 1 < tensor.numel() <= MOST_NUMBERS:
        return ()
    numbers = tensor.double().cpu()
    if numbers.ndim < 2:
        flat = numbers.tolist()
        width = len(flat) if len(flat) <= _VECTOR_ROW + 1 else _VECTOR_ROW
        return tuple(tuple(flat[at : at + width]) for at in range(0, len(flat), width))
    if numbers.shape[-1] > _LONGEST_ROW:
        return ()
    return tuple(map(tuple, numbers.reshape(-1, numbers.shape[-1]).tolist()))


def written(value: float) -> str:
    """A number with two digits.

    >>> written(0.123), written(-12.0), written(float("inf"))
    ('0.12', '-12', 'inf')
    """
    return f"{value:.2g}" if value else "0"


def width_of(rows: Rows) -> float:
    """How wide a grid is."""
    return _cell_width(rows) * max(map(len, rows), default=0)


def _cell_width(rows: Rows) -> float:
    widest = max((text_width(written(each), _SIZE) for row in rows for each in row), default=0)
    return max(18.0, widest + 5)


def grid(rows: Rows, corner: Point) -> Iterator[str]:
    """The cells of a grid and the numbers in them.

    Args:
        rows: the numbers, as `rows_of` gives them.
        corner: the place of its first cell.
    """
    wide = _cell_width(rows)
    finite = [abs(each) for each in chain(*rows) if isfinite(each)]
    largest = max(finite, default=0.0) or 1.0
    for down, row in enumerate(rows):
        for across, each in enumerate(row):
            x, y = corner[0] + across * wide, corner[1] + down * CELL
            yield (
                f'<path d="M{number(x)} {number(y)}h{number(wide)}v{number(CELL)}'
                f'h-{number(wide)}Z" fill="{_shade(each / largest)}" stroke="#9aa4ae"'
                f' stroke-width="0.5"/>'
            )
            yield text((x + wide / 2, y + CELL - 4), written(each), _SIZE, INK)


def _shade(level: float) -> str:
    """The colour for a level from -1 to 1; that of a number that is not finite is empty."""
    if not isfinite(level):
        return _EMPTY
    part = round(min(abs(level), 1.0) * _STEPS) / _STEPS
    return _mixed(_ABOVE if level > 0 else _BELOW, part)


def _mixed(colour: Sequence[int], part: float) -> str:
    """White with a part of a colour."""
    return "#" + "".join(f"{round(255 + (each - 255) * part):02x}" for each in colour)
