"""States of optimizers that do not fit."""

from __future__ import annotations

import math

import pytest
import torch
from optim.torch_pairs import GROUPS, assert_same_state, trained

import graphnet as gn


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
    "not a dict": (lambda state: None, ["a state must be a dict"]),
    "a list": (lambda state: [state], ["a state must be a dict"]),
    "no groups": (_delete("param_groups"), ["a state must be a dict"]),
    "groups that are no list": (_set("param_groups", value={}), ["a state must be a dict"]),
    "a group too few": (_set("param_groups", value=[]), ["groups: expected 2; got 0"]),
    "a group that is no dict": (_set("param_groups", 0, value=[]), ["group 0", "params"]),
    "a parameter too few": (
        _set("param_groups", 1, "params", value=[2, 3]),
        ["group 1: expected 3 parameters; got 2"],
    ),
    "a parameter twice": (_set("param_groups", 1, "params", value=[0, 2, 3]), ["occurs twice"]),
    "a number that is none": (_set("param_groups", 0, "params", value=["0", 1]), ["integers"]),
    "no learning rate": (_delete("param_groups", 0, "lr"), ["group 0", "'lr' is missing"]),
    "a wrong learning rate": (
        _set("param_groups", 0, "lr", value=-1.0),
        ["group 0", "lr", "got -1.0"],
    ),
    "a wrong flag": (_set("param_groups", 0, "amsgrad", value="no"), ["amsgrad", "got 'no'"]),
    "a stranger": (_set("state", 9, value={"step": 1}), ["state 9", "no group"]),
    "an entry that is no dict": (_set("state", 1, value=3), ["state 1", "got int"]),
    "an unknown name": (
        _set("state", 1, "speed", value=torch.ones(1)),
        ["state 1", "'speed' is unknown"],
    ),
    "a missing name": (_delete("state", 1, "exp_avg"), ["state 1", "'exp_avg' is missing"]),
    "a wrong shape": (
        _set("state", 0, "exp_avg", value=torch.ones(2)),
        ["state 0, exp_avg", "(2,)", "(3, 4)"],
    ),
    "no tensor": (_set("state", 0, "exp_avg", value=None), ["exp_avg", "got NoneType"]),
    "no numbers": (
        _set("state", 0, "exp_avg", value=torch.ones(3, 4, device="meta")),
        ["exp_avg", "meta"],
    ),
    "integers": (
        _set("state", 0, "exp_avg", value=torch.ones(3, 4, dtype=torch.int64)),
        ["exp_avg", "int64"],
    ),
    "no step": (_delete("state", 0, "step"), ["step", "got None"]),
    "half a step": (_set("state", 0, "step", value=1.5), ["step", "got 1.5"]),
    "a negative step": (_set("state", 0, "step", value=torch.tensor(-1.0)), ["step", "got -1.0"]),
    "a step of NaN": (_set("state", 0, "step", value=math.nan), ["step", "got nan"]),
    "an endless step": (_set("state", 0, "step", value=math.inf), ["step", "got inf"]),
    "two steps": (_set("state", 0, "step", value=torch.ones(2)), ["step", "got tensor"]),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_state_that_does_not_fit(change, words):
    both, ours, theirs = trained("Adam", {"lr": 0.05}, GROUPS["two groups"])
    state = change(ours.state_dict())
    with pytest.raises(gn.LoadError) as error:
        ours.load_state_dict(state)
    assert [word for word in words if word not in str(error.value)] == []
    assert "nothing was loaded" in str(error.value)
    assert_same_state(ours.state_dict(), theirs.state_dict())
    both.step(ours, theirs)
    both.check()


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
    both, ours, _ = trained(one, {"momentum": 0.9} if one == "SGD" else {}, GROUPS["one group"])
    with pytest.raises(gn.LoadError, match="is missing"):
        getattr(gn, other)(both.ours).load_state_dict(ours.state_dict())
