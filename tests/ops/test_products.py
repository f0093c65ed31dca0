"""Products of matrices, and sums of products, beside torch's."""

from __future__ import annotations

import pytest
import torch
from ops.against_torch import compare, random

import graphnet as gn
from graphnet import ops


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x.matmul(2),
        lambda x: x.mm("a"),
        lambda x: x[None].bmm(1.0),
        lambda x: x[None].bmm(x[None]),
        lambda x: x[0].addmm(x, x.T, beta="a"),
        lambda x: x[0].addmm(x, x.T, alpha=x),
        lambda x: ops.addmm(1.0, x, x.T),
        lambda x: ops.einsum(None, x),
        lambda x: ops.einsum("ij->ij", 2.0),
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


@pytest.mark.parametrize(
    ("function", "feeds"),
    [
        (lambda x: ops.einsum("ii->i", x), [(3, 4)]),
        (ops.bmm, [(1, 3, 4), (2, 4, 5)]),
    ],
)
def test_wrong_sizes_are_refused_once_they_are_fed(function, feeds):
    graph = gn.Graph()
    nodes = [graph.input((None,) * len(feed), name=f"x{i}") for i, feed in enumerate(feeds)]
    function(*nodes)
    with pytest.raises(gn.ShapeError):
        graph.forward({node: torch.ones(feed) for node, feed in zip(nodes, feeds, strict=True)})


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
        ("ii->i", ((3, 3),)),
        ("ii", ((3, 3),)),
        ("iji->ji", ((3, 4, 3),)),
        ("iii->i", ((3, 3, 3),)),
        ("iij,jk->ik", ((3, 3, 4), (4, 2))),
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
