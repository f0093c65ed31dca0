"""A printed program: its text, and a description of what it computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.targets.js.assemble import Assembly, Task
from graphnet.compile.targets.js.open_batch import SIZES, opened
from graphnet.compile.targets.js.prelude import functions
from graphnet.errors import FeedError, GraphError
from graphnet.graph import Input, Node, Operation
from graphnet.graph.derivatives import refuse_non_scalar
from graphnet.graph.walks import ancestors

if TYPE_CHECKING:
    from graphnet.graph import Graph
    from graphnet.optim.base import Optimizer

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class NodeDescription:
    """A node of the list, for what shows the program.

    Attributes:
        index: its place in the list.
        name: its name there.
        kind: "input", "parameter" or "operation".
        op: the name of its operation; "" for other nodes.
        inputs: the indices of the nodes that it is computed from.
        shape: the sizes, with "batch" for the open one; "?" for one of a node that is not computed.
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
        create: the text of the function `createProgram(batch, state)`, or of another name.
        used: the functions of the prelude that it calls.
        nodes: the nodes of the list.
        parameters: the names of the arrays of `state` that must be given, and their sizes.
        state: those that `createProgram` makes if they are missing: first value and size.
        numbers: the numbers of the optimizer.
        is_open: True if it can be made for any size of the batch.
        batch: the size that it was printed for.
    """

    create: str
    used: frozenset[str]
    nodes: tuple[NodeDescription, ...]
    parameters: dict[str, int]
    state: dict[str, tuple[float, int]]
    numbers: dict[str, float]
    is_open: bool
    batch: int

    @property
    def source(self) -> str:
        """The text: the functions that are called, and `createProgram(batch, state)`."""
        return source_of([self])


def source_of(programs: Sequence[PrintedProgram], also: Iterable[str] = ()) -> str:
    """The text of some programs, with the functions that they call, and further ones."""
    used = functions({*also, *(name for program in programs for name in program.used)})
    return "\n\n".join(part for part in (used, *(each.create for each in programs)) if part) + "\n"


def printed(
    graph: Graph,
    loss: Node | None,
    optimizer: Optimizer | None,
    shapes: Shapes,
    outputs: Sequence[Node] = (),
    name: str = "createProgram",
) -> PrintedProgram:
    """A list as a program in JavaScript.

    Args:
        graph: the list.
        loss: the scalar to minimize; None for a program that only predicts.
        optimizer: what updates the parameters; None for no update.
        shapes: the shape of each fed tensor, for one size of the batch: the first size of all
            inputs that leave it open.
        outputs: further nodes to compute.
        name: of the function.

    Raises:
        GraphError: something has no form in JavaScript; the message names it. Or the loss is not a
            single number, or a node is not in the list.
        FeedError: the shape of an input is missing.

    >>> import graphnet as gn
    >>> with gn.Graph() as graph:
    ...     x = gn.Input((None, 2), name="x")
    ...     y = x.exp()
    >>> program = printed(graph, None, None, {"x": (5, 2)}, [y])
    >>> program.is_open, program.nodes[1].shape
    (True, ('batch', 2))
    >>> print(program.source[program.source.index("  // 1:"):program.source.index("  return")])
      // 1: exp = exp(x)
      function forward_exp() {
        for (let i = 0; i < 2 * batch; i++) {
          exp[i] = Math.exp(x[i]);
        }
      }
    <BLANKLINE>
    <BLANKLINE>
    """
    _check(graph, loss, outputs, shapes)
    try:
        return _printed(Task(graph, loss, optimizer, outputs), shapes, name)
    except NotLowered as error:
        raise GraphError(
            f"A list becomes JavaScript if all its operations have a form as loops; got {error}. "
            "The walk and graph.compile compute it."
        ) from None


def _check(graph: Graph, loss: Node | None, outputs: Sequence[Node], shapes: Shapes) -> None:
    """Refuse what is not in the list, and inputs of unknown size."""
    targets = [*outputs] if loss is None else [loss, *outputs]
    for node in targets:
        graph.index(node)
    if loss is not None:
        refuse_non_scalar(loss, loss.shape)
    needed = [node for node in ancestors(list(graph), targets) if isinstance(node, Input)]
    missing = [repr(node.name) for node in needed if node.name not in shapes]
    if missing:
        raise FeedError(
            f"Printing needs the shape of each input; got none for {', '.join(missing)}."
        )


def _printed(task: Task, shapes: Shapes, name: str) -> PrintedProgram:
    inputs = _open_inputs(task.graph, shapes)
    batch = next((shape[0] for shape in shapes.values() if shape), 1)
    if inputs:
        batch = shapes[inputs[0]][0]
    found = _open_program(task, shapes, inputs) if inputs else None
    if found is None:
        assembly = Assembly(task, shapes)
        body = "\n".join([*_refusal(batch), *assembly.lines])
    else:
        assembly, body = found
    nodes = f"{len(task.graph)} nodes, batch {'open' if found else batch}"
    create = function_text(nodes, f"{name}(batch, state)", body)
    descriptions = tuple(_description(node, assembly, found is not None) for node in task.graph)
    return PrintedProgram(
        create,
        frozenset(assembly.used),
        descriptions,
        assembly.parameters,
        assembly.state,
        assembly.settings,
        found is not None,
        batch,
    )


def function_text(comment: str, called: str, body: str) -> str:
    """A function with a line above it that says what it is."""
    inner = "\n".join("  " + line if line else "" for line in body.split("\n"))
    return f"// {comment}\nfunction {called} {{\n{inner}\n}}"


def _open_inputs(graph: Graph, shapes: Shapes) -> list[str]:
    """The inputs whose first size is the batch: all that leave it open, if they agree."""
    found = [n.name for n in graph.inputs if n.shape[:1] == (None,) and n.name in shapes]
    return found if len({shapes[name][0] for name in found}) == 1 else []


def _open_program(task: Task, shapes: Shapes, inputs: Sequence[str]) -> tuple[Assembly, str] | None:
    """The text for any size of the batch; None if it depends on the size in another way."""

    def assembly(size: int) -> Assembly:
        opened = {name: (size, *shapes[name][1:]) for name in inputs}
        return Assembly(task, {**shapes, **opened})

    try:
        made = [assembly(size) for size in SIZES]
    except (GraphError, RuntimeError):  # this list wants another size, such as an even one
        return None
    body = opened(["\n".join(each.lines) for each in made])
    return None if body is None else (made[0], body)


def _refusal(batch: int) -> list[str]:
    """What refuses another size of the batch than the one that was printed."""
    return [
        f"if (batch !== {batch}) {{",
        f"  throw new RangeError(`this program is for batches of {batch}; got ${{batch}}`);",
        "}",
    ]


def _description(node: Node, assembly: Assembly, is_open: bool) -> NodeDescription:
    graph, sizes = assembly.graph, assembly.sizes.get(node, node.shape)
    shape = [
        "batch"
        if is_open and before is None and size == SIZES[0]
        else "?"
        if size is None
        else size
        for before, size in zip(node.shape, sizes, strict=True)
    ]
    return NodeDescription(
        graph.index(node),
        graph.name_of(node),
        node.kind,
        node.op.name if isinstance(node, Operation) else "",
        tuple(graph.index(each) for each in node.inputs),
        tuple(shape),
        str(node.dtype).removeprefix("torch."),
        node in assembly.flows,
        node in assembly.sizes,
    )
