"""Pooling as functions, against torch with autograd in float64."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
import torch
from closeness import assert_close
from torch.nn import functional

import graphnet as gn
from graphnet import ops

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
MAX, AVG, ADAPTIVE = "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"

WINDOWS = [
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "stride": 1},
    {"kernel_size": 3, "stride": (2, 1), "padding": 1},
    {"kernel_size": (4, 3), "stride": 3, "padding": (2, 1)},
    {"kernel_size": 2, "stride": 4},
]
CALLS = [
    *[(MAX, {**each, "ceil_mode": c}) for each in WINDOWS for c in (False, True)],
    (MAX, {"kernel_size": 2, "dilation": (2, 3), "stride": 1, "padding": 1}),
    (MAX, {"kernel_size": 2, "dilation": 2, "stride": 2, "ceil_mode": True}),
    *[
        (AVG, {**each, "ceil_mode": c, "count_include_pad": i})
        for each in WINDOWS
        for c, i in itertools.product((False, True), repeat=2)
    ],
    (AVG, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "divisor_override": 5}),
    (AVG, {"kernel_size": 2, "divisor_override": -3}),
    *[(ADAPTIVE, {"output_size": size}) for size in (1, 3, (2, 5), (None, 4), (9, None), 11)],
]
SHAPES = [(2, 3, 7, 6), (1, 1, 5, 9), (0, 2, 6, 5), (3, 6, 6)]


def derivatives(function, x):
    """The value, the gradient, and the gradient of the sum of its squares."""
    leaf = x.clone().requires_grad_()
    with torch.enable_grad():
        top = function(leaf)
        (first,) = torch.autograd.grad((top * top * top).sum(), [leaf], create_graph=True)
    (second,) = torch.autograd.grad((first * first).sum(), [leaf])
    return [top.detach(), first.detach(), second]


def mine(function, x, shape):
    graph = gn.Graph()
    node = graph.input(shape, name="x", dtype=torch.float64, requires_grad=True)
    top = function(node)
    (first,) = graph.gradients((top * top * top).sum(), [node])
    (second,) = graph.gradients((first * first).sum(), [node])
    return graph.forward(x=x, outputs=[top, first, second])


def compare(ours, expected, **close):
    for our, their in zip(ours, expected, strict=True):
        assert_close(our, their, **(close or CLOSE), equal_nan=True)


def images(shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "options"), CALLS, ids=str)
def test_value_and_two_derivatives(name, options, shape):
    x = images(shape)
    function = partial(getattr(ops, name), **options)
    expected = derivatives(lambda t: getattr(functional, name)(t, **options), x)
    compare(mine(function, x, shape), expected)
    unknown = (*[None] * (len(shape) - 3), shape[-3], None, None)
    compare(mine(function, x, unknown), expected)
    compare(mine(function, torch.stack([x, x], -1)[..., 0], unknown), expected)
    assert_close(function(x), expected[0], **CLOSE)


@pytest.mark.parametrize(("name", "options"), CALLS, ids=str)
def test_ties_and_extremes(name, options):
    """All equal, few different values, thousands, infinities and NaN."""
    function = partial(getattr(ops, name), **options)
    ties = images((2, 2, 7, 6)).round().clamp(-1, 1)
    tried = [torch.zeros(1, 1, 7, 6).double(), ties, ties * 1e3]
    if name == MAX:
        tried += [torch.full((1, 1, 7, 6), value).double() for value in (-torch.inf, torch.nan)]
        spotted = images((1, 2, 7, 6))
        spotted[..., ::3, 1::2] = torch.nan
        spotted[..., 1::3, ::3] = torch.inf
        tried.append(spotted)
    for x in tried:
        expected = derivatives(lambda t: getattr(functional, name)(t, **options), x)
        compare(mine(function, x, x.shape)[:2], expected[:2])


@pytest.mark.parametrize(("name", "options"), [each for each in CALLS if each[0] == MAX], ids=str)
def test_indices_are_those_of_torch(name, options):
    many = images((5, 16, 33, 29)).round()  # so many that they are chosen by their bits
    many[..., ::3, 1::5] = torch.nan
    many[..., 1::3, ::4] = torch.inf
    for x in (images((2, 3, 7, 6)), images((3, 6, 6)), torch.zeros(1, 1, 7, 6), many):
        ours = ops.max_pool2d(x, **options, return_indices=True)
        theirs = functional.max_pool2d(x, **options, return_indices=True)
        compare(ours, theirs, rtol=0, atol=0)


def test_gradients_of_images_keep_the_batch_innermost():
    """What follows would copy or mix two orders in memory, which takes several times as long."""
    graph = gn.Graph()
    x = graph.input((5, 4, 8, 6), name="x", dtype=torch.float64)
    x.requires_grad = True
    pooled = ops.max_pool2d(x, 2)
    graph.forward(x=images((4, 8, 6, 5)).permute(3, 0, 1, 2))
    graph.backward(pooled, torch.ones(5, 4, 4, 3).double())
    assert x.grad.stride() == x.top.stride() == (1, 240, 30, 5)


@pytest.mark.parametrize(
    ("name", "dtype", "options"),
    [
        (MAX, torch.int64, {"kernel_size": 3, "padding": 1, "return_indices": True}),
        (MAX, torch.uint8, {"kernel_size": 2, "ceil_mode": True, "return_indices": True}),
        (AVG, torch.int64, {"kernel_size": 3, "padding": 1}),
        (AVG, torch.int64, {"kernel_size": 2, "divisor_override": -3}),
    ],
    ids=str,
)
def test_integers(name, dtype, options):
    x = (images((2, 3, 7, 6)) * 9 + 20 * (dtype == torch.uint8)).to(dtype)
    expected = getattr(functional, name)(x, **options)
    ours = getattr(ops, name)(x, **options)
    graph = gn.Graph()
    nodes = getattr(ops, name)(graph.input(x.shape, name="x", dtype=dtype), **options)
    values = graph.forward(x=x, outputs=nodes)
    for results in (ours, values):
        assert_close(results, expected, rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(2, 0, 4, 5), (0, 4, 5), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("size", [1, 0, (2, 0), (None, 2)], ids=str)
def test_adaptive_pooling_without_channels_or_windows(shape, size):
    x = images(shape)
    expected = functional.adaptive_avg_pool2d(x, size)
    top, first, second = mine(lambda t: ops.adaptive_avg_pool2d(t, size), x, shape)
    assert_close(top, expected, **CLOSE)
    if not expected.numel():  # torch has no backward here
        assert not first.any()
        assert first.shape == second.shape == x.shape


WRONG = [
    (MAX, (2, 3, 4, 4), {"kernel_size": 5}),
    (MAX, (2, 3, 4, 4), {"kernel_size": 2, "dilation": 4}),
    (MAX, (2, 3, 4, 4), {"kernel_size": 2, "padding": 2}),
    (MAX, (2, 3, 4, 4), {"kernel_size": 0}),
    (MAX, (2, 3, 4, 4), {"kernel_size": (1, 2, 3)}),
    (MAX, (2, 3, 4, 4), {"kernel_size": 2, "stride": 0}),
    (MAX, (2, 3, 4, 4), {"kernel_size": 2, "padding": -1}),
    (MAX, (4, 4), {"kernel_size": 2}),
    (MAX, (2, 3, 0, 4), {"kernel_size": 2}),
    (AVG, (2, 3, 4, 4), {"kernel_size": 5}),
    (AVG, (2, 3, 4, 4), {"kernel_size": 3, "padding": 2}),
    (AVG, (2, 3, 4, 4), {"kernel_size": 2, "divisor_override": 0}),
    (AVG, (4, 4), {"kernel_size": 2}),
    (ADAPTIVE, (2, 3, 4, 4), {"output_size": -1}),
    (ADAPTIVE, (2, 3, 4, 4), {"output_size": (1, 2, 3)}),
    (ADAPTIVE, (2, 3, 0, 4), {"output_size": 2}),
    (ADAPTIVE, (4, 4), {"output_size": 2}),
]


@pytest.mark.parametrize(("name", "shape", "options"), WRONG, ids=str)
def test_what_torch_refuses_is_refused(name, shape, options):
    with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)):
        getattr(functional, name)(images(shape), **options)
    with pytest.raises(gn.GraphError):
        getattr(ops, name)(images(shape), **options)
    x = gn.Graph().input(shape, name="x")
    with pytest.raises(gn.GraphError):
        getattr(ops, name)(x, **options)
