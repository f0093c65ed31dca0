"""Layers that change the size of images: Upsample, PixelShuffle, PixelUnshuffle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.errors import GraphError
from graphnet.layers.pooling import Optioned
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from graphnet.graph import Node


class Upsample(Optioned):
    """Images or series in another size: see `ops.interpolate`.

    Shapes: x (n, c, w) or (n, c, h, w) -> (n, c, w') or (n, c, h', w').

    Args:
        size: the new sizes.
        scale_factor: what the sizes are multiplied by, instead of `size`.
        mode: "nearest", "nearest-exact", "linear" for series, "bilinear" for images.
        align_corners: True to keep the first and last pixel where they are, in a linear mode.
        recompute_scale_factor: not supported; must be None or False.

    Raises:
        GraphError: an option is not supported; when built, if an option does not fit.

    >>> from torch import empty
    >>> Upsample(scale_factor=2).forward(empty(10, 3, 4, 6).fill_(0)).shape
    torch.Size([10, 3, 8, 12])
    """

    shown = ("size", "scale_factor", "mode")

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        if recompute_scale_factor:
            raise GraphError("recompute_scale_factor is not supported: give the size instead.")
        self.size, self.scale_factor = size, scale_factor
        self.mode, self.align_corners = mode, align_corners

    def build(self, x: Node) -> Node:
        """Append the interpolation."""
        return ops.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)


class PixelShuffle(Optioned):
    """Channels as pixels: see `ops.pixel_shuffle`.

    Shapes: x (n, c · r · r, h, w) -> (n, c, h · r, w · r).

    Args:
        upscale_factor: r.

    Raises:
        GraphError: the factor is not an integer of 1 or more.

    >>> from torch import empty
    >>> PixelShuffle(2).forward(empty(10, 12, 4, 6).fill_(0)).shape
    torch.Size([10, 3, 8, 12])
    """

    shown = ("upscale_factor",)

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = require_integer("upscale_factor", upscale_factor, 1)

    def build(self, x: Node) -> Node:
        """Append the rearrangement."""
        return ops.pixel_shuffle(x, self.upscale_factor)


class PixelUnshuffle(Optioned):
    """Pixels as channels: see `ops.pixel_unshuffle`.

    Shapes: x (n, c, h · r, w · r) -> (n, c · r · r, h, w).

    Args:
        downscale_factor: r.

    Raises:
        GraphError: the factor is not an integer of 1 or more.

    >>> from torch import empty
    >>> PixelUnshuffle(2).forward(empty(10, 3, 8, 12).fill_(0)).shape
    torch.Size([10, 12, 4, 6])
    """

    shown = ("downscale_factor",)

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = require_integer("downscale_factor", downscale_factor, 1)

    def build(self, x: Node) -> Node:
        """Append the rearrangement."""
        return ops.pixel_unshuffle(x, self.downscale_factor)
