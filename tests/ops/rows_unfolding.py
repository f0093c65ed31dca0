"""The rows of the operations in `graphnet.ops.unfolding`."""

from __future__ import annotations

from functools import partial
from typing import Any

from ops.cases import Case
from torch import Tensor
from torch.nn import functional

from graphnet.ops import unfolding

SITUATIONS: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((2, 3, 4, 5), (2, 12, 12), {"kernel_size": 2}),
    ((1, 2, 5, 4), (1, 12, 9), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    ((2, 1, 5, 6), (2, 4, 9), {"kernel_size": 2, "dilation": (2, 3)}),
    ((0, 2, 3, 3), (0, 8, 4), {"kernel_size": 2}),
)


def ours(options: dict[str, Any]) -> tuple[tuple[int, ...], ...]:
    """The kernel, the stride, the padding of four sides, and the dilation."""
    pairs = {
        name: options.get(name, 0 if name == "padding" else 1)
        for name in ("kernel_size", "stride", "padding", "dilation")
    }
    pairs = {name: each if isinstance(each, tuple) else (each,) * 2 for name, each in pairs.items()}
    down, across = pairs["padding"]
    return pairs["kernel_size"], pairs["stride"], (down, down, across, across), pairs["dilation"]


def fold_like(options: dict[str, Any], y: Tensor, x: Tensor) -> Tensor:
    return functional.fold(y, x.shape[2:], **options)


ROWS: list[Case] = [
    *[
        Case(unfolding.Unfold(*ours(options)), partial(functional.unfold, **options), (shape,))
        for shape, _, options in SITUATIONS
    ],
    *[
        Case(unfolding.FoldLike(*ours(options)), partial(fold_like, options), (seen, shape))
        for shape, seen, options in SITUATIONS
    ],
    *[
        Case(
            unfolding.Fold(shape[2:], *ours(options)),
            partial(functional.fold, output_size=shape[2:], **options),
            (seen,),
        )
        for shape, seen, options in SITUATIONS
    ],
]
