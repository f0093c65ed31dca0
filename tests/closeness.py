"""torch.testing.assert_close with a short way for what is close, which is nearly everything."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def assert_close(
    actual: Any, expected: Any, *, rtol: float, atol: float, equal_nan: bool = False
) -> None:
    """What torch.testing.assert_close checks, ten times as fast; it also writes the message."""
    if not _surely_close(actual, expected, rtol, atol, equal_nan):
        torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan)


def _surely_close(actual: Any, expected: Any, *limits: Any) -> bool:
    """True only for what torch.testing.assert_close lets pass: it decides on all the rest."""
    if isinstance(actual, Tensor) and isinstance(expected, Tensor):
        return (
            actual.shape == expected.shape
            and actual.dtype is expected.dtype
            and actual.device == expected.device
            and actual.layout is expected.layout is torch.strided
            and (torch.equal(actual, expected) or torch.allclose(actual, expected, *limits))
        )
    if isinstance(actual, list | tuple) and isinstance(expected, list | tuple):
        pairs = zip(actual, expected, strict=False)
        return len(actual) == len(expected) and all(_surely_close(*p, *limits) for p in pairs)
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(
            _surely_close(value, expected[key], *limits) for key, value in actual.items()
        )
    return actual == expected and type(actual) is type(expected) in (bool, int, float)
