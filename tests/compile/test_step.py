"""What a step returns, takes and leaves untouched."""

from __future__ import annotations

import copy

import pytest
import torch
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    assert_same_training,
    dense_feeds,
    dense_training,
    randn,
    split_training,
)

import graphnet as gn


def test_loss_is_fresh():
    step = dense_training().compiled()
    feeds = dense_feeds()
    losses = [step(feed) for feed in feeds]
    kept = [loss.clone() for loss in losses]
    step(feeds[0])
    assert_same(losses, kept, exact=True)
    assert losses[0].shape == ()
    assert len({loss.data_ptr() for loss in losses}) == len(losses)
    losses[0].add_(1)  # an ordinary tensor, which may be written to
    assert not losses[0].is_inference()


SMALL_LOSSES = {
    "a parameter": lambda w, x: w[0][0],
    "a view": lambda w, x: w.reshape(-1)[2],
    "a sum of one": lambda w, x: w[1, 1].sum(),
    "an identity": lambda w, x: w[0, 0] + 0.0 * x.sum(),
}


@pytest.mark.parametrize("name", SMALL_LOSSES)
def test_a_loss_that_is_part_of_the_weights(name):
    """The loss is that before the update, even if it lies in what is updated."""

    def make():
        w = gn.Parameter(randn(3, 3), name="w")
        with gn.Graph() as graph:
            loss = SMALL_LOSSES[name](w_in(graph, w), gn.Input((3,), name="x", dtype=DOUBLE))
        return Training(graph, loss, gn.SGD([w], lr=0.1, momentum=0.9))

    def w_in(graph, w):
        return w * 1.0 if name == "an identity" else w

    ours, theirs = make(), make()
    step = ours.compiled()
    for number in range(4):
        feed = {"x": randn(3, seed=number)} if name == "an identity" else {}
        assert_same(step(feed), theirs.walk(feed))
        assert_same(ours.state(), theirs.state())


def test_odd_parameters():
    """Scalars, empty ones, and one with no neighbour."""
    for kind in ("SGD", "Adam", "NAdam", "Adagrad"):

        def make(kind=kind):
            shapes = [(3, 4), (), (0, 2), (4,), (1,)]
            w, scale, empty, b, one = (
                gn.Parameter(randn(*shape, seed=place)) for place, shape in enumerate(shapes)
            )
            with gn.Graph() as graph:
                x = gn.Input((None, 3), name="x", dtype=DOUBLE)
                loss = ((x @ w + b) * scale).tanh().mean() * one.sum() + empty.sum()
            return Training(graph, loss, getattr(gn, kind)([w, scale, empty, b, one], lr=0.1))

        assert_same_training(make, [{"x": randn(4, 3, seed=n)} for n in range(3)], steps=10)


def test_feeds_that_share_memory_with_weights():
    """The weight itself is fed."""

    def make():
        graph = gn.Graph()
        x = graph.input((3, 3), name="x", dtype=DOUBLE)
        w = graph.parameter(randn(3, 3), name="w")
        loss = ((x @ w).tanh() @ w + x.tanh()).mean()
        return Training(graph, loss, gn.SGD([w], lr=0.1, momentum=0.5)), w

    (ours, mine), (theirs, other) = make(), make()
    step = ours.compiled()
    for _ in range(4):
        assert_same(step(x=mine.top), theirs.walk({"x": other.top}))
        assert_same(ours.state(), theirs.state())


def test_predictions_of_nothing_fed():
    graph = gn.Graph()
    w = graph.parameter(randn(3), name="w")
    y = w * 2.0
    first, second, third = graph.compile([y, y, w], tune=False)()
    assert_same((first, second, third), (y_of(w), y_of(w), w.top), exact=True)


def y_of(w):
    return w.top * 2.0


def test_predictions_are_fresh_and_ordinary():
    ours = dense_training()
    nodes = [ours.graph.inputs[0], ours.graph.parameters()[0], ours.loss]
    predict = ours.graph.compile(nodes, tune=False)
    feed = dense_feeds()[0]
    x, w, loss = predict(feed)
    assert_same((x, w), (feed["x"], ours.graph.parameters()[0].top), exact=True)
    for tensor in (x, w, loss):
        assert not tensor.is_inference()
        tensor.zero_()
    assert feed["x"].any() and ours.graph.parameters()[0].top.any()


