"""Measurements within one process, printed as ratios.

Contestants take turns in one process on one thread, and the median of many turns counts, so that a
busy machine slows both.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from math import ceil
from statistics import median
from tempfile import TemporaryDirectory
from textwrap import indent
from time import perf_counter

import torch
from torch import Tensor, nn

import graphnet as gn
from graphnet.bench import contestants
from graphnet.bench.networks import NETWORKS, drawn
from graphnet.console_text import shown
from graphnet.errors import counted
from graphnet.experiments.pairs.recipes import RECIPES
from graphnet.experiments.pairs.study import train_model

TORCH_NN = "torch.nn with autograd"

PAIRS = 1000
RECIPE = RECIPES["shared"]
STEPS = RECIPE.epochs * ceil(PAIRS / RECIPE.batch_size)
"""Those of the timed training run."""


def walk(turns: int = 60, steps: int = 100) -> None:
    """One training step of the disk network: the walk, and torch.nn with autograd."""
    workload = drawn(NETWORKS["disk-50"])
    (ours,), theirs = contestants.walk(workload), contestants.torch_nn(workload)[-1]
    each = {"graphnet, the walk": partial(ours.step, 0), TORCH_NN: partial(theirs.step, 0)}
    with torch.no_grad():
        times = in_turns(each, turns, steps)
    show("a training step of 2-25-25-25-2, tanh, MSE, SGD with momentum 0.9,")
    show(f"batch 50, one thread, median of {turns} turns of {steps} steps:")
    show(figures(times))


def nodes(small: int = 10_000, large: int = 100_000) -> None:
    """Lists of two lengths: how the time of everything done with a list grows."""
    show(f"building, walking, differentiating, linting and printing {small:,} and {large:,} nodes:")
    for collecting in (False, True):
        gc.collect()
        (gc.enable if collecting else gc.disable)()
        times = [phases(count) for count in (small, large)]
        gc.enable()
        totals = [sum(phase.values()) for phase in times]
        show(
            f"  garbage collector {'on ' if collecting else 'off'}: {totals[0]:.2f} s and "
            f"{totals[1]:.2f} s, {totals[1] / totals[0]:.1f} times as long"
        )
        for name in times[0]:
            show(f"    {name:14s} {times[0][name]:7.3f} s {times[1][name]:7.3f} s")


def phases(count: int) -> dict[str, float]:
    """The seconds of each thing done with a chain of this many operations."""
    graph = gn.Graph()
    x = graph.input((4,), name="x")
    chain: list[gn.Node] = [x]

    def build() -> None:
        for _ in range(count):
            chain.append(chain[-1] * 0.9999)
        chain.append(chain[-1].sum())

    value = torch.ones(4)
    actions: dict[str, Callable[[], object]] = {
        "build": build,
        "forward": lambda: graph.forward(x=value),
        "backward": lambda: graph.backward(chain[-1]),
        "lint": graph.lint,
        "print": lambda: str(graph),
        "differentiate": lambda: graph.gradients(chain[-1], [x]),
    }
    return {name: _seconds(action, 1) for name, action in actions.items()}


def imports(turns: int = 7) -> None:
    """What `import graphnet` costs beyond `import torch`."""
    program = (
        "import torch; from time import perf_counter as now; start = now(); "
        "import graphnet; print(now() - start)"
    )
    with TemporaryDirectory() as cache:  # compiled files are kept, as in any installation
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": cache}
        command = [sys.executable, "-c", program]
        outputs = [
            subprocess.run(
                command, capture_output=True, encoding="utf-8", check=True, env=environment
            )
            for _ in range(turns + 1)
        ]
    times = [float(output.stdout) for output in outputs[1:]]  # the first run compiles
    show(
        f"import graphnet after import torch: {median(times) * 1e3:.1f} ms, "
        f"at best {min(times) * 1e3:.1f} ms, in {turns} processes"
    )


def convolution(turns: int = 60) -> None:
    """The two convolutions of the digit-pair network, and torch.nn with autograd."""
    show(f"conv2d forward and backward, float32, one thread, median of {turns} turns:")
    for shape, outputs, of_input in (((100, 2, 14, 14), 32, False), ((100, 32, 6, 6), 64, True)):
        x = torch.randn(shape, requires_grad=of_input)
        net = nn.Conv2d(shape[1], outputs, 3)
        grad = torch.randn_like(net(x).detach())
        each = {
            "graphnet, the walk": convolution_step(net, x, grad),
            TORCH_NN: torch_convolution_step(net, x, grad),
        }
        show(f"  {outputs} 3x3 filters on {shape}, gradient of the input: {of_input}")
        show(indent(figures(in_turns(each, turns, 3)), "  "))


def convolution_step(net: nn.Conv2d, x: Tensor, grad: Tensor) -> Callable[[], None]:
    """A forward and a backward walk of one convolution, back to the input if it requires that."""
    layer = gn.Conv2d(net.in_channels, net.out_channels, 3)
    layer.load_state_dict(net.state_dict())
    graph = gn.Graph()
    y = layer(graph.input((None, *x.shape[1:]), name="x", requires_grad=x.requires_grad))
    value = x.detach()

    def step() -> None:
        with torch.no_grad():
            graph.forward(x=value)
            graph.backward(y, grad)

    return step


def torch_convolution_step(net: nn.Conv2d, x: Tensor, grad: Tensor) -> Callable[[], None]:
    """The same in torch.nn with autograd."""

    def step() -> None:
        net.zero_grad()
        x.grad = None
        net(x).backward(grad)

    return step


class TorchShared(nn.Module):
    """The network of the recipe in torch.nn."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(1, 16, 3),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Sequential(nn.Conv2d(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU()),
            nn.Flatten(),
        )
        self.compare = nn.Sequential(
            nn.Linear(128, 220), nn.ReLU(), nn.Linear(220, 120), nn.ReLU(), nn.Linear(120, 2)
        )

    def forward(self, pair: Tensor) -> Tensor:
        """The two scores of each pair."""
        first, second = self.branch(pair[:, :1]), self.branch(pair[:, 1:])
        scores: Tensor = self.compare(torch.cat([first, second], 1))
        return scores


