"""Checks of plain arguments: numbers, integers, flags, and words from a list.

All of them say the same sentence: "momentum must be a finite number of 0 or more; got 'x'." The
singular forms return the value that they have checked; the plural ones take several as keywords.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite
from operator import index
from typing import Any

from graphnet.errors import GraphError, RangeError, brief


def must_be(name: str, rule: str, value: Any) -> str:
    """The sentence of all checks: the name, the rule, and what was given.

    >>> must_be("momentum", "a finite number of 0 or more", "x")
    "momentum must be a finite number of 0 or more; got 'x'."
    """
    return f"{name} must be {rule}; got {brief(value)}."


def require_range(
    name: str,
    value: Any,
    low: float = 0.0,
    high: float = inf,
    *,
    above: float | None = None,
    below: float | None = None,
    finite: bool = True,
) -> float:
    """A number from `low` to `high`, larger than `above` and smaller than `below`.

    Raises:
        RangeError: it is not, or it is infinite unless `finite` is False.

    >>> require_range("momentum", 0.9, below=1)
    0.9
    """
    if (
        not _is_number(value)
        or not low <= value <= high
        or (above is not None and value <= above)
        or (below is not None and value >= below)
        or (finite and not isfinite(value))
    ):
        raise RangeError(must_be(name, _range(low, high, above, below, finite), value))
    number: float = value
    return number


def _range(low: float, high: float, above: float | None, below: float | None, finite: bool) -> str:
    """A range in words: a finite number of 0 or more and below 1."""
    if high < inf and above is None:
        return f"a number from {low:g} to {high:g}"
    kind = "a finite number" if finite else "a number"
    lower = f"above {above:g}" if above is not None else f"of {low:g} or more"
    upper = f"below {below:g}" if below is not None else f"at most {high:g}"
    limits = [lower] * (above is not None or low > -inf)
    limits += [upper] * (below is not None or high < inf)
    return " ".join([kind, " and ".join(limits)]).rstrip()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def item_of(value: Any) -> Any:
    """What a tensor or an array of one number holds; anything else as it is.

    Torch keeps some learning rates in tensors.
    """
    item = getattr(value, "item", None)
    try:
        return value if item is None else item()
    except (RuntimeError, ValueError):  # a tensor of several
        return value


def require_numbers(**values: Any) -> None:
    """Refuse all but Python numbers, which may be infinite or NaN.

    Raises:
        RangeError: one is something else.

    >>> require_numbers(beta=1.0, threshold=20)
    """
    for name, value in values.items():
        if not _is_number(value):
            raise RangeError(must_be(name, "a number", value))


def require_integer(
    name: str, value: Any, low: int | None = None, error: type[GraphError] = RangeError
) -> int:
    """An integer of `low` or more as an int; True and 1.0 are not integers, as in torch.

    Raises:
        GraphError: it is not, as the kind of `error`.

    >>> require_integer("dim", -1)
    -1
    """
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:  # a floating-point tensor has __index__ too
        number = None
    if number is None or (low is not None and number < low):
        limit = "" if low is None else f" of {low} or more"
        raise error(must_be(name, f"an integer{limit}", value))
    return number


def require_integers(name: str, values: Any) -> tuple[int, ...]:
    """Several integers as a tuple.

    Raises:
        RangeError: one is not an integer, or they are not in a list or tuple.
    """
    if not isinstance(values, list | tuple):
        raise RangeError(must_be(name, "in a list or tuple", values))
    return tuple(require_integer(name, value) for value in values)


def require_counts(error: type[GraphError] = RangeError, /, **counts: Any) -> None:
    """Refuse all but ints of 1 or more.

    Raises:
        GraphError: one is something else, as the kind of `error`.

    >>> require_counts(n=3, batch_size=50)
    """
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise error(must_be(name, "an integer of 1 or more", count))


def require_flag(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        RangeError: it is neither.
    """
    if not isinstance(value, bool):
        raise RangeError(must_be(name, "True or False", value))
    return value


def require_flags(**values: Any) -> None:
    """Refuse all but True and False.

    Raises:
        RangeError: one is neither.

    >>> require_flags(shuffle=True, drop_last=False)
    """
    for name, value in values.items():
        require_flag(name, value)


def require_choice(name: str, value: Any, choices: Iterable[Any]) -> Any:
    """One of some words.

    Raises:
        RangeError: it is none of them.

    >>> require_choice("mode", "min", ("min", "max"))
    'min'
    """
    known = tuple(choices)
    if value not in known:
        *others, last = map(repr, known)
        rule = f"{', '.join(others)} or {last}" if others else last
        raise RangeError(must_be(name, rule, value))
    return value
