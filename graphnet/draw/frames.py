"""Frames: a picture for each event of a walk, all with one layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.draw.building import scene_of
from graphnet.draw.engines import laid_out
from graphnet.draw.fold import folded
from graphnet.draw.paint import Look, painted
from graphnet.draw.png import png_of
from graphnet.draw.strips import described, strip
from graphnet.draw.values import Value, roomy
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from graphnet.draw.geometry import Layout
    from graphnet.draw.scene import Scene
    from graphnet.draw.walk import Event, Walk
    from graphnet.graph import Node

__all__ = ["Frames"]


class Frames(Sequence[str]):
    """The pictures of a walk, as SVG texts.

    What has been computed so far stands in the boxes; the node of the event has a ring, and the
    arrows along which it reads or hands on are lit.

    Args:
        walk: what happened; it is run to its end.
        depth: how deep modules are opened; as far as there is room where None.
        engine: what lays the picture out; the best one here where None.
    """

    def __init__(self, walk: Walk, *, depth: int | None = None, engine: str | None = None) -> None:
        self.walk = walk.run()
        self.events: list[Event] = self.walk.events
        scene = folded(scene_of(walk.graph, walk.loss), depth)
        self._boxes = {
            node: box.key for box in scene.boxes for node in box.nodes if len(box.nodes) == 1
        }
        self._folded = {node: box.key for box in scene.boxes for node in box.nodes}
        self.scene: Scene = roomy(scene, self._values(len(self.events) - 1))
        self.layout: Layout = laid_out(self.scene, engine)

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self.svg(each) for each in range(*number.indices(len(self)))]
        return self.svg(number)

    def __iter__(self) -> Iterator[str]:
        return (self.svg(number) for number in range(len(self)))

    def svg(self, number: int) -> str:
        """The picture after an event; -1 is the last.

        Raises:
            IndexError: there are not as many.
        """
        number = range(len(self))[number]
        event = self.events[number]
        look = Look(
            title=f"Step {number + 1} of {len(self)}: {event.phase} at {event.name}",
            values=self._values(number),
            ring=self._folded.get(event.node),
            lit=frozenset(self._lit(event)),
            backward=event.phase == "backward",
            labels=self._labels(event),
            uid="walk",
        )
        return painted(self.scene, self.layout, look)

    def _values(self, number: int) -> dict[str, list[Value]]:
        """What is known in each box after an event."""
        known = {key: {"top": value} for key, value in self._parameters.items()}
        for event, value in zip(self.events[: number + 1], self._described, strict=False):
            key = self._boxes.get(event.node)
            if key is not None and value is not None:
                known.setdefault(key, {})[value.label] = value
        return {key: list(values.values()) for key, values in known.items()}

    @cached_property
    def _parameters(self) -> dict[str, Value]:
        """What the boxes of parameters say from the start: their values are there."""
        return {
            self._boxes[node]: Value("top", described(node.top), strip(node.top))
            for node in self.walk.graph.parameters()
            if node in self._boxes
        }

    @cached_property
    def _described(self) -> list[Value | None]:
        """What a box says after each event: the walk keeps the tensors, they change no more."""
        labels = {"forward": "top", "backward": "grad"}
        return [
            None
            if event.value is None
            else Value(labels[event.phase], described(event.value), strip(event.value))
            for event in self.events
        ]

    def _lit(self, event: Event) -> Iterator[int]:
        """The arrows along which the node of an event reads, or is handed its gradient."""
        key = self._folded.get(event.node)
        leaf = not event.node.inputs
        for place, arrow in enumerate(self.scene.arrows):
            if key == (arrow.source if leaf else arrow.target):
                yield place

    def _labels(self, event: Event) -> dict[int, str]:
        """Beside the arrows of a backward event, the norm of what is handed on."""
        handed = [(source, float(grad.norm())) for source, grad in event.contributions]
        labels: dict[int, str] = {}
        for place, arrow in enumerate(self.scene.arrows):
            if arrow.target != self._boxes.get(event.node):
                continue
            found = next((pair for pair in handed if self._is_at(pair[0], arrow.source)), None)
            if found is not None:
                handed.remove(found)
                labels[place] = f"{found[1]:.3g}"
        return labels

    def _is_at(self, node: Node, key: str) -> bool:
        return self._folded.get(node) == key

    def gif(self, path: str | Path, *, seconds: float = 0.8, scale: float = 1.0) -> None:
        """Write all frames as one moving picture, which starts again after the last.

        Raises:
            GraphError: Pillow is not installed.
        """
        try:
            from PIL import Image
        except ImportError as error:
            raise GraphError(
                "A moving picture needs Pillow: pip install 'graphnet[plot]'."
            ) from error
        pictures = [Image.open(BytesIO(png_of(svg, scale))).convert("P") for svg in self]
        first, *others = pictures
        first.save(
            path, save_all=True, append_images=others, duration=round(1000 * seconds), loop=0
        )

    def html(self, path: str | Path) -> None:
        """Write one page, which needs nothing else, with the frames to step through."""
        from graphnet.draw.page import page_of

        Path(path).write_text(page_of(self), encoding="utf-8")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The page in a notebook, and the events as a text."""
        from graphnet.draw.page import page_of

        text = "\n".join(map(str, self.events))
        return {"text/html": page_of(self, whole=False), "text/plain": text}
