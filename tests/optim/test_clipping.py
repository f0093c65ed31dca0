"""Clipping of gradients against torch.nn.utils in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import utils

import graphnet as gn

SHAPES = [(3, 4), (4,), (), (2, 3, 2)]


def pair(shapes=SHAPES, dtype=torch.float64, scale=1.0, together=True):
    generator = torch.Generator().manual_seed(3)
    ours, theirs = [], []
    for shape in shapes:
        value = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        grad = (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)
        ours.append(gn.Parameter(value))
        theirs.append(nn.Parameter(value.clone()))
        theirs[-1].grad = grad.clone()
        ours[-1].grad = grad
    if together:
        gn.SGD(ours)  # one arena
    return ours, theirs


def check(ours, theirs, tolerance=1e-12):
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=tolerance, atol=0)


@pytest.mark.parametrize("together", [True, False], ids=["one arena", "apart"])
@pytest.mark.parametrize("norm_type", [2.0, 1, 3.5, 0.5, math.inf, "inf", -math.inf, -1.0, 0])
@pytest.mark.parametrize("max_norm", [0.0, 0.1, 1, 1e6, math.inf])
def test_norm(together, norm_type, max_norm):
    ours, theirs = pair(together=together)
    expected = utils.clip_grad_norm_(theirs, max_norm, norm_type)
    found = gn.clip_grad_norm_(ours, max_norm, norm_type, error_if_nonfinite=True, foreach=False)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    check(ours, theirs)


@pytest.mark.parametrize("scale", [0.0, 1e-300, 1e-8, 1e3])
def test_norm_of_small_and_large_gradients(scale):
    ours, theirs = pair(scale=scale)
    expected = utils.clip_grad_norm_(theirs, 1.0)
    torch.testing.assert_close(gn.clip_grad_norm_(ours, 1.0), expected, rtol=1e-12, atol=0)
    check(ours, theirs)


def test_norm_of_several_dtypes():
    first, second = pair(), pair([(5,)], dtype=torch.float32)
    ours, theirs = first[0] + second[0], first[1] + second[1]
    expected = utils.clip_grad_norm_(theirs, 0.5)
    found = gn.clip_grad_norm_(ours, 0.5)
    assert found.dtype is expected.dtype
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    check(ours, theirs, tolerance=1e-6)


def test_norm_with_empty_parameters():
    ours, theirs = pair([(0, 3), (2,), (0,)])
    expected = utils.clip_grad_norm_(theirs, 0.5)
    torch.testing.assert_close(gn.clip_grad_norm_(ours, 0.5), expected, rtol=1e-12, atol=0)
    check(ours, theirs)
    assert gn.clip_grad_norm_(ours[:1], 0.5, math.inf) == 0
    assert gn.clip_grad_norm_([], 0.5) == 0


def test_one_parameter_and_a_generator():
    ours, theirs = pair()
    utils.clip_grad_norm_(theirs[0], 0.1)
    gn.clip_grad_norm_(ours[0], 0.1)
    utils.clip_grad_value_(theirs[1], 0.1)
    gn.clip_grad_value_(ours[1], 0.1)
    utils.clip_grad_norm_(theirs, 0.2)
    gn.clip_grad_norm_((each for each in ours), 0.2)
    check(ours, theirs)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_changes_nothing(value):
    ours, _ = pair()
    ours[2].grad = torch.tensor(value, dtype=torch.float64)
    before = [each.grad.clone() for each in ours]
    with pytest.raises(gn.NonFiniteError, match="parameter 'parameter' holds NaN or inf"):
        gn.clip_grad_norm_(ours, 1.0)
    for mine, grad in zip(ours, before, strict=True):
        torch.testing.assert_close(mine.grad, grad, rtol=0, atol=0, equal_nan=True)


def test_a_norm_too_large_for_its_type():
    parameter = gn.Parameter(torch.ones(2))
    parameter.grad = torch.full((2,), 3e38)
    with pytest.raises(gn.NonFiniteError, match="too large for its dtype"):
        gn.clip_grad_norm_([parameter], 1.0)
    assert parameter.grad.tolist() == [torch.tensor(3e38).item()] * 2


def test_frozen_parameters_and_buffers_are_left_out():
    ours, theirs = pair()
    ours[1].requires_grad = False
    kept = ours[1].grad.clone()
    buffer = gn.Parameter(torch.ones(2), requires_grad=False)
    expected = utils.clip_grad_norm_([theirs[0], *theirs[2:]], 0.5)
    found = gn.clip_grad_norm_([*ours, buffer], 0.5)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    check([ours[0], *ours[2:]], [theirs[0], *theirs[2:]])
    gn.clip_grad_value_([*ours, buffer], 1e-3)
    assert ours[1].grad.equal(kept)


def test_a_parameter_given_twice_counts_once():
    ours, theirs = pair()
    expected = utils.clip_grad_norm_(theirs, 0.5)
    found = gn.clip_grad_norm_([*ours, ours[0]], 0.5)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    check(ours, theirs)


@pytest.mark.parametrize("value", [0.0, 0.3, 1, 10.0, math.inf])
def test_value(value):
    ours, theirs = pair()
    utils.clip_grad_value_(theirs, value)
    gn.clip_grad_value_(ours, value, foreach=None)
    check(ours, theirs)


def test_value_keeps_nan_as_torch():
    ours, theirs = pair([(3,)])
    grad = torch.tensor([math.nan, math.inf, -2.0], dtype=torch.float64)
    ours[0].grad, theirs[0].grad = grad, grad.clone()
    utils.clip_grad_value_(theirs, 0.5)
    gn.clip_grad_value_(ours, 0.5)
    torch.testing.assert_close(ours[0].grad, theirs[0].grad, equal_nan=True, rtol=0, atol=0)


W = gn.Parameter(torch.ones(2))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: gn.clip_grad_norm_([W], -1.0), gn.RangeError, ["max_norm", "-1.0"]),
        (lambda: gn.clip_grad_norm_([W], math.nan), gn.RangeError, ["max_norm", "nan"]),
        (lambda: gn.clip_grad_norm_([W], None), gn.RangeError, ["max_norm", "None"]),
        (lambda: gn.clip_grad_norm_([W], 1.0, "two"), gn.RangeError, ["norm_type", "two"]),
        (lambda: gn.clip_grad_norm_([W], 1.0, math.nan), gn.RangeError, ["norm_type", "nan"]),
        (lambda: gn.clip_grad_norm_(3, 1.0), gn.GraphError, ["list of parameters"]),
        (lambda: gn.clip_grad_norm_([torch.ones(2)], 1.0), gn.GraphError, ["got Tensor"]),
        (lambda: gn.clip_grad_norm_(gn.Linear(1, 1), 1.0), gn.GraphError, ["parameters()"]),
        (lambda: gn.clip_grad_norm_([W], 1.0, 2, False), gn.RangeError, ["error_if_nonfinite"]),
        (lambda: gn.clip_grad_value_([W], -0.1), gn.RangeError, ["clip_value", "-0.1"]),
        (lambda: gn.clip_grad_value_([W], "x"), gn.RangeError, ["clip_value", "x"]),
        (lambda: gn.clip_grad_value_(None, 0.1), gn.GraphError, ["list of parameters"]),
    ],
    ids=range(12),
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert [word for word in words if word not in str(caught.value)] == []
