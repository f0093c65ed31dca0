"""Tracing: an elementwise operation of a user lowers by its own rule, or says why it does not."""

from __future__ import annotations

import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops
from graphnet.compile.ir.build import specialized
from graphnet.compile.lower.lowering import lowered
from graphnet.compile.lower.primitives import PRIMITIVES, applied
from graphnet.compile.lower.scalars import (
    Call,
    Load,
    NotLowered,
    Number,
    Scalar,
    as_scalar,
    broadcast_to,
    call,
    calls_of,
    converted,
    load,
    loads,
    select,
)
from graphnet.compile.passes import PASSES, optimize
from graphnet.compile.plan.slots import new_slot
from graphnet.op import Op
from graphnet.ops.arithmetic import Div

FLOAT, DOUBLE, INT, BOOL = torch.float32, torch.float64, torch.int64, torch.bool


def value(dtype=FLOAT):
    return load(new_slot((3,), dtype))


class Swish(Op):
    """y = x / (1 + exp(-b x)), with an option, and a rule that is made of methods."""

    elementwise = True
    symbol = "swish"
    b: float = 1.0

    def forward(self, x):
        return x * (x * self.b).sigmoid()

    def grad_x(self, grad, x):
        share = (x * self.b).sigmoid()
        return grad * (share + x * self.b * share * (1 - share))


class Bent(Op):
    """Comparisons, choices, limits, and a function of two tensors."""

    elementwise = True
    symbol = "bent"

    def forward(self, x, y):
        return x.clamp(-1.0, 1.0).where(x > y, (y * y + 1.0).log() - 0.5) + 2.0 ** x.abs().neg()

    def grad_x(self, grad, x, y):
        return grad.where(x > y, grad * 0.0)

    grad_y = None


class Looks(Op):
    """Looks at its numbers."""

    elementwise = True
    symbol = "looks"

    def forward(self, x):
        return x * 2 if bool((x > 0).all()) else x

    grad_x = None


class Asks(Op):
    """Asks whether a number is positive."""

    elementwise = True
    symbol = "asks"

    def forward(self, x):
        return x * 2 if x > 0 else x

    grad_x = None


class Prints(Op):
    """Writes its numbers as a text."""

    elementwise = True
    symbol = "prints"

    def forward(self, x):
        return x + float(f"{x.sum():.3f}")

    grad_x = None


class Unknown(Op):
    """Calls a method that nodes do not have."""

    elementwise = True
    symbol = "unknown"

    def forward(self, x):
        return x.erfinv()

    grad_x = None


class Rows(Op):
    """Is no elementwise operation."""

    symbol = "rows"

    def forward(self, x):
        return x.flip(0)

    grad_x = None


def make(op, *arguments):
    graph = gn.Graph()
    nodes = [
        graph.input((3, 4), name=f"x{place}", requires_grad=True) for place in range(len(arguments))
    ]
    feed = {node.name: each for node, each in zip(nodes, arguments, strict=True)}
    y = op(*nodes)
    return graph, nodes, y, feed


def rand(seed):
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(seed))


def test_an_operation_of_a_user_lowers_by_its_rule():
    for op, count in ((Swish(), 1), (Swish(b=-2.5), 1), (Bent(), 2)):
        graph, nodes, y, feed = make(op, *map(rand, range(count)))
        targets = [y, *graph.gradients((y * y).sum(), nodes)]
        predict = graph.compile(targets, backend="c")
        assert_close(predict(feed), graph.forward(feed, outputs=targets), rtol=2e-6, atol=2e-6)
        assert predict.source.startswith("#include")


def refusal(graph, outputs):
    shapes = {node.name: node.shape for node in graph.inputs}
    program = optimize(specialized(graph, outputs, shapes)[0], PASSES)
    try:
        lowered(program)
    except NotLowered as error:
        return str(error)
    raise AssertionError("it has a form as loops")


def test_what_is_no_formula_does_not_lower():
    """By default it runs as calls of torch, with the numbers of its own rule."""
    for op in (Looks(), Prints(), Unknown(), Rows()):
        graph, _, y, feed = make(op, rand(0))
        assert op.name in refusal(graph, [y])
        assert_close(
            graph.compile(y)(feed), op.forward(rand(0)), rtol=1e-6, atol=1e-6, equal_nan=True
        )


def test_a_rule_that_asks_about_one_number_does_not_lower():
    graph = gn.Graph()
    y = Asks()(graph.input((), name="x"))
    assert "asks" in refusal(graph, [y])
    predict = graph.compile(y)
    assert [predict(x=torch.tensor(each)).item() for each in (3.0, -3.0)] == [6.0, -3.0]


