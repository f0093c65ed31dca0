"""Schedules against torch.optim.lr_scheduler, and what they do at their ends."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim import lr_scheduler

from graphnet import RangeError, schedules


def rates_of_torch(scheduler, lr, count, **options):
    """The learning rates of torch at the steps 0, 1, ..., count - 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)
    schedule = scheduler(optimizer, **options)
    rates = []
    for place in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
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


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_cosine_stays_at_its_end(steps):
    rate = schedules.cosine(0.1, steps, final=0.02)
    assert [rate(steps + more) for more in (0, 1, 2, steps, 1000)] == [0.02] * 5


CYCLES = [
    {},
    {"warmup": 0.1},
    {"warmup": 0.5, "initial_factor": 10.0},
    {"warmup": 0.0},
    {"warmup": 1.0},
    {"initial_factor": 1.0, "final_factor": 1.0},
    {"initial_factor": 3.0, "final_factor": 100.0},
]
NAMES = {"warmup": "pct_start", "initial_factor": "div_factor", "final_factor": "final_div_factor"}


@pytest.mark.parametrize("lr", [0.1, 2.0])
@pytest.mark.parametrize("options", CYCLES, ids=str)
@pytest.mark.parametrize("steps", [3, 7, 40, 101])
def test_one_cycle(lr, options, steps):
    renamed = {NAMES[name]: value for name, value in options.items()}
    expected = rates_of_torch(
        lr_scheduler.OneCycleLR, lr, steps, max_lr=lr, total_steps=steps, **renamed
    )
    check(schedules.one_cycle(lr, steps, **options), expected, lr)


@pytest.mark.parametrize("options", CYCLES, ids=str)
@pytest.mark.parametrize("steps", [1, 2, 10])
def test_one_cycle_stays_at_its_end(options, steps):
    rate = schedules.one_cycle(0.1, steps, **options)
    last = rate(steps - 1)
    assert 0 < last <= 0.1
    assert [rate(steps - 1 + more) for more in (1, 2, steps, 1000)] == [last] * 4


def test_one_cycle_that_is_at_its_top_at_once():
    rate = schedules.one_cycle(0.1, 10, warmup=0.1)  # torch divides by zero here
    assert rate(0) == 0.1
    assert rate(1) < 0.1


def test_one_cycle_of_a_single_step_is_its_end():
    expected = rates_of_torch(lr_scheduler.OneCycleLR, 0.1, 1, max_lr=0.1, total_steps=1)
    check(schedules.one_cycle(0.1, 1), expected, 0.1)


def test_one_cycle_reaches_its_rates():
    rate = schedules.one_cycle(1.0, 100, warmup=0.25, initial_factor=20.0, final_factor=50.0)
    rates = [rate(place) for place in range(100)]
    assert rates[0] == pytest.approx(1 / 20, rel=1e-14)
    assert rates.index(max(rates)) == 24
    assert max(rates) == 1.0
    assert rates[-1] == pytest.approx(1 / 1000, rel=1e-14)


def test_a_schedule_keeps_no_memory():
    for rate in (schedules.step(1.0, 3), schedules.cosine(1.0, 9), schedules.one_cycle(1.0, 9)):
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
    ],
    ids=range(12),
)
def test_errors_come_when_the_schedule_is_made(make, words):
    with pytest.raises(RangeError) as error:
        make()
    assert [word for word in words if word not in str(error.value)] == []
