"""Schedules and groups: every group keeps its own rate in proportion, as in torch."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.optim import lr_scheduler

import graphnet as gn
from graphnet.schedules import cosine, on_plateau, one_cycle, set_lr

STEPS = 50
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(20, 3, generator=GENERATOR, dtype=torch.float64)
Y = torch.randn(20, 2, generator=GENERATOR, dtype=torch.float64)
RATES = {
    "one is the optimizer's": (0.01, None),
    "both say their own": (0.01, 0.1),
    "equal": (None, None),
    "frozen by 0": (0.0, None),
}


def network(dtype):
    torch.manual_seed(0)
    return gn.Sequential(gn.Linear(3, 4), gn.Tanh(), gn.Linear(4, 2)).to(dtype)


def torch_copy(model, dtype):
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    net.to(dtype).load_state_dict(model.state_dict())
    return net


def groups_of(first, second, rates):
    groups = [{"params": list(part.parameters())} for part in (first, second)]
    for group, rate in zip(groups, rates, strict=True):
        group.update({} if rate is None else {"lr": rate})
    return groups


def by_torch(net, optimizer, scheduler, dtype, metrics=None):
    """The weights after 50 steps, and the rates of each group at each of them."""
    rates = []
    for step in range(STEPS):
        rates.append([group["lr"] for group in optimizer.param_groups])
        with torch.enable_grad():
            optimizer.zero_grad()
            ((net(X.to(dtype)) - Y.to(dtype)) ** 2).mean().backward()
        optimizer.step()
        scheduler.step(*([] if metrics is None else [metrics[step]]))
    return net.state_dict(), rates


def stepped(model, optimizer, rate_of, dtype, compiled):
    """The same here, with a rate for each step."""
    rates, graph = [], gn.Graph()
    x, t = (
        graph.input((None, size), name=name, dtype=dtype) for name, size in (("x", 3), ("t", 2))
    )
    loss = gn.LossMSE()(model(x), t)
    step = graph.compile(loss, optimizer) if compiled else None
    for place in range(STEPS):
        set_lr(optimizer, rate_of(place))
        rates.append([group["lr"] for group in optimizer.param_groups])
        feed = {"x": X.to(dtype), "t": Y.to(dtype)}
        if step is not None:
            step(feed)
        else:
            graph.forward(feed)
            graph.backward(loss)
            optimizer.step()
    return model.state_dict(), rates


def compare(got, expected, dtype):
    # float32: fifty steps of sums in another order; float64: rates are multiplied in another order
    tolerance = (
        {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-9, "atol": 1e-12}
    )
    for name, value in expected[0].items():
        torch.testing.assert_close(got[0][name], value, **tolerance)
    for ours, theirs in zip(got[1], expected[1], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-18)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("rates", RATES)
def test_groups_under_a_schedule_are_those_of_torch(rates, kind, dtype, compiled):
    model, rate = network(dtype), one_cycle(0.1, STEPS)
    net = torch_copy(model, dtype)
    theirs = getattr(torch.optim, kind)(groups_of(net[0], net[2], RATES[rates]), lr=0.1)
    scheduler = lr_scheduler.LambdaLR(theirs, lambda step: rate(step) / 0.1)
    expected = by_torch(net, theirs, scheduler, dtype)
    ours = getattr(gn, kind)(groups_of(model[0], model[2], RATES[rates]), lr=0.1)
    compare(stepped(model, ours, rate, dtype, compiled), expected, dtype)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_groups_under_a_plateau_are_those_of_torch(dtype, compiled):
    metrics = [1.0, 0.9, *[0.9] * 20, 0.5, *[0.6] * STEPS]
    model = network(dtype)
    net, options = torch_copy(model, dtype), {"factor": 0.5, "patience": 3, "cooldown": 2}
    theirs = torch.optim.SGD(groups_of(net[0], net[2], (0.01, None)), lr=0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(theirs, **options)
    expected = by_torch(net, theirs, scheduler, dtype, metrics)
    ours = gn.SGD(groups_of(model[0], model[2], (0.01, None)), lr=0.1)
    plateau = on_plateau(0.1, **options)

    def rate_of(step):
        return plateau.step(metrics[step - 1]) if step else plateau.lr

    compare(stepped(model, ours, rate_of, dtype, compiled), expected, dtype)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("schedule", ["function", "plateau"])
def test_fit_keeps_the_ratio_too(schedule, compiled):
    model = network(torch.float64)
    sgd = gn.SGD(groups_of(model[0], model[2], (1e-4, None)), lr=0.1)
    seen = []

    class Watch(gn.Callback):
        def step(self, run):
            seen.append([group["lr"] for group in run.optimizer.param_groups])

    rate = cosine(0.1, 20) if schedule == "function" else on_plateau(0.1, patience=1, threshold=9.0)
    gn.fit(model, gn.LossMSE(), (X, Y), sgd, epochs=10, batch_size=10, schedule=rate,
           callbacks=Watch(), compile=compiled)  # fmt: skip
    assert len({large for _, large in seen}) > 3
    for small, large in seen:
        assert small == pytest.approx(large / 1000, rel=1e-12)


@pytest.mark.parametrize("lr", [0.1, 0.3, 1e-4])
def test_one_group_gets_the_very_rate(lr):
    w = gn.Parameter(torch.ones(1))
    for optimizer in (gn.SGD([w], lr=lr), gn.SGD([{"params": [w], "lr": lr}])):
        for step in range(20):
            rate = cosine(lr, 20)(step)
            set_lr(optimizer, rate)
            assert optimizer.lr == rate


def two_groups(lr=0.1):
    one, two = (gn.Parameter(torch.ones(1)) for _ in range(2))
    return gn.SGD([{"params": [one], "lr": 0.01}, {"params": [two]}], lr=lr)


def test_a_rate_that_is_assigned_is_that_of_all_groups_and_their_own():
    sgd = two_groups()
    set_lr(sgd, 0.05)
    assert [group["initial_lr"] for group in sgd.param_groups] == [0.01, 0.1]
    sgd.lr = 0.2
    assert [group["lr"] for group in sgd.param_groups] == [0.2, 0.2]
    assert sgd.defaults["lr"] == 0.2
    set_lr(sgd, 0.1)
    assert [group["lr"] for group in sgd.param_groups] == [0.1, 0.1]


def test_where_all_own_rates_are_0_the_schedule_is_all_there_is():
    one, two = (gn.Parameter(torch.ones(1)) for _ in range(2))
    sgd = gn.SGD([{"params": [one]}, {"params": [two]}], lr=0.0)
    set_lr(sgd, 0.1)
    assert [group["lr"] for group in sgd.param_groups] == [0.1, 0.1]


def test_the_own_rate_is_part_of_the_state():
    sgd, again = two_groups(), two_groups()
    set_lr(sgd, 0.0)
    again.load_state_dict(copy.deepcopy(sgd.state_dict()))
    set_lr(again, 0.1)
    assert [group["lr"] for group in again.param_groups] == [0.01, 0.1]


@pytest.mark.parametrize("lr", [-1.0, float("nan"), float("inf"), "0.1", None, torch.ones(2)])
def test_what_is_no_rate_is_refused_and_nothing_is_set(lr):
    sgd = two_groups()
    with pytest.raises(
        gn.RangeError, match="A learning rate must be a finite number of 0 or more; got"
    ):
        set_lr(sgd, lr)
    assert [group["lr"] for group in sgd.param_groups] == [0.01, 0.1]
