"""The rows of the operations in `graphnet.ops.activations`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import activations

ROWS: list[Case] = [
    *unary(activations.Identity(), lambda x: x * 1),
    *unary(activations.Tanh(), torch.tanh),
    *unary(activations.Sigmoid(), torch.sigmoid),
    *unary(activations.Relu(), torch.relu),
]
