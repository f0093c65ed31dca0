"""The networks of the table, as plain descriptions that every framework reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["linear", "conv", "pool", "relu", "tanh", "flatten"]

BATCHES = 4
"""Each step takes the next of this many batches."""


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        kind: what it does; "pool" takes the maximum of 2x2 windows.
        inputs: incoming features or channels, for "linear" and "conv".
        outputs: outgoing features or channels.
        kernel: the side of the window of "conv".
    """

    kind: Kind
    inputs: int = 0
    outputs: int = 0
    kernel: int = 0

    @property
    def weight(self) -> tuple[int, ...]:
        """The shape of the weight, torch's; () if there is none."""
        if self.kind == "linear":
            return (self.outputs, self.inputs)
        if self.kind == "conv":
            return (self.outputs, self.inputs, self.kernel, self.kernel)
        return ()

    def after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one sample after this layer."""
        if self.kind == "linear":
            return (self.outputs,)
        if self.kind == "conv":
            return (self.outputs, *(size - self.kernel + 1 for size in shape[1:]))
        if self.kind == "pool":
            return (shape[0], *(size // 2 for size in shape[1:]))
        return (prod(shape),) if self.kind == "flatten" else shape


@dataclass(frozen=True)
class Network:
    """What is trained, and how.

    Attributes:
        name: on the command line.
        title: in the table.
        sample: the shape of one input.
        layers: from the input to the output.
        batch: samples in a batch.
        loss: mean squared error, or cross-entropy of classes.
        optimizer: SGD with momentum 0.9, or Adam.
    """

    name: str
    title: str
    sample: tuple[int, ...]
    layers: tuple[Layer, ...]
    batch: int
    loss: Literal["mse", "cross_entropy"] = "cross_entropy"
    optimizer: Literal["sgd", "adam"] = "sgd"

    @property
    def rate(self) -> float:
        """The learning rate.

        It is low: in thousands of steps nothing is memorized, and no gradient or momentum decays to
        denormal numbers, which would be slow.
        """
        return 1e-3 if self.optimizer == "sgd" else 1e-4

    @property
    def outputs(self) -> int:
        """Outputs for one sample."""
        return self.layers[-1].outputs

    @property
    def images(self) -> bool:
        """True if there are convolutions."""
        return any(layer.kind == "conv" for layer in self.layers)

    @property
    def operations(self) -> int:
        """Floating-point operations of a step: two for each product of a weight and a number.

        Forward, gradient of the weight, and except in the first layer gradient of the input.
        Element-wise work (bias, activation, pooling, update) is not counted.
        """
        shape, total, passes = self.sample, 0, 2
        for layer in self.layers:
            shape = layer.after(shape)
            if layer.weight:
                places = prod(shape[1:])
                total += passes * 2 * self.batch * places * prod(layer.weight)
                passes = 3
        return total

    def first_values(self, seed: int = 0) -> dict[str, Tensor]:
        """Weights and biases under torch.nn's names, drawn as torch.nn draws them."""
        generator = torch.Generator().manual_seed(seed)
        values: dict[str, Tensor] = {}
        for place, layer in enumerate(self.layers):
            if layer.weight:
                bound = prod(layer.weight[1:]) ** -0.5
                for name, shape in (("weight", layer.weight), ("bias", (layer.outputs,))):
                    value = torch.empty(shape).uniform_(-bound, bound, generator=generator)
                    values[f"{place}.{name}"] = value
        return values

    def data(self, seed: int = 1) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and targets of each batch."""
        generator = torch.Generator().manual_seed(seed)
        shape = (self.batch, *self.sample)
        xs = [torch.randn(shape, generator=generator) for _ in range(BATCHES)]
        if self.loss == "mse":
            size = (self.batch, self.outputs)
            return xs, [torch.rand(size, generator=generator) for _ in range(BATCHES)]
        labels = [
            torch.randint(self.outputs, (self.batch,), generator=generator) for _ in range(BATCHES)
        ]
        return xs, labels


def dense(sizes: Sequence[int], activation: Literal["relu", "tanh"]) -> tuple[Layer, ...]:
    """Linear layers with an activation between them."""
    layers: list[Layer] = []
    for inputs, outputs in pairwise(sizes):
        layers += [Layer("linear", inputs, outputs), Layer(activation)]
    return tuple(layers[:-1])


def convolutions(channels: Sequence[int], kernel: int) -> tuple[Layer, ...]:
    """Convolutions, each with pooling and relu; flat at the end."""
    layers: list[Layer] = []
    for inputs, outputs in pairwise(channels):
        layers += [Layer("conv", inputs, outputs, kernel), Layer("pool"), Layer("relu")]
    return (*layers, Layer("flatten"))


def _disk(batch: int) -> Network:
    layers = dense((2, 25, 25, 25, 2), "tanh")
    return Network(f"disk-{batch}", f"disk, batch {batch}", (2,), layers, batch, "mse")


def _digits(
    hidden: tuple[int, ...], batch: int, optimizer: Literal["sgd", "adam"] = "sgd"
) -> Network:
    sizes = (784, *hidden, 10)
    title = f"{'-'.join(map(str, sizes))}, batch {batch}"
    layers = dense(sizes, "relu")
    return Network(f"mlp-{hidden[0]}", title, (784,), layers, batch, optimizer=optimizer)


NETWORKS = {
    network.name: network
    for network in (
        _disk(50),
        _disk(1000),
        _digits((256, 128), 64, "adam"),
        _digits((512, 512), 128),
        _digits((1024, 1024), 512),
        Network(
            "pairs",
            "digit-pair convnet, batch 100",
            (2, 14, 14),
            (*convolutions((2, 32, 64), 3), *dense((256, 200, 2), "relu")),
            100,
        ),
        Network(
            "lenet",
            "LeNet, batch 64",
            (1, 28, 28),
            (*convolutions((1, 32, 64), 5), *dense((1024, 512, 10), "relu")),
            64,
        ),
    )
}
"""All networks by name."""
