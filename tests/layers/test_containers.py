"""Lists of modules, and a module with a way around it."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn


def test_containers():
    class Stack(gn.Module):
        def __init__(self):
            self.steps = gn.ModuleList([gn.Linear(3, 3) for _ in range(2)])
            self.steps.append(gn.Residual(gn.Linear(3, 3)))

        def build(self, x):
            for step in self.steps:
                x = step(x)
            return x

    stack = Stack()
    assert list(stack.state_dict())[-1] == "steps.2.inner.bias"
    assert len(stack.steps) == 3
    assert stack.steps[-1] is stack.steps[1:][1]
    x = torch.randn(4, 3)
    first, second, last = stack.steps
    h = second.forward(first.forward(x))
    torch.testing.assert_close(stack.forward(x), h + last.inner.forward(h))
    with pytest.raises(gn.GraphError):
        gn.ModuleList([3])
    with pytest.raises(gn.GraphError):
        gn.Residual(gn.Linear(3, 1)).forward(x)
