"""What torch refuses of convolutions, pooling and unfolding, graphnet refuses in its own words."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import graphnet as gn
from graphnet import ops

IMAGE, WEIGHT, TRANSPOSED = (2, 4, 7, 6), (6, 4, 3, 2), (4, 6, 3, 2)
OPERANDS = {
    "conv1d": [(2, 4, 9), (6, 4, 3), (6,)],
    "conv2d": [IMAGE, WEIGHT, (6,)],
    "conv_transpose2d": [IMAGE, TRANSPOSED, (6,)],
    "max_pool2d": [IMAGE],
    "avg_pool2d": [IMAGE],
    "adaptive_avg_pool2d": [IMAGE],
    "unfold": [IMAGE],
    "fold": [(2, 12, 12)],
}
NEEDED = {
    "max_pool2d": {"kernel_size": 3},
    "avg_pool2d": {"kernel_size": 3},
    "adaptive_avg_pool2d": {"output_size": 3},
    "unfold": {"kernel_size": 3},
    "fold": {"output_size": (4, 5), "kernel_size": 2},
}
SIZES = {
    "conv1d": "stride padding dilation groups",
    "conv2d": "stride padding dilation groups",
    "conv_transpose2d": "stride padding output_padding dilation groups",
    "max_pool2d": "kernel_size stride padding dilation",
    "avg_pool2d": "kernel_size stride padding",
    "adaptive_avg_pool2d": "output_size",
    "unfold": "kernel_size stride padding dilation",
    "fold": "output_size kernel_size stride padding dilation",
}


def refuse(name, tensors, options):
    """Torch refuses, and graphnet does with tensors and with nodes, with an error of its own."""
    with pytest.raises((RuntimeError, ValueError, TypeError, AttributeError, IndexError)):
        getattr(functional, name)(*tensors, **options)
    with pytest.raises(gn.GraphError) as refused:
        getattr(ops, name)(*tensors, **options)
    assert str(refused.value)
    graph = gn.Graph()
    nodes = [
        graph.input(each.shape, name=f"x{place}", dtype=each.dtype)
        if isinstance(each, Tensor)
        else each
        for place, each in enumerate(tensors)
    ]
    with pytest.raises(gn.GraphError):
        getattr(ops, name)(*nodes, **options)


def operands(name, dtype=torch.float64):
    return [torch.ones(shape, dtype=dtype) for shape in OPERANDS[name]]


@pytest.mark.parametrize(
    ("name", "option"), [(name, each) for name, all_ in SIZES.items() for each in all_.split()]
)
@pytest.mark.parametrize(
    "value", [1.5, "2", -1, (1.0, 2), (1, 2, 3), {"a": 1}, torch.tensor(1.5), True], ids=str
)
def test_sizes(name, option, value):
    refuse(name, operands(name), {**NEEDED.get(name, {}), option: value})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("conv2d", {"groups": (2,)}),
        ("conv_transpose2d", {"groups": [2]}),
        ("unfold", {"kernel_size": (2,)}),
        ("fold", {"output_size": (4, 5), "kernel_size": 2, "stride": [1]}),
        ("fold", {"output_size": 4, "kernel_size": 2}),
        ("fold", {"output_size": (4, 5), "kernel_size": 5}),
        ("fold", {"output_size": (3, 7), "kernel_size": (5, 1)}),
        ("unfold", {"kernel_size": 8}),
        ("adaptive_avg_pool2d", {"output_size": None}),
        ("max_pool2d", {"kernel_size": 3, "ceil_mode": 1}),
        ("max_pool2d", {"kernel_size": 3, "ceil_mode": "yes"}),
        ("avg_pool2d", {"kernel_size": 3, "count_include_pad": None}),
        ("avg_pool2d", {"kernel_size": 3, "ceil_mode": 0}),
        ("avg_pool2d", {"kernel_size": 3, "divisor_override": True}),
        ("avg_pool2d", {"kernel_size": 3, "divisor_override": 2.0}),
    ],
    ids=str,
)
def test_options(name, options):
    refuse(name, operands(name), options)


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name, each in OPERANDS.items() for place in range(len(each))],
)
@pytest.mark.parametrize("value", [[[1.0]], "x", 3, 2.0], ids=str)
def test_what_is_no_tensor(name, place, value):
    tensors = operands(name)
    tensors[place] = value
    refuse(name, tensors, NEEDED.get(name, {}))


@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name in list(OPERANDS)[:3] for place in range(3)]
)
def test_mixed_dtypes(name, place):
    tensors = operands(name, torch.float32)
    tensors[place] = tensors[place].double()
    refuse(name, tensors, {})


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *[(name, torch.bool) for name in list(OPERANDS)[:6]],
        *[(name, torch.int64) for name in ("adaptive_avg_pool2d", "unfold", "fold")],
        *[(name, torch.int32) for name in ("conv_transpose2d", "avg_pool2d", "unfold")],
        *[(name, torch.complex64) for name in ("max_pool2d", "avg_pool2d")],
    ],
    ids=str,
)
def test_dtypes(name, dtype):
    refuse(name, operands(name, dtype), NEEDED.get(name, {}))


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("conv1d", [(2, 4, 9), (6, 4, 0)]),
        ("conv2d", [IMAGE, (0, 4, 3, 2)]),
        ("conv2d", [IMAGE, (6, 4, 0, 2)]),
        ("conv2d", [IMAGE, WEIGHT, (6, 1)]),
        ("conv2d", [IMAGE, WEIGHT, ()]),
        ("conv_transpose2d", [IMAGE, (4, 0, 3, 2)]),
        ("conv_transpose2d", [(2, 0, 4, 5), (0, 6, 3, 2)]),
        ("conv_transpose2d", [IMAGE, TRANSPOSED, (1,)]),
        ("unfold", [(2, 0, 7, 6)]),
        ("unfold", [(7, 6)]),
        ("fold", [(12,)]),
        ("fold", [(2, 13, 12)]),
        ("fold", [(2, 12, 11)]),
        ("adaptive_avg_pool2d", [(2, 3, 0, 5)]),
    ],
    ids=str,
)
def test_shapes(name, shapes):
    refuse(name, [torch.ones(shape) for shape in shapes], NEEDED.get(name, {}))


@pytest.mark.parametrize(("shape", "weight"), [((2, 4, 0, 6), WEIGHT), ((2, 4, 7, 0), WEIGHT)])
def test_padding_makes_no_image_of_nothing(shape, weight):
    refuse("conv2d", [torch.ones(shape), torch.ones(weight)], {"padding": 3})


@pytest.mark.parametrize(
    "arguments",
    [(0, 8, 1), (0, -1, 1), (0, 1, 0), (2, 1, 1), (0, 1.5, 1), (0, 1, "1"), (None, 1, 1)],
    ids=str,
)
def test_sliding_windows(arguments):
    x = torch.ones(7, 2)
    with pytest.raises((RuntimeError, TypeError, IndexError)):
        x.unfold(*arguments)
    with pytest.raises(gn.GraphError):
        ops.sliding_windows(x, *arguments)
    with pytest.raises(gn.GraphError):
        gn.Graph().input((7, 2), name="x").unfold(*arguments)


def test_a_window_that_turns_out_too_large_is_refused_when_fed():
    graph = gn.Graph()
    graph.input((None, 2), name="x").unfold(0, 5, 1)
    with pytest.raises(gn.ShapeError, match="a window of 5 does not fit"):
        graph.forward(x=torch.ones(4, 2))


def test_channels_are_known():
    x = gn.Graph().input((None,) * 4, name="x")
    with pytest.raises(gn.ShapeError, match="the number of channels must be known"):
        gn.Conv2d(12, 3, 3)(x)
