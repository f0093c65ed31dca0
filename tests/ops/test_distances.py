"""The divergence and the cosine beside torch's own."""

from __future__ import annotations

import math

import pytest
import torch
from ops.against_torch import CLOSE, F64, both, compare, rand

import graphnet as gn
from graphnet import ops

F = torch.nn.functional

SHAPES = [(5, 3), (1, 1), (4,), (), (2, 3, 4)]


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_divergence_of_a_batch(log_target, shape):
    options = {"log_target": log_target, "reduction": "batchmean"}
    x, t = rand(shape, -2, 0, 1), rand(shape, 0.1, 1, 2)
    compare(*both("kl_div", **options), [x, t])
    compare(*both("kl_div", **options), [x, t], unknown="rows")
    with pytest.raises(gn.EmptyBatchError):
        ops.kl_div(torch.empty(0, 3), torch.empty(0, 3), **options)


@pytest.mark.parametrize("log_target", [False, True])
def test_divergence_at_the_ends(log_target):
    x = torch.tensor([0.0, -1e3, -5, 0.0, -1, -1, 1e3], dtype=F64)
    t = torch.tensor([0.0, 0.0, 1.0, 1.0, math.inf, math.nan, 1e3], dtype=F64)
    options = {"log_target": log_target, "reduction": "none"}
    compare(*both("kl_div", **options), [x, t], second=False)
    torch.testing.assert_close(
        ops.kl_div(x, t, **options), F.kl_div(x, t, **options), equal_nan=True, **CLOSE
    )


@pytest.mark.parametrize("flag", [1, 0, None, "yes"])
def test_logarithms_are_a_yes_or_a_no(flag):
    x = rand((3,))
    for wrong in (
        lambda: ops.kl_div(x, x, log_target=flag),
        lambda: gn.LossKLDiv(log_target=flag),
    ):
        with pytest.raises(gn.GraphError, match="log_target must be True or False"):
            wrong()


COSINES = {
    "default": ((5, 3), (5, 3), {}),
    "dim 0": ((5, 3), (5, 3), {"dim": 0}),
    "last": ((2, 5, 3), (2, 5, 3), {"dim": -1}),
    "vectors": ((4,), (4,), {"dim": 0}),
    "all pairs": ((5, 1, 3), (1, 4, 3), {"dim": -1}),
    "fewer dimensions": ((5, 3), (3,), {"dim": 1}),
    "fewer, from the end": ((3,), (2, 5, 3), {"dim": -1}),
    "fewer, before": ((3,), (5, 3), {"dim": 0}),
    "repeated along dim": ((5, 1), (5, 3), {}),
    "eps": ((5, 3), (5, 3), {"eps": 1e-3}),
    "eps above all lengths": ((5, 3), (5, 3), {"eps": 9}),
    "eps amid the lengths": ((5, 3), (5, 3), {"eps": 1.0}),
    "eps 0": ((5, 3), (5, 3), {"eps": 0}),
    "single numbers": ((), (), {"dim": 0}),
    "single numbers, last": ((), (), {"dim": -1}),
    "one single number": ((), (5, 3), {}),
    "nothing": ((0, 3), (0, 3), {}),
    "no components": ((4, 0), (4, 0), {}),
}


@pytest.mark.parametrize(("left", "right", "options"), COSINES.values(), ids=COSINES)
@pytest.mark.parametrize("unknown", [False, True])
def test_cosine(left, right, options, unknown):
    compare(
        *both("cosine_similarity", **options),
        [rand(left, seed=1), rand(right, seed=2)],
        unknown="rows" if unknown and left[:1] == right[:1] else False,
    )


@pytest.mark.parametrize("size", [0.0, 1e3, -1e3, 1e-20, 1e-170])
@pytest.mark.parametrize("eps", [1e-8, 1e-200])
def test_cosine_of_vectors_of_any_length(size, eps):
    x, y = torch.full((2, 3), size, dtype=F64), rand((2, 3))
    compare(*both("cosine_similarity", eps=eps), [x, y], second=False)


@pytest.mark.parametrize(
    ("left", "right", "dim"),
    [((2, 3), (2, 4), 1), ((2, 3), (4, 3), 1), ((3,), (3,), 1), ((), (), 1), ((2, 3), (2, 3), -3)],
    ids=str,
)
def test_cosine_refuses_shapes(left, right, dim):
    graph = gn.Graph()
    x, y = graph.input(left, name="x"), graph.input(right, name="y")
    with pytest.raises(gn.ShapeError):
        ops.cosine_similarity(x, y, dim=dim)
    with pytest.raises(gn.ShapeError):
        ops.cosine_similarity(rand(left), rand(right), dim=dim)


@pytest.mark.parametrize("eps", [-1e-8, math.nan, "1", None])
def test_cosine_refuses_what_is_no_length(eps):
    with pytest.raises(gn.GraphError, match="eps must be"):
        ops.cosine_similarity(rand((2, 3)), rand((2, 3)), eps=eps)


@pytest.mark.parametrize("dim", [1.0, "1", None, True, (0, 1)])
def test_cosine_takes_one_dimension(dim):
    with pytest.raises(gn.GraphError, match="integer"):
        ops.cosine_similarity(rand((2, 3)), rand((2, 3)), dim=dim)
