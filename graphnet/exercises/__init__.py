"""Exercises: operations and layers without derivative rules, and `grade`.

A student derives from an exercise, writes the missing rules, and calls `grade`. Nothing here knows
the solution of a rule: central differences of the given forward decide what is right.

| file | contents |
|---|---|
| `catalog` | all exercises in order, and how one is found by its name |
| `operations` | exercises on operations, from `Add` to `CrossEntropy` |
| `layers` | exercises on layers, from `Linear` to `LayerNorm` |
| `compositions` | where paths meet: recurrence, attention, shared weights, second derivatives |
| `adam` | the update of Adam |
| `training_loop` | a whole training loop |
| `exercise` | the base class: a teacher adds an exercise in ten lines |
| `program` | the base class of exercises that ask for a method instead of rules |
| `grading` | the grade of an answer, rule by rule |
| `attempt` | one rule run on numbers |
| `hints` | the usual mistakes in a gradient, in words |
| `faults` | malformed rules and errors, in words |
| `constants` | names of constant factors |
| `isolation` | restores what an answer changes or ends |
| `report` | the result of `grade` |
| `assignment` | cells for nbgrader, and tests for pytest |
| `classroom` | the grades of a class: `python -m graphnet grade` |

>>> import graphnet as gn
>>> class MyMul(gn.exercises.Mul):
...     def grad_x(self, grad, x):
...         return grad * x
>>> print(gn.grade(MyMul))
MyMul, an answer to Mul: 0 of 3 points.
  grad_x  WRONG: -4.61234 by the rule, 0.406386 by differences at element (4, 0)
          hint: This is the derivative by the wrong argument: it is right for y,
          but this is the rule for x.
  grad_y  WRONG: it is not written yet
          hint: Write `def grad_y(self, grad, ...)`, which returns the gradient
          by y.
  form    not checked: the rules come first
"""

from graphnet.exercises.adam import Adam
from graphnet.exercises.assignment import assignment_notebook, cell, pytest_source
from graphnet.exercises.catalog import ALL
from graphnet.exercises.compositions import Attention, RNNCell, SecondDerivative, TiedWeights
from graphnet.exercises.exercise import Exercise
from graphnet.exercises.grading import grade
from graphnet.exercises.layers import (
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    LayerNorm,
    Linear,
    MaxPool2d,
)
from graphnet.exercises.operations import Add, AddBias, CrossEntropy, Matmul, Mul, ReLU, Sigmoid
from graphnet.exercises.program import ProgramExercise
from graphnet.exercises.report import Grade, Mark
from graphnet.exercises.training_loop import TrainingLoop

__all__ = [
    "ALL",
    "Adam",
    "Add",
    "AddBias",
    "Attention",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "CrossEntropy",
    "Dropout",
    "Exercise",
    "Grade",
    "LayerNorm",
    "Linear",
    "Mark",
    "Matmul",
    "MaxPool2d",
    "Mul",
    "ProgramExercise",
    "RNNCell",
    "ReLU",
    "SecondDerivative",
    "Sigmoid",
    "TiedWeights",
    "TrainingLoop",
    "assignment_notebook",
    "cell",
    "grade",
    "pytest_source",
]