def test_kinds_of_feeds():
    """By node, by name, mixed; strided, expanded, transposed tensors; those that need gradients."""
    ours, theirs = dense_training(), dense_training()
    step = ours.compiled()
    x, t = ours.graph.inputs
    base = randn(3, 8)
    feeds = [
        ({x: randn(4, 3), t: randn(4, 2)}, {}),
        ({x: randn(4, 3)}, {"t": randn(4, 2)}),
        ({}, {"x": base.T[:4], "t": randn(2, 4).T}),
        ({}, {"x": base.T[::2], "t": randn(1, 2).expand(4, 2)}),
        ({}, {"x": randn(4, 3).requires_grad_(), "t": randn(4, 2)}),
        ({}, {"x": torch.nn.Parameter(randn(4, 3)), "t": randn(4, 2)}),
    ]
    for given, named in feeds:
        by_name = {each.name: value for each, value in given.items()} | named
        kept = {name: value.detach().clone() for name, value in by_name.items()}
        assert_same(step(given, **named) if given else step(**named), theirs.walk(by_name))
        assert_same({name: value.detach() for name, value in by_name.items()}, kept, exact=True)
    assert_same(ours.state(), theirs.state())


def test_the_graph_is_untouched():
    ours = split_training("Adam")
    graph = ours.graph

    def seen():
        return (
            len(graph), [repr(node) for node in graph], [graph.name_of(node) for node in graph],
            [id(node) for node in graph], [p.name for p in graph.parameters()],
            [p.graph is graph for p in graph.parameters()], graph.training,
            [len(p.places) for p in graph.parameters()],
            [id(p.top) for p in graph.parameters()],
        )  # fmt: skip

    graph.forward(dense_feeds()[0])
    ours.optimizer.step()
    before = seen()
    step = ours.compiled()
    for feed in dense_feeds():
        step(feed)
    step.accumulate(dense_feeds()[0])
    step.profile(dense_feeds()[0], runs=2)
    graph.compile(graph[-1], tune=False)(dense_feeds()[0])
    # the tops of operations are dropped or those of the last walk; everything else is unchanged
    assert seen() == before
    graph.lint()


def test_tops_of_the_walk_are_not_taken_for_new():
    """After a step the values in the list belong to old weights: backward refuses them."""
    ours = dense_training()
    step = ours.compiled()
    feed = dense_feeds()[0]
    ours.graph.forward(feed)
    step(feed)
    with pytest.raises(gn.StateError):
        ours.graph.backward(ours.loss)


def test_nodes_added_after_compiling():
    """A growing list keeps its steps."""
    ours, theirs = dense_training(), dense_training()
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds()):
        assert_same(step(feed), theirs.walk(feed))
        with ours.graph:
            (ours.loss * number).exp()
    ours.graph.input((3,), name="more")
    assert_same(step(dense_feeds()[0]), theirs.walk(dense_feeds()[0]))


def test_other_inputs_of_the_graph_need_no_feed():
    """An input that the loss does not depend on may be given or omitted, as in the walk."""
    ours = dense_training()
    ours.graph.input((2,), name="spare", dtype=DOUBLE)
    step = ours.compiled()
    feed = dense_feeds()[0]
    step(feed)
    step(feed | {"spare": randn(2)})


def test_profile():
    ours = dense_training("Adam")
    step = ours.compiled()
    step(dense_feeds()[0])
    before, counts = ours.state(), ours.optimizer.state_dict()
    profile = step.profile(dense_feeds()[1], runs=3)
    assert_same(ours.state(), before, exact=True)
    assert_same(ours.optimizer.state_dict(), counts, exact=True)
    assert profile.total > 0
    assert all(line.strip() in step.source for line, _, _ in profile.lines)
    assert len(str(profile).splitlines()) == len(profile.lines) + 2
    program = ours.graph.compile(ours.loss, tune=False)
    assert program.profile(dense_feeds()[1], runs=3).total > 0


