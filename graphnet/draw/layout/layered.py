"""The layout engine that is always available: layers by longest path, module by module.

Each module is arranged by itself, the innermost first, and is one item in the module around it, so
frames never overlap. Parameters stand at the sides of the single operation that reads them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphnet.draw.layout.curves import rounded, sideways, smooth
from graphnet.draw.layout.geometry import (
    MARGIN,
    TITLE_SPACE,
    Layout,
    Point,
    gap_beside,
    size_of,
)
from graphnet.draw.layout.layered_level import Item, Level, Wire
from graphnet.draw.layout.title_space import beside_title, title_width
from graphnet.draw.scene.scene import around, common_path

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Arrow, Box, Path, Scene

_LEFT, _RIGHT = -1, 1
_GUTTER, _SPREAD = 12.0, 8.0


def layered(scene: Scene, direction: str = "TB") -> Layout:
    """Lay out a scene without any other program.

    Args:
        scene: the boxes and arrows.
        direction: "TB" from top to bottom, "LR" from left to right.

    >>> from graphnet.draw.scene.scene import Arrow, Box, Scene
    >>> boxes = [Box("n0", "input", "x"), Box("n1", "operation", "tanh")]
    >>> layout = layered(Scene(boxes, [Arrow("n0", "n1")]))
    >>> layout.places
    {'n0': (30.0, 20.5), 'n1': (30.0, 71.5)}
    """
    if direction == "LR":
        return _Ranking(scene, turned=True).layout().transposed()
    return _Ranking(scene).layout()


def beside(scene: Scene) -> dict[str, str]:
    """For each parameter with one reader, in its own module: the key of that operation.

    Gradients do not count as readers: they belong to the backward half of the picture.
    """
    boxes = scene.by_key
    readers: dict[str, dict[str, None]] = defaultdict(dict)
    for arrow in scene.arrows:
        if boxes[arrow.target].kind != "gradient":
            readers[arrow.source][arrow.target] = None
    found = {}
    for box in scene.boxes:
        if box.kind in ("parameter", "buffer") and len(readers[box.key]) == 1:
            (reader,) = readers[box.key]
            if boxes[reader].path == box.path and boxes[reader].kind in ("operation", "loss"):
                found[box.key] = reader
    return found


@dataclass
class _Route:
    """An arrow as its wires: out of its modules, across, and into those of its target.

    Attributes:
        arrow: the arrow.
        wires: none for a parameter beside its operation.
        shift: how far right of the middle it leaves, if the same box is read twice.
        aside: how far right of the middle it enters.
    """

    arrow: Arrow
    wires: list[Wire] = field(default_factory=list)
    shift: float = 0
    aside: float = 0


class _Ranking:
    """The layout of one scene while it is computed.

    Args:
        scene: the boxes and arrows.
        turned: True to lay it out with x and y exchanged.
    """

    def __init__(self, scene: Scene, turned: bool = False) -> None:
        self.scene, self.turned = scene, turned
        self.boxes = scene.by_key
        sizes = {box.key: size_of(box) for box in scene.boxes}
        self.sizes = {
            key: (high, wide) if turned else (wide, high) for key, (wide, high) in sizes.items()
        }
        self.gap = gap_beside(scene)
        pads = MARGIN, MARGIN + TITLE_SPACE
        self.pad_left, self.pad_top = pads[::-1] if turned else pads
        self.beside = beside(scene)
        columns: dict[str, list[Box]] = defaultdict(list)
        for box in scene.boxes:
            if box.key in self.beside:
                columns[self.beside[box.key]].append(box)
        self.sides: dict[str, int] = {}
        self.columns: dict[tuple[str, int], list[Box]] = {}
        for key, found in columns.items():
            half = len(found) // 2
            for side, some in ((_LEFT, found[:half]), (_RIGHT, found[half:])):
                self.columns[key, side] = some
                self.sides |= {box.key: side for box in some}
        self.items: dict[str | Path, Item] = {}
        self.origins: dict[Path, Point] = {(): (MARGIN, MARGIN)}
        self.places: dict[str, Point] = {}

    def layout(self) -> Layout:
        """Arrange all modules, the innermost first, then place them, the outermost first."""
        children = self._children()
        routes = self._routes()
        wires: dict[Path, list[tuple[_Route, int]]] = defaultdict(list)
        for route, paths in routes:
            for number, path in enumerate(paths):
                wires[path].append((route, number))
        levels = {}
        for path in sorted(children, key=len, reverse=True):
            levels[path] = self._arranged(path, children[path], wires[path])
        for path in sorted(children, key=len):
            self._put(path, children[path])
        return Layout(
            width=round(levels[()].width + 2 * MARGIN, 2),
            height=round(levels[()].height + 2 * MARGIN, 2),
            places={key: self.places[key] for key in self.boxes},
            curves=[self._curve(route, paths) for route, paths in routes],
            frames={path: self._frame(path) for path in self.scene.paths},
            turned=self.turned,
        )

    def _children(self) -> dict[Path, list[Item]]:
        """The items directly in each module, in the order of the list."""
        children: dict[Path, list[Item]] = {(): []}
        for box in self.scene.boxes:
            for path in around(box.path):
                if path not in children:
                    self.items[path] = Item(path, 0, 0, 0)
                    children[path] = []
                    children[path[:-1]].append(self.items[path])
            if box.key not in self.beside:
                self.items[box.key] = self._item(box)
                children[box.path].append(self.items[box.key])
        return children

    def _item(self, box: Box) -> Item:
        """A box, with the parameters that stand at its sides in columns."""
        width, height = self.sizes[box.key]
        left, left_height = self._column_size(box.key, _LEFT)
        right, right_height = self._column_size(box.key, _RIGHT)
        height = max(height, left_height, right_height)
        return Item(box.key, left + width + right, height, left + width / 2)

    def _column_size(self, key: str, side: int) -> tuple[float, float]:
        sizes = [self.sizes[box.key] for box in self.columns.get((key, side), ())]
        if not sizes:
            return 0, 0
        height = sum(height for _, height in sizes) + _SPREAD * (len(sizes) - 1)
        return max(width for width, _ in sizes) + self.gap + _GUTTER, height

    # arrows

    def _routes(self) -> list[tuple[_Route, list[Path]]]:
        """For each arrow its wires, and the level that each of them lies in."""
        parallel = Counter((arrow.source, arrow.target) for arrow in self.scene.arrows)
        seen: Counter[tuple[str, str]] = Counter()
        routes = []
        for arrow in self.scene.arrows:
            ends = (arrow.source, arrow.target)
            route = _Route(arrow, shift=_SPREAD * (seen[ends] - (parallel[ends] - 1) / 2))
            seen[ends] += 1
            short = self.beside.get(arrow.source) == arrow.target
            routes.append((route, [] if short else self._wired(route)))
        self._spread([route for route, paths in routes if paths])
        return routes

    def _spread(self, routes: list[_Route]) -> None:
        """Let the latest data enter in the middle of its box, and everything else beside it."""
        entering: dict[str, list[_Route]] = defaultdict(list)
        for route in routes:
            entering[route.arrow.target].append(route)
        place = {
            box.key: (box.kind not in ("parameter", "buffer"), number)
            for number, box in enumerate(self.scene.boxes)
        }
        for key, group in entering.items():
            group.sort(key=lambda route: place[route.arrow.source])
            limit = self.sizes[key][0] / 2 - _SPREAD
            for number, route in enumerate(reversed(group)):
                aside = _SPREAD * ((number + 1) // 2)
                route.aside = max(-limit, min(limit, -aside if number % 2 else aside))
                for wire in route.wires:
                    wire.main = number == 0

    def _wired(self, route: _Route) -> list[Path]:
        """Give a route its wires, and return their levels."""
        key = self.beside.get(route.arrow.source, route.arrow.source)
        source, target = self.boxes[key], self.boxes[route.arrow.target]
        common = len(common_path([source.path, target.path]))
        ups, downs = around(source.path)[common:][::-1], around(target.path)[common:]
        leaving = [self.items[key], *(self.items[path] for path in ups)]
        entering = [*(self.items[path] for path in downs), self.items[target.key]]
        route.wires = [Wire(item, None) for item in leaving[:-1]]
        route.wires.append(Wire(leaving[-1], entering[0]))
        route.wires += [Wire(None, item) for item in entering[1:]]
        return [*ups, source.path[:common], *downs]

    def _arranged(self, path: Path, items: list[Item], here: list[tuple[_Route, int]]) -> Level:
        """Arrange one module, and give its item in the module around it that size."""
        for route, number in here:
            self._join(route, number)
        level = Level(items, [route.wires[number] for route, number in here])
        level.arrange()
        if path:
            item = self.items[path]
            title = title_width(self.scene, path)
            if self.turned:
                level.height = max(level.height, title)
            else:
                entering = [wire.points[0][0] for wire in level.wires if not wire.source]
                level.widen(*beside_title(level.width, entering, title))
            item.width = level.width + self.pad_left + MARGIN
            item.height = level.height + self.pad_top + MARGIN
            item.axis = item.width / 2
        return level

    def _join(self, route: _Route, number: int) -> None:
        """Set where a wire leaves and enters its items: the wires inside them end there."""
        wire, last = route.wires[number], len(route.wires) - 1
        if wire.source:
            side = self.sides.get(route.arrow.source)
            wire.out = wire.source.axis + route.shift
            if number == 0 and side is not None:
                wire.out = _GUTTER / 2 if side == _LEFT else wire.source.width - _GUTTER / 2
            elif number > 0:
                wire.out = route.wires[number - 1].points[-1][0] + self.pad_left
        if wire.target:
            wire.into = wire.target.axis + route.aside
            if number < last:
                wire.into = route.wires[number + 1].points[0][0] + self.pad_left

    # places

    def _put(self, path: Path, items: list[Item]) -> None:
        """Place the contents of a module whose own origin is known."""
        left, top = self.origins[path]
        for item in items:
            x, y = left + item.x, top + item.y
            if isinstance(item.key, tuple):
                self.origins[item.key] = (x + self.pad_left, y + self.pad_top)
                continue
            middle = y + item.height / 2
            self.places[item.key] = (round(x + item.axis, 2), round(middle, 2))
            for side in (_LEFT, _RIGHT):
                self._put_column(item.key, side, x + item.axis, middle)

    def _put_column(self, key: str, side: int, axis: float, middle: float) -> None:
        """Place the parameters at one side of an operation."""
        border = axis + side * (self.sizes[key][0] / 2 + self.gap)
        top = middle - self._column_size(key, side)[1] / 2
        for box in self.columns.get((key, side), ()):
            width, height = self.sizes[box.key]
            x, y = border + side * width / 2, top + height / 2
            self.places[box.key] = (round(x, 2), round(y, 2))
            top += height + _SPREAD

    def _frame(self, path: Path) -> tuple[float, float, float, float]:
        left, top = self.origins[path]
        item = self.items[path]
        x, y = left - self.pad_left, top - self.pad_top
        return round(x, 2), round(y, 2), round(item.width, 2), round(item.height, 2)

    # curves

    def _curve(self, route: _Route, paths: list[Path]) -> list[Point]:
        """The Bézier curve of an arrow, from border to border."""
        (from_x, from_y), (to_x, to_y) = (
            self.places[key] for key in (route.arrow.source, route.arrow.target)
        )
        from_size, to_size = self.sizes[route.arrow.source], self.sizes[route.arrow.target]
        side = self.sides.get(route.arrow.source, 0)
        if not paths:
            limit = to_size[1] / 2 - 4
            down = max(-limit, min(limit, from_y - to_y + route.shift))
            end = (to_x + side * to_size[0] / 2, to_y + down)
            return sideways((from_x - side * from_size[0] / 2, from_y + route.shift), end)
        points = []
        for wire, path in zip(route.wires, paths, strict=True):
            left, top = self.origins[path]
            points += [(left + x, top + y) for x, y in wire.points]
        points.append((points[-1][0], to_y - to_size[1] / 2))
        below = (points[0][0], from_y + from_size[1] / 2)
        if not side:
            return smooth([below, *points])
        start, corner = (from_x + side * from_size[0] / 2, from_y), (below[0], from_y)
        return [*rounded([start, corner, corner]), *smooth([below, *points])]
