"""Schedules against torch.optim.lr_scheduler, and what they do at their ends."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from graphnet import RangeError, schedules


def rates_of_torch(scheduler, lr, count, setting="lr", **options):
    """The learning rates of torch, or another setting, at the steps 0, 1, ..., count - 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)
    schedule = scheduler(optimizer, **options)
    rates = []
    for place in range(count):
        rates.append(optimizer.param_groups[0][setting])
        if place < count - 1:  # OneCycleLR refuses to go beyond its end
            optimizer.step()
            schedule.step()
    return rates


def check(rate, expected, lr):
    # torch multiplies its rate step by step: 1e-12 of the largest is rounding
    assert [rate(place) for place in range(len(expected))] == pytest.approx(
        expected, rel=1e-12, abs=1e-12 * lr
    )


@pytest.mark.parametrize("lr", [0.0, 0.1, 3])
def test_constant(lr):
    rate = schedules.constant(lr)
    assert [rate(place) for place in (0, 1, 1000)] == [lr] * 3


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("gamma", [{}, {"gamma": 0.5}, {"gamma": 1.0}, {"gamma": 1.1}], ids=str)
@pytest.mark.parametrize("step_size", [1, 2, 7, 50, 1000])
def test_step(lr, gamma, step_size):
    expected = rates_of_torch(lr_scheduler.StepLR, lr, 120, step_size=step_size, **gamma)
    check(schedules.step(lr, step_size, **gamma), expected, lr)


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("final", [0.0, 0.01, 5.0])
@pytest.mark.parametrize("steps", [1, 2, 3, 50, 101])
def test_cosine(lr, final, steps):
    expected = rates_of_torch(
        lr_scheduler.CosineAnnealingLR, lr, steps + 1, T_max=steps, eta_min=final
    )
    check(schedules.cosine(lr, steps, final), expected, lr)


@pytest.mark.parametrize("steps", [1, 2, 10, 33])
def test_cosine_goes_on_beyond_its_end(steps):
    expected = rates_of_torch(lr_scheduler.CosineAnnealingLR, 0.1, 101, T_max=steps, eta_min=0.02)
    assert [schedules.cosine(0.1, steps, 0.02)(k) for k in range(101)] == pytest.approx(
        expected, rel=1e-9
    )  # torch multiplies quotients: more steps, more rounding


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("gamma", [{}, {"gamma": 0.5}, {"gamma": 1.1}], ids=str)
@pytest.mark.parametrize("milestones", [[], [3], [1, 2, 50], [7, 7, 30], [40, 2]], ids=str)
def test_multi_step(lr, gamma, milestones):
    expected = rates_of_torch(lr_scheduler.MultiStepLR, lr, 80, milestones=milestones, **gamma)
    check(schedules.multi_step(lr, iter(milestones), **gamma), expected, lr)


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.97, 1.0, 1.05])
def test_exponential(lr, gamma):
    expected = rates_of_torch(lr_scheduler.ExponentialLR, lr, 100, gamma=gamma)
    check(schedules.exponential(lr, gamma), expected, max(expected))


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("final", [0.0, 0.01, 5.0])
@pytest.mark.parametrize("T_mult", [1, 2, 3])
@pytest.mark.parametrize("T_0", [1, 2, 5, 50])
def test_cosine_warm_restarts(lr, final, T_mult, T_0):
    expected = rates_of_torch(
        lr_scheduler.CosineAnnealingWarmRestarts, lr, 300, T_0=T_0, T_mult=T_mult, eta_min=final
    )
    check(schedules.cosine_warm_restarts(lr, T_0, T_mult, final), expected, max(lr, final))


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("steps", [1, 5, 40])
@pytest.mark.parametrize(
    "factors",
    [{}, {"start_factor": 0.01}, {"start_factor": 1.0, "end_factor": 0.2}, {"end_factor": 0.5}],
    ids=str,
)
def test_linear_warmup(lr, steps, factors):
    expected = rates_of_torch(lr_scheduler.LinearLR, lr, 60, total_iters=steps, **factors)
    check(schedules.linear_warmup(lr, steps, **factors), expected, lr)


def test_linear_warmup_has_the_defaults_of_torch():
    check(schedules.linear_warmup(0.3), rates_of_torch(lr_scheduler.LinearLR, 0.3, 20), 0.3)


AFTER = {
    "step": (
        lambda lr: schedules.step(lr, 7, 0.5),
        lambda o: lr_scheduler.StepLR(o, 7, 0.5),
    ),
    "cosine": (
        lambda lr: schedules.cosine(lr, 50, 0.01),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 50, 0.01),
    ),
    "exponential": (
        lambda lr: schedules.exponential(lr, 0.9),
        lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    ),
}


