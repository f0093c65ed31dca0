"""Checks of arguments: what each takes, what it refuses, and in which words."""

from __future__ import annotations

from functools import partial
from math import inf, nan

import pytest
import torch

from graphnet import validation as v
from graphnet.errors import RangeError, ShapeError

TAKEN = [
    (v.require_range, 0),
    (v.require_range, 1e300),
    (partial(v.require_range, low=-inf), -3.5),
    (partial(v.require_range, low=0.01, high=600), 600),
    (partial(v.require_range, above=0), 1e-300),
    (partial(v.require_range, finite=False), inf),
    (v.require_integer, -1),
    (partial(v.require_integer, low=0), 0),
    (v.require_flag, False),
    (partial(v.require_choice, choices=("min", "max")), "max"),
    (partial(v.require_choice, choices=(None, "floor")), None),
]


@pytest.mark.parametrize(("rule", "value"), TAKEN, ids=range(len(TAKEN)))
def test_what_is_taken_is_returned(rule, value):
    assert rule("size", value) is value


REFUSED = [
    (v.require_range, [-1, inf, nan, "1", None, True, [1]], "a finite number of 0 or more"),
    (partial(v.require_range, low=-inf), [inf, -inf, nan, "1"], "a finite number"),
    (partial(v.require_range, below=1.0), [1.0, -0.5], "a finite number of 0 or more and below 1"),
    (partial(v.require_range, high=1), [1.5, -0.5, nan, inf], "a number from 0 to 1"),
    (partial(v.require_range, low=0.01, high=600), [0, 601], "a number from 0.01 to 600"),
    (partial(v.require_range, above=0), [0, -1, inf, nan], "a finite number above 0"),
    (partial(v.require_range, above=0, high=1), [0, 2], "a finite number above 0 and at most 1"),
    (partial(v.require_range, finite=False), [-1, nan, -inf], "a number of 0 or more"),
    (v.require_integer, [1.0, "1", None, True, torch.ones(())], "an integer"),
    (partial(v.require_integer, low=2), [1, 2.0, -3], "an integer of 2 or more"),
    (v.require_integers, [1, None, "ab", {1}], "in a list or tuple"),
    (v.require_integers, [[1.5], (None,), [True]], "an integer"),
    (v.require_flag, [0, 1, None, "yes"], "True or False"),
    (partial(v.require_choice, choices=["a"]), ["b", None], "'a'"),
    (partial(v.require_choice, choices={"a": 1, "b": 2}), ["c", 1], "'a' or 'b'"),
    (partial(v.require_choice, choices="abc"), ["d"], "'a', 'b' or 'c'"),
    (lambda name, value: v.require_counts(n=1, **{name: value}), [0, -1, 1.0, "3", None, True],
     "an integer of 1 or more"),
    (lambda name, value: v.require_numbers(n=nan, **{name: value}), ["3", None, True], "a number"),
    (lambda name, value: v.require_flags(n=True, **{name: value}), ["yes", None, 0],
     "True or False"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [(rule, value, words) for rule, values, words in REFUSED for value in values],
    ids=[f"{words}: {value!r}" for _, values, words in REFUSED for value in values],
)
def test_what_is_refused_is_named_with_its_rule(rule, value, words):
    with pytest.raises(RangeError) as error:
        rule("size", value)
    given = value[0] if words == "an integer" and isinstance(value, list | tuple) else value
    assert str(error.value) == f"size must be {words}; got {given!r}."


def test_a_long_value_is_cut():
    with pytest.raises(RangeError, match=r"^size must be True or False; got '1{48}…\.$"):
        v.require_flag("size", "1" * 1000)


def test_the_kind_of_the_error_is_the_callers():
    with pytest.raises(ShapeError):
        v.require_integer("size", 0, 1, ShapeError)
    with pytest.raises(ShapeError):
        v.require_counts(ShapeError, size=0)


@pytest.mark.parametrize(
    ("value", "plain"), [(torch.tensor([0.5]), 0.5), (torch.tensor(2), 2), (0.1, 0.1), ("x", "x")]
)
def test_a_tensor_of_one_is_its_number(value, plain):
    assert v.item_of(value) == plain


def test_a_tensor_of_several_is_not_a_number():
    several = torch.ones(2)
    assert v.item_of(several) is several