def test_every_primitive_is_an_elementwise_operation():
    assert all(op.elementwise or op.__name__ == "Convert" for op in PRIMITIVES)


# scalars


def test_plain_numbers_take_the_dtype_beside_them():
    """As torch: a float beside integers makes the default dtype, a number beside booleans int64."""
    rows = [
        (value(FLOAT) + 1, FLOAT), (value(DOUBLE) * 0.5, DOUBLE), (1 - value(INT), INT),
        (value(INT) * 0.5, FLOAT), (call("add", value(BOOL), 1), INT), (value(INT) / 2, FLOAT),
        (call("add", value(FLOAT), value(DOUBLE)), DOUBLE),
        (call("mul", value(INT), value(FLOAT)), FLOAT),
        (value(INT).exp(), FLOAT), (value(FLOAT) > 0, BOOL), (~(value(FLOAT) > 0), BOOL),
        (select(value(BOOL), 1.0, 0.0), FLOAT), (select(value(BOOL), value(INT), 0), INT),
        (select(value(BOOL), 1, 0), INT),
    ]  # fmt: skip
    assert [each.dtype for each, _ in rows] == [dtype for _, dtype in rows]


def test_conversions():
    x = value(INT)
    assert converted(x, INT) is x
    assert converted(x, FLOAT).function == "convert"
    whole = converted(Number(2.7, FLOAT), INT)
    assert (whole.value, type(whole.value)) == (2, int)
    assert converted(Number(0.5, FLOAT), BOOL).value is True
    assert as_scalar(True, FLOAT).dtype is BOOL
    assert as_scalar(x, FLOAT) is x


def test_a_quotient_by_one_number_of_more_digits_is_a_product():
    """Its reciprocal is rounded as little as itself, and a product is ten times as fast."""
    x = value()
    of_all, of_each = load(broadcast_to(new_slot((), DOUBLE), (3,))), value(DOUBLE)
    as_short = load(broadcast_to(new_slot((), FLOAT), (3,)))
    count = load(broadcast_to(new_slot((), INT), (3,)))
    for y in (count, converted(of_all, FLOAT)):
        assert function_of(applied(Div(), (x, y))) == "mul"
    for y in (as_short, converted(of_each, FLOAT), converted(converted(of_all, INT), FLOAT)):
        assert function_of(applied(Div(), (x, y))) == "div"
    assert function_of(applied(Div(), (value(DOUBLE), of_all))) == "div"


def function_of(scalar):
    assert isinstance(scalar, Call)
    return scalar.function


def test_what_is_read_is_found_once():
    x, y = value(), value()
    index = value(INT)
    moved = load(new_slot((3,), FLOAT), (4, index + 1))
    element = x * y + x * moved
    found = list(loads(element))
    assert len(found) == len({id(each) for each in found}) == 4
    assert {id(each) for each in found} == {id(x), id(y), id(moved), id(index)}
    assert calls_of(element) == 3
    assert calls_of(x) == 0
    assert all(isinstance(each, Load) for each in found)


def test_a_shared_part_is_walked_once():
    """A chain of 200 doublings has 2^200 paths."""
    x = value()
    for _ in range(200):
        x = Call("add", (x, x), FLOAT)
    assert len(list(loads(x))) == 1


def test_a_rule_cannot_look_at_a_scalar():
    x = value()
    assert isinstance(x + 1, Scalar)
    assert (x.shape, x.ndim, x.is_meta) == ((), 0, True)
    for look in (bool, float, int, list):
        try:
            look(x)
        except (TypeError, AttributeError, NotLowered, gn.GraphError):
            continue
        raise AssertionError(f"{look.__name__} of a scalar")


def test_a_logarithm_of_zero_that_does_not_count():
    """0 log 0 is 0, though the program computes both sides of a choice."""
    graph = gn.Graph()
    x, t = graph.input((4,), name="x"), graph.input((4,), name="t")
    feed = {"x": torch.tensor([0.5, -1.0, 2.0, 0.0]), "t": torch.tensor([0.0, 3.0, 0.0, 1.0])}
    found = graph.compile(ops.kl_div(x, t, reduction="none"), backend="c")(feed)
    expected = torch.nn.functional.kl_div(feed["x"], feed["t"], reduction="none")
    assert_close(found, expected, rtol=1e-6, atol=1e-6)
