"""Fifty compiled steps with every optimizer and option equal fifty walked steps."""

from __future__ import annotations

import pytest
import torch
from compile.worlds import (
    DOUBLE,
    World,
    assert_same,
    assert_same_training,
    dense_feeds,
    dense_world,
    randn,
)

import graphnet as gn
from graphnet import schedules

OPTIONS = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "dampening": 0.4, "weight_decay": 0.01},
        {"weight_decay": 0.1, "maximize": True},
        {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.0, "momentum": 0.9},
        {"lr": 1},
        {"momentum": 1},
    ],
    "Adam": [
        {"lr": 0.01},
        {"lr": 0.01, "amsgrad": True},
        {"lr": 0.01, "weight_decay": 0.1, "betas": (0.5, 0.9)},
        {"lr": 0.01, "weight_decay": 0.1, "maximize": True, "eps": 1e-3},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True},
        {"lr": 0.01, "betas": (0.0, 0.0)},
        {"lr": 0.01, "betas": (0.0, 0.9), "weight_decay": 1},
    ],
    "AdamW": [{"lr": 0.01}, {"lr": 0.01, "amsgrad": True, "maximize": True}],
    "Adamax": [{"lr": 0.01}, {"lr": 0.01, "weight_decay": 0.1, "maximize": True}],
    "NAdam": [
        {"lr": 0.01},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.01, "momentum_decay": 0.1, "weight_decay": 0.1, "maximize": True},
    ],
    "RAdam": [
        {"lr": 0.01},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.01, "betas": (0.5, 0.6), "weight_decay": 0.1, "maximize": True},
    ],
    "RMSprop": [
        {"lr": 0.01},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "centered": True},
        {"lr": 0.01, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [
        {"lr": 0.1},
        {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True, "eps": 1e-3},
    ],
    "Adadelta": [{"lr": 0.5}, {"lr": 1.0, "rho": 0.5, "weight_decay": 0.1, "maximize": True}],
}
EVERY = [(kind, settings) for kind, rows in OPTIONS.items() for settings in rows]
every = pytest.mark.parametrize(("kind", "settings"), EVERY, ids=map(str, EVERY))
MEMORY = [(kind, rows[-1]) for kind, rows in OPTIONS.items() if kind != "SGD"] + [
    ("SGD", {"momentum": 0.9, "dampening": 0.4})
]
kinds = pytest.mark.parametrize(("kind", "settings"), MEMORY, ids=[kind for kind, _ in MEMORY])


def test_every_optimizer_is_here():
    known = {
        name
        for name in gn.optim.__all__
        if isinstance(getattr(gn.optim, name), type)
        and issubclass(getattr(gn.optim, name), gn.Optimizer)
    }
    assert known - {"Optimizer"} == OPTIONS.keys()


@every
def test_optimizer(kind, settings):
    assert_same_training(lambda: dense_world(kind, **settings), dense_feeds())


@every
def test_optimizer_in_float32_with_tuning(kind, settings):
    # 1e-7 of rounding in gradients of about 0.1. Adam and its kin divide a gradient by its own
    # size, so that the smallest ones carry their relative error into steps of the size lr.
    assert_same_training(
        lambda: dense_world(kind, torch.float32, **settings),
        dense_feeds(dtype=torch.float32),
        steps=10,
        options={"tune": True},
        rtol=1e-3,
        atol=1e-4,
    )


def grouped_world(kind, settings, frozen=(), extra=True):
    """Two groups of other rates, a parameter that the loss does not use, one not optimized."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.Tanh(), gn.Linear(4, 4), gn.Tanh(), gn.Linear(4, 2))
    model.double()
    free = gn.Parameter(randn(3, seed=1), name="free")
    scale = gn.Parameter(randn(2, seed=2), name="scale")
    with gn.Graph() as graph:
        x, t = (gn.Input((None, n), name=name, dtype=DOUBLE) for name, n in (("x", 3), ("t", 2)))
        loss = gn.LossMSE()(model(x) * scale, t)
    first, second, third = model[0], model[2], model[4]
    groups = [
        {"params": [*third.parameters(), *first.parameters()], "lr": 0.02},
        {"params": [second.bias, free], "weight_decay": 0.05},
        {"params": [second.weight]},
    ]
    optimizer = getattr(gn, kind)(groups, **settings)
    for place in frozen:
        model.parameters()[place].requires_grad = False
    return World(graph, loss, optimizer)


@kinds
def test_groups_and_odd_parameters(kind, settings):
    ours = assert_same_training(lambda: grouped_world(kind, settings), dense_feeds())
    assert len(ours.step.source) > 0


@kinds
@pytest.mark.parametrize("frozen", [(0,), (1, 2), (5,), (0, 1, 2, 3, 4)], ids=str)
def test_frozen_parameters(kind, settings, frozen):
    assert_same_training(lambda: grouped_world(kind, settings, frozen), dense_feeds())


def test_all_frozen():
    """There is nothing to update; the loss is still returned."""
    ours = dense_world()
    for parameter in ours.optimizer.parameters:
        parameter.requires_grad = False
    step, before = ours.compiled(), ours.state()
    feed = dense_feeds()[0]
    assert_same(step(feed), ours.graph.forward(feed))
    assert_same(ours.state(), before, exact=True)


class Narrow(gn.Op):
    """A user's own op: the same numbers in float32."""

    symbol = "32"

    def forward(self, x):
        return x.float()

    def grad_x(self, grad):
        return Widen()(grad)


