"""Functions, choices and activations with all their arguments, beside torch."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from closeness import assert_close
from torch.nn import functional

import graphnet as gn
from graphnet import ops

F64 = torch.float64


def numbers(*shape, seed=0):
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(seed)) * 2


def ours_of(function, tensors, grad=None):
    """Value and gradients of a function of nodes."""
    graph = gn.Graph()
    nodes = [
        graph.input(
            tuple(t.shape), name=f"x{i}", dtype=t.dtype, requires_grad=t.dtype.is_floating_point
        )
        for i, t in enumerate(tensors)
    ]
    y = function(*nodes)
    top = graph.forward(dict(zip(nodes, tensors, strict=True)), outputs=y)
    if not top.dtype.is_floating_point:
        return top, []
    graph.backward(y, torch.ones_like(top) if grad is None else grad)
    return top, [node.grad for node in nodes if node.dtype.is_floating_point]


def theirs_of(function, tensors, grad=None):
    leaves = [t.clone().requires_grad_(t.dtype.is_floating_point) for t in tensors]
    top = function(*leaves)
    if not top.requires_grad:
        return top, []
    floating = [leaf for leaf in leaves if leaf.requires_grad]
    grads = torch.autograd.grad(
        top, floating, torch.ones_like(top) if grad is None else grad, materialize_grads=True
    )
    return top.detach(), list(grads)


def compare(ours, theirs, *tensors, tolerance=1e-12):
    """Nodes give torch's value and gradients; tensors give the same value."""
    grad = torch.linspace(-1.5, 2.0, max(theirs(*tensors).numel(), 1), dtype=F64)
    grad = grad[: theirs(*tensors).numel()].reshape(theirs(*tensors).shape)
    top, grads = ours_of(ours, tensors, grad)
    expected, expected_grads = theirs_of(theirs, tensors, grad)
    close = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    assert_close(top, expected, **close)
    assert_close(grads, expected_grads, **close)
    assert_close(ours(*tensors), expected, **close)


ELEMENTWISE = {
    "expm1": (ops.expm1, torch.expm1),
    "square": (ops.square, torch.square),
    "sin": (ops.sin, torch.sin),
    "cos": (ops.cos, torch.cos),
    "erf": (ops.erf, torch.erf),
    "reciprocal": (ops.reciprocal, torch.reciprocal),
    "leaky_relu": (ops.leaky_relu, functional.leaky_relu),
    "leaky_relu slope 0": (lambda x: ops.leaky_relu(x, 0), lambda x: functional.leaky_relu(x, 0)),
    "leaky_relu by name": (
        lambda x: ops.leaky_relu(x, negative_slope=-2.0),
        lambda x: functional.leaky_relu(x, negative_slope=-2.0),
    ),
    "elu": (ops.elu, functional.elu),
    "elu by name": (lambda x: ops.elu(x, alpha=-3), lambda x: functional.elu(x, alpha=-3)),
    "selu": (ops.selu, functional.selu),
    "gelu": (ops.gelu, functional.gelu),
    "gelu none": (
        lambda x: ops.gelu(x, approximate="none"),
        lambda x: functional.gelu(x, approximate="none"),
    ),
    "gelu tanh": (
        lambda x: ops.gelu(x, approximate="tanh"),
        lambda x: functional.gelu(x, approximate="tanh"),
    ),
    "silu": (ops.silu, functional.silu),
    "mish": (ops.mish, functional.mish),
    "softplus": (ops.softplus, functional.softplus),
    "softplus by name": (
        lambda x: ops.softplus(x, beta=3, threshold=2),
        lambda x: functional.softplus(x, beta=3, threshold=2),
    ),
    "hardtanh": (ops.hardtanh, functional.hardtanh),
    "hardtanh by name": (
        lambda x: ops.hardtanh(x, min_val=-0.5, max_val=2),
        lambda x: functional.hardtanh(x, min_val=-0.5, max_val=2),
    ),
    "hardtanh equal": (lambda x: ops.hardtanh(x, 1, 1), lambda x: functional.hardtanh(x, 1, 1)),
    "relu6": (ops.relu6, functional.relu6),
}
EACH = pytest.mark.parametrize(("ours", "theirs"), ELEMENTWISE.values(), ids=ELEMENTWISE)


@EACH
def test_elementwise_shapes_and_strides(ours, theirs):
    for x in (numbers(3, 4), numbers(4, 6).t()[::2], numbers(), numbers(0, 3), numbers(7)):
        compare(ours, theirs, x)


