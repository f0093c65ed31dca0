"""Arrays of numpy, numbers and lists as feeds: where their meaning is plain."""

from __future__ import annotations

import numpy
import pytest
import torch

import graphnet as gn

GRID = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
PLAIN = {
    "lists": (GRID, torch.float32),
    "integers in lists": ([[1, 2, 3], [4, 5, 6]], torch.float64),
    "integers and fractions": ([[1, 2.5, 3]], torch.float32),
    "an array": (numpy.array(GRID), torch.float32),
    "an array of float32": (numpy.array(GRID, dtype=numpy.float32), torch.float64),
    "integers in an array": (numpy.array([[1, 2, 3]], dtype=numpy.uint8), torch.int64),
    "an array seen backwards": (numpy.array(GRID)[::-1, ::-1], torch.float32),
    "booleans": ([[True, False, True]], torch.bool),
    "an array of booleans": (numpy.array([[True, False, True]]), torch.bool),
    "a tuple of rows": (((1, 2, 3),), torch.int64),
}


def doubled(dtype):
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=dtype)
    return graph, x, x | x if dtype is torch.bool else x + x


@pytest.mark.parametrize("name", PLAIN)
def test_numbers_are_fed_as_tensors(name):
    given, dtype = PLAIN[name]
    graph, x, y = doubled(dtype)
    tensor = torch.tensor(numpy.ascontiguousarray(numpy.array(given))).to(dtype)
    expected = tensor | tensor if dtype is torch.bool else tensor + tensor
    assert graph.forward(x=given, outputs=y).equal(expected)
    assert graph.forward({x: given}, outputs=y).dtype is dtype
    assert graph.compile(y)(x=given).equal(expected)


def test_numbers_are_fed_to_steps():
    graph = gn.Graph()
    x, t = graph.input((None, 3), name="x"), graph.input((), name="t")
    w = graph.parameter(torch.ones(3), name="w")
    loss = ((x * w).sum(1) * t).square().mean()
    for backend in ("torch", "c"):
        w.top = torch.ones(3)
        step = graph.compile(loss, gn.SGD([w], lr=0.01), backend=backend)
        tensors = [step(x=torch.tensor(GRID), t=torch.tensor(0.5)) for _ in range(4)]
        w.top = torch.ones(3)
        numbers = [step(x=given, t=0.5) for given in (GRID, numpy.array(GRID)) * 2]
        assert [float(each) for each in numbers] == [float(each) for each in tensors]


REFUSED = {
    "fractions for integers": ([[0.5, 1.0, 2.0]], torch.int64),
    "integers for booleans": ([[0, 1, 1]], torch.bool),
    "booleans for numbers": ([[True, False, True]], torch.float32),
    "rows of different lengths": ([[1.0], [2.0, 3.0]], torch.float32),
    "texts": ([["1", "2", "3"]], torch.float32),
    "an array of texts": (numpy.array([["1", "2", "3"]]), torch.float32),
    "complex numbers": (numpy.array([[1j, 2, 3]]), torch.float32),
    "tensors in a list": ([torch.ones(3)], torch.float32),
    "another shape": ([1.0, 2.0], torch.float32),
    "none": (None, torch.float32),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_plain_is_refused(name):
    given, dtype = REFUSED[name]
    graph, _, y = doubled(dtype)
    for run in (lambda **feed: graph.forward(feed, outputs=y), graph.compile(y)):
        with pytest.raises(gn.FeedError):
            run(x=given)
