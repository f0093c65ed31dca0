"""Networks that are exported as C, and the compilers that strangers compile it with."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import graphnet as gn

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]
NARROW = ["-Wconversion", "-Wdouble-promotion", "-Wshadow"]
COMPILERS = [each for each in ("gcc", "clang") if shutil.which(each)]
needs_compiler = pytest.mark.skipif(not COMPILERS, reason="needs gcc or clang")

DOUBLE = torch.float64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=seeded(seed), dtype=dtype)


def labels(rows, classes, *more):
    return torch.randint(0, classes, (rows, *more), generator=seeded(1))


@dataclass
class Net:
    """A network in training, and an example."""

    graph: gn.Graph
    loss: gn.Node
    optimizer: gn.Optimizer
    example: dict[str, torch.Tensor]
    outputs: list[gn.Node]
    options: dict[str, Any] = field(default_factory=dict)

    def walked(self, steps, rows):
        """The losses of steps by the walk, which goes round the batches of the example."""
        found = []
        batches = next(iter(self.example.values())).shape[0] // rows
        for step in range(steps):
            part = slice(step % batches * rows, (step % batches + 1) * rows)
            feed = {name: each[part] for name, each in self.example.items()}
            found.append(self.graph.forward(feed, outputs=self.loss).item())
            self.graph.backward(self.loss)
            if "max_norm" in self.options:
                gn.optim.clip_grad_norm_(self.optimizer.parameters, self.options["max_norm"])
            self.optimizer.step()
        return torch.tensor(found, dtype=self.loss.dtype)


def net(model, x, t, loss, optimizer, dtype=torch.float32, **options):
    """A model of one input, with targets."""
    torch.manual_seed(0)
    model = model()
    model.to(dtype=dtype)
    with gn.Graph() as graph:
        fed = gn.Input((None, *x.shape[1:]), name="x", dtype=x.dtype)
        wanted = gn.Input((None, *t.shape[1:]), name="t", dtype=t.dtype)
        y = model(fed)
        value = loss(y, wanted)
    return Net(graph, value, optimizer(model), {"x": x, "t": t}, [y], options)


def disk():
    return gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))


def digits():
    return gn.Sequential(
        gn.Conv2d(1, 4, 3, padding=1, bias=False),
        gn.BatchNorm2d(4),
        gn.ReLU(),
        gn.MaxPool2d(2),
        gn.Conv2d(4, 5, 3, stride=2),
        gn.GELU(),
        gn.Flatten(),
        gn.Linear(20, 4),
    )


class Words(gn.Module):
    """Labels in, labels out: an embedding, a recurrent net and attention."""

    def __init__(self):
        super().__init__()
        self.embedding = gn.Embedding(7, 6)
        self.lstm = gn.LSTM(6, 6, batch_first=True)
        self.norm = gn.LayerNorm(6)
        self.attention = gn.MultiheadAttention(6, 2, batch_first=True)
        self.last = gn.Linear(6, 5)

    def build(self, x):
        y = self.lstm(self.embedding(x))[0]
        y = y + self.attention(self.norm(y), self.norm(y), self.norm(y))[0]
        return self.last(y.mean(1))


class Halving(gn.SGD):
    """A user's optimizer, whose numbers C has no formula for."""

    def numbers(self, group, step, **scalars):
        return {"lr": group["lr"] / 2**step, "intake": 1.0}


def frozen():
    model = gn.Sequential(gn.Linear(3, 4), gn.Sigmoid(), gn.Dropout(0.5), gn.Linear(4, 1))
    model[0].weight.requires_grad = False
    model[2].eval()
    return model


def thinned():
    """Two modules that draw: from torch's generator, and from their own."""
    return gn.Sequential(
        gn.Linear(4, 6),
        gn.Dropout(0.25),
        gn.Tanh(),
        gn.Dropout(0.5, generator=seeded(5)),
        gn.Linear(6, 3),
    )


