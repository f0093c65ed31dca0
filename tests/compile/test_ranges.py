"""Programs stay in the range of the walk: no pass joins, reorders or narrows out of it."""

from __future__ import annotations

from math import isfinite

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops

HALF = [torch.float16, torch.bfloat16]
FULL = [torch.float32, torch.float64]
EPS = {dtype: torch.finfo(dtype).eps for dtype in (*HALF, *FULL)}


def tensor(shape, dtype, scale=1.0):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (values * scale).to(dtype)


# What is computed, of what shape and size, and in which dtypes. The same formula runs in torch, in
# the same dtype, with its autograd.
CASES = {
    "mse over many": (lambda o, x: o.mse_loss(x, x * 0), (70_000,), 1.0, [*HALF, *FULL]),
    "mean of large squares": (lambda o, x: (x * x).mean(), (9_000,), 30.0, [*HALF, *FULL]),
    "mean over many": (lambda o, x: x.mean(), (70_000,), 1.0, [*HALF, *FULL]),
    "divisor out of range": (lambda o, x: (x / 70_000.0).sum(), (500,), 300.0, [*HALF, *FULL]),
    "factor out of range": (lambda o, x: (x * 70_000.0).sum() * 1e-3, (5,), 1e-3, [*HALF, *FULL]),
    "two factors": (lambda o, x: (300 * (300 * x)).sum() * 1e-3, (5,), 1e-4, [*HALF, *FULL]),
    "down and up": (lambda o, x: (300 * (x / 70_000)).sum(), (5,), 1e3, [*HALF, *FULL]),
    "up and down": (lambda o, x: ((300 * x) / 70_000).sum(), (5,), 10.0, [*HALF, *FULL]),
    "large factors": (lambda o, x: (1e30 * (1e30 * x)).sum() * 1e-30, (5,), 1e-35, FULL),
    "small factors": (lambda o, x: (1e-30 * (1e-30 * x)).sum(), (5,), 1e35, FULL),
    "cancelling factors": (lambda o, x: (1e-30 * (1e30 * x)).sum(), (5,), 1e5, FULL),
    "small product": (lambda o, x: (x + 1e30 * ((1e18 * x) * (1e-38 * x))).sum(), (5,), 1.0, FULL),
    "small ratio": (lambda o, x: (x + 1e30 * ((1e10 * x) / (x * x + 1e20))).sum(), (5,), 1.0, FULL),
    "taken off": (lambda o, x: (x - 1e30 * ((1e18 * x) * (1e-38 * x))).sum(), (5,), 1.0, FULL),
    "large added": (lambda o, x: (x + 70_000.0 * (x * 1e-4)).sum(), (5,), 1.0, [*HALF, *FULL]),
    "power": (lambda o, x: ((x / 70_000).abs() + 0.001).sqrt().sum(), (5,), 900.0, [*HALF, *FULL]),
    "variance of many": (lambda o, x: x.var(), (70_000,), 1.0, [*HALF, *FULL]),
    "deviation of many": (lambda o, x: x.std(), (70_000,), 1.0, [*HALF, *FULL]),
}  # fmt: skip


class Functions:
    """Torch's functions in the place of those of `ops`."""

    mse_loss = staticmethod(torch.nn.functional.mse_loss)


def of_torch(function, x):
    given = x.clone().requires_grad_()
    with torch.enable_grad():
        value = function(Functions, given)
        (grad,) = torch.autograd.grad(value, given)
    return value.detach(), grad


@pytest.mark.parametrize("form", ["walked", "compiled"])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name, (*_, dtypes) in CASES.items() for dtype in dtypes],
    ids=str,
)
def test_values_and_gradients_are_those_of_torch(name, dtype, form):
    function, shape, scale, _ = CASES[name]
    x = tensor(shape, dtype, scale)
    graph = gn.Graph()
    node = graph.input(shape, name="x", dtype=dtype)
    value = function(ops, node)
    targets = [value, *graph.gradients(value, [node])]
    run = graph.compile(targets, tune=False) if form == "compiled" else graph.forward
    ours = run(x=x) if form == "compiled" else run({"x": x}, outputs=targets)
    theirs = of_torch(function, x)
    assert theirs[0].isfinite()
    # Torch rounds once where we round at each operation, or vice versa: a few units.
    limit = 16 * EPS[dtype]
    for mine, other in zip(ours, theirs, strict=True):
        scale = float(other.double().abs().max())
        if not isfinite(scale):  # a gradient may be out of range on its way
            continue
        assert_close(mine.double(), other.double(), rtol=limit, atol=limit * scale)


