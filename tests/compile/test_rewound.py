"""States, settings and values that replace others while compiled steps exist."""

from __future__ import annotations

import copy

import pytest
import torch
from compile.training import assert_same, dense_feeds, dense_training

import graphnet as gn

KINDS = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {},
    "Adadelta": {"lr": 0.5},
}
FORMS = ["walked", "compiled"]


def torch_net(ours):
    """Torch's form of `dense_training`."""
    nn = torch.nn
    net = nn.Sequential(
        nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2), nn.Sigmoid()
    ).double()
    for parameter, mine in zip(net.parameters(), ours.graph.parameters(), strict=True):
        parameter.data.copy_(mine.top)
    return net


class TorchPair:
    """One training run in graphnet, walked or compiled, and the same in torch."""

    def __init__(self, kind, form, **settings):
        self.ours = dense_training(kind, **settings)
        self.net = torch_net(self.ours)
        self.optimizer = self.ours.optimizer
        self.torch_optimizer = getattr(torch.optim, kind)(
            self.net.parameters(), **{"lr": 0.1, **settings}
        )
        self.ours.compiled()
        self.form = form

    def steps(self, count=3, start=0):
        feeds = dense_feeds()
        for number in range(start, start + count):
            feed = feeds[number % len(feeds)]
            self.ours.step(feed) if self.form == "compiled" else self.ours.walk(feed)
            with torch.enable_grad():
                self.torch_optimizer.zero_grad()
                (self.net(feed["x"]) - feed["t"]).square().mean().backward()
            self.torch_optimizer.step()

    def check(self):
        for mine, other in zip(self.optimizer.parameters, self.net.parameters(), strict=True):
            assert_same(mine.top, other.detach())
        ours, theirs = (
            each.state_dict()["state"] for each in (self.optimizer, self.torch_optimizer)
        )
        for place, entry in theirs.items():
            for name, value in entry.items():
                if value is not None:
                    assert_same(ours[place][name].double(), value.double(), rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "settings"), KINDS.items(), ids=str)
def test_a_state_that_is_loaded_is_the_one_that_steps_go_on_with(kind, settings, form):
    pair = TorchPair(kind, form, **settings)
    pair.steps(1)
    ours, theirs = (
        copy.deepcopy(each.state_dict()) for each in (pair.optimizer, pair.torch_optimizer)
    )
    for _ in range(2):
        pair.steps(3)
        pair.optimizer.load_state_dict(copy.deepcopy(ours))
        pair.torch_optimizer.load_state_dict(copy.deepcopy(theirs))
    pair.steps(3)
    pair.check()


def edited(group):
    group["lr"] = 0.0


def replaced_entry(optimizer):
    optimizer.param_groups[0] = {**optimizer.param_groups[0], "lr": 0.0}


def replaced_list(optimizer):
    optimizer.param_groups = [{**group, "lr": 0.0} for group in optimizer.param_groups]


def replaced_by_an_equal_one_that_is_edited_later(optimizer):
    before = optimizer.param_groups[0]
    optimizer.param_groups[0] = dict(before)
    optimizer.buckets()
    before["lr"] = 7.0  # belongs to nothing any more
    optimizer.param_groups[0]["lr"] = 0.0


def replaced_by_an_equal_one(optimizer):
    optimizer.lr = 0.0
    optimizer.buckets()
    before = optimizer.param_groups[0]
    optimizer.param_groups[0] = dict(before)
    before["lr"] = 7.0  # belongs to nothing any more


