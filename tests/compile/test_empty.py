"""Images without channels, pixels or rows: programs compute what the walk does, or refuse it."""

from __future__ import annotations

import itertools

import pytest
import torch
from closeness import assert_close
from compile.training import DOUBLE, randn

import graphnet as gn
from graphnet import ops
from graphnet.compile.targets.torch import assemble
from graphnet.compile.targets.torch.memory_format import ORDERS

KERNELS = ((1, 1), (2, 3))


def convolutions():
    """Batches, sizes and channels of 0 and more, for each of the three convolutions."""
    for n, (h, w), i, o in itertools.product((0, 2), ((0, 4), (4, 5)), (0, 2), (0, 3)):
        for kernel in KERNELS:
            sizes = (n, i, h, w), (o, i, *kernel), (o,)
            yield lambda x, w, b: ops.conv2d(x, w, b, padding=1), sizes
            yield ops.conv2d, sizes
            yield ops.conv_transpose2d, ((n, i, h, w), (i, o, *kernel), (o,))
        yield lambda x, w, b: ops.conv1d(x, w, b, padding=1), ((n, i, w), (o, i, 3), (o,))


def pools():
    for shape in itertools.product((0, 2), (0, 3), (0, 4), (0, 5)):
        yield lambda x: ops.max_pool2d(x, 2, padding=1), (shape,)
        yield lambda x: ops.avg_pool2d(x, 2, padding=1), (shape,)
        for size in (0, 1, 3, (2, None)):
            yield lambda x, size=size: ops.adaptive_avg_pool2d(x, size), (shape,)
        yield lambda x: ops.unfold(x, 2, padding=1), (shape,)


def outcome(compute):
    try:
        return list(compute()), None
    except gn.GraphError as error:
        return None, type(error)


def both_ways(function, sizes):
    """Values and derivatives, or the error; walked and compiled."""
    graph = gn.Graph()
    nodes = [
        graph.input(size, name=f"x{place}", dtype=DOUBLE, requires_grad=True)
        for place, size in enumerate(sizes)
    ]
    feed = {node.name: randn(*node.shape, seed=place) for place, node in enumerate(nodes)}
    try:
        y = function(*nodes)
    except gn.ShapeError:
        return None  # refused when it is built
    outputs = [y, *graph.gradients((y * y + y).sum(), nodes)]
    return (
        outcome(lambda: graph.forward(feed, outputs=outputs)),
        outcome(lambda: graph.compile(outputs, tune=False)(feed)),
    )


@pytest.mark.parametrize("table", [convolutions, pools])
def test_programs_of_nothing_are_walks(table):
    computed = 0
    for function, sizes in table():
        if found := both_ways(function, sizes):
            (walked, refused), (compiled, error) = found
            assert error is refused, sizes
            if refused is None:
                assert_close(compiled, walked, rtol=1e-12, atol=1e-12)
                computed += 1
    assert computed > 20  # most images without pixels are refused when the node is built


@pytest.mark.parametrize("order", ORDERS)
def test_a_convolution_of_no_channels_is_its_bias(order, monkeypatch):
    """Torch forgets the bias there, and gives it the gradient 0."""

    class Chosen:
        def __call__(self, on):
            return self

        def fastest(self, question, ways, device):
            return 0

        def fastest_program(self, question, trials):
            return int(question[-1].order == order)

    monkeypatch.setattr(assemble, "Tuner", Chosen())
    graph = gn.Graph()
    x = graph.input((2, 0, 4, 5), name="x", dtype=DOUBLE)
    weight = graph.parameter(randn(3, 0, 2, 2))
    bias = graph.parameter(randn(3))
    y = ops.conv2d(x, weight, bias)
    outputs = [y, *graph.gradients((y * y).sum(), [bias, weight])]
    feed = {"x": torch.zeros(2, 0, 4, 5, dtype=DOUBLE)}
    value = bias.top.view(1, 3, 1, 1).expand(2, 3, 3, 4)
    wanted = [value, 2 * value.sum((0, 2, 3)), torch.zeros(3, 0, 2, 2, dtype=DOUBLE)]
    assert_close(list(graph.forward(feed, outputs=outputs)), wanted, rtol=1e-12, atol=0)
    assert_close(list(graph.compile(outputs)(feed)), wanted, rtol=1e-12, atol=0)
