"""`python -m graphnet assignment mul relu --out sheet.ipynb`: what a teacher hands out."""

from __future__ import annotations

import argparse
from pathlib import Path

from graphnet.errors import GraphError
from graphnet.exercises.assignment import assignment_notebook, pytest_source
from graphnet.exercises.classroom.answers import exercise_named
from graphnet.exercises.classroom.weights import add_weights, weights_of
from graphnet.files import replace_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "exercises", nargs="+", metavar="NAME", help="mul, or your own as FILE.py:NAME"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=".ipynb for nbgrader, test_NAME.py for pytest, another .py to be filled in",
    )
    add_weights(parser)


def run(options: argparse.Namespace) -> str:
    """Write the file; returns what to tell the teacher.

    Raises:
        GraphError: there is no such exercise or point, the ending says nothing, or the file exists
            or cannot be written.
    """
    exercises = {name: exercise_named(name) for name in options.exercises}
    weights = weights_of(options.weight, exercises)
    out: Path = options.out
    if out.exists():
        raise GraphError(f"{str(out)!r} exists: it may have answers in it; choose another name.")
    if out.suffix == ".ipynb":
        own = {exercises[name].__name__: each for name, each in weights.items()}
        text = assignment_notebook(*exercises.values(), title=out.stem, weights=own)
    elif out.suffix == ".py" and out.stem.startswith("test_"):
        if len(exercises) > 1:
            raise GraphError("A file of tests is for one exercise: write one for each.")
        (exercise,) = exercises.values()
        text = str(pytest_source(exercise, out.stem.removeprefix("test_")))
    elif out.suffix == ".py":
        tasks = [str(exercise.task()).rstrip() for exercise in exercises.values()]
        text = "\n\n\n".join(["import graphnet as gn", *tasks]) + "\n"
    else:
        raise GraphError(f"--out ends in .ipynb or .py; got {str(out)!r}.")
    try:
        replace_file(out, text.encode())
    except OSError as error:
        raise GraphError(f"{str(out)!r} cannot be written: {error}.") from error
    return f"{out}: {', '.join(exercise.__name__ for exercise in exercises.values())}"
