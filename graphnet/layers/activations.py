"""Activations as layers: they have no parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet import ops
from graphnet.layers.module import Module

if TYPE_CHECKING:
    from graphnet.graph import Node


class Identity(Module):
    """y = x.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the identity."""
        return ops.identity(x)


class ReLU(Module):
    """y = max(x, 0), element by element; its derivative at 0 is 0.  Shapes: any.

    >>> from torch import empty
    >>> ReLU().forward(empty(2).fill_(-3))
    tensor([0., 0.])
    """

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.relu(x)


class Tanh(Module):
    """y = tanh x, element by element, between -1 and 1.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.tanh(x)


class Sigmoid(Module):
    """y = 1 / (1 + e⁻ˣ), element by element, between 0 and 1.  Shapes: any."""

    def build(self, x: Node) -> Node:
        """Append the activation."""
        return ops.sigmoid(x)
