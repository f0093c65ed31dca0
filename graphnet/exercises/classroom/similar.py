"""Pairs of submissions that are nearly the same, by their tokens without names and comments.

Each sequence of a few tokens is a fingerprint. Those of the task itself, and those that many
students share, say nothing; of the rest, two submissions have a certain fraction in common.
Source: Schleimer, Wilkerson and Aiken, Winnowing (2003), without the thinning out.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from graphnet.exercises.classroom.results import Student

_RUN = 8  # tokens of a fingerprint
_FEWEST = 40  # fingerprints below which everybody writes the same
_MANY = 10  # students who share a fingerprint: then it is the usual way to write it
_SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}

Run = tuple[str, ...]


class Pair(NamedTuple):
    """Two students whose submissions are nearly the same.

    Attributes:
        first: the first student.
        second: the second student.
        share: the fraction of their fingerprints that they have in common.
    """

    first: Student
    second: Student
    share: float


def near_identical(
    students: Sequence[Student], given: Iterable[str] = (), least: float = 0.8
) -> list[Pair]:
    """Pairs of students with nearly the same submission, the most similar first.

    Args:
        students: the students.
        given: texts that everybody has, such as the task.
        least: the fraction of fingerprints in common from which a pair is listed.
    """
    known = set[Run]().union(*map(fingerprints, given))
    own = {student.name: fingerprints(student.source) - known for student in students}
    counts = Counter(run for runs in own.values() for run in runs)
    usual = {run for run, count in counts.items() if count > _MANY}
    pairs = []
    for first, second in combinations(students, 2):
        ours, theirs = own[first.name] - usual, own[second.name] - usual
        if min(len(ours), len(theirs)) >= _FEWEST:
            share = len(ours & theirs) / len(ours | theirs)
            if share >= least:
                pairs.append(Pair(first, second, share))
    return sorted(pairs, key=lambda pair: -pair.share)


def fingerprints(source: str) -> set[Run]:
    """All sequences of a few tokens of a program."""
    tokens = [token for line in lines_of(source).values() for token in line]
    return {tuple(tokens[start : start + _RUN]) for start in range(len(tokens) - _RUN + 1)}


def lines_of(source: str) -> dict[int, Run]:
    r"""The tokens of each line without names, texts and comments; up to where it is no Python.

    >>> lines_of("def f(x):  # mine\n    return 2 * x")[2]
    ('in', 'return', '2', '*', 'name', 'end')
    """
    lines: dict[int, list[str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in _SKIPPED:
                lines.setdefault(token.start[0], []).append(_plain(token))
    except (tokenize.TokenError, SyntaxError):  # what stands before still counts
        pass
    return {number: tuple(tokens) for number, tokens in lines.items()}


def _plain(token: tokenize.TokenInfo) -> str:
    """What is left of a token."""
    if token.type == tokenize.NAME:
        return token.string if keyword.iskeyword(token.string) else "name"
    if token.type == tokenize.STRING:
        return "text"
    kinds = {tokenize.INDENT: "in", tokenize.DEDENT: "out", tokenize.NEWLINE: "end"}
    return kinds.get(token.type, token.string)
