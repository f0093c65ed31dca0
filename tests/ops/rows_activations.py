"""The rows of the operations in `graphnet.ops.activations`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary
from torch.nn import functional

from graphnet.ops import activations

# NaN is left to `test_edges`: torch's slope there depends on the place in the tensor.
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1e3, -1e3, float("inf"), -float("inf"))

ROWS: list[Case] = [
    *unary(activations.Identity(), lambda x: x * 1),
    *unary(activations.Tanh(), torch.tanh),
    *unary(activations.Sigmoid(), torch.sigmoid),
    *unary(activations.Relu(), torch.relu),
    *unary(activations.LeakyRelu(), functional.leaky_relu),
    *unary(activations.LeakyRelu(-0.5), lambda x: functional.leaky_relu(x, -0.5)),
    *unary(activations.Elu(), functional.elu, edges=NUMBERS),
    *unary(activations.Elu(2.5), lambda x: functional.elu(x, 2.5), edges=NUMBERS),
]
