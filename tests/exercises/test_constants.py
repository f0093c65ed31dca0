"""Constant factors are named as a teacher would name them."""

from __future__ import annotations

import math

import pytest

from graphnet.exercises.constants import times_text

NAMED = {
    "2": 2.0,
    "-1": -1.0,
    "1/3": 1 / 3,
    "5/7": 5 / 7,
    "sqrt(2)": math.sqrt(2),
    "-sqrt(2)": -math.sqrt(2),
    "1/sqrt(2)": math.sqrt(2) / 2,
    "2 sqrt(3)": math.sqrt(12),
    "sqrt(3)/2": math.sqrt(3) / 2,
    "pi": math.pi,
    "2 pi": math.tau,
    "1/(2 pi)": 1 / math.tau,
    "e": math.e,
    "1/e": math.exp(-1),
    "sqrt(2 pi)": math.sqrt(math.tau),
    "3/sqrt(pi)": 3 / math.sqrt(math.pi),
    "1.2345": 1.2345,
    "1000": 1000.0,
    "1e-09": 1e-9,
}


@pytest.mark.parametrize(("text", "factor"), NAMED.items(), ids=NAMED)
def test_a_factor_is_named(text, factor):
    for rounding in (1, 1 + 1e-7, 1 - 1e-7):  # the error of central differences
        if rounding == 1 or text not in ("1.2345", "1000", "1e-09"):
            assert (
                times_text(factor * rounding, {})
                == f"Your derivative is {text} times the right one."
            )


SIZES = {5: "the number of rows", 4: "the size of dimension 1 of x"}
OF_SIZES = {
    5.0: "5 times the right one; 5 is the number of rows.",
    0.2: "1/5 times the right one; 5 is the number of rows.",
    math.sqrt(5): "sqrt(5) times the right one; 5 is the number of rows.",
    -1 / math.sqrt(5): "-1/sqrt(5) times the right one; 5 is the number of rows.",
    0.25: "1/4 times the right one; 4 is the size of dimension 1 of x.",
    2.0: "2 times the right one.",
}


@pytest.mark.parametrize(("factor", "text"), OF_SIZES.items())
def test_a_size_that_explains_a_factor_is_named(factor, text):
    assert times_text(factor, SIZES) == f"Your derivative is {text}"
