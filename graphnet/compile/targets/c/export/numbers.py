"""What an optimizer is given at each step: as arguments in C, and as formulas that compute them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import TYPE_CHECKING, Any

from graphnet.compile.targets.c.expressions import TYPES, number
from graphnet.compile.targets.c.names import RESERVED, identifier
from graphnet.errors import GraphError
from graphnet.optim.adam import NAdam, WithBetas
from graphnet.optim.adaptive import Adagrad
from graphnet.optim.base import Optimizer
from graphnet.optim.sgd import SGD
from graphnet.validation import item_of

if TYPE_CHECKING:
    from torch import dtype

    from graphnet.compile.ir.program import Number
    from graphnet.compile.plan.slots import Slot
    from graphnet.optim.buckets import Bucket

Numbers = dict[str, Any]
"""The numbers of an optimizer in one step, by name."""

AHEAD = 100
"""So many steps are looked at to find out which numbers change."""


def numbers_ahead(
    optimizer: Optimizer, bucket: Bucket, steps: int, lr: float | None = None
) -> list[Numbers]:
    """The numbers of the next steps, which are not made; with another learning rate if given."""
    scalars = {name: each.clone() for name, each in bucket.scalars.items()}
    group = bucket.group if lr is None else {**bucket.group, "lr": lr}
    found = []
    for ahead in range(steps):
        step = bucket.steps + (1 + ahead) * optimizer.counts(group)
        found.append({**optimizer.numbers(group, step, **scalars), "step": float(step)})
    return found


def changing_numbers(optimizer: Optimizer, bucket: Bucket) -> tuple[Numbers, list[str]]:
    """The numbers of the next step, and the names of those that a later step, or another rate, has.

    Raises:
        GraphError: a later step has another form.
    """
    first = numbers_ahead(optimizer, bucket, 1)[0]
    others = [
        *numbers_ahead(optimizer, bucket, AHEAD, 1.0),
        numbers_ahead(optimizer, bucket, 1, 2.0)[0],
    ]
    names = [name for name in first if any(each[name] != others[0][name] for each in others)]
    for name in names:
        if not isinstance(first[name], float):
            kind = type(optimizer).__name__
            raise GraphError(
                f"export_c: the first steps of {kind} have another form than later ones ({name!r} "
                f"changes), and C has one function for all. Make these steps here first, or take "
                "another optimizer, such as Adam or NAdam."
            )
    return first, names


@dataclass(frozen=True)
class Member:
    """A number as a member of the struct in C.

    Attributes:
        name: of the member.
        slot: where the program reads it.
        bucket: the parameters that it is for.
        setting: its name in the optimizer.
        remark: what it is, in words.
    """

    name: str
    slot: Slot
    bucket: Bucket
    setting: str
    remark: str

    @property
    def type(self) -> str:
        """Its type in C."""
        return TYPES[self.slot.dtype]


@dataclass(frozen=True)
class Rate:
    """The learning rate of a group of parameters: its name in C, its value now, and its dtype."""

    name: str
    value: float
    dtype: dtype


class StepNumbers:
    """The numbers of all buckets, and the function in C that computes them.

    Attributes:
        members: the numbers.
        rates: for each group of parameters, its learning rate.
        has_formulas: True if C can compute all of them.
    """

    def __init__(
        self, optimizer: Optimizer, buckets: Sequence[Bucket], numbers: dict[Number, Slot]
    ) -> None:
        self.optimizer = optimizer
        taken = {*set(RESERVED), "step"}
        self.formulas = FORMULAS.get(type(optimizer).numbers, {"step": _step})
        self.members = [
            Member(identifier(name, taken), slot, buckets[place], name, REMARKS.get(name, name))
            for (place, name), slot in ((each.given, slot) for each, slot in numbers.items())
        ]
        self.has_formulas = all(each.setting in self.formulas for each in self.members)
        self.rates: dict[int, Rate] = {}
        for each in self.members:
            name = f"lr_{each.bucket.place + 1}" if len(optimizer.param_groups) > 1 else "lr"
            rate = Rate(name, float(item_of(each.bucket.group["lr"])), each.slot.dtype)
            self.rates.setdefault(each.bucket.place, rate)

    def rows(self, steps: int) -> list[list[float]]:
        """The numbers of the next steps, as Python computes them."""
        ahead = {
            id(each.bucket): numbers_ahead(self.optimizer, each.bucket, steps)
            for each in self.members
        }
        return [
            [ahead[id(each.bucket)][place][each.setting] for each in self.members]
            for place in range(steps)
        ]

    def parameters(self) -> str:
        """The parameters of the function in C."""
        rates = (f"{TYPES[each.dtype]} {each.name}" for each in self.rates.values())
        return ", ".join(["int32_t step", *rates])

    def body(self) -> Iterator[str]:
        """The lines of the function in C, which fill in `numbers`."""
        lines = list(self._lines())
        words = set(re.findall(r"\w+", "\n".join(lines)))
        names = ["step", *(each.name for each in self.rates.values())]
        yield from (f"(void){name};" for name in names if name not in words)
        yield from lines

    def _lines(self) -> Iterator[str]:
        for each in self.members:
            rate = self.rates[each.bucket.place].name
            count = each.bucket.steps if self.optimizer.counts(each.bucket.group) else 0
            step = f"(step + {count})" if count else "step"
            context = _Context(each.slot.dtype, each.bucket.group, step, rate)
            yield from self.formulas[each.setting](context, f"numbers.{each.name}")


REMARKS = {
    "lr": "the learning rate",
    "step": "the number of the step, from 1",
    "rate": "the learning rate, corrected for the number of the step",
    "root": "sqrt(1 - beta2^step)",
    "intake": "the part of the gradient that enters the momentum",
    "grad_rate": "the learning rate of the gradient",
    "mean_rate": "the learning rate of the momentum",
}
"""What the numbers of the optimizers here are."""


@dataclass(frozen=True)
class _Context:
    """What a formula is made of: the dtype, the settings, and the text of step and rate."""

    dtype: dtype
    group: dict[str, Any]
    step: str
    rate: str

    def text(self, value: float) -> str:
        """A number in C."""
        return number(value, self.dtype)

    def function(self, name: str) -> str:
        """The function of the C library for the dtype."""
        return f"{name}f" if TYPES[self.dtype] == "float" else name

    @property
    def type(self) -> str:
        """The type in C."""
        return TYPES[self.dtype]

    def missing(self, beta: float) -> str:
        """1 - beta^step, which loses no digits where beta is near to 1."""
        exponent = self.text(log(beta) if beta else -inf)
        return f"-{self.function('expm1')}(({self.type}){self.step} * {exponent})"


Formula = Callable[[_Context, str], Iterator[str]]


def _lr(c: _Context, to: str) -> Iterator[str]:
    yield f"{to} = {c.rate};"


def _step(c: _Context, to: str) -> Iterator[str]:
    yield f"{to} = ({c.type}){c.step};"


def _rate(c: _Context, to: str) -> Iterator[str]:
    yield f"{to} = {c.rate} / {c.missing(c.group['betas'][0])};"


def _root(c: _Context, to: str) -> Iterator[str]:
    yield f"{to} = {c.function('sqrt')}({c.missing(c.group['betas'][1])});"


def _intake(c: _Context, to: str) -> Iterator[str]:
    yield f"{to} = {c.step} == 1 ? {c.text(1)} : {c.text(1 - c.group['dampening'])};"


def _decayed_rate(c: _Context, to: str) -> Iterator[str]:
    decay = c.text(c.group["lr_decay"])
    yield f"{to} = {c.rate} / ({c.text(1)} + ({c.type})({c.step} - 1) * {decay});"


def _nesterov(formula: str) -> Formula:
    """A rate of NAdam, from mu of this step and the next, and the product of all so far."""

    def lines(c: _Context, to: str) -> Iterator[str]:
        power = f"{c.function('pow')}({c.text(0.96)}, %s * {c.text(c.group['momentum_decay'])})"
        mu = f"{c.text(c.group['betas'][0])} * ({c.text(1)} - {c.text(0.5)} * {power})"
        yield "{"
        if "mu" in formula:
            yield f"  const {c.type} mu = {mu % f'({c.type}){c.step}'};"
        if "next" in formula:
            yield f"  const {c.type} next = {mu % f'({c.type})({c.step} + 1)'};"
        yield f"  {c.type} product = {c.text(1)}; /* of all mu so far; soon it is 0 */"
        yield f"  for (int32_t k = 1; k <= {c.step} && product > {c.text(0)}; k++) {{"
        yield f"    product *= {mu % f'({c.type})k'};"
        yield "  }"
        yield f"  {to} = {c.rate} * {formula.replace('1', c.text(1))};"
        yield "}"

    return lines


_OF_ADAM: dict[str, Formula] = {"lr": _lr, "rate": _rate, "root": _root, "step": _step}
FORMULAS: dict[Any, dict[str, Formula]] = {
    Optimizer.numbers: {"lr": _lr, "step": _step},
    SGD.numbers: {"lr": _lr, "intake": _intake, "step": _step},
    WithBetas.numbers: _OF_ADAM,
    Adagrad.numbers: {"rate": _decayed_rate, "step": _step},
    NAdam.numbers: {
        **_OF_ADAM,
        "grad_rate": _nesterov("(1 - mu) / (1 - product)"),
        "mean_rate": _nesterov("next / (1 - product * next)"),
    },
}
"""By the method that computes them in Python, the numbers in C."""
