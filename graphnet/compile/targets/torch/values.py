"""Values: where the value of each node lies, and what its slot would like to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from graphnet.compile.ir.program import Cell
from graphnet.compile.plan.calls import Expression
from graphnet.compile.plan.placement import Cells, Target, placement
from graphnet.compile.plan.slots import Slot, new_slot
from graphnet.compile.targets.torch.kernel_table import may_overwrite
from graphnet.compile.targets.torch.lowerings import may_be_a_view
from graphnet.compile.targets.torch.memory_format import (
    BY_PIXELS,
    MemoryFormat,
    as_images,
    is_image,
    ordered,
)
from graphnet.graph import Operation

if TYPE_CHECKING:
    import torch

    from graphnet.compile.ir.program import Program
    from graphnet.compile.plan.slots import Shape
    from graphnet.graph import Node


class Values:
    """The slots of a program.

    Attributes:
        program: the list of nodes.
        format: how images lie in memory.
        device: where the memory is.
        slots: where the value of each node lies.
        names: what slots would like to be called: a text, or another slot and what follows it.
        cells: the slots of what outlasts a step.
        targets: where the values of some nodes are to be computed.
        laid: images that a kernel makes anew, but always with the strides of their slot.
    """

    def __init__(self, program: Program, format: MemoryFormat) -> None:
        self.program, self.format = program, format
        self.device = next((node.top.device for node in program if isinstance(node, Cell)), None)
        self.slots: dict[Node, Slot] = {}
        self.names: dict[Slot, str | tuple[Slot, str]] = {}
        self.cells = Cells()
        self.laid: set[Slot] = set()
        for node in program:
            if isinstance(node, Cell):
                self.keep(node, self.cells.slot(node.top))
            elif not isinstance(node, Operation):
                self.keep(node, self.new(node, made=True, owned=False))
        target = Target(may_overwrite, may_be_a_view)
        self.targets = placement(program, self.slots, target)

    def new(
        self, node: Node, shape: Shape | None = None, *, made: bool = False, owned: bool = True
    ) -> Slot:
        """A slot in a buffer of its own, in the dtype of a node, and in its shape or another."""
        sizes = cast("Shape", node.shape if shape is None else shape)
        return new_slot(sizes, node.dtype, made=made, owned=owned)

    def made(self, node: Node) -> Slot:
        """A slot for the value of a node that a kernel makes anew, by the name of the node."""
        return self.named(node.name, self.new(node, made=True))

    def made_by_pixels(self, node: Operation) -> Slot:
        """The same for an image that lies pixel by pixel each time."""
        memory = new_slot(ordered(cast("Shape", node.shape), BY_PIXELS), node.dtype, made=True)
        image = self.named(node.name, as_images(memory, BY_PIXELS))
        self.laid.add(image)
        return image

    def place(self, node: Operation) -> Slot:
        """A slot for the value of a node: where it is needed, or a new one."""
        return self.keep(node, self.targets.get(node) or self.new(node))

    def place_image(self, node: Operation) -> Slot:
        """The same for an image, or for indices into one, in the program's format."""
        return self.keep(node, self.targets.get(node) or self.new_image(node, node.dtype))

    def new_image(self, node: Operation, of: torch.dtype) -> Slot:
        """A slot as large as an image, in the program's format."""
        order, sizes = self.format.order, cast("tuple[int, ...]", node.shape)
        return as_images(new_slot(ordered(sizes, order), of), order)

    def keep(self, node: Node, slot: Slot) -> Slot:
        """Note where the value of a node lies."""
        self.slots[node] = slot
        self.names.setdefault(slot, node.name)
        return slot

    def derived(self, of: Slot, suffix: str, slot: Slot) -> Slot:
        """The same slot, called like another one, with something behind its name."""
        self.names.setdefault(slot, (of, suffix))
        return slot

    def named(self, name: str, slot: Slot) -> Slot:
        """The same slot, with a name."""
        self.names.setdefault(slot, name)
        return slot

    def mT(self, slot: Slot) -> Slot | Expression:  # noqa: N802 - as a tensor calls it
        """A matrix transposed: a view where it is always the same memory."""
        if slot.is_fixed:
            return self.derived(slot, "_t", slot.mT)
        return Expression("{x}.mT", {"x": slot})

    def like_images(self, node: Operation) -> Slot:
        """A new slot that lies as the first image of the same shape does."""
        out = self.new(node)
        for each in node.inputs:
            slot = self.slots[each]
            if (is_image(slot) or slot in self.laid) and slot.shape == out.shape:
                return out.as_strided(out.shape, slot.strides)
        return out
