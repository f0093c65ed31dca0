"""Functions of single elements at NaN, infinity, zeros, subnormals, kinks, the largest numbers.

Values, derivatives and second derivatives are those of torch autograd in the same dtype,
walked and compiled. Where ours are kept although torch's are others, a table says so.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

import graphnet as gn
from graphnet import ops

inf, nan = math.inf, math.nan
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def plain(name):
    return getattr(ops, name), getattr(torch, name)


def activation(name, **options):
    ours, theirs = getattr(ops, name), getattr(functional, name)
    return lambda x: ours(x, **options), lambda x: theirs(x, **options)


def both(function):
    """What is written alike for both."""
    return function, function


def power(exponent):
    return both(lambda x: x**exponent)


def base(number):
    return lambda x: ops.pow(number, x), lambda x: torch.pow(number, x)


ONE = {
    **{
        name: plain(name)
        for name in (
            *("abs", "neg", "sign", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square"),
            *("reciprocal", "sin", "cos", "erf", "tanh", "sigmoid", "relu"),
        )
    },
    "leaky_relu": activation("leaky_relu"),
    "leaky_relu, falling": activation("leaky_relu", negative_slope=-2.0),
    "elu": activation("elu"),
    "elu, falling": activation("elu", alpha=-3.0),
    "elu, flat": activation("elu", alpha=0.0),
    "selu": activation("selu"),
    "gelu": activation("gelu"),
    "gelu, tanh": activation("gelu", approximate="tanh"),
    "silu": activation("silu"),
    "mish": activation("mish"),
    "softplus": activation("softplus"),
    "softplus, steep": activation("softplus", beta=3.0, threshold=2.0),
    "softplus, turned": activation("softplus", beta=-1.0),
    "hardtanh": activation("hardtanh"),
    "relu6": activation("relu6"),
    "clamp": (lambda x: ops.clamp(x, -1.0, 0.5), lambda x: x.clamp(-1.0, 0.5)),
    "2 x": both(lambda x: x * 2.0),
    "x / 3": both(lambda x: x / 3.0),
    "inf x": both(lambda x: x * inf),
    **{f"x ** {p}": power(p) for p in (0, 1, 2, 3, 0.5, 1.5, -1, -2, -0.5, inf, nan)},
    **{f"{b} ** x": base(b) for b in (0.0, 0.5, 1.0, 2.0, -1.0, -2.0, inf, nan)},
}


def loss(name, **options):
    ours, theirs = getattr(ops, name), getattr(functional, name)
    options["reduction"] = "none"
    return lambda x, y: ours(x, y, **options), lambda x, y: theirs(x, y, **options)


TWO = {
    **{name: plain(name) for name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum")},
    "x + y / 4": (lambda x, y: ops.add(x, y, alpha=0.25), lambda x, y: x.add(y, alpha=0.25)),
    "where": (lambda x, y: ops.where(x > y, x, y), lambda x, y: torch.where(x > y, x, y)),
    "mse_loss": loss("mse_loss"),
    "l1_loss": loss("l1_loss"),
    "huber_loss": loss("huber_loss", delta=2.0),
    "smooth_l1_loss": loss("smooth_l1_loss", beta=0.5),
    "binary_cross_entropy_with_logits": loss("binary_cross_entropy_with_logits"),
    "kl_div": loss("kl_div"),
    "kl_div, logarithms": loss("kl_div", log_target=True),
}

NUMBERS_FOR_NAN = {"erf": {2}, "gelu": {0, 2}, "gelu, tanh": {2}, "mish": {2}}
"""Where torch's value (0) or second derivative (2) is NaN, and ours a number: the limit."""

AT_NAN = {"elu", "elu, falling", "elu, flat", "selu", "hardtanh", "relu6"}
"""Torch's derivatives there depend on the place in the tensor: see `test_slopes_at_nan`."""

BOUNDS = {"clamp": (-1.0, 0.5)}
"""Torch 2.13 has another slope at the bounds than later ones: see `ops.clamp`."""


def numbers(dtype):
    info = torch.finfo(dtype)
    sizes = [0.0, 1.0, 0.5, 2.0, 3.0, 6.0, 0.25, 1e-3, 19.0, 21.0, 5.5, 11.0, 17.0, 30.0, 88.0]
    sizes += [104.0, 300.0, 1e3, 4e4, info.tiny, info.tiny / 2, info.tiny * info.eps, info.eps]
    sizes += [info.max, info.max / 2, 1.1 * info.max**0.5, 1.1 * info.max ** (1 / 3), 710.0, inf]
    return torch.tensor([*sizes, *[-size for size in sizes], nan], dtype=torch.float64).to(dtype)


def few(dtype):
    """For all pairs of them."""
    info = torch.finfo(dtype)
    sizes = [0.0, 1.0, 0.5, 2.0, 3.0, 20.0, 1e3, info.tiny, info.tiny / 2, info.max, inf]
    found = torch.tensor([*sizes, *[-size for size in sizes], nan], dtype=torch.float64).to(dtype)
    return [found.repeat_interleave(len(found)), found.repeat(len(found))]


