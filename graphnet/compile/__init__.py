"""The compiler: from the list to a straight-line program with the same numbers.

| folder | contents |
|---|---|
| `ir/` | the program as a list: built from a graph, and rewritten |
| `passes/` | what shortens it, whatever it is printed for |
| `lower/` | the list as loops over scalars, for targets that have no kernels |
| `plan/` | where each value lies in memory, for any target |
| `targets/` | what it is printed for: a kernel for each node, and the text |
| `run/` | what `graph.compile` returns |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from graphnet.compile.ir.build import Clip
from graphnet.compile.run.compiled import Options, Prediction
from graphnet.compile.run.step import Step
from graphnet.compile.run.step_across import StepAcross, require_synchronized
from graphnet.compile.run.step_outputs import StepWithOutputs
from graphnet.errors import GraphError
from graphnet.graph import Node
from graphnet.optim.base import Optimizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphnet.distributed import Group
    from graphnet.graph import Graph

__all__ = [
    "Clip",
    "Options",
    "Prediction",
    "Step",
    "StepAcross",
    "StepWithOutputs",
    "compile_graph",
]


class PredictionOptions(TypedDict, total=False):
    """The options of `graph.compile` for a prediction, as type checkers know them."""

    tune: bool
    check_finite: bool
    backend: str | None
    calls: int | None


class StepOptions(PredictionOptions, total=False):
    """Those of a training step."""

    max_norm: float | None
    norm_type: float
    clip_value: float | None
    watch: Sequence[Node]


def compile_graph(
    graph: Graph,
    target: Node | Sequence[Node],
    optimizer: Optimizer | None,
    clip: Clip,
    options: Options,
    check_finite: bool,
    watch: Sequence[Node] = (),
    outputs: Sequence[Node] | None = None,
    across: Group | None = None,
    sync: bool = True,
) -> Step | StepAcross | Prediction[Any]:
    """What `Graph.compile` does."""
    targets = target if isinstance(target, tuple | list) else [target]
    for node in (*targets, *watch, *(outputs or ())):
        graph.index(node)
    if optimizer is None:
        if clip != Clip():
            raise GraphError("Only a training step clips gradients: give an optimizer as well.")
        if across is not None:
            raise GraphError("Several processes make a training step: give an optimizer as well.")
        if watch or outputs is not None:
            raise GraphError("A prediction returns several nodes: graph.compile([y, *others]).")
        return Prediction(graph, target, options)
    if not isinstance(optimizer, Optimizer):
        raise GraphError(
            f"A training step takes an optimizer of graphnet; got {type(optimizer).__name__}."
        )
    if not isinstance(target, Node):
        raise GraphError(
            f"A training step makes one loss smaller; got {type(target).__name__}. "
            "Several losses: add them first."
        )
    if across is not None:
        if outputs is not None:
            raise GraphError("A step of several processes returns the loss; use watch=[...].")
        if sync:
            require_synchronized(graph, target)
        return StepAcross(graph, target, optimizer, clip, options, check_finite, watch, across)
    if outputs is None:
        return Step(graph, target, optimizer, clip, options, check_finite, watch)
    return StepWithOutputs(graph, target, optimizer, clip, options, check_finite, watch, outputs)
