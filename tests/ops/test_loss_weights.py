"""Losses with weights beside torch's own: of each element, and of the positive answers."""

from __future__ import annotations

import pytest
import torch
from ops.against_torch import F64, compare, like, rand

import graphnet as gn
from graphnet import ops

F = torch.nn.functional

every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
MATCHED = {
    "mse": ("mse_loss", {}),
    "l1": ("l1_loss", {}),
    "huber": ("huber_loss", {"delta": 0.5}),
}
matched = pytest.mark.parametrize(("name", "options"), MATCHED.values(), ids=MATCHED)


@matched
@every_reduction
@pytest.mark.parametrize("shape", [(5, 3), (4,), (), (1, 1)], ids=str)
@pytest.mark.parametrize("unknown", [False, "rows"])
def test_weights_of_elements(name, options, reduction, shape, unknown):
    tensors = [rand(shape, -2, 2, 1), rand(shape, -2, 2, 2), rand(shape, 0.1, 3, 3)]
    compare(
        lambda x, t, w: getattr(ops, name)(x, t, reduction=reduction, weight=w, **options),
        lambda x, t, w: getattr(F, name)(x, t, reduction=reduction, weight=w, **options),
        tensors,
        unknown=unknown,
    )


@matched
@every_reduction
def test_weights_of_elements_have_their_shape(name, options, reduction):
    x = rand((3, 2))
    graph = gn.Graph()
    node = graph.input((3, 2), name="x", dtype=F64)
    for shape in ((2,), (3, 1), (), (3, 2, 1), (2, 3)):
        for each in (x, node):
            with pytest.raises(gn.ShapeError, match="differ"):
                weight = like(rand(shape), each)
                getattr(ops, name)(each, each, weight=weight, reduction=reduction, **options)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_weights_that_sum_to_0_have_no_mean(name):
    x, t, w = rand((3,)), rand((3,), seed=1), torch.zeros(3, dtype=F64)
    with pytest.raises(gn.EmptyBatchError, match="weights sum to 0"):
        getattr(ops, name)(x, t, weight=w)
    assert getattr(ops, name)(x, t, weight=w, reduction="sum") == 0


def test_weights_of_huber_do_not_change_what_the_mean_divides_by():
    x, t, w = rand((4,)), rand((4,), seed=1), torch.zeros(4, dtype=F64)
    assert ops.huber_loss(x, t, weight=w) == F.huber_loss(x, t, weight=w) == 0


# weights that are repeated

WEIGHTS = [(5, 3), (3,), (1, 3), (5, 1), (), (1,)]


@every_reduction
@pytest.mark.parametrize("shape", WEIGHTS, ids=str)
@pytest.mark.parametrize("chosen", [("weight",), ("pos_weight",), ("weight", "pos_weight")])
@pytest.mark.parametrize("unknown", [False, True])
def test_weights_of_binary_losses(reduction, shape, chosen, unknown):
    x, t, w = rand((5, 3), 0.05, 0.95, 1), rand((5, 3), 0.05, 0.95, 2), rand(shape, 0.1, 3, 3)
    name = "binary_cross_entropy_with_logits"
    unknown = unknown and shape[:1] != (5,)  # a weight for each row fixes how many there are
    for function in [name, "binary_cross_entropy"][: 2 if chosen == ("weight",) else 1]:
        compare(
            lambda x, t, f=function: getattr(ops, f)(
                x, t, reduction=reduction, **dict.fromkeys(chosen, like(w, x))
            ),
            lambda x, t, f=function: getattr(F, f)(
                x, t, reduction=reduction, **dict.fromkeys(chosen, w)
            ),
            [x, t],
            unknown="rows" if unknown else False,
        )


def test_weights_may_be_learned():
    x, t, w = rand((5, 3), 0.05, 0.95, 1), rand((5, 3), 0.05, 0.95, 2), rand((3,), 0.1, 3, 3)
    for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits"):
        compare(
            lambda x, t, w, f=name: getattr(ops, f)(x, t, w),
            lambda x, t, w, f=name: (getattr(F, f)(x, t, reduction="none") * w).mean(),
            [x, t, w],
            second=False,
        )


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (2,), (0,), (3, 1)], ids=str)
@pytest.mark.parametrize("on_nodes", [False, True])
def test_weights_never_make_the_loss_larger(shape, on_nodes):
    x, w = rand((3,), 0.1, 0.9), rand(shape, 0.1, 0.9)
    if on_nodes:
        graph = gn.Graph()
        x, w = graph.input((3,), name="x", dtype=F64), graph.parameter(w)
    for call in (
        lambda: ops.binary_cross_entropy(x, x, w),
        lambda: ops.binary_cross_entropy_with_logits(x, x, w),
        lambda: ops.binary_cross_entropy_with_logits(x, x, pos_weight=w),
    ):
        with pytest.raises(gn.ShapeError, match="do not expand"):
            call()
