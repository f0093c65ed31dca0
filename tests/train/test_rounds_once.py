"""What a round may return."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
import torch

from graphnet.errors import GraphError
from graphnet.train.history import History
from graphnet.train.rounds_once import round_of

NUMBERS = [2, 2.0, True + 1, torch.tensor(2), torch.tensor(2.0), np.float32(2), np.int64(2)]
CURVES = [[1, 2.5], (1.0, 2.5), torch.tensor([1, 2.5]), np.array([1, 2.5])]


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_numbers(value):
    number = round_of(0, {"x": value}, 1.5).numbers["x"]
    assert (type(number), number) == (float, 2.0)


@pytest.mark.parametrize("value", CURVES, ids=repr)
def test_curves(value):
    result = round_of(3, {"x": value, "y": 1}, 1.5)
    assert (result.seed, result.curves, result.numbers) == (3, {"x": [1.0, 2.5]}, {"y": 1.0})


def test_not_finite_numbers_are_numbers():
    assert isnan(round_of(0, {"x": float("nan")}, 1.0).numbers["x"])


def test_an_object_with_a_record():
    history = History()
    history.epochs += [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    assert round_of(0, history, 1.0).curves["loss"] == [0.5, 0.25]


def test_seconds_of_its_own_and_a_seed():
    result = round_of(7, {"seconds": 0.5, "seed": 7, "x": 1}, 9.0)
    assert (result.seconds, result.numbers) == (0.5, {"x": 1.0})
    assert round_of(7, {"seconds": [1, 2]}, 9.0).seconds == 9.0


WRONG = [
    (None, "got NoneType"),
    (0.9, "got float"),
    ([0.9], "got list"),
    ({"x": "0.9"}, "'x' is str"),
    ({"x": None}, "'x' is NoneType"),
    ({"x": []}, "'x' is list"),
    ({"x": [1, "2"]}, "'x' is list"),
    ({"x": [[1.0]]}, "'x' is list"),
    ({"x": torch.ones(2, 2)}, "'x' is Tensor"),
    ({"x": 1j}, "'x' is complex"),
    ({3: 1.0}, "3 is float"),
]


@pytest.mark.parametrize(("made", "words"), WRONG, ids=lambda each: str(each)[:20])
def test_anything_else_is_refused(made, words):
    with pytest.raises(GraphError, match=words):
        round_of(0, made, 1.0)
