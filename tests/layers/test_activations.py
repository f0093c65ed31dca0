"""Activations against torch.nn with autograd in float64."""

from __future__ import annotations

import math

import pytest
import torch
from closeness import assert_close
from torch import nn

import graphnet as gn

SETTINGS = {  # the settings that are tried besides the defaults
    "Identity": [],
    "ReLU": [],
    "Tanh": [],
    "Sigmoid": [],
    "LeakyReLU": [{"negative_slope": 0.2}, {"negative_slope": -1}],
    "ELU": [{"alpha": 2.5}],
    "SELU": [],
    "GELU": [{"approximate": "tanh"}],
    "SiLU": [],
    "Mish": [],
    "Softplus": [{"beta": 2, "threshold": 3.0}],
    "Hardtanh": [{"min_val": -0.5, "max_val": 2}],
    "ReLU6": [],
}
CASES = [(name, each) for name, settings in SETTINGS.items() for each in ({}, *settings)]
EACH = pytest.mark.parametrize("case", CASES, ids=str)
SOFTMAXES = pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])


def pair(case):
    name, settings = case
    return getattr(gn, name)(**settings), getattr(nn, name)(**settings)


def check(ours, theirs, x, tolerance=1e-12):
    """Value and gradient equal torch's; values are about 1, so 1e-12 is rounding in float64."""
    leaf = x.clone().requires_grad_()
    expected = theirs(leaf)
    grad = torch.linspace(-1.5, 2, x.numel(), dtype=x.dtype).reshape(x.shape)
    expected.backward(grad)
    before = x.clone(), grad.clone()
    close = {"rtol": tolerance, "atol": tolerance, "equal_nan": True}
    assert_close(ours.forward(x), expected.detach(), **close)
    assert_close(ours.backward(grad), leaf.grad, **close)
    assert_close((x, grad), before, rtol=0, atol=0, equal_nan=True)


@EACH
def test_batches_of_several_sizes_in_a_row(case):
    ours, theirs = pair(case)
    generator = torch.Generator().manual_seed(0)
    for shape in [(5, 3), (1, 3), (7, 3), (0, 3), (5, 3), (5, 4), (), (6,), (0,), (2, 3, 4)]:
        check(ours, theirs, torch.randn(shape, generator=generator, dtype=torch.float64))


@EACH
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_edge_values(case, dtype):
    edges = [0.0, -0.0, 1e-300, -1e-300, 1, -1, 6, 20, -20, 1e3, -1e3, math.inf, -math.inf]
    # Torch's slope at NaN is another one by the kernel: see tests/ops/test_edges.py.
    if case[0] not in ("Hardtanh", "ReLU6", "ELU", "SELU"):
        edges.append(math.nan)
    if case[0] == "GELU":  # where some of torch's kernels give inf, and some NaN
        edges.remove(math.inf)
    x = torch.tensor(edges, dtype=dtype)
    # float32 rounds at 6e-8
    check(*pair(case), x, 1e-12 if dtype is torch.float64 else 1e-6)


def test_the_slope_of_relu_at_zero_is_zero():
    relu = gn.ReLU()
    relu.forward(torch.tensor([0.0, -0.0, 1e-30]))
    assert relu.backward(torch.ones(3)).tolist() == [0, 0, 1]


@EACH
def test_strided_input(case):
    x = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    check(*pair(case), x.t()[::2])


@EACH
def test_there_is_nothing_to_learn(case):
    ours, theirs = pair(case)
    ours.forward(torch.ones(2, 2))
    ours.backward(torch.ones(2, 2))
    assert ours.param() == []
    assert ours.parameters() == []
    assert ours.state_dict() == dict(theirs.state_dict()) == {}
    ours.load_state_dict(theirs.state_dict())
    ours.zero_grad()
    with pytest.raises(gn.LoadError, match="weight: unknown"):
        ours.load_state_dict({"weight": torch.ones(1)})


@EACH
def test_backward_returns_the_same_each_time(case):
    ours = pair(case)[0]
    ours.forward(torch.tensor([0.5, -0.5]))
    first = ours.backward(torch.ones(2)).clone()
    assert ours.backward(torch.ones(2)).equal(first)


@EACH
def test_results_of_earlier_calls_stay_as_they_are(case):
    ours = pair(case)[0]
    first = ours.forward(torch.tensor([0.5, -0.5]))
    gradient = ours.backward(torch.ones(2))
    kept = first.clone(), gradient.clone()
    ours.forward(torch.tensor([2.0, -3.0]))
    ours.backward(torch.full((2,), 5.0))
    assert first.equal(kept[0])
    assert gradient.equal(kept[1])


@EACH
def test_repr(case):
    assert repr(pair(case)[0]) == repr(pair(case)[1])


