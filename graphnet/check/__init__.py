"""Checks that anyone can run: on a graph, an operation, a module or an optimizer.

| file | contents |
|---|---|
| `graph` | `graph.check(loss)`: every derivative against central differences |
| `op`, `module`, `optimizer`: `subject`, `suite` | `check_op` and its like |
| `finite_differences`, `hints` | the comparison; the usual mistake behind a difference |
| `against_torch`: `side_by_side` | `graph.compare_with_torch()`: beside torch's autograd |
| `report` | what the checks return |
"""

from graphnet.check.finite_differences import compare
from graphnet.check.graph import CheckReport, CheckRow, check_graph
from graphnet.check.module import check_module
from graphnet.check.op import check_op
from graphnet.check.optimizer import check_optimizer
from graphnet.check.report import Finding, Report

__all__ = [
    "CheckReport",
    "CheckRow",
    "Finding",
    "Report",
    "check_graph",
    "check_module",
    "check_op",
    "check_optimizer",
    "compare",
]
