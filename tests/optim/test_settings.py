"""Settings out of range, wrong parameters, and optimizers of one's own."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from optim.torch_pairs import TorchPair, assert_words

import graphnet as gn
from graphnet.optim import Optimizer

# bad settings, and optimizers of one's own

BAD_SETTINGS = [
    ("SGD", {"lr": -0.1}, ["lr", "-0.1"]),
    ("SGD", {"lr": math.nan}, ["lr", "nan"]),
    ("SGD", {"lr": math.inf}, ["lr", "inf"]),
    ("SGD", {"lr": "fast"}, ["lr", "fast"]),
    ("SGD", {"lr": None}, ["lr", "None"]),
    ("SGD", {"momentum": -0.5}, ["momentum", "-0.5"]),
    ("SGD", {"momentum": math.nan}, ["momentum", "nan"]),
    ("SGD", {"momentum": 0.9, "dampening": math.nan}, ["dampening", "nan"]),
    ("SGD", {"weight_decay": -1}, ["weight_decay", "-1"]),
    ("SGD", {"nesterov": True}, ["nesterov", "momentum"]),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ["nesterov", "dampening"]),
    ("Adam", {"lr": -1}, ["lr", "-1"]),
    ("Adam", {"betas": (1.0, 0.9)}, ["betas[0]", "1.0"]),
    ("Adam", {"betas": (0.9, 1.0)}, ["betas[1]", "1.0"]),
    ("Adam", {"betas": (-0.1, 0.9)}, ["betas[0]", "-0.1"]),
    ("Adam", {"betas": (0.9,)}, ["betas"]),
    ("Adam", {"betas": 0.9}, ["betas", "0.9"]),
    ("Adam", {"eps": -1e-8}, ["eps", "-1e-08"]),
    ("Adam", {"weight_decay": -0.5}, ["weight_decay", "-0.5"]),
    ("SGD", {"maximize": None}, ["maximize", "None"]),
    ("Adam", {"amsgrad": 2}, ["amsgrad", "2"]),
    ("AdamW", {"weight_decay": -1.0}, ["weight_decay", "-1.0"]),
    ("Adamax", {"lr": -1.0}, ["lr", "-1.0"]),
    ("Adamax", {"eps": -1.0}, ["eps", "-1.0"]),
    ("Adamax", {"betas": (0.9, 1.0)}, ["betas[1]", "1.0"]),
    ("Adamax", {"weight_decay": -1.0}, ["weight_decay", "-1.0"]),
    ("NAdam", {"momentum_decay": -1.0}, ["momentum_decay", "-1.0"]),
    ("NAdam", {"betas": (1.0, 0.9)}, ["betas[0]", "1.0"]),
    ("RAdam", {"betas": (-1.0, 0.9)}, ["betas[0]", "-1.0"]),
    ("RAdam", {"decoupled_weight_decay": "yes"}, ["decoupled_weight_decay", "yes"]),
    ("RMSprop", {"alpha": -0.1}, ["alpha", "-0.1"]),
    ("RMSprop", {"eps": -0.1}, ["eps", "-0.1"]),
    ("RMSprop", {"momentum": -0.1}, ["momentum", "-0.1"]),
    ("RMSprop", {"weight_decay": -0.1}, ["weight_decay", "-0.1"]),
    ("RMSprop", {"centered": 1}, ["centered", "1"]),
    ("Adagrad", {"lr_decay": -0.1}, ["lr_decay", "-0.1"]),
    ("Adagrad", {"initial_accumulator_value": -0.1}, ["initial_accumulator_value", "-0.1"]),
    ("Adagrad", {"eps": -0.1}, ["eps", "-0.1"]),
    ("Adadelta", {"rho": -0.1}, ["rho", "-0.1"]),
    ("Adadelta", {"rho": 1.1}, ["rho", "1.1", "from 0 to 1"]),
    ("Adadelta", {"weight_decay": math.inf}, ["weight_decay", "inf"]),
]


@pytest.mark.parametrize(("kind", "options", "words"), BAD_SETTINGS, ids=str)
def test_bad_setting(kind, options, words):
    parameter = gn.Parameter(torch.ones(2))
    with pytest.raises(gn.GraphError) as error:
        getattr(gn, kind)([parameter], **options)
    assert_words(words, error)
    gn.SGD([parameter], lr=0.5).step()  # the parameter is as usable as before


PARAMETER = gn.Parameter(torch.ones(2))


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([], "at least one parameter"),
        (iter(()), "at least one parameter"),
        (PARAMETER, "a list of parameters"),
        (None, "a list of parameters"),
        (gn.Linear(1, 1), "model.parameters()"),
        (gn.Sequential(gn.Linear(1, 1)), "model.parameters()"),
        ([torch.ones(2)], "got Tensor"),
        ([PARAMETER, PARAMETER], "twice"),
    ],
)
def test_bad_parameters(kind, params, words):
    with pytest.raises(gn.GraphError) as error:
        getattr(gn, kind)(params)
    assert_words([words], error)


class RMSprop(Optimizer):
    """What a user writes: the names that are remembered, and one step."""

    slots = ("square_avg",)

    def update(self, group, step, value, grad, square_avg):
        square_avg.mul_(0.99).addcmul_(grad, grad, value=0.01)
        value.addcdiv_(grad, square_avg.sqrt().add_(1e-8), value=-group["lr"])


def test_optimizer_of_a_user():
    both = TorchPair()
    ours = RMSprop(both.ours, lr=0.01)
    theirs = torch.optim.RMSprop(both.theirs, lr=0.01, alpha=0.99, eps=1e-8)
    for frozen in [(), (), (2,), (), (0, 1), ()]:
        both.step(ours, theirs, frozen)
        both.check()
    ours.zero_grad()
    assert all(parameter.grad is None for parameter in both.ours)


def test_optimizer_without_update_says_so():
    class Empty(Optimizer):
        pass

    parameter = gn.Parameter(torch.ones(1))
    parameter.grad = torch.ones(1)
    with pytest.raises(gn.GraphError, match="Empty has no update"):
        Empty([parameter], lr=0.1).step()


def test_an_update_that_raises_is_not_counted():
    class Fragile(Optimizer):
        slots = ("seen",)

        def update(self, group, step, value, grad, seen):
            seen.add_(1)
            steps.append(step)
            if group["lr"] == 0:
                raise KeyboardInterrupt
            value.add_(grad, alpha=-group["lr"])

    steps = []
    first, second = gn.Parameter(torch.ones(2)), gn.Parameter(torch.ones(3))
    first.grad, second.grad = torch.ones(2), torch.ones(3)
    optimizer = Fragile([{"params": [first]}, {"params": [second]}], lr=1.0)
    optimizer.step()
    first.grad, second.grad = torch.ones(2), torch.ones(3)
    optimizer.param_groups[1]["lr"] = 0.0
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    optimizer.lr = 1.0
    optimizer.step()  # the gradient of the first was used; that of the second was not
    assert steps == [1, 1, 2, 2, 2]
    assert first.top.tolist() == [-1, -1]
    assert second.top.tolist() == [-1, -1, -1]
    assert [entry["step"] for entry in optimizer.state_dict()["state"].values()] == [2, 2]


def test_a_graph_sees_the_values_of_an_update_that_raised():
    class Broken(Optimizer):
        def update(self, group, step, value, grad):
            value.add_(1)
            raise RuntimeError("told")

    model = gn.Linear(2, 2)
    model.forward(torch.ones(1, 2))
    model.weight.grad = torch.ones(2, 2)
    with pytest.raises(RuntimeError, match="told"):
        Broken(model.parameters(), lr=0.1).step()
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        model.backward(torch.ones(1, 2))


def test_settings_of_ones_own_are_checked_and_stand_in_the_groups():
    class Scaled(Optimizer):
        scale = gn.optim.Setting(lambda name, value: gn.optim.require_range(name, value, below=2))

        def __init__(self, params, lr=0.1, scale=1.0):
            super().__init__(params, lr, scale=scale)

        def update(self, group, step, value, grad):
            value.add_(grad, alpha=-group["lr"] * group["scale"])

    parameter = gn.Parameter(torch.ones(1))
    parameter.grad = torch.ones(1)
    optimizer = Scaled([{"params": parameter, "scale": 1.5}], lr=0.5)
    optimizer.step()
    assert parameter.top.tolist() == [0.25]
    assert optimizer.scale == 1.5
    with pytest.raises(gn.RangeError, match=r"scale .* below 2; got 2"):
        optimizer.scale = 2
    assert optimizer.scale == 1.5


def test_a_constructor_refuses_what_does_not_fit_it():
    parameters = [gn.Parameter(torch.ones(1))]
    for call, message in (
        (gn.Adam, r"Adam\(\) missing a required argument: 'params'"),
        (lambda: gn.SGD(parameters, 0.1, 0, 0, 0, False, True), r"SGD\(\) too many positional"),
        (lambda: gn.SGD(parameters, 0.1, lr=0.1), r"SGD\(\) multiple values for argument 'lr'"),
        (lambda: gn.AdamW(parameters, decoupled_weight_decay=False), r"AdamW\(\) got an unexp"),
    ):
        with pytest.raises(TypeError, match=message):
            call()


def test_an_optimizer_of_ones_own_may_derive_from_one_of_torch():
    class Quick(gn.Adam):
        def __init__(self, params, speed=2.0):
            super().__init__(params, lr=speed, amsgrad=True)

    optimizer = Quick([gn.Parameter(torch.ones(1))])
    assert (optimizer.lr, optimizer.betas, optimizer.amsgrad) == (2.0, (0.9, 0.999), True)
    assert [*inspect.signature(Quick).parameters] == ["params", "speed"]


def test_an_optimizer_shows_the_settings_that_hold_now():
    sgd = gn.SGD([gn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    sgd.lr = 0.5
    assert repr(sgd).startswith("<SGD of 1 parameter: lr=0.5, momentum=0.9")
