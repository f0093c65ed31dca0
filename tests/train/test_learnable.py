"""Parameters that would never be learned are refused, by name and with the ways out."""

from __future__ import annotations

import pytest
import torch
from train.small_runs import data, network, weights

import graphnet as gn


class Holder:
    def __init__(self):
        self.layer = gn.Linear(4, 2)


class InAnObject(gn.Module):
    def __init__(self):
        self.first, self.holder = gn.Linear(3, 4), Holder()

    def build(self, x):
        return self.holder.layer(self.first(x))


class InBuild(gn.Module):
    def __init__(self):
        self.first = gn.Linear(3, 4)

    def build(self, x):
        return gn.Linear(4, 2)(self.first(x))


def on_the_class():
    """A model of a separate class: what a test sets there, no other test sees."""

    class OnTheClass(gn.Module):
        bias = gn.Parameter(torch.zeros(2), name="bias")

        def __init__(self):
            self.first = gn.Linear(3, 2)

        def build(self, x):
            return self.first(x) + self.bias

    return OnTheClass()


def fit(model, loss=None, parameters=None, **options):
    sgd = gn.SGD(model.parameters() if parameters is None else parameters, lr=0.1)
    return gn.fit(model, loss or gn.LossCrossEntropy(), data(), sgd, **options)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", [InAnObject, InBuild, on_the_class])
@pytest.mark.filterwarnings("ignore::UserWarning")  # the list warns too
def test_parameters_that_nobody_lists_are_named(kind, compiled):
    model = kind()
    before = weights(model)
    words = r"parameters? \('.*(weight|bias).*would never be learned.*__init__.*requires_grad=False"
    with pytest.raises(gn.GraphError, match=words):
        fit(model, compile=compiled)
    assert all(torch.equal(value, before[name]) for name, value in weights(model).items())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_ways_out_work():
    model = on_the_class()
    fit(model, parameters=[*model.parameters(), model.bias])
    model.bias.requires_grad = False
    fit(model)


def test_a_parameter_of_a_function_is_given_to_the_optimizer():
    model, factor = network(), gn.Parameter(torch.ones(()), name="factor")

    def loss(y, t):
        return gn.ops.cross_entropy(y * factor, t)

    with pytest.raises(gn.GraphError, match=r"1 parameter \('factor'\) would never be learned"):
        fit(model, loss)
    fit(model, loss, [*model.parameters(), factor])
    assert float(factor.top) != 1.0


class Scaled(gn.Module):
    def __init__(self):
        self.scale = gn.Parameter(torch.ones(()))

    def build(self, y, t):
        return gn.ops.cross_entropy(y * self.scale, t)


@pytest.mark.parametrize("loss", [Scaled(), [Scaled()], [(0.5, Scaled())]])
def test_to_leave_out_what_is_listed_is_a_choice(loss):
    model = network()
    fit(model, loss, model[2].parameters())  # neither the first layer nor the loss
    assert torch.equal(model[0].weight.top, network()[0].weight.top)


def test_a_model_that_is_frozen_whole_is_refused():
    model = network()
    for parameter in model.parameters():
        parameter.requires_grad = False
    with pytest.raises(gn.GraphError, match=r"Nothing can be learned: 4 parameters \('0.weight'"):
        fit(model)
    model[2].bias.requires_grad = True
    before = weights(model)
    fit(model)
    changed = [name for name, value in weights(model).items() if not value.equal(before[name])]
    assert changed == ["2.bias"]
