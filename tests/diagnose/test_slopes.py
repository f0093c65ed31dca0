"""Gradients along a chain: which ends are compared, and which are not."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.diagnose.slopes import chain, steps
from graphnet.listing.norm import norm


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def walked(network):
    """A list after both walks; network(x, weight) is summed, weight(name) is a matrix."""
    graph = gn.Graph()
    x = graph.input((8, 4), name="x")

    def weight(name):
        return graph.parameter(normal(4, 4, seed=len(graph)), name=name)

    loss = network(x, weight).sum()
    graph.forward(x=normal(8, 4))
    graph.backward(loss)
    return graph


def scaled(x, factor, times=3):
    """Multiplied in steps that are each too small to be reported."""
    for _ in range(times):
        x = x * factor
    return x


def plain(x, w, factor=1e-2):
    return scaled(x @ w("a"), factor) @ w("b")


def exploding(x, w):
    return plain(x, w, 1e2)


def transposed(x, w):
    return scaled(x @ w("a").mT, 1e-2) @ w("b").mT


def fading(x, w):
    """Too small for float32 at the first of three products."""
    return scaled(scaled(x @ w("a"), 1e-2, 20) @ w("b"), 1e-2) @ w("c")


FAR = {plain: "matmul", exploding: "matmul", transposed: "matmul", fading: "matmul"}


@pytest.mark.parametrize("network", FAR, ids=lambda network: network.__name__)
def test_both_ends_of_a_chain_are_named(network):
    graph = walked(network)
    slope = chain(list(graph))
    products = [node for node in graph if node.kind == "operation" and node.op.name == "matmul"]
    assert (slope.node, slope.behind) == (products[0], products[-1])
    assert slope.ratio == pytest.approx(
        norm(products[0].grad) / norm(products[-1].grad), rel=1e-4, abs=0
    )
    assert list(steps(list(graph))) == []


def residual(x, w):
    """A branch that passes little, beside a path that passes everything."""
    h = x @ w("a")
    return (h + scaled(h @ w("branch"), 1e-2, 4)) @ w("b")


def masked(x, w):
    return (x @ w("a") * 0.0) @ w("b")


def shared(x, w):
    """The first use passes little, the second use of the same weight much."""
    a = w("a")
    return (scaled(x @ a, 1e-2, 4) + x @ a) @ w("b")


def two_heads(x, w):
    h = x @ w("a")
    return h @ w("main") + scaled(h @ w("aside"), 1e-2, 4)


def without_weights(x, w):
    return scaled(x @ x.mT, 1e-2, 4) @ x @ w("b")


def weights_alone(x, w):
    return x @ scaled(w("a") @ w("b"), 1e-2, 4)


def one(x, w):
    return scaled(x @ w("a"), 1e-2, 4)


NEAR = [residual, masked, shared, two_heads, without_weights, weights_alone, one]


@pytest.mark.parametrize("network", NEAR)
def test_what_is_small_for_a_reason_is_no_chain(network):
    assert chain(list(walked(network))) is None


def test_norms_do_not_leave_the_range_of_double_precision():
    assert norm(None) == 0
    assert norm(torch.full((4,), 1e-30)) == pytest.approx(2e-30, rel=1e-6)  # that of float32
    assert norm(torch.full((4,), 1e30)) == pytest.approx(2e30, rel=1e-6)
    assert norm(torch.tensor([1.0, float("inf")])) == float("inf")
