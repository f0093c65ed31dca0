"""The page of the teacher: all students, how often each point was earned, and what is alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from html import escape
from urllib.parse import quote

from graphnet.exercises.classroom.csv_table import like
from graphnet.exercises.classroom.page import code, page, prose, table
from graphnet.exercises.classroom.results import Student, of_form, of_mathematics, worth
from graphnet.exercises.classroom.similar import Pair, lines_of
from graphnet.exercises.report import earned, number

_SHORTEST = 4  # tokens of a line that is marked
_MOST_PAIRS = 50


def overview_page(
    students: Sequence[Student], pairs: Sequence[Pair], pages: Mapping[str, str]
) -> str:
    """The table of a class as a page of HTML.

    Args:
        students: the students, at least one.
        pairs: those whose submissions are nearly the same.
        pages: the address of the feedback page of each student.
    """
    return page("Grades", _parts(students, pairs, pages))


def _parts(
    students: Sequence[Student], pairs: Sequence[Pair], pages: Mapping[str, str]
) -> Iterator[str]:
    names = ", ".join(sheet.exercise for sheet in students[0].sheets)
    yield f"<h1>Grades for {escape(names)}</h1>"
    total = worth(students[0].marks)
    mean = sum((student.points for student in students), Fraction(0)) / len(students)
    yield (
        f"<p>{len(students)} students, {number(Fraction(f'{float(mean):.3g}'))} of "
        f"{number(total)} points on average.</p>"
    )
    heads = ("student", "points", "mathematics", "form", "reasons", "similar")
    rows = [_row(student, pairs, pages) for student in students]
    yield table(heads, rows, (1, 2, 3), "class")
    yield "<h2>Points</h2>"
    yield table(("point", "worth", "earned by"), _points(students), (1, 2), "small")
    faults = _faults(students)
    if faults:
        yield "<h2>The most frequent hints</h2>"
        yield table(("students", "hint"), faults, (0,), "small")
    yield "<h2>Nearly the same</h2>"
    yield from _pairs(pairs)


def _row(student: Student, pairs: Sequence[Pair], pages: Mapping[str, str]) -> list[str]:
    marks = student.marks
    sums = [number(earned(each)) for each in (marks, of_mathematics(marks), of_form(marks))]
    link = f'<a href="{escape(quote(pages[student.name]))}">{escape(student.name)}</a>'
    return [link, *sums, escape(student.reasons), escape(", ".join(like(student, pairs)))]


def _points(students: Sequence[Student]) -> Iterator[list[str]]:
    """For each point, how many students have earned it."""
    several = len(students[0].sheets) > 1
    for at, sheet in enumerate(students[0].sheets):
        for place, mark in enumerate(sheet.marks):
            count = sum(student.sheets[at].marks[place].right for student in students)
            name = f"{sheet.exercise}.{mark.name}" if several else mark.name
            yield [escape(name), number(mark.weight), f"{count} of {len(students)}"]


def _faults(students: Sequence[Student]) -> list[list[str]]:
    """The hints that several students got, the most frequent first: what to say in class."""
    counts = Counter(
        hint for student in students for hint in {mark.hint for mark in student.marks if mark.hint}
    )
    often = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [[str(count), prose(hint)] for hint, count in often[:10] if count > 1]


def _pairs(pairs: Sequence[Pair]) -> Iterator[str]:
    """Pairs side by side; what is the same but for names is marked."""
    if not pairs:
        yield "<p>No two submissions are nearly the same, or they are too short to tell.</p>"
        return
    yield (
        "<p>Compared without names and comments, the task and what many have written. Marked lines "
        "are in both. This is a reason to ask, not a proof.</p>"
    )
    for first, second, share in pairs[:_MOST_PAIRS]:
        names = f"{escape(first.name)} and {escape(second.name)}"
        yield f"<h2>{names}: {share:.0%}</h2>"
        ours, theirs = lines_of(first.source), lines_of(second.source)
        yield '<div class="pair">'
        for student, own, other in ((first, ours, theirs), (second, theirs, ours)):
            known = set(other.values())
            same = [n for n, line in own.items() if len(line) >= _SHORTEST and line in known]
            yield f"<div><p>{escape(student.name)}</p>{code(student.source, same)}</div>"
        yield "</div>"
    if len(pairs) > _MOST_PAIRS:
        yield f"<p>{len(pairs) - _MOST_PAIRS} more pairs are in the CSV table.</p>"
