"""Fusion: several operations that torch does in one are found by the rule of the one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from graphnet.compile.ir.rewrite import Rewriting
from graphnet.compile.passes.dce import dce
from graphnet.compile.targets.torch.fuse_pattern import traced
from graphnet.compile.targets.torch.fused_ops import FUSED

if TYPE_CHECKING:
    from graphnet.compile.ir.program import Program, Sources
    from graphnet.graph import Node, Operation

_traced = cache(traced)


def fuse(program: Program, fused: tuple[Any, ...] = FUSED) -> Program:
    """Replace several operations with one, where torch does them in one.

    Args:
        program: the program.
        fused: the classes of the ops to look for, in the order in which they are tried.
    """
    patterns = _traced(fused)

    def change(copy: Rewriting, node: Operation, sources: Sources) -> Node | None:
        for pattern in patterns.get(type(node.op), ()):
            found = pattern.find(copy, node.op, sources)
            if found is not None:
                op, arguments = found
                return copy.new.use(op, arguments, node.name, node.spec)
        return None

    return dce(Rewriting(program, change).new)
