"""Small training runs to examine."""

from __future__ import annotations

import torch

import graphnet as gn
from graphnet.train.dataset import DataSet
from graphnet.train.run import FitSettings, Run
from graphnet.train.training_graph import TrainingGraph


class KilledError(Exception):
    """What ends training in the middle."""


class KilledAt(gn.Checkpoints):
    """Ends training when the state of a step is written, as a crash would."""

    def __init__(self, folder, at, every=1):
        super().__init__(folder, every)
        self.at = at

    def step(self, run):
        super().step(run)
        if run.step == self.at:
            raise KilledError


def data(rows=40, seed=0):
    """Points and their classes."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 3, generator=generator)
    return x, (x.sum(1) > 0).long()


def network(seed=0, *, dropout=False, norm=False):
    """A small classifier."""
    torch.manual_seed(seed)
    layers = [gn.Linear(3, 8), gn.ReLU()]
    layers += [gn.BatchNorm1d(8)] if norm else []
    layers += [gn.Dropout(0.3)] if dropout else []
    return gn.Sequential(*layers, gn.Linear(8, 2))


def weights(model):
    """All parameters and buffers, as copies."""
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    """True if two models hold the same bits."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def a_run(model=None, callbacks=(), epochs=3, **settings):
    """A training run that has not begun."""
    model = model or network()
    given = DataSet(data())
    task = TrainingGraph(model, gn.LossCrossEntropy(), given)
    how = FitSettings(epochs, 10, **settings)
    optimizer = gn.SGD(model.parameters(), lr=0.1)
    return Run(task, optimizer, given, how, torch.Generator().manual_seed(0), callbacks)
