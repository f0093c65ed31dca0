"""float16 and bfloat16: counts above 65,504 and above 256, sums of ones, and squares that overflow.

The oracle is torch autograd in float64 on the same numbers. What is compared is rounded to the
short type at least once; a count that ends early is off by much more.
"""

from __future__ import annotations

import math

import pytest
import torch
from ops.against_torch import inputs_like
from torch.nn import functional

import graphnet as gn
from graphnet import ops

F16, BF16 = torch.float16, torch.bfloat16
# In float16 counts end at 65,504, and sums of ones at 2,048; in bfloat16 both end at 256.
MANY = {F16: 70_000, BF16: 300}
# Units of the largest number: a few steps round by half a unit each, and -11 in a logarithm by 8.
UNITS = {F16: 32, BF16: 16}


def uniform(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64) + 0.5


def ones(n):
    return [torch.ones(2, n, dtype=torch.float64)]


def spread(n):
    return [uniform(2, n)]


def labelled(n):
    labels = torch.randint(7, (n,), generator=torch.Generator().manual_seed(4))
    return [uniform(n, 7), labels]


def one_row(n):
    return [uniform(3, 2), torch.zeros(n, dtype=torch.int64)]


def widely(n):
    """Numbers whose squares overflow in float16."""
    return [(uniform(4, 6) - 1) * 1000]


def images(n):
    return [torch.ones(1, 2, 20, 30, dtype=torch.float64)]


def pooled(pool, size, **options):
    return lambda x: pool(x, size, **options)


