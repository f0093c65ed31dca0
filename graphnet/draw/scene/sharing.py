"""What is shared: parameters that are used more than once, those of one module together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from graphnet.draw.scene.layers import layer_call
from graphnet.errors import counted
from graphnet.graph import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphnet.draw.scene.scene import Path
    from graphnet.graph import Graph, Node


def shared_by(graph: Graph) -> tuple[dict[Node, int], list[str]]:
    """Which parameters are shared, as numbers from 0, and a sentence for each number.

    Parameters of a module that are all used equally often have one number: the module as a whole is
    used that often. Reads by derivatives do not count as uses.
    """
    paths: dict[Node, Path] = {
        node: tuple(graph.name_of(node).split(".")) for node in graph.parameters()
    }
    uses = _uses(graph, paths)
    groups: dict[Path, list[Node]] = {}
    for node in paths:
        if uses[node] > 1:
            groups.setdefault(_sharing_module(node, paths, uses), []).append(node)
    numbers = {node: number for number, nodes in enumerate(groups.values()) for node in nodes}
    sentences = [_sentence(path, nodes, uses[nodes[0]]) for path, nodes in groups.items()]
    return numbers, sentences


def _uses(graph: Graph, paths: Mapping[Node, Path]) -> Mapping[Node, int]:
    """How often each parameter is used; what one call of a layer reads is one use.

    A buffer, such as a running mean, may be read several times in one use of its module: it counts
    like the parameters beside it, if there are any.
    """
    uses: Counter[Node] = Counter()
    seen: set[tuple[Node, object]] = set()
    for node in graph:
        user = None if is_derived(node) else layer_call(graph, node)
        for source in () if is_derived(node) else node.inputs:
            if user is None or (source, user) not in seen:
                uses[source] += 1
                seen.add((source, user))
    learned = {paths[each][:-1]: uses[each] for each in graph.parameters() if not each.is_buffer}
    for each in graph.parameters():
        if each.is_buffer:
            uses[each] = learned.get(paths[each][:-1], uses[each])
    return uses


def is_derived(node: Node) -> bool:
    """True for a node that is part of a derivative."""
    return isinstance(node, Operation) and node.derived


def _sharing_module(node: Node, paths: Mapping[Node, Path], uses: Mapping[Node, int]) -> Path:
    """The largest module around a parameter whose parameters are all used as often as it."""
    own = paths[node]
    for depth in range(1, len(own)):
        inside = [each for each, path in paths.items() if path[:depth] == own[:depth]]
        if all(uses[each] == uses[node] for each in inside):
            return own[:depth]
    return own


def _sentence(path: Path, nodes: Sequence[Node], uses: int) -> str:
    name, often = ".".join(path), counted(uses, "time")
    what = "it is" if len(nodes) == 1 else f"its {len(nodes):,} parameter tensors are"
    return f"{name} is shared: {what} used {often}"
