"""The losses of several classes beside torch's own."""

from __future__ import annotations

import math

import pytest
import torch
from closeness import assert_close
from ops.against_torch import CLOSE, F64, compare, labels, like, probabilities, rand

import graphnet as gn
from graphnet import ops

F = torch.nn.functional

every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
SHAPES = [(5, 3), (3,), (1, 1), (4, 2, 3), (2, 5, 3, 2), (50, 10)]


def target_shape(shape):
    return (*shape[:1], *shape[2:]) if len(shape) > 1 else ()


def classes_of(shape):
    return shape[min(len(shape) - 1, 1)]


def call(name, side, weight=None, **options):
    """One side as a function of what has a gradient; labels are kept from it."""
    function = getattr(side, name)

    def loss(*tensors):
        given = {} if weight is None else {"weight": like(weight, tensors[0])}
        return function(*tensors, **given, **options)

    return loss


def check(name, tensors, weight=None, unknown=False, **options):
    sides = [call(name, side, weight=weight, **options) for side in (ops, F)]
    compare(*sides, tensors, unknown="rows" if unknown else False)


@every_reduction
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("unknown", [False, True])
def test_labels(reduction, shape, weighted, unknown):
    x, target = rand(shape, -3, 3), labels(target_shape(shape), classes_of(shape))
    weight = rand((classes_of(shape),), 0.1, 2, 3) if weighted else None
    unknown = unknown and len(shape) > 1
    for smoothing in (0.0, 0.1, 1.0):
        options = {"label_smoothing": smoothing, "reduction": reduction}
        check("cross_entropy", [x, target], weight, unknown, **options)
    check("nll_loss", [x, target], weight, unknown, reduction=reduction)
    if shape != (3,):
        strided = torch.stack([target, target], -1)[..., 0]
        check("cross_entropy", [x.mT.contiguous().mT, strided], weight, reduction=reduction)


