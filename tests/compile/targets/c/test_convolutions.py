"""Convolutions in C, of kernels larger than channels and smaller: those of torch's autograd."""

from __future__ import annotations

import random

import pytest
import torch
from closeness import assert_close
from torch.nn import functional

import graphnet as gn
from graphnet.compile.lower.rules import images
from graphnet.compile.targets.c import assemble

DOUBLE = torch.float64
CHANNELS_LAST = {
    "many large kernels": ((16, 16, 6, 7), (20, 16, 5, 4), {"padding": (2, 1)}),
    "many in groups, by steps": ((18, 32, 8, 6), (96, 16, 4, 4), {"stride": (2, 1), "groups": 2}),
}
NAMED = {
    "more columns than channels": ((2, 2, 4, 9), (3, 2, 3, 4), {}),
    "more rows than channels": ((2, 2, 9, 4), (3, 2, 4, 3), {}),
    "a row of pixels": ((3, 1, 1, 24), (2, 1, 1, 5), {}),
    "one channel": ((2, 1, 8, 22), (1, 1, 3, 3), {"padding": 1}),
    "no border, no step": ((2, 3, 5, 5), (4, 3, 1, 1), {}),
    "windows side by side": ((2, 2, 8, 12), (3, 2, 4, 4), {"stride": 4}),
    "windows that overlap by half": ((2, 3, 8, 8), (2, 3, 4, 4), {"stride": 2, "padding": 1}),
    "spread": ((2, 2, 9, 21), (3, 2, 3, 4), {"dilation": (1, 3)}),
    "groups": ((2, 6, 5, 16), (4, 3, 3, 4), {"groups": 2}),
    "as many groups as channels": ((2, 4, 7, 7), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    "many channels": ((2, 17, 5, 6), (18, 17, 3, 3), {"padding": 1}),
    **CHANNELS_LAST,
}


def drawn(seed, count):
    """Convolutions of random sizes."""
    draw = random.Random(seed)
    for number in range(count):
        groups = draw.choice([1, 1, 1, 2, 3])
        kernel, stride, dilation = (
            (draw.randint(1, most), draw.randint(1, most)) for most in (4, 3, 2)
        )
        padding = tuple(
            draw.randint(0, (size - 1) * step // 2)
            for size, step in zip(kernel, dilation, strict=True)
        )
        height, width = (
            draw.randint((size - 1) * step + 1, (size - 1) * step + most)
            for size, step, most in zip(kernel, dilation, (9, 20), strict=True)
        )
        x = draw.randint(1, 5), groups * draw.randint(1, 4), height, width
        weight = groups * draw.randint(1, 5), x[1] // groups, *kernel
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        yield f"{number}", (x, weight, options)


def functions(options):
    """The convolution, and what spreads its result, which has the same weights."""
    return {
        "conv2d": lambda ops, x, w, b: ops.conv2d(x, w, b, **options),
        "conv_transpose2d": lambda ops, x, w, b: ops.conv_transpose2d(
            ops.conv2d(x, w, b, **options), w, **options
        ),
    }


def assert_all(cases):
    """Many in one program: results, and the gradients of images, weights and biases."""
    graph, feed, nodes, expected = gn.Graph(), {}, {}, []
    generator = torch.Generator().manual_seed(0)
    for name, (x_size, w_size, options) in cases.items():
        values = {
            part: torch.randn(size, generator=generator, dtype=DOUBLE)
            for part, size in (("x", x_size), ("w", w_size), ("b", w_size[:1]))
        }
        for kind, function in functions(options).items():
            given = {f"{part} {name} {kind}": value for part, value in values.items()}
            inputs = [
                graph.input(tuple(value.shape), name=each, dtype=DOUBLE, requires_grad=True)
                for each, value in given.items()
            ]
            feed |= given
            y = function(gn.ops, *inputs)
            made = [y, *graph.gradients((y * y.tanh()).sum(), inputs)]
            nodes |= {f"{part} of {name}, {kind}": n for part, n in zip("yxwb", made, strict=True)}
            leaves = [value.clone().requires_grad_() for value in values.values()]
            with torch.enable_grad():
                y = function(functional, *leaves)
                grads = torch.autograd.grad((y * y.tanh()).sum(), leaves)
            expected += [y.detach(), *grads]
    predict = graph.compile([*nodes.values()], backend="c")
    for _ in range(2):  # leftovers of the first run do not matter
        found = dict(zip(nodes, predict(feed), strict=True))
        for (name, value), known in zip(found.items(), expected, strict=True):
            scale = float(known.abs().max()) if known.numel() else 0.0
            assert_close({name: value}, {name: known}, rtol=1e-12, atol=1e-12 * scale)
    assert predict.source.startswith("#include")


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(
    "lanes", [None, *(pytest.param(lanes, marks=pytest.mark.slow) for lanes in (4, 1))]
)
def test_convolutions(lanes, monkeypatch):
    if lanes is not None:
        monkeypatch.setattr(assemble, "vector_lanes", lambda: lanes)
    assert_all(NAMED)


@pytest.mark.parametrize("case", CHANNELS_LAST.values(), ids=CHANNELS_LAST)
def test_images_with_many_channels_are_copied_for_the_gradient_of_weights(case, monkeypatch):
    def source():
        x_size, w_size, options = case
        graph = gn.Graph()
        x, w = (
            graph.input(size, name=name, requires_grad=True)
            for name, size in (("x", x_size), ("w", w_size))
        )
        loss = gn.ops.conv2d(x, w, **options).sum()
        predict = graph.compile(graph.gradients(loss, [w]), backend="c")
        predict(x=torch.ones(x_size), w=torch.ones(w_size))
        return predict.source

    copied = source()
    monkeypatch.setattr(images, "OFTEN", 1e9)
    assert copied != source()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(9))
def test_convolutions_of_random_sizes(seed):
    assert_all(dict(drawn(seed, 10)))
