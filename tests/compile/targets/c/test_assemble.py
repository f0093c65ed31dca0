"""A program in C with its memory: what is fed, what is returned, and what is neither."""

from __future__ import annotations

import pytest
import torch
from compile.training import Training, assert_same, dense_training, randn

import graphnet as gn
from graphnet import ops
from graphnet.ops.dtypes import Convert


def returned(outputs, feed, graph):
    """The outputs in C, and those of the walk; the mask of a dropout is drawn twice alike."""
    predict = graph.compile(outputs, backend="c")
    torch.manual_seed(0)
    found = predict(feed)
    assert predict.source.startswith("#include")
    torch.manual_seed(0)
    expected = [value.clone() for value in graph.forward(feed, outputs=outputs)]
    return found, expected


def test_an_output_may_lie_in_a_fed_tensor():
    """As it is, and seen in another way; a caller may change what is returned."""
    graph = gn.Graph()
    x = graph.input((3, 4), name="x")
    w = graph.parameter(torch.rand(2, 3), name="w")
    outputs = [x, x.mT, x[1:, ::2], x.reshape(-1), w, w.mT, x.sum()]
    for value in (torch.rand(3, 4), torch.rand(4, 3).mT, torch.rand(5, 6)[1:4, 2:]):
        kept = value.clone()
        found, expected = returned(outputs, {"x": value}, graph)
        assert_same(list(found), expected, exact=False, rtol=1e-6, atol=1e-6)
        for each in found:
            each.zero_()
        assert_same(value, kept, exact=True)
        assert w.top.all()


def test_an_output_may_be_a_drawn_mask():
    graph = gn.Graph()
    x = graph.input((3, 4), name="x")
    y = ops.dropout(x, 0.5, training=True)
    mask = next(node for node in y.inputs if node is not x)
    found, expected = returned([mask, y, mask.mT], {"x": torch.ones(3, 4)}, graph)
    assert_same(list(found), expected, exact=True)


def test_a_mask_may_be_watched_in_many_steps():
    def make():
        torch.manual_seed(0)
        model = gn.Linear(3, 2).double()
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=torch.float64)
            y = ops.dropout(model(x), 0.5, training=True)
            loss = (y * y).mean()
        made = Training(graph, loss, gn.SGD(model.parameters(), lr=0.1))
        made.mask = next(node for node in y.inputs if node.op.name == "dropout_mask")
        return made

    ours, theirs = make(), make()
    step = ours.compiled(backend="c", watch=[ours.mask])
    torch.manual_seed(1)
    losses = step.many(x=randn(12, 3), batch_size=4)
    torch.manual_seed(1)
    assert_same(losses, torch.stack([theirs.walk({"x": x}) for x in randn(12, 3).split(4)]))
    assert_same(step.watched[0], theirs.mask.top, exact=True)


DTYPES = [torch.int64, torch.int32, torch.uint8, torch.int8, torch.bool, torch.float64]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_several_dtypes_in_one_program(dtype):
    """Sums, extremes, comparisons and conversions of a dtype, beside float32."""
    graph = gn.Graph()
    x = graph.input((3, 5), name="x", dtype=dtype)
    y = graph.input((5,), name="y")
    outputs = [Convert(torch.float32)(x) * y, x.sum(0), x.max(1)[0], x.max(1)[1], x.eq(x[0]),
               ops.where(y > 0, Convert(torch.float32)(x), y), x.mT]  # fmt: skip
    values = torch.randint(0, 2 if dtype is torch.bool else 100, (3, 5)).to(dtype)
    found, expected = returned(outputs, {"x": values, "y": torch.randn(5)}, graph)
    assert_same(list(found), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_batches_and_batches_of_one(rows):
    ours, theirs = (dense_training("SGD") for _ in range(2))
    feed = {"x": randn(rows, 3), "t": randn(rows, 2)}
    step = ours.compiled(backend="c", check_finite=False)
    try:
        expected = theirs.walk(feed)
    except gn.GraphError as error:
        before = ours.state()
        with pytest.raises(type(error)):
            step(feed)
        assert_same(ours.state(), before, exact=True)
        return
    assert_same(step(feed), expected)
    assert_same(ours.state(), theirs.state())


def test_an_index_out_of_range_is_the_error_of_the_walk():
    """It is found before memory is read or written, whatever reads the index."""
    graph = gn.Graph()
    index = graph.input((2,), name="index", dtype=torch.int64)
    table = graph.parameter(torch.rand(3, 2), name="table")
    outputs = {
        "embedding": ops.embedding(index, table),
        "index_select": ops.index_select(table, 0, index),
        "take": table[index],
    }
    for name, node in outputs.items():
        predict = graph.compile(node, backend="c")
        for good in ([0, 2], [1, 1]):
            feed = {"index": torch.tensor(good)}
            assert_same(predict(feed), graph.forward(feed, outputs=node), exact=True)
        for bad in ([0, 3], [-4, 0], [2**40, 0], [0, -(2**62)]):
            feed = {"index": torch.tensor(bad)}
            with pytest.raises(Exception) as theirs:
                graph.forward(feed, outputs=node)
            with pytest.raises(type(theirs.value)) as ours:
                predict(feed)
            assert str(ours.value) == str(theirs.value), name


def test_two_programs_share_no_memory():
    """One library may serve two models at once: all memory is an argument."""
    ours, theirs = dense_training(seed=0), dense_training(seed=0)
    first, second = ours.compiled(backend="c"), theirs.compiled(backend="c")
    feeds = [{"x": randn(4, 3, seed=n), "t": randn(4, 2, seed=n)} for n in range(4)]
    alone = dense_training(seed=0).compiled(backend="c")
    expected = [alone(feed) for feed in feeds]
    for feed, value in zip(feeds, expected, strict=True):
        assert_same(first(feed), value, exact=True)
        assert_same(second(feed), value, exact=True)
    assert first.source == second.source


def test_the_profile_names_each_node_and_changes_nothing():
    ours = dense_training("Adam")
    feed = {"x": randn(4, 3), "t": randn(4, 2)}
    step = ours.compiled(backend="c")
    step(feed)
    before = ours.state()
    profile = step.profile(feed, runs=3)
    assert_same(ours.state(), before, exact=True)
    names = [name for _, name, _ in profile.lines]
    assert {"0.linear", "1.tanh", "4.linear"} <= set(names)
    assert all(time >= 0 for *_, time in profile.lines)
    assert profile.total > 0