ROWS = {
    "amax": (lambda x: ops.amax(x, 1), lambda x: x.amax(1), ones),
    "amax of all": (ops.amax, lambda x: x.amax(), ones),
    "amin": (lambda x: ops.amin(x, 1), lambda x: x.amin(1), ones),
    "max": (ops.max, lambda x: x.max(), ones),
    "min": (ops.min, lambda x: x.min(), ones),
    "norm inf": (lambda x: ops.norm(x, math.inf, 1), lambda x: x.norm(math.inf, 1), ones),
    "norm -inf": (lambda x: ops.norm(x, -math.inf, 1), lambda x: x.norm(-math.inf, 1), ones),
    "mean": (lambda x: ops.mean(x, 1), lambda x: x.mean(1), spread),
    "var": (lambda x: ops.var(x, 1), lambda x: x.var(1), spread),
    "var less a half": (
        lambda x: ops.var(x, 1, correction=0.5),
        lambda x: x.var(1, correction=0.5),
        spread,
    ),
    "std": (lambda x: ops.std(x, 1), lambda x: x.std(1), spread),
    "softmax": (lambda x: ops.softmax(x, 1), lambda x: x.softmax(1), spread),
    "log_softmax": (lambda x: ops.log_softmax(x, 1), lambda x: x.log_softmax(1), spread),
    "rms_norm": (
        lambda x: ops.rms_norm(x, (x.shape[1],)),
        lambda x: functional.rms_norm(x, (x.shape[1],), eps=2.0**-23),
        spread,
    ),
    "layer_norm": (
        lambda x: ops.layer_norm(x, (x.shape[1],)) * x,
        lambda x: functional.layer_norm(x, (x.shape[1],)) * x,
        spread,
    ),
    "group_norm": (
        lambda x: ops.group_norm(x, 1) * x,
        lambda x: functional.group_norm(x, 1) * x,
        lambda n: [uniform(2, n)],
    ),
    "instance_norm": (
        lambda x: ops.instance_norm(x.unsqueeze(0)) * x,
        lambda x: functional.instance_norm(x.unsqueeze(0)) * x,
        spread,
    ),
    "batch_norm": (
        lambda x: ops.batch_norm(x.T, None, None, training=True) * x.T,
        lambda x: functional.batch_norm(x.T, None, None, training=True) * x.T,
        spread,
    ),
    "layer_norm, large": (
        lambda x: ops.layer_norm(x, (6,)),
        lambda x: functional.layer_norm(x, (6,)),
        widely,
    ),
    "rms_norm, large": (
        lambda x: ops.rms_norm(x, (6,)),
        lambda x: functional.rms_norm(x, (6,), eps=2.0**-23),
        widely,
    ),
    "batch_norm, large": (
        lambda x: ops.batch_norm(x, None, None, training=True),
        lambda x: functional.batch_norm(x, None, None, training=True),
        widely,
    ),
    "gelu, tanh": (
        lambda x: ops.gelu(x, approximate="tanh"),
        lambda x: functional.gelu(x, approximate="tanh"),
        widely,
    ),
    "cross_entropy": (ops.cross_entropy, functional.cross_entropy, labelled),
    "cross_entropy, smooth": (
        lambda x, y: ops.cross_entropy(x, y, label_smoothing=0.1),
        lambda x, y: functional.cross_entropy(x, y, label_smoothing=0.1),
        labelled,
    ),
    "cross_entropy, ignored": (
        lambda x, y: ops.cross_entropy(x, y, ignore_index=2),
        lambda x, y: functional.cross_entropy(x, y, ignore_index=2),
        labelled,
    ),
    "cross_entropy, many classes": (
        lambda x: ops.cross_entropy(x, x * 0 + 1 / x.shape[1], label_smoothing=0.1),
        lambda x: functional.cross_entropy(x, x * 0 + 1 / x.shape[1], label_smoothing=0.1),
        spread,
    ),
    "mse_loss, weighted": (
        lambda x: ops.mse_loss(x, x * 0.5, weight=x * 0 + 1),
        lambda x: functional.mse_loss(x, x * 0.5),
        spread,
    ),
    "embedding": (
        lambda w, i: ops.embedding(i, w) * (1 / i.shape[0]),
        lambda w, i: functional.embedding(i, w) * (1 / i.shape[0]),
        one_row,
    ),
    "x[i]": (lambda w, i: w[i] * (1 / i.shape[0]), lambda w, i: w[i] * (1 / i.shape[0]), one_row),
    "index_select": (
        lambda w, i: ops.index_select(w, 0, i) * (1 / i.shape[0]),
        lambda w, i: w.index_select(0, i) * (1 / i.shape[0]),
        one_row,
    ),
    "avg_pool2d": (
        pooled(ops.avg_pool2d, (18, 30)),
        pooled(functional.avg_pool2d, (18, 30)),
        images,
    ),
    "avg_pool2d, stride 1": (
        pooled(ops.avg_pool2d, (17, 19), stride=1, padding=5, count_include_pad=False),
        pooled(functional.avg_pool2d, (17, 19), stride=1, padding=5, count_include_pad=False),
        images,
    ),
    "adaptive_avg_pool2d": (
        pooled(ops.adaptive_avg_pool2d, 1),
        pooled(functional.adaptive_avg_pool2d, 1),
        images,
    ),
}


def given(make, dtype):
    return [each.to(dtype) if each.is_floating_point() else each for each in make(MANY[dtype])]


def outcomes(function, tensors, unknown=False):
    """The value and the gradient of the first tensor: walked, and compiled."""
    graph = gn.Graph()
    nodes = inputs_like(graph, tensors, unknown)
    y = function(*nodes)
    feed = dict(zip([node.name for node in nodes], tensors, strict=True))
    wave = cotangent(graph.forward(feed, outputs=y))
    seed = graph.input(y.shape, name="seed", dtype=wave.dtype)
    outputs = [y, *graph.gradients(y, nodes[:1], grad=seed)]
    feed["seed"] = wave
    return graph.forward(feed, outputs=outputs), graph.compile(outputs, tune=False)(feed)


def cotangent(y):
    """A gradient to start from, different at each element: normalized numbers sum to 0."""
    return torch.linspace(0.5, 1.5, y.numel(), dtype=torch.float64).to(y.dtype).view(y.shape)


def truth(function, tensors):
    """The same from torch autograd in float64."""
    x, *others = [each.double() if each.is_floating_point() else each for each in tensors]
    x.requires_grad_()
    with torch.enable_grad():
        y = function(x, *others)
        (slope,) = torch.autograd.grad(y, x, cotangent(y.detach().to(tensors[0].dtype)).double())
    return [y.detach(), slope]


