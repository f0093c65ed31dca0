"""`python -m graphnet grade FOLDER --exercise mul --csv grades.csv`: the grades of a class."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Container, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from graphnet.console_text import printable, text_table
from graphnet.errors import GraphError, counted
from graphnet.exercises.classroom.answers import exercise_named
from graphnet.exercises.classroom.csv_table import csv_table
from graphnet.exercises.classroom.feedback import feedback_page
from graphnet.exercises.classroom.overview import overview_page
from graphnet.exercises.classroom.page import GENERATOR
from graphnet.exercises.classroom.pool import Job, Pool
from graphnet.exercises.classroom.results import Student, sheet_of
from graphnet.exercises.classroom.similar import Pair, near_identical
from graphnet.exercises.classroom.submissions import Submission, source_of, submissions
from graphnet.exercises.classroom.weights import add_weights, weights_of
from graphnet.exercises.report import number
from graphnet.files import replace_file

if TYPE_CHECKING:
    from graphnet.exercises.catalog import AnyExercise
    from graphnet.exercises.classroom.weights import Weights


_HEAD = 1000  # bytes of a page that tell who wrote it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "folder", type=Path, help="a file ada.py or ada.ipynb, or a folder ada/, for each student"
    )
    parser.add_argument(
        "--exercise",
        action="extend",
        nargs="+",
        required=True,
        metavar="NAME",
        help="mul, or your own as FILE.py:NAME; one or more",
    )
    add_weights(parser)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV")
    parser.add_argument(
        "--pages",
        type=Path,
        metavar="FOLDER",
        help="the folder of index.html, the teacher's page, and feedback/ for the students "
        "(the name of the table without .csv, or grades)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="for each file and each rule of a student (20)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=1000,
        metavar="MB",
        help="for each student, besides what Python and torch need (1000)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many are graded at the same time (the number of cores)",
    )
    parser.add_argument(
        "--similar", type=float, default=0.8, metavar="FRACTION",
        help="from which likeness two submissions are shown side by side (0.8)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> str:
    """Grade a folder and write the tables and pages; returns what to tell the teacher.

    Raises:
        GraphError: there is no such folder, exercise or point, an option is out of its range, or a
            file cannot be written.
    """
    options.pages = options.pages or _pages_folder(options)
    _check(options)
    names = list(dict.fromkeys(options.exercise))
    exercises = {name: exercise_named(name) for name in names}
    weights = weights_of(options.weight, exercises)
    handed_in = submissions(options.folder)
    students = grade_all(handed_in, exercises, weights, options)
    tasks = [exercise.task() for exercise in exercises.values()]
    pairs = near_identical(students, tasks, options.similar)
    written = _write(students, pairs, options)
    return "\n".join([_summary(students), "", *written])


def grade_all(
    handed_in: Sequence[Submission],
    exercises: dict[str, AnyExercise],
    weights: Weights,
    options: argparse.Namespace,
) -> list[Student]:
    """The results of all students, in the order of their names."""
    seconds = options.timeout
    cases = [(each, name) for each in handed_in for name in exercises if each.files]
    jobs = [
        Job(each.files_for(exercises[name].__name__), name, seconds, options.memory)
        for each, name in cases
    ]
    with tqdm(total=len(jobs), disable=None, leave=False, file=sys.stderr) as bar:
        replies = Pool(options.jobs).grade(jobs, bar.update)
    found = dict(zip([(each.student, name) for each, name in cases], replies, strict=True))

    def sheet(each: Submission, name: str) -> Any:
        hint = "Hand in a file whose name ends in .py or .ipynb."
        reply = found.get((each.student, name), {"reason": each.reason, "hint": hint})
        return sheet_of(exercises[name], reply, weights[name], seconds)

    return [
        Student(
            each.student,
            tuple(path.name for path in each.files) or each.others,
            _source(each),
            tuple(sheet(each, name) for name in exercises),
        )
        for each in handed_in
    ]


def _source(each: Submission) -> str:
    """What a student has handed in, as one text."""
    texts = []
    for path in each.files:
        try:
            text = source_of(path)
        except GraphError as error:
            text = f"# {error}"
        texts.append(f"# {path.name}\n{text}" if len(each.files) > 1 else text)
    return "\n\n".join(texts)


def _pages_folder(options: argparse.Namespace) -> Path:
    """The folder of the pages if none is given: it has the name of the table."""
    table = options.csv or Path("grades.csv")
    folder = Path(table).with_suffix("")
    taken = folder == table or folder.resolve() == options.folder.resolve()
    return folder.with_name(f"{folder.name}-pages") if taken else folder


def _check(options: argparse.Namespace) -> None:
    """Refuse options out of their ranges, and results among the submissions."""
    if not (isfinite(options.timeout) and options.timeout > 0):
        raise GraphError(f"--timeout must be more than 0 seconds; got {options.timeout:g}.")
    if not 0 <= options.similar <= 1:
        raise GraphError(f"--similar must be from 0 to 1; got {options.similar:g}.")
    for name in ("memory", "jobs"):
        if getattr(options, name) < 1:
            raise GraphError(f"--{name} must be at least 1; got {getattr(options, name)}.")
    for name in ("csv", "pages"):
        path = getattr(options, name)
        if path is not None and path.resolve().is_relative_to(options.folder.resolve()):
            raise GraphError(
                f"--{name} {str(path)!r} is in the folder of the submissions, where it would be "
                "taken for one: choose another place."
            )


def _summary(students: Sequence[Student]) -> str:
    rows = [
        (printable(each.name), f"{number(each.points)} of {number(each.total)}", each.reasons)
        for each in students
    ]
    return text_table([("student", "points", "reasons"), *rows], right=[1])


def _write(
    students: Sequence[Student], pairs: Sequence[Pair], options: argparse.Namespace
) -> list[str]:
    """Write the pages and the table; returns a line about each.

    Raises:
        GraphError: a file cannot be written.
    """
    pages = page_names([each.name for each in students])
    overview = options.pages / "index.html"
    texts = {options.pages / pages[each.name]: feedback_page(each) for each in students}
    texts[overview] = overview_page(students, pairs, pages)
    if options.csv is not None:
        texts[options.csv] = csv_table(students, pairs)
    try:
        (options.pages / "feedback").mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            replace_file(path, text.encode("utf-8", "replace"))
        _remove_old(options.pages / "feedback", {path.name.lower() for path in texts})
    except OSError as error:
        raise GraphError(f"The results cannot be written: {error}.") from error
    lines = [f"{overview}: the table, and {counted(len(pairs), 'pair')} of similar submissions"]
    lines += [
        f"{options.pages / 'feedback'}: {counted(len(students), 'page')}, one for each student"
    ]
    return [*lines, *([f"{options.csv}: the table as CSV"] if options.csv else [])]


def _remove_old(folder: Path, kept: Container[str]) -> None:
    """Remove the pages that an earlier grading wrote for students who are not in this one."""
    for path in folder.glob("*.html"):
        if path.name.lower() not in kept and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                ours = GENERATOR.encode() in file.read(_HEAD)
            if ours:
                path.unlink()


def page_names(students: Sequence[str]) -> dict[str, str]:
    """A file for each student whose name any system and any browser takes.

    >>> page_names(["ada", "Ada", "a/b?"])
    {'ada': 'feedback/ada.html', 'Ada': 'feedback/Ada-2.html', 'a/b?': 'feedback/a_b_.html'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for student in students:
        plain = "".join(c if c.isalnum() or c in "-_. " else "_" for c in student)[:100]
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.lower())
        names[student] = f"feedback/{name}.html"
    return names
