"""Typical wrong rules, each with the hint that it must get."""

from __future__ import annotations

import pytest
from exercises.wrong import WRONG

import graphnet as gn


@pytest.mark.parametrize(("answer", "rule", "wrong", "expected"), WRONG.values(), ids=WRONG)
def test_a_typical_mistake_is_named(answer, rule, wrong, expected):
    grade = gn.grade(type("Mine", (answer,), {rule: wrong}))
    mark = next(mark for mark in grade.marks if mark.name == rule)
    assert mark.fault
    assert expected in mark.hint
    assert all(other.right for other in grade.marks[:-1] if other is not mark)
    assert grade.marks[-1].left_out
