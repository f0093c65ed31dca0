"""Runs the files of a student and grades one exercise; this happens in a process of its own."""

from __future__ import annotations

import os
import random
import re
import runpy
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import torch

from graphnet.errors import GraphError
from graphnet.exercises.catalog import AnyExercise, find_exercise
from graphnet.exercises.classroom.limits import Output, StoppedError, stopped_after
from graphnet.exercises.classroom.submissions import source_of
from graphnet.exercises.exercise import Exercise
from graphnet.exercises.grading import grade_stepwise
from graphnet.exercises.isolation import EndedError, contained, isolated
from graphnet.exercises.program import ProgramExercise

if TYPE_CHECKING:
    from graphnet.exercises.report import Mark

_PACKAGE = Path(__file__).parents[2]
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_LONGEST = 2000  # characters of a reason

_MAIN = (
    "Only classes and functions belong at the left margin; put the rest under "
    '`if __name__ == "__main__":`.'
)


_LOOP = "Is there a loop that does not end, or one that waits? " + _MAIN


class NoAnswerError(Exception):
    """Why a student has no answer to an exercise, and a hint."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def exercise_named(name: str) -> AnyExercise:
    """One of the exercises by its name, or a teacher's, as `my_exercises.py:Cube`.

    Raises:
        GraphError: there is none.
    """
    file, _, wanted = name.rpartition(":")
    if not file:
        return find_exercise(name)
    if not Path(file).is_file():
        raise GraphError(f"There is no file {file!r} with the exercise {wanted!r}.")
    folder = str(Path(file).resolve().parent)
    if folder not in sys.path:  # answers import the exercise from this file
        sys.path.append(folder)
    found = runpy.run_path(file).get(wanted)
    if not (isinstance(found, type) and issubclass(found, Exercise | ProgramExercise)):
        raise GraphError(f"{file} defines no exercise {wanted!r}.")
    return found.exercise


@dataclass(frozen=True)
class Course:
    """How a grading proceeds.

    Attributes:
        seconds: the limit of time for each file; for each rule, another process sees to it.
        known: marks of points that are not graded again.
        report: is called with "" before each file, and with the name of each point before it is
            graded.
    """

    seconds: float = 0
    known: Mapping[str, Mark] = field(default_factory=dict)
    report: Callable[[str], object] = str


def graded(
    files: list[Path], exercise: AnyExercise, work: Path, course: Course | None = None
) -> dict[str, Any]:
    """The grade of a student's files as JSON can hold it: marks, remarks, output, or a reason.

    Args:
        files: the files of the student.
        exercise: the exercise.
        work: a folder for notebooks as programs, whose path no message shows.
        course: limits, what is known, and whom to tell.
    """
    output, result = Output(), dict[str, Any]()
    with redirect_stdout(output), redirect_stderr(output), suppress(KeyboardInterrupt):
        result = _graded(files, exercise, work, course or Course())
    result = result or {"reason": "it raises KeyboardInterrupt", "hint": ""}
    reply: dict[str, Any] = _clean({**result, "output": str(output)}, work, files)
    return reply


def _graded(files: list[Path], exercise: AnyExercise, work: Path, course: Course) -> dict[str, Any]:
    try:
        answer, remarks = find_answer(files, exercise, work, course)
        course.report("")
        result = grade_stepwise(answer, exercise, course.known, course.report)
    except NoAnswerError as error:
        return {"reason": str(error), "hint": error.hint}
    except MemoryError:
        return {"reason": "it needs more memory than it may", "hint": ""}
    except Exception as error:  # a class may do anything when it is looked at
        return {"reason": f"grading it raises {type(error).__name__}: {error}", "hint": ""}
    return {
        "answer": result.answer,
        "marks": [[m.name, m.fault, m.hint, m.left_out] for m in result.marks],
        "remarks": [*remarks, *result.remarks],
    }


def find_answer(
    files: list[Path], exercise: AnyExercise, work: Path, course: Course
) -> tuple[type, list[str]]:
    """The class that answers an exercise, and remarks; the files are run.

    A file that fails, or is stopped, after its class still counts.

    Raises:
        NoAnswerError: there is no such class, and why.
    """
    members: dict[str, Any] = {}
    faults: list[tuple[str, str]] = []
    found: list[type] = []  # a class stays alive although another file has one of its name
    for path in files:
        own, fault = _run(path, work, course)
        members |= own
        faults += [fault] if fault else []
        found += [each for each in _derived(exercise) if each not in found]
        found += [each for each in _others(own, exercise) if each not in found]
    if not found:
        if faults:
            raise NoAnswerError(*faults[0])
        raise NoAnswerError(_missing(members, exercise), f"Begin with `{_first_line(exercise)}`.")
    wanted = f"My{exercise.__name__}"
    answer = next((each for each in reversed(found) if each.__name__ == wanted), found[-1])
    remarks = _choice(answer, found, files)
    return answer, [*(f"{fault}; what stands before is graded." for fault, _ in faults), *remarks]


def _run(path: Path, work: Path, course: Course) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """What a file defines, and what is wrong with it, with a hint."""
    try:
        program = _program(path, work)
    except GraphError as error:
        return {}, (str(error).removesuffix("."), "Hand in the file as Python wrote it.")
    course.report("")
    sys.path.insert(0, str(path.parent))
    torch.manual_seed(0)
    random.seed(0)
    try:
        with contained(), isolated(), stopped_after(course.seconds):
            return runpy.run_path(str(program), run_name="submission"), None
    except EndedError as error:
        if isinstance(error.__cause__, StoppedError):
            return {}, (f"{path.name}: it was stopped {error.__cause__}", _LOOP)
        return {}, (f"{path.name} ends the program by {error}", _MAIN)
    except Exception as error:  # a student's file may raise anything
        return {}, (_of_file(path, error), _why(error))


def _choice(answer: type, found: list[type], files: list[Path]) -> list[str]:
    """The remark on what is graded if there are several answers.

    Of two classes of one name in one file, the second replaces the first, as Python has it.
    """
    here, graded = _file_of(answer), answer.__name__
    names = {each.__name__ for each in found} - {answer.__name__}
    same = {_file_of(each) for each in found if each.__name__ == answer.__name__} - {here, ""}
    if same and here:
        graded += f" of {_shown(here, files)}"
        names |= {f"{answer.__name__} of {_shown(file, files)}" for file in same}
    return [f"{graded} is graded, not {', '.join(sorted(names))}."] if names else []


def _file_of(answer: type) -> str:
    """The file that defines the methods of a class; "" if it is unknown."""
    codes = [getattr(member, "__code__", None) for member in vars(answer).values()]
    return next((code.co_filename for code in codes if isinstance(code, CodeType)), "")


def _shown(file: str, files: list[Path]) -> str:
    """The name of a file as it was handed in, with its folder if there are two of that name."""
    path = next((each for each in files if str(each) == file), None)
    path = path or next((each for each in files if each.stem == Path(file).stem), Path(file))
    alone = sum(each.name == path.name for each in files) < 2
    return path.name if alone else f"{path.parent.name}/{path.name}"


def _program(path: Path, work: Path) -> Path:
    """A file that Python can run: a notebook is written as a program."""
    source = source_of(path)
    if path.suffix == ".py":
        return path
    program = work / f"{path.stem}.py"
    program.write_text(source, encoding="utf-8")
    return program


def _derived(exercise: Any) -> list[type]:
    """The classes that derive from an exercise, in the order in which they were defined."""
    found: list[type] = []
    for each in exercise.__subclasses__():
        found += [each, *_derived(each)]
    return found


def _others(members: dict[str, Any], exercise: AnyExercise) -> list[type]:
    """Classes of a file that have a rule of the exercise without deriving from it."""
    rules = set(exercise.required_rules())
    return [
        each
        for each in members.values()
        if isinstance(each, type)
        and not issubclass(each, exercise)
        and not {Exercise, ProgramExercise} & {*each.__bases__}
        and each.__module__ == "submission"
        and rules & vars(each).keys()
        and getattr(each, "exercise", exercise).__name__ == exercise.__name__
    ]


def _missing(members: dict[str, Any], exercise: AnyExercise) -> str:
    """That there is no answer, and what there is instead."""
    own = [
        name
        for name, value in members.items()
        if getattr(value, "__module__", "") == "submission" and not name.startswith("_")
    ]
    there = f"it defines {', '.join(own)}" if own else "it defines nothing"
    return f"there is no class derived from {exercise.__name__}: {there}"


def _first_line(exercise: AnyExercise) -> str:
    return exercise.task().splitlines()[0]


def _of_file(path: Path, error: Exception) -> str:
    """What a file raises, and in which line."""
    if isinstance(error, SyntaxError):
        return f"{path.name}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    if isinstance(error, MemoryError):
        return f"{path.name} needs more memory than it may"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).stem == path.stem]
    where = f"{path.name}, line {lines[-1]}" if lines else path.name
    return f"{where}: it raises {type(error).__name__}: {error}"


def _why(error: Exception) -> str:
    """A hint for an error of a file."""
    if isinstance(error, EOFError):
        return "input() has nobody to answer it here."
    if isinstance(error, ModuleNotFoundError):
        return "The file may use Python, torch and graphnet, and files that are handed in with it."
    return "" if isinstance(error, SyntaxError) else _MAIN


def _clean(result: Any, work: Path, files: list[Path]) -> Any:
    """The result without what differs from run to run and between machines: addresses and paths."""
    if isinstance(result, dict):
        return {key: _clean(value, work, files) for key, value in result.items()}
    if isinstance(result, list):
        return [_clean(value, work, files) for value in result]
    text = str(result).replace(str(work.resolve()), ".").replace(str(work), ".")
    for folder in {str(path.parent) for path in files} | {str(_PACKAGE.parent)}:
        text = text.replace(folder + os.sep, "")
    text = _ADDRESS.sub("0x...", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
