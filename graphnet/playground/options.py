"""The options of a page, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from graphnet.graph import Node


class PageOptions(TypedDict, total=False):
    """What `gn.playground` takes by name."""

    test: Any
    batch_size: int
    seed: int
    title: str
    height: int


class ListPageOptions(PageOptions, total=False):
    """What `graph.playground` takes by name."""

    output: Node | None
