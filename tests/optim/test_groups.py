"""Groups of parameters with settings of their own, against torch."""

from __future__ import annotations

import copy

import pytest
import torch
from optim.torch_pairs import MEMORY, TorchPair, assert_words

import graphnet as gn
from graphnet.optim import Optimizer


def grouped(both, kind, settings, options):
    """Both optimizers over groups of the places that `settings` names."""
    pair = []
    for module, parameters in ((gn, both.ours), (torch.optim, both.theirs)):
        groups = [
            {"params": [parameters[place] for place in places], **own} for places, own in settings
        ]
        pair.append(getattr(module, kind)(groups, **options))
    return pair


def give_gradients(model):
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter.top)


SPLIT = [((0, 2), {"lr": 0.3, "weight_decay": 0.1}), ((1, 3, 4), {})]


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_fifty_steps_of_two_groups(kind, options):
    both = TorchPair()
    ours, theirs = grouped(both, kind, SPLIT, options)
    for round_ in range(50):
        if round_ == 20:
            for optimizer in (ours, theirs):
                optimizer.param_groups[1]["lr"] = 0.011
                optimizer.param_groups[0]["weight_decay"] = 0.0
        if round_ == 30:
            for optimizer in (ours, theirs):
                optimizer.param_groups[0]["maximize"] = True
        both.step(ours, theirs, frozen=(1,) if round_ in (5, 6, 31) else ())
        both.check()


def keeps_later_groups():
    """Whether torch's Adagrad takes a later group; before 2.7 its step ends in a KeyError."""
    first, later = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    adagrad = torch.optim.Adagrad([first])
    adagrad.add_param_group({"params": [later]})
    later.grad = torch.ones(2)
    try:
        adagrad.step()
    except KeyError:
        return False
    return True


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_a_group_that_comes_later(kind, options):
    both = TorchPair()
    if kind == "Adagrad":
        options = {"lr": 0.1}
        if not keeps_later_groups():
            pytest.skip("the Adagrad of this torch has no state for a group that comes later")
    ours, theirs = grouped(both, kind, [((0, 1), {})], options)
    for _ in range(4):
        both.step(ours, theirs)
    ours.add_param_group({"params": both.ours[2:], "lr": 0.2})
    theirs.add_param_group({"params": both.theirs[2:], "lr": 0.2})
    for _ in range(10):
        both.step(ours, theirs)
        both.check()


def test_groups_are_a_list_of_dicts_with_all_settings():
    both = TorchPair()
    mine = {"params": both.ours[:2], "lr": 0.5, "name": "first"}
    sgd = gn.SGD([mine, {"params": iter(both.ours[2:])}], lr=0.1, momentum=0.9)
    assert mine == {"params": both.ours[:2], "lr": 0.5, "name": "first"}
    assert [group["lr"] for group in sgd.param_groups] == [0.5, 0.1]
    assert [group["momentum"] for group in sgd.param_groups] == [0.9, 0.9]
    assert sgd.param_groups[1]["params"] == both.ours[2:]
    assert sgd.param_groups[0]["name"] == "first"
    assert sgd.parameters == both.ours


def test_the_learning_rate_is_read_from_the_first_group_and_set_in_all():
    both = TorchPair()
    sgd = gn.SGD([{"params": both.ours[:2], "lr": 0.5}, {"params": both.ours[2:]}], lr=0.1)
    assert sgd.lr == 0.5
    sgd.lr = 0.25
    assert [group["lr"] for group in sgd.param_groups] == [0.25, 0.25]
    for bad in (-1.0, None, float("nan"), "fast"):
        with pytest.raises(gn.RangeError, match="lr"):
            sgd.lr = bad
    assert [group["lr"] for group in sgd.param_groups] == [0.25, 0.25]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("SGD", "lr", -0.1),
        ("SGD", "nesterov", True),
        ("Adam", "betas", (0.9, 1.0)),
        ("RMSprop", "alpha", "much"),
        ("SGD", "lr", torch.tensor(-0.1)),
        ("SGD", "lr", torch.ones(2)),
    ],
)
def test_an_edit_out_of_range_is_reported_at_the_step_and_nothing_moves(kind, name, value):
    both = TorchPair()
    optimizer, _ = both.optimizers(kind, {})
    both.set_gradients()
    optimizer.step()
    before = [parameter.top.clone() for parameter in both.ours]
    good = optimizer.param_groups[0][name]
    optimizer.param_groups[0][name] = value
    for _ in range(2):
        with pytest.raises(gn.RangeError, match=name):
            optimizer.step()
    assert all(map(torch.equal, before, [parameter.top for parameter in both.ours]))
    optimizer.param_groups[0][name] = good
    optimizer.step()


