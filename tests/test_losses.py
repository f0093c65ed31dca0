"""Losses as modules of two inputs, against torch.nn with autograd in float64."""

from __future__ import annotations

import math

import pytest
import torch
from closeness import assert_close
from torch import nn

import graphnet as gn

LOSSES = {"mse": (gn.LossMSE, nn.MSELoss), "bce": (gn.LossBCE, nn.BCELoss)}
BOTH = pytest.mark.parametrize("name", LOSSES)
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
SHAPES = [(5, 3), (1, 1), (4,), (), (2, 3, 4), (1,), (50, 2)]


def pair(name, reduction="mean"):
    ours, theirs = LOSSES[name]
    return ours(reduction=reduction), theirs(reduction=reduction)


def unit(shape, seed=0):
    """Numbers in (0, 1), which both losses take."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64) * 0.98 + 0.01


def check(ours, theirs, predictions, targets, tolerance=1e-12):
    """Value and both gradients equal torch's; 1e-12 of their size is rounding in float64."""
    leaves = [each.clone().requires_grad_() for each in (predictions, targets)]
    expected = theirs(*leaves)
    grad = unit(expected.shape, seed=9).to(expected.dtype)
    expected.backward(grad)
    before = predictions.clone(), targets.clone()
    value = ours.forward(predictions, targets)
    gradients = ours.backward(grad)
    close = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    assert_close(value, expected.detach(), **close)
    for mine, leaf in zip(gradients, leaves, strict=True):
        assert_close(mine, leaf.grad, **close)
    assert_close((predictions, targets), before, rtol=0, atol=0, equal_nan=True)


@BOTH
@REDUCTIONS
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_value_and_gradients(name, reduction, shape):
    check(*pair(name, reduction), unit(shape, 1), unit(shape, 2))
    check(*pair(name, reduction), unit(shape, 1), unit(shape, 2).round())


@BOTH
@REDUCTIONS
def test_batches_of_several_sizes_in_a_row(name, reduction):
    ours, theirs = pair(name, reduction)
    for place, rows in enumerate([5, 1, 7, 5, 50]):
        check(ours, theirs, unit((rows, 2), place), unit((rows, 2), place + 100))
    check(ours, theirs, unit((3,), 1), unit((3,), 2))
    check(ours, theirs, unit((3, 2), 1), unit((3, 2), 2))


@BOTH
def test_scalar_starts_its_gradient_at_one(name):
    ours, theirs = pair(name)
    predictions, targets = unit((4, 2), 1).requires_grad_(), unit((4, 2), 2)
    theirs(predictions, targets).backward()
    value = ours(predictions.detach(), targets)  # a call on tensors computes
    assert value.shape == ()
    assert_close(ours.backward()[0], predictions.grad, rtol=1e-12, atol=1e-12)


@BOTH
@REDUCTIONS
def test_float32(name, reduction):
    predictions, targets = unit((6, 2), 1).float(), unit((6, 2), 2).float()
    check(*pair(name, reduction), predictions, targets, tolerance=1e-6)  # rounding: 6e-8
    assert pair(name, reduction)[0](predictions, targets).dtype is torch.float32


EXTREMES = [0.0, 1.0, 1e-30, 1e-300, 1e-16, 1 - 1e-16, 1 - 1e-8, 0.5]


@REDUCTIONS
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_probabilities_at_the_ends(reduction, dtype):
    predictions = torch.tensor(EXTREMES, dtype=dtype).repeat(3)
    labels = torch.tensor([0.0, 1.0, 0.3], dtype=dtype).repeat_interleave(len(EXTREMES))
    ours, theirs = pair("bce", reduction)
    leaf = predictions.clone().requires_grad_()
    expected = theirs(leaf, labels)
    expected.backward(torch.ones_like(expected))
    value = ours.forward(predictions, labels)
    gradient = ours.backward(torch.ones_like(value))[0]
    assert value.isfinite().all()
    assert gradient.isfinite().all()
    tolerance = 1e-12 if dtype is torch.float64 else 1e-6  # the rounding of each type
    assert_close(value, expected.detach(), rtol=tolerance, atol=0)
    assert_close(gradient, leaf.grad, rtol=tolerance, atol=0)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-170, 1e150, 1e200, math.inf, math.nan])
