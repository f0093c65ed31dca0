"""Two hundred steps in JavaScript equal two hundred steps of the walk.

Both sides draw their batches and their masks from one generator, written in both languages.
"""

from __future__ import annotations

from dataclasses import dataclass

import js
import pytest
import torch
from compile.targets.js.programs import scripts
from torch import Tensor

import graphnet as gn
from graphnet.compile.targets.js.program import printed
from graphnet.compile.targets.js.random import Random
from graphnet.ops.random import drawn_from

STEPS, BATCH = 200, 10
# The way that training moved, times this: float32 rounds otherwise in another order of summing.
FAR = 1e-4

TRAIN = """
function trained({ program, state, data, batch, seed, steps, loss }) {
  const made = programs[program](batch, state), random = new Random(seed), losses = [];
  const count = data[Object.keys(made.inputs)[0]].rows;
  let order = [], at = 0;
  for (let step = 0; step < steps; step++) {
    if (at + batch > order.length) [order, at] = [random.permutation(count), 0];
    for (const [name, { values, rows }] of Object.entries(data)) {
      const size = values.length / rows;
      for (let i = 0; i < batch; i++) {
        const row = order[at + i];
        made.inputs[name].set(values.subarray(row * size, (row + 1) * size), i * size);
      }
    }
    at += batch;
    random.draw(made.masks);
    for (const { run } of made.train) run();
    made.clear();
    for (const { run } of made.backward) run();
    losses.push(made.values[loss][0]);
    for (const { run } of made.update) run();
  }
  return { losses: Float64Array.from(losses), state };
}
return given.runs.map(trained);
"""


@dataclass
class Network:
    """What is trained.

    Attributes:
        graph: the list.
        loss: the scalar to minimize.
        optimizer: what updates the parameters.
        data: for each input the rows that batches are made of.
    """

    graph: gn.Graph
    loss: gn.Node
    optimizer: gn.Optimizer
    data: dict[str, Tensor]

    def tensors(self):
        """Copies of all parameters and buffers, by name."""
        return {self.graph.name_of(each): each.top.clone() for each in self.graph.parameters()}

    def walk(self, seed):
        """The losses of all steps, by the walk."""
        random, order, losses = Random(seed), [], []
        rows = len(next(iter(self.data.values())))
        for _ in range(STEPS):
            if len(order) < BATCH:
                order = random.permutation(rows)
            chosen, order = order[:BATCH], order[BATCH:]
            with drawn_from(random):
                feed = {name: values[chosen] for name, values in self.data.items()}
                losses.append(float(self.graph.forward(feed, outputs=self.loss)))
            self.graph.backward(self.loss)
            self.optimizer.step()
        return torch.tensor(losses, dtype=torch.float64)


def network(model, shape, loss, target, optimizer, rows=60, x=None, outputs=None):
    """A model, and data for it, from a fixed seed."""
    torch.manual_seed(5)
    made = model()
    with gn.Graph() as graph:
        given = torch.randn(rows, *shape) if x is None else x(rows)
        to = target(rows)
        node = gn.Input((None, *given.shape[1:]), name="x", dtype=given.dtype)
        aim = gn.Input((None, *to.shape[1:]), name="t", dtype=to.dtype)
        y = made(node)
        cost = loss()(y[0] if isinstance(y, tuple) else y, aim)
    return Network(graph, cost, optimizer(made.parameters()), {"x": given, "t": to})


def numbers(*shape):
    return lambda rows: torch.rand(rows, *shape)


def classes(count):
    return lambda rows: torch.randint(count, (rows,))


def dense(optimizer, **options):
    """The network of the disk, narrower."""
    return network(
        lambda: gn.Sequential(gn.Linear(2, 12), gn.Tanh(), gn.Linear(12, 12), gn.Tanh(),
                              gn.Linear(12, 2)),
        (2,), gn.LossMSE, numbers(2), lambda params: optimizer(params, **options),
    )  # fmt: skip


def sgd(lr=0.05, **options):
    return lambda params: gn.SGD(params, lr=lr, **options)


def disk():
    return network(
        lambda: gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 25), gn.Tanh(),
                              gn.Linear(25, 25), gn.Tanh(), gn.Linear(25, 2)),
        (2,), gn.LossMSE, numbers(2), sgd(0.1),
    )  # fmt: skip


def lenet():
    return network(
        lambda: gn.Sequential(gn.Conv2d(1, 4, 3, padding=1), gn.ReLU(), gn.MaxPool2d(2),
                              gn.Conv2d(4, 6, 3), gn.ReLU(), gn.AvgPool2d(2), gn.Flatten(),
                              gn.Linear(24, 10), gn.ReLU(), gn.Linear(10, 5)),
        (1, 12, 12), gn.LossCrossEntropy, classes(5), sgd(0.02, momentum=0.9),
    )  # fmt: skip


class Last(gn.Module):
    """What a recurrent network says at the end of a sequence."""

    def __init__(self, kind, **options):
        super().__init__()
        self.cells, self.out = kind(3, 6, batch_first=True, **options), gn.Linear(6, 3)

    def build(self, x):
        return self.out(self.cells(x)[0][:, -1])


class Attentive(gn.Module):
    """Words that look at each other."""

    def __init__(self):
        super().__init__()
        self.words = gn.Embedding(11, 8)
        self.layer = gn.TransformerEncoderLayer(8, 2, 12, dropout=0.1, batch_first=True)
        self.out = gn.Linear(8, 3)

    def build(self, x):
        return self.out(self.layer(self.words(x)).mean(1))


def recurrent(kind, **options):
    return lambda: network(lambda: Last(kind, **options), (5, 3), gn.LossCrossEntropy,
                           classes(3), sgd(0.1))  # fmt: skip


