"""Exercises: operations and layers without derivative rules, and `grade`.

A student derives from an exercise, writes the missing rules, and calls `grade`. Nothing here knows
a solution: central differences of the given forward decide what is right.

| file | contents |
|---|---|
| `ten` | the ten exercises, from `Add` to `BatchNorm` |
| `exercise` | the base class: a teacher adds an exercise in ten lines |
| `grading` | the grade of an answer, rule by rule |
| `attempt` | one rule run on numbers |
| `hints` | the usual mistakes, malformed rules and errors, in words |
| `isolation` | restores what an answer changes or ends |
| `report` | the result of `grade` |

>>> import graphnet as gn
>>> class MyMul(gn.exercises.Mul):
...     def grad_x(self, grad, x):
...         return grad * x
>>> print(gn.grade(MyMul))
MyMul, an answer to Mul: 0 of 3 points.
  grad_x        WRONG: -4.61234 by the rule, 0.406386 by differences at element
                (4, 0)
                hint: This is the derivative by the wrong argument: it is right
                for y, but this is the rule for x.
  grad_y        WRONG: it is not written yet
                hint: Write `def grad_y(self, grad, ...)`, which returns the
                gradient by y.
  other checks  not checked: the rules come first
"""

from graphnet.exercises.exercise import Exercise
from graphnet.exercises.grading import grade
from graphnet.exercises.report import Grade, Mark
from graphnet.exercises.ten import (
    ALL,
    Add,
    AddBias,
    BatchNorm,
    Conv1d,
    CrossEntropy,
    Linear,
    Matmul,
    Mul,
    ReLU,
    Sigmoid,
)

__all__ = [
    "ALL",
    "Add",
    "AddBias",
    "BatchNorm",
    "Conv1d",
    "CrossEntropy",
    "Exercise",
    "Grade",
    "Linear",
    "Mark",
    "Matmul",
    "Mul",
    "ReLU",
    "Sigmoid",
    "grade",
]