def ours_of(function, tensors):
    """The value, its slopes, and their slopes; walked and compiled."""
    graph = gn.Graph()
    nodes = [
        graph.input(tuple(each.shape), name=f"x{place}", dtype=each.dtype, requires_grad=True)
        for place, each in enumerate(tensors)
    ]
    y = function(*nodes)
    seed = graph.parameter(torch.ones_like(tensors[0]), requires_grad=False)
    slopes = graph.gradients(y, nodes, grad=seed)
    bends = [bend for slope in slopes for bend in graph.gradients(slope, nodes, grad=seed)]
    outputs = [y, *slopes, *bends]
    feed = dict(zip([node.name for node in nodes], tensors, strict=True))
    return graph.forward(feed, outputs=outputs), graph.compile(outputs, tune=False)(feed)


def theirs_of(function, tensors):
    leaves = [each.clone().requires_grad_() for each in tensors]
    seed = torch.ones_like(tensors[0])

    def slopes_of(y):
        if not y.requires_grad:
            return [torch.zeros_like(leaf) for leaf in leaves]
        found = torch.autograd.grad(y, leaves, seed, create_graph=True, allow_unused=True)
        pairs = zip(found, leaves, strict=True)
        return [torch.zeros_like(leaf) if each is None else each for each, leaf in pairs]

    with torch.enable_grad():
        y = function(*leaves)
        slopes = slopes_of(y)
        outputs = [y, *slopes, *(bend for slope in slopes for bend in slopes_of(slope))]
    return [each.detach() for each in outputs]


def far_apart(ours, theirs, dtype):
    """Where two differ by more than a few roundings; a difference of ones loses digits."""
    eps = torch.finfo(dtype).eps
    ours, theirs = ours.double(), theirs.double()
    limit = 32 * eps * theirs.abs() + 16 * eps
    same = ours.eq(theirs) | (ours.isnan() & theirs.isnan()) | ((ours - theirs).abs() <= limit)
    return ~same


def shown(tensors, place, *values):
    return [float(each[place]) for each in (*tensors, *values)]


def check(name, functions, tensors):
    dtype = tensors[0].dtype
    walked, compiled = ours_of(functions[0], tensors)
    theirs = theirs_of(functions[1], tensors)
    for output, (ours, fast, wanted) in enumerate(zip(walked, compiled, theirs, strict=True)):
        order = 0 if output == 0 else 1 if output <= len(tensors) else 2
        apart = far_apart(ours, wanted, dtype)
        if order in NUMBERS_FOR_NAN.get(name, ()):
            apart &= ~(wanted.isnan() & ~tensors[0].isnan() & ~ours.isnan())
        if order and name in AT_NAN:
            apart &= ~tensors[0].isnan()
        if order == 1:
            for bound in BOUNDS.get(name, ()):
                apart &= tensors[0].ne(bound)
        for which, wrong, right in (
            ("walked", apart, (ours, wanted)),
            ("compiled", far_apart(fast, ours, dtype), (fast, ours)),
        ):
            places = wrong.nonzero().flatten().tolist()
            found = [shown(tensors, place, *right) for place in places]
            assert not found, f"{name}, {which}, output {output}: {found[:5]}"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_functions_of_one_element(dtype):
    for name, functions in ONE.items():
        check(name, functions, [numbers(dtype)])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_functions_of_two_elements(dtype):
    for name, functions in TWO.items():
        if has_slope(functions[1], dtype):
            check(name, functions, few(dtype))


def has_slope(function, dtype):
    """False where this version of torch has no derivative in a dtype, such as 2.6 in float16."""
    x, y = (torch.full((2,), 0.5, dtype=dtype, requires_grad=True) for _ in range(2))
    try:
        with torch.enable_grad():
            function(x, y).sum().backward()
    except RuntimeError as error:
        assert "not implemented" in str(error)
        return False
    return True


SLOPES_AT_NAN = {
    "elu": nan,
    "elu, flat": nan,
    "selu": nan,
    "softplus": nan,
    "tanh": nan,
    "relu": 1.0,
    "leaky_relu": 0.01,
    "hardtanh": 0.0,
    "relu6": 0.0,
    "clamp": 0.0,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", SLOPES_AT_NAN)
def test_slopes_at_nan(name, dtype):
    """The same in every place: that of torch's main kernel, not of the one for the last few."""
    x = torch.full((67,), nan, dtype=dtype)
    walked, compiled = ours_of(ONE[name][0], [x])
    wanted = torch.full_like(x, SLOPES_AT_NAN[name])
    for found in (walked[1], compiled[1]):
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0, equal_nan=True)
    theirs = theirs_of(ONE[name][1], [x])[1]
    torch.testing.assert_close(walked[1][:64], theirs[:64], rtol=1e-6, atol=0, equal_nan=True)
