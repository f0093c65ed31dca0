"""Printed programs, many in one run of JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import graphnet.compile.targets.js as target
from graphnet.compile.targets.js.program import PrintedProgram

RANDOM = (Path(target.__file__).parent / "random.js").read_text(encoding="utf-8")


def scripts(programs: Sequence[PrintedProgram]) -> str:
    """The programs as an array of functions `createProgram`, each with its own prelude."""
    parts = [f"(() => {{\n{each.source}\nreturn createProgram;\n}})()" for each in programs]
    return f"{RANDOM}\nconst programs = [{', '.join(parts)}];\n"
