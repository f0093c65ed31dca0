"""Arithmetic with all its arguments beside torch, operators from both sides, and wrong calls."""

from __future__ import annotations

import operator
from functools import partial

import pytest
import torch
from ops.test_elementwise import compare, numbers, ours_of

import graphnet as gn
from graphnet import ops

F64 = torch.float64
COMPARISONS = ["eq", "ne", "gt", "ge", "lt", "le"]
INTEGERS = (torch.tensor([7, -7, 6, 0]), torch.tensor([2, 2, -4, 5]))


def add_with(alpha):
    return lambda x, y: ops.add(x, y, alpha=alpha), lambda x, y: torch.add(x, y, alpha=alpha)


def sub_with(alpha):
    return lambda x, y: ops.sub(x, y, alpha=alpha), lambda x, y: torch.sub(x, y, alpha=alpha)


def div_with(mode):
    return (
        lambda x, y: ops.div(x, y, rounding_mode=mode),
        lambda x, y: torch.div(x, y, rounding_mode=mode),
    )


def check_integers(ours, theirs, *arguments):
    """The same integers, of the same dtype, from nodes and from tensors."""
    expected = theirs(*arguments)
    for top in (ours_of(ours, arguments)[0], ours(*arguments)):
        torch.testing.assert_close(top, expected, rtol=0, atol=0)


ALPHAS = [make(alpha) for make in (add_with, sub_with) for alpha in (1, 2, 0, -1.5)]


@pytest.mark.parametrize(("ours", "theirs"), [*ALPHAS, div_with(None)])
def test_arguments_by_name(ours, theirs):
    compare(ours, theirs, numbers(3, 4), numbers(4, seed=1))
    compare(ours, theirs, numbers(4, 6).t()[::2], numbers(4, 6, seed=1).t()[:1])
    compare(ours, theirs, numbers(), numbers(2, seed=1))
    compare(ours, theirs, numbers(0, 4), numbers(4, seed=1))
    compare(lambda x: ours(x, 2.5), lambda x: theirs(x, 2.5), numbers(3))
    compare(lambda x: ours(2.5, x), lambda x: theirs(2.5, x), numbers(3))


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_no_gradient_flows_through_a_rounded_quotient(mode):
    ours, theirs = div_with(mode)
    for shape in ((3, 4), (4,), (), (0, 4)):
        pair = numbers(*shape), numbers(1, seed=1)
        compare(lambda x, y: ours(x, y) + x * y, lambda x, y: theirs(x, y) + x * y, *pair)
    compare(lambda x: ours(9.5, x) * x, lambda x: theirs(9.5, x) * x, numbers(5))


@pytest.mark.parametrize(
    ("ours", "theirs"), [add_with(2), sub_with(-3), div_with("floor"), div_with("trunc")]
)
def test_integers_stay_integers(ours, theirs):
    check_integers(ours, theirs, *INTEGERS)
    check_integers(lambda x: ours(x, 2), lambda x: theirs(x, 2), INTEGERS[0])
    check_integers(lambda x: ours(9, x), lambda x: theirs(9, x), INTEGERS[1])


@pytest.mark.parametrize("function", [ops.add, ops.sub])
def test_alpha_is_a_number_and_an_integer_for_integers(function):
    with pytest.raises(gn.DtypeError, match="integer operands; got 0"):
        function(*INTEGERS, alpha=0.5)
    with pytest.raises(gn.DtypeError, match="integer operands; got 2"):
        function(INTEGERS[0], 3, alpha=2.0)
    for alpha in ("a", None, [1], 1j, True, numbers(1)):
        with pytest.raises(gn.GraphError, match="alpha must be a number"):
            function(numbers(3), numbers(3), alpha=alpha)
    with pytest.raises(TypeError):
        function(numbers(3), numbers(3), 2)


@pytest.mark.parametrize("mode", ["ceil", "", 1, ["floor"]], ids=repr)
def test_a_rounding_mode_that_does_not_exist(mode):
    with pytest.raises(gn.RangeError, match="'floor' or 'trunc'"):
        ops.div(numbers(3), 2, rounding_mode=mode)


NAMES = ["add", "sub", "mul", "truediv", "floordiv", "pow", "gt", "ge", "lt", "le"]


