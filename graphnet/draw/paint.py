"""A scene and its layout become an SVG text: frames, arrows, boxes, legend and notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from graphnet.draw.footer import footer
from graphnet.draw.geometry import LINE_HEIGHT, shortened, size_of, text_width
from graphnet.draw.marks import (
    BOLD,
    START,
    badge,
    bars,
    curve_and_head,
    free_spot,
    number,
    rounded,
    shown,
    text,
)
from graphnet.draw.scene import KINDS, Box, Scene
from graphnet.draw.style import (
    EDGE,
    FRAME,
    GLOW,
    INK,
    RING,
    STYLES,
    ink_on,
    letters,
    outline,
    sharing_colour,
)
from graphnet.errors import GraphError, counted

if TYPE_CHECKING:
    from graphnet.draw.geometry import Layout, Point, Rectangle

__all__ = ["Look", "Spacious", "Value", "painted", "roomy"]

ROOM = "0" * 20
HALO = START + ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'
UID = "\0"  # stands for the prefix of all ids until that is known; no shown text can hold it


@dataclass(frozen=True)
class Value:
    """What a box says of one tensor.

    Attributes:
        label: which tensor: "top", "grad".
        text: a line about it, as `strips.described` gives.
        bars: the heights of some bars from 0 to 1, as `strips.strip` gives.
    """

    label: str
    text: str
    bars: Sequence[float] = ()


@dataclass(frozen=True)
class Look:
    """What is painted on top of the plain picture; boxes are named by their keys.

    Attributes:
        title: what the picture is called.
        description: what a screen reader says of it; where empty, how much there is of each kind.
        values: lines and bars in boxes, which need room for them: see `roomy`.
        ring: the box with a ring around it, such as the one that is computed now.
        lit: the places in `scene.arrows` of arrows that glow.
        labels: texts beside arrows, by their places in `scene.arrows`.
        fills: colours of boxes, as "#rrggbb", instead of those of their kinds.
        legend: True to explain the kinds of box below the picture.
        uid: the prefix of all ids; where empty, it is made from the content.
    """

    title: str = "Network"
    description: str = ""
    values: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    ring: str | None = None
    lit: frozenset[int] = frozenset()
    labels: Mapping[int, str] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=dict)
    legend: bool = True
    uid: str = ""


PLAIN = Look()


@dataclass(frozen=True)
class Spacious(Box):
    """A box with room below its text: two lines for each value."""

    rows: int = 0

    @property
    def lines(self) -> list[str]:
        """The text in the box, and below it lines that only keep room."""
        return [*super().lines, *[ROOM] * (2 * self.rows)]


def roomy(scene: Scene, rows: int) -> Scene:
    """The same scene with room for values in each box; call it before the layout is made.

    Args:
        scene: what is to be drawn.
        rows: how many values a box will show at most.
    """
    boxes: list[Box] = [Spacious(**{**vars(box), "rows": rows}) for box in scene.boxes]
    return replace(scene, boxes=boxes)


def painted(scene: Scene, layout: Layout, look: Look = PLAIN) -> str:
    """The picture of a scene, as SVG; the same scene, layout and look give the same bytes.

    Args:
        scene: the boxes and arrows.
        layout: where they go.
        look: what is painted on top.

    Raises:
        GraphError: a box has values but no room for them.
    """
    below = footer(scene, layout, look.legend)
    width = number(max(layout.width, below.width))
    height = number(layout.height + below.height)
    svg = "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" style="max-width:100%;height:auto" role="img"'
            f' aria-labelledby="{UID}-title {UID}-desc">',
            f'<title id="{UID}-title">{shown(look.title)}</title>',
            f'<desc id="{UID}-desc">{shown(look.description or counts(scene))}</desc>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            f'<g font-family="DejaVu Sans, sans-serif" font-size="10" fill="{INK}"'
            f' text-anchor="middle">',
            *_frames(scene, layout),
            *_arrows(scene, layout, look),
            *_titles(scene, layout),
            *_boxes(scene, layout, look),
            *_badges(scene, layout, look),
            *below.parts,
            "</g>",
            "</svg>\n",
        ]
    )
    return svg.replace(UID, shown(look.uid) or "g" + sha256(svg.encode()).hexdigest()[:8])


def counts(scene: Scene) -> str:
    """How many boxes of each kind there are, in words."""
    numbers = Counter(box.kind for box in scene.boxes)
    kinds = ", ".join(f"{numbers[kind]} × {STYLES[kind].label}" for kind in KINDS if numbers[kind])
    return f"A network with {counted(len(scene.arrows), 'arrow')} between boxes: {kinds}."


def _frames(scene: Scene, layout: Layout) -> Iterator[str]:
    """A frame around each module, the outer ones first."""
    for path in sorted(layout.frames, key=len):
        x, y, width, height = layout.frames[path]
        yield (
            f'<path d="{rounded((x, y, width, height), 6)}" fill="#1f3a5f" fill-opacity=".04"'
            f' stroke="{FRAME}"/>'
        )


def _titles(scene: Scene, layout: Layout) -> Iterator[str]:
    """The title of each frame, with a halo, because arrows may pass below it."""
    for path, (x, y, width, _) in layout.frames.items():
        title = shortened(scene.titles.get(path, ".".join(path)), width - 12, 9, bold=True)
        yield text((x + 6, y + 12), title, 9, EDGE, BOLD + HALO)


def _arrows(scene: Scene, layout: Layout, look: Look) -> Iterator[str]:
    """Each arrow: its glow if it is lit, its line, its head."""
    for place, (arrow, curve) in enumerate(zip(scene.arrows, layout.curves, strict=True)):
        colour = EDGE if arrow.sharing is None else sharing_colour(arrow.sharing)
        width = 1.2 if arrow.sharing is None and arrow.count == 1 else 2.2
        line, head = curve_and_head(curve)
        glow = f'<path d="{line}" stroke="{GLOW}" stroke-width="7"/>' if place in look.lit else ""
        yield (
            f'<g id="{UID}-a{place}" stroke="{colour}" stroke-width="{width}" fill="none">{glow}'
            f'<path d="{line}"/><path d="{head}" fill="{colour}" stroke="none"/></g>'
        )


def _badges(scene: Scene, layout: Layout, look: Look) -> Iterator[str]:
    """What is written on arrows: which use of what is shared, how many were drawn together."""
    taken: list[Point] = []
    for place, (arrow, curve) in enumerate(zip(scene.arrows, layout.curves, strict=True)):
        colour, mark = INK, ""
        if arrow.sharing is not None:
            colour = sharing_colour(arrow.sharing)
            mark = f"{letters(arrow.sharing)}{arrow.use or ''}"
        if arrow.count > 1:
            mark = f"{mark} × {arrow.count}".strip()
        label = look.labels.get(place, "")
        if not mark and not label:
            continue
        x, y = free_spot(curve, taken)
        taken.append((x, y))
        if mark:
            yield badge(mark, (x, y), colour)
        if label:
            yield text((x + 6 + 3 * len(mark), y + 3), label, 8, colour, HALO)


def _boxes(scene: Scene, layout: Layout, look: Look) -> Iterator[str]:
    """Each box with its text, its values, and the letters under which it is shared."""
    shared: dict[str, dict[int, None]] = {}
    for arrow in scene.arrows:
        if arrow.sharing is not None:
            shared.setdefault(arrow.source, {})[arrow.sharing] = None
    for box in scene.boxes:
        width, height = size_of(box)
        x, y = layout.places[box.key]
        place = (x - width / 2, y - height / 2, width, height)
        yield f'<g id="{UID}-{box.key}"><title>{shown(_tip(box))}</title>'
        if box.key == look.ring:
            yield _ring(place)
        yield _box(box, place, look, [*shared.get(box.key, ())])
        yield "</g>"


def _box(box: Box, place: Rectangle, look: Look, shared: list[int]) -> str:
    """The outline of one box and all that is inside."""
    style = STYLES[box.kind]
    fill = look.fills.get(box.key, style.fill)
    stroke = sharing_colour(shared[0]) if shared else style.stroke
    dashes = f' stroke-dasharray="{style.dashes}"' if style.dashes else ""
    parts = [
        f'<path d="{outline(box.kind, place)}" fill="{shown(fill)}" stroke="{stroke}"'
        f' stroke-width="{2.4 if shared else style.width}"{dashes}/>',
        *_words(box, place, ink_on(fill)),
        *_values(box, place, look, ink_on(fill)),
    ]
    for column, sharing in enumerate(shared):
        spot = (place[0] + 4 + 22 * column, place[1])
        parts.append(badge(letters(sharing), spot, sharing_colour(sharing)))
    return "".join(parts)


def _words(box: Box, place: Rectangle, ink: str) -> Iterator[str]:
    """The lines of text in a box, the first one bold."""
    left, top, width, height = place
    baseline = top + (height - LINE_HEIGHT * len(box.lines)) / 2 + 10
    for row, line in enumerate(box.lines[: len(box.lines) - 2 * _rows(box)]):
        at = (left + width / 2, baseline + LINE_HEIGHT * row)
        fitting = shortened(line, width - 6, bold=row == 0)
        yield text(at, fitting, fill="" if ink == INK else ink, rest="" if row else BOLD)


def _rows(box: Box) -> int:
    """How many values a box has room for."""
    return box.rows if isinstance(box, Spacious) else 0


def _values(box: Box, place: Rectangle, look: Look, ink: str) -> Iterator[str]:
    """The lines and bars in the room at the bottom of a box."""
    values = look.values.get(box.key, ())
    rows = _rows(box)
    if len(values) > rows:
        raise GraphError(
            f"A box shows as many values as it has room for; {box.name!r} has room for {rows}, "
            f"and {len(values)} came. Lay out roomy(scene, rows={len(values)})."
        )
    left, top, width, height = place
    start = top + (height + LINE_HEIGHT * (len(box.lines) - 4 * rows)) / 2
    for row, value in enumerate(values):
        y = start + 2 * LINE_HEIGHT * row
        line = f"{value.label} {value.text}"
        size = min(8.0, (width - 12) / text_width(line, 1))
        yield text((left + width / 2, y + 9), line, size, ink)
        if value.bars:
            yield bars(value.bars, (left + 14, y + 13, width - 28, 10), ink)


def _ring(place: Rectangle) -> str:
    """A ring around a box, wide enough to be seen in grey."""
    left, top, width, height = place
    path = rounded((left - 5, top - 5, width + 10, height + 10), 9)
    return f'<path d="{path}" fill="{GLOW}" fill-opacity=".35" stroke="{RING}" stroke-width="3.5"/>'


def _tip(box: Box) -> str:
    """What is shown when the mouse rests on a box: everything about it in one line."""
    name = ".".join((*box.path, box.name))
    return ", ".join(part for part in (name, STYLES[box.kind].label, box.shape, box.note) if part)
