"""The second half of a training step as a program of its own: clipping and update.

Between the two halves, gradients are summed over several processes. They all run this program on
the same numbers, so that their parameters stay equal to the bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from graphnet.compile.run.step import Step
from graphnet.compile.targets.torch.functional import BACKENDS
from graphnet.graph import Graph

if TYPE_CHECKING:
    from graphnet.compile.ir.build import Clip
    from graphnet.compile.run.compiled import Options
    from graphnet.optim.base import Optimizer


class Update:
    """An update from gradients that are there already.

    Args:
        optimizer: what updates the parameters.
        clip: the limits of the gradients.
        options: how programs are made; what may differ from process to process is left out.
        check_finite: True to refuse a loss that is NaN or infinite.
    """

    def __init__(
        self, optimizer: Optimizer, clip: Clip, options: Options, check_finite: bool
    ) -> None:
        fixed = options.backend if options.backend in ("c", *BACKENDS) else "torch"
        graph = Graph()
        loss = graph.input((), name="loss", dtype=optimizer.parameters[0].dtype)
        options = replace(options, tune=False, backend=fixed)
        self.step = Step(graph, loss, optimizer, clip, options, check_finite)

    def __call__(self, loss: float) -> None:
        """Update all parameters that have a gradient which no step has used.

        Raises:
            NonFiniteError: the loss, or a norm by which to clip, is NaN or infinite. Parameters and
                state are as before.
        """
        of = self.step.optimizer.parameters[0].top
        self.step(loss=torch.full((), loss, dtype=of.dtype, device=of.device))
