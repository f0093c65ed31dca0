"""The convolution layers against those of torch.nn in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import graphnet as gn

LAYERS = [
    ("Conv1d", (4, 6, 3), {}, (2, 4, 9)),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 2, "groups": 2, "bias": False}, (2, 4, 9)),
    ("Conv2d", (4, 6, 3), {}, (2, 4, 7, 6)),
    ("Conv2d", (4, 6, (3, 2)), {"padding": "same", "dilation": 2}, (2, 4, 7, 6)),
    ("Conv2d", (4, 6, 3), {"stride": (2, 1), "padding": 1, "groups": 2}, (2, 4, 7, 6)),
    ("Conv2d", (4, 6, 3), {"bias": False}, (4, 7, 6)),
    ("ConvTranspose2d", (4, 6, 3), {}, (2, 4, 5, 3)),
    (
        "ConvTranspose2d",
        (4, 6, (3, 2)),
        {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2, "dilation": 2},
        (2, 4, 5, 3),
    ),
    ("ConvTranspose2d", (4, 6, 3), {"bias": False}, (4, 5, 3)),
]
every_layer = pytest.mark.parametrize(("name", "sizes", "options", "shape"), LAYERS, ids=str)


def pair(name, sizes, options, dtype=torch.float64):
    layers = []
    for package in (gn, nn):
        torch.manual_seed(3)
        layers.append(getattr(package, name)(*sizes, **options, dtype=dtype))
    return layers


@every_layer
def test_first_values_and_state_are_those_of_torch(name, sizes, options, shape):
    for dtype in (torch.float32, torch.float64):
        ours, theirs = pair(name, sizes, options, dtype)
        mine, other = ours.state_dict(), theirs.state_dict()
        assert list(mine) == list(other)
        assert all(torch.equal(mine[key], other[key]) for key in mine)
        ours.load_state_dict({key: value + 1 for key, value in other.items()})
        theirs.load_state_dict(ours.state_dict())


@every_layer
def test_forward_and_backward(name, sizes, options, shape):
    ours, theirs = pair(name, sizes, options)
    for batch in (2, 5, 1, 0):
        sizes_now = (batch, *shape[1:]) if len(shape) > 3 or name == "Conv1d" else shape
        leaf = torch.randn(sizes_now, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            expected = theirs(leaf)
        grad = torch.randn_like(expected)
        expected.backward(grad)
        torch.testing.assert_close(ours.forward(leaf.detach()), expected.detach())
        torch.testing.assert_close(ours.backward(grad), leaf.grad)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("Conv2d", (4, 6, 3), {"groups": 3}),
        ("Conv2d", (4, 6, 3), {"groups": 0}),
        ("Conv2d", (3, 4, 3), {"groups": 3}),
        ("Conv2d", (4, 6, (3,)), {}),
        ("Conv2d", (4, 6, 0), {}),
        ("Conv2d", (4, 6, 1.5), {}),
        ("Conv2d", (4, 6, 3), {"stride": 0}),
        ("Conv2d", (4, 6, 3), {"dilation": (1, 2, 3)}),
        ("Conv2d", (4, 6, 3), {"padding": -1}),
        ("Conv2d", (4, 6, 3), {"padding": "full"}),
        ("Conv2d", (4, 6, 3), {"padding": "same", "stride": 2}),
        ("Conv2d", (4, 6, 3), {"padding_mode": "mirror"}),
        ("ConvTranspose2d", (4, 6, 3), {"padding_mode": "circular"}),
        ("ConvTranspose2d", (4, 6, 3), {"padding": "same"}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_what_torch_refuses_is_refused(name, arguments, options):
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        getattr(nn, name)(*arguments, **options)(torch.ones(1, 4, 5, 5))
    with pytest.raises(gn.GraphError):
        getattr(gn, name)(*arguments, **options)


def test_wrong_images_are_refused_when_built():
    layer = gn.Conv2d(2, 3, 3)
    for shape in ((None, 3, 8, 8), (None, 2, 2, 8), (None, 8)):
        x = gn.Graph().input(shape, name="x")
        with pytest.raises(gn.ShapeError):
            layer(x)


def test_text():
    assert repr(gn.Conv2d(2, 4, 3)) == "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))"
    for options in ({"padding": 1, "groups": 2, "bias": False}, {"padding": "same"}):
        assert repr(gn.Conv2d(2, 4, 3, **options)) == repr(nn.Conv2d(2, 4, 3, **options))
