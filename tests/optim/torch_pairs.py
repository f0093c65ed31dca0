"""The same parameters in graphnet and in torch, trained beside each other."""

from __future__ import annotations

from inspect import signature

import torch
from closeness import assert_close
from torch import nn

import graphnet as gn

SHAPES = [(3, 4), (4,), (), (0, 2), (2, 3, 2)]

MEMORY = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("Adam", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "amsgrad": True}),
    ("Adamax", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {"lr": 0.5}),
]
"""One of each kind whose next step depends on the steps before."""


class TorchPair:
    """The same parameters in graphnet and in torch, given the same gradients."""

    def __init__(self, shapes=SHAPES, dtype=torch.float64, seed=0):
        self.generator = torch.Generator().manual_seed(seed)
        starts = [torch.randn(shape, generator=self.generator, dtype=dtype) for shape in shapes]
        self.ours = [gn.Parameter(start) for start in starts]
        self.theirs = [nn.Parameter(start.clone()) for start in starts]

    def optimizers(self, kind, options, places=None):
        places = range(len(self.ours)) if places is None else places
        ours = getattr(gn, kind)([self.ours[place] for place in places], **options)
        theirs = torch_optimizer(kind, [self.theirs[place] for place in places], options)
        return ours, theirs

    def set_gradients(self, frozen=()):
        for place, (mine, other) in enumerate(zip(self.ours, self.theirs, strict=True)):
            grad = torch.randn(other.shape, generator=self.generator, dtype=other.dtype)
            other.grad = None if place in frozen else grad.clone()
            if mine.requires_grad == (place in frozen):  # touched only where it changes
                mine.requires_grad = place not in frozen
            if place not in frozen:
                mine.grad = grad

    def step(self, ours, theirs, frozen=()):
        self.set_gradients(frozen)
        ours.step()
        theirs.step()

    def check(self, tolerance=1e-12):
        # Values are about 1, so 1e-12 is rounding of float64 over the steps and nothing more.
        for mine, other in zip(self.ours, self.theirs, strict=True):
            assert_close(mine.top, other.detach(), rtol=tolerance, atol=tolerance)


DECOUPLED = "decoupled_weight_decay"  # an option of torch's Adam since 2.7


def torch_optimizer(kind, parameters, options):
    """That of torch; where its Adam has no such option, AdamW decouples the decay."""
    kind, options = getattr(torch.optim, kind), dict(options)
    if DECOUPLED in options and DECOUPLED not in signature(kind).parameters:
        kind = torch.optim.AdamW if options.pop(DECOUPLED) else kind
    return kind(parameters, **options)


GROUPS = {
    "one group": [((0, 1, 2, 3, 4), {})],
    "two groups": [((0, 2), {"lr": 0.03}), ((1, 3, 4), {})],
}


def made(module, parameters, kind, options, groups):
    return getattr(module, kind)(
        [{"params": [parameters[place] for place in places], **own} for places, own in groups],
        **options,
    )


def trained(kind, options, groups, steps=7, frozen=()):
    both = TorchPair()
    ours = made(gn, both.ours, kind, options, groups)
    theirs = made(torch.optim, both.theirs, kind, options, groups)
    for _ in range(steps):
        both.step(ours, theirs, frozen)
    return both, ours, theirs


def assert_same_state(mine, other, tolerance=1e-12):
    assert mine["state"].keys() == other["state"].keys()
    for index, entry in other["state"].items():
        known = {name: value for name, value in entry.items() if value is not None}
        assert mine["state"][index].keys() == known.keys()
        for name, value in known.items():
            found = mine["state"][index][name]
            assert found.dtype is value.dtype
            assert found.device == value.device
            assert_close(found, value, rtol=tolerance, atol=tolerance)
    machinery = {"foreach", "fused", "capturable", "differentiable"}
    for group, needed in zip(mine["param_groups"], other["param_groups"], strict=True):
        known = {name: value for name, value in needed.items() if name not in machinery}
        left_out = {DECOUPLED} - known.keys()
        assert {name: value for name, value in group.items() if name not in left_out} == known


def assert_words(words, error):
    assert [word for word in words if word not in str(error.value)] == []


def network(dtype=torch.float64):
    return gn.Sequential(
        gn.Linear(2, 5, dtype=dtype), gn.Tanh(), gn.Linear(5, 4, dtype=dtype), gn.Tanh(),
        gn.Linear(4, 1, bias=False, dtype=dtype),
    )  # fmt: skip


def torch_network(state):
    net = nn.Sequential(
        nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1, bias=False)
    ).double()
    net.load_state_dict(state)
    return net
