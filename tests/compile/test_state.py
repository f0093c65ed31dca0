"""Compiled steps, walked steps and changes of all kinds, in any order, against the walk alone."""

from __future__ import annotations

import copy

import torch
from compile.training import DOUBLE, Training, assert_same, randn, seeded
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from profiles import examples

import graphnet as gn
from graphnet import schedules

KINDS = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "NAdam": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
}

ROWS = st.integers(3, 6)
"""With two rows, batch normalization gives 1 and -1 with a gradient of only rounding errors, which
an optimizer that divides by deviations makes as large as any other: no two ways agree on them."""


def training(kind):
    """Statistics, dropout, two groups; the model is kept so that it can be changed as a whole."""
    torch.default_generator.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(3, 5, bias=False), gn.BatchNorm1d(5), gn.Tanh(), gn.Dropout(0.3), gn.Linear(5, 2)
    ).double()
    with gn.Graph() as graph:
        x, t = (gn.Input((None, n), name=name, dtype=DOUBLE) for name, n in (("x", 3), ("t", 2)))
        loss = gn.LossMSE()(model(x), t)
    groups = [{"params": model[0].parameters() + model[1].parameters()},
              {"params": model[4].parameters(), "lr": 0.02}]  # fmt: skip
    made = Training(graph, loss, getattr(gn, kind)(groups, lr=0.01, **KINDS[kind]))
    made.model = model
    made.saved = None
    return made


# changes that anyone may make between two steps: of one training, at a place, by a number


def optimizer_alone(each, place, number):
    each.optimizer.step()


def no_gradients(each, place, number):
    each.optimizer.zero_grad()


def mode(each, place, number):
    each.graph.train(number % 2 == 0)


def freeze(each, place, number):
    parameter = each.model.parameters()[place]
    parameter.requires_grad = number % 2 == 0
    parameter.grad = None


def scheduled_rate(each, place, number):
    each.optimizer.param_groups[0]["lr"] = schedules.one_cycle(0.02, 21)(number)
    if isinstance(each.optimizer, gn.SGD):
        each.optimizer.momentum = schedules.one_cycle_momentum(21)(number)


def weight_decay(each, place, number):
    each.optimizer.param_groups[place % 2]["weight_decay"] = number % 2 / 10


def change_in_place(each, place, number):
    each.model.parameters()[place].top.mul_(0.9)


def assign(each, place, number):
    parameter = each.model.parameters()[place]
    parameter.top = parameter.top * 1.1


def assign_gradient(each, place, number):
    parameter = each.model.parameters()[place]
    parameter.grad = randn(*parameter.shape, seed=number)


def other_dtype_and_back(each, place, number):
    each.model.float()
    each.model.double()


def another_optimizer_for_a_part(each, place, number):
    """ParameterGuard are shared: a second optimizer must not disconnect the first."""
    gn.SGD(each.model[4].parameters(), lr=0.001).step()


CHANGES = [
    optimizer_alone,
    no_gradients,
    mode,
    freeze,
    scheduled_rate,
    weight_decay,
    change_in_place,
    assign,
    assign_gradient,
    other_dtype_and_back,
    another_optimizer_for_a_part,
]


