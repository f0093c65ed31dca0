"""`check_op` lets right operations pass, and says of wrong ones what is wrong, in words."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.ops import arithmetic, comparison, powers, products, reductions

RIGHT = [
    (arithmetic.Add(), [(3, 4), (4,)], {"reference": torch.add}),
    (arithmetic.Div(), [(3, 4), (3, 4)], {"low": 0.5}),
    (arithmetic.Sub(), [1.0, (3, 4)], {}),
    (arithmetic.Neg, [(3, 4)], {}),
    (ops.maximum, [(3, 4), (3, 4)], {"reference": torch.maximum}),
    (products.Matmul(), [(3, 4), (4, 2)], {"reference": torch.matmul}),
    (products.Matmul(), [(3, 3), (3, 3)], {}),
    (reductions.Sum((1,)), [(3, 4)], {"reference": lambda x: x.sum(1)}),
    (reductions.Mean((0,), True), [(3, 4)], {}),
    (powers.PowScalar(3), [(3, 4)], {"low": 0.5}),
    (comparison.Gt(), [(3, 4), (3, 4)], {"reference": torch.gt}),
    (ops.sigmoid, [(3, 4)], {"reference": torch.sigmoid}),
    (ops.relu, [(3, 4)], {"reference": torch.relu}),
    (lambda x, w, b: ops.linear(x, w, b).tanh(), [(3, 4), (2, 4), (2,)], {"skip": "other"}),
    (lambda x: (x, x * 2), [(3, 4)], {}),
    (lambda x: x.exp(), [()], {}),
]


@pytest.mark.parametrize("place", range(len(RIGHT)))
def test_right_operations_pass(place):
    op, shapes, options = RIGHT[place]
    report = gn.check_op(op, *shapes, **options)
    assert report, str(report)
    assert not report.faults
    assert str(report).endswith(": all checks pass.")


# operations with one fault each


def op_of(forward, **members):
    return type(
        "Mine", (gn.Op,), {"__annotations__": {}, "symbol": "?", "forward": forward, **members}
    )()


def tanh(self, x):
    return x.tanh()


def square(self, x):
    return x * x


def product(self, x, y):
    return x * y


def matmul(self, x, y):
    return x.matmul(y)


SQUARE = [(3, 4)]
TWO = [(3, 4), (3, 4)]
MATRICES = [(3, 3), (3, 3)]

# What each fault is, the check that must find it, and what it must say.
WRONG = {
    "sign": (
        tanh,
        {"grad_x": lambda self, grad, top: -grad * (1 - top * top)},
        SQUARE,
        "sign is wrong",
    ),
    "input for output": (
        tanh,
        {"grad_x": lambda self, grad, x: grad * (1 - x * x)},
        SQUARE,
        "uses the input x where the output is right",
    ),
    "square forgotten": (
        tanh,
        {"grad_x": lambda self, grad, top: grad * (1 - top)},
        SQUARE,
        "A square is missing: top²",
    ),
    "no grad": (tanh, {"grad_x": lambda self, grad, top: 1 - top * top}, SQUARE, "chain rule"),
    "grad twice": (
        tanh,
        {"grad_x": lambda self, grad, top: grad * grad * (1 - top * top)},
        SQUARE,
        "`grad` is a factor twice",
    ),
    "size of grad": (
        tanh,
        {"grad_x": lambda self, grad, top: grad.abs() * (1 - top * top)},
        SQUARE,
        "must be proportional to `grad`",
    ),
    "root of grad": (
        tanh,
        {"grad_x": lambda self, grad, top: grad.sqrt() * grad.sqrt() * (1 - top * top)},
        SQUARE,
        "must be proportional to `grad`",  # NaN for a negative one
    ),
    "dimension kept": (
        lambda self, x: x + x.sum(),
        {"grad_x": lambda self, grad: (grad + grad.sum()).unsqueeze(0)},
        SQUARE,
        "but not their shape",
    ),
    "factor missing": (
        square,
        {"grad_x": lambda self, grad, x: grad * x},
        SQUARE,
        "factor 2 is missing",
    ),
    "factor extra": (
        square,
        {"grad_x": lambda self, grad, x: grad * 4 * x},
        SQUARE,
        "There is an extra factor 2",
    ),
    "mean": (
        lambda self, x: x.mean(),
        {"grad_x": lambda self, grad, x_like: x_like * 0 + grad},
        [(3, 5)],
        "division by 15 (the number of elements) is missing",
    ),
    "mean twice": (
        lambda self, x: x.sum(),
        {"grad_x": lambda self, grad, x_like: (x_like * 0 + grad) / 15},
        [(3, 5)],
        "extra division by 15 (the number of elements)",
    ),
    "transposed": (
        matmul,
        {
            "grad_x": lambda self, grad, y: y.matmul(grad.mT),
            "grad_y": lambda self, grad, x: x.mT.matmul(grad),
        },
        MATRICES,
        "The result is transposed",
    ),
    "transpose of an input": (
        matmul,
        {
            "grad_x": lambda self, grad, y: grad.matmul(y),
            "grad_y": lambda self, grad, x: x.mT.matmul(grad),
        },
        MATRICES,
        "y must be transposed: write y.mT",
    ),
    "inputs swapped": (
        product,
        {
            "broadcasts": True,
            "grad_x": lambda self, grad, x: grad * x,
            "grad_y": lambda self, grad, x: grad * x,
        },
        TWO,
        "swapped: the rule uses x where y is right",
    ),
    "rules swapped": (
        lambda self, x, y: x * y * y,
        {
            "broadcasts": True,
            "grad_x": lambda self, grad, x, y: 2 * grad * x * y,
            "grad_y": lambda self, grad, x, y: grad * y * y,
        },
        TWO,
        "The rules are swapped: the rule of y is right for x",
    ),
    "not summed": (
        product,
        {"grad_x": lambda self, grad, y: grad * y, "grad_y": lambda self, grad, x: grad * x},
        [(3, 4), (4,)],
        "The sum over the dimension that was broadcast is missing",
    ),
    "not expanded": (
        lambda self, x: x.sum(),
        {"grad_x": lambda self, grad: grad},
        SQUARE,
        "not expanded to the shape",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_red_pen_names_the_mistake(name):
    forward, members, shapes, sentence = WRONG[name]
    report = gn.check_op(op_of(forward, **members), *shapes)
    assert not report
    finding = next(each for each in report.faults if each.name == "derivatives")
    assert sentence in finding.fault, finding.fault


@pytest.mark.parametrize("name", WRONG)
def test_the_verdict_of_a_graph_has_it_too(name):
    forward, members, shapes, sentence = WRONG[name]
    graph = gn.Graph()
    generator = torch.Generator().manual_seed(0)
    feed = {
        graph.input(shape, name=f"x{n}"): torch.rand(shape, generator=generator) + 0.3
        for n, shape in enumerate(shapes)
    }
    report = graph.check(op_of(forward, **members)(*feed), feed)
    assert sentence in report.first_wrong.hint
    assert str(report).splitlines()[-1].endswith(report.first_wrong.hint)


class WrongDouble(gn.Op):
    """y = 2 x, with a wrong rule."""

    symbol = "2x"

    def forward(self, x):
        return x * 2

    def grad_x(self, grad):
        return grad * 3


OTHER = {
    "untouched inputs": (
        lambda self, x: x.mul_(2),
        {"grad_x": lambda self, grad: grad * 2},
        "must not write to its inputs",
    ),
    "derivatives": (
        tanh,
        {"grad_x": lambda self, grad, top: (grad * (1 - top * top)).sin()},
        "by the rule",
    ),
    "second derivatives": (
        square,
        {"grad_x": lambda self, grad, x: grad * WrongDouble()(x)},
        "by differences",
    ),
    "strided inputs": (
        lambda self, x: x.as_strided(x.shape, torch.empty(x.shape).stride()) * 1,
        {"grad_x": lambda self, grad: grad},
        "output 0 is",
    ),
    "unknown batch size": (
        lambda self, x: x.reshape(x.shape),
        {"grad_x": lambda self, grad, x_like: grad * (1.0 if x_like.shape[0] else 2.0)},
        "the gradient of 'x'",
    ),
    "dtypes": (
        lambda self, x: x.double() * 2,
        {"grad_x": lambda self, grad: grad * 2},
        "inputs of float32 give an output of torch.float64",
    ),
    "other shapes": (
        lambda self, x, y: x + y,
        {"grad_x": lambda self, grad: grad, "grad_y": lambda self, grad: grad},
        "set `broadcasts = True` there",
    ),
}


@pytest.mark.parametrize("name", OTHER)
def test_every_check_finds_its_fault(name):
    forward, members, words = OTHER[name]
    count = forward.__code__.co_argcount - 1
    report = gn.check_op(op_of(forward, **members), *[(3, 4)] * count)
    assert not report
    finding = next((each for each in report.faults if each.name == name), None)
    assert finding, str(report)
    assert words in finding.fault


def test_a_fault_that_is_found_again_is_not_told_again():
    report = gn.check_op(op_of(square, grad_x=lambda self, grad, x: grad.sum(0)), (3, 4))
    text = " ".join(str(report).split())
    assert text.count("Correct the rule in Mine") == 1
    assert text.count("WRONG: the same as 'untouched inputs'") == len(report.faults) - 2


def test_a_rule_that_differs_for_nodes_is_found():
    def rule(self, grad, x):
        return grad * x * (2 if isinstance(x, torch.Tensor) else 3)

    report = gn.check_op(op_of(square, grad_x=rule), (3, 4))
    assert "appended as nodes the gradient of 'x' is" in str(report).replace("\n", " ")


def test_a_wrong_value_is_found_by_a_reference():
    report = gn.check_op(arithmetic.Neg(), (3, 4), reference=lambda x: x)
    assert [each.name for each in report.faults] == ["value"]


def test_a_random_operation_is_not_repeatable():
    noisy = op_of(lambda self, x: x + torch.rand_like(x), grad_x=lambda self, grad: grad)
    report = gn.check_op(noisy, (3, 4))
    assert "repeatable" in [each.name for each in report.faults]


def test_integers_and_literals():
    def weighted(x, labels):
        return ops.where(labels > 1, x, x * 2)

    assert gn.check_op(weighted, (3, 4), (3, 4), integers={1: 4})
    report = gn.check_op(comparison.MaskedFill(1.0), (3, 4), (3, 4), integers={"mask": 2})
    assert not report  # a mask holds booleans, and the report says so
    with pytest.raises(gn.GraphError, match="no input 'index'"):
        gn.check_op(arithmetic.Add(), (3,), (3,), integers={"index": 2})


def test_checks_can_be_skipped_by_name():
    wrong = op_of(tanh, grad_x=lambda self, grad: grad)
    assert gn.check_op(wrong, (3, 4), skip=["derivatives", "second", "one row", "other"])
    with pytest.raises(gn.GraphError, match="no check 'derivative by x' to skip"):
        gn.check_op(wrong, (3, 4), skip=["derivative by x"])
    with pytest.raises(gn.GraphError, match="needs the shape"):
        gn.check_op(wrong)
    with pytest.raises(gn.GraphError, match="takes an op"):
        gn.check_op(3, (3, 4))
