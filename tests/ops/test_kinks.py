"""The derivative where there is none: the choices that are promised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import graphnet as gn
from graphnet import ops


def gradient(function: Callable[[gn.Node], gn.Node], at: float) -> float:
    graph = gn.Graph()
    x = graph.input((), name="x", requires_grad=True, dtype=torch.float64)
    y = function(x)
    graph.forward(x=torch.tensor(at, dtype=torch.float64))
    graph.backward(y)
    assert isinstance(x.grad, Tensor)
    return x.grad.item()


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (ops.relu, 0.0, 0.0),
        (ops.abs, 0.0, 0.0),
        (lambda x: ops.clamp(x, -1.0, 1.0), 1.0, 0.0),
        (lambda x: ops.clamp(x, -1.0, 1.0), -1.0, 0.0),
        (lambda x: ops.clamp(x, -1.0, 1.0), 0.0, 1.0),
        (lambda x: ops.maximum(x, x * 1), 3.0, 1.0),  # half from each side
        (lambda x: ops.maximum(x, x * 0), 0.0, 0.5),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0),
        (ops.sqrt, 0.0, float("inf")),
        (ops.rsqrt, 0.0, float("-inf")),
        (lambda x: ops.minimum(x, x * 1), 3.0, 1.0),  # half from each side
        (lambda x: ops.minimum(x, x * 0), 0.0, 0.5),
        (lambda x: ops.clamp(x, x * 0), 0.0, 0.5),
        (lambda x: ops.clamp(x, x * 0, x * 0 + 1), 1.0, 0.5),
        (lambda x: ops.clamp(x, x * 0, x * 0), 0.0, 1.0),
        (lambda x: ops.leaky_relu(x, 0.25), 0.0, 0.25),
        (lambda x: ops.elu(x, 2.0), 0.0, 2.0),
        (lambda x: ops.softplus(x, 2.0, 4.0), 2.5, 1.0),
        (ops.hardtanh, -1.0, 0.0),
        (ops.hardtanh, 1.0, 0.0),
        (ops.hardtanh, 0.0, 1.0),
        (ops.relu6, 0.0, 0.0),
        (ops.relu6, 6.0, 0.0),
        (ops.relu6, 3.0, 1.0),
    ],
)
def test_gradient_at_a_kink(
    function: Callable[[gn.Node], gn.Node], at: float, expected: float
) -> None:
    assert gradient(function, at) == expected
