"""Figures and axes, the colours of the plots, and whether matplotlib is installed."""

from __future__ import annotations

from typing import Any

from graphnet.errors import GraphError

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#666666"

COLOURS = (BLUE, ORANGE, GREY, "#008f6b", "#c25b9e", "#111111")
"""Colours that colour-blind readers can distinguish; each stands out from white."""


def canvas(width: float, height: float) -> Any:
    """A figure of this size in inches, for files: it needs no window and opens none.

    Raises:
        GraphError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def new_axes(width: float = 6.0, height: float = 4.5) -> Any:
    """Axes in a new figure of this size in inches, which a notebook shows.

    Raises:
        GraphError: matplotlib is not installed.
    """
    return new_figure(width, height).subplots()


def new_figure(width: float, height: float) -> Any:
    """A figure of this size in inches, which a notebook shows.

    Raises:
        GraphError: matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained")


def require_matplotlib() -> None:
    """Check that matplotlib is installed, or say how to get it.

    Raises:
        GraphError: it is not installed.
    """
    try:
        import matplotlib  # noqa: F401 - only to see whether it is installed
    except ImportError as error:
        raise GraphError(
            "Pictures of training need matplotlib: pip install 'graphnet[plot]'."
        ) from error
