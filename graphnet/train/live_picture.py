"""The picture of a training run that goes on: curves and bars as SVG, small and quick to make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

from graphnet.notebook import framed

WIDTH, HEIGHT = 340, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 30, 26
"""The margins around a plot."""

_NAME = 45  # how far the name of the axis reaches

POINTS = 200  # of a curve; of more, each point is the mean of several
BARS, ROW = 14, 13  # the most bars, and the height of one
LARGEST = 1e300  # values beyond, and NaN, are gaps
DECADES = 1.5  # how many powers of 10 the values of a panel must span for a logarithmic axis

_STYLE = (
    "<style>.graphnet .panels{display:flex;flex-wrap:wrap;align-items:flex-start;gap:4px 18px}"
    f".graphnet .panels svg{{flex:1 1 300px;max-width:{WIDTH + 60}px;height:auto}}"
    ".panels text{fill:currentColor;font:11px system-ui,sans-serif}"
    ".panels .t{font-size:13px;font-weight:600}"
    ".panels path{fill:none;stroke-width:1.8;stroke-linejoin:round}"
    ".panels .g{stroke:currentColor;opacity:.18;stroke-width:1}"
    ".panels .p0{color:light-dark(#1f5fa8,#7fb4ee)}"
    ".panels .p1{color:light-dark(#b85a00,#f0a45c)}"
    ".panels .p2{color:light-dark(#6b7680,#98a4ae)}"
    ".panels path.p0,.panels path.p1,.panels path.p2{stroke:currentColor}"
    ".panels path.p2{stroke-width:1}"
    ".panels rect,.panels circle{fill:currentColor}"
    "</style>"
)


@dataclass(frozen=True)
class Curve:
    """A line through points.

    Attributes:
        name: what it is.
        x: where the points are, in epochs.
        y: the values; the line has gaps where they are not finite.
        look: its colour: 0 and 1 for results, 2 for what is in the background.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    look: int


def page(header: str, panels: Iterable[str], remarks: Sequence[str]) -> str:
    """One output of a notebook: a line, panels side by side, and a list of remarks."""
    items = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    below = f"<ul>{items}</ul>" if items else ""
    return framed(
        _STYLE, f"<p>{escape(header)}</p>", f'<div class="panels">{"".join(panels)}</div>{below}'
    )


