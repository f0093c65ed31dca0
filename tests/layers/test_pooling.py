"""Pooling layers and Flatten against those of torch.nn in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import graphnet as gn

LAYERS = [
    ("MaxPool2d", (2,), {}),
    ("MaxPool2d", (3, 2, 1), {"ceil_mode": True}),
    ("MaxPool2d", (2,), {"stride": 1, "dilation": 2}),
    ("AvgPool2d", (2,), {}),
    ("AvgPool2d", (3, 2, 1), {"ceil_mode": True, "count_include_pad": False}),
    ("AvgPool2d", (2,), {"divisor_override": 3}),
    ("AdaptiveAvgPool2d", (1,), {}),
    ("AdaptiveAvgPool2d", ((None, 4),), {}),
    ("Flatten", (), {}),
    ("Flatten", (), {"start_dim": 0, "end_dim": 2}),
    ("Flatten", (2,), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), LAYERS, ids=str)
def test_forward_and_backward(name, arguments, options):
    ours = getattr(gn, name)(*arguments, **options)
    theirs = getattr(nn, name)(*arguments, **options)
    assert not ours.param()
    assert not ours.state_dict()
    for shape in ((2, 3, 7, 6), (1, 3, 7, 6), (2, 3, 5, 9)):
        leaf = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            expected = theirs(leaf)
        grad = torch.randn_like(expected)
        expected.backward(grad)
        torch.testing.assert_close(ours.forward(leaf.detach()), expected.detach())
        torch.testing.assert_close(ours.backward(grad), leaf.grad)


def test_indices_come_with_the_pixels():
    x = torch.randn(2, 3, 6, 6)
    ours = gn.MaxPool2d(2, return_indices=True).forward(x)
    theirs = nn.MaxPool2d(2, return_indices=True)(x)
    assert all(torch.equal(our, their) for our, their in zip(ours, theirs, strict=True))


def test_flatten_keeps_a_batch_of_unknown_size():
    graph = gn.Graph()
    assert gn.Flatten()(graph.input((None, 3, 4, 2), name="x")).shape == (None, 24)


def test_texts():
    for name, arguments, options in LAYERS[:9]:
        ours = getattr(gn, name)(*arguments, **options)
        assert repr(ours) == repr(getattr(nn, name)(*arguments, **options))
