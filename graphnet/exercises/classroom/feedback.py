"""The feedback page of one student."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from graphnet.exercises.classroom.page import code, page, prose, table
from graphnet.exercises.classroom.results import Sheet, Student, of_form, of_mathematics, worth
from graphnet.exercises.report import Mark, earned, number


def feedback_page(student: Student) -> str:
    """The points of a student, what is wrong, and how to find it, as a page of HTML.

    Args:
        student: the student.
    """
    return page(f"Feedback for {student.name}", _parts(student))


def points_text(marks: list[Mark]) -> str:
    """The points of some marks in words, those of mathematics and of form apart.

    >>> from graphnet.exercises import Mark
    >>> points_text([Mark("grad_x"), Mark("form", "it loops")])
    '1 of 2 points: 1 of 1 for mathematics, 0 of 1 for form'
    """
    parts = [
        f"{number(earned(each))} of {number(worth(each))}"
        for each in (marks, of_mathematics(marks), of_form(marks))
    ]
    return f"{parts[0]} points: {parts[1]} for mathematics, {parts[2]} for form"


def _parts(student: Student) -> Iterator[str]:
    yield f"<h1>{escape(student.name)}</h1>"
    yield f'<p class="points">{points_text(student.marks)}</p>'
    for sheet in student.sheets:
        yield from _sheet(sheet)
    if student.source:
        yield "<h2>What you handed in</h2>"
        yield f'<p class="quiet">{escape(", ".join(student.files))}</p>'
        yield code(student.source)


def _sheet(sheet: Sheet) -> Iterator[str]:
    """The part of one exercise."""
    answer = f": {sheet.answer}" if sheet.answer else ""
    yield f"<h2>{escape(sheet.exercise + answer)}</h2>"
    if sheet.reason:
        yield f'<p class="bad">Nothing could be graded: {escape(sheet.reason)}</p>'
        if sheet.hint:
            yield f"<p>{prose(sheet.hint)}</p>"
    else:
        rows = [[escape(mark.name), _points(mark), _verdict(mark)] for mark in sheet.marks]
        yield table(("point", "points", "what was found"), rows, kind="marks")
    for remark in sheet.remarks:
        yield f"<p>{escape(remark)}</p>"
    if sheet.output:
        yield f"<details><summary>What it printed</summary>{code(sheet.output)}</details>"


def _points(mark: Mark) -> str:
    kind = "good" if mark.right else "bad"
    return f'<span class="{kind}">{number(earned([mark]))} of {number(mark.weight)}</span>'


def _verdict(mark: Mark) -> str:
    verdict = prose(mark.verdict)
    return f"{verdict}<br><b>Hint.</b> {prose(mark.hint)}" if mark.hint else verdict
