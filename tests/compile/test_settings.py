"""VaryingSettings that are edited between steps, and optimizers of users."""

from __future__ import annotations

import pytest
import torch
from compile.test_optimizers import grouped_world
from compile.training import DOUBLE, assert_same, assert_same_training, dense_feeds, dense_training

import graphnet as gn

SETTINGS = [
    ("SGD", "weight_decay", [0.0, 0.1, 0.2, 0.0, 0.3]),
    ("SGD", "momentum", [0.0, 0.9, 0.5, 0.0, 0.9]),
    ("SGD", "nesterov", [False, True, False, True]),
    ("SGD", "maximize", [False, True]),
    ("SGD", "lr", [0.1, 0.0, 1, 0.5]),
    ("SGD", "dampening", [0.0, 0.5]),
    ("Adam", "betas", [(0.9, 0.99), (0.5, 0.9), (0.0, 0.9)]),
    ("Adam", "amsgrad", [False, True, False]),
    ("Adam", "eps", [1e-8, 1e-3]),
    ("RMSprop", "centered", [False, True]),
    ("RMSprop", "momentum", [0.0, 0.9]),
    ("RMSprop", "alpha", [0.9, 0.5]),
    ("Adagrad", "lr_decay", [0.0, 0.1]),
    ("Adadelta", "rho", [0.9, 0.5]),
    ("NAdam", "momentum_decay", [0.004, 0.1]),
    ("RAdam", "weight_decay", [0.0, 0.1]),
]


@pytest.mark.parametrize(
    ("kind", "name", "values"), SETTINGS, ids=[f"{k}-{n}" for k, n, _ in SETTINGS]
)
def test_edited_settings(kind, name, values):
    """VaryingSettings edited between steps, for one group or for all."""
    settings = {"lr": 0.05, **({"momentum": 0.9} if name == "nesterov" else {})}
    ours, theirs = dense_training(kind, **settings), dense_training(kind, **settings)
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds(count=3 * len(values))):
        for each in (ours, theirs):
            setattr(each.optimizer, name, values[number % len(values)])
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())


def test_rate_in_a_tensor():
    """A learning rate that is a tensor is followed when its value changes in place."""
    rates = [torch.tensor(0.1, dtype=DOUBLE) for _ in range(2)]
    ours, theirs = (dense_training(lr=rate) for rate in rates)
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds()):
        for rate in rates:
            rate.fill_(0.1 + 0.1 * number)
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_added_group(kind):
    """A group added after some steps takes part in the next one."""

    def make():
        training = grouped_world(kind, {"lr": 0.05})
        return training, next(p for p in training.graph.parameters() if p.label == "scale")

    (ours, mine), (theirs, other) = make(), make()
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds(count=6)):
        if number == 3:
            ours.optimizer.add_param_group({"params": [mine], "lr": 0.3})
            theirs.optimizer.add_param_group({"params": [other], "lr": 0.3})
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())


class SignDescent(gn.Optimizer):
    """A user's own optimizer, with a slot and a number of its own."""

    slots = ("last",)

    def numbers(self, group, step, **scalars):
        return {"lr": float(group["lr"]), "fading": 1 / step}

    def update(self, group, step, value, grad, **state):
        last = state["last"]
        last.mul_(0.5).add_(grad.abs(), alpha=group["fading"])
        value.sub_(last.sqrt() * grad.sign() * group["lr"])


class Counting(gn.Optimizer):
    """One whose numbers are integers: the step itself, and a flag that changes."""

    def numbers(self, group, step, **scalars):
        return {"lr": float(group["lr"]), "count": step, "even": step % 2 == 0}

    def update(self, group, step, value, grad):
        value.sub_(grad * group["lr"], alpha=2 if group["even"] else 1)
        value.mul_(1 - 1e-3 / group["count"])


class Squares(gn.Optimizer):
    """One that computes with its numbers in the update."""

    slots = ("sizes",)

    def numbers(self, group, step, **scalars):
        return {"lr": float(group["lr"]), "fading": 0.5 + 0.5 / step}

    def update(self, group, step, value, grad, **state):
        fading, sizes = group["fading"], state["sizes"]
        sizes.mul_(fading**2).add_(grad.square() * (1 - fading * fading))
        value.sub_(group["lr"] * fading**0.5 * grad / (sizes.sqrt() + fading / 3.0**2))
        value.add_(grad, alpha=-group["lr"] / (1 + fading) - 0.01 * fading)


class Plain(gn.Optimizer):
    """A user's own optimizer with nothing but an update, which reads the step."""

    def update(self, group, step, value, grad):
        value.add_(grad, alpha=-group["lr"] / step**0.5)


class WithOperators(gn.Optimizer):
    """One written with operators, and `copy_`."""

    slots = ("size",)

    def first_value(self, group, name):
        return 0.1

    def update(self, group, step, value, grad, **state):
        size = state["size"]
        size += grad * grad
        size /= 1.5
        value -= group["lr"] * grad / (size**0.5 + 1e-3)
        size.copy_(size.clamp(0.01, 10.0))


@pytest.mark.parametrize("kind", [SignDescent, Plain, WithOperators, Counting, Squares])
def test_own_optimizer(kind):
    def make():
        training = dense_training()
        training.optimizer = kind(training.optimizer.parameters, lr=0.01)
        return training

    assert_same_training(make, dense_feeds())
