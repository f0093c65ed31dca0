"""The numbers of small tensors, and the sums that they came from."""

from __future__ import annotations

import math
import re

import pytest
import torch

import graphnet as gn
from graphnet.stepping.numbers import MOST_NUMBERS, grid_of, numbers_of, short


def walked(build, **feed):
    """What a walk shows of each node, by name."""
    with gn.Graph() as graph:
        inputs = {
            name: gn.Input(tuple(each.shape), name=name, requires_grad=True)
            for name, each in feed.items()
        }
        loss = build(**inputs)
    walk = graph.walk(feed, loss).run()
    found = numbers_of(walk.events, range(len(walk.events)))
    return {
        graph.name_of(node): {grid.label: grid for grid in grids} for node, grids in found.items()
    }


def value_of(text):
    """The left side of a written equation, as Python computes it."""
    left, _, right = text.rpartition(" = ")
    return eval(left.replace("·", "*").replace("−", "-")), float(right)


def approx(numbers):
    """Equal in the three digits that are written."""
    return pytest.approx(numbers, rel=5e-3)


def close(text):
    left, right = value_of(text)
    return math.isclose(left, right, rel_tol=0.02, abs_tol=0.02)


A = torch.tensor([[1.0, -2.0], [3.0, 0.5], [0.0, 0.25]])
B = torch.tensor([[0.5, 4.0, -1.0], [2.0, -0.25, 8.0]])


@pytest.mark.parametrize(
    ("build", "feed", "product"),
    [
        (lambda x, w: x.matmul(w).sum(), {"x": A, "w": B}, "matmul"),
        (lambda x, w: gn.ops.linear(x, w).sum(), {"x": A, "w": B.mT}, "linear_map"),
        (lambda x, w, b: gn.ops.linear(x, w, b).sum(), {"x": A, "w": B.mT, "b": B[0]}, "linear"),
        (lambda x, w, b: gn.ops.linear(x, w, b).sum(), {"x": A[0], "w": B.mT, "b": B[0]}, "linear"),
    ],
)
def test_a_product_and_its_gradients_are_written_with_their_numbers(build, feed, product):
    found = walked(build, **feed)
    leaves = {name: each.clone().requires_grad_() for name, each in feed.items()}
    x, w, *rest = leaves.values()
    y = x @ w if product == "matmul" else torch.nn.functional.linear(x, w, *rest)
    y.sum().backward()
    grid = found[product]["value"]
    assert [float(t) for row in grid.rows for t in row] == approx(y.flatten().tolist())
    assert [value_of(t)[1] for t in grid.told] == approx(y.flatten().tolist())
    assert all(map(close, grid.told))
    for name, leaf in leaves.items():
        grid = found[name]["gradient"]
        assert [value_of(t)[1] for t in grid.told] == approx(leaf.grad.flatten().tolist())
        assert all(map(close, grid.told))
        counts = {len(re.findall(r" \+ ", text)) for text in grid.told}
        assert len(counts) == 1  # each is a sum of equally many terms


def test_texts_of_a_product():
    found = walked(lambda x, w: x.matmul(w).sum(), x=A[:1], w=B[:, :1])
    assert found["matmul"]["value"].told == ["1·0.5 + -2·2 = -3.5"]
    assert found["w"]["gradient"].told == ["1·1 = 1", "-2·1 = -2"]
    assert found["x"]["gradient"].told == ["1·0.5 = 0.5", "1·2 = 2"]


def test_long_sums_are_shortened_and_say_how_many_terms_they_have():
    x, w = torch.ones(1, 30), torch.arange(30.0).reshape(30, 1)
    (text,) = walked(lambda x, w: x.matmul(w).sum(), x=x, w=w)["matmul"]["value"].told
    assert text.startswith("1·0 + 1·1 + ") and text.endswith(" + … (30 terms) + 1·29 = 435")


@pytest.mark.parametrize(
    ("build", "name", "told"),
    [
        (lambda x: x.tanh().sum(), "tanh", ["tanh(1) = 0.762", "tanh(-2) = -0.964"]),
        (lambda x: (x + x).sum(), "add", ["1 + 1 = 2", "-2 + (-2) = -4"]),
        (lambda x: (x * 2).sum(), "mul", ["1·2 = 2", "-2·2 = -4"]),
        (lambda x: (x - 0.5).sum(), "sub", ["1 − 0.5 = 0.5", "-2 − 0.5 = -2.5"]),
        (lambda x: x.sum(), "sum", []),
    ],
)
def test_elementwise_operations_are_written_as_what_they_do_to_one_number(build, name, told):
    assert walked(build, x=A[0])[name]["value"].told == told


def test_a_gradient_of_several_uses_is_shown_and_not_written():
    found = walked(lambda x, w: (x.matmul(w) + x.matmul(w)).sum(), x=A, w=B)
    grid = found["w"]["gradient"]
    assert grid.told == []
    assert [float(t) for t in grid.rows[0]] == approx([8.0, 8.0, 8.0])


def test_what_a_grid_shows():
    assert grid_of("value", 0, None) == []
    assert grid_of("value", 0, torch.zeros(MOST_NUMBERS + 1)) == []
    assert grid_of("value", 0, torch.zeros(0, 3)) == []
    (grid,) = grid_of("value", 0, torch.tensor([float("nan"), float("inf"), -2.0, 1.0]))
    assert grid.rows == [["nan", "inf", "-2", "1"]]
    assert [len(row) for row in grid_of("", 0, torch.ones(12))[0].rows] == [5, 5, 2]
    assert [len(row) for row in grid_of("", 0, torch.ones(2, 3, 4))[0].rows] == [4] * 6
    assert grid_of("", 0, torch.tensor(3))[0].rows == [["3"]]
    assert grid_of("", 0, torch.tensor([True, False]))[0].rows == [["1", "0"]]


def test_numbers_have_three_digits():
    assert [short(each) for each in (0.0, -0.0, 1234.5, 1e-7)] == ["0", "-0", "1.23e+03", "1e-07"]
