"""A printed program: its text, and a description of what it computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.targets.js.assemble import Assembly
from graphnet.compile.targets.js.names import comment
from graphnet.compile.targets.js.open_batch import SIZES, opened
from graphnet.compile.targets.js.prelude import functions
from graphnet.errors import GraphError, ShapeError
from graphnet.graph import Node, Operation, Parameter

if TYPE_CHECKING:
    from graphnet.compile.ir.build import Shapes
    from graphnet.graph import Graph
    from graphnet.optim.base import Optimizer


@dataclass(frozen=True)
class NodeDescription:
    """A node of the list, for what shows the program.

    Attributes:
        index: its place in the list.
        name: its name there.
        kind: "input", "parameter" or "operation".
        op: the name of its operation; "" for other nodes.
        inputs: the indices of the nodes that it is computed from.
        shape: the sizes, with "batch" for the open one.
        dtype: such as "float32".
        flows: True if it has a gradient.
        computed: True if the program computes it.
    """

    index: int
    name: str
    kind: str
    op: str
    inputs: tuple[int, ...]
    shape: tuple[int | str, ...]
    dtype: str
    flows: bool
    computed: bool


@dataclass(frozen=True)
class PrintedProgram:
    """A list in JavaScript.

    Attributes:
        source: the text: the functions that are called, and `createProgram(batch, state)`.
        nodes: the nodes of the list.
        parameters: the names of the arrays of `state` that must be given, and their sizes.
        state: those that `createProgram` makes if they are missing: first value and size.
        numbers: the numbers of the optimizer.
        is_open: True if it can be made for any size of the batch.
        batch: the size that it was printed for.
    """

    source: str
    nodes: tuple[NodeDescription, ...]
    parameters: dict[str, int]
    state: dict[str, tuple[float, int]]
    numbers: dict[str, float]
    is_open: bool
    batch: int


def printed(
    graph: Graph,
    loss: Node | None,
    optimizer: Optimizer | None,
    shapes: Shapes,
    outputs: Sequence[Node] = (),
) -> PrintedProgram:
    """A list as a program in JavaScript.

    Args:
        graph: the list.
        loss: the scalar to minimize; None for a program that only predicts.
        optimizer: what updates the parameters; None for no update.
        shapes: the shape of each fed tensor, for one size of the batch.
        outputs: further nodes to compute.

    Raises:
        GraphError: some operation has no form as loops; the message names the node.
    """
    try:
        return _printed(graph, loss, optimizer, shapes, outputs)
    except NotLowered as error:
        raise GraphError(
            f"This list cannot be printed as JavaScript: {error}. The walk and graph.compile "
            "compute it; a page cannot."
        ) from None


def _printed(
    graph: Graph, loss: Node | None, optimizer: Optimizer | None, shapes: Shapes, outputs: Sequence[Node]
) -> PrintedProgram:
    at = _open_inputs(graph, shapes)
    batch = next((shape[0] for name, shape in shapes.items() if shape and name in at), 1)

    def assembly(size: int) -> Assembly:
        sizes = {name: (size, *shape[1:]) if name in at else shape
                 for name, shape in shapes.items()}  # fmt: skip
        return Assembly(graph, loss, optimizer, outputs, sizes, size)

    first = assembly(batch)
    body = _open_text(assembly) if at else None
    lines = first.lines()
    is_open = body is not None
    if body is None:
        body = "\n".join([_refusal(batch), *lines])
    head = f"// {len(graph)} nodes, batch {'open' if is_open else batch}"
    inner = "\n".join("  " + line if line else "" for line in body.split("\n"))
    create = f"function createProgram(batch, state) {{\n{inner}\n}}"
    source = "\n\n".join(part for part in (functions(first.used), f"{head}\n{create}") if part)
    nodes = tuple(_description(graph, node, first, at if is_open else ()) for node in graph)
    return PrintedProgram(
        source + "\n", nodes, first.parameters, first.state, first.settings, is_open, batch
    )


def _open_inputs(graph: Graph, shapes: Shapes) -> list[str]:
    """The inputs whose first size is the batch."""
    found = [n.name for n in graph.inputs if n.shape[:1] == (None,) and n.name in shapes]
    sizes = {shapes[name][0] for name in found}
    return found if len(sizes) == 1 else []


def _open_text(assembly: Any) -> str | None:
    """The text for any size of the batch; None if it depends on the size in another way."""
    try:
        return opened(["\n".join(assembly(size).lines()) for size in SIZES])
    except (GraphError, NotLowered):
        return None


def _refusal(batch: int) -> str:
    return (
        f'if (batch !== {batch}) throw new RangeError("This program is for batches of {batch}; '
        'got " + batch);'
    )


def _description(
    graph: Graph, node: Node, assembly: Assembly, at: Sequence[str]
) -> NodeDescription:
    sizes = assembly.shape_of(node, bool(at))
    return NodeDescription(
        graph.index(node),
        graph.name_of(node),
        node.kind,
        node.op.name if isinstance(node, Operation) else "",
        tuple(graph.index(each) for each in node.inputs),
        sizes,
        str(node.dtype).removeprefix("torch."),
        node in assembly.flows,
        assembly.computes(node),
    )
