"""The results of a class: for each student a sheet for each exercise, with marks and reasons."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from graphnet.exercises.grading import weighted
from graphnet.exercises.report import FORM, Mark, earned

if TYPE_CHECKING:
    from graphnet.exercises.catalog import AnyExercise


@dataclass(frozen=True)
class Sheet:
    """What one student has earned for one exercise.

    Attributes:
        exercise: the name of the exercise.
        answer: the name of the class that was graded; empty if there was none.
        marks: one for each point.
        reason: why nothing could be graded; empty if something was.
        hint: the way out of that.
        remarks: further notes.
        output: the beginning of what the answer has printed.
    """

    exercise: str
    answer: str
    marks: tuple[Mark, ...]
    reason: str = ""
    hint: str = ""
    remarks: tuple[str, ...] = ()
    output: str = ""

    @property
    def reasons(self) -> list[str]:
        """Why points are missing, and what else a teacher should know."""
        faults = [f"{mark.name}: {mark.fault}" for mark in self.marks if mark.fault]
        return [*([self.reason] if self.reason else faults), *self.remarks]


@dataclass(frozen=True)
class Student:
    """What one student has earned.

    Attributes:
        name: the name of the file or folder.
        files: the names of the files.
        source: what was handed in, as text.
        sheets: one for each exercise.
    """

    name: str
    files: tuple[str, ...]
    source: str
    sheets: tuple[Sheet, ...]

    @property
    def marks(self) -> list[Mark]:
        """The marks of all exercises."""
        return [mark for sheet in self.sheets for mark in sheet.marks]

    @property
    def points(self) -> Fraction:
        """The points of all exercises."""
        return earned(self.marks)

    @property
    def total(self) -> Fraction:
        """The points that there are."""
        return worth(self.marks)

    @property
    def reasons(self) -> str:
        """Why points are missing, in one line; the exercise is named if there are several."""
        texts = []
        for sheet in self.sheets:
            where = f"{sheet.exercise}: " if len(self.sheets) > 1 else ""
            texts += [where + " ".join(reason.split()) for reason in sheet.reasons]
        return "; ".join(dict.fromkeys(texts))


def worth(marks: Iterable[Mark]) -> Fraction:
    """The weights of all marks, right or not, added up."""
    return sum((mark.weight for mark in marks), Fraction(0))


def of_mathematics(marks: Iterable[Mark]) -> list[Mark]:
    """The marks that are not for form."""
    return [mark for mark in marks if mark.name != FORM]


def of_form(marks: Iterable[Mark]) -> list[Mark]:
    """The marks for form."""
    return [mark for mark in marks if mark.name == FORM]


def sheet_of(
    exercise: AnyExercise, reply: Mapping[str, Any], weights: Mapping[str, float], seconds: float
) -> Sheet:
    """The sheet that follows from the reply of a worker; a strange reply is a reason too.

    Args:
        exercise: the exercise.
        reply: what the worker says: marks, a reason, a timeout, or the status of a dead process.
        weights: the weights of the points.
        seconds: the limit of time.
    """
    values = weighted(exercise, weights)
    reason, hint = reason_of(reply, seconds)
    try:
        given = {name: tuple(map(str, texts)) for name, *texts in reply.get("marks", [])}
        marks = tuple(_mark(name, given[name], values[name]) for name in values)
    except (KeyError, TypeError, ValueError):
        reason = reason or "the answer has disturbed its grading"
        marks = tuple(Mark(name, reason, hint, weight=values[name]) for name in values)
    remarks = tuple(map(str, reply.get("remarks", ())))
    output, answer = str(reply.get("output", "")), str(reply.get("answer", ""))
    return Sheet(exercise.__name__, answer, marks, reason, hint, remarks, output)


def _mark(name: str, texts: Sequence[str], weight: Fraction) -> Mark:
    fault, hint, left_out = texts
    return Mark(name, fault, hint, left_out, weight)


def reason_of(reply: Mapping[str, Any], seconds: float) -> tuple[str, str]:
    """Why a reply has no marks, and a hint; empty if it has some.

    Args:
        reply: what the worker says.
        seconds: the limit of time.
    """
    if reply.get("timeout"):
        return (
            f"it was stopped after {seconds:g} seconds",
            "Is there a loop that does not end, or one over the elements of a tensor?",
        )
    if reply.get("garbled"):
        return "it writes into the channel of its grade", "Write to files and with print() only."
    if "status" in reply:
        return f"its process ended before there was a grade: {_status(reply['status'])}", (
            "Do not call os._exit(); was there no memory left, or an endless recursion?"
        )
    return str(reply.get("reason", "")), str(reply.get("hint", ""))


def _status(status: Any) -> str:
    """The exit status of a process in words."""
    if isinstance(status, int) and status < 0:
        try:
            return signal.Signals(-status).name
        except ValueError:
            return f"signal {-status}"
    return f"exit status {status}"
