"""Which submissions are nearly the same, whatever their names and comments."""

from __future__ import annotations

import pytest
from exercises.classroom.hostile import RIGHT

import graphnet as gn
from graphnet.exercises.classroom.results import Student
from graphnet.exercises.classroom.similar import lines_of, near_identical

SOURCE = """
class MyNorm(gn.exercises.BatchNorm):
    def grad_x(self, grad, x, weight):
        standard = self.normalized(x)
        given = grad * weight
        given = given - given.mean(0) - standard * (given * standard).mean(0)
        return given / self.deviation(x)

    def grad_weight(self, grad, x):
        return (grad * self.normalized(x)).sum(0)
"""
RENAMED = SOURCE.replace("standard", "hat").replace("given", "g").replace("MyNorm", "Norm")
COMMENTED = '# my own work\n"""Mine."""\n' + SOURCE.replace("(0)\n", "(0)  # the mean\n\n")
OTHER = """
class MyNorm(gn.exercises.BatchNorm):
    def grad_weight(self, grad, x):
        total = 0
        for row in range(5):
            total = total + grad[row] * ((x - x.mean(0)) / self.deviation(x))[row]
        return total

    def grad_x(self, grad, x, weight):
        n, s, h = ops.ones_like(x).sum(0), self.deviation(x), self.normalized(x)
        return (n * grad - grad.sum(0) - h * (grad * h).sum(0)) * weight / (n * s)
"""
SHORT = """
class MyReLU(gn.exercises.ReLU):
    def grad_x(self, grad, x):
        return grad * (x > 0)
"""


def students(*sources):
    return [Student(f"s{n}", (), source, ()) for n, source in enumerate(sources)]


def names(sources, **options):
    return [(a.name, b.name) for a, b, _ in near_identical(students(*sources), **options)]


@pytest.mark.parametrize("copy", [SOURCE, RENAMED, COMMENTED])
def test_a_copy_is_found_whatever_its_names_and_comments(copy):
    assert names([SOURCE, OTHER, copy]) == [("s0", "s2")]


def test_what_says_nothing_is_left_out():
    assert names([SHORT] * 3) == []
    assert names([RIGHT] * 3, given=[gn.exercises.Mul.task()]) == []
    assert names([SOURCE] * 11) == []  # everybody writes it so
    assert names([SOURCE] * 2, given=[SOURCE]) == []
    task = gn.exercises.BatchNorm.task()
    assert names([task, task], given=[task]) == []


def test_a_program_that_cannot_be_read_is_compared_up_to_there():
    torn = SOURCE + '\n"""\n'
    assert names([torn, SOURCE + "\n  )"]) == [("s0", "s1")]
    assert lines_of("x = 1\n  y = (") == {
        1: ("name", "=", "1", "end"),
        2: ("in", "name", "=", "("),
    }


def test_the_most_similar_come_first_and_the_limit_is_chosen():
    changed = SOURCE.replace("grad * weight", "grad * weight * 2 / 2")
    pairs = near_identical(students(SOURCE, changed, RENAMED), least=0.5)
    assert [(a.name, b.name) for a, b, _ in pairs] == [("s0", "s2"), ("s0", "s1"), ("s1", "s2")]
    assert [round(share, 1) for *_, share in pairs] == [1.0, 0.8, 0.8]
    assert len(names([SOURCE, changed, RENAMED], least=1)) == 1