class Widen(gn.Op):
    """The same numbers in float64."""

    symbol = "64"

    def forward(self, x):
        return x.double()

    def grad_x(self, grad):
        return Narrow()(grad)


@kinds
def test_several_number_types(kind, settings):
    """A graph with two homes: one part in float64, one in float32."""

    def make():
        w, v = gn.Parameter(randn(3, 4), name="w"), gn.Parameter(randn(4, 2).float(), name="v")
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            hidden = (x @ w).tanh()
            loss = ((Narrow()(hidden) @ v) ** 2).mean()
        return World(graph, loss, getattr(gn, kind)([w, v], **settings))

    feeds = [{"x": randn(5, 3, seed=n)} for n in range(3)]
    # the second part has 1e-7 of rounding; see the float32 test above
    assert_same_training(make, feeds, steps=10, rtol=1e-3, atol=1e-4)


@kinds
def test_shared_weights(kind, settings):
    def make():
        w, b = gn.Parameter(randn(3, 3) * 0.3, name="w"), gn.Parameter(randn(3), name="b")
        with gn.Graph() as graph:
            h = gn.Input((None, 3), name="x", dtype=DOUBLE)
            for _ in range(3):
                h = (h @ w.mT + b).tanh() * w.sum()
            loss = (h * h).mean()
        return World(graph, loss, getattr(gn, kind)([b, w], **settings))

    assert_same_training(make, [{"x": randn(4, 3, seed=n)} for n in range(3)])


def test_parameters_of_another_graph_and_another_optimizer():
    """Two steps on parts of the same parameters, with two optimizers that share one."""

    def make():
        w, v = gn.Parameter(randn(3, 3), name="w"), gn.Parameter(randn(3, 3, seed=4), name="v")
        worlds = []
        for first, second in ((w, v), (v, w)):
            with gn.Graph() as graph:
                x = gn.Input((None, 3), name="x", dtype=DOUBLE)
                loss = ((x @ first).tanh() @ second).tanh().mean()
            worlds.append(World(graph, loss, gn.Adam([first, second], lr=0.01)))
        return worlds

    ours, theirs = make(), make()
    steps = [each.compiled() for each in ours]
    for number in range(20):
        feed = {"x": randn(4, 3, seed=number)}
        assert_same(steps[number % 2](feed), theirs[number % 2].walk(feed))
    for mine, other in zip(ours, theirs, strict=True):
        assert_same(mine.state(), other.state())


@kinds
def test_schedule(kind, settings):
    """A learning rate, and for SGD a momentum, that change at each step."""
    ours, theirs = dense_world(kind, **settings), dense_world(kind, **settings)
    step = ours.compiled()
    rate, momentum = schedules.one_cycle(0.1, 30), schedules.one_cycle_momentum(30)
    programs = set()
    for number, feed in enumerate(dense_feeds(count=30)):
        for each in (ours, theirs):
            each.optimizer.lr = rate(number)
            if kind == "SGD":
                each.optimizer.momentum = momentum(number)
        assert_same(step(feed), theirs.walk(feed))
        programs.add(step.source)
    assert_same(ours.state(), theirs.state())
    assert len(programs) <= 3  # a setting is a constant until it is seen to change


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


@pytest.mark.parametrize(("kind", "name", "values"), SETTINGS, ids=[f"{k}-{n}" for k, n, _ in SETTINGS])
def test_edited_settings(kind, name, values):
    """Settings edited between steps, of one group or of all."""
    settings = {"lr": 0.05, **({"momentum": 0.9} if name == "nesterov" else {})}
    ours, theirs = dense_world(kind, **settings), dense_world(kind, **settings)
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds(count=3 * len(values))):
        for each in (ours, theirs):
            setattr(each.optimizer, name, values[number % len(values)])
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())


def test_rate_in_a_tensor():
    """A learning rate that is a tensor is followed when its value changes in place."""
    rates = [torch.tensor(0.1, dtype=DOUBLE) for _ in range(2)]
    ours, theirs = (dense_world(lr=rate) for rate in rates)
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds()):
        for rate in rates:
            rate.fill_(0.1 + 0.1 * number)
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_added_group(kind):
    """A group that is added after some steps takes part in the next."""

    def make():
        world = grouped_world(kind, {"lr": 0.05})
        return world, next(p for p in world.graph.parameters() if p.label == "scale")

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
    """One whose numbers are whole: the step itself, and a flag that changes."""

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
        value.sub_(group["lr"] * fading**0.5 * grad / (sizes.sqrt() + fading / 3.0 ** 2))
        value.add_(grad, alpha=-group["lr"] / (1 + fading) - 0.01 * fading)


class Plain(gn.Optimizer):
    """A user's own optimizer without anything but an update, which reads the step."""

    def update(self, group, step, value, grad):
        value.add_(grad, alpha=-group["lr"] / step**0.5)


class WithOperators(gn.Optimizer):
    """One that is written with operators, and `copy_`."""

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
        world = dense_world()
        world.optimizer = kind(world.optimizer.parameters, lr=0.01)
        return world

    assert_same_training(make, dense_feeds())
