"""The networks of the digit-pair study, from two separate branches to digits and `<=`.

Each takes pairs of images, (n, 2, 14, 14), and returns scores of the answer, (n, 2): of "greater"
in column 0, and of "less or equal" in column 1. Networks with further outputs return a tuple, the
answer first. A branch that is called twice shares its weights; `model.draw((100, 2, 14, 14))` shows
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import graphnet as gn
from graphnet import ops

if TYPE_CHECKING:
    from graphnet.graph import Node

Branch = Callable[[], gn.Sequential]
"""Makes a part of a network that reads one image: (n, 1, 14, 14) -> (n, width)."""


# parts


def convolution(inputs: int, outputs: int, size: int, padding: int = 0) -> list[gn.Module]:
    """A convolution and its activation."""
    return [gn.Conv2d(inputs, outputs, size, padding=padding), gn.ReLU()]


def three_convolutions(width: int = 80) -> gn.Sequential:
    """Three convolutions, which make one row of numbers of an image."""
    return gn.Sequential(
        *convolution(1, 16, size=5),  # 14 x 14 -> 10 x 10
        gn.MaxPool2d(2),  # -> 5 x 5
        *convolution(16, 48, size=2),  # -> 4 x 4
        gn.MaxPool2d(2),  # -> 2 x 2
        gn.Dropout(0.5),
        *convolution(48, width, size=2),  # -> 1 x 1
        gn.Flatten(),
    )