@EACH
def test_backward_comes_after_forward(case):
    with pytest.raises(gn.StateError, match="forward"):
        pair(case)[0].backward(torch.ones(2))


@EACH
def test_gradient_of_another_shape(case):
    ours = pair(case)[0]
    ours.forward(torch.ones(2, 3))
    with pytest.raises(gn.ShapeError) as error:
        ours.backward(torch.ones(2, 1))
    assert "(2, 1)" in str(error.value)
    assert "(2, 3)" in str(error.value)


@EACH
def test_settings_by_place(case):
    name, settings = case
    ours = getattr(gn, name)(*settings.values())
    assert repr(ours) == repr(getattr(nn, name)(*settings.values()))


@SOFTMAXES
@pytest.mark.parametrize("dim", [0, 1, -1, -2])
def test_softmax_over_a_dimension(name, dim):
    ours, theirs = getattr(gn, name)(dim), getattr(nn, name)(dim=dim)
    assert repr(ours) == repr(theirs) == f"{name}(dim={dim})"
    generator = torch.Generator().manual_seed(0)
    for shape in [(5, 3), (1, 3), (0, 3), (5, 4), (2, 3, 4)]:
        check(ours, theirs, torch.randn(shape, generator=generator, dtype=torch.float64))
    check(ours, theirs, torch.tensor([[1e3, -1e3, 0], [1e3, 1e3, 1e3]], dtype=torch.float64))


@SOFTMAXES
def test_softmax_without_a_dimension(name):
    ours, theirs = getattr(gn, name)(), getattr(nn, name)()
    assert repr(ours) == repr(theirs) == f"{name}(dim=None)"
    generator = torch.Generator().manual_seed(0)
    with pytest.warns(UserWarning, match="Implicit dimension"):  # torch's
        for shape in [(4,), (4, 3), (2, 4, 3), (2, 2, 3, 2)]:
            check(ours, theirs, torch.randn(shape, generator=generator, dtype=torch.float64))


@SOFTMAXES
def test_softmax_over_a_dimension_that_is_not_there(name):
    with pytest.raises(gn.ShapeError, match="dimension 2 does not exist"):
        getattr(gn, name)(2).forward(torch.ones(2, 3))


def test_settings_without_a_meaning():
    with pytest.raises(gn.RangeError, match="'fast'"):
        gn.GELU("fast")
    for bounds in [(2, 1), (1, 1)]:
        with pytest.raises(gn.RangeError, match="max_val must be greater"):
            gn.Hardtanh(*bounds)


def test_integers_are_refused():
    for layer in (gn.GELU(), gn.ELU(), gn.Softmax(0)):
        with pytest.raises(gn.DtypeError, match="floating"):
            layer.forward(torch.tensor([1, 2]))


INPLACE = ["ReLU", "LeakyReLU", "ELU", "SELU", "SiLU", "Mish", "Hardtanh", "ReLU6"]


@pytest.mark.parametrize("name", INPLACE)
def test_nothing_writes_to_its_input(name):
    assert repr(getattr(gn, name)(inplace=False)) == repr(getattr(nn, name)(inplace=False))
    with pytest.raises(gn.GraphError, match="inplace must be False"):
        getattr(gn, name)(inplace=True)


@pytest.mark.parametrize("name", ["Tanh", "Sigmoid", "GELU", "Softplus"])
def test_an_argument_that_torch_does_not_have(name):
    with pytest.raises(TypeError):
        getattr(gn, name)(inplace=False)


def test_identity_takes_any_arguments():
    assert repr(gn.Identity(54, unused=1)) == repr(nn.Identity(54, unused=1))
    check(gn.Identity(54, unused=1), nn.Identity(), torch.ones(2, 3))


@pytest.mark.parametrize("value", ["a", None, [1.0], 1j], ids=repr)
@pytest.mark.parametrize("name", ["LeakyReLU", "ELU", "Softplus", "Hardtanh"])
def test_settings_that_are_no_numbers(name, value):
    with pytest.raises(gn.GraphError, match="must be a number"):
        getattr(gn, name)(value)


def test_a_setting_may_change_before_the_layer_is_used():
    layer = gn.LeakyReLU(0.5)
    layer.negative_slope = 0.25
    assert repr(layer) == "LeakyReLU(negative_slope=0.25)"
    assert layer.forward(torch.tensor([-4.0])).item() == -1


@pytest.mark.parametrize("name", ["Hardtanh", "ReLU6"])
def test_integers_stay_integers_between_bounds(name):
    for dtype in (torch.int64, torch.int32):
        x = torch.tensor([-3, 0, 1, 9], dtype=dtype)
        got, expected = getattr(gn, name)().forward(x), getattr(nn, name)()(x)
        assert_close(got, expected, rtol=0, atol=0)
    with pytest.raises(gn.DtypeError, match="takes numbers"):
        getattr(gn, name)().forward(torch.tensor([True]))
