"""Checks and programs: the methods of a graph that lead to `check` and `compile`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from graphnet.graph.nodelist import NodeList

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from torch import Tensor

    from graphnet.check import CheckReport
    from graphnet.check.side_by_side import TorchComparison
    from graphnet.compile import (
        Prediction,
        PredictionOptions,
        Step,
        StepAcross,
        StepOptions,
        StepWithOutputs,
    )
    from graphnet.compile.targets.c.export.report import ExportReport
    from graphnet.distributed import Group
    from graphnet.graph.node import Node
    from graphnet.optim.base import Optimizer


class Programs(NodeList):
    """What can be made of a graph: checks of its gradients, and programs.

    The type of `self` is `Graph`, which derives from this class, and cannot be named before it.
    """

    def check(self: Any, node: Node, feed: Mapping[Any, Tensor] | None = None) -> CheckReport:
        """Compare every operation before `node` with central differences; see `graphnet.check`."""
        from graphnet.check import check_graph

        return check_graph(self, node, feed)

    def compare_with_torch(
        self: Any, feed: Mapping[Any, Tensor] | None = None, loss: Node | None = None
    ) -> TorchComparison:
        """Compare this graph with torch's autograd, values and times; see `check.against_torch`."""
        from graphnet.check.against_torch import compare_with_torch

        return compare_with_torch(self, feed, loss)

    @overload
    def compile(
        self, target: Node, optimizer: Optimizer, **options: Unpack[StepOptions]
    ) -> Step: ...
    @overload
    def compile(
        self,
        target: Node,
        optimizer: Optimizer,
        *,
        outputs: Sequence[Node],
        **options: Unpack[StepOptions],
    ) -> StepWithOutputs: ...
    @overload
    def compile(
        self,
        target: Node,
        optimizer: Optimizer,
        *,
        across: Group,
        sync: bool = True,
        **options: Unpack[StepOptions],
    ) -> StepAcross: ...
    @overload
    def compile(
        self, target: Node, optimizer: None = None, **options: Unpack[PredictionOptions]
    ) -> Prediction[Tensor]: ...
    @overload
    def compile(
        self, target: Sequence[Node], optimizer: None = None, **options: Unpack[PredictionOptions]
    ) -> Prediction[tuple[Tensor, ...]]: ...
    def compile(
        self: Any,
        target: Node | Sequence[Node],
        optimizer: Optimizer | None = None,
        *,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        clip_value: float | None = None,
        tune: bool = True,
        check_finite: bool = True,
        backend: str | None = None,
        calls: int | None = None,
        watch: Sequence[Node] = (),
        outputs: Sequence[Node] | None = None,
        across: Group | None = None,
        sync: bool = True,
    ) -> Any:
        """A program that computes the same values several times faster; see `graphnet.compile`.

        Args:
            target: the loss of a training step or, without an optimizer, the nodes to predict.
            optimizer: what updates the parameters in each step.
            max_norm: the largest total norm of the gradients, as in `clip_grad_norm_`.
            norm_type: the p of that norm.
            clip_value: the largest absolute gradient, as in `clip_grad_value_`.
            tune: False to use the default kernels without measuring which are fastest here.
            check_finite: False to continue when the loss is NaN or infinite.
            backend: "torch" for calls of torch, "c" for native code; None begins with calls of
                torch, and goes over to native code where that is faster. "inductor" passes the
                program to `torch.compile`, "cudagraph" captures it as a graph of CUDA kernels,
                "eager" runs each operation's own rule.
            calls: how often the program will be called, if that is known: native code then runs
                from the first call on, or never.
            watch: nodes whose values each training step also computes, as `step.watched`.
            outputs: nodes whose values each training step returns after the loss, in a tuple.
            across: the processes that make each step together; see `graphnet.distributed.join`.
            sync: False to accept batch norms over the rows of each process alone.

        Returns:
            A `graphnet.compile.Step` with an optimizer, else a `graphnet.compile.Prediction`; a
            `graphnet.compile.StepAcross` for several processes.
        """
        from graphnet.compile import Clip, Options, compile_graph

        clip = Clip(max_norm, norm_type, clip_value)
        options = Options(tune, backend, calls)
        several = watch, outputs, across, sync
        return compile_graph(self, target, optimizer, clip, options, check_finite, *several)

    def export_c(
        self: Any,
        path: str | Path,
        target: Node | Sequence[Node],
        optimizer: Optimizer | None = None,
        *,
        example: Mapping[Any, Tensor] | None = None,
        batch_size: int | None = None,
        predict: Node | Sequence[Node] = (),
        weights: str = "header",
        max_norm: float | None = None,
        norm_type: float = 2.0,
        clip_value: float | None = None,
        check_finite: bool = True,
    ) -> ExportReport:
        """Write C that predicts, or trains, on a machine without Python: C99, and nothing else.

        `build/disk.c` gets the functions `disk_predict` and `disk_step`; beside it lie their header
        `disk.h`, the weights `disk_weights.h`, and `disk_main.c`, which runs them on the example of
        `disk_example.h`. Files that exist are replaced. Sizes are fixed; predictions are made in
        evaluation mode, training steps in the present one.

        Args:
            path: the C file, in a folder that exists; its name is that of the network.
            target: the loss of a training step or, without an optimizer, the nodes to predict.
            optimizer: what updates the parameters in each step.
            example: a tensor for each input, by node or by name, for their sizes, and to be run in
                C. Inputs whose first size is None may hold several batches.
            batch_size: the rows of one call: by default 1 in a prediction, and in a training step
                all rows of the example.
            predict: nodes that a network with an optimizer predicts as well, one row at a time.
            weights: "header" for constants in `disk_weights.h`, "argument" for a struct that the
                caller passes. What training changes is always in the struct.
            max_norm: the largest total norm of the gradients, as in `clip_grad_norm_`.
            norm_type: the p of that norm.
            clip_value: the largest absolute gradient, as in `clip_grad_value_`.
            check_finite: False to continue when the loss is NaN or infinite.

        Returns:
            The bytes of flash and RAM: print it.

        Raises:
            GraphError: something has no form in C, or the name is not one there.
            FeedError: the example is missing, misnamed, or does not fit an input.
            OSError: a file cannot be written, or the folder does not exist.

        >>> import graphnet as gn, tempfile
        >>> from torch import empty
        >>> graph = gn.Graph()
        >>> x = graph.input((None, 2), name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = graph.export_c(f"{folder}/tiny.c", x.tanh(), example={x: empty(1, 2)})
        >>> report.functions, report.ram
        (('tiny_predict',), 16)
        """
        from graphnet.compile import Clip
        from graphnet.compile.targets.c.export.export import export_c

        return export_c(
            self,
            path,
            target,
            optimizer,
            example=example,
            batch_size=batch_size,
            predict=predict,
            weights=weights,
            clip=Clip(max_norm, norm_type, clip_value),
            check_finite=check_finite,
        )
