"""Modules and walks to draw."""

from __future__ import annotations

import torch

import graphnet as gn


class Block(gn.Module):
    """Two layers, and a path around them."""

    def __init__(self, size):
        super().__init__()
        self.first, self.second = gn.Linear(size, size), gn.Linear(size, size)

    def build(self, x):
        return x + self.second(self.first(x).tanh())


class SharedBranch(gn.Module):
    """One branch for two inputs, and the distance between its outputs."""

    def __init__(self):
        super().__init__()
        self.branch = gn.Sequential(gn.Linear(4, 8), gn.ReLU(), gn.Linear(8, 3))

    def build(self, a, b):
        return ((self.branch(a) - self.branch(b)) ** 2).mean()


class Steps(gn.Module):
    """One cell for 50 steps."""

    def __init__(self):
        super().__init__()
        self.cell = gn.Linear(3, 3)

    def build(self, x):
        for _ in range(50):
            x = self.cell(x).tanh()
        return x


def shared_network(name="x"):
    """A walk through a layer that is used twice."""
    torch.manual_seed(0)
    layer = gn.Linear(3, 3)
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name=name)
        loss = (layer(layer(x).tanh()) ** 2).mean()
    return graph.walk({name: torch.ones(4, 3)}, loss)


def lenet():
    """The list of a LeNet, a feed, and its loss."""
    torch.manual_seed(0)
    features = [gn.Conv2d(1, 6, 5, padding=2), gn.ReLU(), gn.AvgPool2d(2)]
    features += [gn.Conv2d(6, 16, 5), gn.ReLU(), gn.AvgPool2d(2), gn.Flatten()]
    layers = [gn.Linear(400, 120), gn.ReLU(), gn.Linear(120, 84), gn.ReLU(), gn.Linear(84, 10)]
    with gn.Graph() as graph:
        x = gn.Input((None, 1, 28, 28), name="x")
        t = gn.Input((None,), name="t", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(gn.Sequential(*features, *layers)(x), t)
    return graph, {"x": torch.rand(2, 1, 28, 28), "t": torch.tensor([3, 7])}, loss