def assert_rounded(found, wanted, dtype):
    for our, true in zip(found, wanted, strict=True):
        assert our.dtype is dtype
        assert our.shape == true.shape
        unit = torch.finfo(dtype).eps * true.abs().max()
        # One unit of the subnormal numbers, of which there are few left at 1 / 70,000.
        unit += torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
        torch.testing.assert_close(our.double(), true, rtol=0, atol=float(UNITS[dtype] * unit))


@pytest.mark.parametrize("dtype", MANY, ids=str)
@pytest.mark.parametrize("name", ROWS)
def test_many_numbers_of_a_short_type(name, dtype):
    ours, theirs, make = ROWS[name]
    tensors = given(make, dtype)
    walked, compiled = outcomes(ours, tensors)
    wanted = truth(theirs, tensors)
    assert_rounded(walked, wanted, dtype)
    assert_rounded(compiled, wanted, dtype)


@pytest.mark.parametrize("dtype", MANY, ids=str)
@pytest.mark.parametrize("name", ["amax", "max", "var", "var less a half", "std", "log_softmax"])
def test_sizes_that_are_fed_later(name, dtype):
    ours, theirs, make = ROWS[name]
    tensors = given(make, dtype)
    assert_rounded(outcomes(ours, tensors, unknown=True)[0], truth(theirs, tensors), dtype)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", MANY, ids=str)
def test_buffers_of_a_short_type_learn(dtype, compiled):
    """As torch's do: both compute in float32 and round once."""
    ours, theirs = gn.BatchNorm1d(6).to(dtype), torch.nn.BatchNorm1d(6).to(dtype)
    x = widely(0)[0].to(dtype) / 8  # torch's variance of what is larger overflows in the buffer
    with gn.Graph() as graph:
        y = ours(gn.Input((None, 6), name="x", dtype=dtype))
    wanted = theirs(x).detach()
    close = {"rtol": 2 * torch.finfo(dtype).eps, "atol": 2 * torch.finfo(dtype).eps}
    run = graph.compile(y, tune=False) if compiled else lambda x: graph.forward(x=x, outputs=y)
    torch.testing.assert_close(run(x=x), wanted, **close)
    for name in ("running_mean", "running_var"):
        found = ours.state_dict()[name]
        assert found.dtype is dtype
        torch.testing.assert_close(found, getattr(theirs, name), **close)
    graph.eval()
    theirs.eval()
    torch.testing.assert_close(run(x=x), theirs(x).detach(), **close)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_is_converted_in_longer_types(dtype):
    with gn.Graph() as graph:
        x = gn.Input((4, 6), name="x", dtype=dtype, requires_grad=True)
        y = ops.layer_norm(ops.gelu(ops.log_softmax(x, 1)), (6,))
        graph.gradients(y.sum(), [x])
    assert not any("convert" in node.name for node in graph)


@pytest.mark.parametrize(("dtype", "width"), [(F16, 293), (BF16, 37)], ids=str)
def test_means_over_windows_at_a_border_divide_by_the_very_count(dtype, width):
    """2,051 and 259 pixels, which the short types round to 2,052 and 260."""
    graph = gn.Graph()
    x = graph.input((1, 1, 7, width), name="x", dtype=dtype)
    options = {"stride": 999, "padding": 1, "count_include_pad": False}
    y = ops.avg_pool2d(x, (8, width + 1), **options)
    outputs = [y, *graph.gradients(y.sum(), [x])]
    feed = {"x": torch.ones(1, 1, 7, width, dtype=dtype)}
    share = torch.tensor(1 / (7 * width), dtype=torch.float64).to(dtype)
    for mean, slope in (
        graph.forward(feed, outputs=outputs),
        graph.compile(outputs, tune=False)(feed),
    ):
        assert mean.tolist() == [[[[1.0]]]]
        assert slope.unique().tolist() == [share.item()]
