"""The networks of the table, as plain descriptions that every framework reads.

What all contestants start from is written to files that their processes share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

Kind = Literal["Linear", "Conv2d", "MaxPool2d", "ReLU", "Tanh", "Flatten"]

Sizes = tuple[int, ...]

BATCHES = 4
"""Each step takes the next of this many batches."""


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        kind: the name of its class, in graphnet and in torch.nn.
        arguments: of that class: features or channels before and after it, the side of its window.
    """

    kind: Kind
    arguments: Sizes = ()

    @property
    def weight(self) -> Sizes:
        """The shape of the weight, torch's; () if there is none."""
        if self.kind not in ("Linear", "Conv2d"):
            return ()
        inputs, outputs, *kernel = self.arguments
        return (outputs, inputs, *kernel, *kernel)

    def after(self, shape: Sizes) -> Sizes:
        """The shape of one sample after this layer."""
        if self.kind == "Linear":
            return self.weight[:1]
        if self.kind == "Conv2d":
            return (self.weight[0], *(size - self.weight[2] + 1 for size in shape[1:]))
        if self.kind == "MaxPool2d":
            return (shape[0], *(size // 2 for size in shape[1:]))
        return (prod(shape),) if self.kind == "Flatten" else shape


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
    sample: Sizes
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
        return self.layers[-1].weight[0]

    @property
    def images(self) -> bool:
        """True if there are convolutions."""
        return any(layer.kind == "Conv2d" for layer in self.layers)

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
                for name, shape in (("weight", layer.weight), ("bias", layer.weight[:1])):
                    value = torch.empty(shape).uniform_(-bound, bound, generator=generator)
                    values[f"{place}.{name}"] = value
        return values

    def data(self, seed: int = 1) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and targets of each batch."""
        generator = torch.Generator().manual_seed(seed)
        shape = (self.batch, *self.sample)
        xs = [torch.randn(shape, generator=generator) for _ in range(BATCHES)]
        labels = partial(torch.randint, self.outputs, (self.batch,))
        numbers = partial(torch.rand, (self.batch, self.outputs))
        target = numbers if self.loss == "mse" else labels
        return xs, [target(generator=generator) for _ in range(BATCHES)]


def dense(sizes: Sequence[int], activation: Kind) -> tuple[Layer, ...]:
    """Linear layers with an activation between them."""
    layers: list[Layer] = []
    for inputs, outputs in pairwise(sizes):
        layers += [Layer("Linear", (inputs, outputs)), Layer(activation)]
    return tuple(layers[:-1])


def convolutions(channels: Sequence[int], kernel: int) -> tuple[Layer, ...]:
    """Convolutions, each with pooling and relu; flat at the end."""
    layers: list[Layer] = []
    for inputs, outputs in pairwise(channels):
        convolution = Layer("Conv2d", (inputs, outputs, kernel))
        layers += [convolution, Layer("MaxPool2d", (2,)), Layer("ReLU")]
    return (*layers, Layer("Flatten"))


def _disk(batch: int) -> Network:
    layers = dense((2, 25, 25, 25, 2), "Tanh")
    return Network(f"disk-{batch}", f"disk, batch {batch}", (2,), layers, batch, "mse")


def _digits(hidden: Sizes, batch: int, optimizer: Literal["sgd", "adam"] = "sgd") -> Network:
    sizes = (784, *hidden, 10)
    title = f"{'-'.join(map(str, sizes))}, batch {batch}"
    layers = dense(sizes, "ReLU")
    return Network(f"mlp-{hidden[0]}", title, (784,), layers, batch, optimizer=optimizer)


def _images(
    name: str, title: str, sample: Sizes, channels: Sizes, kernel: int, sizes: Sizes, batch: int
) -> Network:
    layers = (*convolutions((sample[0], *channels), kernel), *dense(sizes, "ReLU"))
    return Network(name, f"{title}, batch {batch}", sample, layers, batch)


NETWORKS = {
    network.name: network
    for network in (
        _disk(50),
        _disk(1000),
        _digits((256, 128), 64, "adam"),
        _digits((512, 512), 128),
        _digits((1024, 1024), 512),
        _images("pairs", "digit-pair convnet", (2, 14, 14), (32, 64), 3, (256, 200, 2), 100),
        _images("lenet", "LeNet", (1, 28, 28), (32, 64), 5, (1024, 512, 10), 64),
    )
}
"""All networks by name."""


@dataclass(frozen=True)
class Workload:
    """What every contestant is given: a network, first values, batches."""

    network: Network
    start: dict[str, Tensor]
    xs: list[Tensor]
    ts: list[Tensor]

    def distance(self, values: dict[str, Tensor], exact: dict[str, Tensor]) -> float:
        """How far values are from the exact ones, relative to the way from the start."""
        far = sum(float((values[name] - exact[name]).square().sum()) for name in exact)
        way = sum(float((self.start[name] - exact[name]).square().sum()) for name in exact)
        return float((far / way) ** 0.5)

    def worst_distance(self, files: Iterable[Path], exact: dict[str, Tensor]) -> float:
        """The largest distance of the values in some files."""
        return max(self.distance(load_file(path), exact) for path in files)


def drawn(network: Network) -> Workload:
    """First values and batches, the same at each call."""
    return Workload(network, network.first_values(), *network.data())


def write_workload(network: Network, folder: Path) -> Workload:
    """Draw first values and batches, and write them to files."""
    workload = drawn(network)
    save_file(workload.start, folder / "start.safetensors")
    data = {f"x{number}": x for number, x in enumerate(workload.xs)}
    data |= {f"t{number}": t for number, t in enumerate(workload.ts)}
    save_file(data, folder / "data.safetensors")
    return workload


def read_workload(network: Network, folder: Path) -> Workload:
    """Read them in another process."""
    start = load_file(folder / "start.safetensors")
    data = load_file(folder / "data.safetensors")
    xs, ts = ([data[f"{name}{number}"] for number in range(BATCHES)] for name in "xt")
    return Workload(network, start, xs, ts)
