"""The exercises: right answers get all points, and the package holds no answer."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from exercises.answers import RIGHT, MyAdam

import graphnet as gn
from graphnet.exercises import ALL


def test_each_exercise_has_an_answer():
    assert [answer.exercise for answer in RIGHT] == list(ALL)
    assert len(ALL) == 20
    assert {exercise.__name__ for exercise in ALL} <= set(gn.exercises.__all__)


@pytest.mark.parametrize("answer", RIGHT)
def test_a_right_answer_gets_all_points(answer):
    grade = gn.grade(answer)
    assert grade, str(grade)
    assert grade.score == Fraction(1)
    assert [mark.name for mark in grade.marks] == answer.points()
    assert not any(mark.hint for mark in grade.marks)


@pytest.mark.parametrize("exercise", ALL)
def test_an_exercise_is_no_answer(exercise):
    grade = gn.grade(exercise)
    assert grade.score == 0
    assert {mark.fault for mark in grade.marks[:-1]} == {"it is not written yet"}


def test_a_right_update_is_that_of_torch():
    """Torch's Adam decides what the exercise calls right, not the package's."""
    generator = torch.Generator().manual_seed(0)
    value, grads = torch.rand(3, 2, generator=generator), torch.rand(4, 3, 2, generator=generator)
    theirs = value.clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=0.1)
    ours = gn.Parameter(value.clone())
    mine = MyAdam.optimizer([ours], lr=0.1)
    for grad in grads:
        theirs.grad, ours.grad = grad.clone(), grad.clone()
        optimizer.step()
        mine.step()
    assert torch.allclose(ours.top, theirs, rtol=1e-6)
    assert gn.check_optimizer(lambda params: MyAdam.optimizer(params, lr=0.1))
