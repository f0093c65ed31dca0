"""Front doors: the methods of a graph that lead to later rooms, which they import when called."""

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
    from graphnet.diagnose.findings import Health
    from graphnet.distributed import Group
    from graphnet.draw.drawing import Drawing
    from graphnet.graph.node import Node
    from graphnet.listing.summary import Summary
    from graphnet.optim.base import Optimizer
    from graphnet.stepping.walk import Walk


MOST_SHOWN = 2000
"""Nodes of a list that a notebook shows by itself."""


class FrontDoors(NodeList):
    """What can be asked of a graph: checks, programs, pictures and reports.

    The type of `self` is `Graph`, which derives from this class, and cannot be named before it.
    """

    # checks and programs

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

    # pictures and reports

    def __str__(self) -> str:
        """The list as a table in walk order, one line for each node."""
        from graphnet.listing.table import node_table

        return node_table(self)

    def draw(
        self: Any,
        *,
        show: Sequence[str] = ("shape",),
        depth: int | None = None,
        loss: Node | None = None,
        engine: str | None = None,
        **painted: Any,
    ) -> Drawing:
        """Draw the list as a picture: a notebook shows it, `.save("net.svg")` saves it.

        A small list is drawn node by node. In a larger one each layer is one box, and modules are
        folded until the picture fits on a screen.

        Args:
            show: what the boxes show: "shape", "top", "grad"; "values" for both with all numbers
                of small tensors.
            depth: how deep modules are opened; None folds what is larger than a page.
            loss: what is drawn as the loss; None finds it, see `graph.roles.loss_of`.
            engine: what computes the layout: "dot", "wasi" or "ranker"; None for the first found.
            painted: open, every_node, parameters, columns, direction, theme, slide, marks, notes
                and remarks: see `graphnet.draw.picture.draw_graph`.
        """
        from graphnet.draw.picture import draw_graph

        return draw_graph(self, show=show, depth=depth, loss=loss, engine=engine, **painted)

    def _repr_html_(self: Any) -> str:
        """The picture and the table, in a notebook."""
        from graphnet.notebook import framed, html_paragraphs, html_scrolling, html_text

        if len(self) > MOST_SHOWN:
            return framed(html_paragraphs(f"{self!r}\nprint(graph) writes one line for each node."))
        return framed(html_scrolling(self.draw().svg), html_text(str(self)))

    def summary(self: Any, *, depth: int | None = None) -> Summary:
        """Settings, shapes, parameters, arithmetic and memory of each module, as a table.

        Args:
            depth: how many levels of modules get rows; None for all.
        """
        from graphnet.listing.summary import summary

        return summary(self, depth)

    def doctor(self: Any, loss: Node | None = None) -> Health:
        """Diagnose the network from the values and gradients of the last walks."""
        from graphnet.diagnose.health import health

        return health(self, loss)

    def derivation(self: Any, loss: Node | None = None, *, latex: bool = False) -> str:
        """Write out the backward pass as a worked exercise, in Markdown."""
        from graphnet.formulas.derivation import derivation

        return derivation(self, loss, latex)

    def walk(self: Any, feed: Mapping[Any, Tensor], loss: Node | str) -> Walk:
        """Step through both walks, one event at a time.

        Args:
            feed: a tensor for each input, by node or by name.
            loss: the scalar node to compute and differentiate, or its name.
        """
        from graphnet.stepping.walk import Walk

        return Walk(self, feed, loss)
