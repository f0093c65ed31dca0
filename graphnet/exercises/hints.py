"""Hints for rules that return a wrong gradient.

The usual mistakes come first, then the structure of what is missing. None knows the solution of an
exercise: each undoes a mistake, or compares which elements move together, and differences of the
given forward decide whether that explains the fault.
"""

from __future__ import annotations

from operator import methodcaller, mul, neg, truediv
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from graphnet.check.finite_differences import LARGE, place_of
from graphnet.check.hints import PROPORTIONAL, red_pen
from graphnet.errors import shape_text
from graphnet.exercises.constants import times_text

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.exercises.attempt import Attempt

_ZERO = 1e-7  # slopes below are rounding
_SMALL = 1e-3  # a rule that is right except for a detail may leave out slopes below
_MANY = 8  # this many elements do not match a sign by chance


def hint(attempt: Attempt) -> str:
    """A sentence that explains why a rule is wrong; "" if none is found."""
    for look in _LOOKS:
        try:
            sentence = look(attempt)
        except Exception:  # the rule cannot run in this way: this attempt shows nothing
            continue
        if sentence:
            return sentence
    return ""


def _chain(attempt: Attempt) -> str:
    """The rule ignores the incoming gradient."""
    if "grad" in attempt.reads:
        doubled, once = attempt.run(2 * attempt.grad), attempt.run()
        if doubled.shape != once.shape or not doubled.eq(once).all() or not once.any():
            return ""
    return (
        "The chain rule is missing: multiply the derivative by `grad`, the gradient of the output."
    )


def _scaled(attempt: Attempt) -> str:
    """The rule is right for this gradient of the output, but not for a multiple of it."""
    return "" if attempt.wrong_at(attempt.run()).any() else _linear(attempt)


def _dimension(attempt: Attempt) -> str:
    """A sum over the columns instead of the rows."""
    result, top = tuple(attempt.run().shape), tuple(attempt.top.shape)
    if len(top) != 2 or result != top[:1] or tuple(attempt.x.shape) != top[1:]:
        return ""
    return (
        f"The wrong dimension remains: there is one number for each row, but {attempt.name} has "
        "one for each column. Sum over the rows, as .sum(0) does."
    )


def _sum(attempt: Attempt) -> str:
    """A sum over dimensions that the input does not have."""
    result, shape = attempt.run(), attempt.x.shape
    if result.numel() == shape.numel() or not attempt.is_right(result.sum_to_size, shape):
        return ""
    more = result.ndim - len(shape)
    dims = [d for d, n in enumerate(result.shape) if d < more or n != shape[d - more]]
    batch = result.shape[0] == attempt.top.shape[0]
    names = ["the batch" if batch and dim == 0 else f"dimension {dim}" for dim in dims]
    call = f"{dims[0] if len(dims) == 1 else tuple(dims)}{', True' if dims[-1] >= more else ''}"
    return (
        f"The sum over {' and '.join(names)} is missing: {attempt.name} is the same along it, so "
        f"the gradients add up, as .sum({call}) does."
    )


def _column(attempt: Attempt) -> str:
    """A number for each row that must multiply the elements of its row."""
    if "grad" not in attempt.reads:
        return ""
    place = attempt.reads.index("grad")
    if attempt.is_right(attempt.run_with, place, lambda grad: grad.unsqueeze(-1)):
        return (
            "`grad` has one number for each row, a factor of the whole row: "
            "grad.unsqueeze(1) makes it a column."
        )
    return ""


def _mean(attempt: Attempt) -> str:
    """A mean where a sum is right, or the reverse."""
    result = attempt.run()
    rows = attempt.top.shape[0] if attempt.top.ndim else 1
    if rows < 2:
        return ""
    if attempt.is_right(mul, result, rows):
        return f"There is an extra division by {rows}, the number of rows: sum, not mean."
    if attempt.is_right(truediv, result, rows):
        return f"The division by {rows}, the number of rows, is missing: mean, not sum."
    return ""


def _argument(attempt: Attempt) -> str:
    """The derivative by another input."""
    result = attempt.run()
    if attempt.is_right(neg, result):  # as for x - y: a wrong sign is the more likely reason
        return ""
    for place, (name, value) in enumerate(zip(attempt.op.inputs, attempt.arguments, strict=True)):
        if place != attempt.place and value.dtype.is_floating_point:
            other = attempt.right_by(place)
            if other.shape == result.shape and not attempt.differs(result, other).any():
                return (
                    f"This is the derivative by the wrong argument: it is right for {name}, but "
                    f"this is the rule for {attempt.name}."
                )
    return ""


def _pen(attempt: Attempt) -> str:
    """The mistakes that `gn.check_op` knows: signs, factors, transposes, swapped inputs."""
    with catch_warnings():
        simplefilter("ignore")  # torch warns about these attempts
        return red_pen(attempt.op, attempt.place, attempt.arguments, attempt.top)


