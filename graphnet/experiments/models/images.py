"""Networks that read images: LeNet, residual networks, and U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import graphnet as gn
from graphnet import ops

if TYPE_CHECKING:
    from graphnet.graph import Node

# LeNet


class LeNet(gn.Module):
    """LeCun et al. 1998, with the activations and the pooling of today.

    Shapes: x (n, 1, 28, 28) -> (n, 10).
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = gn.Sequential(
            gn.Conv2d(1, 6, 5, padding=2),
            gn.ReLU(),
            gn.MaxPool2d(2),
            gn.Conv2d(6, 16, 5),
            gn.ReLU(),
            gn.MaxPool2d(2),
        )
        self.classifier = gn.Sequential(
            gn.Flatten(),
            gn.Linear(400, 120),
            gn.ReLU(),
            gn.Linear(120, 84),
            gn.ReLU(),
            gn.Linear(84, 10),
        )

    def build(self, x: Node) -> Node:
        """Append both parts."""
        return self.classifier(self.features(x))


def lenet_graph() -> gn.Graph:
    """LeNet with its loss."""
    return classifier_graph(LeNet(), (None, 1, 28, 28))


def classifier_graph(model: gn.Module, shape: tuple[int | None, ...]) -> gn.Graph:
    """A model of one input that returns scores of classes, with its loss."""
    with gn.Graph() as graph:
        x = gn.Input(shape, name="x")
        t = gn.Input((None,), name="t", dtype=torch.int64)
        gn.LossCrossEntropy()(model(x), t)
    return graph


# residual networks


class BasicBlock(gn.Module):
    """Two convolutions, and a shortcut around them: He et al. 2015.

    Shapes: x (n, inputs, h, w) -> (n, outputs, h / stride, w / stride).
    """

    expansion = 1

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = gn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = gn.BatchNorm2d(outputs)
        self.conv2 = gn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = gn.BatchNorm2d(outputs)
        self.downsample = downsample(inputs, outputs, stride)

    def build(self, x: Node) -> Node:
        """Append the block."""
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class Bottleneck(gn.Module):
    """A 3x3 convolution between two 1x1 convolutions, and a shortcut around them.

    Shapes: x (n, inputs, h, w) -> (n, 4 outputs, h / stride, w / stride).
    """

    expansion = 4

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = gn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn1 = gn.BatchNorm2d(outputs)
        self.conv2 = gn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = gn.BatchNorm2d(outputs)
        self.conv3 = gn.Conv2d(outputs, 4 * outputs, 1, bias=False)
        self.bn3 = gn.BatchNorm2d(4 * outputs)
        self.downsample = downsample(inputs, 4 * outputs, stride)

    def build(self, x: Node) -> Node:
        """Append the block."""
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.bn3(self.conv3(y))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


def downsample(inputs: int, outputs: int, stride: int) -> gn.Sequential | None:
    """A shortcut that changes the shape; None if it stays."""
    if inputs == outputs and stride == 1:
        return None
    return gn.Sequential(gn.Conv2d(inputs, outputs, 1, stride, bias=False), gn.BatchNorm2d(outputs))


class ResNet(gn.Module):
    """A stem, four groups of residual blocks, and a classifier, named as in torchvision.

    Shapes: x (n, 3, h, w) -> (n, classes).

    Args:
        block: the class of its blocks.
        counts: how many blocks each group has.
        width: the channels of the first group.
        classes: how many scores it returns.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        counts: tuple[int, int, int, int],
        width: int = 64,
        classes: int = 1000,
    ) -> None:
        super().__init__()
        self.conv1 = gn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1 = gn.BatchNorm2d(width)
        self.relu = gn.ReLU()
        self.maxpool = gn.MaxPool2d(3, 2, 1)
        inputs, groups = width, []
        for place, count in enumerate(counts):
            outputs, blocks = width * 2**place, gn.Sequential()
            for number in range(count):
                blocks.append(block(inputs, outputs, 2 if place and not number else 1))
                inputs = outputs * block.expansion
            groups.append(blocks)
        self.layer1, self.layer2, self.layer3, self.layer4 = groups
        self.avgpool = gn.AdaptiveAvgPool2d(1)
        self.flatten = gn.Flatten()
        self.fc = gn.Linear(inputs, classes)

    def build(self, x: Node) -> Node:
        """Append the network."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.flatten(self.avgpool(x)))


def resnet18_graph() -> gn.Graph:
    """ResNet-18 with its loss."""
    return classifier_graph(ResNet(BasicBlock, (2, 2, 2, 2)), (None, 3, 224, 224))


def resnet50_graph() -> gn.Graph:
    """ResNet-50 with its loss: about 180 layers."""
    return classifier_graph(ResNet(Bottleneck, (3, 4, 6, 3)), (None, 3, 224, 224))


# U-Net


class DoubleConv(gn.Sequential):
    """Two normalized convolutions: (n, inputs, h, w) -> (n, outputs, h, w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        for channels in (inputs, outputs):
            self.append(gn.Conv2d(channels, outputs, 3, padding=1, bias=False))
            self.append(gn.BatchNorm2d(outputs))
            self.append(gn.ReLU())


class UNet(gn.Module):
    """Ronneberger et al. 2015: down three times and up again, with a bridge at each height.

    Shapes: x (n, 1, h, w) -> (n, 2, h, w); h and w are multiples of 8.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        sizes = [width * 2**place for place in range(4)]
        self.down = gn.ModuleList(
            [DoubleConv(one, other) for one, other in zip([1, *sizes], sizes[:3], strict=False)]
        )
        self.pool = gn.MaxPool2d(2)
        self.bottom = DoubleConv(sizes[2], sizes[3])
        self.up = gn.ModuleList([gn.ConvTranspose2d(2 * n, n, 2, 2) for n in sizes[2::-1]])
        self.merge = gn.ModuleList([DoubleConv(2 * n, n) for n in sizes[2::-1]])
        self.head = gn.Conv2d(width, 2, 1)

    def build(self, x: Node) -> Node:
        """Append the network."""
        bridges = []
        for block in self.down:
            bridges.append(x := block(x))
            x = self.pool(x)
        x = self.bottom(x)
        for up, merge, bridge in zip(self.up, self.merge, reversed(bridges), strict=True):
            x = merge(ops.cat([bridge, up(x)], 1))
        return self.head(x)


def unet_graph() -> gn.Graph:
    """U-Net with its loss for each pixel."""
    with gn.Graph() as graph:
        x = gn.Input((None, 1, 64, 64), name="x")
        t = gn.Input((None, 64, 64), name="t", dtype=torch.int64)
        gn.LossCrossEntropy()(UNet()(x), t)
    return graph
