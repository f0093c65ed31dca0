"""Look-ups, labels as rows, and dropout as functions, beside torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

import graphnet as gn
from graphnet import ops

CLOSE = {"rtol": 1e-10, "atol": 1e-10}


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_that_of_torch_under_the_same_seed(p, training):
    x = torch.randn(40, 3)
    torch.manual_seed(1)
    ours = ops.dropout(x, p, training)
    torch.manual_seed(1)
    torch.testing.assert_close(ours, functional.dropout(x, p, training))


def test_dropout_of_nodes_follows_the_graph_unless_it_is_told_otherwise():
    graph = gn.Graph()
    x = graph.input((None,), name="x")
    follows, fixed = ops.dropout(x, 0.5), ops.dropout(x, 0.5, True)
    value = torch.ones(100)
    graph.eval()
    tops = graph.forward({x: value}, outputs=[follows, fixed])
    assert torch.equal(tops[0], value)
    assert (tops[1] == 0).any()
    graph.train()
    assert (graph.forward({x: value}, outputs=follows) == 0).any()
    assert torch.equal(value, torch.ones(100))


def test_building_a_dropout_draws_no_numbers():
    before = torch.get_rng_state()
    graph = gn.Graph()
    ops.dropout(graph.input((None, 3), name="x"))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("padding", [None, 0, -1])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_embedding_is_that_of_torch(padding, shape, dtype):
    labels = torch.randint(0, 4, shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    table = torch.randn(4, 3, dtype=torch.float64)
    copy = table.clone().requires_grad_()
    with torch.enable_grad():
        expected = functional.embedding(labels, copy, padding)
    expected.backward(expected.detach())
    graph = gn.Graph()
    x, w = graph.input(shape, name="x", dtype=dtype), graph.parameter(table)
    y = ops.embedding(x, w, padding)
    assert torch.equal(graph.forward(x=labels), expected.detach())
    graph.backward(y, expected.detach())
    torch.testing.assert_close(w.grad, copy.grad, **CLOSE)
    assert graph.check(y)


def test_one_hot_is_that_of_torch():
    for labels in (torch.tensor([[0, 2], [1, 1]]), torch.tensor(2), torch.tensor([[0]])):
        assert torch.equal(ops.one_hot(labels), functional.one_hot(labels))
        assert torch.equal(ops.one_hot(labels, 4), functional.one_hot(labels, 4))
    none = torch.empty(0, 2, dtype=torch.int64)
    assert torch.equal(ops.one_hot(none, 3), functional.one_hot(none, 3))


def test_labels_are_checked_when_fed():
    graph = gn.Graph()
    x, w = graph.input((None,), name="x", dtype=torch.int64), graph.parameter(torch.ones(3, 2))
    y = ops.embedding(x, w)
    with pytest.raises(gn.RangeError, match="between 0 and 2; got 5"):
        graph.forward({x: torch.tensor([1, 5])}, outputs=y)


def test_integers_are_refused_only_where_they_would_be_scaled():
    x = torch.arange(6)
    for settings in ({"p": 0.0}, {"p": 1.0}, {"p": 0.5, "training": False}):
        assert torch.equal(ops.dropout(x, **settings), functional.dropout(x, **settings))
    with pytest.raises(gn.DtypeError, match="floating"):
        ops.dropout(x, 0.5)


def test_unflatten_is_that_of_torch():
    x = torch.arange(12.0).reshape(2, 6)
    assert torch.equal(ops.unflatten(x, -1, (3, -1)), x.unflatten(-1, (3, -1)))


def node(dtype=torch.int64):
    return gn.Graph().input((2,), name="x", dtype=dtype)


Q, W, ONE = torch.ones(3, 4), torch.ones(3, 2), torch.tensor([1])
REFUSED = [
    lambda: ops.one_hot(torch.tensor([3]), 3),
    lambda: ops.one_hot(torch.tensor([-1])),
    lambda: ops.one_hot(torch.tensor([-1]), 3),
    lambda: ops.one_hot(torch.tensor([1]), -2),
    lambda: ops.one_hot(torch.empty(0, dtype=torch.int64)),
    lambda: ops.one_hot(torch.empty(0, dtype=torch.int64), 0),
    lambda: ops.one_hot(torch.tensor([1.0])),
    lambda: ops.one_hot(node()),
    lambda: ops.one_hot(node(torch.int32), 3),
    lambda: ops.embedding(torch.tensor([3]), torch.ones(3, 2)),
    lambda: ops.embedding(torch.tensor([-1]), torch.ones(3, 2)),
    lambda: ops.embedding(torch.tensor([0]), torch.ones(3)),
    lambda: ops.embedding(torch.tensor([0]), torch.ones(3, 2), 3),
    lambda: ops.embedding(torch.tensor([0]).byte(), torch.ones(3, 2)),
    lambda: ops.embedding(node(torch.float32), torch.ones(3, 2)),
    lambda: ops.dropout(Q, 1.5),
    lambda: ops.dropout(Q, float("nan")),
    lambda: ops.one_hot(ONE, 2.0),
    lambda: ops.one_hot(ONE, "a"),
    lambda: ops.one_hot(ONE, None),
    lambda: ops.one_hot(ONE, True),
    lambda: ops.one_hot([1], 3),
    lambda: ops.one_hot(1, 3),
    lambda: ops.embedding([1], W),
    lambda: ops.embedding(1, W),
    lambda: ops.embedding(ONE, [[1.0]]),
    lambda: ops.embedding(ONE, W, -4),
    lambda: ops.embedding(ONE, W, 1.0),
    lambda: ops.embedding(ONE, W, "a"),
    lambda: ops.embedding(ONE, W, True),
    lambda: ops.embedding(ONE, W, max_norm=1.0),
    lambda: ops.embedding(ONE, W, norm_type=1.0),
    lambda: ops.embedding(ONE, W, scale_grad_by_freq=True),
    lambda: ops.embedding(ONE, W, sparse=True),
    lambda: ops.dropout(Q, "a"),
    lambda: ops.dropout(Q, None),
    lambda: ops.dropout(Q, 0.5, "a"),
    lambda: ops.dropout(Q, 0.5, True, True),
    lambda: ops.dropout([1.0], 0.5),
    lambda: ops.dropout("a", 0.0),
    lambda: ops.dropout(2.0, 0.5, False),
]


@pytest.mark.parametrize("call", REFUSED)
def test_wrong_calls_are_refused(call):
    with pytest.raises(gn.GraphError):
        call()
