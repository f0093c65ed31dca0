"""The state of optimizers: to torch, from torch, and states that do not fit."""

from __future__ import annotations

import copy
import json
import math

import pytest
import torch
from optim.twins import MEMORY, Twins

import graphnet as gn

MORE = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"amsgrad": True, "maximize": True}),
    ("AdamW", {"lr": 0.02}),
    ("NAdam", {"momentum_decay": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RMSprop", {}),
]
every_kind = pytest.mark.parametrize(("kind", "options"), [*MEMORY, *MORE], ids=str)
GROUPS = {
    "one group": [((0, 1, 2, 3, 4), {})],
    "two groups": [((0, 2), {"lr": 0.03}), ((1, 3, 4), {})],
}
every_grouping = pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)


def made(module, parameters, kind, options, groups):
    return getattr(module, kind)(
        [{"params": [parameters[place] for place in places], **own} for places, own in groups],
        **options,
    )


def trained(kind, options, groups, steps=7, frozen=()):
    twins = Twins()
    ours = made(gn, twins.ours, kind, options, groups)
    theirs = made(torch.optim, twins.theirs, kind, options, groups)
    for _ in range(steps):
        twins.step(ours, theirs, frozen)
    return twins, ours, theirs


def assert_same_state(mine, other, tolerance=1e-12):
    assert mine["state"].keys() == other["state"].keys()
    for index, entry in other["state"].items():
        known = {name: value for name, value in entry.items() if value is not None}
        assert mine["state"][index].keys() == known.keys()
        for name, value in known.items():
            found = mine["state"][index][name]
            assert found.dtype is value.dtype
            assert found.device == value.device
            torch.testing.assert_close(found, value, rtol=tolerance, atol=tolerance)
    machinery = {"foreach", "fused", "capturable", "differentiable"}
    for group, needed in zip(mine["param_groups"], other["param_groups"], strict=True):
        assert group == {name: value for name, value in needed.items() if name not in machinery}


@every_kind
@every_grouping
def test_the_state_is_that_of_torch(kind, options, groups):
    _, ours, theirs = trained(kind, options, groups)
    assert_same_state(ours.state_dict(), theirs.state_dict())


@every_kind
@every_grouping
@pytest.mark.parametrize("frozen", [(), (1, 4)], ids=["all", "some frozen"])
def test_a_state_from_torch(kind, options, groups, frozen):
    twins, _, theirs = trained(kind, options, groups, frozen=frozen)
    ours = made(gn, twins.ours, kind, {}, groups)
    state = copy.deepcopy(theirs.state_dict())
    ours.load_state_dict(state)
    for entry in state["state"].values():  # what was loaded is a copy
        for value in entry.values():
            if value is not None:
                value.zero_()
    for _ in range(10):
        twins.step(ours, theirs)
        twins.check()


@every_kind
@every_grouping
@pytest.mark.parametrize("frozen", [(), (1, 4)], ids=["all", "some frozen"])
def test_a_state_to_torch(kind, options, groups, frozen):
    twins, ours, _ = trained(kind, options, groups, frozen=frozen)
    theirs = made(torch.optim, twins.theirs, kind, {}, groups)
    theirs.load_state_dict(ours.state_dict())
    for _ in range(10):
        twins.step(ours, theirs)
        # torch keeps the product of NAdam in float32, until loading makes it float64
        twins.check(1e-10 if kind == "NAdam" else 1e-12)


@every_kind
def test_a_state_of_ones_own(kind, options):
    twins, ours, theirs = trained(kind, options, GROUPS["two groups"])
    state = ours.state_dict()
    twins.step(ours, theirs)
    assert_same_state(state, trained(kind, options, GROUPS["two groups"])[2].state_dict())
    twins, _, theirs = trained(kind, options, GROUPS["two groups"])
    ours = made(gn, twins.ours, kind, {}, GROUPS["two groups"])
    kept = ours.param_groups[0]
    ours.load_state_dict(state)
    assert ours.param_groups[0] is kept
    assert ours.param_groups[1]["lr"] == options.get("lr", ours.defaults["lr"])
    for _ in range(10):
        twins.step(ours, theirs)
        twins.check()


