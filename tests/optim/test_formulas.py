"""Every optimizer against torch.optim in float64, step by step."""

from __future__ import annotations

import copy
import inspect
import itertools

import pytest
import torch
from optim.torch_pairs import DECOUPLED, MEMORY, TorchPair

import graphnet as gn

CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.0, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 1.0}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 1.0}),
    ("SGD", {"lr": 0.1, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.02, "momentum": 0.95, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.0}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.0)}),
    ("Adam", {"lr": 0.05, "betas": (0.5, 0.99)}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.999)}),
    ("Adam", {"lr": 0.05, "eps": 1e-2}),
    ("Adam", {"lr": 0.05, "eps": 0.0}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.02}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.05, "maximize": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "betas": (0.5, 0.6), "maximize": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2, "maximize": True}),
    ("AdamW", {"lr": 0.05, "betas": (0.8, 0.7), "eps": 1e-3, "amsgrad": True}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.0}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.05, "betas": (0.0, 0.5), "eps": 1e-2, "maximize": True}),
    ("Adamax", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "betas": (0.5, 0.9), "momentum_decay": 0.1, "eps": 1e-3}),
    ("NAdam", {"lr": 0.05, "momentum_decay": 0.0, "maximize": True}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3, "maximize": True}),
    ("RAdam", {"lr": 0.05, "betas": (0.5, 0.3)}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.5, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"alpha": 0.0}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "eps": 1e-3, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.7, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adadelta", {"rho": 1.0}),
    ("Adadelta", {"rho": 0.0}),
]
KINDS = sorted({kind for kind, _ in CASES})


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_fifty_steps_equal_torch(kind, options):
    both = TorchPair()
    pair = both.optimizers(kind, options)
    for _ in range(50):
        both.step(*pair)
        both.check()


ON_AND_OFF = {
    "SGD": {"momentum": [0.0, 0.9], "dampening": [0.0, 0.3], "nesterov": [False, True]},
    "Adam": {"amsgrad": [False, True], "decoupled_weight_decay": [False, True]},
    "AdamW": {"amsgrad": [False, True]},
    "Adamax": {"betas": [(0.9, 0.999), (0.0, 0.5)]},
    "NAdam": {"momentum_decay": [0.004, 0.3], "decoupled_weight_decay": [False, True]},
    "RAdam": {"betas": [(0.9, 0.999), (0.5, 0.6)], "decoupled_weight_decay": [False, True]},
    "RMSprop": {"momentum": [0.0, 0.9], "centered": [False, True]},
    "Adagrad": {"lr_decay": [0.0, 0.1], "initial_accumulator_value": [0.0, 0.5]},
    "Adadelta": {"rho": [0.9, 0.5]},
}


@pytest.mark.parametrize(("kind", "choices"), ON_AND_OFF.items(), ids=ON_AND_OFF)
def test_all_combinations_of_options(kind, choices):
    choices = {**choices, "weight_decay": [0.0, 0.1], "maximize": [False, True]}
    for values in itertools.product(*choices.values()):
        options = dict(zip(choices, values, strict=True))
        if options.get("nesterov") and (not options["momentum"] or options["dampening"]):
            continue
        both = TorchPair([(2, 3), (4,)])
        pair = both.optimizers(kind, {"lr": 0.01, **options})
        for _ in range(50):
            both.step(*pair)
        both.check()


@pytest.mark.parametrize(("kind", "options"), [*MEMORY[:2], ("SGD", {"momentum": 0.0})], ids=str)
@pytest.mark.parametrize("later", [{"lr": 0.3}, {"momentum": 0.5}, {"weight_decay": 0.1}], ids=str)
def test_settings_may_change_between_steps(kind, options, later):
    if kind == "Adam" and "momentum" in later:
        later = {"betas": (0.5, 0.9), "eps": 1e-3}
    both = TorchPair()
    ours, theirs = both.optimizers(kind, options)
    first = {name: theirs.defaults[name] for name in later}
    for settings in ({}, later, first, later):
        for name, value in settings.items():
            setattr(ours, name, value)
            theirs.param_groups[0][name] = value
        for _ in range(3):
            both.step(ours, theirs)
            both.check()


@pytest.mark.parametrize("meanwhile", ["nothing", "frozen", "copied"])
def test_momentum_that_comes_later_starts_with_a_whole_gradient(meanwhile):
    both = TorchPair()
    ours, theirs = both.optimizers("SGD", {"lr": 0.1, "dampening": 0.5})
    both.step(ours, theirs)
    if meanwhile == "copied":
        both.ours, both.theirs, ours, theirs = copy.deepcopy((both.ours, both.theirs, ours, theirs))
    if meanwhile == "frozen":
        both.step(ours, theirs, (0, 1))
    ours.momentum = theirs.param_groups[0]["momentum"] = 0.9
    for frozen in [(0, 1), (0,), (), ()] if meanwhile == "frozen" else [()] * 4:
        both.step(ours, theirs, frozen)
        both.check()


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_and_their_order_are_those_of_torch(kind):
    ours, theirs = TorchPair().optimizers(kind, {})
    if DECOUPLED in ours.defaults.keys() - theirs.defaults.keys():
        pytest.skip("the options are those of torch 2.7 and newer")
    machinery = ("foreach", "fused", "capturable", "differentiable")
    needed = {name: value for name, value in theirs.defaults.items() if name not in machinery}
    assert ours.defaults == needed
    assert {name: getattr(ours, name) for name in needed} == needed
    mine, other = (inspect.signature(type(each)).parameters for each in (ours, theirs))
    names = [name for name in other if name not in machinery]
    assert [*mine] == [*names, "switches"]
    assert {*ours.switches} == {*other} - {*names}
    for name in names:
        assert mine[name].kind == other[name].kind or name == "maximize"  # RMSprop's stands last
        assert mine[name].default == other[name].default


def test_a_float32_step_is_close_to_torch():
    for kind, options in MEMORY:
        both = TorchPair(dtype=torch.float32)
        pair = both.optimizers(kind, options)
        for _ in range(20):
            both.step(*pair)
        both.check(tolerance=1e-5)  # float32 rounds at 6e-8, and eps of a root magnifies it


@pytest.mark.parametrize("kind", ["Adam", "RMSprop", "Adagrad", "Adadelta"])
def test_a_zero_gradient_and_a_huge_one(kind):
    both = TorchPair([(4,)])
    ours, theirs = both.optimizers(kind, {})
    for grad in ([0.0, 0.0, 1e3, -1e3], [0.0, 1e-300, 1e150, -1e3]):
        both.ours[0].grad = torch.tensor(grad, dtype=torch.float64)
        both.theirs[0].grad = torch.tensor(grad, dtype=torch.float64)
        ours.step()
        theirs.step()
        both.check()


def test_amsgrad_may_be_switched_on_later():
    both = TorchPair()
    ours = gn.Adam(both.ours, lr=0.05)
    beside = TorchPair()
    same = gn.Adam(beside.ours, lr=0.05)
    for step in range(6):
        for each, optimizer in ((both, ours), (beside, same)):
            each.set_gradients()
            optimizer.step()
        if step == 2:
            ours.amsgrad = True
            assert set(ours.state_dict()["state"][0]) >= {"max_exp_avg_sq"}
    assert ours.state_dict()["state"][0]["step"] == 6
    assert ours.state_dict()["state"][0]["exp_avg"].equal(same.state_dict()["state"][0]["exp_avg"])
