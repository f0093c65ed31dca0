"""Updates of parameters: the rule of the optimizer as loops, its numbers as variables.

Every setting that is a number stays one that may change from step to step: a momentum of 0 is a
product with 0, not a term left out. What follows from the settings and the number of the step is
computed by the lines below, as `Optimizer.numbers` does it in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from torch import empty

from graphnet.compile.ir.program import Program
from graphnet.compile.lower.joining import joined
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.passes import optimize
from graphnet.compile.targets.js.parts import Memory, Part, PlainLowering
from graphnet.graph import Input, Parameter
from graphnet.optim.adam import NAdam, RAdam, WithBetas
from graphnet.optim.adaptive import Adagrad
from graphnet.optim.base import Optimizer
from graphnet.optim.functionalize import Place
from graphnet.optim.sgd import SGD

if TYPE_CHECKING:
    from graphnet.optim.groups import Group

OF_BETAS = (
    "const rate = lr / (1 - beta1 ** step);",
    "const root = Math.sqrt(1 - beta2 ** step);",
)
LINES: dict[Callable[..., Any], tuple[str, ...]] = {
    Optimizer.numbers: (),
    SGD.numbers: ("const intake = step === 1 ? 1 : 1 - dampening;",),
    Adagrad.numbers: ("const rate = lr / (1 + (step - 1) * lr_decay);",),
    WithBetas.numbers: OF_BETAS,
    NAdam.numbers: (
        *OF_BETAS,
        "const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay));",
        "const mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay));",
        "const product = mu_product[0] *= mu;",
        "const grad_rate = (lr * (1 - mu)) / (1 - product);",
        "const mean_rate = (lr * mu_next) / (1 - product * mu_next);",
    ),
    RAdam.numbers: (
        *OF_BETAS[1:],
        "const most = 2 / (1 - beta2) - 1;",
        "const length = most - (2 * step * beta2 ** step) / (1 - beta2 ** step);",
        "const rectified = length > 5;",
        "const square = ((length - 4) * (length - 2) * most)"
        " / ((most - 4) * (most - 2) * length);",
        "const rate = lr / (1 - beta1 ** step) * (rectified ? root * Math.sqrt(square) : 1);",
    ),
}
"""The lines of JavaScript for each method `numbers`."""
SWITCHES = {RAdam.numbers: "rectified"}
"""A number that is True or False, and chooses between two updates."""


@dataclass
class Update:
    """The update of one parameter.

    Attributes:
        part: its statements; of two, the one where the switch is on.
        otherwise: where it is off; None if there is no switch.
        switch: the name of the switch, or "".
        lines: what computes the numbers of the step.
        settings: the numbers that are read, by their names in the text, and their values.
        numbers: the name of each number that the statements read, by its place.
        others: the same for the other statements.
        state: the first value and the size of each array of state.
    """

    part: Part
    otherwise: Part | None
    switch: str
    lines: tuple[str, ...]
    settings: dict[str, float]
    numbers: list[str]
    others: list[str]
    state: dict[str, tuple[float, int]]


def update_of(optimizer: Optimizer, group: Group, parameter: Parameter) -> Update:
    """The update of a parameter.

    Raises:
        NotLowered: the class of the optimizer has a method `numbers` of its own.
    """
    rule = type(optimizer).numbers
    if rule not in LINES:
        kind = type(optimizer).__name__
        raise NotLowered(f"{kind}.numbers: what it computes for each step is written in Python")
    settings = _settings(group)
    whole = {**group, **{name: 1.0 for name in settings if name in group}}
    slots = {"step": (0.0, 1)}
    for name in optimizer.slots_of(whole):
        count = 1 if name in optimizer.scalars else parameter.top.numel()
        slots[name] = optimizer.first_value(group, name), count
    switch = SWITCHES.get(rule, "")
    names, part = _part(optimizer, group, settings, slots, parameter, switch, on=True)
    others = (names, None)
    if switch:
        others = _part(optimizer, group, settings, slots, parameter, switch, on=False)
    return Update(part, others[1], switch, LINES[rule], settings, names, others[0], slots)


def _settings(group: Group) -> dict[str, float]:
    """The settings that are numbers; the two betas by names of their own."""
    found: dict[str, float] = {}
    for name, value in group.items():
        if name == "betas":
            found |= {"beta1": float(value[0]), "beta2": float(value[1])}
        elif name not in NOT_SETTINGS and not isinstance(value, bool | list | str | None):
            found[name] = float(value)
    return found


NOT_SETTINGS = {"params", "name", "initial_lr", "initial_accumulator_value"}
"""What is in a group and is no number of its update."""

MADE = ("intake", "rate", "root", "grad_rate", "mean_rate")
"""The numbers that the lines compute."""


def _part(
    optimizer: Optimizer,
    group: Group,
    settings: Mapping[str, float],
    slots: Mapping[str, tuple[float, int]],
    parameter: Parameter,
    switch: str,
    on: bool,
) -> tuple[list[str], Part]:
    """The statements of an update, and the names of the numbers that they read."""
    program, of = Program(), parameter.dtype
    shape = tuple(parameter.top.shape)
    numbers = {name: program.number((0, name), of) for name in (*settings, *MADE)}
    known: dict[str, Any] = {**group, **{name: numbers[name] for name in (*settings, *MADE)}}
    if "betas" in group:
        known["betas"] = (Place(numbers["beta1"]), Place(numbers["beta2"]))
    if switch:
        known[switch] = on
    with program:
        cells = {
            name: program.cell(empty(shape, dtype=of, device="meta"), name)
            for name in ("value", *(s for s in slots if s not in ("step", *optimizer.scalars)))
        }
        grad = Input(shape, name="gradient", dtype=of, graph=program)
        state: dict[str, Any] = {name: cell for name, cell in cells.items() if name != "value"}
        new, new_state = optimizer.updated(known, None, cells["value"], grad, **state)
        program.writes = {cells[name]: each for name, each in new_state.items()}
        program.writes[cells["value"]] = new
    low = joined(PlainLowering(optimize(program)).run())
    memory = {name: Memory(parameter, name) for name in cells}
    memory["gradient"] = Memory(parameter, "gradient")
    return [cast("Any", each).given[1] for each in low.numbers], Part(low, memory)
