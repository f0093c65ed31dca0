"""Every row of the table of operations in C: values and derivatives are those of torch's kernels.

A compile takes as long as hundreds of lowerings, so the rows of a file share one program.
"""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from compile.targets.c.rows import FILES, Table

import graphnet as gn

# The same formulas in another order of summing. In float64 that is 1e-12, whatever the number. In
# float32 an element is up to 100, the sum of some dozens of terms: 16 units in the last place of
# the larger terms.
CLOSE = {
    torch.float64: {"rtol": 1e-12, "atol": 1e-12},
    torch.float32: {"rtol": 2e-6, "atol": 8e-6},
}


def error_of(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except gn.GraphError as error:  # compared with the error of the other side
        return type(error)
    return None


def assert_rows(table, predict, feed, **close):
    """All rows at once; what differs is named."""
    limits = CLOSE[table.dtype] | close
    expected = table.graph.forward(feed, outputs=table.targets)
    kept = {name: value.clone() for name, value in feed.items()}
    found = dict(zip(table.targets, predict(feed), strict=True))
    known = dict(zip(table.targets, expected, strict=True))
    wrong = []
    for number, case in enumerate(table.rows):
        for node in table.of(number):
            try:
                assert_close(found[node], known[node], equal_nan=True, **limits)
            except AssertionError as error:
                wrong.append(f"{case.name}, {node.name}: {error}")
    assert not wrong, "\n".join(wrong)
    assert_close(feed, kept, rtol=0, atol=0, equal_nan=True)


def assert_table(rows, dtype):
    table = Table(rows, dtype)
    predict = table.graph.compile(table.targets, backend="c")  # a warning would be an error
    assert_rows(table, predict, table.feed)
    assert predict.source.startswith("#include")

    turned = {name: value.mT.contiguous().mT if value.ndim > 1 else value
              for name, value in table.feed.items()}  # fmt: skip
    assert_rows(table, predict, turned)  # what the first run has left in memory does not matter

    at_edges = dict(table.feed)
    for number, case in enumerate(table.rows):
        edges = table.feed | table.edges(number)
        refused = error_of(table.graph.forward, edges, outputs=table.of(number))
        if refused is None:
            at_edges |= table.edges(number)
        else:  # it would end the step for all others
            assert error_of(predict, edges) is refused, case.name
    wider = {} if dtype is torch.float64 else {"rtol": 2e-5, "atol": 1e-3}  # terms of up to 1e6
    assert_rows(table, predict, at_edges, **wider)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("file", FILES)
def test_rows(file):
    assert_table(FILES[file], torch.float64)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("file", FILES)
def test_rows_in_float32(file):
    """The first row of each kind."""
    assert_table([*{case.kind: case for case in reversed(FILES[file])}.values()], torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_all_rows_in_float32(file):
    assert_table(FILES[file], torch.float32)
