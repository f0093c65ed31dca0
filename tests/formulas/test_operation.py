"""Formulas are evaluated: their claims are what the walks and central differences compute."""

from __future__ import annotations

import re

import pytest
import torch
from ops.table import CASES as ROWS

import graphnet as gn
from graphnet import ops
from graphnet.formulas.operation import Formulas
from graphnet.graph import Operation

F64 = torch.float64
SIGNS = str.maketrans({"·": "@", "⊙": "*", "−": "-", "≤": "<=", "≥": ">=", "∧": "&"})
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "01234567890123456789-")


class Value:
    """A tensor with the signs of the formulas, where `·` is also a product with a number."""

    def __init__(self, tensor):
        self.tensor = tensor

    @property
    def mT(self):
        return Value(self.tensor.mT)

    def __matmul__(self, other):
        return Value(self.tensor @ other.tensor)

    def __rmatmul__(self, number):
        return Value(number * self.tensor)

    def __abs__(self):
        return Value(self.tensor.abs())

    def __neg__(self):
        return Value(-self.tensor)


def _binary(name):
    def method(self, other):
        other = other.tensor if isinstance(other, Value) else other
        return Value(getattr(self.tensor, name)(other))

    return method


for each in ("add", "radd", "sub", "rsub", "mul", "truediv", "rtruediv", "pow", "lt", "le", "gt"):
    setattr(Value, f"__{each}__", _binary(f"__{each}__"))


class Functions(dict):
    """The functions of formulas: the package's operations by name, with their options."""

    def __missing__(self, name):
        kinds = {type(case.op).name: type(case.op) for case in ROWS}
        kind = kinds["sigmoid" if name == "σ" else name]

        def called(*arguments, **options):
            values = [each.tensor if isinstance(each, Value) else each for each in arguments]
            return Value(kind(**options)(*values))

        return called


def chosen(condition, *values):
    values = [each.tensor if isinstance(each, Value) else torch.tensor(each) for each in values]
    return Value(torch.where(condition.tensor, *(value.to(F64) for value in values)))


def reduced(kind):
    def called(dims, value):
        dims = tuple(int(dim) for dim in dims.split(",")) if dims else None
        return Value(getattr(value.tensor, kind)(dims, keepdim=dims is not None))

    return called


def evaluate(formula, values):
    """The right side of a formula; the keys of `values` are the names in it."""
    right = formula.partition(" = ")[2].rpartition("   ")[0]
    scope = Functions(Σ=reduced("sum"), mean=reduced("mean"))
    scope["size"] = lambda value, dim: value.tensor.shape[dim]
    scope["abs"], scope["max"], scope["where"] = abs, max, chosen
    names = sorted(values, key=len, reverse=True)
    for place, name in enumerate(names):
        right = re.sub(
            rf"(?<![A-Za-z0-9_.]){re.escape(name)}(?![A-Za-z0-9_.₀-₉(])", f"value_{place}_", right
        )
        scope[f"value_{place}_"] = Value(values[name])
    right = re.sub(r"(Σ|mean)([₀-₉,]*)\(", lambda m: f"{m[1]}('{m[2].translate(DIGITS)}', ", right)
    right = re.sub(r"[⁰-⁹¹²³⁻]+", lambda m: f"**{m[0].translate(DIGITS)}", right)
    right = re.sub(r"\|([^|]+)\|", r"abs(\1)", right)
    right = right.replace("ᵀ", ".mT").replace("√", "sqrt").translate(SIGNS)
    return eval(right, {}, scope)  # the formulas of this package


def rand(*shape, seed=0):
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def weight(graph, name, *shape):
    return graph.parameter(rand(*shape, seed=len(graph)), name=name)


def mse(graph, x):
    h = ops.linear(x, weight(graph, "0.weight", 4, 3), weight(graph, "0.bias", 4)).tanh()
    y = ops.linear(h, weight(graph, "2.weight", 2, 4), weight(graph, "2.bias", 2))
    return ops.mse_loss(y, weight(graph, "t", 5, 2))


def shared(graph, x):
    w = weight(graph, "w", 3, 3)
    return ((x @ w).sigmoid() @ w).square().sum()


def diamond(graph, x):
    h = x * weight(graph, "w", 3)
    return (h.tanh() - h.exp() / 2).mean()


