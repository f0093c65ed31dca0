"""Rows, labels and pixels at computed places: written into memory that a program keeps."""

from __future__ import annotations

import pytest
import torch
from compile.training import DOUBLE, Training, assert_same, randn

import graphnet as gn
from graphnet import ops

WORDS, WIDTH = 11, 6


def language(**options):
    """A model of a language: it looks words up, and tells for each which one is next."""
    torch.manual_seed(0)
    table, scores = gn.Embedding(WORDS, WIDTH, **options), gn.Linear(WIDTH, WORDS)
    model = gn.ModuleList([table, scores]).to(DOUBLE)
    with gn.Graph() as graph:
        x = gn.Input((None, 5), dtype=torch.int64, name="x")
        t = gn.Input((None, 5), dtype=torch.int64, name="t")
        y = scores(table(x).tanh())
        loss = gn.LossCrossEntropy()(y.reshape(-1, WORDS), t.reshape(-1))
    return Training(graph, loss, gn.SGD(model.parameters(), lr=0.3))


def images():
    """Pictures with a border of another value, and a pool."""
    torch.manual_seed(0)
    model = gn.Conv2d(2, 3, 2).double()
    with gn.Graph() as graph:
        x = gn.Input((None, 2, 5, 6), dtype=DOUBLE, name="x")
        bordered = ops.pad(x, (1, 2, -1, 1), value=0.5)
        y = ops.max_pool2d(model(bordered), 2)
        loss = (y * y).mean()
    return Training(graph, loss, gn.SGD(model.parameters(), lr=0.3))


def words(seed):
    drawn = torch.randint(WORDS, (4, 5), generator=torch.Generator().manual_seed(seed))
    return {"x": drawn, "t": drawn.roll(-1, 1)}


CASES = {
    "a language": (language, words),
    "padding": (lambda: language(padding_idx=0), words),
    "images": (images, lambda seed: {"x": randn(3, 2, 5, 6, seed=seed)}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("accumulates", [False, True])
def test_steps_are_those_of_the_walk(case, accumulates):
    make, feed = CASES[case]
    ours, theirs = make(), make()
    step = ours.compiled(backend="torch")
    for seed in range(4):
        if accumulates and seed % 2 == 0:
            step.accumulate(feed(seed))
            theirs.graph.forward(feed(seed), outputs=theirs.loss)
            theirs.graph.backward(theirs.loss, accumulate=True)
            continue
        mine = step(feed(seed))
        if accumulates:
            theirs.graph.forward(feed(seed), outputs=theirs.loss)
            theirs.graph.backward(theirs.loss, accumulate=True)
            theirs.optimizer.step()
        else:
            assert_same(mine, theirs.walk(feed(seed)))
    assert_same(ours.state(), theirs.state())


@pytest.mark.parametrize("case", ["a language", "padding"])
def test_nothing_is_made_anew(case):
    make, feed = CASES[case]
    ours = make()
    step = ours.compiled(backend="torch")
    step(feed(0))
    made = [line.strip() for line in step.source.splitlines() if "rule_of" in line]
    assert [line for line in made if "reshape" not in line and "flatten" not in line] == []


@pytest.mark.parametrize("label", [-1, WORDS])
def test_a_label_beyond_the_table_is_refused_and_nothing_is_written(label):
    ours = language()
    step = ours.compiled(backend="torch")
    step(words(0))
    before = [each.top.clone() for each in ours.graph.parameters()]
    feed = words(1)
    feed["x"][0, 0] = label
    with pytest.raises(gn.GraphError, match=f"between 0 and {WORDS - 1}.*got {label}"):
        step(feed)
    for parameter, value in zip(ours.graph.parameters(), before, strict=True):
        assert parameter.top.equal(value)
