"""The open batch: a text in which the size of the batch is a variable.

The lowered form has fixed sizes. A list is printed for three sizes; the texts may differ in numbers
that are a batch + b or a batch², and in those that are 1 / (a batch + b) or one more. The first two
texts give a and b, the third one must agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

SIZES = (12, 13, 17)
"""The sizes of the batch: small, since each is a list of its own; with other remainders, so that
a size that is rounded down, such as half a batch, is no formula."""
_NUMBER = re.compile(r"(?<![\w.$])\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def opened(texts: Sequence[str], sizes: Sequence[int] = SIZES) -> str | None:
    """One text from three, in which `batch` is a variable; None if there is none.

    >>> opened(["new Float32Array(24) / 12", "new Float32Array(26) / 13",
    ...         "new Float32Array(34) / 17"])
    'new Float32Array(2 * batch) / batch'
    >>> opened(["x(4)", "x(4)", "x(5)"]) is None
    True
    """
    parts = [_NUMBER.split(text) for text in texts]
    if parts[0] != parts[1] or parts[0] != parts[2]:
        return None
    found = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    pieces = [parts[0][0]]
    for place, values in enumerate(found, 1):
        after = parts[0][place]
        if len(set(values)) == 1:
            pieces += [values[0], after]
            continue
        formula = _formula(values, sizes)
        if formula is None:
            return None
        pieces += [_placed(formula, pieces[-1], after), after]
    return "".join(pieces)


def _formula(texts: Sequence[str], sizes: Sequence[int]) -> str | None:
    """A formula of the batch for three numbers."""
    values = [float(text) for text in texts]
    if all(value.is_integer() for value in values):
        return _integer(values, sizes)
    if found := _linear(values, sizes):
        return found
    for added in (0, 1):
        rest = [value - added for value in values]
        if 0 not in rest and (below := _linear([1 / each for each in rest], sizes)):
            below = below if below == "batch" else f"({below})"
            return f"1 + 1 / {below}" if added else f"1 / {below}"
    return None


def _integer(values: Sequence[float], sizes: Sequence[int]) -> str | None:
    """A formula with integers for three integers."""
    (first, second, third), (n, m, last) = values, sizes
    slope = (second - first) / (m - n)
    start = first - slope * n
    if slope.is_integer() and slope * last + start == third:
        return _sum(slope, start)
    factors = {value / size**2 for value, size in zip(values, sizes, strict=True)}
    if len(factors) == 1 and (factor := factors.pop()).is_integer():  # rows beside rows
        return f"{_sum(factor, 0)} * batch"
    return None


def _linear(values: Sequence[float], sizes: Sequence[int]) -> str | None:
    """a batch + b for three numbers, with a and b of few digits if they are close to such."""
    (first, second, third), (n, m, last) = values, sizes
    slope = _simple((second - first) / (m - n))
    start = _simple(first - slope * n)
    for value, size in ((first, n), (third, last)):
        if abs(slope * size + start - value) > 1e-9 * abs(value):
            return None
    return _sum(slope, start) if slope else None


def _sum(slope: float, start: float) -> str:
    """The text of slope batch + start."""
    text = "batch" if slope == 1 else f"{_text(slope)} * batch"
    return text if start == 0 else f"{text} {'+' if start > 0 else '-'} {_text(abs(start))}"


def _simple(value: float) -> float:
    """A number with few digits, if it is close."""
    near = float(f"{value:.6g}")
    return near if abs(near - value) <= 1e-7 * max(1, abs(value)) else value


def _text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _placed(formula: str, before: str, after: str) -> str:
    """A formula with parentheses, unless it stands alone there."""
    before, after = before.rstrip(), after.lstrip()
    alone = before.endswith(("(", "[", ",", "< ", "<", "=")) and after.startswith(
        (")", "]", ",", ";")
    )
    if formula == "batch" or alone:
        return formula
    is_product = "+" not in formula and "-" not in formula and "/" not in formula
    if is_product and not before.endswith(("/", "%", "*", "-")) and not after.startswith("**"):
        return formula
    return f"({formula})"
