"""5,000 steps in C stay as near to float64 as those of torch.nn."""

from __future__ import annotations

import itertools

import pytest
import torch

import graphnet as gn

STEPS, BATCH, SIZES = 5000, 50, [2, 25, 25, 25, 2]


def data(dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1000, 2, generator=generator)
    inside = ((x - 0.5).square().sum(1) < 1 / (2 * torch.pi)).long()
    t = torch.nn.functional.one_hot(inside, 2) * 2 - 1
    return ((x - 0.5) / 0.29).to(dtype), t.to(dtype)


def batches():
    generator = torch.Generator().manual_seed(1)
    epochs = [torch.randperm(1000, generator=generator) for _ in range(STEPS * BATCH // 1000)]
    return torch.cat(epochs)


def first_values():
    generator = torch.Generator().manual_seed(2)
    values = []
    for inputs, outputs in itertools.pairwise(SIZES):
        bound = inputs**-0.5
        shapes = (outputs, inputs), (outputs,)
        values += [(torch.rand(s, generator=generator) * 2 - 1) * bound for s in shapes]
    return values


def by_torch(dtype):
    layers = []
    for inputs, outputs in itertools.pairwise(SIZES):
        layers += [torch.nn.Linear(inputs, outputs, dtype=dtype), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), first_values(), strict=True):
            parameter.copy_(value)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    x, t = data(dtype)
    with torch.enable_grad():
        for rows in batches().split(BATCH):
            loss = torch.nn.functional.mse_loss(model(x[rows]), t[rows])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
    return [each.detach().double() for each in model.parameters()]


def by_native_code():
    layers = []
    for inputs, outputs in itertools.pairwise(SIZES):
        layers += [gn.Linear(inputs, outputs), gn.Tanh()]
    model = gn.Sequential(*layers[:-1])
    for parameter, value in zip(model.parameters(), first_values(), strict=True):
        parameter.top.copy_(value)
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(model(x), t)
    step = graph.compile(loss, gn.SGD(model.parameters(), lr=0.1), backend="c")
    x, t = data(torch.float32)
    step.many(x=x, t=t, batch_size=BATCH, order=batches())
    assert step.source.startswith("#include")
    return [each.top.double() for each in model.parameters()]


def distance(values, exact, start):
    """How far values are from the exact ones, relative to the way from the start."""
    far = sum((a - b).square().sum() for a, b in zip(values, exact, strict=True))
    way = sum((a - b).square().sum() for a, b in zip(start, exact, strict=True))
    return (far / way).sqrt().item()


@pytest.mark.slow
def test_the_disk_network():
    start = [each.double() for each in first_values()]
    exact = by_torch(torch.float64)
    theirs = distance(by_torch(torch.float32), exact, start)
    ours = distance(by_native_code(), exact, start)
    # Rounding is like chance: two orders of summing are seldom equally far off.
    assert ours <= 2 * theirs, (ours, theirs)
    assert ours < 1e-4
