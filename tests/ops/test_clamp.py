"""Limits beside torch, and the slopes at a bound, on which versions of torch do not agree."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from ops.test_elementwise import compare, numbers, ours_of

import graphnet as gn
from graphnet import ops

F64 = torch.float64
NAN = math.nan
BESIDE_BOUNDS = [
    values
    for values in itertools.product([-1.0, 0.0, 1.0, 2.0], repeat=3)
    if values[0] not in values[1:] and values[1] != values[2]
]


def scalars(values):
    return [torch.tensor(float(value), dtype=F64) for value in values]


def slopes(function, values):
    """The gradient of a function of numbers by each of them."""
    return [grad.item() for grad in ours_of(function, scalars(values))[1]]


def spread(x, low=None, high=None):
    """Torch's clamp; torch 2.13 has no gradient where the bounds have more elements than x."""
    given = [each for each in (x, low, high) if each is not None]
    tensors = iter(torch.broadcast_tensors(*given))
    return torch.clamp(*(each if each is None else next(tensors) for each in (x, low, high)))


# beside the bounds, where all versions of torch agree


@pytest.mark.parametrize("values", BESIDE_BOUNDS, ids=str)
def test_clamp_between_tensors_in_every_order(values):
    compare(ops.clamp, torch.clamp, *scalars(values))


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0, 0.0)], ids=str)
def test_one_tensor_as_bound(values):
    compare(ops.clamp, torch.clamp, *scalars(values))
    compare(
        lambda x, top: ops.clamp(x, max=top),
        lambda x, top: torch.clamp(x, max=top),
        *scalars(values),
    )


@pytest.mark.parametrize("values", list(itertools.product([NAN, 0.0, 1.0], repeat=2)), ids=str)
def test_maximum_and_minimum_at_ties_and_nan(values):
    compare(ops.maximum, torch.maximum, *scalars(values))
    compare(ops.minimum, torch.minimum, *scalars(values))


@pytest.mark.parametrize("values", list(itertools.product([NAN, 0.0, 1.0], repeat=3)), ids=str)
def test_the_value_at_every_order_tie_and_nan(values):
    tensors = scalars(values)
    top = ours_of(ops.clamp, tensors)[0]
    torch.testing.assert_close(top, torch.clamp(*tensors), rtol=0, atol=0, equal_nan=True)


def test_clamp_broadcasts():
    x, low, high = numbers(3, 1), numbers(4, seed=1), numbers(2, 1, 1, seed=2)
    compare(ops.clamp, spread, x, low, high)
    compare(lambda x, high: x.clamp(max=high), lambda x, high: spread(x, high=high), x, high)
    compare(lambda x: x.clamp(-0.5, 1), lambda x: x.clamp(-0.5, 1), numbers(3, 4))


# at the bounds: graphnet's choice is that of torch 2.15

AT_BOUNDS = {  # x, low, high: the slopes by them
    (0, 0, 1): (0.5, 0.5, 0),  # torch 2.13: 1, 0, 0
    (1, 0, 1): (0.5, 0, 0.5),  # torch 2.13: 1, 0, 0
    (0, 1, 1): (0, 1, 0),  # torch 2.13: 0, 0, 0
    (1, 0, 0): (0, 0, 1),
    (1, 1, 1): (1, 0, 0),
    (0, 1, 0): (0, 0, 1),
    (1, 1, 0): (0, 0, 1),
}
AT_ONE_BOUND = {  # x, bound: the slopes by them
    (0, 0): (0.5, 0.5),  # torch 2.13: 1, 0
    (NAN, 0): (1, 1),  # torch 2.13: 0, 0
    (0, NAN): (1, 1),  # torch 2.13: 0, 0
}


@pytest.mark.parametrize(("values", "expected"), AT_BOUNDS.items(), ids=str)
def test_the_slope_at_two_bounds_that_are_tensors(values, expected):
    assert slopes(ops.clamp, values) == list(expected)


@pytest.mark.parametrize(("values", "expected"), AT_ONE_BOUND.items(), ids=str)
def test_the_slope_at_one_bound_that_is_a_tensor(values, expected):
    assert slopes(ops.clamp, values) == list(expected)
    assert slopes(lambda x, top: ops.clamp(x, max=top), values) == list(expected)


@pytest.mark.parametrize("bounds", [(0, 1), (None, 0), (0, None), (-1.0, 0.0)], ids=str)
def test_the_slope_at_a_bound_that_is_a_number_is_zero(bounds):
    assert slopes(lambda x: ops.clamp(x, *bounds), [0.0]) == [0.0]  # torch 2.13: 1


def test_torch_makes_one_of_the_two_choices_that_are_written_here():
    x, low, high = (each.requires_grad_() for each in scalars((0, 0, 1)))
    found = torch.autograd.grad(torch.clamp(x, low, high), (x, low, high), materialize_grads=True)
    assert [each.item() for each in found] in ([0.5, 0.5, 0.0], [1.0, 0.0, 0.0])


# wrong calls


def test_clamp_takes_one_kind_of_bound():
    x = numbers(3)
    for bounds in ({}, {"min": x, "max": 1.0}, {"min": 0, "max": x}):
        with pytest.raises(gn.GraphError, match="two numbers or two tensors"):
            ops.clamp(x, **bounds)


@pytest.mark.parametrize("bound", ["a", [1], 1j, (1, 2)], ids=repr)
def test_a_bound_is_a_number_or_a_node(bound):
    x = gn.Graph().input((3,), name="x")
    for arguments in ((bound,), (None, bound), (0, bound)):
        with pytest.raises(gn.GraphError):
            ops.clamp(x, *arguments)


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum])
def test_a_maximum_is_of_two_nodes(function):
    x = gn.Graph().input((3,), name="x")
    for pair in ((x, 2), (2, x), (x, None), (x, "a")):
        with pytest.raises(gn.GraphError):
            function(*pair)
    with pytest.raises(gn.GraphError, match="takes a tensor or a node here; got int"):
        function(2, numbers(3))
