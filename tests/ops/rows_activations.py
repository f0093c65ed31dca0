"""The rows of the operations in `graphnet.ops.activations`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary
from torch.nn import functional

from graphnet.ops import activations

ROWS: list[Case] = [
    *unary(activations.Identity(), lambda x: x * 1),
    *unary(activations.Tanh(), torch.tanh),
    *unary(activations.Sigmoid(), torch.sigmoid),
    *unary(activations.Relu(), torch.relu),
    *unary(activations.LeakyRelu(), functional.leaky_relu),
    *unary(activations.LeakyRelu(-0.5), lambda x: functional.leaky_relu(x, -0.5)),
    *unary(activations.Elu(), functional.elu),
    *unary(activations.Elu(2.5), lambda x: functional.elu(x, 2.5)),
]
