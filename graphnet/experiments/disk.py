"""The disk experiment: a network that separates points inside a disk from points outside.

`test.py` runs it: points, network, training, errors.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING

import torch

import graphnet as gn
from graphnet.data import one_hot

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Generator, Tensor

    from graphnet.experiments.options import Settings

Points = tuple["Tensor", "Tensor"]
"""Points (n, 2), and their labels (n,)."""


def network(settings: Settings, generator: Generator) -> gn.Sequential:
    """The layers: 2 inputs, the hidden layers with their activation, 2 outputs.

    With the loss "bce" a sigmoid turns the outputs into probabilities.
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
    """Fill weights according to the settings; biases start at 0, except for "default"."""
    kind, _, shape = settings.init.partition("-")
    fill = getattr(gn.init, f"{kind}_{shape or 'uniform'}_")
    for layer in model:
        if not isinstance(layer, gn.Linear) or layer.bias is None:
            continue
        weight, bias = layer.weight.top, layer.bias.top.zero_()
        if kind == "default":
            fill(weight, layer.in_features, generator)
            fill(bias, layer.in_features, generator)
        elif kind == "xavier":
            fill(weight, gn.init.calculate_gain(settings.activation), generator)
        else:
            fill(weight, nonlinearity=settings.activation, generator=generator)


def centered(x: Tensor) -> Tensor:
    """Points of [0, 1]² shifted and scaled to [-2, 2]², where tanh units start to bend."""
    return (x - 0.5) * 4


class Task:
    """The list of nodes to train: points x, targets t, the model and the loss.

    Args:
        model: the result of `network`.
        settings: choose the loss.

    Attributes:
        model: the given one.
        measure: the loss as a module.
        graph: the list, with the nodes x, t, y and loss.
    """

    def __init__(self, model: gn.Module, settings: Settings) -> None:
        self.model = model
        self.measure = gn.LossMSE() if settings.loss == "mse" else gn.LossBCE()
        with gn.Graph() as self.graph:
            self.x = gn.Input((None, 2), name="x")
            self.t = gn.Input((None, 2), name="t")
            self.y: gn.Node = model(self.x)
            self.loss: gn.Node = self.measure(self.y, self.t)

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
    callbacks: Iterable[gn.Callback] = (),
) -> gn.History:
    """Train on the points, and return what happened.

    Args:
        task: the network.
        points: to train on.
        settings: how to train.
        generator: the source of the order of the points.
        callbacks: what observes the training.

    Raises:
        NonFiniteError: the loss is NaN or infinite; no update was made from it.
    """
    batches = ceil(len(points[0]) / settings.batch_size)
    updates = ceil(batches / settings.accumulate) * settings.epochs
    return gn.fit(
        task.model,
        task.measure,
        (centered(points[0]), one_hot(points[1], 2)),
        make_optimizer(task.model, settings),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        schedule=settings.learning_rate(updates),
        accumulate=settings.accumulate,
        callbacks=callbacks,
        compile=settings.compile,
        seed=generator,
        progress=not settings.quiet,
    )


def write_playground(settings: Settings, file: Path) -> Path:
    """Write the page in which the network of the first round learns its points.

    Args:
        settings: how it is made; training itself is left to the page.
        file: the page.

    Returns:
        The path of the page.

    Raises:
        GraphError: the page cannot be written.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    train, test = (gn.data.disk(1000, generator) for _ in range(2))
    model = network(settings, generator)
    if settings.load:
        gn.load_weights(model, settings.load)
    return gn.playground(
        model,
        gn.LossMSE() if settings.loss == "mse" else gn.LossBCE(),
        (centered(train[0]), one_hot(train[1], 2)),
        make_optimizer(model, settings),
        file,
        test=(centered(test[0]), one_hot(test[1], 2)),
        batch_size=settings.batch_size,
        seed=settings.seed,
        title="Inside or outside the disk",
    )


def make_optimizer(model: gn.Module, settings: Settings) -> gn.SGD | gn.Adam:
    """The optimizer chosen by the settings."""
    if settings.optimizer == "adam":
        return gn.Adam(model.parameters(), lr=settings.lr)
    return gn.SGD(model.parameters(), lr=settings.lr, momentum=settings.momentum)
