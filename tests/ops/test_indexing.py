"""Indexing beside torch's, and the wrong indices that are refused."""

from __future__ import annotations

import pytest
import torch
from ops.against_torch import compare, random

import graphnet as gn
from graphnet import ops

KEYS = [
    0,
    -1,
    slice(None),
    slice(1, None),
    slice(None, -1, 2),
    slice(-2, 10),
    slice(3, 1),
    None,
    ...,
    (),
    (0, 1),
    (0, -1, 2),
    (slice(None), 1),
    (..., 0),
    (..., None),
    (0, ..., None, slice(None, None, 3)),
    (None, slice(1, 2), None, ..., -1),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("unknown", [False, True])
def test_keys_without_tensors(key, unknown):
    compare(lambda x: x[key], lambda x: x[key], [random(3, 4, 5)], unknown)
    compare(lambda x: x[key], lambda x: x[key], [random(5, 4, 3).permute(2, 1, 0)], unknown)


def places(*values):
    return torch.tensor(values)


TENSOR_KEYS = [
    (lambda x, i: x[i], [places(0, 2, 2, -1)]),
    (lambda x, i: x[i], [torch.tensor(1)]),
    (lambda x, i: x[i], [torch.zeros(0, dtype=torch.int64)]),
    (lambda x, i: x[i], [places([0, 1], [2, 2])]),
    (lambda x, i: x[:, i], [places(0, 3, 3)]),
    (lambda x, i: x[..., i], [places(0, 3, 3)]),
    (lambda x, i: x[1:, i, None], [places(0, 3, 3)]),
    (lambda x, i: x[0, :, i], [places(0, 3, 3)]),
    (lambda x, i: x[i, ..., 0], [places(0, 1, 1)]),
    (lambda x, i, j: x[i, j], [places(0, 1, 1), places(3, 0, 0)]),
    (lambda x, i, j: x[i, :, j], [places(0, 1, 1), places(3, 0, 0)]),
    (lambda x, i, j: x[:, i, j], [places(0, 1, 1), places([3], [0])]),
    (lambda x, i, j: x[i, None, j], [places(0, 1, 1), places(3, 0, 0)]),
    (lambda x, i, j: x[i, :, j], [torch.tensor(1), places(3, 0, 0)]),
    (lambda x, i, j: x[i, 1:3, j], [places(1, 1), torch.tensor(-1)]),
    (lambda x, i, j: x[i, :, j], [torch.tensor(1), torch.tensor(2)]),
    (lambda x, i, j, k: x[i, j, k], [places(0, 1, 1), torch.tensor(2), places([1], [0])]),
    (lambda x, i: x[i, i], [torch.tensor(1)]),
    (lambda x, i: x[i, i], [places(0, 1, 1)]),
]


@pytest.mark.parametrize(("function", "indices"), TENSOR_KEYS)
@pytest.mark.parametrize("unknown", [False, True])
def test_keys_with_tensors(function, indices, unknown):
    compare(function, function, [random(3, 4, 5), *indices], unknown)


def test_a_place_beyond_the_sizes_tried_is_found_once_it_is_fed():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    for part in (x[40], x[-41], ops.narrow(x, 0, 40, 3), ops.split(x, [40, 10])[1], x[40:]):
        assert graph.forward(x=torch.ones(50, 2), outputs=part).any()
    with pytest.raises(gn.GraphError):
        graph.forward(x=torch.ones(5, 2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, i: x[3],
        lambda x, i: x[-4],
        lambda x, i: x[0, 0, 0],
        lambda x, i: x[0, i, 0],
        lambda x, i: x[::0],
        lambda x, i: x[::-1],
        lambda x, i: x[1.0],
        lambda x, i: x["a"],
        lambda x, i: x[True],
        lambda x, i: x[[0, 3]],
        lambda x, i: x[x > 0],
        lambda x, i: x[x],
        lambda x, i: x[i:],
        lambda x, i: ops.select(x, 2, 0),
        lambda x, i: ops.select(x, 0, 3),
        lambda x, i: ops.narrow(x, 0, 2, 2),
        lambda x, i: ops.narrow(x, 0, -4, 2),
        lambda x, i: ops.narrow(x, 0, 0, -1),
        lambda x, i: ops.select(x, 0, 1.0),
        lambda x, i: ops.select(x, 0, "a"),
        lambda x, i: ops.narrow(x, 0, 1.0, 1),
        lambda x, i: ops.narrow(x, 0, 0, "a"),
        lambda x, i: ops.index_select(x, 0, [0]),
        lambda x, i: ops.index_select(x, 0, 0),
        lambda x, i: ops.scatter_add(x, 0, [[0]], x),
        lambda x, i: ops.scatter_add(x, 0, i, 1.0),
        lambda x, i: ops.gather(x, 0, i),
        lambda x, i: ops.gather(x, 2, i),
        lambda x, i: ops.index_select(x, 0, x),
        lambda x, i: ops.scatter_add(x, 0, i, x),
    ],
)
def test_wrong_keys_are_refused(wrong):
    graph = gn.Graph()
    x = graph.input((3, 4), name="x")
    i = graph.input((2,), name="i", dtype=torch.int64)
    count = len(graph)
    with pytest.raises(gn.GraphError):
        wrong(x, i)
    assert len(graph) <= count + 1  # the comparison


@pytest.mark.parametrize("place", [3, -4])
@pytest.mark.parametrize(
    "function",
    [lambda x, i: x[i], lambda x, i: ops.index_select(x, 0, i), lambda x, i: ops.gather(x, 0, i)],
)
def test_a_fed_index_out_of_range_is_refused(function, place):
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    i = graph.input((1,), name="i", dtype=torch.int64)
    function(x, i)
    with pytest.raises(gn.GraphError):
        graph.forward(x=torch.ones(3), i=torch.tensor([place]))


@pytest.mark.parametrize("unknown", [False, True])
def test_functions_are_those_of_torch(unknown):
    x, i = random(3, 4), places([0, 1, 1], [2, 2, 0])
    pairs = [
        (lambda x: ops.select(x, -1, -2), lambda x: x.select(-1, -2), [x]),
        (lambda x: x.narrow(1, -3, 2), lambda x: x.narrow(1, -3, 2), [x]),
        (lambda x, i: x.gather(-2, i), lambda x, i: x.gather(-2, i), [x, i]),
        (lambda x, i: x.index_select(1, i), lambda x, i: x.index_select(1, i), [x, i[0]]),
        (lambda x, i: x.index_select(1, i), lambda x, i: x.index_select(1, i), [x, i[0, 0]]),
        (lambda x, i: x.index_select(0, i), lambda x, i: x.index_select(0, i), [x[0, 0], i[0, :1]]),
    ]
    for ours, theirs, tensors in pairs[:-1] if unknown else pairs:
        compare(ours, theirs, tensors, unknown)
    one = x[0, 0]
    compare(lambda x, i: x.index_select(0, i), lambda x, i: x.index_select(0, i), [one, i[0, 0]])
    if not unknown:
        compare(
            lambda x, i, y: x.scatter_add(0, i, y),
            lambda x, i, y: x.scatter_add(0, i, y),
            [x[0], i[0, :1], one],
        )
    y = random(2, 3, seed=1)
    compare(
        lambda x, i, y: x.scatter_add(0, i, y), lambda x, i, y: x.scatter_add(0, i, y), [x, i, y]
    )


def test_scatter_add_leaves_the_rest_of_a_larger_source():
    x, i, y = random(3, 4), places([0, 1, 1]), random(2, 3, seed=1)
    graph = gn.Graph()
    nodes = [graph.parameter(x), graph.parameter(i, requires_grad=False), graph.parameter(y)]
    graph.forward(outputs=(top := ops.scatter_add(nodes[0], 0, nodes[1], nodes[2])))
    assert torch.equal(top.top, x.scatter_add(0, i, y))
    graph.backward(top, torch.ones(3, 4, dtype=torch.float64))
    assert torch.equal(nodes[2].grad, torch.tensor([[1.0, 1, 1], [0, 0, 0]]).double())