class Machine(RuleBasedStateMachine):
    """`ours` may be compiled at any step; `theirs` is always walked."""

    @initialize(kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 99))
    def start(self, kind, seed):
        self.both = self.ours, self.theirs = training(kind), training(kind)
        self.ours.compiled()
        self.generator = seeded(seed)
        self.count = 0
        self.accumulated = False

    def batch(self, rows):
        self.count += 1
        return {
            "x": torch.randn(rows, 3, generator=self.generator, dtype=DOUBLE),
            "t": torch.randn(rows, 2, generator=self.generator, dtype=DOUBLE),
        }

    @rule(rows=ROWS, count=st.integers(1, 3))
    def compiled_steps(self, rows, count):
        for _ in range(count):
            feed = self.batch(rows)
            torch.default_generator.manual_seed(self.count)
            mine = self.ours.step(feed)
            torch.default_generator.manual_seed(self.count)
            expected = self.theirs.graph.forward(feed, outputs=self.theirs.loss).clone()
            self.theirs.graph.backward(self.theirs.loss, accumulate=self.accumulated)
            self.theirs.optimizer.step()
            self.accumulated = False
            assert_same(mine, expected)

    @rule(rows=ROWS)
    def accumulated_batch(self, rows):
        feed = self.batch(rows)
        torch.default_generator.manual_seed(self.count)
        mine = self.ours.step.accumulate(feed)
        torch.default_generator.manual_seed(self.count)
        expected = self.theirs.graph.forward(feed, outputs=self.theirs.loss).clone()
        self.theirs.graph.backward(self.theirs.loss, accumulate=self.accumulated)
        self.accumulated = True
        assert_same(mine, expected)

    @rule(rows=ROWS)
    def many_steps(self, rows):
        if self.accumulated:
            return
        feeds = [self.batch(rows) for _ in range(3)]
        stacked = {name: torch.stack([feed[name] for feed in feeds]) for name in ("x", "t")}
        torch.default_generator.manual_seed(self.count)
        losses = self.ours.step.many(stacked)
        torch.default_generator.manual_seed(self.count)
        assert_same(losses, torch.stack([self.theirs.walk(feed) for feed in feeds]))

    @rule(rows=ROWS)
    def walked_step(self, rows):
        if self.accumulated:
            return
        feed = self.batch(rows)
        for each in self.both:
            torch.default_generator.manual_seed(self.count)
            each.walk(feed)

    @rule(rows=ROWS, training=st.booleans())
    def compile_again(self, rows, training):
        """For a prediction, or for the steps that follow."""
        if training:
            self.ours.compiled()
            self.accumulated = False
            return
        feed = self.batch(rows)
        torch.default_generator.manual_seed(self.count)
        mine = self.ours.graph.compile(self.ours.loss, tune=False)(feed)
        torch.default_generator.manual_seed(self.count)
        assert_same(mine, self.theirs.graph.forward(feed, outputs=self.theirs.loss))

    @rule(change=st.sampled_from(CHANGES), place=st.integers(0, 4), number=st.integers(0, 20))
    def change(self, change, place, number):
        """One rule for all: about every second step then notices a change."""
        if change is no_gradients and self.accumulated:
            return
        for each in self.both:
            change(each, place, number)

    @rule(what=st.sampled_from(["save", "model", "optimizer", "both"]))
    def save_or_load(self, what):
        for each in self.both:
            if what == "save":
                states = each.model.state_dict(), each.optimizer.state_dict()
                each.saved = copy.deepcopy(states)
                continue
            model, optimizer = each.saved or (None, None)
            if model is not None and what != "optimizer":
                each.model.load_state_dict(model)
            if optimizer is not None and what != "model":
                each.optimizer.load_state_dict(optimizer)

    @rule(rows=ROWS, count=st.integers(1, 3), what=st.sampled_from(["optimizer", "both"]))
    def rewind(self, rows, count, what):
        """What a search or early stopping does, all at once: chance alone would hardly do it."""
        self.save_or_load("save")
        self.compiled_steps(rows, count)
        self.save_or_load(what)
        self.compiled_steps(rows, count)

    @rule(kind=st.sampled_from(["shape", "name", "nan"]))
    def wrong_feed(self, kind):
        feed = self.batch(3)
        if kind == "shape":
            feed["x"] = feed["x"][:, :2]
        elif kind == "name":
            feed["y"] = feed.pop("t")
        else:
            feed["x"].fill_(float("nan"))
        before = self.ours.state()
        try:
            self.ours.step(feed)
        except gn.GraphError:
            assert_same(self.ours.state(), before, exact=True)
        else:
            raise AssertionError("a wrong feed was taken")

    @invariant()
    def same(self):
        if hasattr(self, "both"):
            assert_same(self.ours.state(), self.theirs.state())


TestMachine = Machine.TestCase
TestMachine.settings = settings(examples(30), stateful_step_count=20)


def test_a_run_that_is_continued_elsewhere():
    """States of a compiled run load into a fresh walked one, and back."""
    for kind in KINDS:
        ours, theirs = training(kind), training(kind)
        ours.compiled()
        for hand in range(6):
            giver, taker = (ours, theirs) if hand % 2 == 0 else (theirs, ours)
            for number in range(3):
                feed = {"x": randn(4, 3, seed=number), "t": randn(4, 2, seed=number)}
                giver.step(feed) if giver is ours else giver.walk(feed)
            taker.model.load_state_dict(giver.model.state_dict())
            taker.optimizer.load_state_dict(giver.optimizer.state_dict())
            assert_same(ours.state()["optimizer"], theirs.state()["optimizer"], exact=True)
            assert_same(ours.state()["values"], theirs.state()["values"], exact=True)


def test_another_dtype():
    """The model becomes float32 for good: its graph is rebuilt, and the old step says so."""
    ours = training("Adam")
    feed = {"x": randn(4, 3), "t": randn(4, 2)}
    ours.compiled()(feed)
    ours.model.float()
    theirs = training("Adam")
    theirs.model.float()
    outcomes = []
    for run in (lambda: ours.step(feed), lambda: theirs.walk(feed)):
        try:
            run()
            outcomes.append(None)
        except gn.GraphError as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]


def test_two_steps_of_one_optimizer():
    """Two losses on the same parameters, compiled and walked in turn."""

    def make():
        torch.manual_seed(0)
        model = gn.Linear(3, 2).double()
        with gn.Graph() as graph:
            y = model(gn.Input((None, 3), name="x", dtype=DOUBLE))
            losses = [(y * y).mean(), (y - 1.0).abs().sum()]
        optimizer = gn.Adam(model.parameters(), lr=0.01)
        return [Training(graph, loss, optimizer) for loss in losses]

    ours, theirs = make(), make()
    steps = [each.compiled() for each in ours]
    for number in range(12):
        feed = {"x": randn(4, 3, seed=number)}
        place = number * 5 % 3 % 2
        if number % 4 == 3:
            assert_same(ours[place].walk(feed), theirs[place].walk(feed))
        else:
            assert_same(steps[place](feed), theirs[place].walk(feed))
        assert_same(ours[0].state(), theirs[0].state())
