"""What is used and would not be trained is warned about; hidden modules are refused."""

from __future__ import annotations

import warnings
from collections import deque
from types import SimpleNamespace

import pytest
import torch

import graphnet as gn


class InBuild(gn.Module):
    """A layer made in build."""

    def build(self, x):
        return gn.Linear(3, 3)(x)


class ParameterInBuild(gn.Module):
    """A parameter made in build."""

    def build(self, x):
        return x * gn.Parameter(torch.ones(3))


class OnTheClass(gn.Module):
    """A layer of the class."""

    layer = gn.Linear(3, 3, bias=False)

    def build(self, x):
        return self.layer(x)


class ParameterOnTheClass(gn.Module):
    """A parameter of the class, in a tuple."""

    weights = (gn.Parameter(torch.ones(3)),)

    def build(self, x):
        return x * self.weights[0]


class InAnObject(gn.Module):
    """A layer in an object that is no module."""

    def __init__(self):
        self.parts = SimpleNamespace(layers=[gn.Linear(3, 3, bias=False)])

    def build(self, x):
        return self.parts.layers[0](x)


class Around(gn.Module):
    """A module whose part makes a layer in its build."""

    def __init__(self):
        self.part = InBuild()

    def build(self, x):
        return self.part(x)


MADE = "made in build, or held outside the module"
STRAYS = [
    (InBuild, ["linear.weight", "linear.bias"], MADE),
    (ParameterInBuild, ["parameter"], MADE),
    (OnTheClass, ["linear.weight"], "held by the class, OnTheClass.layer"),
    (ParameterOnTheClass, ["parameter"], "held by the class, ParameterOnTheClass.weights"),
    (
        InAnObject,
        ["linear.weight"],
        "InAnObject.parts, which is not a module but a SimpleNamespace",
    ),
    (Around, ["part.linear.weight", "part.linear.bias"], MADE),
]


def on_nodes(module):
    module(gn.Graph().input((2, 3), name="x"))


def on_tensors(module):
    module.forward(torch.ones(2, 3))


@pytest.mark.parametrize("use", [on_nodes, on_tensors])
@pytest.mark.parametrize(("make", "names", "words"), STRAYS)
def test_what_is_used_and_not_listed_is_warned_about(make, names, words, use):
    with pytest.warns(UserWarning, match="does not list") as caught:
        use(make())
    (warning,) = caught
    text = str(warning.message)
    assert warning.filename == __file__
    lines = text.splitlines()[1:-1]
    assert [line.split(",")[0].strip() for line in lines] == names
    assert all(words in line and __file__ in line for line in lines)
    assert f"{make.__name__}.parameters()" in text
    assert "in __init__" in text


def test_of_many_the_first_are_named():
    class Many(gn.Module):
        def build(self, x):
            for _ in range(300):
                x = gn.Linear(3, 3)(x)
            return x

    with pytest.warns(UserWarning, match="and 596 more"):
        on_tensors(Many())


def test_the_parameters_of_a_loss_are_those_of_the_loss():
    class Loss(gn.Module):
        def build(self, y, t):
            return gn.LossMSE()(gn.Linear(3, 3, bias=False)(y), t)

    graph = gn.Graph()
    x = graph.input((2, 3), name="x")
    with pytest.warns(UserWarning, match="Loss uses parameters"):
        Loss()(gn.Linear(3, 3)(x), x)


class Given(gn.Module):
    """Uses what it is called with."""

    def build(self, x, weight):
        return x * weight


class Lazy(gn.Module):
    """Makes a layer in build, and keeps it."""

    layer = None

    def build(self, x):
        self.layer = self.layer or gn.Linear(3, 3)
        return self.layer(x)


def shared(x):
    weight = x.graph.parameter(torch.ones(3))  # it was in the list before

    class Net(gn.Module):
        def build(self, x):
            return x * weight

    return Net()(x)


def frozen(x):
    class Net(gn.Module):
        def build(self, x):
            y = x * gn.Parameter(torch.ones(3), requires_grad=False)
            fixed = gn.Linear(3, 3).requires_grad_(False)
            return fixed(gn.Tanh()(y))

    return Net()(x)


@pytest.mark.parametrize(
    "build",
    [
        lambda x: Given()(x, gn.Parameter(torch.ones(3))),
        Lazy(),
        shared,
        frozen,
        gn.Sequential(gn.Linear(3, 3), gn.BatchNorm1d(3)),
    ],
    ids=["given", "kept", "in the list before", "not learned", "listed"],
)
def test_what_is_no_stray_is_not_warned_about(build):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(gn.Graph().input((2, 3), name="x"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda module: {module},
        lambda module: frozenset([module]),
        lambda module: deque([module]),
        lambda module: {"first": {module}},
        lambda module: [deque([module.weight])],
    ],
    ids=["set", "frozenset", "deque", "dict of sets", "list of deques"],
)
def test_modules_in_sets_and_deques_are_refused(wrap):
    class Hiding(gn.Module):
        def __init__(self):
            self.layers = wrap(gn.Linear(2, 2))

        def build(self, x):
            return x

    for use in (Hiding.parameters, Hiding.state_dict, lambda module: module.forward(torch.ones(2))):
        with pytest.raises(gn.GraphError, match=r"Hiding\.layers.*Use graphnet's ModuleList"):
            use(Hiding())


def test_a_set_that_changes_is_noticed():
    class Net(gn.Module):
        def __init__(self):
            self.skipped = {0}

        def build(self, x):
            return -x if 1 in self.skipped else x

    model = Net()
    assert model.forward(torch.ones(1)).tolist() == [1]
    model.skipped.add(1)
    assert model.forward(torch.ones(1)).tolist() == [-1]
