"""Ports: where the arrows around an opened box go on inside of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from graphnet.draw.scene.grouping import LEAVES
from graphnet.draw.scene.scene import Arrow, Box, Scene

if TYPE_CHECKING:
    from graphnet.graph import Node

Reads = Mapping["Node", Sequence[tuple[Box, Arrow]]]
"""What each node reads: the box of a node, and the arrow from it."""


def reads_of(whole: Scene) -> dict[Node, list[tuple[Box, Arrow]]]:
    """What each node reads, from the scene of a list with nothing folded."""
    boxes = whole.by_key
    found: dict[Node, list[tuple[Box, Arrow]]] = {}
    for arrow in whole.arrows:
        found.setdefault(boxes[arrow.target].nodes[0], []).append((boxes[arrow.source], arrow))
    return found


class Ports:
    """The ports of a box that is opened, and their arrows.

    Args:
        box: the box.
        inner: the boxes inside.
        twins: for each node of further copies, the same one inside.
        outer: the boxes and arrows around it.
        beyond: the nodes that each port of the view around stands for.
        reads: what each node reads.

    Attributes:
        before: the ports of what is read from outside.
        after: the ports of what is read outside.
        arrows: from and to ports.
        entrances: for each arrow that ends at the box, its place and the key of its port.
        exits: for each arrow that starts at the box, its place and the key of its port.
        beyond: the nodes outside that each port stands for.
    """

    def __init__(
        self,
        box: Box,
        inner: Iterable[Box],
        twins: Mapping[Node, Node],
        outer: Scene,
        beyond: Mapping[str, Sequence[Node]],
        reads: Reads,
    ) -> None:
        self.before: list[Box] = []
        self.after: list[Box] = []
        self.arrows: list[Arrow] = []
        self.entrances: dict[int, str] = {}
        self.exits: dict[int, str] = {}
        self.beyond: dict[str, Sequence[Node]] = {}
        self._reads = reads
        self._owner = {node: each.key for each in inner for node in each.nodes}
        self._owner |= {twin: self._owner[node] for twin, node in twins.items()}
        outside = outer.by_key
        for place, arrow in enumerate(outer.arrows):
            if arrow.target == box.key:
                source = outside[arrow.source]
                self._enter(place, source, beyond.get(source.key, source.nodes))
            elif arrow.source == box.key:
                target = outside[arrow.target]
                self._leave(place, beyond.get(target.key, target.nodes))
        self._enter_unseen()

    def _enter(self, place: int, source: Box, nodes: Sequence[Node]) -> None:
        """The port of an arrow that ends at the box."""
        key, known = f"i{place}", set(nodes)
        name = source.name if source.key in self.beyond or not source.nodes else source.lines[0]
        if self._lead(key, name, [each for each in self._incoming() if each[0].nodes[0] in known]):
            self.entrances[place] = key
            self.beyond[key] = nodes

    def _enter_unseen(self) -> None:
        """The ports of what is read without an arrow around: folded modules share by letters."""
        seen = {node for nodes in self.beyond.values() for node in nodes}
        unseen: dict[str, list[tuple[Box, Arrow, str]]] = {}
        for box, arrow, target in self._incoming():
            if box.nodes[0] not in seen:
                unseen.setdefault(box.key, []).append((box, arrow, target))
        for number, found in enumerate(unseen.values()):
            box = found[0][0]
            self._lead(f"u{number}", box.full_name, found)
            self.beyond[f"u{number}"] = box.nodes

    def _incoming(self) -> list[tuple[Box, Arrow, str]]:
        """Each read of something outside: the box of what is read, the arrow, the inner reader."""
        return [
            (box, arrow, key)
            for node, key in self._owner.items()
            for box, arrow in self._reads.get(node, ())
            if box.nodes[0] not in self._owner
        ]

    def _lead(self, key: str, name: str, found: Sequence[tuple[Box, Arrow, str]]) -> bool:
        """Make a port with an arrow to each reader; False if there is none."""
        arrows = {target: replace(arrow, source=key, target=target) for _, arrow, target in found}
        if arrows:
            self.before.append(Box(key, "operation", name))
            self.arrows += arrows.values()
        return bool(arrows)

    def _leave(self, place: int, nodes: Sequence[Node]) -> None:
        """The port of an arrow that starts at the box; arrows of the same values share one."""
        read = [
            box
            for reader in nodes
            for box, _ in self._reads.get(reader, ())
            if box.nodes[0] in self._owner
        ]
        sources = dict.fromkeys(self._owner[box.nodes[0]] for box in read)
        for port in self.after:
            if [arrow.source for arrow in self.arrows if arrow.target == port.key] == [*sources]:
                self.exits[place] = port.key
                self.beyond[port.key] = [*self.beyond[port.key], *nodes]
                return
        if sources:
            key = f"o{place}"
            leaves = dict.fromkeys(box.name for box in read if box.kind in LEAVES)
            shared = len(leaves) == len({box.key for box in read})
            self.after.append(Box(key, "operation", ", ".join(leaves) if shared else "output"))
            self.arrows += [Arrow(each, key) for each in sources]
            self.exits[place] = key
            self.beyond[key] = nodes
