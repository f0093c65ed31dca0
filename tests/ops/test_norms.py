"""Norms at 0: slopes, and slopes of slopes."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch

import graphnet as gn
from graphnet import ops

ROWS = torch.tensor([[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, -2.0, 3.0]], dtype=torch.float64)
POWERS = (0, 0.5, 1, 1.5, 2, 2.5, 3, 4, inf, -inf, -0.5, -1, -2)


def twice(function, x):
    """The slopes of a sum, and the slopes of a weighted sum of these: walked and compiled."""
    graph = gn.Graph()
    node = graph.input(tuple(x.shape), name="x", dtype=x.dtype, requires_grad=True)
    (slope,) = graph.gradients(function(node).sum(), [node])
    weights = graph.parameter(weights_of(x), requires_grad=False)
    outputs = [slope, *graph.gradients((slope * weights).sum(), [node])]
    return [graph.forward(x=x, outputs=outputs), graph.compile(outputs, tune=False)(x=x)]


def weights_of(x):
    return torch.arange(1.0, x.numel() + 1, dtype=x.dtype).view(x.shape)


def theirs_of(p, dim, x):
    leaf = x.clone().requires_grad_()
    with torch.enable_grad():
        y = torch.linalg.vector_norm(leaf, p, dim).sum()
        zeros = torch.zeros_like(x)
        if not y.requires_grad:
            return [zeros, zeros]
        (slope,) = torch.autograd.grad(y, leaf, create_graph=True, materialize_grads=True)
        if not slope.requires_grad:
            return [slope.detach(), zeros]
        total = (slope * weights_of(x)).sum()
        (bend,) = torch.autograd.grad(total, leaf, allow_unused=True)
    return [slope.detach(), zeros if bend is None else bend.detach()]


@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("p", POWERS)
def test_slopes_of_slopes(p, dim):
    """Torch's, but for p = 2 at 0, where torch's is NaN by the way it computes, and ours 0."""
    for x in (ROWS, ROWS[:1] * 1, ROWS[2:] * 1):
        slope, bend = theirs_of(p, dim, x)
        if p == 2:
            bend = bend.nan_to_num(nan=0.0)
        for ours in twice(lambda node: ops.norm(node, p, dim), x):
            torch.testing.assert_close(ours[0], slope, rtol=1e-12, atol=1e-12, equal_nan=True)
            torch.testing.assert_close(ours[1], bend, rtol=1e-10, atol=1e-12, equal_nan=True)


def test_a_penalty_on_gradients_stays_finite_at_zero():
    """(‖dy/dx‖ - 1)², as in Gulrajani et al., Improved training of Wasserstein GANs (2017)."""
    graph = gn.Graph()
    x = graph.input((2, 3), name="x", dtype=torch.float64, requires_grad=True)
    w = graph.parameter(torch.zeros(3, dtype=torch.float64))
    (slope,) = graph.gradients(((x * w).sum(1).tanh()).sum(), [x])
    length = ops.norm(slope, dim=1)
    penalty = ((length - 1) * (length - 1)).sum()
    (by_w,) = graph.gradients(penalty, [w])
    assert graph.forward(x=ROWS[1:], outputs=by_w).eq(0).all()


@pytest.mark.parametrize("p", [inf, -inf])
def test_an_extreme_that_is_nan_has_no_slope(p):
    x = torch.tensor([nan, 1.0, 0.0], dtype=torch.float64)
    for slope, _ in twice(lambda node: ops.norm(node, p), x):
        assert slope.isnan().all()
