"""One rule of an answer run on numbers, and the right result by differences of the forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from graphnet.check.finite_differences import STEP, wave
from graphnet.check.subject import copies, difference, is_tensor
from graphnet.errors import shape_text
from graphnet.exercises.isolation import contained, isolated

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import Op
    from graphnet.op_rules import Rule

_CLOSE = 1e-5


class Attempt:
    """The rule of an op for one of its inputs, at given float64 values.

    Attributes:
        op: the op.
        place: the index of the input.
        arguments: the values of all inputs.
        x: the value of that input.
        top: the value of the output.
        grad: a gradient of the output, different at each element.
        reads: the names of what the rule reads.
    """

    def __init__(self, op: Op, place: int, arguments: list[Any]) -> None:
        self.op, self.place, self.arguments = op, place, arguments
        self.rule = cast("Rule", op.rules_for(len(arguments))[place])
        self.reads = self.rule.reads
        self.x: Tensor = arguments[place]
        self.top: Tensor = op.forward(*copies(arguments))
        self.grad = wave(self.top)

    @property
    def name(self) -> str:
        """The name of the input."""
        return self.op.inputs[self.place]

    @property
    def known(self) -> dict[str, Tensor]:
        """The output and the floating-point inputs by name."""
        named = {"top": self.top, **dict(zip(self.op.inputs, self.arguments, strict=True))}
        return {name: value for name, value in named.items() if value.dtype.is_floating_point}

    def values(self, grad: Tensor | None = None) -> list[Any]:
        """Copies of what the rule reads."""
        grad = self.grad if grad is None else grad
        return copies(self.op.read(self.rule, self.place, self.arguments, grad, self.top))

    def run(self, grad: Tensor | None = None) -> Tensor:
        """The result of the rule."""
        return self.run_on(self.values(grad))

    def run_on(self, values: list[Any]) -> Tensor:
        """The result of the rule on other values."""
        with contained(), isolated():
            result: Tensor = self.rule.function(self.op, *values)
        return result

    def run_with(self, number: int, change: Callable[[Tensor], Tensor]) -> Tensor:
        """The result of the rule with one of its values changed."""
        values = self.values()
        values[number] = change(values[number])
        return self.run_on(values)

    def rolled(self) -> Attempt:
        """The same rule with all floating-point values moved to the next position."""
        moved = [
            each.reshape(-1).roll(1).view(each.shape) if each.dtype.is_floating_point else each
            for each in self.arguments
        ]
        return Attempt(self.op, self.place, moved)

    # what is right

    @cached_property
    def slopes(self) -> Tensor:
        """The Jacobian: how each output element (row) moves with each input element (column)."""
        return self._slopes_by(self.place)

    @cached_property
    def right(self) -> Tensor:
        """The gradient by central differences."""
        return self.right_by(self.place)

    def right_by(self, place: int) -> Tensor:
        """The same for any of the inputs."""
        slopes = self.slopes if place == self.place else self._slopes_by(place)
        return self.grad.reshape(-1).matmul(slopes).view(self.arguments[place].shape)

    def variants(self) -> Iterator[tuple[str, Tensor]]:
        """The mistakes that the exercise names: a hint, and the gradient of another forward."""
        still = SimpleNamespace(**dict(zip(self.op.inputs, self.arguments, strict=True)))
        for name, method in vars(type(self.op)).items():
            if name.startswith("mistake_"):
                slopes = self._slopes_of(partial(method, self.op, still), self.place)
                gradient = self.grad.reshape(-1).matmul(slopes).view(self.x.shape)
                yield " ".join(method.__doc__.split()), gradient

    def sizes(self) -> dict[int, str]:
        """The sizes of the values, and what they are: the number of rows comes first."""
        sizes: dict[int, str] = {}
        if self.top.ndim > 0 and self.top.shape[0] > 1:
            sizes[self.top.shape[0]] = "the number of rows"
        for name, value in self.known.items():
            for dim, size in enumerate(value.shape):
                if size > 1:
                    sizes.setdefault(size, f"the size of dimension {dim} of {name}")
        return sizes

    def _slopes_by(self, place: int) -> Tensor:
        return self._slopes_of(self.op.forward, place)

    def _slopes_of(self, forward: Callable[..., Tensor], place: int) -> Tensor:
        x = self.arguments[place]
        columns = self.top.new_zeros(x.numel(), self.top.numel())
        for number in range(x.numel()):
            move = x.new_zeros(x.numel())
            move[number] = STEP
            sides = []
            for moved in (x + move.view(x.shape), x - move.view(x.shape)):
                arguments = copies(self.arguments)
                arguments[place] = moved
                sides.append(forward(*arguments))
            columns[number] = (sides[0] - sides[1]).reshape(-1) / (2 * STEP)
        return columns.mT

    def wrong_at(self, result: Tensor) -> Tensor:
        """Where a result of the right shape is wrong."""
        return self.differs(result, self.right)

    @staticmethod
    def differs(result: Tensor, right: Tensor) -> Tensor:
        """Where two gradients of the same shape differ by more than the error of differences."""
        return ~((result - right).abs() <= _CLOSE * float(right.abs().max()))  # NaN differs too

    def is_right(self, function: Callable[..., Tensor], *arguments: Any) -> bool:
        """True if a call returns the right gradient; False also if it fails."""
        try:
            result = function(*arguments)
            return result.shape == self.x.shape and not self.wrong_at(result).any()
        except Exception:  # the shapes do not fit: it is wrong
            return False

    @cached_property
    def ruled_slopes(self) -> Tensor:
        """The Jacobian by the rule: one run for each element of the output."""
        rows = self.top.new_zeros(self.top.numel(), self.x.numel())
        for number in range(self.top.numel()):
            grad = self.top.new_zeros(self.top.numel())
            grad[number] = 1
            rows[number] = self.run(grad.view(self.top.shape)).reshape(-1)
        return rows

    # checks that need no values

    def refused(self) -> tuple[str, str]:
        """Why the rule cannot be judged by its values, and the way out; empty if it can."""
        values = self.values()
        before = copies(values)
        result = self.run_on(values)
        if result is None:
            return "it returns nothing", "Does it end with `return`?"
        if not is_tensor(result):
            fault = f"it returns a value of type {type(result).__name__}, not a tensor"
            return fault, f"The gradient by {self.name} must be a tensor."
        if not result.dtype.is_floating_point:
            return (
                f"it returns {result.dtype}, not a floating dtype",
                "In a product, a comparison counts as 0 or 1: grad * (x > 0).",
            )
        for name, value, old in zip(self.reads, values, before, strict=True):
            if difference(value, old):
                return (
                    f"it changes {name}, which others read as well",
                    "Methods whose names end in _, and a -= b, write in place; a - b does not.",
                )
        if not result.isfinite().all():
            return (
                "it returns NaN or inf",
                "Is there a division by 0, a logarithm or root of 0, or an overflow?",
            )
        return "", ""

    def shapes(self) -> str:
        """The shapes of the values that the rule reads, in a sentence."""
        shapes = [
            f"{name} {shape_text(tuple(value.shape))}"
            for name, value in zip(self.reads, self.values(), strict=True)
        ]
        question = ": do these shapes fit together?" if len(shapes) > 1 else "."
        return f"It reads {', '.join(shapes)}{question}"
