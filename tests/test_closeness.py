"""The short way to compare lets nothing pass that torch.testing.assert_close does not."""

from __future__ import annotations

import itertools

import pytest
import torch
from closeness import assert_close

NAN = float("nan")
VALUES = {
    "numbers": torch.tensor([1.0, 2.0]),
    "a little more": torch.tensor([1.0, 2.0 + 1e-4]),
    "more": torch.tensor([1.0, 2.1]),
    "float64": torch.tensor([1.0, 2.0], dtype=torch.float64),
    "integers": torch.tensor([1, 2]),
    "flags": torch.tensor([True, False]),
    "NaN": torch.tensor([1.0, NAN]),
    "infinity": torch.tensor([1.0, float("inf")]),
    "a row": torch.tensor([[1.0, 2.0]]),
    "one number": torch.tensor([1.0]),
    "none": torch.zeros(0),
    "sparse": torch.tensor([1.0, 2.0]).to_sparse(),
    "strided": torch.tensor([[1.0, 5.0], [2.0, 5.0]])[:, 0],
    "a list": [torch.tensor([1.0, 2.0]), 3.0],
    "a tuple": (torch.tensor([1.0, 2.0]), 3.0),
    "a longer list": [torch.tensor([1.0, 2.0]), 3.0, None],
    "a dict": {"a": torch.tensor([1.0, 2.0])},
    "another key": {"b": torch.tensor([1.0, 2.0])},
    "a dict with more": {"a": torch.tensor([1.0, 2.1])},
    "nothing": None,
}


def verdict(compare, *pair, **limits):
    try:
        compare(*pair, **limits)
    except Exception as error:
        return type(error), str(error)
    return None


@pytest.mark.parametrize("equal_nan", [False, True])
@pytest.mark.parametrize("limit", [0.0, 1e-3])
def test_the_verdict_is_that_of_torch(limit, equal_nan):
    limits = {"rtol": limit, "atol": limit, "equal_nan": equal_nan}
    verdicts = []
    for one, other in itertools.product(VALUES, repeat=2):
        pair = VALUES[one], VALUES[other]
        verdicts.append(verdict(assert_close, *pair, **limits))
        assert verdicts[-1] == verdict(torch.testing.assert_close, *pair, **limits), (one, other)
    assert 20 < verdicts.count(None) < len(verdicts) / 2
