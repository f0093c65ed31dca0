"""Passes: each makes a list that computes the same as another one, with less to do.

| file | what it does |
|---|---|
| `running_statistics` | makes nodes of what a walk writes to buffers on its way |
| `decompose` | replaces an operation by what it consists of |
| `specialize` | settles what is known once sizes and mode are: checks, choices, shapes of others |
| `dce` | drops what nobody reads |
| `fold_constants` | computes now what depends on nothing that is fed or learned |
| `cse` | computes equal expressions once |
| `unroll` | for native code: the steps of a loop over time |
| `record` | the list before and after each pass |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphnet.compile.ir.program import Program
from graphnet.compile.passes.cse import cse
from graphnet.compile.passes.dce import dce
from graphnet.compile.passes.decompose import decompose
from graphnet.compile.passes.fold_constants import fold_constants
from graphnet.compile.passes.running_statistics import running_statistics
from graphnet.compile.passes.specialize import specialize
from graphnet.compile.passes.unroll import unroll

__all__ = ["NATIVE_PASSES", "PASSES", "Pass", "optimize"]

Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (running_statistics, decompose, specialize, dce, fold_constants, cse)
"""In an order in which each finds what the one before has laid open."""

NATIVE_PASSES: tuple[Pass, ...] = (*PASSES[:2], unroll, *PASSES[2:])
"""Those before a program becomes loops."""


def optimize(program: Program, passes: Sequence[Pass] = PASSES) -> Program:
    """Apply the passes, one after the other."""
    for each in passes:
        program = each(program)
    return program
