"""The text of an update: the numbers of the step, then one loop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from graphnet.compile.targets.js.loops import LoopPrinter
from graphnet.compile.targets.js.names import member

if TYPE_CHECKING:
    from graphnet.compile.plan.slots import Slot
    from graphnet.compile.targets.js.optimizers import Loop, Update


def update_lines(
    update: Update, keys: Mapping[str, str], arrays: Mapping[str, str], used: set[str]
) -> list[str]:
    """The lines of the function that makes one step.

    Args:
        update: of a parameter.
        keys: the name of each setting among the numbers of the program.
        arrays: the name of the array of the value, the gradient, and of each state.
        used: the functions of the prelude that are called; grows.
    """
    body = _loop_lines(update.loop, arrays, used)
    if update.otherwise is not None:
        other = _loop_lines(update.otherwise, arrays, used)
        on, off = (["  " + line for line in lines] for lines in (body, other))
        body = [f"if ({update.switch}) {{", *on, "} else {", *off, "}"]
    scalars = [f"const {name} = {arrays[name]};" for name in update.scalars]
    lines = [*scalars, *update.lines]
    text = "\n".join([*lines, *body])
    settings = [f"const {name} = numbers{member(key)};"
                for name, key in keys.items() if re.search(rf"\b{name}\b", text)]  # fmt: skip
    return [*settings, f"const step = ({arrays['step']}[0] += 1);", *lines, *body]


def _loop_lines(loop: Loop, arrays: Mapping[str, str], used: set[str]) -> list[str]:
    names = {slot.buffer: arrays[name] for name, slot in loop.memory.items()}

    def pointer(slot: Slot) -> tuple[str, int | None]:
        if slot.buffer in names:
            return names[slot.buffer], slot.offset
        return loop.numbers[slot.offset], None

    outs = [loop.memory[name] for name in loop.elements]
    return LoopPrinter(pointer, used).together(outs[0].shape, [*loop.elements.values()], outs)