@every_reduction
@pytest.mark.parametrize("ignored", [-100, 1, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_labels_to_ignore(reduction, ignored, weighted):
    for shape in ((6, 3), (3, 3, 4)):
        x, target = rand(shape), labels(target_shape(shape), 3)
        target.view(-1)[::2] = ignored
        target.view(-1)[1] = 2
        weight = rand((3,), 0.1, 2, 3) if weighted else None
        options = {"ignore_index": ignored, "reduction": reduction}
        check("nll_loss", [x, target], weight, **options)
        for smoothing in (0.0, 0.3):
            check("cross_entropy", [x, target], weight, label_smoothing=smoothing, **options)


def test_what_is_ignored_may_be_of_any_size():
    x = torch.tensor([[1e3, -1e3], [-1e300, 1e300], [math.inf, 0]], dtype=F64)
    target = torch.tensor([0, -100, -100])
    for reduction in ("sum", "none", "mean"):
        check("cross_entropy", [x[:2], target[:2]], label_smoothing=0.1, reduction=reduction)
        value = ops.nll_loss(x, target, reduction=reduction)
        assert torch.equal(value, F.nll_loss(x, target, reduction=reduction))


@every_reduction
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("unknown", [False, True])
def test_probabilities(reduction, shape, weighted, unknown):
    x, target = rand(shape, -3, 3), probabilities(shape, 1)
    weight = rand((classes_of(shape),), 0.1, 2, 3) if weighted else None
    for smoothing in (0.0, 0.1, 1.0):
        options = {"label_smoothing": smoothing, "reduction": reduction}
        check("cross_entropy", [x, target], weight, unknown and len(shape) > 1, **options)


@pytest.mark.parametrize("size", [1e3, 1e30])
def test_extremes(size):
    x = torch.tensor([[size, -size, 0], [-size, -size, -size], [size, size, 0]], dtype=F64)
    for target in (torch.tensor([0, 1, 2]), torch.eye(3, dtype=F64), probabilities((3, 3))):
        for reduction in ("mean", "none"):
            check("cross_entropy", [x, target], reduction=reduction)
            check("cross_entropy", [x, target], reduction=reduction, label_smoothing=0.1)


def test_classes_unknown_when_built():
    for target in (labels((5,), 3), probabilities((5, 3))):
        graph = gn.Graph()
        x = graph.input((None, None), name="x", dtype=F64, requires_grad=True)
        t = graph.input((None,) * target.ndim, name="t", dtype=target.dtype)
        loss = ops.cross_entropy(x, t, label_smoothing=0.2)
        value = graph.forward(x=rand((5, 3)), t=target, outputs=loss)
        expected = F.cross_entropy(rand((5, 3)), target, label_smoothing=0.2)
        assert_close(value, expected, **CLOSE)
        graph.backward(loss)
        assert x.grad.shape == (5, 3)


def test_weights_may_be_learned():
    x, target, w = rand((5, 3)), torch.tensor([0, 1, 2, 1, -100]), rand((3,), 0.1, 2, 1)

    def theirs(x, w):
        picked = w[target[:4]]
        return -(x[:4].log_softmax(1)[range(4), target[:4]] * picked).sum() / picked.sum()

    graph = gn.Graph()
    a = graph.input((5, 3), name="a", dtype=F64, requires_grad=True)
    t = graph.input((5,), name="t", dtype=torch.int64)
    weight = graph.parameter(w)
    loss = ops.cross_entropy(a, t, weight)
    leaves = [each.clone().requires_grad_() for each in (x, w)]
    expected = theirs(*leaves)
    expected.backward()
    assert_close(graph.forward(a=x, t=target), expected.detach(), **CLOSE)
    graph.backward(loss)
    for ours, leaf in zip((a.grad, weight.grad), leaves, strict=True):
        assert_close(ours, leaf.grad, **CLOSE)
    assert graph.check(loss)


# nothing that counts


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("unknown", [False, True])
def test_no_label_counts(name, unknown):
    empty = torch.empty(0, 3, dtype=F64), torch.empty(0, dtype=torch.int64)
    ignored = rand((4, 3)), torch.full((4,), -100)
    for x, t in (empty, ignored):
        with pytest.raises(gn.EmptyBatchError, match="empty batch"):
            getattr(ops, name)(x, t)
        graph = gn.Graph()
        a = graph.input((None, 3), name="a", dtype=F64, requires_grad=True)
        b = graph.input((None,), name="b", dtype=torch.int64)
        loss = getattr(ops, name)(a, b)
        with pytest.raises(gn.EmptyBatchError, match="empty batch"):
            graph.forward(a=x, b=t, outputs=loss)
        graph.forward(a=rand((2, 3)), b=labels((2,), 3), outputs=loss)  # as usable as before
        for reduction in ("sum", "none"):
            check(name, [x, t], reduction=reduction)
    with pytest.raises(gn.EmptyBatchError):
        getattr(ops, name)(rand((2, 3)), torch.tensor([0, 0]), torch.tensor([0.0, 1, 1]).double())
    graph = gn.Graph()  # the trial labels are 0: they are not what will be fed
    a, b = graph.input((4, 3), name="a"), graph.input((4,), name="b", dtype=torch.int64)
    getattr(ops, name)(a, b, ignore_index=0)


def test_probabilities_of_nothing():
    empty = torch.empty(0, 3, dtype=F64)
    with pytest.raises(gn.EmptyBatchError):
        ops.cross_entropy(empty, empty)
    for x in (empty, torch.empty(4, 0, dtype=F64), torch.empty(2, 3, 0, dtype=F64)):
        for options in ({}, {"label_smoothing": 0.3}):
            check("cross_entropy", [x, x], reduction="sum", **options)
            check("cross_entropy", [x, x], reduction="none", **options)


# refused

NAMES = pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])


