"""Dead units and saturated values, counted by hand."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.diagnose.units import dead_units, saturated_share
from graphnet.op_rules import Bounds

COLUMN = torch.tensor([[-9.0, 9.0, 0.5, 3.0]]).expand(8, 4)  # the same for each example


class Softsign(gn.Op):
    """y = x / (1 + |x|), of a user who says that it is flat near -1 and 1."""

    symbol = "softsign"

    def forward(self, x):
        return x / (1 + x.abs())

    def grad_x(self, grad, x):
        return grad / (1 + x.abs()) ** 2

    def bounds(self):
        return Bounds(-1, 1)


CASES = {  # operation, dead units of all, share of saturated values
    "relu": (ops.relu, (1, 4), 0),
    "relu6": (ops.relu6, (1, 4), 0.25),
    "hardtanh": (ops.hardtanh, (0, 0), 0.75),
    "tanh": (ops.tanh, (0, 0), 0.75),
    "sigmoid": (ops.sigmoid, (0, 0), 0.5),
    "of a user": (lambda x: Softsign()(x * 30), (0, 0), 0.75),
    "sin": (ops.sin, (0, 0), 0),
    "one bound": (lambda x: x.clamp(min=0), (0, 0), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_units_and_values_are_counted(name):
    operation, dead, share = CASES[name]
    graph = gn.Graph()
    node = operation(graph.input((None, 4), name="x"))
    graph.forward(x=COLUMN)
    assert dead_units(node) == dead
    assert saturated_share(node) == share
    graph.forward(x=COLUMN[:7])  # too few to judge
    assert dead_units(node) == (0, 0)
