"""Fifty compiled steps with every optimizer and option equal fifty walked steps."""

from __future__ import annotations

import pytest
import torch
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    assert_same_training,
    dense_feeds,
    dense_training,
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
    assert_same_training(lambda: dense_training(kind, **settings), dense_feeds())


@every
def test_optimizer_in_float32_with_tuning(kind, settings):
    # 1e-7 of rounding in gradients of about 0.1. Adam and its kin divide a gradient by its own
    # size, so that the smallest ones carry their relative error into steps of the size lr.
    assert_same_training(
        lambda: dense_training(kind, torch.float32, **settings),
        dense_feeds(dtype=torch.float32),
        steps=10,
        options={"tune": True},
        rtol=1e-3,
        atol=1e-4,
    )


def grouped_world(kind, settings, frozen=(), extra=True):
    """Two groups with different rates, one unused parameter, one that is not optimized."""
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
    return Training(graph, loss, optimizer)


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
    ours = dense_training()
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
def test_several_dtypes(kind, settings):
    """A graph with two arenas: one part in float64, one in float32."""

    def make():
        w, v = gn.Parameter(randn(3, 4), name="w"), gn.Parameter(randn(4, 2).float(), name="v")
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            hidden = (x @ w).tanh()
            loss = ((Narrow()(hidden) @ v) ** 2).mean()
        return Training(graph, loss, getattr(gn, kind)([w, v], **settings))

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
        return Training(graph, loss, getattr(gn, kind)([b, w], **settings))

    assert_same_training(make, [{"x": randn(4, 3, seed=n)} for n in range(3)])


def test_parameters_of_another_graph_and_another_optimizer():
    """Two steps on parts of the same parameters, with two optimizers that share one."""

    def make():
        w, v = gn.Parameter(randn(3, 3), name="w"), gn.Parameter(randn(3, 3, seed=4), name="v")
        trainings = []
        for first, second in ((w, v), (v, w)):
            with gn.Graph() as graph:
                x = gn.Input((None, 3), name="x", dtype=DOUBLE)
                loss = ((x @ first).tanh() @ second).tanh().mean()
            trainings.append(Training(graph, loss, gn.Adam([first, second], lr=0.01)))
        return trainings

    ours, theirs = make(), make()
    steps = [each.compiled() for each in ours]
    for number in range(20):
        feed = {"x": randn(4, 3, seed=number)}
        assert_same(steps[number % 2](feed), theirs[number % 2].walk(feed))
    for mine, other in zip(ours, theirs, strict=True):
        assert_same(mine.state(), other.state())


@kinds
def test_schedule(kind, settings):
    """A learning rate, and for SGD a momentum, that changes at each step."""
    ours, theirs = dense_training(kind, **settings), dense_training(kind, **settings)
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
