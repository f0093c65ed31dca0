"""The sum over processes of an update: all gradients and a few numbers, in one call.

The gradients lie side by side, with room for a few numbers behind them, so nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from graphnet.graph.flat_parameters import TAIL

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.distributed.group import Group
    from graphnet.optim.buckets import Bucket


def sum_gradients(group: Group, buckets: Sequence[Bucket], numbers: Sequence[float]) -> list[float]:
    """Add up the gradients of all processes in place, and some numbers; returns their sums.

    It is one call for each dtype of parameters, of which there is usually one. The numbers travel
    in the widest of them, but in float32 at least.

    Raises:
        ProcessError: another process has ended, or does not come.
    """
    kinds: dict[object, list[Bucket]] = {}
    for bucket in sorted(buckets, key=lambda each: each.grad.dtype.itemsize):
        kinds.setdefault((bucket.grad.dtype, bucket.grad.device), []).append(bucket)
    together = list(kinds.values())
    if together and together[-1][0].grad.dtype.itemsize >= 4:
        for each in together[:-1]:
            _sum(group, each, ())
        return _sum(group, together[-1], numbers)
    for each in together:
        _sum(group, each, ())
    return group.sum_of(numbers)


def _sum(group: Group, buckets: Sequence[Bucket], numbers: Sequence[float]) -> list[float]:
    """The same for parameters of one dtype."""
    packet = _in_one_piece(buckets, len(numbers))
    given = buckets[0].grad.new_tensor(numbers)
    if packet is not None:
        packet[len(packet) - len(numbers) :].copy_(given)
        group.sum_(packet)
    else:  # frozen parameters lie between, or parameters of another optimizer
        packet = torch.cat([*(bucket.grad for bucket in buckets), given])
        group.sum_(packet)
        start = 0
        for bucket in buckets:
            stop = start + bucket.grad.numel()
            bucket.grad.copy_(packet[start:stop])
            start = stop
    sums: list[float] = packet[len(packet) - len(numbers) :].tolist()
    return sums


def _in_one_piece(buckets: Sequence[Bucket], count: int) -> Tensor | None:
    """The memory of all gradients and the room behind them; None if others lie between."""
    arena = buckets[0].arena
    places = sorted((each.parameters[0].offset, each.grad.numel()) for each in buckets)
    end = first = places[0][0]
    for start, size in places:
        if start != end:
            return None
        end += size
    if end != arena.grad.numel() or count > TAIL or any(b.arena is not arena for b in buckets):
        return None
    return arena.packet[first : end + count]