# Chains that torch rounds, or sends out of range, after each operation: so does a program.
CHAINS = {
    "digits": (lambda x: 0.3 * (0.7 * x), 1.0, HALF),
    "opposite": (lambda x: -(0.3 * (0.7 * x)), 1.0, HALF),
    "out of range and back": (lambda x: 0.001 * (1000 * x), 100.0, HALF[:1]),
    "scaled square": (lambda x: x + (1e30 * (x * x)) * (1 / x), 1e-17, FULL),
    "scaled square, taken off": (lambda x: x - (1e30 * (x * x)) * (1 / x), 1e-17, FULL),
    "scaled square, divided": (lambda x: x + (1e30 * (x * x)) / x, 1e-17, FULL),
}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name, (*_, dtypes) in CHAINS.items() for dtype in dtypes],
    ids=str,
)
def test_chains_are_computed_in_their_order(name, dtype):
    function, scale, _ = CHAINS[name]
    x = tensor((50,), dtype, scale)
    graph = gn.Graph()
    y = function(graph.input((50,), name="x", dtype=dtype))
    # The same operations in the same order; a kernel for several may leave out a rounding.
    limit = 4 * EPS[dtype] if dtype in FULL else 0
    for ours in (graph.forward(x=x, outputs=y), graph.compile(y, tune=False)(x=x)):
        assert_close(ours, function(x), rtol=limit, atol=0)


@pytest.mark.parametrize("form", ["walked", "compiled"])
@pytest.mark.parametrize("dtype", [*HALF, *FULL], ids=str)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_training_in_every_dtype(kind, dtype, form):
    """70,000 rows: counts, means and factors are out of the range of float16."""
    torch.manual_seed(0)
    w, other = gn.Parameter(torch.full((3,), 0.5, dtype=dtype)), torch.full((3,), 0.5, dtype=dtype)
    other.requires_grad_()
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=dtype)
    loss = gn.ops.mse_loss(x * w, x)
    settings = {"lr": 0.05, "weight_decay": 0.01}
    optimizer, twin = (
        getattr(gn, kind)([w], **settings),
        getattr(torch.optim, kind)([other], **settings),
    )
    step = graph.compile(loss, optimizer, tune=False)
    values = tensor((70_000, 3), dtype)
    for _ in range(5):
        if form == "compiled":
            step(x=values)
        else:
            graph.forward(x=values)
            graph.backward(loss)
            optimizer.step()
        with torch.enable_grad():
            twin.zero_grad()
            torch.nn.functional.mse_loss(values * other, values).backward()
        twin.step()
    limit = 8 * EPS[dtype]
    assert_close(w.top.double(), other.detach().double(), rtol=limit, atol=limit)


SCALED = {
    "factor": lambda loss: 0.3 * loss,
    "divisor": lambda loss: loss / 3,
    "two": lambda loss: 0.1 * (loss / 7) + 0.7 * loss,
}


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"ignore_index": 1}], ids=str)
@pytest.mark.parametrize("scale", SCALED.values(), ids=SCALED.keys())
def test_numbers_beside_counts_are_of_the_dtype_of_the_result(scale, options):
    """In float64 a loss is exact to 1e-14; a number rounded to float32 is not."""
    double = torch.float64
    logits, labels = tensor((6, 4), double), torch.tensor([0, 1, 2, 3, 1, 0])
    w = gn.Parameter(torch.ones(4, dtype=double))
    graph = gn.Graph()
    x = graph.input((None, 4), name="x", dtype=double)
    t = graph.input((None,), name="t", dtype=torch.int64)
    loss = scale(gn.LossCrossEntropy(**options)(x * w, t))
    step = graph.compile(loss, gn.SGD([w], lr=0.5), tune=False)
    value = step(x=logits, t=labels)
    other = torch.ones(4, dtype=double, requires_grad=True)
    with torch.enable_grad():
        theirs = scale(torch.nn.functional.cross_entropy(logits * other, labels, **options))
        theirs.backward()
    assert_close(value, theirs.detach(), rtol=1e-13, atol=1e-13)
    assert_close(w.grad, other.grad, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("form", ["walked", "compiled"])
def test_second_derivatives_of_a_cross_entropy(form, rows):
    double = torch.float64
    logits, labels = tensor((rows, 4), double), torch.arange(rows) % 4
    graph = gn.Graph()
    x = graph.input((rows, 4), name="x", dtype=double)
    t = graph.input((rows,), name="t", dtype=torch.int64)
    (slope,) = graph.gradients(ops.cross_entropy(x, t), [x])
    targets = [slope, *graph.gradients((slope * slope * x).sum(), [x])]
    feed = {"x": logits, "t": labels}
    ours = (
        graph.compile(targets, tune=False)(feed)
        if form == "compiled"
        else graph.forward(feed, outputs=targets)
    )
    given = logits.clone().requires_grad_()
    with torch.enable_grad():
        value = torch.nn.functional.cross_entropy(given, labels)
        (first,) = torch.autograd.grad(value, given, create_graph=True)
        (second,) = torch.autograd.grad((first * first * given).sum(), given)
    assert_close(ours, (first.detach(), second), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", FULL, ids=str)
@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9, 2.0])
def test_between_two_values_out_of_range_the_sign_is_that_of_torch(weight, dtype):
    graph = gn.Graph()
    x, y = (graph.input((8,), name=name, dtype=dtype) for name in "xy")
    predict = graph.compile(x + weight * (y - x), tune=False)
    largest = torch.finfo(dtype).max
    start, end = (torch.full((8,), sign * largest, dtype=dtype) for sign in (-0.9, 0.9))
    assert torch.equal(predict(x=start, y=end), start + weight * (end - start))