EDITS = {
    "in place": lambda optimizer: edited(optimizer.param_groups[0]),
    "entry": replaced_entry,
    "list": replaced_list,
    "equal entry": replaced_by_an_equal_one,
    "equal entry, edited": replaced_by_an_equal_one_that_is_edited_later,
    "attribute": lambda optimizer: setattr(optimizer, "lr", 0.0),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_learning_rate_of_zero_stops_the_next_step(edit, kind, form):
    pair = TorchPair(kind, form)
    pair.steps(2)
    edit(pair.optimizer)
    before = [each.top.clone() for each in pair.optimizer.parameters]
    pair.ours.step(dense_feeds()[0]) if form == "compiled" else pair.ours.walk(dense_feeds()[0])
    assert_same([each.top for each in pair.optimizer.parameters], before, exact=True)
    pair.optimizer.lr = 0.1
    pair.steps(1)
    assert not torch.equal(pair.optimizer.parameters[0].top, before[0])


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([{"lr": 0.1}], "must have a list of parameters"),
        ([{"params": [], "lr": 0.1}], "setting"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_groups_that_are_none_are_refused(groups, words, form):
    ours = dense_training("Adam")
    ours.compiled()
    ours.optimizer.param_groups = groups
    with pytest.raises(gn.GraphError, match=words):
        ours.step(dense_feeds()[0]) if form == "compiled" else ours.walk(dense_feeds()[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_group_that_is_added_later(form):
    pair = TorchPair("Adam", form)
    first, *others = pair.ours.optimizer.parameters
    theirs, *rest = pair.net.parameters()
    pair.optimizer = pair.ours.optimizer = gn.Adam([first], lr=0.1)
    pair.torch_optimizer = torch.optim.Adam([theirs], lr=0.1)
    pair.ours.compiled()
    pair.steps(2)
    pair.optimizer.add_param_group({"params": others, "lr": 0.01})
    pair.torch_optimizer.add_param_group({"params": rest, "lr": 0.01})
    pair.steps(3)
    pair.check()


@pytest.mark.parametrize("form", FORMS)
def test_values_and_types_that_are_changed_between_steps(form):
    pair = TorchPair("Adam", form)
    pair.steps(2)
    kept = [each.top.clone() for each in pair.optimizer.parameters]
    pair.steps(2)
    pairs = zip(pair.optimizer.parameters, pair.net.parameters(), kept, strict=True)
    for mine, other, value in pairs:
        mine.top = value
        other.data.copy_(value)
    pair.steps(2)
    for mine in pair.optimizer.parameters:  # moves them, and comes back
        mine.to(torch.float32)
        mine.to(torch.float64)
        other = mine
    for mine, other in zip(pair.optimizer.parameters, pair.net.parameters(), strict=True):
        mine.top = other.detach()
    pair.steps(2)
    limits = {"rtol": 1e-5, "atol": 1e-6}  # our state was float32 in between
    for mine, other in zip(pair.optimizer.parameters, pair.net.parameters(), strict=True):
        assert_same(mine.top, other.detach(), **limits)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("learned", [True, False])
def test_values_that_move_and_are_no_business_of_the_optimizer(learned, form):
    """Another optimizer, made later, gathers its parameters in memory of its own."""
    graph = gn.Graph()
    x = graph.input((2,), name="x", dtype=torch.float64)
    w, factor, beside = (gn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(3))
    factor.requires_grad = learned
    loss = (x * w * factor).sum()
    sgd = gn.SGD([w], lr=0.1)
    step = graph.compile(loss, sgd, tune=False)
    expected = torch.ones(2, dtype=torch.float64)
    given = torch.tensor([1.0, 2.0], dtype=torch.float64)
    for number in (1.0, 3.0, 5.0):
        if number == 3:
            gn.SGD([factor, beside])
        factor.top = torch.full_like(factor.top, number)
        if form == "compiled":
            value = step(x=given)
        else:
            value = graph.forward(x=given)
            graph.backward(loss)
            sgd.step()
        assert_same(value, (given * expected * number).sum())
        expected -= 0.1 * given * number
        assert_same(w.top, expected)


@pytest.mark.parametrize("form", FORMS)
def test_a_copy_that_is_made_while_a_program_exists(form):
    model = gn.Sequential(gn.Linear(3, 4), gn.Tanh(), gn.Linear(4, 2)).double()
    adam = gn.Adam(model.parameters(), lr=0.1)
    feeds = dense_feeds()

    def steps(model, adam, count):
        with gn.Graph() as graph:
            x, t = (
                gn.Input((None, size), name=name, dtype=torch.float64)
                for name, size in (("x", 3), ("t", 2))
            )
            loss = gn.LossMSE()(model(x), t)
        step = graph.compile(loss, adam, tune=False)
        for number in range(count):
            if form == "compiled":
                step(feeds[number])
            else:
                graph.forward(feeds[number])
                graph.backward(loss)
                adam.step()

    steps(model, adam, 3)
    other_model, other_adam = copy.deepcopy((model, adam))
    before = other_model.state_dict()
    steps(model, adam, 3)
    assert_same(other_model.state_dict(), before, exact=True)
    steps(other_model, other_adam, 3)
    assert_same(other_model.state_dict(), model.state_dict(), exact=True)
    ours, theirs = (each.state_dict()["state"] for each in (adam, other_adam))
    assert_same(ours, theirs, exact=True)