def study(turns: int = 5) -> None:
    """A training run of the digit-pair study: `gn.fit`, and torch.nn with autograd, in turns.

    The network has one shared branch, and learns 1,000 pairs for 25 epochs. Grey squares replace
    digits, and the answer is which one is darker: the training time does not depend on them.

    Args:
        turns: how often each training run is timed.
    """
    x = torch.rand(PAIRS, 2, 14, 14) + torch.rand(PAIRS, 2, 1, 1) - 1
    t = x[:, 0].mean((1, 2)).le(x[:, 1].mean((1, 2))).long()
    model, twin = RECIPE.model(), TorchShared()
    twin.load_state_dict(model.state_dict())  # fails for another network
    each = {"graphnet, fit": partial(fitted, x, t), TORCH_NN: partial(torch_fitted, x, t)}
    times = in_turns(each, turns)
    show(
        f"{counted(RECIPE.epochs, 'epoch')} of {PAIRS:,} pairs, the network with one shared branch "
        f"({sum(each.top.numel() for each in model.parameters()):,} parameters),"
    )
    show(f"one thread, median of {turns} turns:")
    show(figures(times, "s"))


def fitted(x: Tensor, t: Tensor) -> None:
    """The training run of the study, including compilation."""
    train_model(RECIPE, RECIPE.model(), (x, (t,)), None, seed=0)


def torch_fitted(x: Tensor, t: Tensor) -> None:
    """The same training run as a loop in torch."""
    model, loss = TorchShared(), nn.CrossEntropyLoss()
    adam = torch.optim.AdamW(model.parameters(), lr=RECIPE.lr, weight_decay=RECIPE.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, RECIPE.lr, total_steps=STEPS)
    for _ in range(RECIPE.epochs):
        for batch in torch.randperm(PAIRS).split(RECIPE.batch_size):
            adam.zero_grad()
            loss(model(x[batch]), t[batch]).backward()
            adam.step()
            schedule.step()


def _seconds(action: Callable[[], object], times: int) -> float:
    start = perf_counter()
    for _ in range(times):
        action()
    return perf_counter() - start


def in_turns(
    contestants: Mapping[str, Callable[[], object]], turns: int, steps: int = 1
) -> dict[str, list[float]]:
    """The seconds of a step of each contestant in each turn."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(turns):
        for name, step in contestants.items():
            times[name].append(_seconds(step, steps) / steps)
    return times


def figures(times: Mapping[str, list[float]], unit: str = "µs") -> str:
    """The medians of two contestants, their ratio, and the median of the ratios of each turn."""
    factor, digits = (1e6, 1) if unit == "µs" else (1.0, 2)
    medians = {name: median(each) for name, each in times.items()}
    lines = [f"  {n:22s}  {each * factor:8.{digits}f} {unit}" for n, each in medians.items()]
    ours, theirs = medians.values()
    turn_by_turn = median(a / b for a, b in zip(*times.values(), strict=True))
    ratio = f"  ratio                   {ours / theirs:8.2f}    turn by turn {turn_by_turn:.2f}"
    return "\n".join([*lines, ratio])


def show(text: str) -> None:
    """Print a text at once, in characters that the console has."""
    sys.stdout.write(shown(f"{text}\n"))
    sys.stdout.flush()


def run(measurement: Callable[[], None]) -> int:
    """Make a measurement on one thread; returns 0."""
    torch.set_num_threads(1)
    measurement()
    return 0
