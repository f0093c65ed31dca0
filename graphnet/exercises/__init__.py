"""Exercises: operations and layers whose derivative rules are left out, and `grade`.

A student derives from an exercise, writes the missing rules, and asks for the grade. Nothing here
knows a solution: the forward that is given tells, by central differences, what is right.

| file | what it holds |
|---|---|
| `ten` | the ten exercises, from `Add` to `BatchNorm` |
| `exercise` | what an exercise is: a teacher adds one in ten lines |
| `grading` | the grade of an answer, rule by rule |
| `attempt` | one rule at work on numbers |
| `hints` | the usual mistakes, in words |
| `isolation` | what an answer sets or ends, put back |
| `raised` | what is no rule, and errors that rules raise, in words |
| `report` | what `grade` hands back |

>>> import graphnet as gn
>>> class MyMul(gn.exercises.Mul):
...     def grad_x(self, grad, x):
...         return grad * x
>>> print(gn.grade(MyMul))
MyMul, an answer to Mul: 0 of 3 points.
  grad_x        WRONG: -4.61234 by the rule, 0.406386 by differences at element
                (4, 0)
                hint: This is the derivative of the wrong argument: the gradient
                by y is right so, and the one by x is asked for.
  grad_y        WRONG: it is not written yet
                hint: Write `def grad_y(self, grad, ...)`, and let it return the
                gradient by y.
  other checks  not looked at: the rules come first
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
