"""Dead code elimination: what nobody reads is not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.compile.ir.rewrite import Rewriting
from graphnet.graph.walks import ancestors

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program


def dce(program: Program) -> Program:
    """Drop what nothing reads."""
    needed = {*ancestors(list(program), program.wanted), *program.writes}
    if len(needed) == len(program):
        return program
    return Rewriting(program, lambda copy, node, sources: None, needed).new
