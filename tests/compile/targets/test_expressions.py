"""Numbers as C."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch

from graphnet.compile.targets.c.expressions import number

SINGLE, DOUBLE = torch.float32, torch.float64
LARGEST = torch.finfo(SINGLE).max


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (0.1, SINGLE, "0.1f"),
        (1, SINGLE, "1.0f"),
        (1e-8, SINGLE, "1e-08f"),
        (LARGEST, SINGLE, f"{LARGEST!r}f"),
        (1e300, SINGLE, "INFINITY"),  # out of range: compilers warn of the constant
        (-1e39, SINGLE, "-INFINITY"),
        (-inf, SINGLE, "-INFINITY"),
        (nan, SINGLE, "NAN"),
        (0.1, DOUBLE, "0.1"),
        (1e300, DOUBLE, "1e+300"),
        (-inf, DOUBLE, "(double)-INFINITY"),  # which is a float of itself
        (nan, DOUBLE, "(double)NAN"),
        (True, torch.bool, "true"),
        (-3, torch.int8, "-3"),
        (2**40, torch.int64, "INT64_C(1099511627776)"),
    ],
)
def test_numbers(value, dtype, text):
    assert number(value, dtype) == text
