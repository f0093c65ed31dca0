"""What is exported: a prediction and a training step, lowered for any machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphnet.compile.ir.build import Update, specialized, training_program
from graphnet.compile.ir.program import Cell, Number
from graphnet.compile.lower.layouts import as_it_is
from graphnet.compile.lower.loops import Contraction, Lowered, Map
from graphnet.compile.lower.lowering import Lowering
from graphnet.compile.lower.scalars import NotLowered, Place, broadcast_to, load
from graphnet.compile.passes import NATIVE_PASSES, optimize
from graphnet.compile.plan.slots import Buffer, Slot, new_slot
from graphnet.compile.run.compiled import collector_paused
from graphnet.compile.targets.c.export.numbers import StepNumbers, changing_numbers
from graphnet.errors import GraphError

if TYPE_CHECKING:
    from graphnet.compile.ir.build import Clip
    from graphnet.compile.ir.program import Program
    from graphnet.compile.run.step import Step
    from graphnet.compile.targets.c.export.example import Example
    from graphnet.graph import Graph, Node
    from graphnet.optim.buckets import Bucket


@dataclass
class Exported:
    """A program that becomes a function in C.

    Attributes:
        verb: the last part of the function's name: "predict" or "step".
        rows: how many rows of a batch it takes.
        lowered: its loops.
        outputs: where the results lie, which are arguments of the function, each with its name.
        checks: what has gone wrong if the function returns 1, 2, ...
        unread: what is written before it is read, such as gradients: its start is of no interest.
    """

    verb: str
    rows: int
    lowered: Lowered
    outputs: list[tuple[str, Slot]]
    checks: list[str]
    unread: frozenset[Cell] = frozenset()

    @property
    def written(self) -> set[Buffer]:
        """The memory that it writes to."""
        found = set[Buffer]()
        for each in self.lowered.statements:
            if isinstance(each, Map):
                found.add(each.out.slot.buffer)
            elif hasattr(each, "out"):
                found.add(each.out.buffer)
        return found


class _Lowering(Lowering):
    """Loops for a processor that may have no vectors, no double, and little memory."""

    def __init__(self, program: Program, batch_last: bool) -> None:
        super().__init__(program, batch_last)
        self.winograd = False

    def contract(self, statement: Contraction) -> None:
        """Add a contraction; its factors are read where they lie, since vectors are not used."""
        best = max(range(statement.kept), key=lambda axis: statement.sizes[axis], default=None)
        if best is not None and statement.x.strides[best] == 0:  # a tile has rows of x
            statement.x, statement.y = statement.y, statement.x
        as_it_is(self, statement)

    def _given(self, node: Number) -> None:
        """Numbers of a step are in the dtype of the parameters."""
        place = len(self.done.numbers)
        self.done.numbers[node] = slot = Slot(self._numbers, place, (), (), node.dtype)
        self._elements[node] = lambda shape: load(broadcast_to(slot, shape))


def prediction(
    graph: Graph, outputs: Sequence[Node], example: Example, rows: int, *, alone: bool
) -> Exported:
    """A prediction, in evaluation mode.

    Args:
        graph: the list.
        outputs: what is predicted.
        example: for the sizes of the inputs.
        rows: how many rows are predicted at once.
        alone: True to give each parameter memory of its own, without those beside it.
    """
    with graph.evaluating(), collector_paused():
        program = optimize(specialized(graph, outputs, example.shapes(rows))[0], NATIVE_PASSES)
    if alone:
        for node in program:
            if isinstance(node, Cell):
                node.top = node.top.detach().clone()
    return _exported("predict", rows, program, [graph.name_of(node) for node in outputs])


def training_step(
    step: Step, example: Example, rows: int, clip: Clip, check_finite: bool
) -> tuple[Exported, StepNumbers]:
    """A training step in the present mode, and what its optimizer is given each time."""
    graph, optimizer = step.graph, step.optimizer
    buckets = _updated(step)
    found = [changing_numbers(optimizer, bucket) for bucket in buckets]
    known = [bucket.group | numbers for bucket, (numbers, _) in zip(buckets, found, strict=True)]
    arguments = [names for _, names in found]
    update = Update(optimizer, buckets, known, arguments, clip, check_finite, fast=False)
    with collector_paused():
        shapes = example.shapes(rows)
        built = training_program(graph, [step.loss], shapes, update, add=False)
        program = optimize(built, NATIVE_PASSES)
    exported = _exported("step", rows, program, ["loss"])
    grads = {each.grad.untyped_storage().data_ptr() for each in buckets}
    cells = (node for node in program if isinstance(node, Cell))
    exported.unread = frozenset(
        each for each in cells if each.top.untyped_storage().data_ptr() in grads
    )
    return exported, StepNumbers(optimizer, buckets, exported.lowered.numbers)


def _exported(verb: str, rows: int, program: Program, names: Sequence[str]) -> Exported:
    """A program as loops.

    Raises:
        GraphError: something in it has no form in C.
    """
    try:
        found = [_Lowering(program, batch_last).run() for batch_last in (False, True)]
    except NotLowered as error:
        raise GraphError(
            f"export_c: {error} has no form in C, whose loops compute with float32, float64, "
            "integers and bool. graph.compile runs all operations; or export the part of the "
            "network before it."
        ) from None
    low = min(found, key=lambda each: each.work)
    finite = set(program.finite)
    checks = [
        f"{each.node.name} is not finite" if each.node in finite
        else f"{each.node.name} refuses a number that it is given"
        for each in low.checks
    ]  # fmt: skip
    return Exported(verb, rows, low, _delivered(program, low, names), checks)


def _delivered(program: Program, low: Lowered, names: Sequence[str]) -> list[tuple[str, Slot]]:
    """Let results be computed in memory of the caller, or copy them there."""
    found: list[tuple[str, Slot]] = []
    for node, slot, name in zip(program.results, low.results, names, strict=True):
        whole = not slot.buffer.is_given and slot.is_contiguous and not slot.offset
        if whole and slot.buffer.nbytes == _nbytes(slot):
            out = slot
            slot.buffer.made = True  # no longer a part of the scratch memory
        else:
            out = new_slot(slot.shape, slot.dtype, made=True)
            low.statements.append(Map(node, slot.shape, load(slot), Place(out)))
        found.append((name, out))
    low.results = []
    return found


def _nbytes(slot: Slot) -> int:
    return new_slot(slot.shape, slot.dtype).buffer.nbytes


def _updated(step: Step) -> list[Bucket]:
    """The parameters that every step from now on updates, as they lie side by side.

    Raises:
        GraphError: only the next step uses a gradient, which the loss does not give.
    """
    mode, buckets = step._prepared(update=True)
    old = [each for each, given in zip(step._roles.others, mode.given, strict=True) if given]
    if old:
        raise GraphError(
            f"The loss does not reach {', '.join(map(repr, old))}, but a gradient waits there for "
            "the next step alone. optimizer.step() uses it, optimizer.zero_grad() drops it."
        )
    return buckets
