"""Reductions, norms, extremes and products of matrices beside torch's."""

from __future__ import annotations

import warnings
from math import inf

import pytest
import torch
from ops.beside import compare, random

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
    for name in ("max", "min", "prod", "cumsum", "logsumexp", "sum", "amax", "argmax"):
        same(name, one, 0)
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
        lambda x: x[:0].max(),
        lambda x: x[:0].max(0),
        lambda x: x[:0].amax(0),
        lambda x: x[:0].argmax(0),
        lambda x: x[:0].norm(inf, 0),
        lambda x: x.flatten(1, 0),
        lambda x: x.flatten(2),
        lambda x: x.view(5, 2),
        lambda x: x.sum().tril(),
        lambda x: x.mm(x),
        lambda x: x.bmm(x),
        lambda x: ops.mm(x[0], x),
        lambda x: ops.addmm(x, x, x),
        lambda x: ops.addmm(x, x.T, x),
        lambda x: ops.einsum("ij,jk->ik", x, x),
        lambda x: ops.einsum("ijk->i", x),
        lambda x: ops.einsum("i->i", x),
        lambda x: ops.einsum("ij->ik", x),
        lambda x: ops.einsum("ij->ii", x),
        lambda x: ops.einsum("ii->i", x),
        lambda x: ops.einsum("i1->i", x),
        lambda x: ops.einsum("ij,ij->ij", x),
    ],
)
def test_wrong_calls_are_refused(wrong):
    x = gn.Graph().input((3, 4), name="x")
    with pytest.raises(gn.GraphError):
        wrong(x)


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij->ji", ((3, 4),)),
        ("ij->j", ((3, 4),)),
        ("ij->", ((3, 4),)),
        ("ji", ((3, 4),)),
        ("...ij->...j", ((2, 3, 4),)),
        ("i,i->", ((3,), (3,))),
        ("i,i->i", ((3,), (3,))),
        ("i,j->ij", ((3,), (4,))),
        ("i,j->ji", ((3,), (4,))),
        ("ij,jk->ik", ((3, 4), (4, 2))),
        ("ij,jk", ((3, 4), (4, 2))),
        ("ij,kj->ki", ((3, 4), (2, 4))),
        ("ij,ij->ij", ((3, 4), (3, 4))),
        ("ij,ij->", ((3, 4), (3, 4))),
        ("ij,ij->i", ((3, 4), (3, 4))),
        ("ij,j->i", ((3, 4), (4,))),
        ("ij,kl->il", ((3, 4), (2, 5))),
        ("bij,bjk->bik", ((2, 3, 4), (2, 4, 5))),
        ("bij,jk->bik", ((2, 3, 4), (4, 5))),
        ("bqhd,bkhd->bhqk", ((2, 3, 2, 4), (2, 5, 2, 4))),
        ("bhqk,bkhd->bqhd", ((2, 2, 3, 5), (2, 5, 2, 4))),
        ("ijk,jkl->il", ((2, 3, 4), (3, 4, 5))),
        ("ijkl,mk->ijml", ((2, 3, 4, 2), (5, 4))),
        ("...ij,...jk->...ik", ((2, 3, 4), (2, 4, 5))),
        ("b...i,ij->b...j", ((2, 3, 4), (4, 5))),
        ("i ... , ... -> ... i", ((3, 4), (4,))),
    ],
)
def test_einsum(equation, shapes, unknown):
    tensors = [random(*shape, seed=place) for place, shape in enumerate(shapes)]
    compare(
        lambda *x: ops.einsum(equation, *x), lambda *x: torch.einsum(equation, *x), tensors, unknown
    )
    strided = [torch.stack([each, each], -1)[..., 0] for each in tensors]
    compare(lambda *x: ops.einsum(equation, *x), lambda *x: torch.einsum(equation, *x), strided)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ii->i", ((3, 3),)),
        ("ii", ((3, 3),)),
        ("iij,jk->ik", ((3, 3, 4), (4, 2))),
        ("ij,jk->ik", ((3, 1), (4, 2))),
        ("bij,bjk->bik", ((1, 3, 4), (2, 4, 5))),
        ("ij,jk->ik", ((0, 4), (4, 2))),
        ("ij,jk->ik", ((3, 0), (0, 2))),
        ("...ij,...jk->...ik", ((3, 4), (2, 4, 5))),
        (",->", ((), ())),
        ("->", ((),)),
    ],
)
def test_einsum_at_known_sizes(equation, shapes):
    tensors = [random(*shape, seed=place) for place, shape in enumerate(shapes)]
    compare(lambda *x: ops.einsum(equation, *x), lambda *x: torch.einsum(equation, *x), tensors)


@pytest.mark.parametrize(
    ("ours", "theirs", "shapes"),
    [
        (ops.mm, torch.mm, ((3, 4), (4, 2))),
        (ops.bmm, torch.bmm, ((2, 3, 4), (2, 4, 5))),
        (ops.bmm, torch.bmm, ((0, 3, 4), (0, 4, 5))),
        (ops.addmm, torch.addmm, ((3, 2), (3, 4), (4, 2))),
        (ops.addmm, torch.addmm, ((2,), (3, 4), (4, 2))),
        (ops.addmm, torch.addmm, ((), (3, 4), (4, 2))),
        (
            lambda *x: x[0].addmm(*x[1:], beta=0.5, alpha=-2),
            lambda *x: x[0].addmm(*x[1:], beta=0.5, alpha=-2),
            ((3, 1), (3, 4), (4, 2)),
        ),
        (ops.linear, torch.nn.functional.linear, ((2, 3, 4), (5, 4), (5,))),
        (ops.linear, torch.nn.functional.linear, ((2, 3, 4), (5, 4))),
        (ops.linear, torch.nn.functional.linear, ((4,), (5, 4), (5,))),
        (ops.linear, torch.nn.functional.linear, ((3, 4), (4,))),
    ],
)
def test_products_of_matrices(ours, theirs, shapes):
    compare(ours, theirs, [random(*shape, seed=place) for place, shape in enumerate(shapes)])