@pytest.mark.parametrize("kind", ["NAdam", "RAdam"])
def test_profile_leaves_numbers_and_statistics(kind):
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.BatchNorm1d(4)).double()
    with gn.Graph() as graph:
        loss = (model(gn.Input((None, 3), name="x", dtype=DOUBLE)) ** 4).mean()
    ours = Training(graph, loss, getattr(gn, kind)(model.parameters()))
    step = ours.compiled()
    for warm in (False, True):
        before = ours.state()
        step.profile(x=randn(5, 3), runs=3)
        assert_same(ours.state(), before, exact=True)
        if not warm:
            step(x=randn(5, 3))


def test_a_copied_world_has_its_own_step():
    """A deep copy of the model and a new step for it: the first is not disconnected."""
    torch.manual_seed(0)
    model = gn.Linear(3, 2).double()

    def step_for(module):
        with gn.Graph() as graph:
            loss = (module(gn.Input((None, 3), name="x", dtype=DOUBLE)) ** 2).mean()
        return Training(graph, loss, gn.Adam(module.parameters()))

    first = step_for(model)
    step = first.compiled()
    step(x=randn(4, 3))
    other = copy.deepcopy(model)
    second = step_for(other)
    second.compiled()(x=randn(4, 3))
    kept = second.state()
    step(x=randn(4, 3, seed=1))
    assert_same(second.state(), kept, exact=True)


@pytest.mark.parametrize("backend", [None, "eager"])
def test_values_that_are_watched(backend):
    """The watched values of a step are those of the walk before the update."""
    ours = dense_training("Adam")
    part = ours.graph["0.linear"]
    step = ours.graph.compile(
        ours.loss * 2, ours.optimizer, tune=False, backend=backend, watch=[ours.loss, part]
    )
    for feed in dense_feeds():
        expected = ours.graph.forward(feed, outputs=[ours.loss, part])
        value = step(feed)
        assert_same(list(step.watched), list(expected))
        assert_same(value, 2 * expected[0])
    kept = [each.clone() for each in step.watched]
    before = step.watched
    step(dense_feeds()[0])
    assert_same(list(before), kept, exact=True)  # they are not buffers of the program


def test_a_prediction_watches_nothing():
    ours = dense_training()
    with pytest.raises(gn.GraphError, match="returns several nodes"):
        ours.graph.compile(ours.loss, watch=[ours.loss])


@pytest.mark.parametrize("backend", [None, "torch", "c"])
def test_a_step_returns_other_nodes_too(backend):
    """The loss and the outputs of each step, before its update, beside torch's own loop."""
    torch.manual_seed(0)
    first = torch.randn(3, 2)
    graph = gn.Graph()
    x, t = graph.input((None, 2), name="x"), graph.input((None, 3), name="t")
    w = graph.parameter(first, name="w")
    logits = x @ w.T
    hidden = logits.tanh()
    loss = ((hidden - t) ** 2).mean()
    step = graph.compile(
        loss, gn.SGD([w], lr=0.1), outputs=[logits, hidden], watch=[t], backend=backend
    )
    theirs = first.clone().requires_grad_()
    with torch.enable_grad():
        for _ in range(3):
            xb, tb = torch.randn(4, 2), torch.randn(4, 3)
            scores = xb @ theirs.T
            expected = ((scores.tanh() - tb) ** 2).mean()
            found = step(x=xb, t=tb)
            for ours, wanted in zip(found, (expected, scores, scores.tanh()), strict=True):
                torch.testing.assert_close(ours, wanted.detach(), rtol=1e-5, atol=1e-6)
            assert len(step.watched) == 1
            (slope,) = torch.autograd.grad(expected, theirs)
            theirs = (theirs - 0.1 * slope).detach().requires_grad_()


def test_outputs_are_for_steps():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    with pytest.raises(gn.GraphError, match="several nodes"):
        graph.compile(x * 2, outputs=[x])
    other = gn.Graph().input((2,), name="x")
    w = graph.parameter(torch.ones(()))
    with pytest.raises(gn.GraphError, match="not a node of"):
        graph.compile((x * w).sum(), gn.SGD([w], lr=0.1), outputs=[other])
