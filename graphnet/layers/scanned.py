"""Recurrent layers over a length that is known only when it is fed: one operation for each scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet import ops
from graphnet.ops.recurrent import RecurrentScan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.graph import Node
    from graphnet.layers.cells import State


def scan(
    layer: Any, x: Node, time: int, starts: Sequence[State], lengths: Node | None
) -> tuple[Node, State]:
    """The output of the last layer at each step, and the last state of every layer.

    Args:
        layer: the recurrent layer, with its weights and settings.
        x: the sequences.
        time: the dimension of the steps.
        starts: the initial state of each layer and direction.
        lengths: how many steps of each sequence count; None for all.
    """
    single = x.ndim == 2
    steps = ops.unsqueeze(x, 1) if single else ops.transpose(x, 0, time)
    starts = (
        [tuple(ops.unsqueeze(each, 0) for each in start) for start in starts]
        if single
        else (list(starts))
    )
    ends: list[State] = []
    if lengths is not None:
        steps = ops.where(_Direction(layer, "", lengths).mask(steps), steps, 0.0)
    for place in range(layer.num_layers):
        if place and layer.dropout:
            steps = ops.dropout(steps, layer.dropout)
        outputs = []
        for suffix in layer.suffixes(place):
            output, end = _Direction(layer, suffix, lengths).run(steps, starts[len(ends)])
            outputs.append(output)
            ends.append(end)
        steps = ops.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
    last = tuple(ops.stack(parts, 0) for parts in zip(*ends, strict=True))
    if single:
        return ops.squeeze(steps, 1), tuple(ops.squeeze(each, 1) for each in last)
    return ops.transpose(steps, 0, time), last


class _Direction:
    """One layer in one direction."""

    def __init__(self, layer: Any, suffix: str, lengths: Node | None) -> None:
        self.layer, self.suffix, self.lengths = layer, suffix, lengths
        self.reverse = suffix.endswith("reverse")

    def run(self, steps: Node, start: State) -> tuple[Node, State]:
        """The output at each step, and the last state."""
        layer, suffix = self.layer, self.suffix
        bias = getattr(layer, f"bias_hh{suffix}")
        weight = getattr(layer, f"weight_hh{suffix}")
        mapped = self._turned(
            ops.linear(
                steps, getattr(layer, f"weight_ih{suffix}"), getattr(layer, f"bias_ih{suffix}")
            )
        )
        mask: Any = True if self.lengths is None else self._turned(self.mask(steps))
        first = start[0]
        if layer.proj_size:
            first, weight, mapped = self._projected(first, start, mapped, weight)
        states = ops.stack((first, *start[1:]), -2)
        top = RecurrentScan(layer.kind)(mapped, weight, 0.0 if bias is None else bias, states, mask)
        outputs = [ops.select(top, -2, part) for part in range(layer.states)]
        last = [ops.select(each, 0, -1) for each in outputs]
        output = self._turned(outputs[0])
        if layer.proj_size:
            projection = getattr(layer, f"weight_hr{suffix}")
            output, last[0] = ops.linear(output, projection), ops.linear(last[0], projection)
            if self.lengths is not None:  # a sequence without steps keeps its first state
                some = ops.unsqueeze(ops.gt(self.lengths, 0), -1)
                last[0] = ops.where(some, last[0], start[0])
        if self.lengths is not None:
            output = ops.where(self.mask(steps), output, 0.0)
        return output, tuple(last)

    def _projected(
        self, first: Node, start: State, mapped: Node, weight: Node
    ) -> tuple[Node, Node, Node]:
        """A scan of what is projected: h = P m, so that W h = (W P) m after the first step.

        In the first step that counts, W h of the initial h is added to the map of the input.
        """
        place, begin = ops.unsqueeze(ops.arange(ops.size(mapped, 0)), -1), cast("Node", 0)
        if self.reverse and self.lengths is not None:
            begin = ops.sub(ops.size(mapped, 0), self.lengths)
        is_first = ops.unsqueeze(ops.eq(place, begin), -1)
        mapped = mapped + ops.where(is_first, ops.unsqueeze(ops.linear(first, weight), 0), 0.0)
        projection = getattr(self.layer, f"weight_hr{self.suffix}")
        return ops.zeros_like(start[1]), ops.matmul(weight, projection), mapped

    def mask(self, steps: Node) -> Node:
        """Whether each step counts in each sequence.  Shape (length, batch, 1)."""
        place = ops.unsqueeze(ops.arange(ops.size(steps, 0)), -1)
        counts: Node = ops.unsqueeze(ops.gt(cast("Node", self.lengths), place), -1)
        return counts

    def _turned(self, x: Node) -> Node:
        """In the order of the scan."""
        return ops.flip(x, 0) if self.reverse else x