@REDUCTIONS
def test_squares_of_any_size(reduction, size):
    predictions = torch.tensor([size, -size, 0.0], dtype=torch.float64)
    check(*pair("mse", reduction), predictions, torch.zeros(3, dtype=torch.float64))


def test_nan_is_passed_on_to_be_found_where_it_arose():
    predictions = torch.tensor([math.nan, 0.5])
    assert gn.LossBCE().forward(predictions, torch.ones(2)).isnan()


# what is refused


MISFITS = [
    ((3, 2), (3, 1)),
    ((3, 2), (2,)),
    ((3, 1), (3,)),
    ((3,), (3, 1)),
    ((3, 2), (4, 2)),
    ((1, 2), (3, 2)),
    ((), (1,)),
    ((2, 3), (3, 2)),
]


@BOTH
@REDUCTIONS
@pytest.mark.parametrize(("left", "right"), MISFITS, ids=str)
def test_nothing_is_broadcast(name, reduction, left, right):
    ours, theirs = pair(name, reduction)
    with pytest.raises(gn.ShapeError) as error:
        ours.forward(unit(left), unit(right))
    assert str(left) in str(error.value)
    assert str(right) in str(error.value)
    check(ours, theirs, unit((3, 2), 1), unit((3, 2), 2))  # as usable as before


@BOTH
def test_shapes_are_refused_when_the_node_is_built(name):
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 1), name="t")
        with pytest.raises(gn.ShapeError) as error:
            pair(name)[0](x, t)
    words = ["'x'", "'t'", "(?, 2)", "(?, 1)", "never broadcasts"]
    assert [word for word in words if word not in str(error.value)] == []
    assert len(graph) == 2


@BOTH
@pytest.mark.parametrize("shape", [(0, 2), (0,), (4, 0)], ids=str)
def test_empty_batch(name, shape):
    empty = torch.empty(shape, dtype=torch.float64)
    ours, theirs = pair(name)
    with pytest.raises(gn.EmptyBatchError, match="empty batch"):
        ours.forward(empty, empty)
    check(ours, theirs, unit((3, 2), 1), unit((3, 2), 2))
    with pytest.raises(gn.EmptyBatchError, match="empty batch"):  # after a full one as well
        ours.forward(empty, empty)
    for reduction in ("sum", "none"):
        check(*pair(name, reduction), empty, empty)


@REDUCTIONS
@pytest.mark.parametrize(
    ("prediction", "target", "words"),
    [
        (-0.1, 1.0, ["prediction", "-0.1"]),
        (1.5, 1.0, ["prediction", "1.5"]),
        (0.5, 2.0, ["target", "2"]),
        (0.5, -1.0, ["target", "-1"]),
        (math.inf, 1.0, ["prediction", "inf"]),
        (1.0000001, 1.0, ["prediction"]),
    ],
)
def test_values_that_are_no_probabilities(reduction, prediction, target, words):
    ours, theirs = pair("bce", reduction)
    predictions, targets = unit((3, 2), 1), unit((3, 2), 2)
    predictions[1, 1], targets[2, 0] = prediction, target
    with pytest.raises(gn.RangeError) as error:
        ours.forward(predictions, targets)
    assert [word for word in [*words, "between 0 and 1"] if word not in str(error.value)] == []
    check(ours, theirs, unit((3, 2), 1), unit((3, 2), 2))


@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64], ids=str)
def test_dtypes_are_not_mixed(name, dtype):
    with pytest.raises(gn.DtypeError) as error:
        pair(name)[0].forward(unit((3, 2)), torch.ones(3, 2, dtype=dtype))
    assert "float64" in str(error.value)
    assert str(dtype).removeprefix("torch.") in str(error.value)


@BOTH
@pytest.mark.parametrize("reduction", ["average", "", None, 1])
def test_unknown_reduction(name, reduction):
    with pytest.raises(gn.GraphError) as error:
        LOSSES[name][0](reduction=reduction)
    assert repr(reduction) in str(error.value)
    assert "'mean'" in str(error.value)


@BOTH
def test_a_loss_is_a_module_without_parameters(name):
    loss = pair(name)[0]
    assert isinstance(loss, gn.Module)
    assert loss.param() == []
    assert loss.parameters() == []
    assert loss.state_dict() == {}
    assert repr(loss) == f"{type(loss).__name__}()"
