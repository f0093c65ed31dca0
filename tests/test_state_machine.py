"""A graph in the hands of someone who does everything in any order: it stays true."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from profiles import examples

import graphnet as gn

STEPS = {
    "tanh": lambda x, w: x.tanh(),
    "product": lambda x, w: x @ w,
    "sum of two": lambda x, w: x + x * 0.5,
    "shifted": lambda x, w: x - w.sum(0),
    "squared": lambda x, w: x * x * 0.1,
    "relu": lambda x, w: x.relu(),
}


class Network:
    """A graph that is built from a recipe, so that a fresh one can be built from it too."""

    def __init__(self, weight, recipe=()):
        self.graph = gn.Graph()
        self.x = self.graph.input((None, 3), name="x", dtype=torch.float64, requires_grad=True)
        self.w = self.graph.parameter(weight.clone(), name="w")
        self.chain = [self.x]
        for step in recipe:
            self.add(*step)

    def add(self, name, place):
        self.chain.append(STEPS[name](self.chain[place % len(self.chain)], self.w))

    def step(self, batch):
        """One forward and backward walk to the last of the chain; the value and the gradients."""
        last = self.chain[-1]
        value = self.graph.forward({self.x: batch}, outputs=last)
        self.graph.backward(last, torch.ones_like(value))
        return value.clone(), self.x.grad.clone(), self.w.grad_memory.clone()


class Machine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 99))
    def start(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(3, 3, generator=self.generator, dtype=torch.float64) * 0.5
        self.recipe = [("tanh", 0)]
        self.network = Network(self.weight, self.recipe)
        self.fed = None  # the batch of the last good walk, while nothing was added since

    def batch(self, rows):
        return torch.randn(rows, 3, generator=self.generator, dtype=torch.float64)

    @precondition(lambda self: len(self.recipe) < 12)
    @rule(name=st.sampled_from(sorted(STEPS)), place=st.integers(0, 20))
    def add_a_node(self, name, place):
        self.recipe.append((name, place))
        self.network.add(name, place)
        self.fed = None

    @rule(rows=st.integers(1, 4))
    def feed_and_walk(self, rows):
        batch = self.batch(rows)
        kept = batch.clone()
        ours = self.network.step(batch)
        assert torch.equal(batch, kept)
        fresh = Network(self.network.w.top, self.recipe).step(batch)
        for our, their in zip(ours, fresh, strict=True):
            assert_close(our, their, rtol=1e-12, atol=1e-12)
        self.fed = batch

    @rule()
    def walk_backward_again(self):
        if self.fed is None:
            return
        last = self.network.chain[-1]
        before = self.network.w.grad_memory.clone()
        self.network.graph.backward(last, torch.ones_like(last.top))
        assert torch.equal(self.network.w.grad_memory, before)

    @rule()
    def accumulate(self):
        if self.fed is None:
            return
        last = self.network.chain[-1]
        ones = torch.ones_like(last.top)
        self.network.graph.backward(last, ones)
        once = self.network.w.grad_memory.clone()
        self.network.graph.backward(last, ones, accumulate=True)
        torch.testing.assert_close(self.network.w.grad_memory, 2 * once)
        self.network.graph.backward(last, ones)

    @rule()
    def change_the_weight(self):
        self.network.w.top.mul_(0.9)
        if self.fed is None:
            return
        last = self.network.chain[-1]
        if any(node is self.network.w for node in reached(last)):
            with pytest.raises(gn.StateError):  # the tops belong to the old weight
                self.network.graph.backward(last, torch.ones_like(last.top))
        self.fed = None

    @rule(kind=st.sampled_from(["nothing", "wrong name", "wrong shape", "wrong type", "no tensor"]))
    def feed_badly(self, kind):
        feed = {
            "nothing": {},
            "wrong name": {"y": self.batch(2)},
            "wrong shape": {"x": self.batch(2)[:, :2]},
            "wrong type": {"x": self.batch(2).float()},
            "no tensor": {"x": [1.0, 2.0, 3.0]},
        }[kind]
        with pytest.raises(gn.FeedError):
            self.network.graph.forward(feed, outputs=self.network.chain[-1])

    @rule(rows=st.integers(2, 4))
    def build_badly(self, rows):
        before = len(self.network.graph)
        with pytest.raises(gn.ShapeError):
            self.network.chain[-1] @ torch_parameter(self.network.graph, rows)
        with pytest.raises(gn.GraphError):
            self.network.chain[-1] + Network(self.weight).x
        with pytest.raises(gn.GraphError):
            self.network.graph.backward(Network(self.weight).x)
        assert len(self.network.graph) == before + 1  # the parameter of a wrong size alone
        self.fed = None

    @rule(forgotten=st.booleans())
    def start_again(self, forgotten):
        """A new graph for the same weights; the recipe may be forgotten."""
        self.weight = self.network.w.top.clone()
        self.recipe = [("tanh", 0)] if forgotten else self.recipe
        self.network = Network(self.weight, self.recipe)
        self.fed = None

    @invariant()
    def the_list_is_sound(self):
        if hasattr(self, "network"):
            self.network.graph.lint()
            assert all(node.graph is self.network.graph for node in self.network.chain)

    @invariant()
    def no_value_is_stale(self):
        """What is kept belongs to the last batch, at every node of the chain that has a value."""
        if not hasattr(self, "network") or self.fed is None:
            return
        assert torch.equal(self.network.x.top, self.fed)
        fresh = Network(self.network.w.top, self.recipe)
        fresh.step(self.fed)
        for ours, theirs in zip(self.network.chain, fresh.chain, strict=True):
            assert ours.computed == theirs.computed
            if ours.computed:
                assert torch.equal(ours.top, theirs.top)


def reached(node):
    """A node and all that it depends on."""
    found, todo = [], [node]
    while todo:
        each = todo.pop()
        if not any(each is other for other in found):
            found.append(each)
            todo.extend(each.inputs)
    return found


def torch_parameter(graph, rows):
    """A matrix of 5 rows or more, which fits to nothing here."""
    return graph.parameter(torch.zeros(rows + 3, 2, dtype=torch.float64))


TestMachine = Machine.TestCase
TestMachine.settings = settings(examples(60), stateful_step_count=25)