def softmax(graph, x):
    logits = ops.linear(x, weight(graph, "w", 4, 3))
    return (logits.softmax(1) * logits.log_softmax(1)).sum(1).mean()


def twice(graph, x):
    w = weight(graph, "w", 3, 3)
    return (w @ w.T + x.T @ x).sum() + (w * w).mean(0).sum()


def arithmetic(graph, x):
    w = weight(graph, "w", 5, 1)
    return (((-x) ** 3 - 1.5) / (w * w + 2) * 3 - (2 - x).add(w, alpha=0.5)).mean()


def kinks(graph, x):
    w = weight(graph, "w", 3)
    return (x.relu() * w + ops.leaky_relu(x - w)).sum() + ops.where(x > w, x, w * 2).mean()


def cube(graph, x):
    h = ops.linear(x.reshape(5, 1, 3), weight(graph, "w", 2, 3), weight(graph, "b", 2))
    return ops.huber_loss(h, weight(graph, "t", 5, 1, 2))


def vectors(graph, x):
    v = weight(graph, "v", 3)
    return ((x @ v).exp().log1p() @ weight(graph, "u", 5)) * (v * v).sum().sqrt()


OPEN = [shared, diamond, softmax, twice, kinks]  # with any number of rows
CASES = [(net, None) for net in OPEN]
CASES += [(net, 5) for net in (*OPEN, mse, arithmetic, cube, vectors)]
every_net = pytest.mark.parametrize(("net", "rows"), CASES)


def walked(net, rows):
    """A list after both walks, its loss, and the values of its names in formulas."""
    graph = gn.Graph()
    x = graph.input((rows, 3), name="x", dtype=F64, requires_grad=True)
    loss = net(graph, x)
    graph.forward(x=rand(5, 3, seed=9))
    graph.backward(loss)
    formulas = Formulas(graph, loss)
    values = {}
    for node in graph:
        letter = formulas.letters[node]
        values[letter.written()] = node.top
        if node.grad is not None:
            values[letter.gradient()] = node.grad
    return graph, loss, formulas, values


def fitted(value, expected):
    """The value of a formula, in the shape that its line shows."""
    tensor = value.tensor if isinstance(value, Value) else torch.tensor(float(value), dtype=F64)
    if tensor.numel() == expected.numel():
        return tensor.reshape(expected.shape)
    return tensor.expand(expected.shape)


def assert_close(tensor, expected):
    torch.testing.assert_close(tensor, expected, rtol=1e-10, atol=1e-12)


@every_net
def test_the_forward_formulas_compute_every_value(net, rows):
    graph, _, formulas, values = walked(net, rows)
    for node in graph:
        if isinstance(node, Operation):
            formula = formulas.forward(node)
            known = {name: value for name, value in values.items() if value is not node.top}
            assert_close(fitted(evaluate(formula, known), node.top), node.top)


@every_net
def test_the_backward_formulas_compute_every_gradient(net, rows):
    graph, _, formulas, values = walked(net, rows)
    totals = {}
    for node in reversed(graph):
        for line in formulas.backward(node):
            left = line.partition(" = ")[0]
            name = left.partition("⁽")[0]
            if "⁽" in line and name == left:
                continue  # it adds up what is added up here too
            part = fitted(evaluate(line, values), values[name])
            totals[name] = totals.get(name, 0) + part
    assert set(totals) == {name for name in values if name.startswith("dL/d")}
    for name, total in totals.items():
        assert_close(total, values[name])


@pytest.mark.parametrize("net", [mse, shared, diamond, twice])
def test_the_gradients_in_the_formulas_are_central_differences(net):
    graph, loss, formulas, values = walked(net, 5)
    x = rand(5, 3, seed=9)
    for parameter in graph.parameters():
        expected = values[formulas.letters[parameter].gradient()]
        direction = rand(*parameter.shape, seed=3)
        start = parameter.top.clone()
        sides = []
        for sign in (1, -1):
            parameter.top.copy_(start + sign * 1e-6 * direction)
            sides.append(graph.forward(x=x, outputs=loss))
        parameter.top.copy_(start)
        slope = (sides[0] - sides[1]) / 2e-6
        torch.testing.assert_close(slope, (expected * direction).sum(), rtol=1e-6, atol=1e-8)


