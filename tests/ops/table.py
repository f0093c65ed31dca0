"""The test table: the rows of every file in `graphnet.ops`, under the same names."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ops.cases import Case

CASES: list[Case] = [
    row
    for path in sorted(Path(__file__).parent.glob("rows_*.py"))
    for row in import_module(f"ops.{path.stem}").ROWS
]
