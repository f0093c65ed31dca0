"""The table of two ways to the same numbers: what counts as rounding, and how it is printed."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch

import graphnet as gn
from graphnet.check.side_by_side import Difference, TorchComparison


def difference(dtype="torch.float32", value=(1.0, 0.0), grad=(1.0, 0.0), name="x"):
    return Difference(0, name, "input", "(3,)", dtype, *value, *grad)


AGREE = {
    "the same": ({}, True),
    "rounding": ({"grad": (1.0, 1e-6)}, True),
    "a value": ({"value": (1.0, 1e-2)}, False),
    "a gradient": ({"grad": (1.0, 1e-2)}, False),
    "a value of zero": ({"value": (0.0, 1e-9)}, False),
    "double": ({"dtype": "torch.float64", "grad": (1.0, 1e-6)}, False),
    "half": ({"dtype": "torch.float16", "grad": (1.0, 1e-3)}, True),
    "no gradient": ({"grad": (nan, nan)}, True),
    "one side is NaN": ({"grad": (1.0, nan)}, False),
    "infinite": ({"value": (inf, 0.0)}, True),
    "a small one beside a large one": ({"grad": (1e-9, 1e-7)}, True),
}


@pytest.mark.parametrize(("numbers", "agrees"), AGREE.values(), ids=AGREE)
def test_rounding_is_distinguished_from_differences(numbers, agrees):
    assert difference(**numbers).agrees(largest=1.0) is agrees


def between(ours, theirs):
    graph = gn.Graph()
    x = graph.input((2,), name="x", requires_grad=True)
    return Difference.between(graph, x, ours, theirs)


def test_the_largest_differences_are_found():
    value, grad = torch.tensor([1.0, -4.0]), torch.tensor([inf, nan])
    row = between((value, grad), (value + torch.tensor([0.5, 0.25]), grad))
    assert (row.value_size, row.value, row.grad) == (3.75, 0.5, 0.0)
    assert row.agrees(largest=0.0) is False
    for ours, theirs in ((0.0, inf), (inf, 0.0), (0.0, nan), (nan, 0.0)):
        finite = torch.tensor([1.0, 2.0])
        one = between((value, finite + ours), (value, finite + theirs))
        assert not one.agrees(largest=1.0), (ours, theirs)
        assert one.cells[-1] in ("inf", "nan")
    beside = between((value, torch.tensor([inf, 1.0])), (value, torch.tensor([inf, 2.0])))
    assert (beside.grad_size, beside.agrees(largest=1.0)) == (2.0, False)
    assert difference(grad=(nan, nan)).cells[-2:] == ("", "")
    lost = between((value, None), (value, torch.tensor([2.0, 1.0])))
    assert (lost.grad_size, lost.grad) == (2.0, 2.0)


def test_it_prints_well():
    rows = [difference(name="a<b"), difference(name="y", grad=(2.0, 1.0))]
    comparison = TorchComparison(rows, 0.001, 0.002)
    assert not comparison
    assert comparison.wrong == rows[1:]
    assert "walk 1 ms, torch's autograd 2 ms: 0.50 of its time" in str(comparison)
    assert "1 of 2 nodes differ. In reverse, the gradients diverge at 0 'y'" in str(comparison)
    parted = TorchComparison([difference(name="z", value=(1.0, 1.0)), *rows], 1, 1)
    assert "2 of 3 nodes differ. The values diverge at 0 'z'." in str(parted)
    assert "<td>a&lt;b</td>" in comparison._repr_html_()
    assert repr(comparison) == "<TorchComparison of 2 nodes: 1 differ>"
    assert "All 1 nodes agree." in str(TorchComparison(rows[:1], 1, 1))
