"""The hint for a wrong rule: the usual mistakes first, then the structure of what is missing.

None of these knows what is right for an exercise: each undoes a mistake, or compares what moves
with what, and the differences of the given forward tell whether that explains it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from graphnet.check.hints import red_pen
from graphnet.errors import shape_text

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.exercises.attempt import Attempt

_ZERO = 1e-7  # slopes below are rounding


def hint(attempt: Attempt) -> str:
    """The sentence that explains why a rule is wrong; "" if none is found."""
    for look in _LOOKS:
        try:
            sentence = look(attempt)
        except Exception:  # the rule cannot be run in this way: this look tells nothing
            continue
        if sentence:
            return sentence
    return ""


def _chain(attempt: Attempt) -> str:
    """The rule does not look at the gradient that arrives."""
    if "grad" in attempt.reads:
        doubled, once = attempt.run(2 * attempt.grad), attempt.run()
        if doubled.shape != once.shape or not doubled.eq(once).all() or not once.any():
            return ""
    return (
        "The chain rule is forgotten: the slope is multiplied by `grad`, the gradient of the "
        "output, which comes from behind."
    )


def _sum(attempt: Attempt) -> str:
    """A sum over dimensions that the input does not have."""
    result = attempt.run()
    if result.shape == attempt.x.shape:
        return ""
    if attempt.is_right(lambda: result.sum_to_size(attempt.x.shape)):
        return (
            f"The sum over the batch is missing: every row uses the same {attempt.name}, so the "
            "gradients of all rows add up, as .sum(0) does."
        )
    return ""


def _mean(attempt: Attempt) -> str:
    """A mean where a sum is right, or the other way round."""
    result = attempt.run()
    rows = attempt.top.shape[0] if attempt.top.ndim else 1
    if rows < 2:
        return ""
    if attempt.is_right(lambda: result * rows):
        return f"There is a division by {rows}, the number of rows, too many: sum, not mean."
    if attempt.is_right(lambda: result / rows):
        return f"The division by {rows}, the number of rows, is missing: mean, not sum."
    return ""


def _argument(attempt: Attempt) -> str:
    """The derivative by another input."""
    result = attempt.run()
    for place, (name, value) in enumerate(zip(attempt.op.inputs, attempt.arguments, strict=True)):
        if place != attempt.place and value.dtype.is_floating_point:
            other = attempt.right_by(place)
            if other.shape == result.shape and not attempt.apart(result, other).any():
                return (
                    f"This is the derivative of the wrong argument: the gradient by {name} is "
                    f"right so, and the one by {attempt.name} is asked for."
                )
    return ""


def _pen(attempt: Attempt) -> str:
    """The mistakes that `gn.check_op` knows: signs, factors, transposes, swapped inputs."""
    with catch_warnings():
        simplefilter("ignore")  # torch warns of what is tried here
        return red_pen(attempt.op, attempt.place, attempt.arguments, attempt.top)


def _turned(attempt: Attempt) -> str:
    """A value that the rule reads from its other end."""
    for number, name in enumerate(attempt.reads):
        for dim in range(attempt.values()[number].ndim):
            if attempt.is_right(_flipped(attempt, number, dim)):
                return (
                    f"{name} is used in the wrong direction: what stands first along dimension "
                    f"{dim} is to stand last."
                )
    return ""


def _flipped(attempt: Attempt, number: int, dim: int) -> Callable[[], Tensor]:
    return lambda: attempt.run_with(number, lambda value: value.flip(dim))


def _complement(attempt: Attempt) -> str:
    """A factor 1 - y, as the derivatives of bounded functions have."""
    result = attempt.run()
    for name, value in attempt.known.items():
        for factor, text in ((1 - value, f"(1 - {name})"), (1 + value, f"(1 + {name})")):
            if attempt.is_right(_product(result, factor)):
                return f"A factor {text} is missing."
            if attempt.is_right(_product(result, 1 / factor)):
                return f"There is a factor {text} too many."
    return ""


def _product(left: Tensor, right: Tensor) -> Callable[[], Tensor]:
    return lambda: left * right


def _linear(attempt: Attempt) -> str:
    """Twice the gradient of the output gives twice the gradient of the input."""
    once, doubled = attempt.run(), attempt.run(2 * attempt.grad)
    if (doubled - 2 * once).abs().max() <= _ZERO * once.abs().max():
        return ""
    return (
        "Twice the `grad` must give twice the result: `grad` is a factor once, of every term, and "
        "nothing else is done with it."
    )


def _where(attempt: Attempt) -> str:
    """The rule is right at some elements: which ones."""
    result = attempt.run()
    if result.shape != attempt.x.shape:
        return ""
    wrong = attempt.wrong_at(result)
    if wrong.all() or not wrong.any():
        return ""
    for name, value in attempt.known.items():
        if value.shape == wrong.shape:
            if wrong.eq(value > 0).all():
                return f"It is right where {name} is negative, and wrong where it is positive."
            if wrong.eq(value < 0).all():
                return f"It is right where {name} is positive, and wrong where it is negative."
    for name, value in zip(attempt.op.inputs, attempt.arguments, strict=True):
        if not value.dtype.is_floating_point and _picks(value, wrong):
            return (
                f"It is right but for one element of each row: the one that {name} names. That "
                "element acts on the output in one more way."
            )
    return ""


def _picks(index: Tensor, wrong: Tensor) -> bool:
    """True if the wrong elements are those that an index picks, one in each row."""
    if wrong.ndim != 2 or tuple(index.shape) != tuple(wrong.shape[:1]):
        return False
    picked = wrong.new_zeros(wrong.shape).scatter(1, index.unsqueeze(1), True)
    return bool(wrong.eq(picked).all())


def _paths(attempt: Attempt) -> str:
    """An element of the input that acts on an element of the output, and that the rule forgets."""
    least = _ZERO * float(attempt.slopes.abs().max())
    missed = (attempt.slopes.abs() > least).logical_and(attempt.ruled_slopes.abs() <= least)
    if not missed.any():
        return ""
    row, column = divmod(int(missed.reshape(-1).long().argmax()), missed.shape[1])
    return (
        f"Element {_place(row, attempt.top)} of the output depends on element "
        f"{_place(column, attempt.x)} of {attempt.name} too: this path is forgotten."
    )


def _place(flat: int, tensor: Tensor) -> str:
    """The place of an element counted in walk order, as a tuple."""
    place: list[int] = []
    for size in reversed(tensor.shape):
        flat, index = divmod(flat, size)
        place.insert(0, index)
    return shape_text(place)


def _shape(attempt: Attempt) -> str:
    """A gradient has the shape of its input."""
    if attempt.run().shape == attempt.x.shape:
        return ""
    return (
        f"A gradient has the shape of its input: {attempt.name} has "
        f"{shape_text(tuple(attempt.x.shape))}."
    )


_LOOKS = (
    _chain,
    _sum,
    _mean,
    _argument,
    _pen,
    _shape,
    _turned,
    _complement,
    _linear,
    _where,
    _paths,
)
"""In the order in which they are tried: what is certain first, then what is only likely."""
