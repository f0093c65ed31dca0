"""Typical wrong rules, each with the hint that it must get."""

from __future__ import annotations

from collections import Counter

import pytest
from exercises.answers import MyTrainingLoop
from exercises.wrong import WRONG
from exercises.wrong_layers import WRONG_LAYERS
from exercises.wrong_programs import WRONG_PROGRAMS

import graphnet as gn

ALL_WRONG = WRONG | {f"layers: {name}": case for name, case in WRONG_LAYERS.items()}


@pytest.mark.parametrize(("answer", "rule", "wrong", "expected"), ALL_WRONG.values(), ids=ALL_WRONG)
def test_a_typical_mistake_is_named(answer, rule, wrong, expected):
    grade = gn.grade(type("Mine", (answer,), {rule: wrong}))
    mark = next(mark for mark in grade.marks if mark.name == rule)
    assert mark.fault
    assert expected in mark.hint
    assert all(other.right for other in grade.marks[:-1] if other is not mark)
    assert grade.marks[-1].left_out


@pytest.mark.parametrize(
    ("answer", "method", "point", "wrong", "expected"),
    WRONG_PROGRAMS.values(),
    ids=WRONG_PROGRAMS,
)
def test_a_typical_mistake_in_a_program_is_named(answer, method, point, wrong, expected):
    grade = gn.grade(type("Mine", (answer,), {method: wrong}))
    mark = next(mark for mark in grade.marks if mark.name == point)
    assert mark.fault, str(grade)
    assert expected in mark.hint


def test_the_loss_that_is_wrong_is_shown():
    def train(self, graph, loss, optimizer, batches, epochs):
        losses = MyTrainingLoop.train(self, graph, loss, optimizer, batches, epochs)
        return [*losses[:3], 9.0, *losses[4:]]

    grade = gn.grade(type("Mine", (MyTrainingLoop,), {"train": train}))
    assert any("9 instead of 0." in str(mark.fault) for mark in grade.marks)
    assert "at losses[3]" in str(grade)


def test_each_exercise_has_three_typical_mistakes():
    cases = [*ALL_WRONG.values(), *WRONG_PROGRAMS.values()]
    count = Counter(case[0].exercise for case in cases)
    assert min(count[exercise] for exercise in gn.exercises.ALL) >= 3
