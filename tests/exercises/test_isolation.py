"""What an answer may do to the program that grades it: there is a grade, and all is as before."""

from __future__ import annotations

import random
import sys
import warnings

import pytest
import torch

import graphnet as gn
from graphnet.exercises.isolation import isolated


class Gone(BaseException):
    """No `Exception`, as SystemExit is none."""


def throw(error):
    raise error


def forever():
    return forever()


def answer(action):
    """A right answer to Mul, that does something else as well."""

    class MyMul(gn.exercises.Mul):
        def grad_x(self, grad, y):
            action()
            return grad * y

        def grad_y(self, grad, x):
            return grad * x

    return MyMul


ENDING = {
    "sys.exit": (lambda: sys.exit(3), "it ends the program by SystemExit: 3"),
    "quit": (sys.exit, "it ends the program by SystemExit"),
    "generator": (lambda: throw(GeneratorExit()), "it ends the program by GeneratorExit"),
    "its own": (lambda: throw(Gone("now")), "it ends the program by Gone: now"),
    "recursion": (forever, "it raises RecursionError: maximum recursion depth exceeded"),
    "memory": (lambda: throw(MemoryError()), "it raises MemoryError: "),
    "stop": (lambda: throw(StopIteration()), "it raises StopIteration: "),
}


@pytest.mark.parametrize(("action", "fault"), ENDING.values(), ids=ENDING)
def test_a_rule_that_ends_the_program_is_graded(action, fault):
    grade = gn.grade(answer(action))
    assert [mark.right for mark in grade.marks] == [False, True, False]
    assert grade.marks[0].fault.startswith(fault)


@pytest.mark.parametrize("calls", [1, 2, 3, 5, 10, 20, 40])
def test_a_rule_that_ends_the_program_later(calls):
    left = [calls]

    def count():
        left[0] -= 1
        if not left[0]:
            sys.exit()

    grade = gn.grade(answer(count))
    assert ("ends the program by SystemExit" in str(grade)) == (left[0] <= 0)


def test_ctrl_c_ends_the_grading():
    with pytest.raises(KeyboardInterrupt):
        gn.grade(answer(lambda: throw(KeyboardInterrupt())))


def opposite_grad_mode():
    torch.set_grad_enabled(not torch.is_grad_enabled())


SETTING = {
    "nothing": lambda: None,
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "float16": lambda: torch.set_default_dtype(torch.float16),
    "grad mode": opposite_grad_mode,
    "seed": lambda: (torch.manual_seed(1), random.seed(1)),
    "draws": lambda: (torch.rand(3), random.random()),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "printing": lambda: torch.set_printoptions(precision=2, sci_mode=True),
    "recursion limit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 10),
    "warnings": lambda: warnings.simplefilter("ignore"),
    "algorithms": lambda: torch.use_deterministic_algorithms(True),
    "precision": lambda: torch.set_float32_matmul_precision("medium"),
    "device": lambda: torch.set_default_device("meta"),
}


def process_state():
    """All that a rule can set for the whole program."""
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.empty(0).device,
        "grad mode": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "printing": str(torch.tensor([1.23456, 1e6])),
        "seed": torch.random.get_rng_state().tolist(),
        "Python's seed": random.getstate(),
        "limit": sys.getrecursionlimit(),
        "filters": list(warnings.filters),
        "algorithms": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
    }


@pytest.mark.parametrize("action", SETTING.values(), ids=SETTING)
def test_what_a_rule_sets_is_put_back(action):
    with isolated():  # a failure here is none of the tests that follow
        before = process_state()
        grade = gn.grade(answer(action))
        assert process_state() == before
    assert [mark.right for mark in grade.marks[:2]] == [True, True]
    assert grade or action is SETTING["device"]  # there, no checker can compute


def test_what_is_set_is_put_back_after_an_error_too():
    before = process_state()
    with pytest.raises(ZeroDivisionError), isolated():
        for action in SETTING.values():
            action()
        throw(ZeroDivisionError())
    assert process_state() == before


def test_a_rule_that_writes_to_its_inputs_or_prints(capsys):
    class MyMul(gn.exercises.Mul):
        def grad_x(self, grad, y):
            return grad.mul_(y)

        def grad_y(self, grad, x):
            print("looked at")
            return grad * x

    grade = gn.grade(MyMul)
    assert grade.marks[0].fault == "it changes grad, which others read as well"
    assert grade.marks[1].right
    assert "looked at" in capsys.readouterr().out
