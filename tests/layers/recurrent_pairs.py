"""A recurrent module beside torch's, from the same seed, with autograd in float64."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from closeness import assert_close
from torch import nn

import graphnet as gn

DOUBLE = torch.float64
KINDS = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("GRU", {})]
EACH = pytest.mark.parametrize(("name", "options"), KINDS, ids=["tanh", "relu", "LSTM", "GRU"])
NAMES = pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, generator):
    return torch.randn(shape, generator=generator, dtype=DOUBLE)


def leaves(value):
    if not isinstance(value, tuple):
        return [value]
    return [leaf for each in value for leaf in leaves(each)]


def like(value, change):
    """A nested tuple of changed tensors."""
    if isinstance(value, tuple):
        return tuple(like(each, change) for each in value)
    return change(value)


def structure(value):
    return like(value, lambda each: tuple(each.shape))


def close(mine, other):
    # sums of tens of products of numbers about 1, through a few steps: rounding is below 1e-12
    assert_close(mine, other.detach(), rtol=1e-12, atol=1e-12)


def pair(name, *sizes, **options):
    """The same module in both kits, made from the same seed."""
    torch.manual_seed(3)
    theirs = getattr(nn, name)(*sizes, **options, dtype=DOUBLE)
    torch.manual_seed(3)
    ours = getattr(gn, name)(*sizes, **options, dtype=DOUBLE)
    return ours, theirs


def check(ours, theirs, *inputs, generator=None):
    """Values and gradients by input, state and parameters; both add up the latter."""
    generator = generator or seeded(7)
    wanted = like(inputs, lambda each: each.clone().requires_grad_())
    expected = theirs(*wanted)
    grads = like(expected, lambda each: randn(*each.shape, generator=generator))
    torch.autograd.backward(leaves(expected), leaves(grads))
    got = ours.forward(*inputs)
    assert structure(got) == structure(expected)
    for mine, other in zip(leaves(got), leaves(expected), strict=True):
        close(mine, other)
    results = ours.backward(*grads) if isinstance(grads, tuple) else ours.backward(grads)
    results = results if len(inputs) > 1 else (results,)
    assert structure(results) == structure(inputs)
    for mine, leaf in zip(leaves(results), leaves(wanted), strict=True):
        close(mine, leaf.grad)
    pairs = zip(ours.named_parameters(), theirs.named_parameters(), strict=True)
    for (mine_name, mine), (other_name, other) in pairs:
        assert mine_name == other_name
        close(mine.grad, other.grad)


def state_of(name, shape, generator):
    parts = tuple(randn(*shape, generator=generator) for _ in range(1 + ("LSTM" in name)))
    return parts if "LSTM" in name else parts[0]


def inputs_of(name, theirs, rows, length, generator, given=True):
    """A sequence and an initial state; without a batch where rows is None."""
    batch = () if rows is None else (rows,)
    shape = (length, *batch) if not theirs.batch_first else (*batch, length)
    x = randn(*shape, theirs.input_size, generator=generator)
    layers = theirs.num_layers * (1 + theirs.bidirectional)
    state = state_of(name, (layers, *batch, theirs.hidden_size), generator)
    return (x, state) if given else (x,)


SETTINGS = [
    {"num_layers": layers, "bidirectional": both, "batch_first": first, "bias": bias}
    for layers, both, first, bias in product((1, 3), (False, True), (False, True), (True, False))
    if bias or layers == 1
]
