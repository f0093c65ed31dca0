"""Shapes and dtypes, known when a node is made, before anything is computed."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import graphnet as gn
from graphnet import ops

N = None

# What is done with x, the shape of x, and the shape that the list then knows.
ONE_INPUT = {
    "element by element": (lambda x: (x.tanh() + 1) * 2, (N, 3), (N, 3)),
    "sum of all": (lambda x: x.sum(), (N, 3), ()),
    "sum of rows": (lambda x: x.sum(0), (N, 3), (3,)),
    "sum along rows": (lambda x: x.sum(1), (N, 3), (N,)),
    "sum that keeps": (lambda x: x.sum(0, keepdim=True), (N, 3), (1, 3)),
    "mean that keeps": (lambda x: x.mean(-1, keepdim=True), (N, 3), (N, 1)),
    "centred": (lambda x: x - x.mean(0, keepdim=True), (N, 3), (N, 3)),
    "flat": (lambda x: x.reshape(-1), (N, 3), (N,)),
    "rows of six": (lambda x: x.reshape(-1, 6), (N, 3), (N, 6)),
    "six rows": (lambda x: x.reshape(6, -1), (N, 3), (6, N)),
    "rows of six, back": (lambda x: x.reshape(-1, 6).reshape(-1, 3), (N, 3), (N, 3)),
    "rows of six, summed": (lambda x: x.reshape(-1, 6).sum(1), (N, 3), (N,)),
    "columns in two": (lambda x: x.reshape(-1, 2, 3), (N, 6), (N, 2, 3)),
    "transposed": (lambda x: x.T, (N, 3), (3, N)),
    "Gram matrix": (lambda x: x.T @ x, (N, 3), (3, 3)),
    "other Gram matrix": (lambda x: x @ x.T, (N, 3), (N, N)),
    "permuted": (lambda x: x.permute(2, 0, 1), (N, 3, 5), (5, N, 3)),
    "unsqueezed": (lambda x: x.unsqueeze(1), (N, 3), (N, 1, 3)),
    "squeezed": (lambda x: x.squeeze(1), (N, 1, 3), (N, 3)),
    "squeezed everywhere": (lambda x: x.squeeze(), (N, 1, 3, 1), (N, 3)),
    "expanded": (lambda x: x.expand(-1, 4), (N, 1), (N, 4)),
    "expanded in front": (lambda x: x.expand(2, -1, -1), (N, 3), (2, N, 3)),
    "expanded as": (lambda x: x.mean(0).expand_as(x), (N, 3), (N, 3)),
    "all pairs": (lambda x: x.unsqueeze(0) - x.unsqueeze(1), (N, 3), (N, N, 3)),
    "ones": (ops.ones_like, (N, 3), (N, 3)),
    "a size": (lambda x: ops.size(x, 0), (N, 3), ()),
    "divided by a size": (lambda x: x.sum(0) / ops.size(x, 0), (N, 3), (3,)),
    "two unknown sizes": (lambda x: x.sum(2), (N, N, 4), (N, N)),
    "a known size among them": (lambda x: x.sum((0, 2)), (N, 5, N), (5,)),
    "nothing unknown": (lambda x: x.reshape(2, -1), (4, 3), (2, 6)),
    "a scalar": (lambda x: x * x, (), ()),
    "an empty matrix": (lambda x: x.sum(0), (0, 3), (3,)),
    "a reshape of a rest": (lambda x: x.sum(0).reshape(3, 1), (N, 3), (3, 1)),
}


@pytest.mark.parametrize(("function", "shape", "known"), ONE_INPUT.values(), ids=ONE_INPUT)
def test_known_sizes_are_right_for_every_batch(function, shape, known):
    graph = gn.Graph()
    x = graph.input(shape, name="x")
    y = function(x)
    assert y.shape == known
    assert y.ndim == len(known)
    for size in (4, 10, 12, 24, 2, 1) if N in shape else (0,):
        value = torch.randn([size if each is N else each for each in shape])
        try:
            expected = function(value)
        except RuntimeError:  # rows that do not make whole rows of six
            with pytest.raises(gn.ShapeError):
                graph.forward(x=value)
            continue
        found = graph.forward(x=value)
        fits = all(a in (N, b) for a, b in zip(known, found.shape, strict=True))
        assert fits, (known, found.shape)
        if y.op.name != "squeeze":  # torch squeezes a batch of one too
            assert found.shape == torch.as_tensor(expected).shape


# Two inputs, what is done with them, and the shape known then.
TWO_INPUTS = {
    "one size": (lambda x, y: x + y, (N, 3), (N, 3), (N, 3)),
    "a row": (lambda x, y: x * y, (N, 3), (3,), (N, 3)),
    "a column": (lambda x, y: x * y, (N, 3), (N, 1), (N, 3)),
    "one row": (lambda x, y: x - y, (1, 3), (N, 3), (N, 3)),
    "ranks": (lambda x, y: x / y, (N, 4, 3), (N, 3), None),
    "a layer": (ops.linear, (N, 3), (5, 3), (N, 5)),
    "a product": (ops.matmul, (N, 3), (3, 5), (N, 5)),
    "a vector": (ops.matmul, (N, 3), (3,), (N,)),
    "a vector before": (ops.matmul, (3,), (3, N), (N,)),
    "many products": (ops.matmul, (N, 4, 3), (N, 3, 5), (N, 4, 5)),
    "products of one": (ops.matmul, (N, 4, 3), (3, 5), (N, 4, 5)),
    "unknown inner size": (ops.matmul, (4, N), (N, 5), (4, 5)),
    "loss of each": (lambda x, y: ops.mse_loss(x, y, reduction="none"), (N, 3), (N, 3), (N, 3)),
    "loss": (ops.mse_loss, (N, 3), (N, 3), ()),
    "comparison": (lambda x, y: x > y, (N, 3), (3,), (N, 3)),
    "as another": (ops.reshape_as, (N, 6), (N, 2, 3), (N, 2, 3)),
    "sum as": (ops.sum_as, (N, 3), (3,), (3,)),
}


@pytest.mark.parametrize(("function", "a", "b", "known"), TWO_INPUTS.values(), ids=TWO_INPUTS)
def test_shapes_of_two_inputs(function, a, b, known):
    graph = gn.Graph()
    x, y = graph.input(a, name="x"), graph.input(b, name="y")
    if known is None:  # 12 rows and 24 rows do not fit 4
        with pytest.raises(gn.ShapeError, match="unknown sizes"):
            function(x, y)
    else:
        assert function(x, y).shape == known


def test_a_node_of_a_mistaken_size_fails_where_it_is_made():
    graph = gn.Graph()
    x = graph.input((None, 4), name="x")
    with pytest.raises(gn.ShapeError, match=r"test_shape_inference\.py"):
        x.reshape(-1, 5).reshape(-1, 7).reshape(-1, 4) @ x


def test_the_message_names_the_trial_that_failed():
    graph = gn.Graph()
    x, rows = graph.input((None, 3), name="x"), graph.input((12, 3), name="rows")
    with pytest.raises(gn.ShapeError, match=r"tensor a \(24\)(.|\n)*tried as .*24"):
        x + rows  # 12 fits by chance, 24 does not


# many elements


def test_many_elements_are_tried_without_memory():
    graph = gn.Graph()
    x = graph.input((None, 10**10), name="x")  # 480 GB if it were tried as it is
    w = graph.input((10**10, 7), name="w")
    y = (x * 2 + 1).tanh() @ w
    assert (y.shape, y.dtype) == ((None, 7), torch.float32)
    loss = ops.mse_loss(x, x) + y.sum()
    assert [node.shape for node in graph.gradients(loss, [x, w])] == [x.shape, w.shape]


# Above 4 million elements in a trial, next to operands of a few elements.
LARGE = {
    "a wide layer": (lambda x: gn.Linear(2500, 2001)(x).tanh(), (N, 2500), (N, 2001)),
    "a layer on rows of rows": (gn.Linear(7, 5000), (N, 100, 7), (N, 100, 5000)),
    "a row": (lambda x: x - x.mean(0), (N, 400_000), (N, 400_000)),
    "a column": (lambda x: x * x.mean(1, keepdim=True), (N, 400_000), (N, 400_000)),
    "a number": (lambda x: 1 - x / x.sum(), (N, 400_000), (N, 400_000)),
    "a size": (lambda x: x / ops.size(x, 0), (N, 400_000), (N, 400_000)),
    "a small matrix before": (lambda x: x.sum(1).reshape(1, -1) @ x, (N, 400_000), (1, 400_000)),
    "where": (lambda x: x.where(x.sum(0) > 0, 0.0), (N, 400_000), (N, 400_000)),
    "mse": (lambda x: gn.LossMSE()(x, x * 2), (N, 400_000), ()),
    "bce": (lambda x: gn.LossBCE()(x.sigmoid(), x.sigmoid()), (N, 400_000), ()),
}


@pytest.mark.parametrize(("function", "shape", "known"), LARGE.values(), ids=LARGE)
def test_large_and_small_tensors_meet_in_one_operation(function, shape, known):
    graph = gn.Graph()
    x = graph.input(shape, name="x")
    y = function(x)
    assert y.shape == known
    (slope,) = graph.gradients(y if y.shape == () else y.sum(), [x])
    assert slope.shape == shape


def test_small_graphs_never_load_the_meta_device():
    program = (
        "import sys, torch; before = set(sys.modules); import graphnet as gn;"
        "graph = gn.Graph(); x = graph.input((None, 100), name='x');"
        "y = gn.Linear(100, 100)(x); loss = gn.LossMSE()(y, x); graph.gradients(loss, [x]);"
        "print(len(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    assert int(result.stdout) < 300  # the meta device would import about a thousand


# what the cache tells apart


def integers():
    return gn.Graph().input((2,), name="x", dtype=torch.int64)


TYPED = {
    "x + 1": (lambda x: x + 1, torch.int64),
    "x + 1.0": (lambda x: x + 1.0, torch.float32),
    "x + True": (lambda x: x + True, torch.int64),
    "x ** 2": (lambda x: x**2, torch.int64),
    "x ** 2.0": (lambda x: x**2.0, torch.float32),
    "x * 0": (lambda x: x * 0, torch.int64),
    "x * 0.0": (lambda x: x * 0.0, torch.float32),
    "x * False": (lambda x: x * False, torch.int64),
    "clamp(1)": (lambda x: x.clamp(1), torch.int64),
    "clamp(1.0)": (lambda x: x.clamp(1.0), torch.float32),
    "x / 1": (lambda x: x / 1, torch.float32),
}


@pytest.mark.parametrize("order", [1, -1])
def test_1_and_1_0_and_true_are_distinguished(order):
    for name, (function, expected) in list(TYPED.items())[::order]:
        x = integers()
        y = function(x)
        assert y.dtype is expected, name
        assert y.graph.forward(x=torch.tensor([3, 4])).dtype is expected, name


def test_booleans_are_distinguished_from_integers():
    def flags():
        return gn.Graph().input((2,), name="x", dtype=torch.bool)

    for number, expected in ((1, torch.int64), (1.0, torch.float32), (True, torch.bool)):
        assert (flags() + number).dtype is expected


def test_ops_are_equal_only_with_options_of_the_same_type():
    options = [ops.pow(integers(), exponent).op for exponent in (1, 1.0, True, 1)]
    assert options[0] == options[3]
    assert hash(options[0]) == hash(options[3])
    assert len(set(options)) == 3
    assert [repr(op) for op in options[:3]] == [
        f"PowScalar(exponent={exponent})" for exponent in ("1", "1.0", "True")
    ]


# dtypes

F16, F32, F64, I64, B = torch.float16, torch.float32, torch.float64, torch.int64, torch.bool

MIXED = {
    "add, 32 and 64": (lambda x, y: x + y, F32, F64),
    "mul, 16 and 32": (lambda x, y: x * y, F16, F32),
    "div, a scalar of 64": (lambda x, y: x / y.sum(), F32, F64),
    "compare": (lambda x, y: x > y, F32, F64),
    "where": (lambda x, y: x.where(x > 0, y), F32, F64),
    "matmul": (lambda x, y: x @ y, F32, F64),
    "matmul of integers": (lambda x, y: x @ y, F32, I64),
    "linear": (lambda x, y: ops.linear(x, y, x.sum(0)), F32, F64),
    "mse": (ops.mse_loss, F32, F64),
    "mse of labels": (ops.mse_loss, F32, I64),
    "bce of labels": (ops.binary_cross_entropy, F32, I64),
    "add, integers": (lambda x, y: x + y, F32, I64),
    "pow, integers": (lambda x, y: x**y, F32, I64),
}


@pytest.mark.parametrize(("function", "first", "second"), MIXED.values(), ids=MIXED)
def test_dtypes_are_never_mixed_silently(function, first, second):
    names = [str(dtype).removeprefix("torch.") for dtype in (first, second)]
    for order in (1, -1):
        graph = gn.Graph()
        x = graph.input((3, 3), name="x", dtype=first)
        y = graph.input((3, 3), name="y", dtype=second)
        size = len(graph)
        with pytest.raises(gn.DtypeError, match="never mixed") as caught:
            function(*(x, y)[::order])
        assert all(name in str(caught.value) for name in names)
        assert len(graph) <= size + 2  # no more than the sum or condition before the mistake


ALLOWED = {
    "a mask": (lambda x, y: x * y, F32, B, F32),
    "a condition": (lambda x, y: x.where(y, 0.0), F64, B, F64),
    "integers": (lambda x, y: x * y, I64, I64, I64),
    "a single integer": (lambda x, y: x / y.sum(), F32, I64, F32),
    "a single integer in 16 bits": (lambda x, y: x * y.sum(), F16, I64, F16),
    "a Python number": (lambda x, y: x * 2 + 1.5, F16, I64, F16),
    "a comparison": (lambda x, y: x > 1, F32, I64, B),
    "a product": (lambda x, y: x @ y, F64, F64, F64),
}


@pytest.mark.parametrize(("function", "a", "b", "result"), ALLOWED.values(), ids=ALLOWED)
def test_dtypes_that_meet(function, a, b, result):
    graph = gn.Graph()
    x = graph.input((3, 3), name="x", dtype=a)
    y = graph.input((3, 3), name="y", dtype=b)
    node = function(x, y)
    assert node.dtype is result
    values = torch.ones(3, 3).to(a), torch.ones(3, 3).to(b)
    assert graph.forward({x: values[0], y: values[1]}, outputs=node).dtype is result


def test_inputs_are_of_the_default_type():
    assert gn.Graph().input((2,), name="x").dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert gn.Graph().input((2,), name="x").dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
