"""Hints: for a wrong derivative rule, the usual mistake that would explain it.

Each mistake is undone in turn, in the result of the rule or in what the rule reads. If the
corrected form agrees with the central differences at every element, that mistake is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from graphnet.check.finite_differences import LARGE, PLACES, STEP, by_rule, wave

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import Op
    from graphnet.op_rules import Rule

Candidate = tuple[Callable[[], "Tensor"], str]
"""A gradient that might be the right one, and the hint to give if it is."""

_CLOSE = 1e-5

PROPORTIONAL = (
    "The result must be proportional to `grad`: use it once, as a factor of every term, and in no "
    "other way, such as abs() or a comparison."
)


def red_pen(op: Op, place: int, arguments: list[Any], top: Tensor) -> str:
    """A sentence that names the mistake in the rule of one argument; "" if none is found.

    >>> from graphnet.op import Op
    >>> from torch import empty
    >>> class Cube(Op):
    ...     symbol = "x³"
    ...     def forward(self, x):
    ...         return x * x * x
    ...     def grad_x(self, grad, x):
    ...         return -3 * grad * x * x
    >>> x = empty(3).fill_(2).double()
    >>> red_pen(Cube(), 0, [x], x * x * x)
    'The sign is wrong: a minus is missing, or there is one too many.'
    """
    pen = _Pen(op, place, arguments, top)
    if not 0 < pen.x.numel() <= PLACES:
        return ""
    try:
        if not pen.right.isfinite().all() or not pen.right.any():
            return ""
    except Exception:  # a forward that cannot be differentiated gives no hint
        return ""
    attempts = (pen.of_size, pen.of_result, pen.of_other_rules, pen.of_reads, pen.of_products)
    for attempt in attempts:
        with suppress(Exception):  # the rule itself cannot run
            for gradient, sentence in attempt():
                if pen.is_right(gradient):
                    return sentence
    return ""


class _Pen:
    """A wrong rule: what it reads, what it returns, and what would be right."""

    def __init__(self, op: Op, place: int, arguments: list[Any], top: Tensor) -> None:
        self.op, self.place, self.arguments = op, place, arguments
        self.x: Tensor = arguments[place].contiguous()
        self.top, self.seed = top, wave(top)
        self.rule = cast("Rule", op.rules_for(len(arguments))[place])
        self.reads = op.read(self.rule, place, arguments, self.seed, top)
        self.tensors = {
            name: value
            for name, value in zip(op.inputs, arguments, strict=False)
            if hasattr(value, "numel") and value.dtype.is_floating_point
        }

    @cached_property
    def right(self) -> Tensor:
        """The gradient by central differences, element by element."""
        slopes = self.x.new_zeros(self.x.numel())
        for number in range(self.x.numel()):
            direction = self.x.new_zeros(self.x.numel())
            direction[number] = STEP * max(1.0, float(self.x.reshape(-1)[number].abs()))
            ahead, back = map(self._moved, (direction, -direction))
            slopes[number] = ((ahead - back) * self.seed).sum() / (2 * direction[number])
        return slopes.view(self.x.shape)

    def _moved(self, direction: Tensor) -> Tensor:
        """The output for another value of the argument."""
        arguments = [*self.arguments]
        arguments[self.place] = self.x + direction.view(self.x.shape)
        top: Tensor = self.op.forward(*arguments)
        return top

    def run(self, reads: list[Any]) -> Tensor:
        """The result of the rule for these values."""
        result: Tensor = self.rule.function(self.op, *reads)
        return result

    def is_right(self, candidate: Callable[[], Tensor]) -> bool:
        """True if it is the gradient by central differences."""
        try:
            return self._agrees(candidate())
        except Exception:  # the shapes do not fit: this mistake was not made
            return False

    def _agrees(self, gradient: Tensor) -> bool:
        if self.op.broadcasts and gradient.shape != self.x.shape:
            gradient = gradient.sum_to_size(self.x.shape)
        if gradient.shape != self.x.shape:
            return False
        worst = float((gradient - self.right).abs().max())
        return worst <= _CLOSE * float(self.right.abs().max())

    # mistakes in what is returned

    def of_size(self) -> Iterator[Candidate]:
        """The result itself, if it is wrong for a larger gradient of the opposite sign."""
        result = self.run(self.reads)
        large = by_rule(self.op, self.place, self.arguments, self.top, LARGE * self.seed)
        error = (large - LARGE * result).abs()
        if not error.le(_CLOSE * abs(LARGE) * result.abs().max()).all():  # NaN is an error too
            yield lambda: result, PROPORTIONAL

    def of_result(self) -> Iterator[Candidate]:
        """The result of the rule with one mistake undone."""
        result = self.run(self.reads)
        yield lambda: -result, "The sign is wrong: a minus is missing, or there is one too many."
        yield (
            lambda: result * self.seed,
            "The chain rule is missing: multiply the derivative by `grad`, the gradient of the "
            "output.",
        )
        for factor in (2, 3, 4):
            yield from _factor(result, factor, f"factor {factor}")
        for size, what in self._sizes():
            yield from _factor(result, 1 / size, f"division by {size} ({what})")
        yield lambda: result.mT, "The result is transposed: .mT transposes it back."
        yield from self._shapes(result)

    def _sizes(self) -> Iterator[tuple[int, str]]:
        if self.x.numel() > 1:
            yield self.x.numel(), "the number of elements"
        for dim, size in enumerate(self.x.shape):
            if size > 1:
                yield size, f"the size of dimension {dim}"

    def _shapes(self, result: Tensor) -> Iterator[Candidate]:
        """The result summed or expanded to the shape of the input."""
        if result.shape != self.x.shape:
            yield (
                lambda: result.reshape(self.x.shape),
                "The values are right, but not their shape: check where a sum keeps its dimension, "
                "with size 1.",
            )
            yield (
                lambda: result.sum_to_size(self.x.shape),
                "The sum over the dimension that was broadcast is missing: set "
                "`broadcasts = True` in the class, or use sum_as.",
            )
            yield (
                lambda: result.expand_as(self.x),
                "The gradient is not expanded to the shape of the input: expand_as does it.",
            )

    def of_products(self) -> Iterator[Candidate]:
        """The result times or divided by a factor that it may lack."""
        result = self.run(self.reads)
        for factor in (-2, -3):
            yield from _factor(result, factor, f"factor {factor}")
        yield lambda: result / self.seed, "`grad` is a factor twice; once is right."
        for name, value in {**self.tensors, "top": self.top}.items():
            yield from _factor(result, value, f"factor {name}")
            yield from _factor(result, -value, f"factor -{name}")

    # mistakes in what is read

    def of_reads(self) -> Iterator[Candidate]:
        """The rule run on values other than those that it reads."""
        known = {"top": self.top, **self.tensors}
        for number, name in enumerate(self.rule.reads):
            if name not in known and name != "grad":
                continue
            yield (
                self._with(number, lambda v: v.mT),
                f"{name} must be transposed: write {name}.mT, or {name} instead of {name}.mT.",
            )
            if name == "grad":
                continue
            for other, value in known.items():
                if other != name:
                    yield self._with(number, _always(value)), _exchanged(name, other)
            yield (
                self._with(number, lambda v: v * v),
                f"A square is missing: {name}² is right instead of {name}.",
            )
            yield self._with(number, lambda v: -v), f"The sign of {name} is wrong."
            yield (
                self._with(number, lambda v: v.abs().sqrt()),
                f"{name} is squared, but should not be.",
            )

    def _with(self, number: int, change: Callable[[Any], Any]) -> Callable[[], Tensor]:
        """The rule with one of its values changed."""

        def changed() -> Tensor:
            reads = [*self.reads]
            reads[number] = change(reads[number])
            return self.run(reads)

        return changed

    def of_other_rules(self) -> Iterator[Candidate]:
        """The rules of the other inputs."""
        count = len(self.op.inputs) - 1
        for other, rule in enumerate(self.op.rules_for(len(self.arguments))):
            if rule is None or other == self.place:
                continue
            reads = self.op.read(rule, other, self.arguments, self.seed, self.top)
            mine, its = self.op.inputs[min(self.place, count)], self.op.inputs[min(other, count)]
            yield (
                partial(rule.function, self.op, *reads),
                f"The rules are swapped: the rule of {its} is right for {mine}.",
            )


def _factor(result: Tensor, factor: Any, name: str) -> Iterator[Candidate]:
    """The result with a factor that was forgotten, and without one that is too many."""
    yield lambda: result * factor, f"A {name} is missing."
    yield lambda: result / factor, f"There is an extra {name}."


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _exchanged(name: str, other: str) -> str:
    """The hint for a rule that reads one value instead of another."""
    if other == "top":
        return f"The rule uses the input {name} where the output is right: read `top`."
    if name == "top":
        return f"The rule uses the output `top` where the input is right: read {other}."
    return f"The inputs are swapped: the rule uses {name} where {other} is right."
