"""What a teacher hands out: cells for nbgrader, a notebook of them, and a file of tests for pytest.

Source: nbgrader's documentation, "Creating and grading assignments"; its metadata have version 3. A
cell of tests whose last line is a number gets this number of points.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from inspect import getsource, isfunction
from textwrap import dedent, indent
from typing import Any

from graphnet.errors import GraphError
from graphnet.exercises.catalog import AnyExercise, find_exercise
from graphnet.exercises.exercise import Exercise, written
from graphnet.exercises.grading import weighted
from graphnet.exercises.program import ProgramExercise
from graphnet.notebook import Source
from graphnet.validation import must_be

Cell = dict[str, Any]
"""A cell of a notebook, as JSON."""

_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"


def cell(
    exercise: AnyExercise | str,
    solution: type | None = None,
    weights: Mapping[str, float] | None = None,
) -> list[Cell]:
    """The two cells of an exercise for nbgrader: the answer, and the autograded tests.

    In the answer, nbgrader replaces what stands between `### BEGIN SOLUTION` and `### END SOLUTION`
    by a gap; each rule has all arguments that it may read. The tests print the grade, and the last
    line is the number of points.

    Args:
        exercise: the exercise or its name.
        solution: the class of a right answer, whose rules are put into the gaps; None leaves them
            empty.
        weights: how much the points are worth, by name; those that are not named are worth 1.

    Raises:
        GraphError: there is no such exercise or point, or the source of the solution is more than
            its rules.

    >>> import graphnet as gn
    >>> answer, tests = gn.exercises.cell("mul")
    >>> tests["metadata"]["nbgrader"]["points"]
    3
    >>> print(tests["source"])
    grade = gn.grade(MyMul, "Mul")
    print(grade)
    float(grade.points)
    """
    given = _given(exercise)
    points = sum(weighted(given, weights or {}).values(), Fraction(0))
    name = given.__name__
    own = given.__module__.startswith("graphnet.")
    asked = f"gn.grade(My{name}, {json.dumps(name) if own else name}"
    asked += f", weights={dict(weights)})" if weights else ")"
    tests = f"grade = {asked}\nprint(grade)\nfloat(grade.points)"
    worth = int(points) if points.denominator == 1 else float(points)
    return [
        _code(name, _answer(given, solution), solution=True),
        _code(f"{name}-tests", tests, grade=True, locked=True, points=worth),
    ]


def _given(exercise: Any) -> AnyExercise:
    """An exercise, of itself or of its name."""
    if isinstance(exercise, str):
        return find_exercise(exercise)
    if not hasattr(exercise, "exercise"):
        raise GraphError(must_be("exercise", "an exercise or its name, such as 'mul'", exercise))
    found: AnyExercise = exercise.exercise
    return found


def assignment_notebook(
    *exercises: AnyExercise | str,
    title: str = "Derivatives",
    weights: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """A notebook for nbgrader with the cells of some exercises, as JSON.

    Args:
        exercises: the exercises or their names.
        title: the heading.
        weights: for an exercise, by its name, how much its points are worth.

    Raises:
        GraphError: there is no such exercise or point.

    >>> import json
    >>> import graphnet as gn
    >>> len(json.loads(gn.exercises.assignment_notebook("mul", "relu"))["cells"])
    6
    """
    cells = [
        _text("introduction", f"# {title}\n\n{_INTRODUCTION}"),
        _code("import", "import graphnet as gn", locked=True),
    ]
    for exercise in exercises:
        given = _given(exercise)
        cells += cell(given, weights=(weights or {}).get(given.__name__))
    book = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


_INTRODUCTION = (
    "In each cell, replace `raise NotImplementedError()` by your rule. `grad` is the gradient of "
    "the output, `top` the output itself. A rule returns the gradient of its own input. The cell "
    "below shows your points, and for a wrong rule a hint."
)


def pytest_source(exercise: AnyExercise | str, module: str | None = None) -> Source:
    """A file of tests for pytest: one for each point of an exercise.

    Args:
        exercise: the exercise or its name.
        module: the file of the answer, without .py; by default the name of the exercise.

    Raises:
        GraphError: there is no such exercise.

    >>> import graphnet as gn
    >>> print(gn.exercises.pytest_source("relu").splitlines()[0])
    \"\"\"The points of ReLU: `pytest test_relu.py`, beside the answer in relu.py.\"\"\"
    """
    given = _given(exercise)
    name = given.__name__
    module = module or name.lower()
    if not module.isidentifier():
        raise GraphError(f"A module is named like a variable, such as mul; got {module!r}.")
    own = given.__module__.startswith("graphnet.")
    return Source(
        _TESTS.format(
            name=name,
            module=module,
            points=json.dumps(given.points()),
            given=json.dumps(name) if own else "answer().exercise",
            others=_OTHERS.format(rules=json.dumps(given.required_rules())) if own else "",
            start=given.task().splitlines()[0],
        )
    )


_TESTS = '''"""The points of {name}: `pytest test_{module}.py`, beside the answer in {module}.py."""

import functools
import importlib

import pytest

import graphnet as gn


@functools.cache
def answer():
    """The class that derives from {name}; My{name} if there are several."""
    try:
        module = importlib.import_module("{module}")
    except ModuleNotFoundError as error:
        if error.name != "{module}":
            raise
        pytest.fail("There is no {module}.py: write your answer into a file of this name.", False)
    classes = [each for each in vars(module).values() if isinstance(each, type)]
    mine = [each for each in classes if getattr(each, "exercise", each) is not each]
    found = [each for each in mine if getattr(each.exercise, "__name__", 0) == "{name}"]{others}
    if not found:
        begin = "begin with `{start}`."
        pytest.fail(f"{module}.py has no class that derives from {name}: {{begin}}", False)
    return next((each for each in found if each.__name__ == "My{name}"), found[-1])


@functools.cache
def marks():
    return {{mark.name: mark for mark in gn.grade(answer(), {given}).marks}}


@pytest.mark.parametrize("point", {points})
def test_point(point):
    mark = marks()[point]
    assert mark.right, f"{{mark.verdict}}\\n{{mark.hint}}"
'''


_OTHERS = """
    for each in classes:  # an op of its own with the same rules
        rules = {{*{rules}}} & {{*vars(each)}}
        if rules and each.__module__ == module.__name__ and not hasattr(each, "exercise"):
            found.append(each)"""


def _answer(given: AnyExercise, solution: type | None) -> str:
    """The class of an answer, with a region for nbgrader in each method."""
    lines = given.task().splitlines()
    methods = given.required_rules()
    kept = lines[: next(at for at, line in enumerate(lines) if f"def {methods[0]}(" in line)]
    if issubclass(given, ProgramExercise):
        arguments = ", ".join(("self", *given.arguments))
    else:
        arguments = ", ".join(("self", "grad", "top", *given.inputs))
    for method in methods:
        body = "..." if solution is None else _body(given, solution, method)
        region = indent("\n".join([_BEGIN, body, _END]), " " * 8)
        kept += [f"    def {method}({arguments}):", region, ""]
    return "\n".join(kept).rstrip()


def _body(given: AnyExercise, solution: type, method: str) -> str:
    """The lines of a method of a solution, without its first one.

    Raises:
        GraphError: it has none, its source is unknown, or it needs more than its own lines.
    """
    members = written(solution) if issubclass(given, Exercise) else vars(solution)
    function: Callable[..., Any] | None = members.get(method)
    if not isfunction(function):
        raise GraphError(f"{solution.__name__} has no method {method}: the solution has them all.")
    helpers = [n for n, f in members.items() if isfunction(f) and n not in given.required_rules()]
    if helpers:
        raise GraphError(
            f"{solution.__name__} has the method {helpers[0]} too, which would be left to the "
            "students: write it into the rules."
        )
    try:
        source = dedent(getsource(function))
    except OSError as error:
        raise GraphError(
            f"The source of {solution.__name__}.{method} is unknown: put the class into a file."
        ) from error
    tree = ast.parse(source).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise GraphError(f"{solution.__name__}.{method} must be written with def.")
    first = tree.body[0]
    lines = source.splitlines()
    if first.lineno == tree.lineno:  # def and body in one line
        return lines[first.lineno - 1][first.col_offset :]
    return dedent("\n".join(lines[first.lineno - 1 :]))


def _code(name: str, source: str, **settings: Any) -> Cell:
    """A cell of code with the metadata of nbgrader."""
    return _cell("code", name, source, settings) | {"execution_count": None, "outputs": []}


def _text(name: str, source: str) -> Cell:
    """A text that students cannot change."""
    return _cell("markdown", name, source, {"locked": True})


def _cell(kind: str, name: str, source: str, settings: Mapping[str, Any]) -> Cell:
    roles = {"grade": False, "solution": False, "locked": False, "task": False}
    data = {"schema_version": 3, "grade_id": name, **roles, **settings}
    return {"cell_type": kind, "id": name, "metadata": {"nbgrader": data}, "source": source}