@pytest.mark.parametrize("name", NAMES)
def test_operators_with_a_number_on_either_side(name):
    function = getattr(operator, name)
    x = torch.tensor([0.5, 1.0, 2.0, 3.5], dtype=F64)
    for number in (2, 0.5):
        for turned in (lambda x, n=number: function(x, n), lambda x, n=number: function(n, x)):
            top = ours_of(turned, [x])[0]
            torch.testing.assert_close(top, turned(x), rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", ["and_", "or_"])
def test_operators_on_bits_with_a_number_on_either_side(name):
    function = getattr(operator, name)
    for x in (INTEGERS[0], torch.tensor([True, False])):
        check_integers(lambda x: function(x, 3), lambda x: function(x, 3), x)
        check_integers(lambda x: function(3, x), lambda x: function(3, x), x)


@pytest.mark.parametrize("name", [*NAMES, "and_", "or_", "matmul", "eq", "ne"])
def test_a_tensor_beside_a_node_is_a_constant(name):
    function, kind = getattr(operator, name), torch.bool if name in ("and_", "or_") else F64
    constant, value = (
        torch.tensor([1.0, 0.0, 2.0]).to(kind),
        torch.tensor([0.5, 2.0, 0.0]).to(kind),
    )
    for turned in (partial(function, constant), lambda x: function(x, constant)):
        graph = gn.Graph()
        x = graph.input((3,), name="x", dtype=kind)
        # == and != of nodes tell whether they are the same
        output = getattr(x, name)(constant) if name in ("eq", "ne") else turned(x)
        top = graph.forward(x=value, outputs=output)
        torch.testing.assert_close(top, turned(value), rtol=1e-15, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", [*NAMES, "matmul", "eq", "ne"])
def test_a_learned_tensor_beside_a_node_is_refused_with_the_way_out(name):
    x = gn.Graph().input((3,), name="x")
    with pytest.raises(gn.GraphError, match=r"Add a tensor to the list by graph\.input"):
        getattr(operator, name)(torch.ones(3, requires_grad=True), x)


@pytest.mark.parametrize("other", ["a", [1], None, 1j], ids=repr)
@pytest.mark.parametrize("name", [*NAMES, "and_", "or_"])
def test_something_else_beside_a_node(name, other):
    x = gn.Graph().input((3,), name="x")
    for pair in ((x, other), (other, x)):
        with pytest.raises(gn.GraphError):
            getattr(operator, name)(*pair)


UNARY = [
    "abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sin",
    "cos", "erf", "tanh", "sigmoid", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish",
    "softplus", "hardtanh", "relu6", "logical_not", "bitwise_not",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_what_is_no_tensor(name):
    for value in ("a", None, [1.0], 2.0):
        with pytest.raises(gn.GraphError, match="tensor"):
            getattr(ops, name)(value)


@pytest.mark.parametrize("name", [*COMPARISONS, "logical_and", "logical_or"])
def test_a_number_in_the_place_of_the_first_tensor(name):
    x = gn.Graph().input((3,), name="x")
    for other in (x, numbers(3)):
        with pytest.raises(gn.GraphError, match="takes a tensor or a node here; got int"):
            getattr(ops, name)(2, other)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "eq", "logical_or"])
def test_sizes_that_do_not_fit(name):
    graph = gn.Graph()
    x, y = graph.input((2, 3), name="x"), graph.input((2,), name="y")
    with pytest.raises(gn.ShapeError, match="way out: Sizes must be equal, or one of them 1"):
        getattr(ops, name)(x, y)


def test_arguments_have_the_names_of_torch():
    x, y = numbers(3), numbers(3, seed=1)
    for name in [
        "add",
        "sub",
        "mul",
        "div",
        "maximum",
        "minimum",
        "eq",
        "ne",
        "gt",
        "ge",
        "lt",
        "le",
    ]:
        ours = getattr(ops, name)(input=x, other=y)
        assert ours.equal(getattr(torch, name)(input=x, other=y))
    assert ops.where(condition=x > 0, input=x, other=y).equal(torch.where(x > 0, x, y))
    assert ops.pow(input=x, exponent=2).equal(x * x)


@pytest.mark.parametrize("exponent", [1, 1.0, 0])
def test_the_second_derivative_of_a_power_at_infinity(exponent):
    graph = gn.Graph()
    x = graph.input((2,), name="x", dtype=F64, requires_grad=True)
    first = graph.gradients((x**exponent * x).sum(), [x])[0]
    leaf = torch.tensor([torch.inf, 2.0], dtype=F64, requires_grad=True)
    top = (leaf**exponent * leaf).sum()
    expected = torch.autograd.grad(top, leaf, create_graph=True)[0]
    got = graph.forward({x: leaf.detach()}, outputs=first)
    torch.testing.assert_close(got, expected.detach(), rtol=1e-12, atol=0, equal_nan=True)
