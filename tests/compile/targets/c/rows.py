"""Rows of the table of operations, many in one program: one compile then serves all of them."""

from __future__ import annotations

import torch
from ops.cases import Case
from ops.table import CASES
from torch import Tensor

import graphnet as gn
from graphnet.ops.processes import SumAcross
from graphnet.ops.random import DropoutMask, RandLike, RandnLike

OTHERS = (DropoutMask, RandLike, RandnLike, SumAcross)
"""What draws random numbers, or waits for other processes."""
ROWS = [case for case in CASES if not isinstance(case.op, OTHERS)]
FILES = {
    file: [case for case in ROWS if type(case.op).__module__.endswith(f".{file}")]
    for file in dict.fromkeys(type(case.op).__module__.rpartition(".")[2] for case in ROWS)
}
"""The rows of each file of `graphnet.ops`."""


class Table:
    """One graph with rows as its outputs: each op on computed values, and its derivatives.

    Attributes:
        graph: the list.
        targets: the outputs of all rows, side by side.
        feed: what their inputs are fed.
    """

    def __init__(self, rows: list[Case], dtype: torch.dtype = torch.float64) -> None:
        self.rows, self.dtype = rows, dtype
        self.graph, self.feed = gn.Graph(), dict[str, Tensor]()
        self.targets: list[gn.Node] = []
        self._counts: list[int] = []
        for number, case in enumerate(rows):
            made = self._row(case, number)
            self.targets += made
            self._counts.append(len(made))

    def _row(self, case: Case, number: int) -> list[gn.Node]:
        arguments, sources = [], []
        for place, value in enumerate(case.tensors(self.dtype)):
            node = value
            if isinstance(value, Tensor):
                floating = value.dtype.is_floating_point
                node = self.graph.input(
                    tuple(value.shape),
                    name=f"x{number}_{place}",
                    dtype=value.dtype,
                    requires_grad=floating,
                )
                self.feed[node.name] = value
                if floating:
                    sources.append(node)
                    node = (node + 1.0) - 1.0
            arguments.append(node)
        top = case.op(*arguments)
        if not (top.dtype.is_floating_point and sources):
            return [top]
        return [top, *self.graph.gradients((top * 0.5 + 0.5 * top * 1.5).sum(), sources)]

    def of(self, number: int) -> list[gn.Node]:
        """The outputs of a row."""
        start = sum(self._counts[:number])
        return self.targets[start : start + self._counts[number]]

    def edges(self, number: int) -> dict[str, Tensor]:
        """A row's tensors with NaN, infinities, zeros and large numbers in them."""
        found = {}
        for place, value in enumerate(self.rows[number].tensors(self.dtype)):
            if isinstance(value, Tensor) and value.dtype.is_floating_point and value.numel():
                edges = torch.tensor(self.rows[number].edges, dtype=value.dtype)
                flat = value.reshape(-1)
                flat[: len(edges)] = edges[: len(flat)].roll(place)
                found[f"x{number}_{place}"] = flat.view(value.shape)
        return found

    def all_edges(self) -> dict[str, Tensor]:
        """What all inputs are fed at once: the edges of each row that does not refuse them."""
        found = dict(self.feed)
        for number in range(len(self.rows)):
            edges = self.edges(number)
            try:
                self.graph.forward(self.feed | edges, outputs=self.of(number))
            except gn.GraphError:
                continue
            found |= edges
        return found
