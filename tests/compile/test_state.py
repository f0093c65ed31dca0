"""Compiled steps, walked steps and changes of all kinds, in any order, beside the walk alone."""

from __future__ import annotations

import copy

import torch
from compile.worlds import DOUBLE, World, assert_same, randn, seeded
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import graphnet as gn
from graphnet import schedules

KINDS = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "NAdam": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
}


def world(kind):
    """Statistics, dropout, two groups; the model is kept to be changed as a whole."""
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(3, 5, bias=False), gn.BatchNorm1d(5), gn.Tanh(), gn.Dropout(0.3), gn.Linear(5, 2)
    ).double()
    with gn.Graph() as graph:
        x, t = (gn.Input((None, n), name=name, dtype=DOUBLE) for name, n in (("x", 3), ("t", 2)))
        loss = gn.LossMSE()(model(x), t)
    groups = [{"params": model[0].parameters() + model[1].parameters()},
              {"params": model[4].parameters(), "lr": 0.02}]  # fmt: skip
    made = World(graph, loss, getattr(gn, kind)(groups, lr=0.01, **KINDS[kind]))
    made.model = model
    made.saved = None
    return made


class Machine(RuleBasedStateMachine):
    """`ours` may be compiled at any step; `theirs` is always walked."""

    @initialize(kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 99))
    def start(self, kind, seed):
        self.kind = kind
        self.both = self.ours, self.theirs = world(kind), world(kind)
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

    @rule(rows=st.integers(2, 6), count=st.integers(1, 3))
    def compiled_steps(self, rows, count):
        for _ in range(count):
            feed = self.batch(rows)
            torch.manual_seed(self.count)
            mine = self.ours.step(feed)
            torch.manual_seed(self.count)
            expected = self.theirs.graph.forward(feed, outputs=self.theirs.loss).clone()
            self.theirs.graph.backward(self.theirs.loss, accumulate=self.accumulated)
            self.theirs.optimizer.step()
            self.accumulated = False
            assert_same(mine, expected)

    @rule(rows=st.integers(2, 6))
    def accumulated_batch(self, rows):
        feed = self.batch(rows)
        torch.manual_seed(self.count)
        mine = self.ours.step.accumulate(feed)
        torch.manual_seed(self.count)
        expected = self.theirs.graph.forward(feed, outputs=self.theirs.loss).clone()
        self.theirs.graph.backward(self.theirs.loss, accumulate=self.accumulated)
        self.accumulated = True
        assert_same(mine, expected)

    @rule(rows=st.integers(2, 6))
    def many_steps(self, rows):
        if self.accumulated:
            return
        feeds = [self.batch(rows) for _ in range(3)]
        stacked = {name: torch.stack([feed[name] for feed in feeds]) for name in ("x", "t")}
        torch.manual_seed(self.count)
        losses = self.ours.step.many(stacked)
        torch.manual_seed(self.count)
        assert_same(losses, torch.stack([self.theirs.walk(feed) for feed in feeds]))

    @rule(rows=st.integers(2, 6))
    def walked_step(self, rows):
        if self.accumulated:
            return
        feed = self.batch(rows)
        for each in self.both:
            torch.manual_seed(self.count)
            each.walk(feed)

    @rule(rows=st.integers(2, 6))
    def prediction(self, rows):
        feed = self.batch(rows)
        torch.manual_seed(self.count)
        mine = self.ours.graph.compile(self.ours.loss, tune=False)(feed)
        torch.manual_seed(self.count)
        assert_same(mine, self.theirs.graph.forward(feed, outputs=self.theirs.loss))

    @rule()
    def optimizer_alone(self):
        for each in self.both:
            each.optimizer.step()

    @rule()
    def no_gradients(self):
        if not self.accumulated:
            for each in self.both:
                each.optimizer.zero_grad()

    @rule(training=st.booleans())
    def mode(self, training):
        for each in self.both:
            each.graph.train(training)

    @rule(place=st.integers(0, 4), flag=st.booleans())
    def freeze(self, place, flag):
        for each in self.both:
            parameter = each.model.parameters()[place]
            parameter.requires_grad = flag
            parameter.grad = None

    @rule(number=st.integers(0, 20))
    def scheduled_rate(self, number):
        for each in self.both:
            each.optimizer.param_groups[0]["lr"] = schedules.one_cycle(0.02, 21)(number)
            if self.kind == "SGD":
                each.optimizer.momentum = schedules.one_cycle_momentum(21)(number)

    @rule(decay=st.sampled_from([0.0, 0.1]), group=st.integers(0, 1))
    def weight_decay(self, decay, group):
        for each in self.both:
            each.optimizer.param_groups[group]["weight_decay"] = decay

    @rule()
    def save(self):
        for each in self.both:
            each.saved = copy.deepcopy((each.model.state_dict(), each.optimizer.state_dict()))

    @rule(optimizer=st.booleans(), model=st.booleans())
    def load(self, optimizer, model):
        for each in self.both:
            if each.saved is not None:
                if model:
                    each.model.load_state_dict(each.saved[0])
                if optimizer:
                    each.optimizer.load_state_dict(each.saved[1])

    @rule(place=st.integers(0, 4))
    def change_in_place(self, place):
        for each in self.both:
            each.model.parameters()[place].top.mul_(0.9)

    @rule(place=st.integers(0, 4))
    def assign(self, place):
        for each in self.both:
            parameter = each.model.parameters()[place]
            parameter.top = parameter.top * 1.1

    @rule(place=st.integers(0, 4))
    def assign_gradient(self, place):
        for each in self.both:
            parameter = each.model.parameters()[place]
            parameter.grad = randn(*parameter.shape, seed=place)

    @rule()
    def other_type_and_back(self):
        for each in self.both:
            each.model.float()
            each.model.double()

    @rule()
    def another_optimizer_for_a_part(self):
        """Homes are shared: a second optimizer must not disconnect the first."""
        for each in self.both:
            gn.SGD(each.model[4].parameters(), lr=0.001).step()

    @rule()
    def compile_again(self):
        self.ours.compiled()
        self.accumulated = False

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
TestMachine.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_a_run_that_is_continued_elsewhere():
    """States of a compiled run load into a fresh walked one, and back."""
    for kind in KINDS:
        ours, theirs = world(kind), world(kind)
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


def test_another_number_type():
    """The model becomes float32 for good: its graph is made anew, the old step says so."""
    ours = world("Adam")
    feed = {"x": randn(4, 3), "t": randn(4, 2)}
    ours.compiled()(feed)
    ours.model.float()
    theirs = world("Adam")
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
    """Two losses on the same parameters, compiled and walked by turns."""

    def make():
        torch.manual_seed(0)
        model = gn.Linear(3, 2).double()
        with gn.Graph() as graph:
            y = model(gn.Input((None, 3), name="x", dtype=DOUBLE))
            losses = [(y * y).mean(), (y - 1.0).abs().sum()]
        optimizer = gn.Adam(model.parameters(), lr=0.01)
        return [World(graph, loss, optimizer) for loss in losses]

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