@every_kind
def test_a_state_before_the_first_step(kind, options):
    twins, ours, theirs = trained(kind, options, GROUPS["one group"], steps=0)
    other = made(gn, twins.ours, kind, {}, GROUPS["one group"])
    other.load_state_dict(ours.state_dict())
    again = made(torch.optim, twins.theirs, kind, {}, GROUPS["one group"])
    again.load_state_dict(theirs.state_dict())
    third = made(gn, twins.ours, kind, {}, GROUPS["one group"])
    third.load_state_dict(again.state_dict())
    for _ in range(3):
        twins.step(third, theirs)
        twins.check()


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_a_state_of_another_number_type(kind, options):
    twins, ours, _ = trained(kind, options, GROUPS["one group"])
    single = [gn.Parameter(parameter.top.float()) for parameter in twins.ours]
    other = getattr(gn, kind)(single)
    other.load_state_dict(ours.state_dict())
    twins.set_gradients()
    for mine, parameter in zip(single, twins.ours, strict=True):
        mine.grad = parameter.grad.float()
    ours.step()
    other.step()
    for mine, parameter in zip(single, twins.ours, strict=True):
        torch.testing.assert_close(mine.top, parameter.top.float(), rtol=1e-5, atol=1e-6)


def test_settings_that_went_through_json_and_notes_of_torch():
    twins, ours, theirs = trained("Adam", {}, GROUPS["one group"])
    theirs.param_groups[0]["lr"] = torch.tensor(0.02, dtype=torch.float64)
    theirs.param_groups[0]["initial_lr"] = 0.1
    state = theirs.state_dict()
    ours.load_state_dict(state)
    assert ours.lr == 0.02
    assert ours.param_groups[0]["initial_lr"] == 0.1
    theirs.param_groups[0]["lr"] = 0.02
    groups = json.loads(json.dumps(theirs.state_dict()["param_groups"]))
    ours.load_state_dict({"state": state["state"], "param_groups": groups})
    assert ours.betas == (0.9, 0.999)
    for _ in range(3):
        twins.step(ours, theirs)
        twins.check()


def test_a_state_of_adam_stays_decoupled_in_adamw():
    _, ours, theirs = trained("Adam", {}, GROUPS["one group"])
    other = gn.AdamW(ours.parameters)
    other.load_state_dict(theirs.state_dict())
    assert other.param_groups[0]["decoupled_weight_decay"] is True


def test_flags_that_an_older_version_did_not_save():
    _, ours, _ = trained("Adam", {"maximize": True}, GROUPS["one group"])
    state = ours.state_dict()
    del state["param_groups"][0]["maximize"], state["param_groups"][0]["decoupled_weight_decay"]
    ours.load_state_dict(state)
    assert ours.maximize is True


def damaged(change):
    def make(state):
        change(state)
        return state

    return make


def _set(*path, value):
    def change(state):
        *way, last = path
        for key in way:
            state = state[key]
        state[last] = value

    return damaged(change)


def _delete(*path):
    def change(state):
        *way, last = path
        for key in way:
            state = state[key]
        del state[last]

    return damaged(change)


