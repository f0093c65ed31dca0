"""The disk experiment: a network that tells points inside a disk from points outside.

`test.py` runs it: points, network, training, errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from math import ceil, isfinite
from typing import TYPE_CHECKING

import graphnet as gn
from graphnet.data import batches, one_hot
from graphnet.graph.finite import non_finite_error

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from graphnet.experiments.options import Settings

Points = tuple["Tensor", "Tensor"]
"""Points (n, 2), and their labels (n,)."""

Group = Sequence[tuple["Tensor", ...]]
"""Batches that make one update together."""

Update = Callable[[Group, int], float]
"""Makes an update from the mean loss over several batches, which is the step of this number.

It returns the sum of the loss over their points, and raises NonFiniteError, with no update made,
where the loss is NaN or infinite.
"""


def network(settings: Settings, generator: Generator) -> gn.Sequential:
    """The layers: 2 inputs, the hidden layers with their activation, 2 outputs.

    With the loss "bce" a sigmoid makes probabilities of the outputs.
    """
    activation = gn.Tanh if settings.activation == "tanh" else gn.ReLU
    model = gn.Sequential()
    inputs = 2
    for width in settings.hidden:
        model.add(gn.Linear(inputs, width), activation())
        inputs = width
    model.add(gn.Linear(inputs, 2))
    if settings.loss == "bce":
        model.add(gn.Sigmoid())
    initialize(model, settings, generator)
    return model


def initialize(model: gn.Sequential, settings: Settings, generator: Generator) -> None:
    """Fill weights as the settings say; biases start at 0, but for "default"."""
    kind, _, shape = settings.init.partition("-")
    fill = getattr(gn.init, f"{kind}_{shape or 'uniform'}_")
    for layer in model:
        if not isinstance(layer, gn.Linear) or layer.bias is None:
            continue
        weight, bias = layer.weight.top, layer.bias.top
        if kind == "default":
            fill(weight, layer.in_features, generator)
            fill(bias, layer.in_features, generator)
        elif kind == "xavier":
            fill(weight, gn.init.calculate_gain(settings.activation), generator)
            bias.zero_()
        else:
            fill(weight, nonlinearity=settings.activation, generator=generator)
            bias.zero_()


def centered(x: Tensor) -> Tensor:
    """Points of [0, 1]² moved and stretched to [-2, 2]²: where tanh units start to bend."""
    return (x - 0.5) * 4


class Task:
    """The list of nodes that is trained: points x, targets t, the model and the loss.

    Args:
        model: what `network` made.
        settings: which loss.
    """

    def __init__(self, model: gn.Module, settings: Settings) -> None:
        self.model = model
        with gn.Graph() as self.graph:
            self.x = gn.Input((None, 2), name="x")
            self.t = gn.Input((None, 2), name="t")
            self.y: gn.Node = model(self.x)
            self.loss: gn.Node = (gn.LossMSE() if settings.loss == "mse" else gn.LossBCE())(
                self.y, self.t
            )

    def error(self, points: Points) -> float:
        """The fraction of points that the network puts on the wrong side."""
        x, labels = points
        y = self.graph.forward(x=centered(x), outputs=self.y)
        return float((y.argmax(1) != labels).double().mean())


def train(
    task: Task,
    points: Points,
    settings: Settings,
    generator: Generator,
    after_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> list[float]:
    """Train on the points, and return the mean loss of each epoch.

    Args:
        task: the graph, as `Task` builds it.
        points: to train on.
        settings: how.
        generator: the source of the order of the points.
        after_epoch: called with the number of each finished epoch and its mean loss.

    Raises:
        NonFiniteError: the loss is NaN or infinite; no update was made from it.
    """
    x, targets = centered(points[0]), one_hot(points[1], 2)
    optimizer = make_optimizer(task.model, settings)
    updates = ceil(ceil(len(x) / settings.batch_size) / settings.accumulate) * settings.epochs
    rate = settings.learning_rate(updates)
    update = compiled(task, optimizer, settings) if settings.compile else walked(task, optimizer)
    losses: list[float] = []
    step = 0
    for epoch in range(settings.epochs):
        total = 0.0
        rows = batches(x, targets, batch_size=settings.batch_size, generator=generator)
        for group in groups(rows, settings.accumulate):
            optimizer.lr = rate(step)
            total += update(group, step)
            step += 1
        losses.append(total / len(x))
        after_epoch(epoch, losses[-1])
    return losses


def make_optimizer(model: gn.Module, settings: Settings) -> gn.SGD | gn.Adam:
    """The optimizer that the settings ask for."""
    if settings.optimizer == "adam":
        return gn.Adam(model.parameters(), lr=settings.lr)
    return gn.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)


def walked(task: Task, optimizer: gn.SGD | gn.Adam) -> Update:
    """Updates by the walk over the list."""

    def update(group: Group, step: int) -> float:
        count, total = points_in(group), 0.0
        for place, (x, t) in enumerate(group):
            loss = task.graph.forward(x=x, t=t)
            value = float(loss)
            if not isfinite(value):
                raise non_finite_error(task.graph, f"Step {step}: the loss is {value}")
            share = None if len(group) == 1 else loss.new_full((), len(x) / count)
            task.graph.backward(task.loss, share, accumulate=place > 0)
            total += value * len(x)
        optimizer.step()
        return total

    return update


def compiled(task: Task, optimizer: gn.SGD | gn.Adam, settings: Settings) -> Update:
    """The same updates by a compiled program.

    Where several batches make an update, the loss of each is multiplied by its share of the points.
    """
    target = task.loss
    if settings.accumulate > 1:
        with task.graph:
            target = target * gn.Input((), name="share")
    program = task.graph.compile(target, optimizer, tune=False)  # layers too small to choose for

    def update(group: Group, step: int) -> float:
        count, total = points_in(group), 0.0
        for place, (x, t) in enumerate(group, start=1):
            feed = {"x": x, "t": t}
            if settings.accumulate > 1:
                feed["share"] = x.new_full((), len(x) / count)
            try:
                loss = program(feed) if place == len(group) else program.accumulate(feed)
            except gn.NonFiniteError:
                value = float(task.loss.top)  # the program has walked the list to find out why
                raise non_finite_error(task.graph, f"Step {step}: the loss is {value}") from None
            total += float(loss) * count
        return total

    return update


def points_in(group: Group) -> int:
    """All points of several batches."""
    return sum(len(x) for x, _ in group)


def groups(rows: Iterable[tuple[Tensor, ...]], size: int) -> Iterator[list[tuple[Tensor, ...]]]:
    """So many batches at a time; the last group is smaller where they do not divide evenly."""
    remaining = iter(rows)
    while group := list(islice(remaining, size)):
        yield group
