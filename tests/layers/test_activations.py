"""Activations against torch.nn with autograd in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import graphnet as gn

NAMES = ["Identity", "ReLU", "Tanh", "Sigmoid"]
EACH = pytest.mark.parametrize("name", NAMES)


def pair(name):
    return getattr(gn, name)(), getattr(nn, name)()


def check(ours, theirs, x, tolerance=1e-12):
    """Value and gradient equal torch's; values are about 1, so 1e-12 is rounding in float64."""
    leaf = x.clone().requires_grad_()
    expected = theirs(leaf)
    grad = torch.linspace(-1.5, 2, x.numel(), dtype=x.dtype).reshape(x.shape)
    expected.backward(grad)
    before = x.clone(), grad.clone()
    close = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    torch.testing.assert_close(ours.forward(x), expected.detach(), **close)
    torch.testing.assert_close(ours.backward(grad), leaf.grad, **close)
    torch.testing.assert_close((x, grad), before, rtol=0, atol=0, equal_nan=True)


@EACH
def test_batches_of_several_sizes_in_a_row(name):
    ours, theirs = pair(name)
    generator = torch.Generator().manual_seed(0)
    for shape in [(5, 3), (1, 3), (7, 3), (0, 3), (5, 3), (5, 4), (), (6,), (0,), (2, 3, 4)]:
        check(ours, theirs, torch.randn(shape, generator=generator, dtype=torch.float64))


@EACH
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_edge_values(name, dtype):
    x = torch.tensor(
        [0.0, -0.0, 1e-300, -1e-300, 20, -20, 1e3, -1e3, math.inf, -math.inf, math.nan],
        dtype=dtype,
    )
    # float32 rounds at 6e-8
    check(*pair(name), x, 1e-12 if dtype is torch.float64 else 1e-6)


def test_the_slope_of_relu_at_zero_is_zero():
    relu = gn.ReLU()
    relu.forward(torch.tensor([0.0, -0.0, 1e-30]))
    assert relu.backward(torch.ones(3)).tolist() == [0, 0, 1]


@EACH
def test_strided_input(name):
    x = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    check(*pair(name), x.t()[::2])


@EACH
def test_there_is_nothing_to_learn(name):
    ours, theirs = pair(name)
    ours.forward(torch.ones(2, 2))
    ours.backward(torch.ones(2, 2))
    assert ours.param() == []
    assert ours.parameters() == []
    assert ours.state_dict() == dict(theirs.state_dict()) == {}
    ours.load_state_dict(theirs.state_dict())
    ours.zero_grad()
    with pytest.raises(gn.LoadError, match="weight: not known"):
        ours.load_state_dict({"weight": torch.ones(1)})


@EACH
def test_backward_returns_the_same_each_time(name):
    ours = pair(name)[0]
    ours.forward(torch.tensor([0.5, -0.5]))
    first = ours.backward(torch.ones(2)).clone()
    assert ours.backward(torch.ones(2)).equal(first)


@EACH
def test_results_of_earlier_calls_stay_as_they_are(name):
    ours = pair(name)[0]
    first = ours.forward(torch.tensor([0.5, -0.5]))
    gradient = ours.backward(torch.ones(2))
    kept = first.clone(), gradient.clone()
    ours.forward(torch.tensor([2.0, -3.0]))
    ours.backward(torch.full((2,), 5.0))
    assert first.equal(kept[0])
    assert gradient.equal(kept[1])


@EACH
def test_repr(name):
    assert repr(pair(name)[0]) == repr(pair(name)[1]) == f"{name}()"


@EACH
def test_backward_comes_after_forward(name):
    with pytest.raises(gn.StateError, match="forward"):
        pair(name)[0].backward(torch.ones(2))


@EACH
def test_gradient_of_another_shape(name):
    ours = pair(name)[0]
    ours.forward(torch.ones(2, 3))
    with pytest.raises(gn.ShapeError) as error:
        ours.backward(torch.ones(2, 1))
    assert "(2, 1)" in str(error.value)
    assert "(2, 3)" in str(error.value)
