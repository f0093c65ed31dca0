"""All exercises, from the easiest to the hardest, and the way to find one by its name."""

from __future__ import annotations

from graphnet.errors import GraphError
from graphnet.exercises.adam import Adam
from graphnet.exercises.compositions import Attention, RNNCell, SecondDerivative, TiedWeights
from graphnet.exercises.exercise import Exercise
from graphnet.exercises.layers import (
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    LayerNorm,
    Linear,
    MaxPool2d,
)
from graphnet.exercises.operations import (
    Add,
    AddBias,
    CrossEntropy,
    Matmul,
    Mul,
    ReLU,
    Sigmoid,
)
from graphnet.exercises.program import ProgramExercise
from graphnet.exercises.training_loop import TrainingLoop

AnyExercise = type[Exercise] | type[ProgramExercise]

ALL: tuple[AnyExercise, ...] = (
    Add,
    Mul,
    Matmul,
    AddBias,
    ReLU,
    Sigmoid,
    CrossEntropy,
    Linear,
    Conv1d,
    BatchNorm,
    Dropout,
    MaxPool2d,
    Conv2d,
    LayerNorm,
    RNNCell,
    TiedWeights,
    SecondDerivative,
    Attention,
    Adam,
    TrainingLoop,
)
"""The exercises in order."""


def find_exercise(name: str) -> AnyExercise:
    """The exercise of a name, whatever its capitals, spaces, hyphens and underscores.

    Raises:
        GraphError: there is none.

    >>> find_exercise("batch norm").__name__
    'BatchNorm'
    """
    known = {exercise.__name__.lower(): exercise for exercise in ALL}
    key = "".join(filter(str.isalnum, name.lower()))
    if key not in known:
        names = ", ".join(exercise.__name__ for exercise in ALL)
        raise GraphError(f"There is no exercise {name!r}; the exercises are {names}.")
    return known[key]
