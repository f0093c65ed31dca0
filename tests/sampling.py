"""Which rows of a table of tests run: some by default, the others with `pytest -m slow`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest


def some(rows: Iterable[Any], every: int) -> list[Any]:
    """The same rows for `parametrize`; all but each `every`-th are slow, the first is not.

    A row is what `parametrize` takes: a value, or a tuple of several. Where a row is a combination
    of options, choose a step that shares no factor with their counts, so that each option stays.
    """
    chosen = []
    for place, row in enumerate(rows):
        values = row if isinstance(row, tuple) else (row,)
        slow = place % every != 0
        chosen.append(pytest.param(*values, marks=[pytest.mark.slow] if slow else []))
    return chosen


def can_be(name: str) -> bool:
    """Whether a file can have a name here: in the locale C that takes ASCII alone."""
    try:
        return bool(os.fsencode(name))
    except UnicodeEncodeError:
        return False