WRONG = {
    "not a dict": (lambda state: None, ["a state is a dict"]),
    "a list": (lambda state: [state], ["a state is a dict"]),
    "no groups": (_delete("param_groups"), ["a state is a dict"]),
    "groups that are no list": (_set("param_groups", value={}), ["a state is a dict"]),
    "a group too few": (_set("param_groups", value=[]), ["groups: 0 came, where 2 are needed"]),
    "a group that is no dict": (_set("param_groups", 0, value=[]), ["group 0", "params"]),
    "a parameter too few": (
        _set("param_groups", 1, "params", value=[2, 3]),
        ["group 1: 2 parameters came, where 3 are needed"],
    ),
    "a parameter twice": (_set("param_groups", 1, "params", value=[0, 2, 3]), ["there twice"]),
    "a number that is none": (_set("param_groups", 0, "params", value=["0", 1]), ["whole numbers"]),
    "no learning rate": (_delete("param_groups", 0, "lr"), ["group 0", "'lr' is missing"]),
    "a wrong learning rate": (
        _set("param_groups", 0, "lr", value=-1.0),
        ["group 0", "lr", "-1.0 came"],
    ),
    "a wrong flag": (_set("param_groups", 0, "amsgrad", value="no"), ["amsgrad", "'no' came"]),
    "a stranger": (_set("state", 9, value={"step": 1}), ["state 9", "no group"]),
    "an entry that is no dict": (_set("state", 1, value=3), ["state 1", "a int came"]),
    "an unknown name": (
        _set("state", 1, "speed", value=torch.ones(1)),
        ["state 1", "'speed' is not known"],
    ),
    "a missing name": (_delete("state", 1, "exp_avg"), ["state 1", "'exp_avg' is missing"]),
    "a wrong shape": (
        _set("state", 0, "exp_avg", value=torch.ones(2)),
        ["state 0, exp_avg", "(2,)", "(3, 4)"],
    ),
    "no tensor": (_set("state", 0, "exp_avg", value=None), ["exp_avg", "a NoneType came"]),
    "no numbers": (
        _set("state", 0, "exp_avg", value=torch.ones(3, 4, device="meta")),
        ["exp_avg", "meta"],
    ),
    "whole numbers": (
        _set("state", 0, "exp_avg", value=torch.ones(3, 4, dtype=torch.int64)),
        ["exp_avg", "int64"],
    ),
    "no step": (_delete("state", 0, "step"), ["step", "None came"]),
    "half a step": (_set("state", 0, "step", value=1.5), ["step", "1.5 came"]),
    "a negative step": (_set("state", 0, "step", value=torch.tensor(-1.0)), ["step", "-1.0 came"]),
    "a step of NaN": (_set("state", 0, "step", value=math.nan), ["step", "nan came"]),
    "an endless step": (_set("state", 0, "step", value=math.inf), ["step", "inf came"]),
    "two steps": (_set("state", 0, "step", value=torch.ones(2)), ["step", "came"]),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_state_that_does_not_fit(change, words):
    twins, ours, theirs = trained("Adam", {"lr": 0.05}, GROUPS["two groups"])
    state = change(ours.state_dict())
    with pytest.raises(gn.LoadError) as error:
        ours.load_state_dict(state)
    assert [word for word in words if word not in str(error.value)] == []
    assert "nothing was loaded" in str(error.value)
    assert_same_state(ours.state_dict(), theirs.state_dict())
    twins.step(ours, theirs)
    twins.check()


def test_every_difference_is_listed():
    _, ours, _ = trained("Adam", {}, GROUPS["two groups"])
    state = ours.state_dict()
    state["param_groups"][1]["eps"] = -1.0
    del state["state"][0]["exp_avg"]
    state["state"][3]["exp_avg_sq"] = torch.ones(1)
    with pytest.raises(gn.LoadError) as error:
        ours.load_state_dict(state)
    assert len(str(error.value).splitlines()) == 4


@pytest.mark.parametrize(("one", "other"), [("SGD", "Adam"), ("Adam", "SGD"), ("RAdam", "Adagrad")])
def test_a_state_of_another_kind(one, other):
    twins, ours, _ = trained(one, {"momentum": 0.9} if one == "SGD" else {}, GROUPS["one group"])
    with pytest.raises(gn.LoadError, match="is missing"):
        getattr(gn, other)(twins.ours).load_state_dict(ours.state_dict())


def test_a_state_is_a_copy():
    twins, ours, theirs = trained("Adam", {}, GROUPS["one group"])
    state = ours.state_dict()
    for entry in state["state"].values():
        for value in entry.values():
            value.fill_(3)
    state["param_groups"][0]["lr"] = 7.0
    state["param_groups"][0]["params"].clear()
    twins.step(ours, theirs)
    twins.check()


def test_momentum_buffers_that_torch_saves_as_none():
    twins, ours, _ = trained("SGD", {"momentum": 0.9}, GROUPS["one group"])
    state = ours.state_dict()
    for entry in state["state"].values():
        entry["momentum_buffer"] = None
    ours.load_state_dict(state)
    assert ours.state_dict()["state"] == {}
    theirs = torch.optim.SGD(twins.theirs, momentum=0.9)
    for _ in range(3):
        twins.step(ours, theirs)
        twins.check()
