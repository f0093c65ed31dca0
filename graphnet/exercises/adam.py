"""The exercise on Adam: one update of a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from torch import empty

from graphnet.errors import shape_text
from graphnet.exercises.program import Candidate, ProgramExercise, explained, is_close
from graphnet.exercises.report import FORM
from graphnet.optim import Optimizer

if TYPE_CHECKING:
    from torch import Tensor


class Settings(NamedTuple):
    """The settings that an answer is graded with; those of the class would hide some mistakes."""

    lr: float = 0.05
    beta1: float = 0.8
    beta2: float = 0.9
    eps: float = 0.02


class Adam(ProgramExercise):
    """One step of Adam, from Kingma and Ba (2015), algorithm 1.

    m = β₁ m + (1 - β₁) grad, and v = β₂ v + (1 - β₂) grad²: running means, both 0 at first. In step
    t = 1, 2, ... these are too small by the factors 1 - β₁ᵗ and 1 - β₂ᵗ, so
    w = w - lr (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + eps).

    The settings are self.lr, self.beta1, self.beta2 and self.eps. `value` is w, `mean` m,
    `square` v and `step` t. Return the new value, mean and square; leave the old ones as they are.
    """

    method = "update"
    arguments = ("value", "grad", "mean", "square", "step")
    results = ("mean", "square", "value")
    lr: ClassVar[float] = 0.001
    beta1: ClassVar[float] = 0.9
    beta2: ClassVar[float] = 0.999
    eps: ClassVar[float] = 1e-8

    @classmethod
    def optimizer(cls, params: Any, lr: float | None = None) -> Optimizer:
        """An optimizer that takes its steps by the update of this answer.

        Args:
            params: the parameters.
            lr: the learning rate; None for that of the class.
        """
        own = cls()
        return _ByAnswer(params, cls.lr if lr is None else lr, answer=own)

    @classmethod
    def judge(cls, answer: type) -> dict[str, tuple[str, str]]:
        """What is wrong with the new mean, square and value in the first steps, and in form."""
        own, settings = answer(), Settings()
        vars(own).update(settings._asdict())
        faults: dict[str, tuple[str, str]] = {}
        value, mean, square, grad = (_numbers((4, 3), start) for start in range(4))
        for step in (2, 1):  # the first step is last: with zeros, many mistakes look alike
            old = (step > 1) * mean, (step > 1) * square.abs()
            case = _Case(settings, value, *old, grad, step)
            results = case.run(own)
            if isinstance(results, str):
                return dict.fromkeys(cls.results, (results, "Return value, mean, square."))
            for name, fault in case.faults(*results):
                faults.setdefault(name, fault)
        return faults or _of_form(own, settings)


class _ByAnswer(Optimizer):
    """The optimizer of an answer to the exercise."""

    slots = ("mean", "square")

    def __init__(self, params: Any, lr: float, answer: Any) -> None:
        self.answer = answer
        super().__init__(params, lr)

    def update(self, group: Any, step: int, value: Tensor, grad: Tensor, **state: Any) -> None:
        """Copy what the answer returns into the parameters and the state."""
        self.answer.lr = group["lr"]
        results = self.answer.update(value, grad, state["mean"], state["square"], step)
        for old, new in zip((value, state["mean"], state["square"]), results, strict=True):
            old.copy_(new)


class _Case:
    """One step: what the update reads, what is right, and what usual mistakes compute."""

    def __init__(
        self,
        settings: Settings,
        value: Tensor,
        mean: Tensor,
        square: Tensor,
        grad: Tensor,
        step: int,
    ) -> None:
        self.settings, self.step = settings, step
        self.value, self.mean, self.square, self.grad = value, mean, square, grad

    @property
    def right(self) -> tuple[Tensor, Tensor, Tensor]:
        """The new value, mean and square."""
        _, beta1, beta2, _ = self.settings
        mean = beta1 * self.mean + (1 - beta1) * self.grad
        square = beta2 * self.square + (1 - beta2) * self.grad * self.grad
        return self.stepped(mean, square), mean, square

    def stepped(self, mean: Tensor, square: Tensor) -> Tensor:
        """The new value for given new means."""
        lr, beta1, beta2, eps = self.settings
        mean, square = mean / (1 - beta1**self.step), square / (1 - beta2**self.step)
        return self.value - lr * mean / (square.sqrt() + eps)

    def run(self, own: Any) -> tuple[Tensor, Tensor, Tensor] | str:
        """What the answer returns, or why it cannot be judged."""
        old = [self.value, self.grad, self.mean, self.square]
        given = [each.clone() for each in old]
        results = own.update(*given, self.step)
        if results is None:
            return "it returns nothing"
        if not isinstance(results, tuple | list) or len(results) != 3:
            return f"it returns {type(results).__name__}, not three tensors"
        for name, result in zip(("value", "mean", "square"), results, strict=True):
            if not isinstance(result, type(empty(0))):
                return f"the new {name} is of type {type(result).__name__}, not a tensor"
            if result.shape != self.value.shape:
                wrong = shape_text(tuple(result.shape))
                return f"the new {name} has the shape {wrong}, not that of the old value"
        value, mean, square = results
        return value, mean, square

    def faults(
        self, value: Tensor, mean: Tensor, square: Tensor
    ) -> Iterator[tuple[str, tuple[str, str]]]:
        """The faults of this step; the value is judged by the means that the answer returns."""
        right_value, right_mean, right_square = self.right
        if not is_close(mean, right_mean):
            yield "mean", self.fault(mean, right_mean, self.of_mean())
        if not is_close(square, right_square):
            yield "square", self.fault(square, right_square, self.of_square())
        if not is_close(value, right_value) and not is_close(value, self.stepped(mean, square)):
            yield "value", self.fault(value, right_value, self.of_value(mean, square))

    def fault(self, got: Tensor, right: Tensor, mistakes: Iterator[Candidate]) -> tuple[str, str]:
        """How a result differs, and the usual mistake that explains it."""
        place = int((got - right).abs().nan_to_num(float("inf")).argmax())
        here, there = float(got.reshape(-1)[place]), float(right.reshape(-1)[place])
        hint = explained(got, mistakes)
        return f"{here:.6g} instead of {there:.6g} in step {self.step}", hint or (
            "No usual mistake explains it: compute the first step by hand, for one number."
        )

    def of_mean(self) -> Iterator[Candidate]:
        """What usual mistakes make of the mean."""
        beta, g, m = self.settings.beta1, self.grad, self.mean
        yield beta * m + g, "The factor 1 - beta1 of grad is missing."
        yield (1 - beta) * m + beta * g, "beta1 and 1 - beta1 are exchanged."
        yield m, "The old mean is returned."
        yield g, "The gradient is returned: the mean also keeps beta1 of the old one."
        yield beta * m - (1 - beta) * g, "The sign is wrong: grad is added."
        corrected = self.right[1] / (1 - beta**self.step)
        yield corrected, "Return m itself: it is corrected only where the value is updated."

    def of_square(self) -> Iterator[Candidate]:
        """What usual mistakes make of the mean of squares."""
        (_, beta1, beta, _), g, v = self.settings, self.grad, self.square
        yield beta * v + (1 - beta) * g, "grad is not squared."
        yield beta * v + g * g, "The factor 1 - beta2 of grad² is missing."
        yield beta * v + ((1 - beta) * g) ** 2, "Only grad is squared, not 1 - beta2."
        yield (1 - beta) * v + beta * g * g, "beta2 and 1 - beta2 are exchanged."
        yield beta1 * v + (1 - beta1) * g * g, "This uses beta1: v has beta2."
        yield v, "The old mean of squares is returned."
        corrected = self.right[2] / (1 - beta**self.step)
        yield corrected, "Return v itself: it is corrected only where the value is updated."

    def of_value(self, mean: Tensor, square: Tensor) -> Iterator[Candidate]:
        """What usual mistakes make of the value."""
        w, (lr, beta1, beta2, eps) = self.value, self.settings
        m, v = mean / (1 - beta1**self.step), square / (1 - beta2**self.step)
        size = v.sqrt() + eps
        uncorrected = square.sqrt() + eps
        yield (
            w - lr * mean / uncorrected,
            "Neither mean is corrected: divide by 1 - beta1 ** step and 1 - beta2 ** step.",
        )
        yield w - lr * m / uncorrected, "v is not divided by 1 - beta2 ** step."
        yield w - lr * mean / size, "m is not divided by 1 - beta1 ** step."
        yield w - lr * m / (v + eps).sqrt(), "eps stands outside the root."
        yield w - lr * m / (v + eps), "The root of v is missing."
        yield w - lr * m / v.sqrt(), "eps is missing in the denominator."
        yield w - m / size, "The learning rate is missing."
        yield w - lr * self.grad / size, "It steps along grad, not along m."
        yield w + lr * m / size, "The sign is wrong: a step goes against m."
        yield w - lr * m, "The division by the root of v is missing."
        yield w, "The old value is returned."
        own = Settings(Adam.lr, Adam.beta1, Adam.beta2, Adam.eps)
        yield (
            _Case(own, w, self.mean, self.square, self.grad, self.step).right[0],
            "The settings are not read: write self.lr, self.beta1, self.beta2 and self.eps.",
        )


def _numbers(shape: tuple[int, ...], start: int) -> Tensor:
    """Numbers from -1 to 1 that are all different, in double precision."""
    count = empty(shape).double().fill_(1).reshape(-1).cumsum(0) + 17 * start
    return ((count * 0.6180339887498949) % 1 * 2 - 1).view(shape)


def _of_form(own: Any, settings: Settings) -> dict[str, tuple[str, str]]:
    """What is wrong although the numbers are right: dtypes, shapes, what is written to."""
    for shape in ((), (2, 1, 3)):
        single = [_numbers(shape, place).float() for place in range(4)]
        single[3] = single[3].abs()
        before = [each.clone() for each in single]
        try:
            results = own.update(*single, 2)
        except Exception as error:
            fault = f"for the shape {shape_text(shape)} it raises {type(error).__name__}: {error}"
            return {FORM: (fault, "An update takes tensors of any shape.")}
        for name, old, new in zip(Adam.arguments, before, single, strict=False):
            if not new.equal(old):
                fault = f"it changes {name}, which others read as well"
                return {FORM: (fault, "Return new tensors: a -= b and add_() write in place.")}
        for name, result in zip(("value", "mean", "square"), results, strict=True):
            if result.dtype != single[0].dtype or tuple(result.shape) != shape:
                fault = f"the new {name} is {result.dtype} of shape {tuple(result.shape)}"
                return {FORM: (fault, "It has the dtype and shape of the old one.")}
    return {}