@every_net
def test_latex_has_a_formula_wherever_unicode_has_one_and_its_braces_match(net, rows):
    graph, loss, plain, _ = walked(net, rows)
    formulas = Formulas(graph, loss, latex=True)
    for node in graph:
        lines = formulas.backward(node)
        assert len(lines) == len(plain.backward(node))
        for line in (formulas.forward(node), *lines):
            assert line.count("{") == line.count("}")
            assert line.count(r"\left") == line.count(r"\right")
            assert line.isascii()


def test_only_what_the_backward_walk_computes_is_written():
    graph = gn.Graph()
    x, t = graph.input((2, 3), name="x", requires_grad=True), graph.input((2, 3), name="t")
    error, loss = graph[ops.mse_loss(x, t).index - 1], graph[-1]
    assert [line.partition(" = ")[0] for line in Formulas(graph).backward(error)] == ["dL/dx"]
    assert Formulas(graph).backward(loss) == [
        "dL/dL = 1   ()",
        "dL/dsquared_error = dL/dL / 2 / 3   (2×3)",
    ]
    assert Formulas(graph).backward(t) == []


NAMES = [  # names of parameters -> what stands for them
    (["0.weight", "0.bias"], ["W₀", "b₀"]),
    (["0.weight", "W₀"], ["0.weight", "W₀"]),
    (["1.add_1", "1.add"], ["add_1₁", "add₁"]),
    (["encoder.0.weight", "w"], ["encoder.0.weight", "w"]),
    (["a b", "<script>"], ["'a b'", "'<script>'"]),
    (["a\nb", "L"], ["'a\\nb'", "L"]),
]


@pytest.mark.parametrize(("names", "written"), NAMES)
def test_a_short_name_is_taken_where_no_other_node_has_it(names, written):
    graph = gn.Graph()
    for name in names:
        graph.parameter(rand(2), name=name)
    formulas = Formulas(graph)
    assert [formulas.letters[node].written() for node in graph] == written
    for node in graph:
        latex = formulas.letters[node].written(latex=True)
        assert not re.search(r"[<>\n$]", latex)


def test_a_sum_over_many_uses_is_written_short():
    graph = gn.Graph()
    x = graph.input((2,), name="x", requires_grad=True)
    y = x
    for _ in range(8):
        y = y + x
    assert Formulas(graph).backward(x) == ["dL/dx = dL/dx⁽¹⁾ + dL/dx⁽²⁾ + … + dL/dx⁽⁹⁾   (2)"]


def test_a_loss_is_called_l_unless_another_node_is():
    graph = gn.Graph()
    x = graph.input((2,), name="L", requires_grad=True)
    loss = x.sum()
    assert Formulas(graph).letters[loss].written() == "sum"
    assert Formulas(graph).forward(loss) == "sum = Σ(L)   ()"


def test_the_formula_is_that_of_the_branch_that_is_taken():
    graph = gn.Graph()
    gn.BatchNorm1d(3)(graph.input((None, 3), name="x")).sum()
    choose = graph["choose_1"]  # the variance, which is read once
    for training, forward, backward in [
        (
            True,
            "choose_1 = remember_1   (1×3)",
            [
                "dL/dremember_1 = dL/dchoose_1",
                "dL/dcolumn_1 = sum_as(zeros_like(dL/dchoose_1), column_1)",
            ],
        ),
        (
            False,
            "choose_1 = column_1   (3)",
            [
                "dL/dremember_1 = zeros_like(dL/dchoose_1)",
                "dL/dcolumn_1 = sum_as(dL/dchoose_1, column_1)",
            ],
        ),
    ]:
        graph.train(training)
        assert Formulas(graph).forward(choose) == forward
        lines = [line.partition("   ")[0] for line in Formulas(graph).backward(choose)]
        assert lines == backward


def test_a_sum_to_the_shape_that_is_there_already_is_left_out():
    graph = gn.Graph()
    x, t = (graph.input((None, 2), name=name, requires_grad=True) for name in "xt")
    error = x - t
    error.sum()
    assert Formulas(graph).backward(error)[0] == "dL/dx = sum_as(dL/dsub, x)   (?×2)"
    graph.forward(x=torch.ones(3, 2), t=torch.ones(1, 2))
    assert [line.partition("   ")[0] for line in Formulas(graph).backward(error)] == [
        "dL/dx = dL/dsub",
        "dL/dt = sum_as(−dL/dsub, t)",
    ]