def groups(model):
    first, last = model[0].parameters(), model[2].parameters()
    return gn.AdamW([{"params": first, "lr": 0.05}, {"params": last}], lr=0.02)


def sgd(**options):
    return lambda model: gn.SGD(model.parameters(), **options)


NETS: dict[str, Callable[[], Net]] = {
    "disk": lambda: net(
        disk, randn(12, 2), randn(12, 2, seed=1), gn.LossMSE(), sgd(lr=0.1, momentum=0.9)
    ),
    "digits": lambda: net(
        digits,
        randn(8, 1, 10, 10),
        labels(8, 4),
        gn.LossCrossEntropy(),
        lambda model: gn.Adam(model.parameters(), lr=0.01),
    ),
    "words": lambda: net(
        Words,
        labels(8, 7, 5),
        labels(8, 5),
        gn.LossCrossEntropy(),
        lambda model: gn.NAdam(model.parameters(), lr=0.01),
        max_norm=0.5,
    ),
    "frozen": lambda: net(
        frozen,
        randn(8, 3),
        labels(8, 2, 1).float(),
        gn.LossBCEWithLogits(),
        lambda model: gn.Adagrad(model.parameters(), lr=0.1, lr_decay=0.1),
        weights="argument",
    ),
    "double groups": lambda: net(
        disk,
        randn(8, 2, dtype=DOUBLE),
        randn(8, 2, seed=1, dtype=DOUBLE),
        gn.LossL1(),
        groups,
        DOUBLE,
    ),
    "dampened": lambda: net(
        disk,
        randn(8, 2),
        randn(8, 2, seed=1),
        gn.LossMSE(),
        sgd(lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    ),
    "dropout": lambda: net(
        thinned,
        randn(12, 4),
        labels(12, 3),
        gn.LossCrossEntropy(),
        lambda model: gn.Adam(model.parameters(), lr=0.02),
    ),
    "without a formula": lambda: net(
        disk,
        randn(8, 2),
        randn(8, 2, seed=1),
        gn.LossMSE(),
        lambda m: Halving(m.parameters(), lr=0.1),
    ),
}


@cache
def sanitizers(compiler):
    """The flags with which a compiler checks memory; none if its library for them is missing."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "nothing.c"), Path(folder, "nothing")
        source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
        for command in ([compiler, *SANITIZED, source, "-o", program], [program]):
            if subprocess.run(command, check=False, capture_output=True, timeout=100).returncode:
                return []
    return SANITIZED


def compiled(folder, compiler, *arguments):
    """Call a compiler, which must have nothing to say."""
    command = [compiler, *STRICT, *arguments]
    made = subprocess.run(
        command, check=False, cwd=folder, capture_output=True, encoding="utf-8", timeout=100
    )
    assert not made.returncode and not made.stderr, made.stderr


def printed(folder, compiler, *arguments):
    """What a program prints: for each name, the numbers of each line."""
    compiled(folder, compiler, *arguments, "-o", "program", "-lm")
    program = [str(folder / "program")]
    ran = subprocess.run(program, check=False, capture_output=True, encoding="utf-8", timeout=100)
    assert not ran.returncode, ran.stdout + ran.stderr
    found: dict[str, list[list[float]]] = {}
    for line in ran.stdout.splitlines():
        name, *numbers = line.split()
        found.setdefault(name, []).append([float(each) for each in numbers])
    return {name: torch.tensor(lines, dtype=DOUBLE) for name, lines in found.items()}


def assert_near(actual, expected, limit=None):
    """Equal up to rounding: 1e-6 in float32, which five steps do not lift further here."""
    limit = limit or (1e-12 if expected.dtype is DOUBLE else 1e-6)
    expected = expected.to(DOUBLE).reshape(actual.shape)
    most = float(expected.abs().max())
    torch.testing.assert_close(actual, expected, rtol=limit, atol=limit * most)
