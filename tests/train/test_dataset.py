"""Rows of inputs and targets."""

from __future__ import annotations

import pytest
import torch
from torch.overrides import TorchFunctionMode

import graphnet as gn
from graphnet.data import Split
from graphnet.train.dataset import DataSet

CPU = torch.device("cpu")
X, T = torch.arange(10.0).view(5, 2), torch.arange(5)


def test_rows_are_taken_by_number_and_by_slice():
    data = DataSet(((X, X + 1), T))
    assert len(data) == 5
    batch = data.rows(torch.tensor([3, 0]), CPU)
    assert len(batch) == 2
    assert torch.equal(batch.inputs[1], X[[3, 0]] + 1)
    assert batch.targets[0].tolist() == [3, 0]
    assert data.rows(slice(1, 3), CPU).targets[0].tolist() == [1, 2]


def test_slices_are_all_rows_in_order():
    data = DataSet((X, T))
    batches = [data.rows(slice(start, start + 2), CPU) for start in range(0, len(data), 2)]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert torch.equal(torch.cat([batch.inputs[0] for batch in batches]), X)


def test_numbers_of_rows_go_where_the_data_are():
    seen = []

    class Watch(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if function.__name__ == "index_select":
                seen.append([args[0].device.type, args[2].device.type])
            return function(*args, **(kwargs or {}))

    data = DataSet((X.to("meta"), T))
    with Watch():
        data.rows(torch.tensor([0]), torch.device("meta"))
    assert seen == [["meta", "meta"], ["cpu", "cpu"]]


def test_rows_go_where_the_model_is():
    (moved,) = DataSet((X, T)).rows(torch.tensor([0]), torch.device("meta")).inputs
    assert moved.device.type == "meta"


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("ab", gn.FeedError, r"pair \(inputs, targets\).*got str"),
        ((), gn.FeedError, r"pair \(inputs, targets\).*got a tuple of 0"),
        ((None, X), gn.FeedError, "got NoneType"),
        ((X, T.to_sparse()), gn.FeedError, "one with the layout sparse_coo.*to_dense"),
        ((X, T, T), gn.FeedError, "got a tuple of 3"),
        ({"x": X}, gn.FeedError, "got dict"),
        ((X, 3), gn.FeedError, "got int"),
        ((X, ()), gn.FeedError, "got a tuple of 0"),
        ((X, ["a"]), gn.FeedError, "tensors with rows; got str"),
        ((X, torch.tensor(1.0)), gn.FeedError, r"shape \(\)"),
        ((X, T[:4]), gn.ShapeError, r"\[5, 4\]"),
        ((X[:0], T[:0]), gn.ShapeError, "1 or more"),
    ],
)
def test_what_is_no_data_set_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        DataSet(given)


def test_nested_tensors_are_refused():
    nested = torch.nested.nested_tensor([X], layout=torch.jagged)  # imports a compiler of torch
    with pytest.raises(gn.FeedError, match="layout nested"):
        DataSet((nested, T))


@pytest.mark.parametrize("given", [X, (X,), [X], (X, None), ((X, X + 1), None)])
def test_targets_that_are_left_out_are_the_inputs(given):
    data = DataSet(given)
    assert data.targets is data.inputs is data.tensors
    batch = data.rows(torch.tensor([3, 0]), CPU)
    assert torch.equal(batch.targets[0], X[[3, 0]])


@pytest.mark.parametrize(
    ("rows", "fraction", "held"), [(5, 0.4, 2), (100, 0.31, 31), (10, 0.11, 2)]
)
def test_a_split_takes_the_last_rows(rows, fraction, held):
    x, t = torch.arange(rows), torch.arange(rows) * 2
    first, last = DataSet((x, t)).split(Split(fraction))
    assert first.inputs[0].tolist() == list(range(rows - held))
    assert last.targets[0].tolist() == [2 * row for row in range(rows - held, rows)]
    alone, other = DataSet(x).split(Split(fraction))
    assert alone.targets is alone.inputs
    assert len(other) == held