@pytest.mark.parametrize("layers", [1, 4, 20])
def test_one_update_for_each_group_however_many_layers(layers):
    class Counting(Optimizer):
        def update(self, group, step, value, grad):
            calls.append((group["lr"], step, value.numel()))

    calls = []
    model = gn.Sequential(*(gn.Linear(3, 3) for _ in range(layers)))
    weights = [p for p in model.parameters() if len(p.shape) == 2]
    biases = [p for p in model.parameters() if len(p.shape) == 1]
    optimizer = Counting([{"params": weights}, {"params": biases, "lr": 0.5}], lr=0.1)
    for rates in ((0.1, 0.5), (0.2, 0.6)):
        for group, lr in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        give_gradients(model)
        optimizer.step()
    sizes = [9 * layers, 3 * layers]
    assert calls == [(0.1, 1, sizes[0]), (0.5, 1, sizes[1]), (0.2, 2, sizes[0]), (0.6, 2, sizes[1])]


@pytest.mark.parametrize("kind", [kind for kind, _ in MEMORY])
def test_a_network_of_four_layers_is_updated_in_one_call(kind):
    model = gn.Sequential(*(gn.Linear(3, 3) for _ in range(4)))
    optimizer = getattr(gn, kind)(model.parameters())
    calls = []
    update = optimizer.update
    optimizer.update = lambda *given, **state: (calls.append(given), update(*given, **state))
    for _ in range(3):
        give_gradients(model)
        optimizer.step()
    assert len(calls) == 3


def test_a_copy_has_groups_of_its_own():
    both = TorchPair()
    sgd = gn.SGD([{"params": both.ours}], lr=0.1, momentum=0.9)
    both.set_gradients()
    sgd.step()
    parameters, other = copy.deepcopy((both.ours, sgd))
    other.lr = 0.7
    assert sgd.lr == 0.1
    assert other.parameters == parameters


PARAMETERS = [gn.Parameter(torch.ones(2)) for _ in range(3)]
A, B, C = PARAMETERS


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([{"params": []}], ["at least one parameter"]),
        ([{"params": [A]}, {"params": [B, A]}], ["twice"]),
        ([{"params": [A, A]}], ["twice"]),
        ([{"params": [A]}, B], ["got Parameter", "params"]),
        ([A, {"params": [B]}], ["got dict"]),
        ([{"lr": 0.1}], ["without 'params'"]),
        ([{"params": [A], "learning_rate": 0.1}], ["'learning_rate'", "lr, momentum"]),
        ([{"params": [A], "lr": -0.1}], ["lr", "-0.1"]),
        ([{"params": [A], "nesterov": True}], ["nesterov", "momentum"]),
        ([{"params": [torch.ones(2)]}], ["got Tensor"]),
        ([{"params": {A, B}}], ["a set has no fixed order"]),
        ([{"params": None}], ["a list of parameters"]),
        ({"params": [A]}, ["a list of parameters"]),
    ],
    ids=range(13),
)
def test_bad_groups(groups, words):
    with pytest.raises(gn.GraphError) as error:
        gn.SGD(groups, lr=0.1)
    assert_words(words, error)


@pytest.mark.parametrize(
    "group",
    [
        {"params": [A]},
        {"params": [B, B]},
        {"params": [B], "lr": "x"},
        [B],
        {"lr": 1},
        {"params": 3},
    ],
    ids=range(6),
)
def test_a_bad_group_that_comes_later_changes_nothing(group):
    sgd = gn.SGD([A], lr=0.1)
    before = copy.copy(sgd.param_groups)
    with pytest.raises(gn.GraphError):
        sgd.add_param_group(group)
    assert sgd.param_groups == before
    sgd.step()