@EACH
def test_elementwise_large_numbers_and_kinks(ours, theirs):
    edges = [0.0, -0.0, 1.0, -1.0, 6.0, 20.0, 1e3, -1e3, 1e-300, -1e-300, 2 / 3]
    compare(ours, theirs, torch.tensor(edges, dtype=F64))


@EACH
def test_second_derivative_stays_finite_at_a_thousand(ours, theirs):
    for value in (1e3, -1e3, 30.0):
        graph = gn.Graph()
        x = graph.input((), name="x", dtype=F64, requires_grad=True)
        first = graph.gradients(ours(x), [x])
        second = graph.gradients(first[0], [x])[0]
        leaf = torch.tensor(value, dtype=F64, requires_grad=True)
        expected = torch.autograd.grad(theirs(leaf), leaf, create_graph=True)[0]
        if expected.requires_grad:
            expected = torch.autograd.grad(expected, leaf, materialize_grads=True)[0]
        else:
            expected = torch.zeros_like(leaf)
        if expected.isfinite():
            got = graph.forward({x: leaf.detach()}, outputs=second)
            assert_close(got, expected.detach(), rtol=1e-10, atol=1e-10)


FLOATING_ONLY = [
    ops.leaky_relu, ops.elu, ops.selu, ops.gelu, ops.silu, ops.mish, ops.softplus,
    lambda x: ops.gelu(x, approximate="tanh"),
    lambda x: ops.softmax(x, 0), lambda x: ops.log_softmax(x, 0),
]  # fmt: skip


@pytest.mark.parametrize("function", FLOATING_ONLY)
def test_integers_are_refused_where_torch_has_no_kernel_for_them(function):
    with pytest.raises(gn.DtypeError, match="floating"):
        function(torch.tensor([1, 2]))
    graph = gn.Graph()
    with pytest.raises(gn.DtypeError, match="floating"):
        function(graph.input((3,), name="x", dtype=torch.int64))


def test_wrong_settings():
    x = numbers(3)
    for value in ("a", None, [1.0], 1j, numbers(1)):
        for function in (ops.leaky_relu, ops.elu, ops.softplus, ops.hardtanh):
            with pytest.raises(gn.GraphError, match="must be a number"):
                function(x, value)
    with pytest.raises(gn.RangeError, match="finite"):
        ops.hardtanh(torch.tensor([1, 2]), 0, math.inf)
    for function in (ops.relu, ops.leaky_relu, ops.elu, ops.selu, ops.silu, ops.mish, ops.relu6):
        assert function(x, inplace=False).shape == (3,)
        with pytest.raises(gn.GraphError, match="inplace must be False"):
            function(x, inplace=True)
    with pytest.raises(gn.RangeError, match="'fast'"):
        ops.gelu(x, approximate="fast")
    with pytest.raises(TypeError):
        ops.gelu(x, "tanh")
    with pytest.raises(gn.RangeError, match="min_val=2"):
        ops.hardtanh(x, 2, 1)


# choices and logic

CHOICES = [
    (1, 0), (1.0, 0), (1, 0.5), (True, 0),
    (2.5, torch.tensor([1, 2])), (torch.tensor([1, 2]), 2.5), (3, torch.tensor([1, 2])),
    (1, torch.tensor([True, False])), (0.5, torch.tensor([True, False])),
    (2.5, torch.tensor([1.0, 2.0], dtype=F64)), (torch.tensor([1.0, 2.0], dtype=F64), 2),
]  # fmt: skip


@pytest.mark.parametrize("pair", CHOICES, ids=str)
def test_where_with_numbers(pair):
    condition = torch.tensor([True, False])
    expected = torch.where(condition, *pair)
    tensors = [each for each in pair if isinstance(each, torch.Tensor)]

    def choose(condition, *rest):
        remaining = iter(rest)
        return ops.where(
            condition,
            *(next(remaining) if isinstance(each, torch.Tensor) else each for each in pair),
        )

    for top in (choose(condition, *tensors), ours_of(choose, [condition, *tensors])[0]):
        assert_close(top, expected, rtol=0, atol=0)


def test_a_condition_holds_booleans():
    x = numbers(2)
    graph = gn.Graph()
    node = graph.input((2,), name="x", dtype=F64)
    for mask in (torch.tensor([1, 0]), torch.tensor([1, 0], dtype=torch.uint8), x, [True, False]):
        with pytest.raises(gn.DtypeError, match="boolean condition"):
            ops.where(mask, x, 0.0)
        with pytest.raises(gn.DtypeError, match="boolean condition"):
            ops.masked_fill(x, mask, 0.0)
    with pytest.raises(gn.DtypeError, match="boolean condition"):
        node.where(node, 0.0)
    for value in ("a", None, [1.0], 1j):
        with pytest.raises(gn.GraphError, match="value must be a number"):
            node.masked_fill(node > 0, value)


