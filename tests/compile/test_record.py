"""The list before and after each pass, as a user reads it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

import graphnet as gn


def trained_step():
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 1), name="t")
        loss = gn.LossMSE()(model(x), t)
    step = graph.compile(loss, gn.SGD(model.parameters(), lr=0.1), tune=False)
    step(x=torch.randn(5, 2), t=torch.randn(5, 1))
    return step


def test_each_pass_starts_where_the_one_before_ended():
    step = trained_step()
    records = step.passes
    for before, after in pairwise(records):
        assert before.after is after.before
    assert str(records[-1].after) == str(step.program)


def test_the_values_of_training_are_not_touched():
    step = trained_step()
    before = [each.top.clone() for each in step.optimizer.parameters]
    text = str(step.passes)
    assert text.splitlines()[0].split() == ["pass", "before", "after"]
    for each, value in zip(step.optimizer.parameters, before, strict=True):
        assert torch.equal(each.top, value)


def test_a_pass_shows_the_lines_that_differ():
    graph = gn.Graph()
    x = graph.input((None,), name="x")
    predict = graph.compile(x.exp() * x.exp())
    predict(x=torch.ones(3))
    record = predict.passes["cse"]
    lines = str(record).splitlines()
    assert "-exp_1 = exp(x)" in lines
    assert "+mul = mul(exp, exp)" in lines
    assert repr(record) == "<cse: 4 nodes -> 3>"


def test_a_pass_without_effect_says_so():
    assert str(trained_step().passes["running_statistics"]) == "nothing changed"


def test_a_list_of_a_pass_is_drawn():
    svg = trained_step().passes["cse"].after.draw(engine="ranker").svg
    assert "gradients" in svg


def test_a_pass_that_is_not_there_is_named_with_those_that_are():
    passes = trained_step().passes
    with pytest.raises(gn.GraphError, match=r"no pass 'fold'; the passes are running_statistics, "):
        passes["fold"]


def test_before_the_first_call_there_are_no_passes():
    graph = gn.Graph()
    predict = graph.compile(graph.input((), name="x") + 1)
    with pytest.raises(gn.StateError, match="no program yet"):
        predict.passes  # noqa: B018 - reading it is the test
