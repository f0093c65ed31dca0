"""Frames: a picture for each step of a walk, all with one layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphnet.console_text import Text
from graphnet.draw.drawing import mimebundle
from graphnet.draw.layout.engines import laid_out
from graphnet.draw.png import png_of
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.draw.svg.paint import Look, Painter
from graphnet.draw.svg.values import Value, reserve_space, value_of
from graphnet.errors import GraphError, counted
from graphnet.files import replace_file
from graphnet.graph import Operation
from graphnet.listing.norm import norm
from graphnet.validation import require_flags, require_range

if TYPE_CHECKING:
    from graphnet.draw.layout.geometry import Layout
    from graphnet.draw.scene.scene import Box, Scene
    from graphnet.graph import Node
    from graphnet.stepping.walk import Event, Walk

_MOST_NORMS = 3  # beside one arrow
_LABELS = {"forward": "top", "backward": "grad"}


class Frames(Sequence[str]):
    """The pictures of a walk, as SVG texts: one for each event, or for all in one folded box.

    The boxes show what has been computed so far; the box of the current step has a ring. In a
    forward step the arrows that it reads along are lit; in a backward step those along which it
    sends a gradient, or receives one from each use if it is a parameter or input, with their norms.

    Args:
        walk: what happens; it is run to its end.
        depth: how deep modules are opened, with each layer as one box; None steps through a small
            list node by node, and folds what does not fit on a screen, as `graph.draw` does.
        every_node: True for a box and a picture for each node, whatever the size of the list.
        engine: what lays out the picture; None takes the best one here.

    Attributes:
        events: what happened, node by node.
        steps: the events of each picture.

    Raises:
        GraphError: the depth is not an integer of 0 or more, or every_node is neither True nor
            False.
    """

    def __init__(
        self,
        walk: Walk,
        *,
        depth: int | None = None,
        every_node: bool = False,
        engine: str | None = None,
    ) -> None:
        require_flags(every_node=every_node)
        self.walk = walk.run()
        self.events: list[Event] = self.walk.events
        scene = folded(scene_of(walk.graph, walk.loss), depth, every_node=every_node)
        self._boxes: dict[Node, Box] = {node: box for box in scene.boxes for node in box.nodes}
        self.steps = self._steps()
        self.scene: Scene = reserve_space(scene, self._values(len(self.steps) - 1))
        self.layout: Layout = laid_out(self.scene, engine)
        self._painter = Painter(self.scene, self.layout, both_ways=True)

    def _steps(self) -> list[list[Event]]:
        """The events of each picture: those of the nodes of one box in one direction."""
        steps: dict[tuple[str, str], list[Event]] = {}
        for event in self.events:
            steps.setdefault((event.phase, self._boxes[event.node].key), []).append(event)
        return list(steps.values())

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self.svg(each) for each in range(*number.indices(len(self)))]
        return self.svg(number)

    def __repr__(self) -> str:
        pictures, events = counted(len(self), "picture"), counted(len(self.events), "event")
        return f"<Frames: {pictures} of {events} in {len(self.scene):,} boxes>"

    def svg(self, number: int) -> str:
        """The picture after a step; -1 is the last.

        Raises:
            GraphError: there are not that many; it is an IndexError too.
        """
        number = self._place(number)
        step = self.steps[number]
        event, back = step[0], step[0].phase == "backward"
        labels = self._labels(step) if back else {}
        box = self._boxes[event.node]
        name = event.name if len(step) == 1 else box.full_name
        look = Look(
            title=f"Step {number + 1} of {len(self)}: {event.phase} at {name}",
            values=self._values(number),
            ring=box.key,
            lit=frozenset(labels) if back else frozenset(self._read(event)),
            backward=back,
            labels=labels,
            uid="walk",
        )
        return self._painter.painted(look)

    def caption(self, number: int) -> Text:
        """What happens in a step, as one line.

        Raises:
            GraphError: there are not that many steps.
        """
        number = self._place(number)
        first, *others = self.steps[number]
        what = first.sentence
        if others:
            places = sorted(event.place for event in self.steps[number])
            name = self._boxes[first.node].full_name
            nodes = counted(len(places), "node")
            what = f"{first.phase} {places[0]}…{places[-1]} {name!r}: {nodes}"
        return Text(f"Step {number + 1} of {len(self)}: {what}")

    def box(self, number: int) -> str:
        """The key of the box where a step happens."""
        return self._boxes[self.steps[self._place(number)][0].node].key

    def _place(self, number: Any) -> int:
        """The number of a step, counted from the start."""
        if not isinstance(number, int) or not -len(self) <= number < len(self):
            raise _NoSuchFrameError(
                f"The frames go from 0 to {len(self) - 1}, and -1 is the last; got {number!r}."
            )
        return number % len(self)

    # the values in the boxes, and on the arrows

    def _values(self, number: int) -> dict[str, list[Value]]:
        """What is known in each box after a step."""
        known = {key: {"top": value} for key, value in self._parameters.items()}
        for event in chain.from_iterable(self.steps[: number + 1]):
            value = self._described[event.number]
            if value is not None:
                known.setdefault(self._boxes[event.node].key, {})[value.label] = value
        return {key: list(values.values()) for key, values in known.items()}

    @cached_property
    def _parameters(self) -> dict[str, Value]:
        """What the boxes of parameters show from the start: their values already exist."""
        boxes = {node: self._boxes[node] for node in self.walk.graph.parameters()}
        return {
            box.key: value_of("top", node.top) for node, box in boxes.items() if len(box.nodes) == 1
        }

    @cached_property
    def _described(self) -> list[Value | None]:
        """What a box shows after each event; the walk keeps the tensors, which change no more.

        A folded box shows what its result is, and not what happens inside.
        """
        return [
            None
            if event.value is None or event.node is not self._boxes[event.node].result
            else value_of(_LABELS[event.phase], event.value)
            for event in self.events
        ]

    def _read(self, event: Event) -> Iterator[int]:
        """The arrows along which the box of an event reads, or is read if it is a leaf."""
        box = self._boxes[event.node]
        leaf = not any(node.inputs for node in box.nodes)
        for place, arrow in enumerate(self.scene.arrows):
            if box.key == (arrow.source if leaf else arrow.target):
                yield place

    def _labels(self, step: Sequence[Event]) -> dict[int, str]:
        """The norms of the gradients sent along arrows in a step."""
        norms: dict[tuple[str, str], list[float]] = defaultdict(list)
        for event in step:
            for other, grad in event.contributions:
                gives = isinstance(event.node, Operation)
                ends = (other, event.node) if gives else (event.node, other)
                source, target = (self._boxes[node].key for node in ends)
                norms[source, target].append(norm(grad))
        shares: dict[int, list[float]] = defaultdict(list)
        for pair, found in norms.items():
            places = self._between.get(pair, [])
            if len(places) == len(found):
                for place, each in zip(places, found, strict=True):
                    shares[place].append(each)
            else:  # a box of repetitions: its arrows stand for all of them
                shares.update(dict.fromkeys(places, found))
        return {place: _sum_of(shares[place]) for place in sorted(shares)}

    @cached_property
    def _between(self) -> dict[tuple[str, str], list[int]]:
        """The arrows from box to box, each as often as it stands for an input."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, arrow in enumerate(self.scene.arrows):
            found[arrow.source, arrow.target] += [place] * arrow.count
        return found

    # the frames in other formats

    def gif(self, path: str | Path, *, seconds: float = 0.8, scale: float = 1.0) -> None:
        """Write all frames as one animation, which repeats after the last frame.

        Args:
            path: the file, its suffix .gif.
            seconds: how long each frame is shown, in steps of 1/100.
            scale: pixels per point.

        Raises:
            GraphError: the suffix is another one, a number is out of range, or Pillow is not
                installed.
        """
        if Path(path).suffix.lower() != ".gif":
            raise GraphError(
                f"An animation is saved as .gif; got {Path(path).name!r}. frames.html(path) writes "
                "a page to step through."
            )
        require_range("gif: seconds", seconds, 0.01, 600)
        require_range("gif: scale", scale, 0.01)
        try:
            from PIL import Image
        except ImportError as error:
            raise GraphError("An animation needs Pillow: pip install 'graphnet[plot]'.") from error
        pictures = [Image.open(BytesIO(png_of(svg, scale))).convert("P") for svg in self]
        first, *others = pictures
        first.save(
            path, save_all=True, append_images=others, duration=round(1000 * seconds), loop=0
        )

    def html(self, path: str | Path) -> None:
        """Write one page, which needs nothing else, with the frames to step through.

        Raises:
            OSError: the file cannot be written, or its folder does not exist.
        """
        from graphnet.stepping.page import page_of

        replace_file(path, page_of(self).encode())

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """The page in a notebook, and the steps as a text."""
        from graphnet.stepping.page import lines_of, notebook_of

        makers = {"text/html": lambda: notebook_of(self), "text/plain": lambda: lines_of(self)}
        return mimebundle(makers, include, exclude)


class _NoSuchFrameError(GraphError, IndexError):
    """A missing frame; Python's loops end at an IndexError."""


def _sum_of(norms: Sequence[float]) -> str:
    """The text beside an arrow along which gradients of these norms are sent."""
    texts = [f"{each:.3g}" for each in norms[:_MOST_NORMS]]
    return " + ".join(texts + ["…"] * (len(norms) > _MOST_NORMS))
