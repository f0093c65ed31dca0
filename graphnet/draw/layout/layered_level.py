"""One level of the built-in ranker: the direct contents of one module, set in layers.

Wires run straight down through layers and move sideways only in the gaps between them, so none
runs through an item; if the way down is blocked, a wire takes a lane beside all items.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from graphnet.draw.scene.scene import Path

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Point

Key = str | Path

_GAP_X, _GAP_Y = 16.0, 26.0
_LANE, _LANES = 6.0, 24
_CLEAR = 4.0  # the distance that a wire keeps from an item beside it
_SWEEPS = 4
_FAR = 40  # layers; a longer wire takes a lane right away, so that the time stays linear
_LIGHT = 1e-6  # an item without inputs gives way to one with inputs


@dataclass(eq=False)
class Item:
    """A box with what stands beside it, or a whole module; wires prefer to enter at `axis`."""

    key: Key
    width: float
    height: float
    axis: float
    x: float = 0
    y: float = 0
    layer: int = 0

    @property
    def right(self) -> float:
        """The right end."""
        return self.x + self.width


@dataclass(eq=False)
class Wire:
    """The part of an arrow that lies in one level.

    Attributes:
        source: the item that it leaves; None if it enters the level from above.
        target: the item that it enters; None if it leaves the level below.
        out: where it leaves the source, measured from its left end.
        into: where it enters the target, measured from its left end.
        main: whether it enters its box in the middle; such wires are made straight first.
        points: the points it passes, filled in by `Level.arrange`.
    """

    source: Item | None
    target: Item | None
    out: float = 0
    into: float = 0
    main: bool = True
    points: list[Point] = field(default_factory=list)


class Level:
    """Items and wires; `arrange` places them, starting at (0, 0).

    Args:
        items: in the order of the list.
        wires: between them.
    """

    def __init__(self, items: list[Item], wires: list[Wire]) -> None:
        self.items = items
        self.wires = wires
        self.width = self.height = 0.0
        self._before: dict[Item, list[Wire]] = defaultdict(list)
        self._after: dict[Item, list[Wire]] = defaultdict(list)
        self._fed = {wire.target for wire in wires}
        self._layers: list[list[Item]] = []
        self._lefts: list[list[float]] = []
        self._tops: list[float] = []
        self._bottoms: list[float] = []

    def arrange(self) -> None:
        """Place all items, and route all wires."""
        self._rank(self._sorted())
        self._order()
        self._settle()
        self._stack()
        self._route()

    def widen(self, left: float, right: float) -> None:
        """Leave more space at the left and at the right of everything."""
        self._shift(left)
        self.width += left + right

    def _shift(self, right: float) -> None:
        for item in self.items:
            item.x += right
        for wire in self.wires:
            wire.points = [(x + right, y) for x, y in wire.points]

    # layers

    def _sorted(self) -> list[Item]:
        """The items, each after those that it reads; those that read in circles as listed."""
        place = {item: number for number, item in enumerate(self.items)}
        readers: dict[Item, list[Item]] = defaultdict(list)
        waiting = dict.fromkeys(self.items, 0)
        for wire in self.wires:
            if wire.source and wire.target and wire.source is not wire.target:
                readers[wire.source].append(wire.target)
                waiting[wire.target] += 1
        ready = [place[item] for item in self.items if not waiting[item]]
        heapify(ready)
        found: dict[Item, None] = {}
        for item in self.items:
            if not ready and item not in found:
                heappush(ready, place[item])  # the first of a circle
            while ready:
                next_one = self.items[heappop(ready)]
                if next_one in found:
                    continue
                found[next_one] = None
                for reader in readers[next_one]:
                    waiting[reader] -= 1
                    if not waiting[reader]:
                        heappush(ready, place[reader])
        return list(found)

    def _rank(self, items: list[Item]) -> None:
        """Layers by the longest path; an item without inputs stands just above its reader."""
        place = {item: number for number, item in enumerate(items)}
        pulling: dict[tuple[Item, Item, float], Wire] = {}
        for wire in self.wires:
            if wire.source and wire.target and place[wire.source] < place[wire.target]:
                ends = (wire.source, wire.target, wire.out)  # of wires leaving as one, one pulls
                if ends not in pulling or (wire.main and not pulling[ends].main):
                    pulling[ends] = wire
        for (source, target, _), wire in pulling.items():
            self._before[target].append(wire)
            self._after[source].append(wire)
        for item in items:
            above = [wire.source.layer for wire in self._before[item] if wire.source]
            item.layer = max(above, default=-1) + 1
        for item in items:
            below = [wire.target.layer for wire in self._after[item] if wire.target]
            if item not in self._fed and below:
                item.layer = min(below) - 1
        self._layers = [[] for _ in range(max((item.layer for item in items), default=-1) + 1)]
        for item in self.items:
            self._layers[item.layer].append(item)

    def _order(self) -> None:
        """Sort each layer by the middle of its neighbours, alternately downwards and upwards."""
        spot: dict[Item, float] = {}
        for layer in self._layers:
            spot |= {item: place - len(layer) / 2 for place, item in enumerate(layer)}
        for sweep in range(_SWEEPS):
            for layer in self._layers if sweep % 2 == 0 else reversed(self._layers):
                if len(layer) > 1:
                    wishes = {item: self._middle(item, sweep % 2 == 0, spot) for item in layer}
                    layer.sort(key=wishes.__getitem__)
                    spot |= {item: place - len(layer) / 2 for place, item in enumerate(layer)}

    def _middle(self, item: Item, down: bool, spot: dict[Item, float]) -> float:
        wires = self._before[item] if down else self._after[item]
        ends = [wire.source if down else wire.target for wire in wires]
        found = [spot[end] for end in ends if end]
        return sum(found) / len(found) if found else spot[item]

    # places

    def _settle(self) -> None:
        """Move each item as close to its neighbours as those beside it allow."""
        for layer in self._layers:
            self._place(layer, dict.fromkeys(layer, 0.0))
        for down in (True, False, True):
            for layer in self._layers if down else reversed(self._layers):
                self._place(layer, {item: self._wish(item, down) for item in layer})

    def _wish(self, item: Item, down: bool) -> float:
        """Where the axis of an item would make its wires straight."""
        wires = self._before[item] if down else self._after[item]
        if down:  # an item without inputs does not pull, unless it is the only one
            wires = [wire for wire in wires if wire.source in self._fed] or wires
        found = []
        for wire in wires:
            end = wire.source if down else wire.target
            if end:
                shift = wire.out - wire.into if down else wire.into - wire.out
                found.append(end.x + shift + item.axis)
        return sum(found) / len(found) if found else item.x + item.axis

    def _place(self, layer: list[Item], wishes: dict[Item, float]) -> None:
        """The places closest to the wishes that keep order and distance: isotonic regression."""
        offset, offsets = 0.0, []
        blocks: list[list[float]] = []  # weighted sum, weight, number of items
        for item in layer:
            offset += item.axis
            weight = 1.0 if item in self._fed else _LIGHT
            blocks.append([(wishes[item] - offset) * weight, weight, 1])
            while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
                last = blocks.pop()
                blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
            offsets.append(offset)
            offset += item.width - item.axis + _GAP_X
        spots = [total / weight for total, weight, number in blocks for _ in range(int(number))]
        for item, spot, shift in zip(layer, spots, offsets, strict=True):
            item.x = round(spot + shift - item.axis, 2)

    def _stack(self) -> None:
        """Set the layers one below the other."""
        top = 0.0
        for layer in self._layers:
            height = max(item.height for item in layer)
            for item in layer:
                item.y = top + (height - item.height) / 2
            self._tops.append(top)
            self._bottoms.append(top + height)
            self._lefts.append([item.x for item in layer])
            top += height + _GAP_Y
        self.height = max(0.0, top - _GAP_Y)

    # wires

    def _route(self) -> None:
        """Route each wire, then shift everything so that the left end is at 0."""
        left = min((item.x for item in self.items), default=0)
        right = max((item.right for item in self.items), default=0)
        lanes: dict[bool, list[int]] = {True: [], False: []}
        for wire in sorted(self.wires, key=lambda wire: wire.source.layer if wire.source else -1):
            wire.points = self._straight(wire) or self._by_lane(wire, left, right, lanes)
        first = left - _LANE * (len(lanes[True]) + 1) * bool(lanes[True])
        last = right + _LANE * (len(lanes[False]) + 1) * bool(lanes[False])
        self._shift(-first)
        self.width = last - first

    def _ends(self, wire: Wire) -> tuple[float | None, float | None, int, int]:
        """Where a wire leaves and enters, and the layers that it leaves and enters."""
        source, target = wire.source, wire.target
        start = source.x + wire.out if source else None
        end = target.x + wire.into if target else None
        above = source.layer if source else -1
        return start, end, above, target.layer if target else len(self._layers)

    def _straight(self, wire: Wire) -> list[Point]:
        """A way straight down from the start or to the end, if nothing stands there."""
        start, end, above, below = self._ends(wire)
        if above >= below or below - above > _FAR:
            return []
        for x in (end, start):
            if x is not None and all(self._free(x, layer) for layer in range(above + 1, below)):
                return self._down(start, end, x, above, below)
        return []

    def _free(self, x: float, layer: int) -> bool:
        place = bisect_right(self._lefts[layer], x + _CLEAR) - 1
        return place < 0 or self._layers[layer][place].right < x - _CLEAR

    def _down(
        self, start: float | None, end: float | None, x: float, above: int, below: int
    ) -> list[Point]:
        """From below one layer to above another, at x in between."""
        first = 0.0 if above < 0 else self._bottoms[above]
        last = self.height if below == len(self._layers) else self._tops[below]
        points = [(x if start is None else start, first)]
        if below > above + 1:
            points += [(x, self._tops[above + 1]), (x, self._bottoms[below - 1])]
        elif below <= above:  # upwards, in a circle of modules
            points += [(x, first), (x, last)]
        return [*points, (x if end is None else end, last)]

    def _by_lane(
        self, wire: Wire, left: float, right: float, lanes: dict[bool, list[int]]
    ) -> list[Point]:
        """A way beside all items: in the first free lane, on the nearer side."""
        start, end, above, below = self._ends(wire)
        ends = [x for x in (start, end) if x is not None]
        on_left = sum(ends) / max(1, len(ends)) * 2 <= left + right
        used, upper, lower = lanes[on_left], min(above, below), max(above, below)
        lane = next((number for number, until in enumerate(used) if until < upper), len(used))
        if lane == _LANES:
            lane = used.index(min(used))
        elif lane == len(used):
            used.append(lower)
        used[lane] = max(used[lane], lower)
        x = left - _LANE * (lane + 1) if on_left else right + _LANE * (lane + 1)
        return self._down(start, end, x, above, below)
