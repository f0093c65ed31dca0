"""Errors: what they know beside their text stays with them when they are worded anew."""

from __future__ import annotations

import pickle

import pytest
import torch

import graphnet as gn

HERE = "test_errors.py"


def test_a_label_out_of_range_has_its_place():
    graph = gn.Graph()
    labels = graph.input((None,), name="t", dtype=torch.int64)
    gn.ops.cross_entropy(graph.input((None, 3), name="x"), labels)
    with pytest.raises(gn.RangeError) as found:
        graph.forward(x=torch.zeros(3, 3), t=torch.tensor([0, 2, 3]))
    assert found.value.index == (2,)
    assert HERE in found.value.line


@pytest.mark.parametrize(
    "mix",
    [lambda x, y: x + y, gn.ops.cosine_similarity, gn.ops.mse_loss],
    ids=["op", "two", "loss"],
)
def test_mixed_dtypes_are_known(mix):
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    y = graph.input((2,), name="y", dtype=torch.float64)
    with pytest.raises(gn.DtypeError) as found:
        mix(x, y)
    assert found.value.mixed == {torch.float32, torch.float64}
    assert HERE in found.value.line


def test_a_dtype_alone_is_not_mixed():
    with pytest.raises(gn.DtypeError) as found:
        gn.Graph().input((2,), name="x", dtype=torch.int64, requires_grad=True)
    assert found.value.mixed == frozenset()


def test_other_processes_are_told_the_same():
    error = gn.RangeError("too large")
    error.index = (4,)
    told = pickle.loads(pickle.dumps(error.reworded("Too large.")))
    assert (str(told), told.index) == ("Too large.", (4,))
