"""The colours of plots on light and on dark grounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphnet.train.plots.figures import BLUE, COLOURS, GREY
from graphnet.validation import require_choice

THEMES = ("auto", "light", "dark")

_DARK_GROUND = 0.18  # the luminance at which black and white letters are equally easy to read


@dataclass(frozen=True)
class Theme:
    """Colours that can be read on one ground.

    Attributes:
        ground: of the figure.
        letters: of texts; None for that of matplotlib's style.
        ink: of lines that separate, and of crosses.
        quiet: of notes, and of lines that are only compared with.
        lines: of curves, in their order.
        points: of points of both classes.
        classes: of the ground, from one class over the boundary to the other.
        values: of maps of numbers, from the lowest over 0 to the highest.
        counts: of a table of numbers, from none to the most.
    """

    ground: str
    letters: str | None
    ink: str
    quiet: str
    lines: tuple[str, ...]
    points: tuple[str, str]
    classes: tuple[str, str, str]
    values: tuple[str, ...]
    counts: tuple[str, ...]


LIGHT = Theme(
    ground="#ffffff",
    letters="#1a1a1a",
    ink="#111111",
    quiet=GREY,
    lines=COLOURS,
    points=("#174a86", "#943e00"),
    classes=("#c6dbf2", "#ffffff", "#fbd9b5"),
    values=("#3b1a6e", "#8073ac", "#d8daeb", "#f7f7f7", "#fee0b6", "#e08214", "#7f3b08"),
    counts=("#f7fbff", "#9ecae1", BLUE, "#08306b"),
)
DARK = Theme(
    ground="#11171f",
    letters="#e9eef3",
    ink="#f2f5f8",
    quiet="#a7b0ba",
    lines=("#5aa2ea", "#ffae5e", "#8d98a4", "#2fb98a", "#f4a3d1", "#f2f5f8"),
    points=("#a5d4ff", "#ffc888"),
    classes=("#1c3f63", "#11171f", "#57330f"),
    values=("#cdbcf5", "#8f7ccb", "#3b3560", "#161c24", "#5a3a16", "#d98a34", "#ffd9a6"),
    counts=("#161c24", "#24527d", "#5aa2ea", "#cfe6ff"),
)


def dressed(axes: Any, theme: str) -> Theme:
    """The colours for some axes; a theme requested by name paints their ground and text too.

    Args:
        axes: where to draw.
        theme: "light", "dark", or "auto" for the one that suits the ground of the axes, which is
            that of matplotlib's style.

    Raises:
        RangeError: the theme is another word.
    """
    if require_choice("theme", theme, THEMES) == "auto":
        return replace(DARK if _is_dark(axes) else LIGHT, letters=None)
    chosen = DARK if theme == "dark" else LIGHT
    from matplotlib.text import Text

    for ground in (axes, axes.figure):
        ground.set_facecolor(chosen.ground)
    for text in axes.findobj(Text):
        text.set_color(chosen.letters)
    axes.tick_params(which="both", color=chosen.quiet, labelcolor=chosen.letters)
    for spine in axes.spines.values():
        spine.set_edgecolor(chosen.quiet)
    return chosen


def _is_dark(axes: Any) -> bool:
    """Whether the ground is dark; letters say it of one that cannot be seen."""
    from matplotlib import rcParams
    from matplotlib.colors import to_rgba

    for place in (axes, axes.figure):
        *ground, opacity = to_rgba(place.get_facecolor())
        if opacity > 0.5:
            return luminance(ground) < _DARK_GROUND
    return luminance(to_rgba(rcParams["text.color"])[:3]) > _DARK_GROUND


def luminance(colour: Sequence[float]) -> float:
    """How bright a colour is, from 0 for black to 1 for white: the relative luminance of sRGB.

    >>> luminance((0.0, 0.0, 0.0)), luminance((1.0, 1.0, 1.0))
    (0.0, 1.0)
    """
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def map_of(colours: tuple[str, ...]) -> Any:
    """A continuous map of colours, for matplotlib."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("graphnet", colours)


def letters_on(colour: Sequence[float]) -> str:
    """Black or white, whichever is easier to read on a colour."""
    return "#000000" if luminance(colour) > _DARK_GROUND else "#ffffff"
