"""Whether dtypes or shapes do not fit is found by trying, not read from torch's message."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.op import Op

FLOATS, INTEGERS, BOOLEANS = torch.rand(3, 4), torch.ones(3, 4).long(), torch.ones(3, 4) > 0
DOUBLES = FLOATS.double()

DTYPES = {
    "two floating dtypes": (ops.matmul, FLOATS, DOUBLES.T.contiguous()),
    "integers by floats": (ops.matmul, INTEGERS, FLOATS.T.contiguous()),
    "booleans subtracted": (ops.sub, BOOLEANS, BOOLEANS),
    "a negative boolean": (ops.neg, BOOLEANS),
    "an index of floats": (lambda x, i: ops.index_select(x, 0, i), FLOATS, FLOATS[0]),
    "bits of floats": (ops.bitwise_and, FLOATS, FLOATS),
    "a logarithm of integers": (lambda x: ops.log_softmax(x, 1), INTEGERS),
}
SHAPES = {
    "a product": (ops.matmul, FLOATS, FLOATS),
    "a product of integers": (ops.matmul, INTEGERS, INTEGERS),
    "a sum": (ops.add, FLOATS, torch.rand(5)),
    "a sum of booleans": (ops.logical_and, BOOLEANS, torch.ones(5) > 0),
    "a reshape": (lambda x: ops.reshape(x, 5, -1), FLOATS),
    "a large product": (ops.matmul, torch.empty(3000, 3000), torch.empty(2, 2)),
}


def as_nodes(function, *tensors, rows=False):
    """A function on inputs like tensors, whose first sizes may be unknown."""
    with gn.Graph():
        shapes = [(None, *each.shape[1:]) if rows else tuple(each.shape) for each in tensors]
        pairs = zip(shapes, tensors, strict=True)
        return function(
            *(gn.Input(shape, name=f"x{k}", dtype=x.dtype) for k, (shape, x) in enumerate(pairs))
        )


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes_that_do_not_fit(name):
    with pytest.raises(gn.DtypeError):
        DTYPES[name][0](*DTYPES[name][1:])
    with pytest.raises(gn.DtypeError):
        as_nodes(*DTYPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_do_not_fit(name):
    with pytest.raises(gn.ShapeError):
        SHAPES[name][0](*SHAPES[name][1:])
    with pytest.raises(gn.ShapeError):
        as_nodes(*SHAPES[name])


def test_unknown_sizes_are_tried_as_well():
    with pytest.raises(gn.DtypeError):
        as_nodes(ops.neg, BOOLEANS, rows=True)
    with pytest.raises(gn.ShapeError):
        as_nodes(ops.matmul, FLOATS, FLOATS, rows=True)


class Loud(Op):
    """z = x + y in equal shapes, with messages that name the other fault.  Shapes: equal."""

    symbol = "loud"

    def forward(self, x, y):
        if x.shape != y.shape:
            raise RuntimeError("the bool dtype of the scalar type is integral")
        if x.dtype != y.dtype:
            raise RuntimeError("the sizes differ")
        return x + y

    def grad_x(self, grad):
        return grad

    def grad_y(self, grad):
        return grad


def test_the_words_of_a_message_do_not_decide():
    for use in (lambda f, *tensors: f(*tensors), as_nodes):
        with pytest.raises(gn.ShapeError, match="the bool dtype"):
            use(Loud(), FLOATS, torch.rand(2, 2))
    with pytest.raises(gn.DtypeError, match="the sizes differ"):
        Loud()(FLOATS, DOUBLES)