@NAMES
@pytest.mark.parametrize(
    ("label", "place"), [(3, (1,)), (-1, (0,)), (2**40, (3,)), (-101, (2,)), (-(2**60), (1,))]
)
def test_labels_out_of_range(name, label, place):
    x, target = rand((4, 3)), torch.tensor([0, 1, 2, -100])
    target[place] = label
    words = f"from 0 to 2, or ignore_index=-100; got {label}, at index \\({place[0]},\\)"
    with pytest.raises(gn.RangeError, match=words):
        getattr(ops, name)(x, target)
    graph = gn.Graph()
    a = graph.input((None, 3), name="a", dtype=F64)
    b = graph.input((None,), name="labels", dtype=torch.int64)
    loss = getattr(ops, name)(a, b, reduction="none")
    for _ in range(2):
        with pytest.raises(gn.RangeError, match=words) as error:
            graph.forward(a=x, labels=target, outputs=loss)
        assert "'labels'" in str(error.value)
    graph.forward(a=x, labels=torch.tensor([0, 1, 2, -100]), outputs=loss)


def test_a_wrong_label_of_an_image_is_placed():
    target = torch.zeros(2, 4, 5, dtype=torch.int64)
    target[1, 2, 3] = 9
    with pytest.raises(gn.RangeError, match=r"got 9, at index \(1, 2, 3\)"):
        ops.cross_entropy(rand((2, 3, 4, 5)), target)


@NAMES
@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.bool, torch.float32, F64])
def test_labels_of_another_dtype(name, dtype):
    x, target = rand((4, 3)), torch.zeros(4, dtype=dtype)
    with pytest.raises(gn.DtypeError, match="int64"):
        getattr(ops, name)(x, target)
    graph = gn.Graph()
    a, b = graph.input((4, 3), name="a", dtype=F64), graph.input((4,), name="b", dtype=dtype)
    with pytest.raises(gn.DtypeError, match="int64"):
        getattr(ops, name)(a, b)


MISFITS = [
    ((4, 3), (4, 1)),
    ((4, 3), (3,)),
    ((4, 3), (1,)),
    ((4, 3), ()),
    ((4, 3), (4, 3)),
    ((3,), (1,)),
    ((3,), (3,)),
    ((2, 3, 4), (2, 3)),
    ((2, 3, 4), (2,)),
    ((), ()),
]


@NAMES
@pytest.mark.parametrize(("shape", "target"), MISFITS, ids=str)
def test_labels_that_do_not_fit(name, shape, target):
    with pytest.raises(gn.ShapeError):
        getattr(ops, name)(rand(shape), torch.zeros(target, dtype=torch.int64))
    graph = gn.Graph()
    a, b = graph.input(shape, name="a"), graph.input(target, name="b", dtype=torch.int64)
    with pytest.raises(gn.ShapeError):
        getattr(ops, name)(a, b)


@pytest.mark.parametrize("target", [(4, 1), (1, 3), (3, 4), (4, 3, 1), ()], ids=str)
def test_probabilities_that_do_not_fit(target):
    with pytest.raises(gn.ShapeError):
        ops.cross_entropy(rand((4, 3)), rand(target))


@NAMES
@pytest.mark.parametrize("shape", [(1,), (4,), (3, 1), (1, 3), ()], ids=str)
def test_weights_that_do_not_fit(name, shape):
    with pytest.raises(gn.ShapeError, match="weights"):
        getattr(ops, name)(rand((4, 3)), labels((4,), 3), rand(shape))


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, math.nan])
def test_impossible_smoothing(smoothing):
    with pytest.raises(gn.RangeError, match="label_smoothing must be a number from 0 to 1"):
        ops.cross_entropy(rand((4, 3)), labels((4,), 3), label_smoothing=smoothing)


def test_probabilities_are_not_ignored():
    with pytest.raises(gn.GraphError, match="ignore_index"):
        ops.cross_entropy(rand((4, 3)), rand((4, 3)), ignore_index=1)
