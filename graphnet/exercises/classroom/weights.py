"""What points are worth, as the command line says it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from graphnet.errors import GraphError
from graphnet.exercises.grading import weighted

if TYPE_CHECKING:
    from graphnet.exercises.catalog import AnyExercise

Weights = dict[str, dict[str, float]]
"""The weights of the points of each exercise, by the names on the command line."""


def add_weights(parser: argparse.ArgumentParser) -> None:
    """The option for weights."""
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="POINT=NUMBER",
        help="what a point is worth, such as grad_x=2, form=0.5 or mul.grad_x=2; else 1",
    )


def weights_of(texts: Sequence[str], exercises: Mapping[str, AnyExercise]) -> Weights:
    """The weights of the command line for each exercise.

    Raises:
        GraphError: a text is not POINT=NUMBER, or there is no such point.
    """
    found: Weights = {name: {} for name in exercises}
    for text in texts:
        point, _, value = text.rpartition("=")
        exercise, _, name = point.rpartition(".")
        own = {
            key: each
            for key, each in exercises.items()
            if exercise.lower() in ("", key.lower(), each.__name__.lower())
            and name in each.points()
        }
        try:
            weight = float(value)
        except ValueError as error:
            raise GraphError(
                f"A weight is written POINT=NUMBER, such as grad_x=2; got {text!r}."
            ) from error
        if not own:
            points = [f"{e.__name__}.{p}" for e in exercises.values() for p in e.points()]
            raise GraphError(f"There is no point {point!r}; the points are {', '.join(points)}.")
        for key, each in own.items():
            found[key][name] = weight
            weighted(each, found[key])
    return found
