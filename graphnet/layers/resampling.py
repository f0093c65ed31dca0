"""Layers that change the size of images, or the order of channels: Upsample, PixelShuffle, ..."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.layers.pooling import Optioned
from graphnet.validation import require_integer

if TYPE_CHECKING:
    from graphnet.graph import Node


class Upsample(Optioned):
    """Series, images or volumes in another size: see `ops.interpolate`.

    Shapes: x (n, c, w), (n, c, h, w) or (n, c, d, h, w) -> the same with other sizes.

    Args:
        size: the new sizes.
        scale_factor: what the sizes are multiplied by, instead of `size`.
        mode: "nearest", "nearest-exact", "area", "linear" for series, "bilinear" and "bicubic" for
            images, "trilinear" for volumes.
        align_corners: True to keep the first and last pixel where they are, in a mode that
            weights neighbours.
        recompute_scale_factor: True to take the ratio of the sizes in place of `scale_factor`.

    Raises:
        GraphError: when built, if an option does not fit.

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
        self.size, self.scale_factor = size, scale_factor
        self.mode, self.align_corners = mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def build(self, x: Node) -> Node:
        """Append the interpolation."""
        rest = (self.mode, self.align_corners, self.recompute_scale_factor)
        return ops.interpolate(x, self.size, self.scale_factor, *rest)


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


class ChannelShuffle(Optioned):
    """The channels of all groups by turns: see `ops.channel_shuffle`.

    Shapes: x (n, c, ...) -> the same.

    Args:
        groups: the number of groups.

    Raises:
        GraphError: the number is not an integer of 1 or more; when built, if it does not divide
            the channels.

    >>> from torch import empty
    >>> ChannelShuffle(2).forward(empty(1, 4, 1, 1).fill_(3)).shape
    torch.Size([1, 4, 1, 1])
    """

    shown = ("groups",)

    def __init__(self, groups: int) -> None:
        self.groups = require_integer("groups", groups, 1)

    def build(self, x: Node) -> Node:
        """Append the rearrangement."""
        return ops.channel_shuffle(x, self.groups)
