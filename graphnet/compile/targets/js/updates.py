"""The text of an update: the numbers of the step, then the loops."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from graphnet.compile.targets.js.names import string
from graphnet.compile.targets.js.parts import Memory
from graphnet.compile.targets.js.printer import PartPrinter

if TYPE_CHECKING:
    from graphnet.compile.targets.js.optimizers import Update
    from graphnet.compile.targets.js.printer import Function
    from graphnet.graph import Parameter


def updating(
    update: Update,
    node: Parameter,
    keys: Mapping[str, str],
    arrays: Mapping[Memory, str],
    name: str,
    used: set[str],
) -> Function:
    """The function that makes one step.

    Args:
        update: of the parameter.
        node: the parameter.
        keys: where the settings are found among the numbers of the program.
        arrays: the name of each array of the program.
        name: of the function.
        used: the functions of the prelude that are called; grows.
    """
    made = PartPrinter(update.part, arrays, name, used, update.numbers).print()
    body = made.lines
    if update.otherwise is not None:
        other = PartPrinter(update.otherwise, arrays, name, used, update.others).print()
        on, off = (["  " + line for line in each.lines] for each in (made, other))
        body = [f"if ({update.switch}) {{", *on, "} else {", *off, "}"]
    step = arrays[Memory(node, "step")]
    lines = [f"const step = {step}[0] += 1;", *update.lines]
    for scalar in ("mu_product",):
        if scalar in update.state:
            lines.insert(0, f"const {scalar} = {arrays[Memory(node, scalar)]};")
    text = "\n".join([*lines, *body])
    read = [f"const {each} = numbers[{string(key)}];"
            for each, key in keys.items() if re.search(rf"\b{each}\b", text)]  # fmt: skip
    made.lines = [*read, *lines, *body]
    return made
