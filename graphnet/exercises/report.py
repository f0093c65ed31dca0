"""The result of `grade`: a mark for each rule, and a score."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from textwrap import wrap
from typing import NamedTuple

from graphnet.console_text import shown
from graphnet.notebook import framed, html_paragraphs, html_table

FORM = "form"
"""The name of the last point: the rules run everywhere. All other points are for mathematics."""

_WIDTH = 80  # characters in a line


class Mark(NamedTuple):
    """The result for one point.

    Attributes:
        name: the rule, or "form".
        fault: what is wrong, in words; empty if nothing is.
        hint: the usual mistake that would explain it, in a sentence; empty if none does.
        left_out: why it was not checked; empty if it was.
        weight: how many points it is worth.

    >>> mark = Mark("grad_x", "it returns nothing", "Does it end with `return`?")
    >>> mark.right
    False
    >>> mark.verdict
    'WRONG: it returns nothing'
    """

    name: str
    fault: str = ""
    hint: str = ""
    left_out: str = ""
    weight: Fraction = Fraction(1)

    @property
    def right(self) -> bool:
        """True if the point is earned."""
        return not self.fault and not self.left_out

    @property
    def verdict(self) -> str:
        """The result in words."""
        if self.left_out:
            return f"not checked: {self.left_out}"
        return f"WRONG: {self.fault}" if self.fault else "right"


class Grade:
    """The grade of an answer; it is true if everything is right.

    Attributes:
        answer: the name of the class that was graded.
        exercise: the name of its exercise.
        marks: one for each rule, and one for form.
        remarks: further notes.

    >>> import graphnet as gn
    >>> class MyAdd(gn.exercises.Add):
    ...     def grad_x(self, grad):
    ...         return grad
    >>> grade = gn.grade(MyAdd)
    >>> f"{grade.points} of {grade.total}"
    '1 of 3'
    >>> [mark.name for mark in grade.marks if mark.fault]
    ['grad_y']
    >>> bool(grade)  # true for all points
    False
    """

    def __init__(
        self, answer: str, exercise: str, marks: list[Mark], remarks: tuple[str, ...] = ()
    ) -> None:
        self.answer, self.exercise = answer, exercise
        self.marks, self.remarks = marks, remarks

    @property
    def points(self) -> Fraction:
        """The weights of the marks that are right, added up."""
        return earned(self.marks)

    @property
    def total(self) -> Fraction:
        """The points of an answer without faults."""
        return sum((mark.weight for mark in self.marks), Fraction(0))

    @property
    def mathematics(self) -> Fraction:
        """The points for rules whose numbers are right, whether they run on nodes or not."""
        return earned([mark for mark in self.marks if mark.name != FORM])

    @property
    def form(self) -> Fraction:
        """The points for rules that run on nodes, for any batch, in both dtypes."""
        return earned([mark for mark in self.marks if mark.name == FORM])

    @property
    def score(self) -> Fraction:
        """The points as a fraction of all, from 0 to 1; `float(grade.score)` is a number."""
        return self.points / self.total if self.total else Fraction(0)

    def __bool__(self) -> bool:
        return all(mark.right for mark in self.marks)

    @property
    def headline(self) -> str:
        """The points in one sentence."""
        answered = f"{self.answer}, an answer to {self.exercise}"
        return f"{answered}: {number(self.points)} of {number(self.total)} points."

    def __str__(self) -> str:
        width = max(len(mark.name) for mark in self.marks)
        lines = [self.headline]
        for mark in self.marks:
            texts = [mark.verdict, *([f"hint: {mark.hint}"] if mark.hint else [])]
            parts = [part for text in texts for part in wrap(text, _WIDTH - width - 4)]
            names = [mark.name, *[""] * (len(parts) - 1)]
            lines += [f"  {n:{width}}  {part}" for n, part in zip(names, parts, strict=True)]
        return shown("\n".join([*lines, *self.remarks]))

    def __repr__(self) -> str:
        return f"<Grade of {self.answer}: {self.score}>"

    def _repr_html_(self) -> str:
        """The marks as a table, in a notebook."""
        rows = [(mark.name, mark.verdict, mark.hint) for mark in self.marks]
        table = html_table([("point", "verdict", "hint"), *rows])
        remarks = "\n".join(self.remarks)
        return framed(html_paragraphs(self.headline), table, html_paragraphs(remarks))


def earned(marks: Iterable[Mark]) -> Fraction:
    """The weights of the marks that are right, added up."""
    return sum((mark.weight for mark in marks if mark.right), Fraction(0))


def number(points: Fraction) -> str:
    """Points as a decimal number.

    >>> number(Fraction(3, 2))
    '1.5'
    """
    return f"{float(points):.6g}"
