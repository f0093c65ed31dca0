"""Modules written twice, for graphnet and for torch.nn, and their comparison in float64."""

from __future__ import annotations

import torch
from closeness import assert_close
from torch import nn

import graphnet as gn

DOUBLE = torch.float64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(shape, generator):
    return torch.randn(shape, generator=generator, dtype=DOUBLE)


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def close(mine, other):
    # numbers about 1 through a few layers: 1e-12 is rounding of float64
    assert_close(mine, other.detach(), rtol=1e-12, atol=1e-12)


def check(ours, theirs, *inputs, generator=None):
    """One forward and backward of both; the gradients of the parameters add up in both."""
    leaves = [each.clone().requires_grad_(each.is_floating_point()) for each in inputs]
    before = [each.clone() for each in inputs]
    expected = as_tuple(theirs(*leaves))
    generator = generator or seeded(7)
    grads = [torch.randn(each.shape, generator=generator, dtype=DOUBLE) for each in expected]
    torch.autograd.backward(expected, grads)
    for mine, other in zip(as_tuple(ours.forward(*inputs)), expected, strict=True):
        close(mine, other)
    results = ours.backward(*grads)
    assert all(now.equal(then) for now, then in zip(inputs, before, strict=True))
    assert isinstance(results, tuple) == (len(inputs) > 1)
    for mine, leaf in zip(as_tuple(results), leaves, strict=True):
        assert mine is None if leaf.grad is None else close(mine, leaf.grad) is None
    pairs = zip(ours.named_parameters(), theirs.named_parameters(), strict=True)
    for (name, mine), (same, other) in pairs:
        assert name == same
        close(mine.top, other)
        close(mine.grad, torch.zeros_like(other) if other.grad is None else other.grad)


# user modules, each twice: for graphnet with `build`, for torch with `forward`


class Block:
    def __init__(self, kit):
        super().__init__()
        self.scale = PARAMETER[kit](torch.linspace(-1, 1, 3))
        self.inner = kit.Linear(3, 3)
        self.outer = kit.Sequential(kit.Linear(3, 4), kit.Tanh())
        self.shift = PARAMETER[kit](torch.zeros(4))

    def compute(self, x):
        return self.outer(self.inner(x * self.scale).tanh() + x) + self.shift


class Net:
    def __init__(self, kit):
        super().__init__()
        self.encoder = kit.Sequential(
            built_with(kit, Block), kit.Linear(4, 3), built_with(kit, Block)
        )
        self.head = kit.Linear(4, 2, bias=False)

    def compute(self, x):
        return self.head(self.encoder(x))


class Shared:
    def __init__(self, kit):
        super().__init__()
        self.layer = kit.Linear(3, 3)

    def compute(self, x):
        return self.layer(self.layer(self.layer(x).tanh()) + x)


class TwoInputs:
    def __init__(self, kit):
        super().__init__()
        self.left, self.right = kit.Linear(3, 2), kit.Linear(4, 2, bias=False)

    def compute(self, x, y):
        return self.left(x) * self.right(y)


class TwoOutputs:
    def __init__(self, kit):
        super().__init__()
        self.layer = kit.Linear(3, 3)

    def compute(self, x):
        y = self.layer(x)
        return y.tanh(), (y * y).sum(1), y


class Masked:
    def __init__(self, kit):
        super().__init__()
        self.layer = kit.Linear(3, 3)

    def compute(self, x, labels):
        return self.layer(x).masked_fill(labels.eq(0), 0.5)


PARAMETER = {gn: gn.Parameter, nn: nn.Parameter}


def built_with(kit, body):
    method = "build" if kit is gn else "forward"
    return type(body.__name__, (body, kit.Module), {method: body.compute})(kit)


def pair(body):
    torch.manual_seed(0)
    theirs = built_with(nn, body).double()
    ours = built_with(gn, body).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


ALL = [Block, Net, Shared, TwoOutputs, TwoInputs, Masked]


def inputs_of(body, rows, generator):
    x = torch.randn(rows, 3, generator=generator, dtype=DOUBLE)
    if body is TwoInputs:
        return x, torch.randn(rows, 4, generator=generator, dtype=DOUBLE)
    if body is Masked:
        return x, torch.randint(0, 3, (rows, 1), generator=generator)
    return (x,)
