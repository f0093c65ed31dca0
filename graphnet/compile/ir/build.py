"""From a graph to a program: a copy with every size known, then gradients and update as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from graphnet import ops
from graphnet.compile.ir.program import Cell, Program, Source
from graphnet.compile.targets.torch.fused_ops import Copy
from graphnet.compile.targets.torch.lowerings import may_be_a_view
from graphnet.compile.targets.torch.updates import fast_update
from graphnet.graph import Input, Node, Operation, Parameter
from graphnet.graph.nodes import Literal, Mode
from graphnet.graph.walks import ancestors
from graphnet.ops.dtypes import Convert
from graphnet.optim.clipping import limit_of, number_of

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.compile.run.settings import Known
    from graphnet.graph import Graph
    from graphnet.optim.base import Optimizer
    from graphnet.optim.buckets import Bucket

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Clip:
    """Limits for gradients: for their common norm, and for each element."""

    norm: float | None = None
    norm_type: float = 2.0
    value: float | None = None

    def __post_init__(self) -> None:
        """Convert the limits to numbers, and refuse those that are not numbers.

        Raises:
            RangeError: a limit is negative, or not a number.
        """
        for field, name in (("norm", "max_norm"), ("value", "clip_value")):
            limit = getattr(self, field)
            if limit is not None:  # a text or a tensor of one number becomes that number
                object.__setattr__(self, field, limit_of(name, limit))
        object.__setattr__(self, "norm_type", number_of("norm_type", self.norm_type))


@dataclass(frozen=True)
class Update:
    """What is done with the gradients.

    Attributes:
        optimizer: what updates the parameters; None to leave them as they are.
        buckets: the parameters, as they lie side by side.
        known: the settings and numbers of each bucket.
        arguments: for each bucket, the names of the numbers given at each step.
        clip: the limits of the gradients.
        check_finite: True to stop at a loss that is NaN or infinite.
        fast: True to use updates that write where they read, as `updates` has them.
    """

    optimizer: Optimizer | None
    buckets: Sequence[Bucket]
    known: Sequence[Known]
    arguments: Sequence[Sequence[str]]
    clip: Clip
    check_finite: bool = True
    fast: bool = True


def specialized(
    graph: Graph, targets: Sequence[Node], shapes: Shapes
) -> tuple[Program, dict[Node, Node]]:
    """A copy of what some nodes need, for inputs of these shapes and the current training mode."""
    program, mapped = Program(), dict[Node, Node]()
    for node in ancestors(list(graph), targets):
        name = graph.name_of(node)
        if isinstance(node, Input):
            mapped[node] = Input(shapes[name], name=name, dtype=node.dtype, graph=program)
        elif isinstance(node, Parameter):
            mapped[node] = program.cell(node.top, name)
        elif isinstance(node, Operation):
            sources = [_source(source, mapped) for source in node.sources]
            mapped[node] = program.use(node.op, sources, name)
    program.results = [mapped[target] for target in targets]
    return program, mapped


def _source(source: Node | Literal, mapped: Mapping[Node, Node]) -> Source:
    """A source in the copy; the training mode is fixed there."""
    if isinstance(source, Node):
        return mapped[source]
    return Literal(source.top) if isinstance(source, Mode) else source


def training_program(
    graph: Graph,
    targets: Sequence[Node],
    shapes: Shapes,
    update: Update,
    *,
    add: bool,
    share: str | None = None,
) -> Program:
    """The program of a training step.

    Args:
        graph: the list.
        targets: the scalar to minimize, then the other nodes to return.
        shapes: the shape of each fed tensor.
        update: what is done with the gradients.
        add: True to add to the existing gradients.
        share: the name of an input of the program by which the gradients are multiplied.
    """
    program, mapped = specialized(graph, targets, shapes)
    dtype = targets[0].dtype
    seed = None if share is None else Input((), name=share, dtype=dtype, graph=program)
    program.results = [_kept(program, mapped[target]) for target in targets]
    program.finite = program.results[:1] if update.check_finite else []
    buckets = update.buckets
    flat = _flat_gradients(program, mapped, targets[0], seed, buckets, add)
    with program, program.scopes.inside("update"):
        cells = [program.cell(bucket.grad, "grad") for bucket in buckets]
        pairs = zip(flat, cells, strict=True)
        grads = [cell if grad is None else grad for grad, cell in pairs]
        if add:
            grads = [ops.add(cell, grad) for cell, grad in zip(cells, grads, strict=True)]
        if update.optimizer is not None:
            grads = _clipped(program, grads, update)
        program.writes.update(zip(cells, grads, strict=True))
        if update.optimizer is not None:
            for place, grad in enumerate(grads):
                _append_update(program, update, place, grad)
    return program


def _kept(program: Program, result: Node) -> Node:
    """Copy a result that may lie in memory that the step writes to."""
    beside: set[Node] = set()
    for node in program:
        if isinstance(node, Cell) or (
            may_be_a_view(node) and any(each in beside for each in node.inputs)
        ):
            beside.add(node)
    return program.use(Copy(), (result,), result.name) if result in beside else result


def _flat_gradients(
    program: Program,
    mapped: Mapping[Node, Node],
    loss: Node,
    seed: Node | None,
    buckets: Sequence[Bucket],
    add: bool,
) -> list[Node | None]:
    """The gradients of each bucket, side by side; None if all of them are there already.

    A parameter that the loss does not depend on keeps its gradient, if there is one to be used.
    """
    there = [not add and not any(each in mapped for each in b.parameters) for b in buckets]
    computed = [bucket for bucket, known in zip(buckets, there, strict=True) if not known]
    parameters = [each for bucket in computed for each in bucket.parameters]
    present = [each for each in parameters if each in mapped]
    grads = program.gradients(mapped[loss], [mapped[each] for each in present], seed)
    found: dict[Parameter, Node] = dict(zip(present, grads, strict=True))
    for each in parameters:
        if each not in found:
            grad = each.grad_memory
            found[each] = program.cell(grad.new_zeros(grad.shape) if add else grad, "rest")
    with program, program.scopes.inside("gradients"):
        return [
            None if known else ops.cat([_flat(found[each]) for each in bucket.parameters])
            for bucket, known in zip(buckets, there, strict=True)
        ]


def _flat(grad: Node) -> Node:
    """A gradient as a vector."""
    return grad if grad.ndim == 1 else ops.reshape(grad, -1)


def _clipped(program: Program, grads: list[Node], update: Update) -> list[Node]:
    """The gradients within the limits, as `clip_grad_norm_` and `clip_grad_value_` keep them."""
    clip = update.clip
    if not grads:
        return grads
    if clip.norm is not None:
        measured = grads if clip.norm_type else _one_by_one(grads, update.buckets)
        norms = [ops.norm(grad, clip.norm_type) for grad in measured]
        widest = max((norm.dtype for norm in norms), key=lambda dtype: dtype.itemsize)
        norms = [_as(widest, norm) for norm in norms]
        norm = norms[0] if len(norms) == 1 else ops.norm(ops.stack(norms), clip.norm_type)
        program.finite.append(norm)
        factor = (clip.norm / (norm + 1e-6)).clamp(max=1.0)
        grads = [grad * _as(grad.dtype, factor) for grad in grads]
    if clip.value is not None:
        grads = [grad.clamp(-clip.value, clip.value) for grad in grads]
    return grads


def _as(dtype: dtype, node: Node) -> Node:
    """A node in a dtype: parameters of several dtypes may have one common norm."""
    return node if node.dtype is dtype else Convert(dtype)(node)


def _one_by_one(grads: Sequence[Node], buckets: Sequence[Bucket]) -> list[Node]:
    """The gradients of single parameters: the norm with the power 0 counts those that are not 0."""
    parts: list[Node] = []
    for grad, bucket in zip(grads, buckets, strict=True):
        sizes = [each.top.numel() for each in bucket.parameters]
        parts += ops.split(grad, sizes)
    return [part for part in parts if part.shape != (0,)]


def _append_update(program: Program, update: Update, place: int, grad: Node) -> None:
    """Append what the optimizer computes for a bucket: new values and new state."""
    bucket = update.buckets[place]
    value = program.cell(bucket.value, "values")
    state = {name: program.cell(tensor, name) for name, tensor in bucket.state.items()}
    numbers = {
        name: program.number((place, name), bucket.value.dtype) for name in update.arguments[place]
    }
    optimizer = cast("Optimizer", update.optimizer)
    known = {**update.known[place], **numbers}
    fast = fast_update(optimizer, known, value, grad, dict(state)) if update.fast else None
    new, new_state = fast or optimizer.updated(known, known.pop("step"), value, grad, **state)
    program.writes.update({state[name]: each for name, each in new_state.items()})
    program.writes[value] = new
