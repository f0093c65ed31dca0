"""Terms as they are written: brackets only where they are needed, shapes that meet."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.formulas.operation import Formulas
from graphnet.formulas.symbols import Sheet, Term, Writer, shape_signs
from graphnet.op import Op

TERMS = {  # x (?, 3), y (?, 3), w (3, 4), s () -> text, shapes
    "sums": (lambda x, y, w, s: x + y - x, "x + y − x", "?×3 + ?×3 − ?×3"),
    "a sum on the right": (lambda x, y, w, s: x - (y - x), "x − (y − x)", "?×3 − ?×3"),
    "a sum in a product": (lambda x, y, w, s: (x + y) * x, "(x + y) ⊙ x", "?×3 ⊙ ?×3"),
    "a product in a sum": (lambda x, y, w, s: x + y * x, "x + y ⊙ x", "?×3 + ?×3 ⊙ ?×3"),
    "a product of matrices": (lambda x, y, w, s: x @ w, "x · w", "?×3 · 3×4"),
    "a transpose": (lambda x, y, w, s: x.mT @ y, "xᵀ · y", "3×? · ?×3"),
    "the transpose of a sum": (lambda x, y, w, s: (x + y).T, "(x + y)ᵀ", "3×?"),
    "other dimensions": (
        lambda x, y, w, s: x.unsqueeze(0).transpose(0, 1),
        "transpose(unsqueeze(x, dim=0), dim0=0, dim1=1)",
        "?×1×3",
    ),
    "a number": (lambda x, y, w, s: x * 2, "2·x", "?×3"),
    "a number and a sum": (lambda x, y, w, s: 2.0 * (x + 1), "2·(x + 1)", "?×3"),
    "a negative number": (lambda x, y, w, s: x + -2.5, "x + (-2.5)", "?×3"),
    "a minus": (lambda x, y, w, s: -x - -y, "−x − (−y)", "?×3 − ?×3"),
    "a minus before a sum": (lambda x, y, w, s: -(x + y), "−(x + y)", "?×3"),
    "a square": (lambda x, y, w, s: (x - y) * 3 + x * x, "3·(x − y) + x²", "?×3 + ?×3"),
    "the square of a sum": (lambda x, y, w, s: (x - y).square(), "(x − y)²", "?×3"),
    "powers": (lambda x, y, w, s: x**3 + x**-1, "x³ + x⁻¹", "?×3 + ?×3"),
    "a root": (lambda x, y, w, s: x**0.5, "pow_scalar(x, exponent=0.5)", "?×3"),
    "a power of a power": (lambda x, y, w, s: (x**3) ** 2, "(x³)²", "?×3"),
    "fractions": (lambda x, y, w, s: x / (y / 2) / y, "x / (y / 2) / y", "?×3"),
    "all dimensions": (lambda x, y, w, s: (x + y).sum(), "Σ(x + y)", "()"),
    "one dimension": (lambda x, y, w, s: w.sum(1) + w.mean(1), "Σ₁(w) + mean₁(w)", "3 + 3"),
    "a kept dimension": (lambda x, y, w, s: w.sum((0, 1), True), "Σ₀,₁(w)", "1×1"),
    "a function": (lambda x, y, w, s: x.sigmoid() * x.exp(), "σ(x) ⊙ exp(x)", "?×3 ⊙ ?×3"),
    "options": (lambda x, y, w, s: ops.softmax(x, 1), "softmax(x, dim=1)", "?×3"),
    "a choice": (lambda x, y, w, s: ops.where(x > 0, x, y), "where(x > 0, x, y)", "?×3"),
    "a filling": (lambda x, y, w, s: x.masked_fill(x <= y, 0.0), "where(x ≤ y, 0, x)", "?×3"),
    "conditions": (lambda x, y, w, s: (x > 0) & (y < 1), "x > 0 ∧ y < 1", "?×3 ∧ ?×3"),
    "a lower bound": (lambda x, y, w, s: x.clamp(min=0), "max(x, 0)", "?×3"),
    "two bounds": (lambda x, y, w, s: x.clamp(0, 1), "clamp(x, min=0, max=1)", "?×3"),
    "a size": (lambda x, y, w, s: ops.size(x, 0), "size(x, 0)", "()"),
    "a size of 1 or more": (lambda x, y, w, s: ops.size(x, 0).clamp(1), "size(x, 0)", "()"),
    "a size within bounds": (
        lambda x, y, w, s: ops.size(x, 0).clamp(1, 5),
        "clamp(size(x, 0), min=1, max=5)",
        "()",
    ),
    "an absolute value": (lambda x, y, w, s: (x - y).abs(), "|x − y|", "?×3"),
    "a repeated term": (lambda x, y, w, s: s.expand_as(x) + x, "s + x", "() + ?×3"),
    "a repeated whole": (lambda x, y, w, s: (s / 2).expand_as(w), "s / 2", "3×4"),
    "repeats that are summed": (
        lambda x, y, w, s: s.expand_as(w).sum(),
        "Σ(expand_as(s, w))",
        "()",
    ),
    "repeats beside a number": (
        lambda x, y, w, s: (s.expand_as(w) / 2).sum(),
        "Σ(expand_as(s, w) / 2)",
        "()",
    ),
    "repeats on both sides": (
        lambda x, y, w, s: s.expand_as(w) - s.expand_as(w),
        "expand_as(s, w) − expand_as(s, w)",
        "3×4 − 3×4",
    ),
    "repeats in a product of matrices": (
        lambda x, y, w, s: s.expand_as(w).mT @ w,
        "expand_as(s, w)ᵀ · w",
        "4×3 · 3×4",
    ),
    "an endless power": (
        lambda x, y, w, s: x ** float("inf"),
        "pow_scalar(x, exponent=inf)",
        "?×3",
    ),
    "a factor in a sum": (lambda x, y, w, s: x.add(y, alpha=2), "add(x, y, alpha=2)", "?×3"),
}


def symbols():
    graph = gn.Graph()
    shapes = {"x": (None, 3), "y": (None, 3), "w": (3, 4), "s": ()}
    nodes = [graph.input(shape, name=name) for name, shape in shapes.items()]
    return nodes, {node: Term(node.name, shape_signs(node.shape)) for node in nodes}


@pytest.mark.parametrize("case", TERMS)
def test_a_term_is_written_with_the_brackets_it_needs(case):
    function, text, shape = TERMS[case]
    nodes, leaves = symbols()
    term = Writer(leaves).whole(function(*nodes))
    assert (term.text, term.shape) == (text, shape)


LATEX = {
    "a product": (lambda x, y, w, s: (x + y) @ w, r"\left(x + y\right) \cdot w"),
    "a transpose": (lambda x, y, w, s: w.mT, r"{w}^\top"),
    "a number": (lambda x, y, w, s: -2 * x, r"\left(-2\right) \cdot x"),
    "a sum": (lambda x, y, w, s: w.sum(1), r"\sum_{1}\left(w\right)"),
    "a power": (lambda x, y, w, s: (-x) ** 3, r"{\left(-x\right)}^{3}"),
    "a choice": (
        lambda x, y, w, s: x.masked_fill(x <= y, 0.0),
        r"\begin{cases} 0 & x \le y \\ x & \text{else} \end{cases}",
    ),
    "a function": (
        lambda x, y, w, s: x.log_softmax(1),
        r"\operatorname{log\_softmax}\left(x, dim=1\right)",
    ),
}


@pytest.mark.parametrize("case", LATEX)
def test_a_term_is_written_in_latex(case):
    function, text = LATEX[case]
    nodes, leaves = symbols()
    assert Writer(leaves, latex=True).whole(function(*nodes)).text == text


def test_a_sheet_leaves_the_graph_as_it_is_and_takes_over_what_is_known_of_shapes():
    graph = gn.Graph()
    x = graph.input((None, 4), name="x")
    node = x.reshape(-1, 2) * x.reshape(-1, 2)
    before = str(graph)
    sheet = Sheet(node)
    assert str(graph) == before
    assert set(sheet.tops.values()) == {*node.inputs, node}
    assert sheet.operation.spec == node.spec == sheet.grad.spec


def test_a_rule_that_fails_or_says_too_much_gives_nothing():
    graph = gn.Graph()
    x = graph.input((3,), name="x", dtype=torch.float64)
    sheet = Sheet(x.tanh())
    (symbol,) = sheet.operation.args

    def long(x, times):
        for _ in range(times):
            x = x + x
        return x

    assert sheet.run(float, symbol) is None
    assert sheet.run(lambda _: None, symbol) is None
    assert sheet.run(long, symbol, 3) is not None
    assert sheet.run(long, symbol, 40) is None


class Odd(Op):
    """A rule that needs numbers."""

    symbol = "odd"

    def forward(self, x, y):
        return x * float(y.sum())

    def trial(self, x, y):
        return x * y

    def grad_x(self, grad, y):
        return grad * float(y.sum())

    def grad_y(self, grad, x, top):
        return grad * x


class Add(Op):
    """Another operation with the name of a known one."""

    symbol = "+"

    def forward(self, x):
        return x.exp()

    def grad_x(self, grad, top):
        return Add()(grad) * top


class Larger(Op):
    """An operation of a user that is written between its inputs."""

    symbol = "max"
    infix = "⊔"
    broadcasts = True

    def forward(self, x, y):
        return x.maximum(y)

    grad_x = grad_y = None


@pytest.mark.parametrize(
    ("latex", "text"), [(False, "(x ⊔ y) · x"), (True, r"\left(x ? y\right) ")]
)
def test_an_operation_of_a_user_may_have_a_sign(latex, text):
    graph = gn.Graph()
    x, y = (graph.input((3, 3), name=name) for name in "xy")
    node = Larger()(x, y) @ x
    names = {x: Term("x", "3×3"), y: Term("y", "3×3")}
    assert Writer(names, latex).whole(node).text.startswith(text)


def test_a_rule_that_cannot_run_on_symbols_is_written_as_a_call():
    graph = gn.Graph()
    x, y = (graph.input((3,), name=name, requires_grad=True) for name in "xy")
    node = Odd()(x, y)
    assert Formulas(graph).forward(node) == "odd = odd(x, y)   (3)"
    assert Formulas(graph).backward(node) == [
        "dL/dx = odd.grad_x(dL/dodd, y)   (3)",
        "dL/dy = dL/dodd ⊙ x   (3 ⊙ 3)",
    ]
    assert Formulas(graph, latex=True).forward(node) == (
        r"\mathrm{odd} = \operatorname{odd}\left(x, y\right) \quad (3)"
    )


def test_an_operation_is_not_mistaken_for_one_of_the_same_name():
    graph = gn.Graph()
    node = Add()(graph.input((3,), name="x", requires_grad=True))
    assert Formulas(graph).forward(node) == "add = exp(x)   (3)"
    assert Formulas(graph).backward(node) == ["dL/dx = add(dL/dadd) ⊙ add   (3 ⊙ 3)"]


def test_a_random_operation_is_not_run_for_its_formula():
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    kept = gn.Dropout(0.5)(x)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert all(Formulas(graph).forward(node) for node in graph)
    assert torch.equal(torch.get_rng_state(), before)
    assert kept in graph
