"""One cycle and the plateau against torch.optim.lr_scheduler."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from test_schedules import check, rates_of_torch
from torch.optim import lr_scheduler

from graphnet import LoadError, RangeError, schedules

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


NAMES_OF_MOMENTUM = {"warmup": "pct_start", "anneal": "anneal_strategy"}


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal", ["cos", "linear"])
@pytest.mark.parametrize("options", [{}, {"warmup": 0.4}, {"warmup": 0.1}], ids=str)
@pytest.mark.parametrize("steps", [20, 100])
def test_the_phases_of_rate_and_momentum(steps, options, anneal, three_phase):
    options = {**options, "anneal": anneal}
    renamed = {NAMES_OF_MOMENTUM[name]: value for name, value in options.items()}
    renamed |= {"max_lr": 0.3, "total_steps": steps, "three_phase": three_phase}
    expected = rates_of_torch(lr_scheduler.OneCycleLR, 0.3, steps, **renamed)
    check(schedules.one_cycle(0.3, steps, **options, three_phase=three_phase), expected, 0.3)
    ends = {"base_momentum": 0.6, "max_momentum": 0.9}
    expected = rates_of_torch(
        lr_scheduler.OneCycleLR, 0.3, steps, setting="momentum", **renamed, **ends
    )
    rate = schedules.one_cycle_momentum(steps, **options, **ends, three_phase=three_phase)
    check(rate, expected, 1.0)


def test_the_ends_of_the_momentum_are_those_of_torch():
    expected = rates_of_torch(
        lr_scheduler.OneCycleLR, 0.3, 50, setting="momentum", max_lr=0.3, total_steps=50
    )
    check(schedules.one_cycle_momentum(50), expected, 1.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: schedules.one_cycle(0.1, 9, anneal="steep"), "'cos' or 'linear'; got 'steep'"),
        (lambda: schedules.one_cycle_momentum(9, anneal="x"), "'cos' or 'linear'; got 'x'"),
        (lambda: schedules.one_cycle_momentum(0), "steps"),
        (lambda: schedules.one_cycle_momentum(9, warmup=2), "warmup"),
    ],
    ids=range(4),
)
def test_wrong_phases(make, words):
    with pytest.raises(RangeError, match=words):
        make()


PLATEAUS = [
    {},
    {"mode": "max"},
    {"patience": 0},
    {"patience": 2, "factor": 0.5},
    {"patience": 1, "threshold": 0.3, "threshold_mode": "abs"},
    {"patience": 1, "threshold": 0.3, "threshold_mode": "abs", "mode": "max"},
    {"patience": 1, "threshold": 0.1, "threshold_mode": "rel", "mode": "max"},
    {"patience": 1, "cooldown": 3, "factor": 0.7},
    {"patience": 0, "cooldown": 1, "min_lr": 0.004},
    {"patience": 0, "factor": 0.0},
    {"patience": 0, "eps": 0.02, "factor": 0.5},
]
METRICS = {
    "falls": lambda k: 1 / (k + 1),
    "rises": lambda k: 0.1 * k,
    "stays": lambda k: 1.0,
    "waves": lambda k: math.sin(0.9 * k) - 0.01 * k,
    "below zero": lambda k: -3 + math.cos(k),
    "not finite": lambda k: [math.nan, math.inf, -math.inf][k % 3] if k > 4 else 1.0,
}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_on_plateau(options, metric):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    ours = schedules.on_plateau(0.1, **options)
    for place in range(80):
        value = metric(place)
        theirs.step(value)
        rate = ours.step(torch.tensor(value, dtype=torch.float64) if place % 2 else value)
        assert rate == ours.lr
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=0)


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_a_plateau_goes_on_from_a_state_of_either_kind(options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    ours = schedules.on_plateau(0.1, **options)
    for place in range(90):
        value = METRICS["waves"](place)
        if place in (17, 30):  # from our own state
            state = copy.deepcopy(ours.state_dict())
            ours = schedules.on_plateau(0.5, **options)
            ours.load_state_dict(state)
        if place in (41, 60):  # from torch's
            ours = schedules.on_plateau(0.5, **options)
            ours.load_state_dict(theirs.state_dict())
        if place in (50, 70):  # to torch's
            theirs = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
            theirs.load_state_dict(ours.state_dict())
        theirs.step(value)
        assert ours.step(value) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=0)


GOOD = schedules.on_plateau(0.1).state_dict()


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        {name: value for name, value in GOOD.items() if name != "best"},
        {**GOOD, "best": "low"},
        {**GOOD, "num_bad_epochs": -1},
        {**GOOD, "cooldown_counter": 0.5},
        {**GOOD, "_last_lr": 0.1},
        {**GOOD, "_last_lr": [0.1, 0.2]},
        {**GOOD, "_last_lr": [-0.1]},
    ],
    ids=range(9),
)
def test_a_state_that_does_not_fit_a_plateau(state):
    plateau = schedules.on_plateau(0.1, patience=2)
    plateau.step(1.0)
    plateau.step(1.0)
    before = plateau.state_dict()
    with pytest.raises(LoadError, match="nothing was loaded"):
        plateau.load_state_dict(state)
    assert plateau.state_dict() == before
