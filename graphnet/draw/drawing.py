"""A drawing: the picture of a scene, ready for a notebook, a file or a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from graphnet.draw.layout.engines import laid_out
from graphnet.draw.png import pdf_of, png_of
from graphnet.draw.svg.paint import PLAIN, Look, painted
from graphnet.draw.svg.values import reserve_space
from graphnet.draw.text import rails
from graphnet.errors import GraphError
from graphnet.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from os import PathLike

    from graphviz import Digraph

    from graphnet.draw.layout.geometry import Layout
    from graphnet.draw.scene.scene import Scene
    from graphnet.graph import Graph, Node

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".html")


@dataclass(frozen=True)
class Source:
    """What a drawing is a picture of: a page opens and explains it.

    Attributes:
        graph: the list.
        whole: its scene with nothing folded.
        dress: puts into the boxes of a scene what the drawing shows in its own.
        loss: the node drawn as the loss; None if it was found.
        engine: what lays out pictures of it.
        direction: where they run.
        remarks: sentences below the picture.
    """

    graph: Graph
    whole: Scene
    dress: Callable[[Scene], tuple[Scene, Look]]
    loss: Node | None = None
    engine: str | None = None
    direction: str = "TB"
    remarks: Sequence[str] = ()


class Drawing:
    """The picture of a network: a notebook shows it, `print` writes it as text, `save` keeps it.

    Attributes:
        scene: the boxes and arrows.
        layout: where they are.
        look: what is painted on top.
        source: the list that it is a picture of; None for a scene without one.
    """

    def __init__(
        self, scene: Scene, layout: Layout, look: Look = PLAIN, source: Source | None = None
    ) -> None:
        self.scene = scene
        self.layout = layout
        self.look = look
        self.source = source

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return painted(self.scene, self.layout, self.look)

    @cached_property
    def text(self) -> str:
        """The same as plain text, one line for each box."""
        return rails(self.scene)

    @cached_property
    def dot(self) -> Digraph:
        """The same as a `graphviz.Digraph`, for use with Graphviz itself.

        Raises:
            GraphError: the package graphviz is not installed.
        """
        from graphnet.draw.layout.dot_text import digraph_of

        return digraph_of(reserve_space(self.scene, {}))  # Graphviz has no values to fill it with

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its suffix names.

        Args:
            path: the file: .svg, .png, .pdf, .dot, or .html for a page to zoom, open and search.

        Returns:
            The path of the file.

        Raises:
            GraphError: the suffix is another one, or a package for the format is missing.
            OSError: the file cannot be written, or its folder does not exist.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".svg":
                content = self.svg.encode()
            case ".png":
                content = png_of(self.svg, scale=2)
            case ".pdf":
                content = pdf_of(self.svg)
            case ".dot":
                content = self.dot.source.encode()
            case ".html":
                content = self._page().encode()
            case suffix:
                raise GraphError(
                    f"A drawing is saved as {', '.join(SUFFIXES)}; "
                    f"{path.name!r} has {f'the suffix {suffix!r}' if suffix else 'no suffix'}."
                )
        replace_file(path, content)
        return path

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """What a notebook shows: the page, or the picture if that is too large, or the text."""
        from graphnet.draw.page.page import notebook_of

        page = notebook_of(self, self.source) if self.source is not None else None
        makers = {"image/svg+xml": lambda: self.svg, "text/plain": lambda: self.text}
        if page is not None:
            makers["text/html"] = lambda: page
        return mimebundle(makers, include, exclude)

    def _page(self) -> str:
        from graphnet.draw.page.page import page_of

        if self.source is None:
            raise GraphError(
                "A page is made of a list: graph.draw().save('net.html'). This drawing is of a "
                "scene alone."
            )
        return page_of(self, self.source)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        size = f"{self.layout.width:.0f} x {self.layout.height:.0f} points"
        return f"<Drawing of {len(self.scene)} boxes, {size}>"


def mimebundle(
    makers: Mapping[str, Callable[[], str]],
    include: Container[str] | None,
    exclude: Container[str] | None,
) -> dict[str, str]:
    """The forms that a notebook asks for, each made by its maker."""
    kinds = [kind for kind in makers if include is None or kind in include]
    return {kind: makers[kind]() for kind in kinds if exclude is None or kind not in exclude}


def drawing_of(
    scene: Scene,
    engine: str | None = None,
    look: Look = PLAIN,
    columns: int | None = 1,
    direction: str = "TB",
    source: Source | None = None,
) -> Drawing:
    """The drawing of a scene.

    Args:
        scene: the boxes and arrows.
        engine: what computes the layout: "dot", "wasi" or "ranker"; None takes the first available.
        look: what is painted on top.
        columns: in how many columns it is set; None for as many as fit best on a screen.
        direction: "TB" from top to bottom, "LR" from left to right.
        source: the list that it is a picture of.
    """
    return Drawing(scene, laid_out(scene, engine, columns, direction), look, source)
