"""Selecting: a list of nodes becomes a list of calls, each with the slots that it works on.

Every value gets a slot in a buffer of its own, unless it is a view or has a place already. What
may be written over what, and where buffers lie, is decided later, for all calls together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch

from graphnet.compile.ir.program import Program, is_foreign, is_half, is_number
from graphnet.compile.plan.calls import Call, Constant, Expression, Operand
from graphnet.compile.plan.slots import NotAView, Slot, new_slot
from graphnet.compile.targets.torch.execution import NotFinite
from graphnet.compile.targets.torch.kernel import COPY, RULE, Kernel
from graphnet.compile.targets.torch.kernel_table import (
    ARITHMETIC,
    KERNELS,
    TAKE_NUMBERS,
    may_overwrite,
)
from graphnet.compile.targets.torch.lowerings import LOWERINGS
from graphnet.compile.targets.torch.values import Values
from graphnet.graph import Node, Operation

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Source
    from graphnet.compile.targets.torch.memory_format import MemoryFormat
    from graphnet.compile.targets.torch.tuning import Candidate, Tuner

R = TypeVar("R")

CHECK = Kernel("if not isfinite({x}.item()): raise {error}({name})")
NOT_FINITE = Constant(NotFinite, "NotFinite")
TRANSPOSE = Kernel("{out} = {x}.mT")


class Selection(Values):
    """The calls of a program: for each node, which kernel or lowering.

    Attributes:
        tuner: what chooses among several ways.
        calls: what has been chosen so far.
        done: nodes computed by the calls of another node.
    """

    def __init__(self, program: Program, tuner: Tuner, format: MemoryFormat) -> None:
        super().__init__(program, format)
        self.tuner = tuner
        self.calls: list[Call] = []
        self.done: set[Node] = set()
        self._shared: dict[object, Any] = {}
        self._pending: dict[Slot, Call] = {}

    def run(self) -> None:
        """Choose the calls of all operations, then those that make the changes of the step last."""
        for node in self.program:
            if isinstance(node, Operation) and node not in self.done:
                self._operation(node)
            if node in self.program.finite:
                options = {"name": node.name, "error": NOT_FINITE}
                self.add(Call(CHECK, (), {"x": self.slots[node]}, node, options))
        for cell, value in self.program.writes.items():
            if value is not cell:
                self.copy(value, self.slots[cell], self.slots[value])

    def _operation(self, node: Operation) -> None:
        if is_number(node):
            self._number(node)
        elif type(node.op) in LOWERINGS:
            LOWERINGS[type(node.op)](self, node)
        elif node.op.view:
            self.view(node)
        elif type(node.op) in KERNELS and not self._has_number(node):
            self.kernel(node, KERNELS[type(node.op)])
        else:
            self.own_rule(node)

    def _has_number(self, node: Operation) -> bool:
        """True if a number given at each step is passed where a kernel takes a tensor.

        Next to half precision, numbers of the list are not kept as tensors either.
        """
        half = any(map(is_half, node.inputs))
        others = ("y", "a") if not half or type(node.op) in TAKE_NUMBERS else ("a",)
        return any(
            is_number(source) and (half or isinstance(source, Node))
            for name, source in zip(node.op.inputs, node.sources, strict=True)
            if name not in others
        )

    # ways to compute a node

    def _number(self, node: Operation) -> None:
        """Compute a number in Python."""
        kernel = ARITHMETIC.get(type(node.op))
        if kernel is None:
            self.own_rule(node)
            return
        args = self.arguments(node)
        out = self.keep(node, self.new(node, made=True, owned=False))
        self.add(Call(kernel, (out,), args, node))

    def view(self, node: Operation) -> None:
        """View memory in another way; if no strides can, copy it."""
        before = self.slots[node.inputs[0]]
        if not before.is_fixed:
            self.own_rule(node, [before])
            return
        given: list[Any] = [
            self.slots[each] if isinstance(each, Node) else each.top for each in node.sources
        ]
        try:
            self.keep(node, cast("Any", node.op).forward(*given))
        except NotAView:
            out = self.place(node)
            self.copy(node, self.derived(out, "_as_before", out.view(before.shape)), before)
        except (AttributeError, TypeError):  # a view that slots do not know, of a user's op
            self.own_rule(node, [before])

    def kernel(self, node: Operation, kernel: Kernel) -> None:
        """Call a kernel: over an input that nothing else reads, or into a buffer."""
        names = node.op.inputs
        args = {
            name: self.operand(source, name, node)
            for name, source in zip(names, node.sources, strict=True)
        }
        over = names if may_overwrite(node.op) else names[:1] if kernel.inplace else ()
        otherwise = None
        if not node.op.elementwise or node in self.targets:
            out = self.place(node)
        elif self._is_loose(node):
            out = self.keep(node, self.new(node, made=True))
            otherwise = rule_call(node, self.slots, out)
        else:
            out = self.keep(node, self.like_images(node))
        self.add(Call(kernel, (out,), args, node, node.op.options, tuple(over), otherwise))

    def own_rule(self, node: Operation, behind: Sequence[Slot] | None = None) -> None:
        """Call the rule of the operation itself: it makes a new tensor, or a view of an input."""
        inputs = [self.slots[each] for each in set(node.inputs)] if behind is None else behind
        out = self.new(node, made=True, owned=False)
        out.buffer.behind = tuple(each.buffer for each in inputs)
        self.names.setdefault(out, node.name)
        self.add(rule_call(node, self.slots, out))
        self.finish(node, out)

    def choose(
        self, node: Operation, candidates: list[Candidate], inputs: tuple[Node, ...]
    ) -> None:
        """Take the fastest of several ways to compute a node."""
        slots = (self.slots[each] for each in inputs)
        layout = tuple((each.shape, each.strides, each.dtype, each.is_fixed) for each in slots)
        question = (node.op, self.format.order, len(candidates), node in self.targets, layout)
        choices = [each.calls for each in candidates]
        chosen = candidates[self.tuner.fastest(question, choices, self.device)]
        for call in chosen.calls:
            self.add(call)
        self.finish(node, chosen.out)

    def finish(self, node: Operation, out: Slot) -> None:
        """Note where the value of a node lies, and bring it to where it is needed."""
        target = self.targets.get(node)
        if target is not None and not out.is_at(target):
            self.copy(node, self.derived(out, "_place", target), out)
            out = target
        self.keep(node, out)

    def once(self, key: object, make: Callable[[], R]) -> R:
        """What several calls share, such as the windows of an image; made when first asked."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast("R", self._shared[key])

    # calls

    def add(self, call: Call) -> None:
        """Add a call, after those that make what it reads."""
        for slot in call.reads():
            waiting = self._pending.pop(slot, None) if self._pending else None
            if waiting is not None:
                self.calls.append(waiting)
        self.calls.append(call)

    def copy(self, node: Node, to: Slot, given: Slot) -> None:
        """Copy a value, unless it is there already."""
        if not given.is_at(to):
            self.add(Call(COPY, (to,), {"x": given}, node))

    def transposed(self, node: Node) -> Slot:
        """A transposed matrix; of a tensor that is made anew, the view is as well."""
        slot = self.slots[node]
        if slot.is_fixed:
            return self.derived(slot, "_t", slot.mT)
        return self.once(("transposed", slot), lambda: self._transposed_later(node, slot))

    def _transposed_later(self, node: Node, slot: Slot) -> Slot:
        out = new_slot(slot.mT.shape, slot.dtype, made=True, owned=False).as_strided(
            slot.mT.shape, slot.mT.strides
        )
        out.buffer.behind = (slot.buffer,)
        self._pending[out] = Call(TRANSPOSE, (out,), {"x": slot}, node)
        return self.derived(slot, "_t", out)

    def _is_loose(self, node: Operation) -> bool:
        """True if an input of the same shape may have any layout, which the result then keeps."""
        like = (self.slots[each] for each in node.inputs if each.shape == node.shape)
        return node.ndim > 2 and any(not (slot.is_fixed or slot in self.laid) for slot in like)

    # operands

    def operand(self, source: Source, name: str, node: Operation) -> Operand:
        """A source in a call of a kernel; numbers next to tensors are kept as tensors.

        Next to half precision they stay numbers, as in the walk: a kernel takes those in float32,
        where 70,000 is in range.
        """
        if isinstance(source, Node):
            return self.slots[source]
        of = dtype_beside(source.top, [each.dtype for each in node.inputs])
        if name == "a" or of is None:
            return argument(source, self.slots)
        text = f"{source.top:g}".replace("-", "minus_")
        tensor = torch.tensor(source.top, dtype=of, device=self.device)
        return Constant(tensor, f"number_{text}")

    def arguments(self, node: Operation) -> dict[str, Operand]:
        """The sources of a node by name, as a call of Python takes them."""
        sources = (argument(source, self.slots) for source in node.sources)
        return dict(zip(node.op.inputs, sources, strict=True))


