"""Each pass alone keeps the values of a program."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from compile.test_layers import LAYERS, feeds
from compile.test_layers import training as layer_training
from compile.test_optimizers import EVERY
from compile.test_random_graphs import training as random_training
from compile.training import DOUBLE, assert_same, dense_feeds, dense_training, randn
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from sampling import some
from test_properties import programs

import graphnet as gn
from graphnet.compile.ir.build import Clip, Update, specialized, training_program
from graphnet.compile.ir.program import Cell, Constant, Number
from graphnet.compile.passes import cse, dce, decompose, fold_constants, optimize
from graphnet.compile.passes.specialize import specialize
from graphnet.compile.passes.unroll import unroll
from graphnet.compile.run.settings import VaryingSettings
from graphnet.compile.targets.torch.fuse import fuse
from graphnet.graph import Operation
from graphnet.graph.nodes import Literal


def all_passes(program):
    return fuse(optimize(program))


PASSES = [decompose, specialize, dce, fold_constants, cse, unroll, fuse, all_passes]


def evaluated(program, feed, rate=0.1):
    """The results of a program and what it would write, node by node; nothing is written."""
    values = {}
    torch.manual_seed(1)
    for node in program:
        if isinstance(node, Cell):
            values[node] = node.top.clone()
        elif isinstance(node, Number):
            values[node] = torch.tensor(rate, dtype=node.dtype)
        elif isinstance(node, Operation):
            arguments = [
                each.top if isinstance(each, Literal) else values[each] for each in node.sources
            ]
            values[node] = node.op.forward(*arguments)
            assert tuple(values[node].shape) == node.shape, node
            assert values[node].dtype is node.dtype, node
        else:
            values[node] = feed[node.name]
    results = [values[node] for node in (*program.results, *program.finite)]
    return results, {cell.top.data_ptr(): values[to] for cell, to in program.writes.items()}


def step_program(training, feed, clip=None):
    buckets = training.optimizer.buckets()
    chosen = VaryingSettings(training.optimizer)
    numbers = chosen.of_all(buckets)
    known = [each.group | given for each, given in zip(buckets, numbers, strict=True)]
    arguments = [chosen.arguments(each) for each in known]
    update = Update(training.optimizer, buckets, known, arguments, clip or Clip())
    shapes = {name: tuple(value.shape) for name, value in feed.items()}
    return training_program(training.graph, [training.loss], shapes, update, add=False)


def assert_kept(program, feed):
    expected = evaluated(program, feed)
    for change in PASSES:
        changed = change(program)
        changed.lint()
        assert_same(evaluated(changed, feed), expected)
        assert_same(evaluated(program, feed), expected, exact=True)  # the old list is as it was
    again = all_passes(all_passes(program))
    assert_same(evaluated(again, feed), expected)
    assert len(all_passes(program)) <= len(decompose(program))


@examples(40)
@given(programs(), st.integers(0, 7), st.sampled_from(["SGD", "Adam"]))
def test_random_steps(program, roles, optimizer):
    made, feed, _ = random_training(program, "all", roles, optimizer=optimizer)
    assert_kept(step_program(made, feed), feed)


@examples(50)
@given(programs(), st.integers(0, 7))
def test_random_predictions(program, roles):
    made, feed, values = random_training(program, "all", roles)
    shapes = {name: tuple(value.shape) for name, value in feed.items()}
    targets = [each for each in values if isinstance(each, gn.Node)]
    assert_kept(specialized(made.graph, targets, shapes)[0], feed)


@pytest.mark.parametrize("name", some(LAYERS, every=2))
def test_steps_of_layers(name):
    if "generator" in name:  # its state would differ at each evaluation
        return
    make, shape = LAYERS[name]
    made, feed = layer_training(make, shape), feeds(shape)[0]
    buffers = [each.top for each in made.graph.parameters() if each.is_buffer]
    if not buffers:  # rules that keep statistics write them when they are evaluated
        assert_kept(step_program(made, feed), feed)


CLIPS = (Clip(), Clip(0.1, 2.0, 0.01), Clip(0.1, 1.0))


@pytest.mark.parametrize(("case", "clip"), some(product(EVERY, CLIPS), every=4), ids=str)
def test_steps_of_optimizers(case, clip):
    kind, settings = case
    made, feed = dense_training(kind, **settings), dense_feeds()[0]
    for _ in range(2):
        made.walk(feed)
    assert_kept(step_program(made, feed, clip), feed)


def count(program, name):
    return sum(isinstance(node, Operation) and node.op.name == name for node in program)


def prediction(build, shape=(3, 3)):
    graph = gn.Graph()
    x = graph.input(shape, name="x", dtype=DOUBLE)
    w = graph.parameter(randn(3, 3), name="w")
    targets = build(x, w)
    targets = targets if isinstance(targets, list) else [targets]
    return specialized(graph, targets, {"x": shape})[0]


def test_unread_nodes_are_dropped():
    program = prediction(lambda x, w: (x.tanh(), x.sigmoid() * w)[1])
    assert count(program, "tanh") == count(dce(program), "tanh") == 0


def test_equal_expressions_are_shared():
    program = prediction(lambda x, w: (x @ w).tanh() + (x @ w).tanh() * 2.0)
    assert count(program, "tanh") == 2
    assert count(cse(program), "tanh") == count(cse(program), "matmul") == 1


def test_options_and_types_of_numbers_tell_apart():
    program = prediction(lambda x, w: [x.sum(0), x.sum(1), x.sum(0, True), x * 1, x * 1.0])
    assert len(cse(program)) == len(program)
    assert_kept(program, {"x": randn(3, 3)})


def test_zero_and_minus_zero_are_not_shared():
    program = prediction(lambda x, w: [1.0 / (x * 0.0), 1.0 / (x * -0.0)])
    for change in PASSES:
        (first, second), _ = evaluated(change(program), {"x": randn(3, 3).abs()})
        assert (first > 0).all() and (second < 0).all()


def test_random_numbers_are_not_shared():
    program = prediction(lambda x, w: gn.ops.dropout(x, 0.5) + gn.ops.dropout(x, 0.5))
    assert count(program, "dropout_mask") == count(all_passes(program), "dropout_mask") == 2


def test_two_negations_cancel():
    program = prediction(lambda x, w: x.tanh().neg().neg() + 1)
    folded = dce(fold_constants(program))
    assert count(folded, "neg") == count(folded, "mul") == 0
    assert_kept(program, {"x": randn(3, 3)})


def test_constants_are_folded():
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=DOUBLE)
    count_of_rows = gn.ops.ones_like(x).sum() if hasattr(gn.ops, "ones_like") else (x * 0 + 1).sum()
    y = (2.0 * (3.0 * x)) / count_of_rows
    program = specialized(graph, [y], {"x": (4, 3)})[0]
    assert count(fold_constants(program), "mul") <= count(program, "mul")
    assert_kept(program, {"x": randn(4, 3)})


def test_parameters_are_no_constants():
    program = prediction(lambda x, w: x * (w * 2.0).sum())
    assert not any(isinstance(node, Constant) for node in fold_constants(program))


@pytest.mark.parametrize("x", [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e300, 1e-300])
def test_edge_values_are_kept(x):
    """Patterns give the same numbers at edge values too."""
    program = prediction(
        lambda x, w: [
            (2.0 * (3.0 * x)), 0.0 - (-x), x - 0.5 * (x * w), x + 2.0 * (x / w), x + 0.1 * (w - x),
            x.relu(), (x * w).sum(), x.tanh() * (1.0 - x.tanh() * x.tanh()), x.maximum(w), x * 0.0,
        ]
    )  # fmt: skip
    feed = {"x": torch.full((3, 3), x, dtype=DOUBLE)}
    expected = evaluated(program, feed)
    for change in PASSES:
        assert_same(evaluated(change(program), feed), expected)


def test_equal_constants_are_one():
    """So what is made of them is found to be equal: it is computed once."""
    graph = gn.Graph()
    x = graph.input((2, 3), name="x")
    held = graph.parameter(torch.ones(3), requires_grad=False)
    twice = [
        gn.ops.stack([each + 0, gn.ops.zeros_like(each + 0)], 0).tanh() + held for each in (x, x)
    ]
    program = optimize(specialized(graph, [twice[0] * twice[1]], {"x": (2, 3)})[0])
    names = [node.op.name for node in program if isinstance(node, Operation)]
    assert names.count("tanh") == 1
