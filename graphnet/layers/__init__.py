"""Layers: parts of networks that hold parameters and append operations."""

from graphnet.layers.activations import Identity, ReLU, Sigmoid, Tanh
from graphnet.layers.linear import Linear
from graphnet.layers.module import Module
from graphnet.layers.sequential import Sequential

__all__ = ["Identity", "Linear", "Module", "ReLU", "Sequential", "Sigmoid", "Tanh"]
