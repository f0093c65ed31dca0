"""Gradients of a step: clipped, added over batches, and those that a loss does not reach."""

from __future__ import annotations

from math import inf

import pytest
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    dense_feeds,
    dense_training,
    randn,
    split_training,
)

import graphnet as gn

CLIPS = [
    {"max_norm": 0.05},
    {"max_norm": 1e6},
    {"max_norm": 0.05, "norm_type": 1.0},
    {"max_norm": 0.05, "norm_type": 3},
    {"max_norm": 0.01, "norm_type": inf},
    {"max_norm": 5.0, "norm_type": 0.0},
    {"max_norm": 0.0},
    {"clip_value": 0.01},
    {"clip_value": 0.0},
    {"max_norm": 0.1, "clip_value": 0.01},
    {"max_norm": inf},
]


def clipped_walk(training, feed, max_norm=None, norm_type=2.0, clip_value=None):
    value = training.graph.forward(feed, outputs=training.loss).clone()
    training.graph.backward(training.loss)
    parameters = training.optimizer.parameters
    if max_norm is not None:
        gn.optim.clip_grad_norm_(parameters, max_norm, norm_type)
    if clip_value is not None:
        gn.optim.clip_grad_value_(parameters, clip_value)
    training.optimizer.step()
    return value


@pytest.mark.parametrize("make", [dense_training, split_training])
@pytest.mark.parametrize("clip", CLIPS, ids=str)
def test_clipping(clip, make):
    ours, theirs = make("Adam"), make("Adam")
    step = ours.compiled(**clip)
    for feed in dense_feeds() * 4:
        assert_same(step(feed), clipped_walk(theirs, feed, **clip))
        assert_same(ours.state(), theirs.state())


@pytest.mark.parametrize("clip", [{}, {"max_norm": 0.05}, {"clip_value": 0.01}], ids=str)
def test_accumulate(clip):
    """Gradients are added, even across batch sizes; the next step adds its own and updates."""
    ours, theirs = split_training(), split_training()
    step = ours.compiled(**clip)
    for count in (0, 1, 3, 0, 2):
        for place in range(count):
            feed = dense_feeds(rows=2 + place)[place]
            assert_same(step.accumulate(feed), theirs.graph.forward(feed, outputs=theirs.loss))
            theirs.graph.backward(theirs.loss, accumulate=place > 0)
            assert_same(ours.state(), theirs.state())
        feed = dense_feeds()[count]
        mine = step(feed)
        expected = theirs.graph.forward(feed, outputs=theirs.loss).clone()
        theirs.graph.backward(theirs.loss, accumulate=count > 0)
        parameters = theirs.optimizer.parameters
        if "max_norm" in clip:
            gn.optim.clip_grad_norm_(parameters, clip["max_norm"])
        if "clip_value" in clip:
            gn.optim.clip_grad_value_(parameters, clip["clip_value"])
        theirs.optimizer.step()
        assert_same(mine, expected)
        assert_same(ours.state(), theirs.state())


def two_losses():
    """Two losses of one graph: the second does not use the weight of the first."""
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=DOUBLE)
    w, v = (graph.parameter(randn(3, 3, seed=n), name=name) for n, name in enumerate("wv"))
    optimizer = gn.SGD([w, v], lr=0.1, momentum=0.5)
    return [Training(graph, ((x @ each) ** 2).mean(), optimizer) for each in (w, v)]


def test_gradients_that_a_loss_does_not_reach():
    """The gradient of a listed parameter that the loss does not use is zeros, not the last one."""
    ours, theirs = two_losses(), two_losses()
    steps = [each.compiled() for each in ours]
    for number, place in enumerate((0, 1, 1, 0, 1, 0)):
        feed = {"x": randn(4, 3, seed=number)}
        assert_same(steps[place](feed), theirs[place].walk(feed))
        assert_same(ours[0].state(), theirs[0].state())
        steps[place].accumulate(feed)
        theirs[place].graph.forward(feed, outputs=theirs[place].loss)
        theirs[place].graph.backward(theirs[place].loss)
        assert_same(ours[0].state(), theirs[0].state())
        ours[place].step(feed)
        theirs[place].graph.forward(feed, outputs=theirs[place].loss)
        theirs[place].graph.backward(theirs[place].loss, accumulate=True)
        theirs[place].optimizer.step()
        assert_same(ours[0].state(), theirs[0].state())


def test_gradients_of_frozen_parameters():
    """They are zeros after a step, so that a parameter that is unfrozen starts without one."""
    ours, theirs = dense_training(), dense_training()
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds()):
        for each in (ours, theirs):
            each.optimizer.parameters[2].requires_grad = number % 2 == 0
        assert_same(step(feed), theirs.walk(feed))
        assert_same(ours.state(), theirs.state())


def test_accumulate_equal_batches():
    """Many consecutive batches of the same size run one program."""
    ours, theirs = dense_training("NAdam"), dense_training("NAdam")
    step = ours.compiled()
    for _ in range(2):
        sources = set()
        for place, feed in enumerate(dense_feeds()):
            step.accumulate(feed)
            sources.add(step.source)
            theirs.graph.forward(feed)
            theirs.graph.backward(theirs.loss, accumulate=place > 0)
            assert_same(ours.state(), theirs.state())
        assert len(sources) == 2  # the first sets the gradients, the others add to them
        step(dense_feeds()[0])
        theirs.graph.forward(dense_feeds()[0])
        theirs.graph.backward(theirs.loss, accumulate=True)
        theirs.optimizer.step()
        assert_same(ours.state(), theirs.state())


def test_accumulate_then_the_optimizer_itself():
    ours, theirs = dense_training("Adam"), dense_training("Adam")
    step = ours.compiled()
    first, second, third, *_ = dense_feeds()
    for place, feed in enumerate((first, second)):
        step.accumulate(feed)
        theirs.graph.forward(feed)
        theirs.graph.backward(theirs.loss, accumulate=place > 0)
    ours.optimizer.step()
    theirs.optimizer.step()
    assert_same(ours.state(), theirs.state())
    ours.optimizer.zero_grad()
    assert_same(step(third), theirs.walk(third))
    assert_same(ours.state(), theirs.state())


def test_an_error_between_accumulated_batches():
    ours, theirs = dense_training(), dense_training()
    step = ours.compiled()
    first, second, *_ = dense_feeds()
    step.accumulate(first)
    for call in (step, step.accumulate):
        with pytest.raises(gn.NonFiniteError):
            call(x=first["x"] * float("nan"), t=first["t"])
        with pytest.raises(gn.FeedError):
            call(x=first["x"])
    step(second)
    theirs.graph.forward(first)
    theirs.graph.backward(theirs.loss)
    theirs.graph.forward(second)
    theirs.graph.backward(theirs.loss, accumulate=True)
    theirs.optimizer.step()
    assert_same(ours.state(), theirs.state())
