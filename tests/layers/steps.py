"""A layer beside torch.nn's, and one training step of both in float64."""

from __future__ import annotations

import torch
from closeness import assert_close
from torch import nn

import graphnet as gn

CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def pair(name, *args, **kwargs):
    """Our layer and torch's, in float64 with torch's state, after changes to every number."""
    torch.manual_seed(0)
    ours = getattr(gn, name)(*args, **kwargs)
    torch.manual_seed(0)
    theirs = getattr(nn, name)(*args, **kwargs)
    mine, state = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(state)
    for key, value in state.items():
        assert torch.equal(mine[key], value), key
    ours.double(), theirs.double()
    for value in theirs.state_dict().values():
        if value.dtype.is_floating_point:
            value.add_(torch.rand_like(value))
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def assert_same_step(ours, theirs, inputs, **settings):
    """The same outputs, gradients of inputs and of parameters, and state afterwards."""
    ours.zero_grad()
    theirs.zero_grad()
    copies = [x.clone().requires_grad_(x.dtype.is_floating_point) for x in inputs]
    tops = ours.forward(*inputs, **settings)
    with torch.enable_grad():
        expected = theirs(*copies, **settings)
    first, first_expected = (t[0] if isinstance(t, tuple) else t for t in (tops, expected))
    assert_close(first, first_expected.detach(), **CLOSE)
    seed = torch.linspace(0.5, 1.5, first.numel(), dtype=torch.float64).reshape(first.shape)
    if isinstance(tops, tuple):
        if tops[1] is None:
            assert expected[1] is None
            grads = ours.backward(seed)
        else:
            assert_close(tops[1], expected[1].detach(), **CLOSE)
            grads = ours.backward(seed, torch.zeros_like(tops[1]))
    else:
        grads = ours.backward(seed)
    first_expected.backward(seed)
    grads = grads if isinstance(grads, tuple) else (grads,)
    for grad, copy in zip(grads, copies, strict=False):
        if copy.requires_grad:
            assert_close(grad, copy.grad, **CLOSE)
    wanted = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        assert_close(parameter.grad, wanted[key].grad, **CLOSE)
    assert_close(ours.state_dict(), dict(theirs.state_dict()), **CLOSE)
