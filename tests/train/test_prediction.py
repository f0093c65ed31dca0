"""Outputs are streamed."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset
from train.small_runs import network
from train.sources import Passing, Rows, T, X, batches

import graphnet as gn

FORMS = {
    "inputs": lambda: X,
    "pair": lambda: (X, T),
    "array": X.numpy,
    "items": Rows,
    "items without targets": lambda: TensorDataset(X),
    "loader": lambda: DataLoader(Rows(), batch_size=9),
    "iterable of rows": Passing,
    "function": lambda: batches,
    "iterator": batches,
    "iterator of inputs": lambda: (x for x, _ in batches()),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_outputs_are_those_of_the_model_in_evaluation_mode(form, compiled):
    model = network(dropout=True, norm=True)
    found = [*gn.predict(model, FORMS[form](), batch_size=9, compile=compiled)]
    with torch.no_grad():
        x = X @ model[0].weight.top.T + model[0].bias.top
        x = x.clamp(min=0) / (1 + model[2].eps) ** 0.5
        expected = x @ model[4].weight.top.T + model[4].bias.top
    torch.testing.assert_close(torch.cat(found), expected, rtol=1e-5, atol=1e-6)
    assert max(map(len, found)) <= 10
    assert model.training


def test_batches_are_read_when_their_outputs_are_asked_for():
    taken = []

    def endless():
        for place in itertools.count():
            taken.append(place)
            yield X

    outputs = gn.predict(network(), endless())
    assert taken == [0]  # for the shapes
    next(outputs)
    next(outputs)
    assert taken == [0, 1]


def test_outputs_of_one_batch_do_not_change_with_the_next():
    outputs = gn.predict(network(), X, batch_size=10)
    first = next(outputs)
    before = first.clone()
    next(outputs)
    assert torch.equal(first, before)


def test_several_inputs_and_outputs():
    class Two(gn.Module):
        def build(self, x, y):
            return x + y, x - y

    pairs = [*gn.predict(Two(), ((X, X), T), batch_size=30)]
    assert [type(each) for each in pairs] == [tuple, tuple]
    assert torch.equal(torch.cat([each[0] for each in pairs]), X + X)
    assert not torch.cat([each[1] for each in pairs]).any()


def test_a_model_may_be_trained_between_two_batches():
    model = gn.Linear(3, 1, bias=False)
    outputs = gn.predict(model, X, batch_size=20)
    next(outputs)
    model.weight.top.fill_(1.0)
    torch.testing.assert_close(next(outputs), X[20:].sum(1, keepdim=True))


def test_what_cannot_be_is_refused_at_once():
    with pytest.raises(gn.GraphError, match="a graphnet module"):
        gn.predict(X, network())
    with pytest.raises(gn.GraphError, match="The data have 2 inputs"):
        gn.predict(network(), ((X, X), None))
    with pytest.raises(gn.RangeError, match="compile must be True or False"):
        gn.predict(network(), X, compile="c")
    outputs = gn.predict(network(), iter([X, (X, X), ((X, X), T)]))
    next(outputs)
    next(outputs)
    with pytest.raises(gn.FeedError, match="A batch has 2 inputs, the first 1"):
        next(outputs)
