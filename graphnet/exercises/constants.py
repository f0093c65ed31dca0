"""Names of constant factors: simple fractions, roots, pi, e, and the sizes of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import e, pi, sqrt

_CLOSE = 1e-5
_LARGEST = 12  # the numerator and the denominator of a fraction
_SIMPLEST = 4  # those of a fraction beside a root: with larger ones, chance would find a match
_IRRATIONAL = {
    "sqrt(2)": sqrt(2),
    "sqrt(3)": sqrt(3),
    "pi": pi,
    "e": e,
    "sqrt(pi)": sqrt(pi),
    "sqrt(2 pi)": sqrt(2 * pi),
    "sqrt(5)": sqrt(5),
}


def times_text(factor: float, sizes: Mapping[int, str]) -> str:
    """How a derivative that is off by a constant factor compares with the right one.

    The factor is named exactly if it is a usual one, else as a decimal number.

    Args:
        factor: the factor.
        sizes: sizes that it may contain, such as the number of rows, and what they are.

    >>> times_text(-2**0.5, {})
    'Your derivative is -sqrt(2) times the right one.'
    >>> times_text(0.2, {5: "the number of rows"})
    'Your derivative is 1/5 times the right one; 5 is the number of rows.'
    >>> times_text(1.2345, {})
    'Your derivative is 1.2345 times the right one.'
    """
    for value, text, size in _candidates(sizes):
        if abs(abs(factor) - value) <= _CLOSE * value:
            origin = f"; {size} is {sizes[size]}" if size in sizes else ""
            return f"Your derivative is {'-' * (factor < 0)}{text} times the right one{origin}."
    return f"Your derivative is {factor:.6g} times the right one."


def _candidates(sizes: Mapping[int, str]) -> Iterator[tuple[float, str, int]]:
    """Usual factors, the simplest first, each with its text and the size that it contains."""
    for size in sizes:
        yield from ((size, f"{size}", size), (1 / size, f"1/{size}", size))
        if sqrt(size) % 1:
            yield from (
                (sqrt(size), f"sqrt({size})", size),
                (1 / sqrt(size), f"1/sqrt({size})", size),
            )
    for fraction in _fractions(_LARGEST):
        yield float(fraction), str(fraction), 0
    for name, number in _IRRATIONAL.items():
        for fraction in _fractions(_SIMPLEST):
            yield float(fraction) * number, _product(fraction, name), 0
            yield float(fraction) / number, _quotient(fraction, name), 0


def _fractions(largest: int) -> list[Fraction]:
    """Fractions of numbers up to the largest, the simplest first."""
    numbers = range(1, largest + 1)
    found = {Fraction(above, below) for above in numbers for below in numbers}
    return sorted(found, key=lambda each: (each.numerator + each.denominator, each))


def _product(fraction: Fraction, name: str) -> str:
    above = name if fraction.numerator == 1 else f"{fraction.numerator} {name}"
    return above if fraction.denominator == 1 else f"{above}/{fraction.denominator}"


def _quotient(fraction: Fraction, name: str) -> str:
    below = name if fraction.denominator == 1 else f"({fraction.denominator} {name})"
    return f"{fraction.numerator}/{below}"
