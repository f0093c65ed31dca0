"""Pictures of a list.

| file | contents |
|---|---|
| `picture` | what `graph.draw` and `module.draw` do, step by step |
| `scene/` | boxes and arrows, and how to fold them |
| `layout/` | where they go |
| `svg/` | how they look |
| `page/` | what moves under the hand |
| `drawing`, `png`, `text` | the result, and its other forms |
| `environment` | what draws on this machine |
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from graphnet.draw.drawing import Drawing

__all__ = ["engines"]


def engines() -> str:
    """Say which layout engine, fonts and rasteriser are in use here, and how to get the others.

    >>> print(engines())  # doctest: +ELLIPSIS
    layout  dot      ...
    """
    from graphnet.draw.environment import report

    return report()


class Room(ModuleType):
    """This package, which can be called: `gn.draw(model, example)`."""

    if TYPE_CHECKING:  # for type checkers, a module that can be called is an object of this class

        def engines(self) -> str:
            """See `engines`."""

    def __call__(self, model: Any, *inputs: Any, **options: Any) -> Drawing:
        """Draw a torch module with example tensors, a module with shapes, or a graph.

        The options are those of `Graph.draw`.

        Raises:
            GraphError: it is none of these, or cannot be imported: see `graphnet.from_torch`.
        """
        from graphnet.interop.drawing import draw_model

        return draw_model(model, *inputs, **options)


sys.modules[__name__].__class__ = Room
room = cast("Room", sys.modules[__name__])
