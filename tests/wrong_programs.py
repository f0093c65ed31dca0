"""A small network for wrong programs to go wrong in, and what must hold after each of them."""

from __future__ import annotations

import re

import pytest
import torch

import graphnet as gn


class Scenario:
    """A network, its graph, its optimizer, and a batch.

    The nodes: 0 x, 1 t, 2 0.weight, 3 0.bias, 4 0.linear, 5 1.tanh, 6 2.weight, 7 2.bias,
    8 2.linear, 9 3.sigmoid, 10 lossmse.squared_error, 11 lossmse.mean.
    """

    def __init__(self):
        torch.manual_seed(7)
        self.model = gn.Sequential(gn.Linear(3, 4), gn.Tanh(), gn.Linear(4, 2), gn.Sigmoid())
        with gn.Graph() as self.graph:
            self.x = gn.Input((None, 3), name="x")
            self.t = gn.Input((None, 2), name="t")
            self.y = self.model(self.x)
            self.loss = gn.LossMSE()(self.y, self.t)
        self.w = self.model[0].weight
        self.sgd = gn.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.xb, self.tb = torch.randn(5, 3), torch.rand(5, 2)

    def forward(self):
        return self.graph.forward({self.x: self.xb, self.t: self.tb}, outputs=self.loss)

    def step(self):
        """Train one step, and tell every number that it made."""
        value = self.forward()
        self.graph.backward(self.loss)
        grads = [p.grad.clone() for p in self.model.parameters()]
        self.sgd.step()
        return [value, *grads, *(p.top.clone() for p in self.model.parameters())]

    def other(self):
        """An input of another graph, of the same shape and name as x."""
        return gn.Graph().input((None, 3), name="x")


def goes_wrong(program, error, patterns):
    """Run a wrong program in a scenario in use: its error, and that nothing else came of it.

    Each pattern must be found in the message; one that begins with "!" must not.
    """
    scenario, fresh = Scenario(), Scenario()
    scenario.step()
    fresh.step()
    before = list(scenario.graph)
    with pytest.raises(error) as caught:
        program(scenario)
    message = str(caught.value)
    for pattern in patterns:
        wanted = not pattern.startswith("!")
        found = re.search(pattern.removeprefix("!"), message)
        assert bool(found) == wanted, f"{pattern!r} in:\n{message}"
    assert len(message) <= 700, f"too long:\n{message}"
    assert not re.search(r"\bat 0x", message), message
    assert scenario.graph[: len(before)] == before
    scenario.graph.lint()
    assert scenario.graph.training
    for _ in range(2):
        assert all(map(torch.equal, scenario.step(), fresh.step()))
    with pytest.raises(gn.GraphError, match="no graph"):  # no block was left open
        gn.Input((1,), name="outside")