def test_where_keeps_the_gradient_from_what_was_not_chosen():
    x = torch.tensor([-1.0, 0.0, 4.0], dtype=F64)
    compare(lambda x: x.sqrt().where(x > 0, 0.0), lambda x: x.sqrt().where(x > 0, 0.0), x)
    compare(lambda x: ops.where(x > 0, 2.0, x), lambda x: torch.where(x > 0, 2.0, x), x)


def test_operators_on_booleans_are_those_of_tensors():
    def mix(x, y):
        return ~(x > y) | ((x < 0) & (y >= 0))

    x, y = numbers(5, 4), numbers(4, seed=1)
    compare(mix, mix, x, y)
    compare(
        lambda x, y: ops.logical_or(x.gt(y), ops.logical_not(x.le(0))),
        lambda x, y: torch.logical_or(x.gt(y), torch.logical_not(x.le(0))),
        x,
        y,
    )
    compare(lambda x, y: x.ge(y).logical_not(), lambda x, y: x.ge(y).logical_not(), x, y)
    compare(lambda x, y: x.lt(0).logical_or(y), lambda x, y: x.lt(0).logical_or(y), x, y)


def test_operators_on_integers_work_on_bits():
    x, y = torch.tensor([6, 5, -1]), torch.tensor([3, 2, 8])
    compare(lambda x, y: ~(x & y) | y, lambda x, y: ~(x & y) | y, x, y)
    compare(lambda x: (x & 3) | 8, lambda x: (x & 3) | 8, x)
    graph = gn.Graph()
    floating = graph.input((3,), name="x")
    for function in (lambda x: x & x, lambda x: x | x, lambda x: ~x):
        with pytest.raises(gn.GraphError):
            function(floating)


# softmax

SOFTMAX = pytest.mark.parametrize("name", ["softmax", "log_softmax"])


@SOFTMAX
def test_softmax_over_every_dimension(name):
    ours, theirs = getattr(ops, name), getattr(functional, name)
    shapes = ((3, 4), (2, 3, 4), (5,), (), (0, 3), (3, 0), (2, 2, 3, 2))
    for shape in shapes:
        for dim in range(-max(len(shape), 1), max(len(shape), 1)):
            compare(lambda x, d=dim: ours(x, d), lambda x, d=dim: theirs(x, d), numbers(*shape))
    compare(lambda x: ours(x, dim=0), lambda x: theirs(x, dim=0), numbers(4, 6).t()[::2])


@SOFTMAX
def test_softmax_without_a_dimension_chooses_as_torch_does(name):
    for shape in ((), (3,), (2, 3), (2, 3, 4), (2, 1, 3, 2)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls its choice deprecated
            expected = getattr(functional, name)(numbers(*shape))
        torch.testing.assert_close(getattr(ops, name)(numbers(*shape)), expected)


@SOFTMAX
def test_softmax_of_large_numbers_and_ties(name):
    ours, theirs = getattr(ops, name), getattr(functional, name)
    inf, nan = math.inf, math.nan
    rows = [
        [1e3, -1e3, 0], [1e3, 1e3, 1e3], [-1e3, -1e3, -1e3], [1e300, 0, -1e300],
        [-inf, 0, 1], [-inf, -inf, -inf], [inf, 0, 0], [nan, 0, 0],
    ]  # fmt: skip
    compare(lambda x: ours(x, 1), lambda x: theirs(x, 1), torch.tensor(rows, dtype=F64))


@SOFTMAX
def test_softmax_over_a_dimension_that_is_not_there(name):
    for dim in (2, -3):
        with pytest.raises(gn.ShapeError, match="does not exist"):
            getattr(ops, name)(numbers(2, 3), dim)
    graph = gn.Graph()
    with pytest.raises(gn.ShapeError, match="'x'"):
        getattr(graph.input((None, 3), name="x"), name)(2)


def test_methods_are_the_functions():
    names = (
        "expm1 rsqrt square reciprocal sin cos erf minimum clamp softmax log_softmax "
        "eq ne gt ge lt le logical_and logical_or logical_not bitwise_and bitwise_or bitwise_not"
    )
    for name in names.split():
        assert getattr(gn.Node, name) is getattr(ops, name)
