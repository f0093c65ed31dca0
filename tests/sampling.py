"""Long tables of tests in two parts: some rows run by default, the others with `pytest -m slow`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def some(rows: Iterable[Any], every: int = 3, first: int = 0) -> list[Any]:
    """The same rows for `parametrize`; all but each `every`-th, from `first` on, are slow.

    A row is what `parametrize` takes: a value, or a tuple of several. Where a row is a combination
    of options, choose a step that is no multiple of their counts, so that each option stays.
    """
    chosen = []
    for place, row in enumerate(rows):
        values = row if isinstance(row, tuple) else (row,)
        slow = (place - first) % every != 0
        chosen.append(pytest.param(*values, marks=[pytest.mark.slow] if slow else []))
    return chosen
