"""The loss functions beside torch's own: values, gradients, second derivatives, edges, refusals."""

from __future__ import annotations

import math

import pytest
import torch
from ops.against_torch import F64, both, compare, like, rand

import graphnet as gn
from graphnet import ops

F = torch.nn.functional

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # of torch's kl_div
REDUCTIONS = ("mean", "sum", "none")


# losses of two tensors of one shape

PAIRED = {
    "mse": ("mse_loss", {}, -2, 2),
    "l1": ("l1_loss", {}, -2, 2),
    "smooth": ("smooth_l1_loss", {}, -2, 2),
    "smooth, wide": ("smooth_l1_loss", {"beta": 3.0}, -2, 2),
    "smooth, narrow": ("smooth_l1_loss", {"beta": 0.01}, -2, 2),
    "smooth, 0": ("smooth_l1_loss", {"beta": 0}, -2, 2),
    "huber": ("huber_loss", {}, -2, 2),
    "huber, wide": ("huber_loss", {"delta": 2.5}, -2, 2),
    "huber, narrow": ("huber_loss", {"delta": 0.01}, -2, 2),
    "bce": ("binary_cross_entropy", {}, 0.05, 0.95),
    "logits": ("binary_cross_entropy_with_logits", {}, -2, 2),
    "kl": ("kl_div", {}, 0.1, 2),
    "kl of logarithms": ("kl_div", {"log_target": True}, -2, 2),
}
SHAPES = [(5, 3), (1, 1), (4,), (), (2, 3, 4)]
every_pair = pytest.mark.parametrize(
    ("name", "options", "low", "high"), PAIRED.values(), ids=PAIRED
)
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


@every_pair
@every_reduction
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_paired_losses(name, options, low, high, reduction, shape):
    ours, theirs = both(name, reduction=reduction, **options)
    x, target = rand(shape, low, high, 1), rand(shape, low, high, 2)
    compare(ours, theirs, [x, target])
    compare(ours, theirs, [x, target], unknown="rows")
    strided = [torch.stack([each, each], -1)[..., 0] for each in (x, target)]
    compare(ours, theirs, strided, second=False)


@every_pair
def test_paired_losses_of_nothing(name, options, low, high):
    empty = torch.empty(0, 3, dtype=F64)
    for reduction in ("sum", "none"):
        compare(*both(name, reduction=reduction, **options), [empty, empty])
    with pytest.raises(gn.EmptyBatchError):
        getattr(ops, name)(empty, empty, **options)


@every_pair
@every_reduction
@pytest.mark.parametrize(
    ("left", "right"), [((3, 1), (3,)), ((3,), (3, 1)), ((3, 2), (1, 2)), ((), (1,))], ids=str
)
def test_paired_losses_never_broadcast(name, options, low, high, reduction, left, right):
    with pytest.raises(gn.ShapeError):
        getattr(ops, name)(rand(left), rand(right), reduction=reduction, **options)
    graph = gn.Graph()
    x, t = graph.input(left, name="x"), graph.input(right, name="t")
    with pytest.raises(gn.ShapeError, match="never broadcasts"):
        getattr(ops, name)(x, t, reduction=reduction, **options)


@every_pair
def test_unknown_reduction(name, options, low, high):
    with pytest.raises(gn.GraphError, match="'average'"):
        getattr(ops, name)(rand((2,), 0, 1), rand((2,), 0, 1), reduction="average", **options)


@pytest.mark.parametrize("name", ["l1_loss", "smooth_l1_loss", "huber_loss"])
def test_kinks_and_extremes(name):
    x = torch.tensor([0, 1, -1, 0.5, 1e3, -1e3, math.inf, -math.inf, math.nan], dtype=F64)
    compare(*both(name, reduction="none"), [x, torch.zeros_like(x)], second=False)


def test_huber_takes_its_options_by_place_as_torch():
    x, t = rand((3,)), rand((3,), seed=1)
    assert torch.equal(ops.huber_loss(x, t, "sum", 2.0), F.huber_loss(x, t, "sum", 2.0))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.huber_loss(x, x, delta=0),
        lambda x: ops.huber_loss(x, x, delta=-1.0),
        lambda x: ops.smooth_l1_loss(x, x, beta=-1.0),
        lambda x: ops.huber_loss(x, x, delta=math.nan),
        lambda x: ops.smooth_l1_loss(x, x, beta=math.nan),
    ],
)
def test_impossible_bends(call):
    with pytest.raises(gn.RangeError):
        call(rand((2,)))


def test_logits_of_any_size():
    x = torch.tensor([0, 40, -40, 1e3, -1e3, 1e300, -1e300], dtype=F64).repeat(3)
    t = torch.tensor([0.0, 1.0, 0.3], dtype=F64).repeat_interleave(7)
    for options in ({}, {"pos_weight": torch.tensor(2.5, dtype=F64)}):
        compare(
            lambda x, t, o=options: ops.binary_cross_entropy_with_logits(
                x, t, reduction="none", **{k: like(v, x) for k, v in o.items()}
            ),
            lambda x, t, o=options: F.binary_cross_entropy_with_logits(x, t, reduction="none", **o),
            [x, t],
            second=False,  # the test squares the loss, and 1e300 cannot be squared twice
        )


# hinge


def hinge(x, t, reduction="mean"):
    loss = (1 - t * x).relu()
    return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()


@every_reduction
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_hinge(reduction, shape):
    x, t = rand(shape, -3, 3), rand(shape, seed=4).sign()
    compare(
        lambda x, t: ops.hinge_loss(x, t, reduction=reduction),
        lambda x, t: hinge(x, t, reduction),
        [x, t],
    )


def test_hinge_at_the_margin_and_far_away():
    x = torch.tensor([1.0, -1, 0, 1e3, -1e3], dtype=F64)
    compare(ops.hinge_loss, hinge, [x, torch.ones_like(x)])


@pytest.mark.parametrize("label", [0.0, 2.0, math.nan, 0.999])
def test_hinge_refuses_other_labels(label):
    x, t = rand((3,)), torch.tensor([1.0, label, -1.0], dtype=F64)
    with pytest.raises(gn.RangeError, match=f"-1 or 1; got {label:g}"):
        ops.hinge_loss(x, t)
    graph = gn.Graph()
    nodes = [graph.input((3,), name=name, dtype=F64) for name in "xt"]
    loss = ops.hinge_loss(*nodes)
    with pytest.raises(gn.RangeError, match=f"-1 or 1; got {label:g}"):
        graph.forward({nodes[0]: x, nodes[1]: t}, outputs=loss)
