"""Digests: equal for equal things, and different for different ones."""

from __future__ import annotations

from functools import partial

import pytest
import torch

import graphnet as gn
from graphnet.train import digests
from graphnet.train.digests import digest_of, digest_of_tensors, plain

ONES = torch.ones(4, 2)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (ONES, ONES.clone(), True),
        (ONES, ONES.T.contiguous().T, True),  # another order in memory
        (ONES, ONES.reshape(2, 4), False),
        (ONES, ONES.double(), False),
        (ONES, ONES + 1e-7, False),
        (ONES.bool(), ONES.to(torch.uint8), False),
        (ONES.bfloat16(), ONES.bfloat16(), True),
        (ONES.to(torch.complex64), ONES.to(torch.complex64).conj(), False),
        (torch.zeros(0, 3), torch.zeros(0, 3), True),
        (torch.tensor(1.0), torch.tensor(2.0), False),
    ],
)
def test_tensors_are_reported_by_their_bytes_shapes_and_types(one, other, equal):
    if one.is_complex():
        one, other = one + 1j, (one + 1j).conj()
    assert (digest_of_tensors([one]) == digest_of_tensors([other])) is equal


def test_of_large_tensors_some_rows_are_taken(monkeypatch):
    monkeypatch.setattr(digests, "_LARGEST", 64)
    rows = torch.arange(1000.0)
    changed = rows.clone()
    changed[0] = -1
    assert digest_of_tensors([rows]) == digest_of_tensors([rows.clone()])
    assert digest_of_tensors([rows]) != digest_of_tensors([changed])


def adding(number):
    return lambda x: x + number


def nested(number):
    def outer(x):
        def inner(y):
            return y * number

        return inner(x)

    return outer


def calling(function):
    return lambda x: function(x) + 1


def itself():
    def f(x):
        return f(x)

    return f


class Scaling:
    def __init__(self, factor):
        self.factor = factor

    def scale(self, x):
        return x * self.factor


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (adding(1), adding(1), True),
        (adding(1), adding(2), False),
        (adding(1), adding(1.0), False),
        (adding(ONES), adding(ONES.clone()), True),
        (adding(ONES), adding(ONES * 2), False),
        (adding([1]), adding([1, 2]), True),  # a list may grow from call to call
        (nested(1), nested(1), True),
        (nested(1), nested(2), False),
        (calling(adding(1)), calling(adding(1)), True),
        (calling(adding(1)), calling(adding(2)), False),
        (calling(gn.ops.relu), calling(gn.ops.tanh), False),
        (calling(torch.relu), calling(torch.tanh), False),
        (calling(gn.Linear(2, 2)), calling(gn.Linear(2, 2)), True),
        (itself(), itself(), True),
        (lambda x: x.flip(0), lambda x: x.roll(0), False),
        (lambda x, k=1: x, lambda x, k=2: x, False),
        (lambda x, *, k=1: x, lambda x, *, k=2: x, False),
        (lambda x: x in {1, 2}, lambda x: x in {2, 1}, True),
        (partial(max, 1), partial(max, 1), True),
        (partial(max, 1), partial(max, 2), False),
        (partial(max, key=1), partial(max, key=2), False),
        (Scaling(1).scale, Scaling(1).scale, True),
        (Scaling(1).scale, Scaling(2).scale, False),
        (max, min, False),
        (int, float, False),
    ],
)
def test_functions_are_reported_by_their_code_and_what_they_use(one, other, equal):
    assert (digest_of(one) == digest_of(other)) is equal


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (None, None),
        ((1, [2.0, "a"]), (1, (2.0, "a"))),
        (torch.tensor(0.5), 0.5),
        (torch.float32, "torch.float32"),
        (torch.Generator(), "a Generator"),
    ],
)
def test_a_value_as_a_file_holds_it(value, expected):
    assert plain(value) == expected
