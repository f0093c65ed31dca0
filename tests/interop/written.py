"""A module of torch, its import, and the import written back as PyTorch."""

from __future__ import annotations

import torch
from closeness import assert_close
from torch import nn
from torch.utils import _pytree as pytree

import graphnet as gn

EXACT = {"rtol": 1e-12, "atol": 1e-12}


class Does(nn.Module):
    """A module that computes one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def written_back(module, *examples):
    """A module in float64, and what its import is written back as."""
    return module.double(), gn.to_torch(gn.from_torch(module.double(), *double(examples)))


def double(examples):
    """Inputs in float64, apart from integers."""
    return pytree.tree_map(lambda x: x.double() if x.is_floating_point() else x, examples)


def assert_written_back_equal(module, *examples, walks=1):
    """Equal outputs and buffers in both modes, after so many calls, under the same names."""
    module, net = written_back(module, *examples)
    assert list(net.state_dict()) == list(module.state_dict())
    for training in (True, False):
        module.train(training)
        net.train(training)
        for _ in range(walks):
            theirs, ours = (_called(each, double(examples)) for each in (module, net))
        assert pytree.tree_structure(ours) == pytree.tree_structure(theirs)
        _assert_equal(pytree.tree_leaves(ours), pytree.tree_leaves(theirs))
        _assert_equal(net.state_dict().values(), module.state_dict().values())
    return net


def _called(module, examples):
    torch.manual_seed(1)
    return module(*pytree.tree_map(torch.clone, examples))


def _assert_equal(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert_close(mine.detach(), other.detach(), **EXACT)
