"""Front doors: the methods of a graph that lead to later rooms, which they import when called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from graphnet.graph.programs import Programs

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from typing import Unpack

    from torch import Tensor

    from graphnet.diagnose.findings import Health
    from graphnet.draw.drawing import Drawing
    from graphnet.graph.node import Node
    from graphnet.listing.summary import Summary
    from graphnet.optim.base import Optimizer
    from graphnet.playground.cell import Cell
    from graphnet.playground.options import ListPageOptions
    from graphnet.stepping.walk import Walk

    Feed = Mapping[Any, Tensor]

MOST_SHOWN = 2000
"""Nodes of a list that a notebook shows by itself."""


class FrontDoors(Programs):
    """What can be asked of a graph: pictures and reports, and what `Programs` has.

    The type of `self` is `Graph`, which derives from this class, and cannot be named before it.
    """

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

    @overload
    def playground(
        self: Any, loss: Node, data: Feed, optimizer: Optimizer, **options: Unpack[ListPageOptions]
    ) -> Cell: ...

    @overload
    def playground(
        self: Any,
        loss: Node,
        data: Feed,
        optimizer: Optimizer,
        file: str | PathLike[str],
        **options: Unpack[ListPageOptions],
    ) -> Path: ...

    def playground(
        self: Any,
        loss: Node,
        data: Feed,
        optimizer: Optimizer,
        file: str | PathLike[str] | None = None,
        **options: Unpack[ListPageOptions],
    ) -> Path | Cell:
        """Make a page in which the list learns: one HTML file, without server or network.

        Args:
            loss: what is minimized.
            data: a tensor for each input, by node or by name, with a row for each example.
            optimizer: over the parameters of the list.
            file: the page; if None, a cell of a notebook shows it.
            options: output, the node that predicts (if None, the last one with rows that is
                computed without the targets, the inputs that only the loss reads); test,
                batch_size, seed, title and height as in `gn.playground`.

        Returns:
            The path of the page, or what a notebook shows: see `gn.playground`.

        Raises:
            GraphError: what `gn.playground` refuses.
        """
        from graphnet.playground.cell import page_of_list

        return page_of_list(self, loss, data, optimizer, file, **options)
