"""Places that an index names, where the index is empty or a source is larger: as torch has it."""

from __future__ import annotations

import itertools

import pytest
import torch
from closeness import assert_close
from ops.against_torch import inputs_like

import graphnet as gn
from graphnet import ops

SHAPES = [(), (0,), (1,), (3,), (0, 2), (2, 0), (2, 2), (3, 2)]


def numbers(shape, low):
    """Numbers that all differ, or places from 0 to `low` - 1."""
    count = torch.arange(torch.Size(shape).numel())
    return ((count * 0.37).sin() if low is None else count % low).reshape(shape)


def ours_of(function, tensors, unknown):
    """The value and the gradients of what is floating, walked and compiled, or the errors."""
    graph = gn.Graph()
    nodes = inputs_like(graph, tensors, unknown)
    y = function(*nodes)
    floating = [node for node in nodes if node.requires_grad]
    outputs = [y, *graph.gradients((y * y + y).sum(), floating)]
    feed = {node.name: each for node, each in zip(nodes, tensors, strict=True)}
    return (
        list(graph.forward(feed, outputs=outputs)),
        list(graph.compile(outputs, tune=False)(feed)),
    )


def theirs_of(function, tensors):
    leaves = [each.clone().requires_grad_(each.is_floating_point()) for each in tensors]
    with torch.enable_grad():
        y = function(*leaves)
        floating = [leaf for leaf in leaves if leaf.requires_grad]
        loss = (y * y + y).sum()
        grads = torch.autograd.grad(loss, floating, materialize_grads=True)
    return [y.detach(), *grads]


FUNCTIONS = {
    "scatter_add": (
        lambda x, i, y: ops.scatter_add(x, 0, i, y),
        lambda x, i, y: x.scatter_add(0, i, y),
        list(itertools.product(SHAPES, SHAPES, SHAPES)),
    ),
    "scatter_add, last": (
        lambda x, i, y: ops.scatter_add(x, -1, i, y),
        lambda x, i, y: x.scatter_add(-1, i, y),
        list(itertools.product(SHAPES[4:], SHAPES[4:], SHAPES[4:])),
    ),
    "gather": (
        lambda x, i: ops.gather(x, 0, i),
        lambda x, i: x.gather(0, i),
        list(itertools.product(SHAPES, SHAPES)),
    ),
    "index_select": (
        lambda x, i: ops.index_select(x, 0, i),
        lambda x, i: x.index_select(0, i),
        list(itertools.product(SHAPES, SHAPES)),
    ),
    "embedding": (
        lambda x, i: ops.embedding(i, x),
        lambda x, i: torch.nn.functional.embedding(i, x),
        list(itertools.product(SHAPES[4:], SHAPES)),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_indices_of_all_shapes(name):
    """Where torch has an answer and a gradient, ours are the same; the others may be refused."""
    ours, theirs, table = FUNCTIONS[name]
    for shapes in table:
        places = min(shapes[0][0], 2) if shapes[0] else 1
        kinds = (None, max(places, 1), None)
        tensors = [numbers(s, low) for s, low in zip(shapes, kinds, strict=False)]
        tensors = [each.double() if each.is_floating_point() else each for each in tensors]
        try:
            wanted = theirs_of(theirs, tensors)
        except (RuntimeError, IndexError):
            continue
        for found in ours_of(ours, tensors, unknown=False):
            assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    ("x", "index", "source"),
    [
        ((3, 4), (2, 3), (5, 7)),
        ((3, 4), (0, 4), (5, 7)),
        ((3, 4), (2, 0), (2, 3)),
        ((3,), (0,), (4,)),
        ((3, 4), (2, 3), (2, 3)),
    ],
)
def test_the_rest_of_a_larger_source_gets_no_gradient(x, index, source, unknown):
    """Torch has no gradient for it: the part that is used is cut out by hand."""
    shapes = [x, index, source]
    tensors = [numbers(s, low) for s, low in zip(shapes, (None, 3, None), strict=True)]
    tensors = [each.double() if each.is_floating_point() else each for each in tensors]
    part = tuple(map(slice, index))
    wanted = theirs_of(lambda x, i, y: x.scatter_add(0, i, y[part]), tensors)
    for found in ours_of(FUNCTIONS["scatter_add"][0], tensors, unknown):
        assert_close(found, wanted, rtol=1e-12, atol=1e-12)
