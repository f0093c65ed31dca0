"""Checks for a graph, or for your own operation, module or optimizer."""

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
