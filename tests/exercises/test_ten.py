"""The ten exercises: right answers get all points, and the package holds no solution."""

from __future__ import annotations

from fractions import Fraction

import pytest
from exercises.answers import RIGHT

import graphnet as gn
from graphnet.exercises import ALL


def test_there_are_ten_and_each_has_an_answer():
    assert [answer.exercise for answer in RIGHT] == list(ALL)
    assert len(ALL) == 10


@pytest.mark.parametrize("answer", RIGHT)
def test_a_right_answer_gets_all_points(answer):
    grade = gn.grade(answer)
    assert grade, str(grade)
    assert grade.score == Fraction(1)
    assert len(grade.marks) == len(answer.required_rules()) + 1
    assert not any(mark.hint for mark in grade.marks)


@pytest.mark.parametrize("exercise", ALL)
def test_the_package_holds_no_solution(exercise):
    grade = gn.grade(exercise)
    assert grade.score == 0
    assert [mark.fault for mark in grade.marks[:-1]] == ["it is not written yet"] * len(
        exercise.required_rules()
    )
