"""Maps and reductions in C, over memory that lies in every way."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops


def rand(*shape, dtype=torch.float32, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def assert_outputs(graph, outputs, feed, **close):
    predict = graph.compile(list(outputs.values()), backend="c")
    found, expected = predict(feed), graph.forward(feed, outputs=list(outputs.values()))
    for name, mine, theirs in zip(outputs, found, expected, strict=True):
        torch.testing.assert_close(
            mine, theirs, **close, equal_nan=True, msg=lambda m, n=name: n + m
        )
    return predict


DIMS = (0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2))
REDUCTIONS = {
    "sum": lambda x, dim: x.sum(dim),
    "mean": lambda x, dim: x.mean(dim),
    "largest": lambda x, dim: x.amax(dim),
    "smallest": lambda x, dim: x.amin(dim),
    "of a formula": lambda x, dim: (x * 2.0 - 0.5).exp().sum(dim),
    "place": lambda x, dim: x.argmax(dim),
    "softmax": lambda x, dim: x.softmax(dim),
}


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_along_every_axis_of_every_order(name):
    """Along one axis, two, and all; of memory in each order of three axes."""
    graph, outputs = gn.Graph(), {}
    x = graph.input((5, 17, 3), name="x")
    feed = {"x": rand(5, 17, 3)}
    for order in permutations(range(3)):
        turned = x.permute(*order)
        dims = (0, 1, 2) if name in ("place", "softmax") else DIMS
        for dim in dims:
            outputs[f"{order} {dim} "] = REDUCTIONS[name](turned, dim)
    assert_outputs(graph, outputs, feed, rtol=2e-6, atol=1e-6)


def test_extremes_of_equal_numbers_and_nan():
    """The first of equal ones; NaN wins, wherever it is."""
    graph = gn.Graph()
    x = graph.input((6, 40), name="x")
    values = torch.randint(0, 3, (6, 40), generator=torch.Generator().manual_seed(0)).float()
    values[1, 7] = values[1, 30] = values[2, 0] = values[3, 39] = float("nan")
    values[4] = float("-inf")
    values[5] = float("inf")
    outputs = {
        f"{name} {dim} ": getattr(x, name)(dim)
        for name in ("argmax", "argmin", "amax", "amin")
        for dim in (0, 1)
    }
    assert_outputs(graph, outputs, {"x": values}, rtol=0, atol=0)


LONG = 1_000_000


@pytest.mark.parametrize("shape", [(LONG,), (2, LONG // 2)], ids=str)
def test_long_sums_round_little(shape):
    """Numbers of one sign: one after the other, they would be added to ever larger ones.

    64 roundings in a row, most of which cancel, are a fraction of eps; one after the other it is
    up to ten.
    """
    graph = gn.Graph()
    x = graph.input(shape, name="x")
    dim = len(shape) - 1
    predict = graph.compile(x.sum(dim), backend="c")
    for seed in range(3):
        values = rand(*shape, seed=seed)
        exact = values.double().sum(dim)
        limit = torch.finfo(torch.float32).eps * exact
        assert ((predict(x=values).double() - exact).abs() <= limit).all()


def test_long_sums_of_integers_are_exact():
    graph = gn.Graph()
    x = graph.input((5000,), name="x", dtype=torch.int64)
    values = 2**40 + torch.arange(5000)
    assert graph.compile(x.sum(), backend="c")(x=values * 2001).equal((values * 2001).sum())


@pytest.mark.usefixtures("level")
def test_maps_over_every_order_of_axes():
    graph, outputs = gn.Graph(), {}
    x, y = graph.input((4, 5, 6), name="x"), graph.input((5,), name="y")
    feed = {"x": rand(4, 5, 6), "y": rand(5, seed=1)}
    for first in permutations(range(3)):
        turned = x.permute(*first)
        place = first.index(1)
        beside = y.reshape(*[5 if axis == place else 1 for axis in range(3)])
        outputs[f"{first} "] = turned * beside + turned.tanh()
        outputs[f"{first} back "] = (turned - beside).permute(2, 1, 0).reshape(-1)
    assert_outputs(graph, outputs, feed, rtol=1e-6, atol=1e-6)


def test_two_places_of_extremes_in_one_program():
    """Each has local variables of its own."""
    graph = gn.Graph()
    x, y = (graph.input((2, 3, 8, 8), name=name) for name in "xy")
    outputs = {f"{n} ": gn.ops.max_pool2d(each, 2, return_indices=True)[1]
               for n, each in enumerate((x, y, x * 2.0))}  # fmt: skip
    outputs |= {f"argmax {n} ": each.argmax(0) for n, each in enumerate((x, y))}
    feed = {"x": rand(2, 3, 8, 8), "y": rand(2, 3, 8, 8, seed=1)}
    assert_outputs(graph, outputs, feed, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("count", [2, 4, 8, 16])
def test_choices_between_parts_of_rows(count, dtype):
    """What is chosen between is read first: gcc 12 misplaces what it reads under a condition."""
    graph, outputs, feed = gn.Graph(), {}, {}
    for rows in (4, 5, 32):
        shape = (rows, 2 * count)
        x, y = (graph.input(shape, name=f"{name}{rows}", dtype=dtype) for name in "xy")
        feed |= {x: rand(*shape, dtype=dtype), y: rand(*shape, dtype=dtype, seed=1)}
        first, second = (slice(None), slice(count)), (slice(None), slice(count, None))
        condition = x[second] < 0.5
        for name, chosen in {
            "one": ops.where(condition, y[second], 0.0),
            "a sum": ops.where(condition, y[second] - y[first], 0.0),
            "two": ops.where(condition, y[second] * 2.0, x[first]),
            "a fill": y[first].masked_fill(condition, 0.5),
            "one in another": ops.where(condition, ops.where(y[first] < 0.5, y[second], 1.0), 0.0),
        }.items():
            outputs[f"{rows} {name} "] = chosen
    source = assert_outputs(graph, outputs, feed, rtol=0, atol=0).source
    choices = [line.partition(" ? ")[2] for line in source.splitlines() if " ? " in line]
    assert len(choices) >= len(outputs)
    assert not [each for each in choices if "[" in each]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_sums_over_turned_parts_of_rows(dtype):
    """gcc 11 and 12 make vectors of these at -O3, and take numbers from wrong places."""
    graph, outputs, feed = gn.Graph(), {}, {}
    for rows, width, count in ((33, 7, 3), (32, 8, 4), (5, 6, 2), (40, 9, 5)):
        x = graph.input((rows, width), name=f"x{rows}", dtype=dtype)
        feed[x] = rand(rows, width, dtype=dtype) - 0.5
        part = x[:, width - count - 1 : width - 1]
        for places in range(1, count):
            turned = part.roll(places, 1)
            outputs[f"{rows} {places} all "] = (turned * turned).sum()
            outputs[f"{rows} {places} rows "] = (turned * part).sum(1)
            outputs[f"{rows} {places} columns "] = (turned.flip(1) * part).sum(0)
    close = {"rtol": 1e-5, "atol": 1e-6} if dtype is torch.float32 else {"rtol": 1e-12, "atol": 0}
    assert_outputs(graph, outputs, feed, **close)


def test_a_negative_number_is_negated():
    """`- -1` is one sign less than `--1`."""
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    outputs = {"a ": -(x * 0.0 - 2.0), "b ": x - -1.5, "c ": -gn.ops.where(x > 0.5, -1.0, x)}
    outputs["d "] = -(gn.ops.ones_like(x) * -3.0)
    predict = assert_outputs(graph, outputs, {"x": rand(3)}, rtol=0, atol=0)
    assert "--" not in predict.source.replace("--)", "")


def test_numbers_are_written_so_that_they_are_read_back():
    graph = gn.Graph()
    x = graph.input((1,), name="x", dtype=torch.float64)
    numbers = [0.1, 1e300, 5e-324, 1 / 3, -1e-8, float("inf"), float("-inf"), 123456789.123456789]
    outputs = {f"{each} ": x * each for each in numbers}
    assert_outputs(graph, outputs, {"x": torch.ones(1, dtype=torch.float64)}, rtol=0, atol=0)
    whole = graph.input((1,), name="n", dtype=torch.int64)
    integers = [0, -1, 2**31, -(2**31), 2**62, -(2**63) + 1]
    made = graph.compile([whole * each for each in integers], backend="c")
    found = made(n=torch.ones(1, dtype=torch.int64))
    assert_close([each.item() for each in found], integers, rtol=0, atol=0)