def attentive():
    return network(Attentive, (), gn.LossCrossEntropy, classes(3), sgd(0.02),
                   x=lambda rows: torch.randint(11, (rows, 6)))  # fmt: skip


def normalized():
    return network(
        lambda: gn.Sequential(gn.Conv2d(2, 4, 3), gn.BatchNorm2d(4), gn.ReLU(), gn.Flatten(),
                              gn.Linear(16, 8), gn.BatchNorm1d(8, momentum=None), gn.GELU(),
                              gn.LayerNorm(8), gn.Linear(8, 4)),
        (2, 4, 4), gn.LossCrossEntropy, classes(4), sgd(0.05),
    )  # fmt: skip


def dropped():
    return network(
        lambda: gn.Sequential(gn.Linear(4, 16), gn.ReLU(), gn.Dropout(0.3), gn.Linear(16, 16),
                              gn.SiLU(), gn.Dropout(0.5), gn.Linear(16, 2), gn.Softplus()),
        (4,), gn.LossMSE, numbers(2), sgd(0.05),
    )  # fmt: skip


def grouped():
    """Two groups of parameters with their own settings, and a frozen parameter."""
    torch.manual_seed(5)
    first, second = gn.Linear(3, 6), gn.Linear(6, 2)
    first.bias.requires_grad = False
    with gn.Graph() as graph:
        x, t = gn.Input((None, 3), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(second(first(x).tanh()), t)
    groups = [{"params": first.parameters()}, {"params": second.parameters(), "lr": 0.01}]
    optimizer = gn.SGD(groups, lr=0.1, momentum=0.5)
    return Network(graph, loss, optimizer, {"x": torch.randn(60, 3), "t": torch.rand(60, 2)})


NETWORKS = {
    "disk": disk,
    "LeNet": lenet,
    "RNN": recurrent(gn.RNN),
    "LSTM": recurrent(gn.LSTM),
    "GRU": recurrent(gn.GRU),
    "attention": attentive,
    "batch norm": normalized,
    "dropout": dropped,
    "groups": grouped,
    "SGD plain": lambda: dense(gn.SGD, lr=0.1),
    "SGD": lambda: dense(gn.SGD, lr=0.05, momentum=0.9, dampening=0.4, weight_decay=0.01),
    "SGD dampened without momentum": lambda: dense(gn.SGD, lr=0.1, dampening=0.4),
    "SGD Nesterov": lambda: dense(gn.SGD, lr=0.02, momentum=0.9, nesterov=True),
    "SGD maximize": lambda: dense(gn.SGD, lr=1e-4, weight_decay=0.1, maximize=True),
    "Adam": lambda: dense(gn.Adam, lr=0.01, weight_decay=0.1),
    "Adam amsgrad": lambda: dense(gn.Adam, lr=0.01, amsgrad=True, betas=(0.5, 0.9)),
    "AdamW": lambda: dense(gn.AdamW, lr=0.01),
    "Adamax": lambda: dense(gn.Adamax, lr=0.01),
    "NAdam": lambda: dense(gn.NAdam, lr=0.01, momentum_decay=0.1),
    "RAdam": lambda: dense(gn.RAdam, lr=0.01, betas=(0.9, 0.99)),
    "RMSprop": lambda: dense(gn.RMSprop, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda: dense(gn.Adagrad, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "Adadelta": lambda: dense(gn.Adadelta, lr=0.5, rho=0.5),
}


def run_of(*names):
    """The programs of some networks, and what a run of JavaScript is given."""
    programs, runs = [], []
    for make in map(NETWORKS.get, names):
        made = make()
        shapes = {name: (7, *values.shape[1:]) for name, values in made.data.items()}
        programs.append(printed(made.graph, made.loss, made.optimizer, shapes))
        data = {name: {"values": values, "rows": len(values)} for name, values in made.data.items()}
        runs.append({"program": len(runs), "state": made.tensors(), "data": data, "seed": 3,
                     "batch": BATCH, "steps": STEPS,
                     "loss": made.graph.index(made.loss)})  # fmt: skip
    return programs, runs


@pytest.fixture(scope="module")
def trained():
    """What JavaScript made of each network: all in one run."""
    programs, runs = run_of(*NETWORKS)
    found = js.run(scripts(programs) + TRAIN, runs=runs)
    pairs = zip(programs, found, strict=True)
    return dict(zip(NETWORKS, pairs, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_are_those_of_the_walk(name, trained):
    network, (program, found) = NETWORKS[name](), trained[name]
    assert program.is_open
    before = network.tensors()
    losses = network.walk(seed=3)
    moved = far = 0.0
    for name, value in network.tensors().items():
        made = found["state"][name].reshape(value.shape)
        if value.dtype.is_floating_point:
            moved += float((value - before[name]).double().square().sum())
            far += float((value - made).double().square().sum())
        else:
            assert torch.equal(made, value.to(made.dtype))  # a count of batches
    assert moved > 1e-6
    assert far <= FAR**2 * moved, (far / moved) ** 0.5
    torch.testing.assert_close(found["losses"], losses, rtol=1e-3, atol=1e-4)


def test_chromium_makes_the_steps_of_node(trained):
    """A page of its own, also where the other tests run in node."""
    names = ("disk", "LeNet", "LSTM", "batch norm", "dropout", "Adam")
    programs, runs = run_of(*names)
    pages = js.run(scripts(programs) + TRAIN, in_chromium=True, runs=runs)
    for name, page in zip(names, pages, strict=True):
        losses = trained[name][1]["losses"]
        torch.testing.assert_close(page["losses"], losses, rtol=1e-5, atol=1e-6)
