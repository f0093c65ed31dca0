"""A fault that `faults.py` seeds: one small change, and the tests that must catch it."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """A change of the source of one class, method or function.

    Attributes:
        owner: its name; "Plan.is_for" for a method.
        old: the text that is replaced, where it first stands behind the docstring.
        new: what it is replaced by.
        words: the words that select the tests, as for `pytest -k`. For an operation, its name where
            empty.
        file: of the package; any of graphnet/ops where empty.
        tests: the files of tests that must catch it, with spaces between; those of operations where
            empty.
    """

    owner: str
    old: str
    new: str
    words: str = ""
    file: str = ""
    tests: str = ""


def seeded_in(file: str, tests: str, *faults: Fault) -> list[Fault]:
    """Faults in one file of the package that the same tests must catch."""
    return [fault._replace(file=file, tests=tests) for fault in faults]
