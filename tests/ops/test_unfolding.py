"""unfold and fold of images beside torch's."""

from __future__ import annotations

import pytest
import torch
from ops.against_torch import compare, random
from torch.nn import functional

import graphnet as gn
from graphnet import ops

OPTIONS = [
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "stride": 2},
    {"kernel_size": 3, "padding": 1, "stride": (2, 1)},
    {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (0, 2)},
    {"kernel_size": 2, "dilation": 3, "padding": 1, "stride": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (3, 5, 6), (0, 2, 5, 6)], ids=str)
def test_unfold_and_fold(shape, options):
    """Fold takes the columns that unfold gave, so it counts how often each pixel was seen."""
    size = shape[-2:]
    for x in (random(*shape), random(*shape[:-2], *reversed(size)).mT):
        for unknown in {False, "rows", True} if len(shape) == 4 else {False}:
            compare(
                lambda x: ops.unfold(x, **options),
                lambda x: functional.unfold(x, **options),
                [x],
                unknown,
            )
            compare(
                lambda y: ops.fold(y, size, **options),
                lambda y: functional.fold(y, size, **options),
                [functional.unfold(x, **options)],
                unknown,
            )


def test_booleans():
    x = random(2, 3, 5, 6) > 0
    assert torch.equal(ops.unfold(x, 2, padding=1), functional.unfold(x, 2, padding=1))
    y = functional.unfold(x, 2)
    assert torch.equal(ops.fold(y, (5, 6), 2), functional.fold(y, (5, 6), 2))


def test_one_node():
    x = gn.Graph().input((None, 3, None, None), name="x")
    y = ops.unfold(x, 3, padding=1)
    assert (y.index, y.shape) == (1, (None, 27, None))
    z = ops.fold(y, (8, 8), 3, padding=1)
    assert (z.index, z.shape) == (2, (None, 3, 8, 8))


def test_columns_of_another_image_are_refused_when_fed():
    graph = gn.Graph()
    ops.fold(graph.input((None, 12, None), name="y"), (4, 5), 2)
    with pytest.raises(gn.ShapeError, match="12 windows of 4 pixels"):
        graph.forward(y=torch.ones(2, 12, 11))
