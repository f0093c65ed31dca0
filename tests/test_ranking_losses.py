"""Losses of three inputs: functions and modules, beside torch's, walked and compiled."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from ops.against_torch import compare, random
from torch.nn import functional

import graphnet as gn
from graphnet import ops

A, B, C = (random(6, 4, seed=seed) for seed in range(3))
SIGNS = torch.tensor([1, -1, 1, 1, -1, -1], dtype=torch.float64)
VARIANCE = C.abs() + 1e-8  # one below eps is tried as well
VARIANCE[0, 0] = 1e-9

CALLS = {
    "triplet": ("triplet_margin_loss", (A, B, C), {}),
    "triplet, p=1": ("triplet_margin_loss", (A, B, C), {"margin": 0.3, "p": 1.0}),
    "triplet, swap": ("triplet_margin_loss", (A, B, C), {"swap": True}),
    "cosine": ("cosine_embedding_loss", (A, B, SIGNS), {"margin": -0.2}),
    "cosine, a row": ("cosine_embedding_loss", (A[0], B[0], SIGNS[1]), {"margin": -0.9}),
    "ranking": ("margin_ranking_loss", (A[:, 0], B[:, 0], SIGNS), {"margin": 0.2}),
    "gaussian": ("gaussian_nll_loss", (A, B, VARIANCE), {}),
    "gaussian, full": ("gaussian_nll_loss", (A, B, VARIANCE), {"full": True, "eps": 1e-3}),
    "gaussian, one variance a row": ("gaussian_nll_loss", (A, B, VARIANCE[:, :1]), {}),
    "gaussian, rows": ("gaussian_nll_loss", (A, B, VARIANCE[:, 1]), {}),
}
MODULES = {
    "triplet": (gn.LossTripletMargin, torch.nn.TripletMarginLoss),
    "cosine": (gn.LossCosineEmbedding, torch.nn.CosineEmbeddingLoss),
    "ranking": (gn.LossMarginRanking, torch.nn.MarginRankingLoss),
    "gaussian": (gn.LossGaussianNLL, torch.nn.GaussianNLLLoss),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", CALLS)
def test_functions_are_those_of_torch(name, reduction):
    function, tensors, options = CALLS[name]
    ours, theirs = getattr(ops, function), getattr(functional, function)
    constants = 1 if SIGNS in [each for each in tensors if each is SIGNS] else 0
    kept, rest = tensors[: 3 - constants], tensors[3 - constants :]
    compare(
        lambda *x: ours(*x, *rest, **options, reduction=reduction),
        lambda *x: theirs(*x, *rest, **options, reduction=reduction),
        kept,
        second=False,
    )


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_those_of_torch(name):
    _, tensors, options = CALLS[name]
    ours, theirs = (kind(**options) for kind in MODULES[name])
    expected = theirs(*tensors)
    assert_close(ours(*tensors), expected, rtol=1e-12, atol=1e-12)
    with gn.Graph() as graph:
        nodes = [
            gn.Input((None, *each.shape[1:]), name=f"x{place}", dtype=torch.float64)
            for place, each in enumerate(tensors)
        ]
        loss = ours(*nodes)
    feed = {node.name: each for node, each in zip(nodes, tensors, strict=True)}
    for backend in ("torch", "c"):
        value = graph.compile(loss, backend=backend)(feed)
        assert_close(value, expected, rtol=1e-12, atol=1e-12)


def test_a_variance_that_is_a_number():
    for options in ({"var": 0.5}, {"var": 1e-9, "full": True}):
        expected = functional.gaussian_nll_loss(A, B, **options)
        assert_close(ops.gaussian_nll_loss(A, B, **options), expected, rtol=1e-12, atol=1e-12)


def test_distances_of_pairs():
    for options in ({}, {"p": 1.0, "eps": 0.1, "keepdim": True}):
        compare(
            lambda x, y, o=options: ops.pairwise_distance(x, y, **o),
            lambda x, y, o=options: functional.pairwise_distance(x, y, **o),
            (A, B),
        )


REFUSED = {
    "margin": (lambda: ops.triplet_margin_loss(A, B, C, margin=0), gn.RangeError),
    "rows of signs": (lambda: ops.cosine_embedding_loss(A, B, C), gn.ShapeError),
    "dimensions": (lambda: ops.margin_ranking_loss(A, B, SIGNS), gn.ShapeError),
    "eps": (lambda: gn.LossGaussianNLL(eps=0), gn.RangeError),
    "variance": (lambda: ops.gaussian_nll_loss(A, B, -1.0), gn.RangeError),
    "no elements": (
        lambda: ops.triplet_margin_loss(A[:0], B[:0], C[:0]), gn.EmptyBatchError
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, error = REFUSED[name]
    with pytest.raises(error):
        call()
