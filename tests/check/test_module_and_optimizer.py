"""`check_module` and `check_optimizer`: what is right passes, and each fault is found."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn


def modules():
    torch.manual_seed(0)
    return {
        "linear": (gn.Linear(4, 2), [(3, 4)]),
        "net": (gn.Sequential(gn.Linear(4, 3), gn.Tanh(), gn.Linear(3, 2)), [(3, 4)]),
        "relu": (gn.ReLU(), [(3, 4)]),
        "loss": (gn.LossMSE(), [(3, 4), (3, 4)]),
    }


@pytest.mark.parametrize("name", ["linear", "net", "relu", "loss"])
def test_right_modules_pass_and_stay_as_they_are(name):
    module, shapes = modules()[name]
    before = module.state_dict()
    report = gn.check_module(module, *shapes)
    assert report, str(report)
    after = module.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    assert all(each.dtype == torch.float32 for each in after.values())


class Unused(gn.Module):
    def __init__(self):
        self.w = gn.Parameter(torch.ones(3))

    def build(self, x):
        return x * 2


class Hidden(gn.Module):
    def __init__(self):
        self.made = lambda: gn.Parameter(torch.ones(4, dtype=torch.float64))

    def build(self, x):
        return x * self.made()


class Fading(gn.Module):
    """Its scale is no parameter and no buffer: it is lost with the state."""

    def __init__(self):
        self.w = gn.Parameter(torch.ones(4))

    def build(self, x):
        return x * self.w

    def state_dict(self):
        return {"w": torch.zeros(4, dtype=torch.float64)}


class Wrong(gn.Op):
    symbol = "wrong"

    def forward(self, x):
        return x * 2

    def grad_x(self, grad):
        return -2 * grad


class Derived(gn.Module):
    def build(self, x):
        return Wrong()(x)


@pytest.mark.parametrize(
    ("module", "check", "words"),
    [
        (Unused, "parameters", "build does not use it"),
        (Hidden, "parameters", "does not list it"),
        (Fading, "state", "something is not in state_dict"),
        (Derived, "derivatives", "The sign is wrong"),
    ],
)
def test_a_fault_of_a_module_is_found(module, check, words):
    report = gn.check_module(module(), (3, 4))
    finding = next((each for each in report.faults if each.name == check), None)
    assert finding, str(report)
    assert words in finding.fault


def test_what_is_no_module_is_refused():
    with pytest.raises(gn.GraphError, match="takes a module"):
        gn.check_module(torch.ones(3), (3, 4))
    with pytest.raises(gn.GraphError, match="needs the shape"):
        gn.check_module(gn.ReLU())


# optimizers


@pytest.mark.parametrize(
    "make",
    [
        gn.Adam,
        lambda p: gn.SGD(p, lr=0.1),
        lambda p: gn.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: gn.Adam(p, lr=0.1, weight_decay=0.01),
    ],
)
def test_right_optimizers_pass(make):
    report = gn.check_optimizer(make)
    assert report, str(report)


def optimizer(update):
    return lambda p: type("Mine", (gn.Optimizer,), {"update": update})(p, lr=0.1)


def uphill(self, group, step, value, grad):
    value.add_(grad, alpha=group["lr"])


def not_in_place(self, group, step, value, grad):
    value = value - grad * group["lr"]


def by_norm(self, group, step, value, grad):
    value.sub_(grad / grad.norm())


def by_mean(self, group, step, value, grad):
    value.sub_(grad * 0.1 + grad.abs().mean() * grad.sign())


def writes_to_grad(self, group, step, value, grad):
    value.sub_(grad.mul_(0.1))


def random(self, group, step, value, grad):
    value.sub_(grad * torch.rand(()))


def some(self, group, step, value, grad):
    value[1:].sub_(grad[1:])


@pytest.mark.parametrize(
    ("update", "check", "words"),
    [
        (uphill, "direction", "a minus is missing"),
        (not_in_place, "direction", "does not move the parameters"),
        (some, "direction", "element 0 does not move"),
        (writes_to_grad, "untouched", "must only be read"),
        (random, "repeatable", "in a second run"),
        (by_norm, "frozen", "next to a frozen parameter"),
        (by_mean, "frozen", "next to a frozen parameter"),
    ],
)
def test_a_fault_of_an_optimizer_is_found(update, check, words):
    report = gn.check_optimizer(optimizer(update))
    finding = next((each for each in report.faults if each.name == check), None)
    assert finding, str(report)
    assert words in finding.fault


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(gn.GraphError, match="a function of the parameters"):
        gn.check_optimizer(3)
    with pytest.raises(gn.GraphError, match="no check"):
        gn.check_optimizer(gn.Adam, skip=["nothing"])
