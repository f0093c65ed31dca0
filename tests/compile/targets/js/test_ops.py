"""Every row of the table of operations in JavaScript: values and gradients are torch's autograd's.

All rows of one dtype are one run.
"""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from compile.targets.c.rows import FILES, ROWS
from compile.targets.js.programs import Walks
from ops.test_cases import cotangent, floating, torch_gradients
from torch import Tensor

import graphnet as gn

# JavaScript sums in another order. In float64 that is 1e-12, whatever the number. In float32 only
# what is stored is rounded: the difference to the exact number is a unit in the last place of the
# larger terms, up to 100 in the rows, and up to 1e6 at the edges.
CLOSE = {
    torch.float64: {"rtol": 1e-12, "atol": 1e-12},
    torch.float32: {"rtol": 1e-6, "atol": 8e-6},
}
AT_EDGES = {
    torch.float64: {"rtol": 1e-12, "atol": 1e-12},
    torch.float32: {"rtol": 2e-5, "atol": 1e-3},
}


def edges(case, dtype):
    """A row's tensors with NaN, infinities, zeros and large numbers in them."""
    found = []
    for place, value in enumerate(case.tensors(dtype)):
        if isinstance(value, Tensor) and value.dtype.is_floating_point and value.numel():
            values = torch.tensor(case.edges, dtype=dtype)
            flat = value.reshape(-1).clone()
            flat[: len(values)] = values[: len(flat)].roll(place)
            value = flat.reshape(value.shape)
        found.append(value)
    return found


class Row:
    """A row as a list: its operation, and a loss with a given gradient at each element."""

    def __init__(self, case, dtype):
        self.case, self.graph, arguments = case, gn.Graph(), []
        for place, value in enumerate(case.tensors(dtype)):
            if isinstance(value, Tensor):
                is_floating = value.dtype.is_floating_point
                value = self.graph.input(tuple(value.shape), name=f"x{place}", dtype=value.dtype,
                                         requires_grad=is_floating)  # fmt: skip
            arguments.append(value)
        self.inputs = [each for each in arguments if isinstance(each, gn.Node)]
        self.top = case.op(*arguments)
        self.loss = None
        if self.top.dtype.is_floating_point and self.top.requires_grad:
            shape, dtype = tuple(self.top.shape), self.top.dtype
            self.loss = (self.top * self.graph.input(shape, name="grad", dtype=dtype)).sum()

    def feed(self, tensors):
        """What the inputs are fed."""
        given = (each for each in tensors if isinstance(each, Tensor))
        found = {node.name: each for node, each in zip(self.inputs, given, strict=True)}
        if self.loss is not None:
            found["grad"] = cotangent(torch.empty(self.top.shape, dtype=self.top.dtype))
        return found

    def compare(self, found, tensors, with_gradients, close):
        """What JavaScript left, beside torch in float64."""
        assert "error" not in found, found
        doubles = [each.double() if isinstance(each, Tensor) and each.dtype.is_floating_point
                   else each for each in tensors]  # fmt: skip
        top, grads = torch_gradients(self.case, doubles)
        self._same(found["values"][self.graph.index(self.top)], top, close)
        if self.loss is None or not with_gradients:
            return
        inputs = [node for node in self.inputs if node.dtype.is_floating_point]
        for node, grad, like in zip(inputs, grads, floating(doubles), strict=True):
            made = found["gradients"][self.graph.index(node)]
            grad = torch.zeros_like(like) if grad is None else grad
            assert made is not None or not grad.any()
            if made is not None:
                self._same(made, grad, close)

    @staticmethod
    def _same(made, expected, close):
        rounded = expected.to(made.dtype) if made.dtype.is_floating_point else expected
        assert_close(made.double(), rounded.flatten().double(), equal_nan=True, **close)


def walked(cases, dtype):
    """For each row what JavaScript left: of usual numbers, and of edges."""
    walks, rows = Walks(), [Row(case, dtype) for case in cases]
    for row in rows:
        program = walks.add(row.graph, row.loss, row.top)
        walks.walk(program, row.feed(row.case.tensors(dtype)))
        walks.walk(program, row.feed(edges(row.case, dtype)))
    found = walks.run()
    return {row.case.name: (row, *found[2 * place : 2 * place + 2])
            for place, row in enumerate(rows)}  # fmt: skip


def compare_file(file, found, dtype):
    wrong = []
    for case in FILES[file]:
        if case.name not in found:
            continue
        row, usual, at_edges = found[case.name]
        try:
            row.compare(usual, case.tensors(dtype), True, CLOSE[dtype])
            row.compare(at_edges, edges(case, dtype), case.edge_gradients, AT_EDGES[dtype])
        except AssertionError as error:
            wrong.append(f"{case.name}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def in_float64():
    return walked(ROWS, torch.float64)


@pytest.fixture(scope="module")
def in_float32():
    """The first row of each kind."""
    return walked({case.kind: case for case in reversed(ROWS)}.values(), torch.float32)


@pytest.mark.parametrize("file", FILES)
def test_rows(file, in_float64):
    compare_file(file, in_float64, torch.float64)


@pytest.mark.parametrize("file", FILES)
def test_rows_in_float32(file, in_float32):
    compare_file(file, in_float32, torch.float32)
