"""First values against torch.nn.init: with the same generator, exactly the same numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import graphnet as gn

SHAPES = [(25, 2), (7, 5), (1, 1), (4, 3, 5), (8, 6, 3, 3)]
DTYPES = [torch.float32, torch.float64]
GAINS = [{}, {"gain": 5 / 3}, {"gain": math.sqrt(2)}, {"gain": 1.1}, {"gain": 2.7}]
KAIMING = [
    {},
    {"a": 0.2},
    {"a": math.sqrt(5)},
    {"mode": "fan_out"},
    {"mode": "FAN_OUT"},
    {"a": True, "nonlinearity": "relu"},
    {"nonlinearity": "relu"},
    {"nonlinearity": "tanh", "mode": "fan_out"},
    {"nonlinearity": "linear"},
]
CASES = [
    *[("uniform_", options) for options in ({}, {"a": -0.3, "b": 0.1})],
    *[("normal_", options) for options in ({}, {"mean": 2.0, "std": 0.3})],
    *[(name, options) for name in ("xavier_uniform_", "xavier_normal_") for options in GAINS],
    *[(name, options) for name in ("kaiming_uniform_", "kaiming_normal_") for options in KAIMING],
]


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_values_equal_torch(name, options, shape, dtype):
    tensor = torch.empty(shape, dtype=dtype)
    result = getattr(gn.init, name)(tensor, **options, generator=seeded())
    expected = getattr(nn.init, name)(
        torch.empty(shape, dtype=dtype), **options, generator=seeded()
    )
    assert result is tensor
    assert tensor.equal(expected)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_default_generator_is_used_only_where_none_is_given(name):
    function = getattr(gn.init, name)
    torch.manual_seed(5)
    first = function(torch.empty(4, 3))
    torch.manual_seed(5)
    function(torch.empty(4, 3), generator=seeded())
    assert function(torch.empty(4, 3)).equal(first)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_strided_tensor_that_wants_a_gradient(name):
    tensor = torch.zeros(3, 8, requires_grad=True)
    part = tensor.detach()[:, ::2]
    getattr(gn.init, name)(tensor[:, ::2], generator=seeded())
    assert part.equal(getattr(gn.init, name)(torch.empty(3, 8)[:, ::2], generator=seeded()))
    assert not tensor.detach()[:, 1::2].any()


@pytest.mark.parametrize(
    "nonlinearity",
    [
        "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
        "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu",
    ],
)  # fmt: skip
def test_gain_equals_torch(nonlinearity):
    assert gn.init.calculate_gain(nonlinearity) == nn.init.calculate_gain(nonlinearity)


@pytest.mark.parametrize("slope", [None, 0.0, 0.01, 0.3, 1, math.sqrt(5)])
def test_gain_of_leaky_relu_takes_its_slope(slope):
    expected = nn.init.calculate_gain("leaky_relu", slope)
    assert gn.init.calculate_gain("leaky_relu", slope) == expected


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (2, 25), (25, 2), (3, 7), (784, 10)])
def test_linear_starts_as_in_torch(inputs, outputs, bias, dtype):
    torch.manual_seed(11)
    ours = gn.Linear(inputs, outputs, bias=bias, dtype=dtype)
    after = torch.rand(3)
    torch.manual_seed(11)
    theirs = nn.Linear(inputs, outputs, bias=bias, dtype=dtype)
    assert torch.rand(3).equal(after)  # as many random numbers were drawn
    assert ours.weight.top.equal(theirs.weight)
    assert ours.bias.top.equal(theirs.bias) if bias else ours.bias is None


def test_default_uniform_is_bounded_by_the_inputs():
    values = gn.init.default_uniform_(torch.empty(20_000, dtype=torch.float64), 16, seeded())
    bound = 1 / 4
    assert values.abs().max() <= bound
    # the standard deviation of a uniform variable is bound / sqrt(3); 20,000 draws: within 2 %
    assert abs(values.std() / (bound / math.sqrt(3)) - 1) < 0.02


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: gn.init.xavier_uniform_(torch.empty(3)), gn.ShapeError, ["two dim", "(3,)"]),
        (lambda: gn.init.xavier_normal_(torch.empty(())), gn.ShapeError, ["two dim", "()"]),
        (lambda: gn.init.kaiming_uniform_(torch.empty(3)), gn.ShapeError, ["two dim", "(3,)"]),
        (lambda: gn.init.kaiming_normal_(torch.empty(3)), gn.ShapeError, ["two dim", "(3,)"]),
        (
            lambda: gn.init.kaiming_normal_(torch.empty(3, 2), mode="fan_all"),
            gn.GraphError,
            ["fan_in", "fan_out", "fan_all"],
        ),
        (
            lambda: gn.init.kaiming_uniform_(torch.empty(3, 2), nonlinearity="swish"),
            gn.GraphError,
            ["swish", "tanh", "leaky_relu"],
        ),
        (lambda: gn.init.calculate_gain("swish"), gn.GraphError, ["swish", "relu"]),
    ],
    ids=range(7),
)
def test_errors(call, kind, words):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    with pytest.raises(kind) as error:
        call()
    assert [word for word in words if word not in str(error.value)] == []
    assert torch.get_rng_state().equal(state)


NAMES = pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))


@NAMES
@pytest.mark.parametrize("wrong", [None, [1.0], 3.0, "w"], ids=repr)
def test_only_tensors_are_filled(name, wrong):
    with pytest.raises(gn.GraphError, match="fills a tensor"):
        getattr(gn.init, name)(wrong)


@NAMES
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool], ids=str)
def test_only_floating_numbers_are_filled(name, dtype):
    tensor = torch.zeros(3, 2, dtype=dtype)
    with pytest.raises(gn.DtypeError, match=str(dtype)):
        getattr(gn.init, name)(tensor)
    assert not tensor.any()


@NAMES
def test_one_place_of_memory_cannot_hold_several_numbers(name):
    with pytest.raises(gn.GraphError, match="memory"):
        getattr(gn.init, name)(torch.zeros(1, 4).expand(3, 4))


@NAMES
def test_another_generator_is_refused(name):
    with pytest.raises(gn.GraphError, match="generator"):
        getattr(gn.init, name)(torch.zeros(3, 4), generator=5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *[("uniform_", pair) for pair in ((1, 0), (math.nan, 1), (0, math.inf), ("a", 1))],
        *[("uniform_", pair) for pair in ((None, 1), ([0], 1), (-3e38, 3e38))],
        *[("normal_", pair) for pair in ((0, -1), (0, math.nan), ("a", 1), (0, None), ([0], 1))],
        *[
            (name, (gain,))
            for name in ("xavier_uniform_", "xavier_normal_")
            for gain in (-1, math.nan, "a", None, [1])
        ],
        *[
            (name, (slope,))
            for name in ("kaiming_uniform_", "kaiming_normal_")
            for slope in (math.nan, "a", [1], True)
        ],
        *[("kaiming_normal_", (0, mode)) for mode in (None, 1, "fan")],
        *[("kaiming_normal_", (0, "fan_in", name)) for name in (None, 1, ["relu"])],
    ],
    ids=str,
)
def test_numbers_that_are_impossible(name, arguments):
    tensor = torch.zeros(3, 4)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    with pytest.raises(gn.GraphError):
        getattr(gn.init, name)(tensor, *arguments)
    assert not tensor.any()
    assert torch.get_rng_state().equal(state)


@NAMES
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3, 4, 0)], ids=str)
def test_a_weight_without_elements_stays_as_it_is(name, shape):
    assert getattr(gn.init, name)(torch.empty(shape)).shape == shape


def test_a_parameter_is_filled_and_returned():
    parameter = nn.Parameter(torch.zeros(3, 4))
    assert gn.init.xavier_uniform_(parameter, generator=seeded()) is parameter
    assert parameter.requires_grad
