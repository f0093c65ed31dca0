"""Random programs: compiled values, gradients and steps are those of the walk."""

from __future__ import annotations

import pytest
from closeness import assert_close
from compile.training import Training, assert_same
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from test_properties import execute, programs, random_leaves, total

import graphnet as gn


def loss_of(values, leaves, kind):
    """One number that depends on every value, or on the last alone."""
    return total(values, leaves) * 0.01 if kind == "all" else (values[-1] * values[-1]).mean()


def training(program, kind, roles, unknown=False, optimizer="SGD"):
    """The leaves are parameters or inputs, according to the roles; at least one is a parameter."""
    graph = gn.Graph()
    tensors, feed, leaves = random_leaves(program), {}, []
    for place, tensor in enumerate(tensors):
        if place and roles >> place & 1:
            shape = tuple(None if unknown else size for size in tensor.shape)
            leaves.append(graph.input(shape, name=f"x{place}", dtype=tensor.dtype))
            feed[f"x{place}"] = tensor
        else:
            leaves.append(graph.parameter(tensor, name=f"w{place}"))
    values, _ = execute(program, leaves)
    loss = loss_of(values, len(leaves), kind)
    learned = [each for each in graph.parameters() if each.requires_grad]
    settings = {"momentum": 0.9} if optimizer == "SGD" else {}
    return Training(graph, loss, getattr(gn, optimizer)(learned, lr=0.01, **settings)), feed, values


@pytest.mark.parametrize("kind", ["all", "last"])
@examples(50)
@given(program=programs(), roles=st.integers(0, 7), optimizer=st.sampled_from(["SGD", "Adam"]))
def test_steps_of_random_graphs(kind, program, roles, optimizer):
    (ours, feed, _), (theirs, *_) = (
        training(program, kind, roles, optimizer=optimizer) for _ in range(2)
    )
    step = ours.compiled(check_finite=False)
    kept = {name: value.clone() for name, value in feed.items()}
    for _ in range(3):
        assert_same(step(feed), theirs.walk(feed))
        assert_same(ours.state(), theirs.state())
    assert_same(feed, kept, exact=True)
    ours.step.program.lint()


@examples(150)
@given(programs(), st.integers(0, 7), st.booleans())
def test_predictions_of_random_graphs(program, roles, unknown):
    """Every value at once, from fixed and from unknown sizes; no fed tensor is changed."""
    try:
        ours, feed, values = training(program, "all", roles, unknown)
    except gn.GraphError:  # unknown sizes cannot be what this program needs
        return
    values = [each for each in values if isinstance(each, gn.Node)]
    kept = {name: value.clone() for name, value in feed.items()}
    before = ours.state()
    predict = ours.graph.compile(values, tune=False)
    try:
        expected = ours.graph.forward(feed, outputs=values)
    except gn.ShapeError:  # sizes that were unknown do not fit
        with pytest.raises(gn.ShapeError):
            predict(feed)
        return
    first, second = predict(feed), predict(feed)
    assert_close(first, expected, rtol=1e-10, atol=1e-10, equal_nan=True)
    assert_close(second, expected, rtol=1e-10, atol=1e-10, equal_nan=True)
    assert_same(feed, kept, exact=True)
    assert_same(ours.state(), before, exact=True)


@examples(40)
@given(programs(), st.integers(0, 7))
def test_second_derivatives_compile(program, roles):
    """A loss that contains gradients itself."""

    def make():
        graph_world, feed, _ = training(program, "last", roles)
        graph = graph_world.graph
        learned = graph_world.optimizer.parameters
        slopes = graph.gradients(graph_world.loss, learned)
        parts = [(slope * slope).sum() for slope in slopes]
        graph_world.loss = sum(parts[1:], parts[0]) * 0.001
        return graph_world, feed

    (ours, feed), (theirs, _) = make(), make()
    step = ours.compiled(check_finite=False)
    for _ in range(2):
        assert_same(step(feed), theirs.walk(feed))
        assert_same(ours.state(), theirs.state())
