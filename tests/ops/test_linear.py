"""The affine map for weights, biases and inputs of all shapes, beside torch's."""

from __future__ import annotations

import pytest
import torch
from ops.beside import compare, rand

from graphnet import ops


@pytest.mark.parametrize("bias", [None, (5,), (1,)], ids=str)
@pytest.mark.parametrize("x", [(3, 4), (4,), (2, 3, 4), (0, 4)], ids=str)
def test_linear(x, bias):
    tensors = [rand(x), rand((5, 4), seed=1)]
    if bias is not None:
        tensors.append(rand(bias, seed=2))
    compare(ops.linear, torch.nn.functional.linear, tensors)


@pytest.mark.parametrize("x", [(3, 4), (4,)], ids=str)
def test_a_weight_that_is_a_vector(x):
    compare(ops.linear, torch.nn.functional.linear, [rand(x), rand((4,), seed=1)])
