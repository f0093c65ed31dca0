"""Reductions, norms and extremes beside torch's."""

from __future__ import annotations

import warnings
from math import inf

import pytest
import torch
from ops.against_torch import compare, random

import graphnet as gn
from graphnet import ops

TIES = torch.tensor([[2.0, 2, -1, 0], [0, 0, 0, 0], [-3, 5, 5, 5]], dtype=torch.float64)
VALUES = [random(3, 4), random(4, 3).mT, TIES, random(3, 4) * 1000]
DIMS = [{}, {"dim": 0}, {"dim": -1}, {"dim": 1, "keepdim": True}]
SEVERAL = [*DIMS, {"dim": (0, 1)}, {"dim": (-1, 0), "keepdim": True}]


def same(name, x, *arguments, second=True, unknown=False, **options):
    compare(
        lambda x: getattr(ops, name)(x, *arguments, **options),
        lambda x: getattr(torch, name)(x, *arguments, **options),
        [x],
        unknown,
        second,
    )


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("options", SEVERAL, ids=str)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "amax", "amin", "norm"])
def test_over_several_dims(name, options, unknown):
    for x in VALUES:
        # torch's second derivatives at the kinks of std and norm are not numbers.
        same(
            name, x, unknown=unknown, second=x is not TIES or name not in ("std", "norm"), **options
        )


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("options", DIMS, ids=str)
@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin", "prod"])
def test_over_one_dim(name, options, unknown):
    for x in VALUES:
        same(name, x, unknown=unknown, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"dim": 1, "correction": 0},
        {"dim": 1, "unbiased": False},
        {"dim": (0, 1), "unbiased": True, "keepdim": True},
        {"unbiased": False},
        {"correction": 2},
        {"dim": 0, "correction": 0.5},
        {"dim": None, "correction": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["var", "std"])
def test_corrections(name, options):
    same(name, random(3, 4), **options)
    if "correction" not in options and "dim" not in options:
        same(name, random(3, 4), False)


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin"])
def test_no_dim_named_is_all_dims(name):
    same(name, random(3, 4), dim=())


@pytest.mark.parametrize("p", [2, 1, inf, -inf, 3, 1.5, 0.5, 0, "fro", 2.0])
@pytest.mark.parametrize("options", SEVERAL, ids=str)
def test_norms(p, options):
    for x in (random(3, 4), random(3, 4) * 1000):
        same("norm", x, p, second=p != 0.5, **options)
    if p not in (3, 1.5, 0.5, 0):
        same("norm", TIES, p, second=False, **options)


def test_logsumexp():
    for x in (*VALUES, TIES.masked_fill(TIES.eq(0), -inf)):
        for options in SEVERAL[1:]:
            same("logsumexp", x, second=bool(x.isfinite().all()), **options)


@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes_of_booleans(name):
    for options in ({}, {"dim": 1}, {"dim": 0, "keepdim": True}):
        same(name, TIES > 0, **options)


@pytest.mark.parametrize("zeros", [[], [1], [1, 3], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("unknown", [False, True])
def test_products_with_zeros(zeros, unknown):
    x = random(5, 2)
    x[zeros, 0] = 0
    for options in ({}, {"dim": 0}, {"dim": -2, "keepdim": True}):
        same("prod", x, unknown=unknown, **options)


def test_single_numbers_and_nothing():
    one = random()
    for name in ("sum", "mean", "amax", "amin", "max", "min", "prod", "norm", "argmax", "argmin"):
        same(name, one)
    for name in ("max", "min", "prod", "cumsum", "logsumexp", "sum", "amax", "argmax", "mean"):
        same(name, one, 0)
        same(name, one, -1)
    for name in ("var", "std"):
        same(name, one, 0, correction=0, second=False)
    for name in ("sum", "prod", "norm"):
        same(name, random(0, 3))
        same(name, random(0, 3), dim=1)
        same(name, random(0, 3), dim=0)
    for name in ("amax", "max", "argmin"):
        same(name, random(0, 3), dim=1)
    same("logsumexp", random(0, 3), 0)
    same("cumsum", random(0, 3), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same("var", random(0, 3), dim=1, second=False)
        same("var", random(3, 1), dim=1, second=False)
        same("std", random(3, 1), second=False)


def test_cumsum():
    for dim in (0, 1, -1):
        same("cumsum", random(3, 4), dim)
        same("cumsum", random(4, 3).mT, dim, unknown=True)


def test_two_tensors():
    compare(ops.max, torch.max, [TIES, TIES.flip(1)], second=False)
    compare(ops.min, torch.min, [TIES, TIES.flip(1)], second=False)


@pytest.mark.parametrize("unknown", [False, True])
def test_numel_is_a_number_or_a_node(unknown):
    graph = gn.Graph()
    x = graph.input((None if unknown else 3, 4), name="x")
    number = x.numel()
    assert (graph.forward(x=torch.ones(3, 4)) if unknown else number) == 12


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x.var(2),
        lambda x: x.var((0, 0)),
        lambda x: x.var(0, unbiased=True, correction=1),
        lambda x: x.amax(-3),
        lambda x: x.max(2),
        lambda x: x.max(keepdim=True),
        lambda x: x.argmax(2),
        lambda x: x.prod(2),
        lambda x: x.cumsum(2),
        lambda x: x.logsumexp(2),
        lambda x: x.norm("nuc"),
        lambda x: x.gt(0).norm(),
        lambda x: x.gt(0).norm(inf),
        lambda x: x.sum(True),
        lambda x: x.sum("a"),
        lambda x: x.sum((0, 1.0)),
        lambda x: x.mean(1.0),
        lambda x: x.cumsum(True),
        lambda x: x.softmax(True),
        lambda x: x.log_softmax(0.0),
        lambda x: x.max(True),
        lambda x: x.max((0, 1)),
        lambda x: x.max(0, 2),
        lambda x: x.prod((0, 1)),
        lambda x: x.prod(keepdim=True),
        lambda x: x.var(0, 1),
        lambda x: x.std(correction="a"),
        lambda x: x.logsumexp(None),
        lambda x: x.logsumexp(()),
        lambda x: x.flatten(1.0),
        lambda x: x.transpose(0, "a"),
        lambda x: x.unsqueeze(None),
        lambda x: x.sum().squeeze(1),
        lambda x: x.tril(1.0),
        lambda x: x.triu("a"),
        lambda x: x.unflatten(1, 4),
        lambda x: x.unflatten(1, (2.0, 2)),
        lambda x: x[:0].max(),
        lambda x: x[:0].max(0),
        lambda x: x[:0].amax(0),
        lambda x: x[:0].argmax(0),
        lambda x: x[:0].norm(inf, 0),
        lambda x: x.flatten(1, 0),
        lambda x: x.flatten(2),
        lambda x: x.view(5, 2),
        lambda x: x.sum().tril(),
    ],
)
def test_wrong_calls_are_refused(wrong):
    x = gn.Graph().input((3, 4), name="x")
    with pytest.raises(gn.GraphError):
        wrong(x)