def curves_panel(title: str, curves: Sequence[Curve]) -> str:
    """Curves over the epochs."""
    thin = [_thinned(curve) for curve in curves]
    points = [
        (x, y) for curve in thin for x, y in zip(curve.x, curve.y, strict=True) if abs(y) < LARGEST
    ]
    if not points:
        points = [(0.0, 0.0), (1.0, 1.0)]
    across = _Axis.of([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = _Axis.of([y for _, y in points], HEIGHT - BOTTOM, TOP, may_be_log=True)
    parts = [f'<text class="t" x="{LEFT}" y="16">{escape(title)}</text>']
    for value in up.ticks():
        y = up.at(value)
        parts.append(f'<path class="g" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for value in across.ticks():
        x = across.at(value)
        if value == round(value) and x > LEFT + _NAME:
            parts.append(
                f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{value:g}</text>'
            )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 10}">epoch</text>')
    parts += [_path(curve, across, up) for curve in thin]
    parts += _legend(thin)
    return _svg(title, HEIGHT, parts)


def bars_panel(title: str, bars: Sequence[tuple[str, float]]) -> str:
    """A bar for each of some sizes, on a logarithmic scale."""
    chosen = _chosen(bars)
    finite = [size for _, size in chosen if isfinite(size) and size > 0]
    low = floor(log10(min(finite))) if finite else 0
    high = max(ceil(log10(max(finite))) if finite else 1, low + 1)
    name_width = 120
    parts = [f'<text class="t" x="0" y="16">{escape(title)}</text>']
    for place, (name, size) in enumerate(chosen):
        y = TOP + place * ROW
        short = name if len(name) <= 18 else f"…{name[-17:]}"
        parts.append(
            f'<text x="{name_width - 6}" y="{y + 9}" text-anchor="end">{escape(short)}</text>'
        )
        share = (log10(size) - low) / (high - low) if size > 0 and isfinite(size) else 0.0
        length = max(1.0, share * (WIDTH - name_width - 62))
        look = "p0" if size > 0 and isfinite(size) else "p1"
        parts.append(
            f'<rect class="{look}" x="{name_width}" y="{y}" width="{length:.1f}" height="9"/>'
        )
        parts.append(f'<text x="{name_width + length + 6:.1f}" y="{y + 9}">{size:.1e}</text>')
    return _svg(title, TOP + len(chosen) * ROW + 8, parts)


def _chosen(bars: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The bars; of too many, some evenly from the first to the last."""
    count = min(len(bars), BARS)
    last = len(bars) - 1
    return [bars[round(place * last / max(1, count - 1))] for place in range(count)]


def _svg(title: str, height: float, parts: Iterable[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}">{"".join(parts)}</svg>'
    )


def _path(curve: Curve, across: _Axis, up: _Axis) -> str:
    """The line of a curve, with a dot where a point stands alone."""
    text, pen = "", "M"
    for x, y in zip(curve.x, curve.y, strict=True):
        if not abs(y) < LARGEST or (up.is_log and y <= 0):
            pen = "M"
            continue
        text += f"{pen}{across.at(x):.1f} {up.at(y):.1f}"
        pen = "L"
    line = f'<path class="p{curve.look}" d="{text}"/>' if text else ""
    if len(curve.x) == 1 and text:
        x, y = across.at(curve.x[0]), up.at(curve.y[0])
        line += f'<circle class="p{curve.look}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'
    return line


def _legend(curves: Sequence[Curve]) -> list[str]:
    """The names of the curves in their colours, from the right."""
    parts, x = [], float(WIDTH - RIGHT)
    for curve in reversed(curves):
        parts.append(
            f'<text class="p{curve.look}" x="{x:.0f}" y="16" text-anchor="end">'
            f"{escape(curve.name)}</text>"
        )
        x -= 6.2 * len(curve.name) + 12
    return parts


def thinned(values: Sequence[float]) -> tuple[list[int], list[float]]:
    """A few points for many values: the place of the last value of each group, and their mean.

    >>> thinned([3.0, 5.0])
    ([0, 1], [3.0, 5.0])
    """
    count = len(values)
    size = max(1, ceil(count / POINTS))
    groups = [(start, min(start + size, count)) for start in range(0, count, size)]
    means = [sum(values[start:end]) / (end - start) for start, end in groups]
    return [end - 1 for _, end in groups], means


def _thinned(curve: Curve) -> Curve:
    """A curve of few points."""
    places, means = thinned(curve.y)
    return Curve(curve.name, [curve.x[place] for place in places], means, curve.look)


@dataclass(frozen=True)
class _Axis:
    """Where values are in a picture.

    Attributes:
        low: the value at the start.
        high: the value at the end.
        start: where that is.
        end: where that is.
        is_log: True if equal ratios are equal distances.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    @classmethod
    def of(
        cls, values: Sequence[float], start: float, end: float, may_be_log: bool = False
    ) -> _Axis:
        """An axis that holds all values."""
        low, high = min(values), max(values)
        if may_be_log and low > 0 and log10(high) - log10(low) > DECADES:
            return cls(low, high, start, end, True)
        if low == high:
            low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
        room = 0.04 * (high - low) if may_be_log else 0.0
        return cls(low - room, high + room, start, end)

    def at(self, value: float) -> float:
        """Where a value is."""
        if self.is_log:
            low, high = log10(self.low), log10(self.high)
            share = (log10(value) - low) / (high - low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values along the axis, up to about six."""
        if self.is_log:
            first, last = ceil(log10(self.low)), floor(log10(self.high))
            step = max(1, ceil((last - first) / 5))
            powers = [10.0**power for power in range(first, last + 1, step)]
            return powers if len(powers) > 1 else [*powers, *self._halves(first, last)]
        rough = (self.high - self.low) / 5
        unit = 10.0 ** floor(log10(rough))
        step_size = next(unit * each for each in (1, 2, 5, 10) if unit * each >= rough)
        first = ceil(self.low / step_size - 1e-9)
        last = floor(self.high / step_size + 1e-9)
        return [place * step_size for place in range(first, last + 1)]

    def _halves(self, first: int, last: int) -> list[float]:
        """Twice and five times a power of 10, where there is only one power."""
        values = [each * 10.0**power for power in range(first - 1, last + 1) for each in (2, 5)]
        return [each for each in values if self.low <= each <= self.high]
