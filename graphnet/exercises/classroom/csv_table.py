"""The grades as a table in CSV, for a spreadsheet or a learning platform."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphnet.exercises.classroom.results import Student, of_form, of_mathematics, worth
from graphnet.exercises.report import earned, number

if TYPE_CHECKING:
    from graphnet.exercises.classroom.similar import Pair

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # how a spreadsheet recognizes a formula


def csv_table(students: Sequence[Student], pairs: Sequence[Pair]) -> str:
    """A line for each student: points of all, of mathematics and of form, each point, reasons.

    Args:
        students: the students, at least one.
        pairs: those whose submissions are nearly the same.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = [
        f"{sheet.exercise}.{mark.name}" for sheet in students[0].sheets for mark in sheet.marks
    ]
    kinds = ("", " of mathematics", " of form")
    heads = [head for kind in kinds for head in (f"points{kind}", f"total{kind}")]
    table.writerow(["student", *heads, *columns, "reasons", "similar", "files"])
    for student in students:
        table.writerow(map(_safe, _row(student, pairs)))
    return text.getvalue()


def _row(student: Student, pairs: Sequence[Pair]) -> list[str]:
    marks = student.marks
    sums = []
    for part in (marks, of_mathematics(marks), of_form(marks)):
        sums += [number(earned(part)), number(worth(part))]
    points = [number(earned([mark])) for mark in marks]
    return [
        student.name, *sums, *points, student.reasons, "; ".join(like(student, pairs)),
        "; ".join(student.files),
    ]  # fmt: skip


def like(student: Student, pairs: Sequence[Pair]) -> list[str]:
    """The students whose submission is nearly the same as that of this one."""
    return [
        each.name
        for pair in pairs
        for each in pair[:2]
        if student in pair[:2] and each is not student
    ]


def _safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    plain = text.lstrip("-").replace(".", "", 1).isdecimal()
    return f"'{text}" if text.startswith(_FORMULAS) and not plain else text
