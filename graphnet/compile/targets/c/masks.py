"""Random masks and numbers: torch draws them, as the walk does; programs in C are given them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from graphnet.compile.plan.slots import Slot
    from graphnet.graph import Operation


class Draw:
    """Draws a random mask as the walk does, in the order of the list."""

    def __init__(self, node: Operation, slot: Slot) -> None:
        self._rule, self._like = node.op.forward, torch.empty(slot.shape, dtype=slot.dtype)
        self._mode = (True,) * (len(node.sources) - 1)  # a mask is drawn in training only
        self.generator = cast("Any", node.op).generator or torch.default_generator

    def __call__(self) -> Tensor:
        """The next mask."""
        drawn: Tensor = self._rule(self._like, *self._mode)
        return drawn.contiguous()


def masks_of_steps(draws: Sequence[Draw], steps: int) -> list[Tensor]:
    """The masks of several steps, drawn in the order in which single steps draw them."""
    drawn = [[draw() for draw in draws] for _ in range(steps)] if draws else []
    return [torch.stack(each) for each in zip(*drawn, strict=True)]
