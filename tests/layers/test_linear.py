"""Linear against torch.nn.Linear with autograd in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from layers.torch_pairs import check, close, randn, seeded
from torch import nn

import graphnet as gn

SIZES = [(2, 25), (1, 1), (7, 3)]
BIAS = pytest.mark.parametrize("bias", [True, False])


def pair(inputs, outputs, bias=True):
    torch.manual_seed(1)
    theirs = nn.Linear(inputs, outputs, bias=bias, dtype=torch.float64)
    ours = gn.Linear(inputs, outputs, bias=bias, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@BIAS
@pytest.mark.parametrize(("inputs", "outputs"), SIZES, ids=str)
def test_batches_of_several_sizes_accumulate(inputs, outputs, bias):
    ours, theirs = pair(inputs, outputs, bias)
    generator = seeded()
    for rows in (5, 1, 7, 0, 5, 50):
        check(ours, theirs, randn((rows, inputs), generator))
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, randn((3, inputs), generator))


@BIAS
@pytest.mark.parametrize(("inputs", "outputs"), [(12, 3), (24, 2), (1, 4), (2, 25)], ids=str)
def test_inputs_of_any_number_of_dimensions(inputs, outputs, bias):
    ours, theirs = pair(inputs, outputs, bias)
    generator = seeded(1)
    for shape in [(), (4,), (4, 3), (), (2, 0), (1,), (2, 1, 3), (6, 3), (2,)]:
        check(ours, theirs, randn((*shape, inputs), generator))


def test_strided_input_and_gradient():
    ours, theirs = pair(3, 2)
    x = torch.randn(3, 5, generator=seeded(), dtype=torch.float64).t()
    leaf = x.clone().requires_grad_()
    theirs(leaf).backward(torch.ones(1, 1, dtype=torch.float64).expand(5, 2))
    close(ours.forward(x), theirs(leaf))
    close(ours.backward(torch.ones(1, 1, dtype=torch.float64).expand(5, 2)), leaf.grad)
    close(ours.weight.grad, theirs.weight.grad)


@BIAS
def test_pairs_are_the_parameters_themselves(bias):
    ours, theirs = pair(3, 2, bias)
    generator = seeded()
    descent = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for _ in range(3):
        ours.zero_grad()
        descent.zero_grad()
        check(ours, theirs, randn((4, 3), generator))
        for value, gradient in ours.param():
            value.sub_(0.1 * gradient)
        descent.step()
    close(ours.weight.top, theirs.weight)


@BIAS
def test_state_moves_to_and_from_torch_unchanged(bias):
    ours = gn.Linear(3, 2, bias=bias)
    theirs = nn.Linear(3, 2, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    for name, value in theirs.state_dict().items():
        assert value.equal(ours.state_dict()[name])
    other = gn.Linear(3, 2, bias=bias)
    other.load_state_dict(theirs.state_dict())
    assert list(other.state_dict()) == list(theirs.state_dict())
    assert all(value.equal(ours.state_dict()[n]) for n, value in other.state_dict().items())


def test_float32_is_the_default():
    layer = gn.Linear(2, 3)
    assert [value.dtype for value, _ in layer.param()] == [torch.float32] * 2
    assert layer.forward(torch.ones(4, 2)).dtype is torch.float32
    assert gn.Linear(2, 3, device="cpu", dtype=torch.float64).weight.top.dtype is torch.float64


@pytest.mark.parametrize("bias", [True, False])
def test_repr(bias):
    assert repr(gn.Linear(2, 25, bias=bias)) == f"Linear(2, 25, bias={bias})"


# changes after the first forward


def test_parameters_replaced_after_forward_are_used():
    ours, theirs = pair(3, 2)
    generator = seeded()
    check(ours, theirs, randn((4, 3), generator))
    ours.bias, theirs.bias = None, None
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, randn((4, 3), generator))
    weight = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    ours.weight, theirs.weight = gn.Parameter(weight), nn.Parameter(weight.clone())
    check(ours, theirs, randn((4, 3), generator))


def test_new_values_of_a_parameter_are_used():
    ours, theirs = pair(3, 2)
    check(ours, theirs, randn((4, 3), seeded()))
    for layer in (ours.weight.top, theirs.weight.data):
        layer.fill_(0.25)
    check(ours, theirs, randn((4, 3), seeded()))
    ours.weight.top = torch.full((2, 3), -1.0, dtype=torch.float64)
    theirs.weight.data.fill_(-1)
    check(ours, theirs, randn((4, 3), seeded()))


# autograd stays out of it


@pytest.mark.parametrize("enabled", [True, False])
def test_tensors_that_want_gradients_leave_no_trace(enabled):
    with torch.set_grad_enabled(enabled):
        ours, theirs = pair(3, 2)
        ours.load_state_dict(dict(theirs.named_parameters()))
        x = torch.ones(4, 3, dtype=torch.float64, requires_grad=True)
        grad = torch.ones(4, 2, dtype=torch.float64, requires_grad=True)
        results = [ours.forward(x), ours.backward(grad)]
        ours.weight.grad = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
        ours.bias.top = torch.ones(2, dtype=torch.float64, requires_grad=True)
    results += [tensor for each in ours.param() for tensor in each]
    assert [tensor.requires_grad for tensor in results] == [False] * 6
    assert x.grad is None


# what is refused


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "3", None])
def test_sizes_are_integers(size):
    with pytest.raises(gn.ShapeError) as error:
        gn.Linear(size, 2)
    assert "in_features" in str(error.value)
    assert repr(size) in str(error.value)
    with pytest.raises(gn.ShapeError, match="out_features"):
        gn.Linear(2, size)


DOUBLE = torch.float64


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (torch.ones(4, 5, dtype=DOUBLE), gn.ShapeError, ["(4, 5)", "(2, 3)", "in_features"]),
        (torch.ones(5, dtype=DOUBLE), gn.ShapeError, ["cannot be applied", "(5,"]),
        (torch.ones((), dtype=DOUBLE), gn.ShapeError, ["cannot be applied", "()"]),
        (torch.ones(4, 3), gn.DtypeError, ["float32", "float64"]),
        (torch.ones(4, 3, dtype=torch.int64), gn.GraphError, ["int64", "float64"]),
        (np.ones((4, 3)), gn.FeedError, ["ndarray", "as_tensor"]),
        ([[1.0, 2.0, 3.0]], gn.FeedError, ["list", "as_tensor"]),
        (None, gn.FeedError, ["NoneType"]),
    ],
    ids=range(8),
)
def test_input_that_does_not_fit(value, kind, words):
    ours, theirs = pair(3, 2)
    for first in (True, False):  # before and after a forward that succeeds
        with pytest.raises(kind) as error:
            ours.forward(value)
        assert [word for word in words if word not in str(error.value)] == []
        if first:
            check(ours, theirs, randn((4, 3), seeded()))


def test_forward_takes_one_tensor():
    layer = gn.Linear(3, 2)
    with pytest.raises((TypeError, gn.GraphError)):
        layer.forward(torch.ones(4, 3), torch.ones(4, 3))
    with pytest.raises((TypeError, gn.GraphError)):
        layer.forward()
    with pytest.raises((TypeError, gn.GraphError)):
        layer()


def test_backward_needs_a_forward():
    with pytest.raises(gn.StateError, match="forward"):
        gn.Linear(3, 2).backward(torch.ones(4, 2))


@pytest.mark.parametrize(
    ("grads", "words"),
    [
        ([torch.ones(3, 2, dtype=DOUBLE)], ["(3, 2)", "(4, 2)"]),
        ([torch.ones(2, dtype=DOUBLE)], ["(2,)", "(4, 2)"]),
        ([torch.ones(4, 2)], ["float32", "float64"]),
        ([torch.ones(4, 2, dtype=DOUBLE)] * 2, ["1 output", "got 2"]),
        ([], ["(4, 2)", "gradient"]),
        ([None], ["(4, 2)", "gradient"]),
        ([2.0], ["tensor"]),
    ],
    ids=range(7),
)
def test_gradient_that_does_not_fit(grads, words):
    ours, theirs = pair(3, 2)
    check(ours, theirs, randn((4, 3), seeded()))
    before = ours.weight.grad.clone()
    with pytest.raises(gn.GraphError) as error:
        ours.backward(*grads)
    assert [word for word in words if word not in str(error.value)] == []
    assert ours.weight.grad.equal(before)
    check(ours, theirs, randn((4, 3), seeded()))


def test_backward_over_values_that_are_out_of_date():
    layer = gn.Linear(3, 2)
    x = torch.ones(4, 3)
    layer.forward(x)
    layer.weight.top.mul_(2)
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        layer.backward(torch.ones(4, 2))
    layer.forward(x)
    x.mul_(2)
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        layer.backward(torch.ones(4, 2))
