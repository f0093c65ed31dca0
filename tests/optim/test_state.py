"""The state of optimizers: to torch, from torch, and states that do not fit."""

from __future__ import annotations

import copy
import json
from itertools import product

import pytest
import torch
from optim.torch_pairs import GROUPS, MEMORY, assert_same_state, made, trained
from sampling import some

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
FROZEN = [(), (1, 4)]
sampled = pytest.mark.parametrize(
    ("kind", "options", "groups", "frozen"),
    some(((*kind, *rest) for kind, *rest in product([*MEMORY, *MORE], GROUPS, FROZEN)), every=3),
    ids=str,
)
every_grouping = pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)


@every_kind
@every_grouping
def test_the_state_is_that_of_torch(kind, options, groups):
    _, ours, theirs = trained(kind, options, groups)
    assert_same_state(ours.state_dict(), theirs.state_dict())


@sampled
def test_a_state_from_torch(kind, options, groups, frozen):
    groups = GROUPS[groups]
    both, _, theirs = trained(kind, options, groups, frozen=frozen)
    ours = made(gn, both.ours, kind, {}, groups)
    state = copy.deepcopy(theirs.state_dict())
    ours.load_state_dict(state)
    for entry in state["state"].values():  # what was loaded is a copy
        for value in entry.values():
            if value is not None:
                value.zero_()
    for _ in range(50):
        both.step(ours, theirs)
        both.check()


@sampled
def test_a_state_to_torch(kind, options, groups, frozen):
    groups = GROUPS[groups]
    both, ours, _ = trained(kind, options, groups, frozen=frozen)
    theirs = made(torch.optim, both.theirs, kind, {}, groups)
    theirs.load_state_dict(ours.state_dict())
    for _ in range(50):
        both.step(ours, theirs)
        # torch keeps the product of NAdam in float32, until loading makes it float64
        both.check(1e-10 if kind == "NAdam" else 1e-12)


@every_kind
def test_a_state_of_ones_own(kind, options):
    both, ours, theirs = trained(kind, options, GROUPS["two groups"])
    state = ours.state_dict()
    both.step(ours, theirs)
    assert_same_state(state, trained(kind, options, GROUPS["two groups"])[2].state_dict())
    both, _, theirs = trained(kind, options, GROUPS["two groups"])
    ours = made(gn, both.ours, kind, {}, GROUPS["two groups"])
    kept = ours.param_groups[0]
    ours.load_state_dict(state)
    assert ours.param_groups[0] is kept
    assert ours.param_groups[1]["lr"] == options.get("lr", ours.defaults["lr"])
    for _ in range(50):
        both.step(ours, theirs)
        both.check()


@every_kind
def test_a_state_before_the_first_step(kind, options):
    both, ours, theirs = trained(kind, options, GROUPS["one group"], steps=0)
    other = made(gn, both.ours, kind, {}, GROUPS["one group"])
    other.load_state_dict(ours.state_dict())
    again = made(torch.optim, both.theirs, kind, {}, GROUPS["one group"])
    again.load_state_dict(theirs.state_dict())
    third = made(gn, both.ours, kind, {}, GROUPS["one group"])
    third.load_state_dict(again.state_dict())
    for _ in range(3):
        both.step(third, theirs)
        both.check()


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_a_state_of_another_dtype(kind, options):
    both, ours, _ = trained(kind, options, GROUPS["one group"])
    single = [gn.Parameter(parameter.top.float()) for parameter in both.ours]
    other = getattr(gn, kind)(single)
    other.load_state_dict(ours.state_dict())
    both.set_gradients()
    for mine, parameter in zip(single, both.ours, strict=True):
        mine.grad = parameter.grad.float()
    ours.step()
    other.step()
    for mine, parameter in zip(single, both.ours, strict=True):
        torch.testing.assert_close(mine.top, parameter.top.float(), rtol=1e-5, atol=1e-6)


def test_settings_that_went_through_json_and_notes_of_torch():
    both, ours, theirs = trained("Adam", {}, GROUPS["one group"])
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
        both.step(ours, theirs)
        both.check()


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


def test_a_state_is_a_copy():
    both, ours, theirs = trained("Adam", {}, GROUPS["one group"])
    state = ours.state_dict()
    for entry in state["state"].values():
        for value in entry.values():
            value.fill_(3)
    state["param_groups"][0]["lr"] = 7.0
    state["param_groups"][0]["params"].clear()
    both.step(ours, theirs)
    both.check()


def test_momentum_buffers_that_torch_saves_as_none():
    both, ours, _ = trained("SGD", {"momentum": 0.9}, GROUPS["one group"])
    state = ours.state_dict()
    for entry in state["state"].values():
        entry["momentum_buffer"] = None
    ours.load_state_dict(state)
    assert ours.state_dict()["state"] == {}
    theirs = torch.optim.SGD(both.theirs, momentum=0.9)
    for _ in range(3):
        both.step(ours, theirs)
        both.check()


def test_where_a_schedule_began_is_that_of_the_state():
    """As in torch: a state without it leaves none behind."""
    ours, theirs = gn.SGD([gn.Parameter(torch.ones(2))]), torch.optim.SGD([torch.ones(2)])
    states = [each.state_dict() for each in (ours, theirs)]
    for each, state in zip((ours, theirs), states, strict=True):
        each.param_groups[0]["initial_lr"] = 0.5
        kept = each.state_dict()
        each.load_state_dict(state)
        assert "initial_lr" not in each.param_groups[0]
        each.load_state_dict(kept)
        assert each.param_groups[0]["initial_lr"] == 0.5
