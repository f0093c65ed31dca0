"""A scene and its layout become an SVG text: frames, arrows, boxes, legend and notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING

from graphnet.draw.layout.curves import moved
from graphnet.draw.layout.geometry import LINE_HEIGHT, inward, shortened
from graphnet.draw.scene.scene import KINDS, Arrow, Box, Scene, learned_in
from graphnet.draw.svg.footer import footer
from graphnet.draw.svg.labels import Labels
from graphnet.draw.svg.marks import (
    BOLD,
    curve_and_head,
    number,
    polygon,
    rounded,
    shown,
    text,
)
from graphnet.draw.svg.style import (
    EDGE,
    FOUND,
    FRAME,
    GLOW,
    INK,
    MARKED,
    RING,
    STYLES,
    band,
    corners,
    ink_on,
    outline,
    sharing_colour,
)
from graphnet.draw.svg.theme import darkened, style_of
from graphnet.draw.svg.values import Value, values_in
from graphnet.errors import counted

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout, Point, Rectangle

UID = "\0"  # stands for the prefix of all ids until it is known; no shown text can contain it


@dataclass(frozen=True)
class Look:
    """What is painted on top of the plain picture; boxes are named by their keys.

    Attributes:
        title: the title of the picture.
        description: what a screen reader reads out; if empty, the number of boxes of each kind.
        values: lines and bars in boxes, which need room for them: see `reserve_space`.
        ring: the box with a ring around it, such as the one being computed.
        lit: the places in `scene.arrows` of arrows that glow.
        backward: True to reverse the lit arrows: gradients flow along them.
        labels: texts beside arrows, by their places in `scene.arrows`.
        fills: colours of boxes, as "#rrggbb", instead of those of their kinds.
        legend: True to explain the kinds of box below the picture.
        theme: "light", "dark", or "auto" for the one of the page.
        screen: the width and height that the picture fills, with empty space around it; None for
            its own size.
        uid: the prefix of all ids; if empty, it is made from the content.
    """

    title: str = "Network"
    description: str = ""
    values: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    ring: str | None = None
    lit: frozenset[int] = frozenset()
    backward: bool = False
    labels: Mapping[int, str] = field(default_factory=dict)
    fills: Mapping[str, str] = field(default_factory=dict)
    legend: bool = True
    theme: str = "auto"
    screen: tuple[float, float] | None = None
    uid: str = ""


PLAIN = Look()


def painted(scene: Scene, layout: Layout, look: Look = PLAIN) -> str:
    """The picture of a scene, as SVG; the same scene, layout and look give the same bytes.

    Args:
        scene: the boxes and arrows.
        layout: where they go.
        look: what is painted on top.

    Raises:
        GraphError: a box has values but no room for them.
    """
    return Painter(scene, layout, both_ways=look.backward).painted(look)


class Painter:
    """Paints one scene in many looks; what they have in common is painted once.

    Every picture has the same number of lines, so that two of them can be compared line by line.

    Args:
        scene: the boxes and arrows.
        layout: where they go.
        both_ways: True if some looks reverse arrows.
    """

    def __init__(self, scene: Scene, layout: Layout, both_ways: bool = False) -> None:
        self._scene, self._layout = scene, layout
        self._kinds = {box.key: box.kind for box in scene.boxes}
        self._places = {box.key: layout.rectangle(box) for box in scene.boxes}
        self._curves = _curves(scene, layout, self._places)
        self._labels = Labels(scene, layout, self._curves, both_ways)
        self._counts = counts(scene)
        self._frames = list(_frames(layout))
        self._footer = cache(partial(footer, scene, layout))
        self._arrows: dict[tuple[int, bool, bool], str] = {}
        self._boxes: dict[str, tuple[str, Sequence[Value], str]] = {}  # as they were last painted

    def painted(self, look: Look) -> str:
        """The picture in one look: see `painted`."""
        below = self._footer(look.legend, bool(look.fills))
        width = max(self._layout.width, below.width)
        lines = [
            *_start(look, width, self._layout.height + below.height, self._counts),
            f'<g font-family="DejaVu Sans, sans-serif" font-size="10" fill="{INK}"'
            f' text-anchor="middle">',
            *self._frames,
        ]
        lines[-1] += self._ring(look)
        lines += [self._arrow(place, look) for place in range(len(self._curves))]
        lines += [self._box(box, look) for box in self._scene.boxes]
        lines += [*self._labels.fixed, *below.parts]
        svg = "\n".join([*lines, "".join(self._labels.labels(look.labels)) + "</g>", "</svg>\n"])
        svg = _themed(svg, look.theme)
        return svg.replace(UID, shown(look.uid) or "g" + sha256(svg.encode()).hexdigest()[:8])

    def _ring(self, look: Look) -> str:
        """A ring around a box, visible in grey too; it lies below the arrows that end there."""
        if look.ring is None or look.ring not in self._places:
            return ""
        left, top, width, height = self._places[look.ring]
        kind = self._kinds[look.ring]
        path = polygon(corners(kind, (left - 4, top - 4, width + 8, height + 8)))
        return f'<path d="{path}" fill="{GLOW}" stroke="{RING}" stroke-width="2.5"/>'

    def _arrow(self, place: int, look: Look) -> str:
        """An arrow; it is reversed if it is lit on the way back."""
        lit = place in look.lit
        key = place, lit, lit and look.backward
        if key not in self._arrows:
            curve = self._curves[place]
            curve = curve[::-1] if lit and look.backward else curve
            self._arrows[key] = _arrow(self._scene.arrows[place], place, curve, lit)
        return self._arrows[key]

    def _box(self, box: Box, look: Look) -> str:
        """A box; if its contents are those of the picture before, it is not painted anew."""
        fill = look.fills.get(box.key, STYLES[box.kind].fill)
        values = look.values.get(box.key, ())
        last = self._boxes.get(box.key)
        if last is None or last[:2] != (fill, values):
            inside = _inside(box, self._places[box.key], fill, values)
            inside += "".join(self._labels.letters[box.key])
            tip = f'<g id="{UID}-{box.key}"><title>{shown(_tip(box))}</title>'
            last = self._boxes[box.key] = fill, values, f"{tip}\n{inside}\n</g>"
        return last[2]


def _start(look: Look, width: float, height: float, description: str) -> Iterator[str]:
    """The beginning of a picture: its size, its title and its ground."""
    x = y = 0.0
    wide, high = map(number, look.screen or (width, height))
    if look.screen:
        scale = min(look.screen[0] / width, look.screen[1] / height)
        x, y = (width - look.screen[0] / scale) / 2, (height - look.screen[1] / scale) / 2
        width, height = look.screen[0] / scale, look.screen[1] / scale
    place = " ".join(map(number, (x, y, width, height)))
    left, top, across, down = place.split()
    at = f' x="{left}" y="{top}"' if look.screen else ""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}"'
        f' viewBox="{place}" id="{UID}" style="max-width:100%;height:auto" role="img"'
        f' aria-labelledby="{UID}-title {UID}-desc">'
    )
    yield f'<title id="{UID}-title">{shown(look.title)}</title>'
    yield f'<desc id="{UID}-desc">{shown(look.description or description)}</desc>'
    yield f'<rect{at} width="{across}" height="{down}" fill="#ffffff"/>'


def _themed(svg: str, theme: str) -> str:
    """A picture for one kind of page, or for every kind."""
    if theme == "dark":
        return darkened(svg)
    return svg.replace("</svg>", style_of(svg, UID) + "</svg>") if theme == "auto" else svg


def counts(scene: Scene) -> str:
    """How many boxes of each kind there are, in words."""
    numbers = Counter(box.kind for box in scene.boxes)
    kinds = ", ".join(f"{numbers[kind]} × {STYLES[kind].label}" for kind in KINDS if numbers[kind])
    return f"A network with {counted(len(scene.arrows), 'arrow')} between boxes: {kinds}."


def _frames(layout: Layout) -> Iterator[str]:
    """A frame around each module, the outer ones first."""
    for path in sorted(layout.frames, key=len):
        x, y, width, height = layout.frames[path]
        yield (
            f'<path d="{rounded((x, y, width, height), 6)}" fill="#1f3a5f" fill-opacity=".04"'
            f' stroke="{FRAME}"/>'
        )


def _arrow(arrow: Arrow, place: int, curve: list[Point], lit: bool) -> str:
    """An arrow along a curve: its glow if it is lit, its line, its head."""
    colour = EDGE if arrow.sharing is None else sharing_colour(arrow.sharing)
    width = 1.2 if arrow.sharing is None and arrow.count == 1 else 2.2
    line, head = curve_and_head(curve)
    glow = f'<path d="{line}" stroke="{GLOW}" stroke-width="7"/>' if lit else ""
    return (
        f'<g id="{UID}-a{place}" stroke="{colour}" stroke-width="{width}" fill="none">{glow}'
        f'<path d="{line}"/><path d="{head}" fill="{colour}" stroke="none"/></g>'
    )


def _curves(scene: Scene, layout: Layout, places: Mapping[str, Rectangle]) -> list[list[Point]]:
    """The arrows from outline to outline."""
    borders = {box.key: (place := places[box.key], corners(box.kind, place)) for box in scene.boxes}
    curves = []
    for arrow, curve in zip(scene.arrows, layout.curves, strict=True):
        start = inward(curve[0], *borders[arrow.source])
        curves.append(moved(curve, start, inward(curve[-1], *borders[arrow.target])))
    return curves


def _inside(box: Box, place: Rectangle, fill: str, values: Sequence[Value]) -> str:
    """The outline and contents of one box."""
    style = STYLES[box.kind]
    shared = box.sharing
    stroke = sharing_colour(shared[0]) if shared else style.stroke
    stroke = FOUND if fill == MARKED else stroke
    thick = 2.4 if shared or fill == MARKED else style.width
    parts = [
        f'<path d="{outline(box.kind, place)}" fill="{shown(fill)}" stroke="{stroke}"'
        f' stroke-width="{thick}"{style.dashes}/>',
        _band(box, place),
        *_words(box, place, ink_on(fill)),
        *values_in(box, place, values, ink_on(fill)),
    ]
    return "".join(parts)


def _band(box: Box, place: Rectangle) -> str:
    """A band at the left side of a layer or module that holds parameters."""
    if not box.folded or not learned_in(box):
        return ""
    left, top, _, height = place
    inset = min(STYLES[box.kind].inset, height / 2)
    return band((left + 3, top + inset, height - 2 * inset))


def _words(box: Box, place: Rectangle, ink: str) -> Iterator[str]:
    """The lines of text in a box, the first one bold."""
    left, top, width, height = place
    baseline = top + (height - LINE_HEIGHT * len(box.lines)) / 2 + 10
    for row, line in enumerate(box.lines[: len(box.lines) - len(box.reserved)]):
        at = (left + width / 2, baseline + LINE_HEIGHT * row)
        fitting = shortened(line, width - 6, bold=row == 0)
        yield text(at, fitting, fill="" if ink == INK else ink, rest="" if row else BOLD)


def _tip(box: Box) -> str:
    """What is shown when the mouse rests on a box: everything about it in one line."""
    return ", ".join(
        part for part in (box.full_name, STYLES[box.kind].label, box.shape, box.note) if part
    )
