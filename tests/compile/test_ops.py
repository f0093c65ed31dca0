"""Every row of the table of operations: compiled values and derivatives are those of the walk."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from ops.cases import Case, for_each_kind
from ops.table import CASES
from torch import Tensor

import graphnet as gn
from graphnet.ops.random import DropoutMask

# The same float64 kernels into other memory: only the order of sums may differ.
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
ROWS = [case for case in CASES if not isinstance(case.op, DropoutMask)]


def build(case: Case, tensors, computed):
    """The op on inputs, or on values that a program computes from them, and its derivatives."""
    graph = gn.Graph()
    arguments, feed = [], {}
    for place, value in enumerate(tensors):
        node = value
        if isinstance(value, Tensor):
            floating = value.dtype.is_floating_point
            node = graph.input(
                tuple(value.shape), name=f"x{place}", dtype=value.dtype, requires_grad=floating
            )
            feed[node.name] = value
            if computed and floating:
                node = (node + 1.0) - 1.0 if computed == "kernel" else node.unsqueeze(0).squeeze(0)
        arguments.append(node)
    top = case.op(*arguments)
    targets = [top]
    sources = [node for node in graph.inputs if node.requires_grad]
    if top.dtype.is_floating_point and sources:
        targets += graph.gradients((top * 0.5 + 0.5 * top * 1.5).sum(), sources)
    return graph, targets, feed


def outcome(call):
    try:
        return call(), None
    except Exception as error:  # compared with the error of the other side
        return None, type(error)


def assert_alike(case, tensors, computed, **close):
    graph, targets, feed = build(case, tensors, computed)
    kept = {name: value.clone() for name, value in feed.items()}
    predict = graph.compile(targets, tune=False)
    expected, refused = outcome(lambda: graph.forward(feed, outputs=targets))
    for _ in range(2):  # leftovers of the first run in the buffers do not matter
        mine, error = outcome(lambda: predict(feed))
        assert error is refused
        if refused is None:
            assert_close(mine, expected, equal_nan=True, **close)
    assert_close(feed, kept, rtol=0, atol=0, equal_nan=True)


every_row = for_each_kind(ROWS)


@every_row
def test_op(case):
    assert_alike(case, case.tensors(), "kernel", **CLOSE)


def of_a_view_and_in_float32(case):
    assert_alike(case, case.tensors(), "view", **CLOSE)
    # float32 kernels may sum in another order: a few units of 1e-7, for numbers up to 100
    assert_alike(case, case.tensors(torch.float32), "kernel", rtol=2e-5, atol=2e-5)


@for_each_kind([*{case.kind: case for case in reversed(ROWS)}.values()])
def test_op_of_a_view_and_in_float32(case):
    """For the first row of each kind."""
    of_a_view_and_in_float32(case)


@pytest.mark.slow
@every_row
def test_every_row_of_a_view_and_in_float32(case):
    of_a_view_and_in_float32(case)


@every_row
def test_op_at_edges(case):
    """NaN, infinity, zeros and large numbers come out as in the walk."""
    tensors = case.tensors()
    for place, value in enumerate(tensors):
        if isinstance(value, Tensor) and value.dtype.is_floating_point and value.numel():
            edges = torch.tensor(case.edges, dtype=value.dtype)
            flat = value.reshape(-1)
            flat[: len(edges)] = edges[: len(flat)].roll(place)
            tensors[place] = flat.view(value.shape)
    assert_alike(case, tensors, None, **CLOSE)


def test_numbers_beside_a_condition_are_as_exact_as_the_rest():
    """The first input of `where` is no number at all: its dtype says nothing about the others."""
    for dtype in (torch.float64, torch.float32, torch.float16):
        graph = gn.Graph()
        x = graph.input((3,), name="x", dtype=dtype)
        targets = [gn.ops.where(x > 0, x, -1.7580993408473766), gn.ops.where(x > 0, 0.1, x) * 0.3]
        given = torch.tensor([-1.0, 0.5, 2.0], dtype=dtype)
        found = graph.compile(targets, backend="torch", tune=False)(x=given)
        for ours, theirs in zip(found, graph.forward(x=given, outputs=targets), strict=True):
            assert_close(ours, theirs, rtol=0, atol=0)