def _averaged(attempt: Attempt) -> str:
    """A mean over elements of the output other than its rows."""
    result, top = attempt.run(), attempt.top
    counts = [(n, f"the size of dimension {dim} of the output") for dim, n in enumerate(top.shape)]
    for count, what in (*counts, (top.numel(), "the number of elements of the output")):
        if attempt.is_right(mul, result, count):
            return f"There is an extra division by {count}, {what}: sum, not mean."
    return ""


def _variants(attempt: Attempt) -> str:
    """The rule is the derivative of another forward, which the exercise names as a mistake."""
    result = attempt.run()
    for sentence, gradient in attempt.variants():
        if result.shape == gradient.shape and not attempt.differs(result, gradient).any():
            return sentence
    return ""


def _constant(attempt: Attempt) -> str:
    """The right gradient times a constant."""
    result, right = attempt.run(), attempt.right
    factor = float((result * right).sum() / (right * right).sum())
    if not factor or attempt.differs(result, factor * right).any():
        return ""
    return times_text(factor, attempt.sizes())


def _transposed(attempt: Attempt) -> str:
    """A value that the rule reads or returns in reverse order."""
    result = attempt.run()
    for dim in range(result.ndim):
        if attempt.is_right(result.flip, dim):
            return (
                f"The result is reversed along dimension {dim}: its first element should be the "
                "last."
            )
    for number, name in enumerate(attempt.reads):
        for dim in range(attempt.values()[number].ndim):
            if attempt.is_right(attempt.run_with, number, methodcaller("flip", dim)):
                return (
                    f"{name} is used in the wrong direction: along dimension {dim}, its first "
                    "element should be the last."
                )
    return ""


def _complement(attempt: Attempt) -> str:
    """A factor 1 - y, as in the derivatives of bounded functions."""
    result = attempt.run()
    for name, value in attempt.known.items():
        for factor, text in ((1 - value, f"(1 - {name})"), (1 + value, f"(1 + {name})")):
            if attempt.is_right(mul, result, factor):
                return f"A factor {text} is missing."
            if attempt.is_right(truediv, result, factor):
                return f"There is an extra factor {text}."
    return ""


def _linear(attempt: Attempt) -> str:
    """A multiple of the gradient of the output gives that multiple of the gradient of the input."""
    once, scaled = attempt.run(), attempt.run(LARGE * attempt.grad)
    if (scaled - LARGE * once).abs().max() <= _ZERO * scaled.abs().max():
        return ""
    return PROPORTIONAL


def _where(attempt: Attempt) -> str:
    """The rule is right at some elements: which ones."""
    result = attempt.run()
    if result.shape != attempt.x.shape:
        return ""
    wrong = attempt.wrong_at(result)
    if wrong.all() or not wrong.any() or wrong.numel() < _MANY:
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
                f"It is right except for one element of each row, the one that {name} selects. "
                "That element affects the output in one more way."
            )
    return ""


def _picks(index: Tensor, wrong: Tensor) -> bool:
    """True if the wrong elements are those that an index picks, one in each row."""
    if wrong.ndim != 2 or tuple(index.shape) != tuple(wrong.shape[:1]):
        return False
    picked = wrong.new_zeros(wrong.shape).scatter(1, index.unsqueeze(1), True)
    return bool(wrong.eq(picked).all())


def _paths(attempt: Attempt) -> str:
    """An element of the input that affects an element of the output, but not by the rule."""
    missed = _missed(attempt).logical_and(_missed(attempt.rolled()))
    if not missed.any():
        return ""
    row, column = divmod(int(missed.reshape(-1).long().argmax()), missed.shape[1])
    output = shape_text(place_of(row, tuple(attempt.top.shape)))
    element = shape_text(place_of(column, tuple(attempt.x.shape)))
    return (
        f"Element {output} of the output depends on element {element} of {attempt.name} too: "
        "this path is missing."
    )


def _missed(attempt: Attempt) -> Tensor:
    """Where the forward has a slope that is not small, but the rule has none."""
    slopes, largest = attempt.slopes.abs(), float(attempt.slopes.abs().max())
    forgotten = attempt.ruled_slopes.abs() <= _ZERO * largest
    return forgotten.logical_and(slopes > _SMALL * largest)


def _shape(attempt: Attempt) -> str:
    """A gradient has the shape of its input."""
    if attempt.run().shape == attempt.x.shape:
        return ""
    return (
        f"A gradient has the shape of its input: {attempt.name} has "
        f"{shape_text(tuple(attempt.x.shape))}."
    )


_LOOKS = (
    _scaled,
    _chain,
    _dimension,
    _sum,
    _column,
    _mean,
    _argument,
    _variants,
    _pen,
    _shape,
    _averaged,
    _constant,
    _transposed,
    _complement,
    _linear,
    _where,
    _paths,
)
"""In the order in which they are tried: what is certain first, then what is only likely."""
