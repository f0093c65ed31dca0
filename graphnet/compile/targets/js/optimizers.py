"""Updates of parameters: the rule of the optimizer as one loop, its numbers as variables.

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
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.passes import optimize
from graphnet.compile.targets.js.parts import PlainLowering
from graphnet.graph import Input, Parameter
from graphnet.optim.adam import NAdam, RAdam, WithBetas
from graphnet.optim.adaptive import Adagrad
from graphnet.optim.base import Optimizer
from graphnet.optim.functionalize import Place
from graphnet.optim.sgd import SGD

if TYPE_CHECKING:
    from graphnet.compile.lower.scalars import Scalar
    from graphnet.compile.plan.slots import Slot
    from graphnet.graph import Node
    from graphnet.optim.groups import Group

OF_BETAS = (
    "const rate = lr / (1 - beta1 ** step);",
    "const root = Math.sqrt(1 - beta2 ** step);",
)
LINES: dict[Callable[..., Any], tuple[str, ...]] = {
    Optimizer.numbers: (),
    SGD.numbers: ("const intake = step === 1 || momentum === 0 ? 1 : 1 - dampening;",),
    Adagrad.numbers: ("const rate = lr / (1 + (step - 1) * lr_decay);",),
    WithBetas.numbers: OF_BETAS,
    NAdam.numbers: (
        *OF_BETAS,
        "const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay));",
        "const mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay));",
        "mu_product[0] *= mu;",
        "const grad_rate = (lr * (1 - mu)) / (1 - mu_product[0]);",
        "const mean_rate = (lr * mu_next) / (1 - mu_product[0] * mu_next);",
    ),
    RAdam.numbers: (
        OF_BETAS[1],
        "const most = 2 / (1 - beta2) - 1;",
        "const length = most - (2 * step * beta2 ** step) / (1 - beta2 ** step);",
        "const rectified = length > 5;",
        "const square = ((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length);",
        "const factor = rectified ? root * Math.sqrt(square) : 1;",
        "const rate = (lr / (1 - beta1 ** step)) * factor;",
    ),
}
"""The lines of JavaScript for each method `numbers`."""
SWITCHES = {RAdam.numbers: "rectified"}
"""A number that is True or False, and chooses between two updates."""
COMPUTED = ("intake", "rate", "root", "grad_rate", "mean_rate")
"""The numbers of a step that updates read besides the settings."""
NOT_READ = {"params", "name", "initial_lr", "param_names", "initial_accumulator_value"}
"""What is in a group and is no number of its update."""


@dataclass
class Loop:
    """What an update does at each element.

    Attributes:
        memory: what each name is that is read or written: "value", "gradient", or a state.
        elements: the new elements, by what is written.
        numbers: the names of the numbers that are read, in the order of their places.
    """

    memory: dict[str, Slot]
    elements: dict[str, Scalar]
    numbers: list[str]


@dataclass
class Update:
    """The update of one parameter.

    Attributes:
        loop: what it does; of two loops, the one where the switch is on.
        otherwise: the one where it is off; None if there is no switch.
        switch: the name of the switch, or "".
        lines: what computes the numbers of the step.
        settings: the settings that are numbers, and their values.
        state: the first value and the size of each array of state, and of the count of steps.
        scalars: those that are one number.
    """

    loop: Loop
    otherwise: Loop | None
    switch: str
    lines: tuple[str, ...]
    settings: dict[str, float]
    state: dict[str, tuple[float, int]]
    scalars: tuple[str, ...]


class _Elements(PlainLowering):
    """The lowering of an update: nothing is stored on the way."""

    def is_kept(self, node: Node, element: Scalar) -> bool:
        """False: all of it is part of one loop."""
        return False


def update_of(optimizer: Optimizer, group: Group, parameter: Parameter) -> Update:
    """The update of a parameter.

    Raises:
        NotLowered: the class of the optimizer has a method `numbers` of its own.
    """
    rule = type(optimizer).numbers
    if rule not in LINES:
        raise NotLowered(f"{type(optimizer).__name__}.numbers is a method in Python")
    settings, switch = _settings(group), SWITCHES.get(rule, "")
    state, all_on = {"step": (0.0, 1)}, {**group, **dict.fromkeys(settings, 1.0)}
    for name in optimizer.slots_of(all_on):
        count = 1 if name in optimizer.scalars else parameter.top.numel()
        state[name] = optimizer.first_value(group, name), count
    slots = [name for name in state if name not in ("step", *optimizer.scalars)]
    known = {**group, switch: True} if switch else group
    loop = _loop(optimizer, known, settings, slots, parameter)
    otherwise = None
    if switch:
        otherwise = _loop(optimizer, {**group, switch: False}, settings, slots, parameter)
    return Update(loop, otherwise, switch, LINES[rule], settings, state, optimizer.scalars)


def _settings(group: Group) -> dict[str, float]:
    """The settings that are numbers; the two betas by names of their own."""
    found: dict[str, float] = {}
    for name, value in group.items():
        if name == "betas":
            found |= {"beta1": float(value[0]), "beta2": float(value[1])}
        elif name not in NOT_READ and not isinstance(value, bool | None):
            found[name] = float(value)
    return found


def _loop(
    optimizer: Optimizer,
    group: Group,
    settings: Mapping[str, float],
    slots: list[str],
    parameter: Parameter,
) -> Loop:
    """What an update does at each element, traced from the rule of the optimizer."""
    program, of, shape = Program(), parameter.dtype, tuple(parameter.top.shape)
    numbers = {name: program.number((0, name), of) for name in (*settings, *COMPUTED)}
    known: dict[str, Any] = {**group, **numbers}
    if "betas" in group:
        known["betas"] = (Place(numbers["beta1"]), Place(numbers["beta2"]))
    with program:
        cells: dict[str, Any] = {
            name: program.cell(empty(shape, dtype=of, device="meta"), name)
            for name in ("value", *slots)
        }
        grad: Any = Input(shape, name="gradient", dtype=of, graph=program)
        state = {name: cells[name] for name in slots}
        new, new_state = optimizer.updated(known, None, cells["value"], grad, **state)
    news: dict[str, Any] = {**new_state, "value": new}
    program.results = [*news.values()]
    made = optimize(program)
    results, made.results = made.results, []
    low = _Elements(made)
    low.run()
    elements = {name: low.scalar(each, shape) for name, each in zip(news, results, strict=True)}
    given: list[tuple[Node, Slot]] = [*low.done.cells.items(), *low.done.inputs.items()]
    memory = {node.name: slot for node, slot in given}
    names = [cast("Any", each).given[1] for each in low.done.numbers]
    return Loop(memory, elements, names)