@pytest.mark.parametrize("steps", [1, 3, 20])
@pytest.mark.parametrize("start_factor", [0.01, 1 / 3, 1.0])
@pytest.mark.parametrize(("ours", "theirs"), AFTER.values(), ids=AFTER)
def test_warmup_before_another_schedule(ours, theirs, start_factor, steps):
    def both(optimizer):
        first = lr_scheduler.LinearLR(optimizer, start_factor, total_iters=steps)
        return lr_scheduler.SequentialLR(optimizer, [first, theirs(optimizer)], [steps])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's SequentialLR warns about its own calls
        expected = rates_of_torch(both, 0.2, steps + 50)
    check(schedules.warmup(steps, ours(0.2), start_factor), expected, 0.2)


def test_a_schedule_keeps_no_memory():
    for rate in (
        schedules.step(1.0, 3),
        schedules.cosine(1.0, 9),
        schedules.one_cycle(1.0, 9),
        schedules.multi_step(1.0, iter([2, 5])),
        schedules.exponential(1.0, 0.9),
        schedules.cosine_warm_restarts(1.0, 2, 2),
        schedules.linear_warmup(1.0),
        schedules.warmup(3, schedules.cosine(1.0, 5)),
    ):
        forward = [rate(place) for place in range(9)]
        assert [rate(place) for place in reversed(range(9))] == forward[::-1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: schedules.step(0.1, 0), ["step_size", "0"]),
        (lambda: schedules.step(0.1, -3), ["step_size", "-3"]),
        (lambda: schedules.step(0.1, 2.5), ["step_size", "2.5"]),
        (lambda: schedules.cosine(0.1, 0), ["steps", "0"]),
        (lambda: schedules.cosine(0.1, -1), ["steps", "-1"]),
        (lambda: schedules.cosine(0.1, 2.5), ["steps", "2.5"]),
        (lambda: schedules.one_cycle(0.1, 0), ["steps", "0"]),
        (lambda: schedules.one_cycle(0.1, 10, warmup=-0.1), ["warmup", "-0.1"]),
        (lambda: schedules.one_cycle(0.1, 10, warmup=1.5), ["warmup", "1.5"]),
        (lambda: schedules.one_cycle(0.1, 10, warmup=math.nan), ["warmup", "nan"]),
        (lambda: schedules.one_cycle(0.1, 10, initial_factor=0.0), ["initial_factor", "0"]),
        (lambda: schedules.one_cycle(0.1, 10, final_factor=0.0), ["final_factor", "0"]),
        (lambda: schedules.multi_step(0.1, [3, -1]), ["milestone", "-1"]),
        (lambda: schedules.multi_step(0.1, [2.5]), ["milestone", "2.5"]),
        (lambda: schedules.cosine_warm_restarts(0.1, 0), ["T_0", "0"]),
        (lambda: schedules.cosine_warm_restarts(0.1, 3, 0), ["T_mult", "0"]),
        (lambda: schedules.cosine_warm_restarts(0.1, 3, 1.5), ["T_mult", "1.5"]),
        (lambda: schedules.linear_warmup(0.1, 0), ["steps", "0"]),
        (lambda: schedules.linear_warmup(0.1, 5, start_factor=0.0), ["start_factor", "0.0"]),
        (lambda: schedules.linear_warmup(0.1, 5, start_factor=1.1), ["start_factor", "1.1"]),
        (lambda: schedules.linear_warmup(0.1, 5, end_factor=-0.1), ["end_factor", "-0.1"]),
        (lambda: schedules.warmup(0, schedules.constant(1.0)), ["steps", "0"]),
        (lambda: schedules.on_plateau(0.1, factor=1.0), ["factor", "1.0"]),
        (lambda: schedules.on_plateau(0.1, mode="best"), ["mode", "'best'", "'min' or 'max'"]),
        (lambda: schedules.on_plateau(0.1, threshold_mode="x"), ["threshold_mode", "'x'"]),
        (lambda: schedules.on_plateau(0.1, patience=-1), ["patience", "-1"]),
        (lambda: schedules.on_plateau(0.1, cooldown=0.5), ["cooldown", "0.5"]),
        (lambda: schedules.on_plateau(0.1, factor="half"), ["factor", "'half'"]),
        (lambda: schedules.on_plateau(0.1, patience=True), ["patience", "True"]),
        (lambda: schedules.one_cycle(0.1, 10, warmup="0.3"), ["warmup", "'0.3'"]),
        (lambda: schedules.one_cycle(0.1, 10, final_factor=math.inf), ["final_factor", "inf"]),
        (lambda: schedules.linear_warmup(0.1, 5, start_factor=None), ["start_factor", "None"]),
    ],
    ids=range(32),
)
def test_errors_are_raised_when_the_schedule_is_made(make, words):
    with pytest.raises(RangeError) as error:
        make()
    assert [word for word in words if word not in str(error.value)] == []