def dtype_beside(value: float, kinds: Sequence[torch.dtype]) -> torch.dtype | None:
    """The dtype of a tensor that stands for a number beside others; None to leave the number.

    Truth has no numbers: beside it, as beside a condition, an integer is of int64, as in torch.

    >>> dtype_beside(2, [torch.bool]), dtype_beside(300, [torch.bool, torch.int32])
    (torch.int64, torch.int32)
    >>> dtype_beside(300, [torch.uint8]) is None
    True
    """
    floating = next((each for each in kinds if each.is_floating_point), None)
    if floating is not None:
        return floating if floating.itemsize >= 4 else None
    if isinstance(value, float):
        return torch.get_default_dtype()
    whole = next((each for each in kinds if each is not torch.bool), torch.int64)
    if isinstance(value, bool) and set(kinds) == {torch.bool}:
        return torch.bool
    limits = torch.iinfo(whole)
    return whole if limits.min <= value <= limits.max else None


def argument(source: Source, slots: Mapping[Node, Slot]) -> Operand:
    """A source in a call of Python."""
    return slots[source] if isinstance(source, Node) else source.top


def rule_call(node: Operation, slots: Mapping[Node, Slot], out: Slot) -> Call:
    """A call of the rule of an operation itself."""
    args = {str(place): argument(each, slots) for place, each in enumerate(node.sources)}
    if is_foreign(node.op):  # it may call view, which fails on images in another order
        for place, given in enumerate(node.sources):
            if isinstance(given, Node) and given.ndim == 4:
                args[str(place)] = Expression("{x}.contiguous()", {"x": slots[given]})
    rule = Constant(node.op.forward, f"rule_of_{node.name}")
    return Call(RULE, (out,), args, node, {"rule": rule})
