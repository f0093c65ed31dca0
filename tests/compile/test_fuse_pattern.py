"""Fused kernels are found by their rule: each in some program, and one that a user writes."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from compile.training import DOUBLE, randn

import graphnet as gn
from graphnet import ops
from graphnet.compile.ir.build import specialized
from graphnet.compile.passes import optimize
from graphnet.compile.targets.torch.fuse import fuse
from graphnet.compile.targets.torch.fused_base import Fused
from graphnet.compile.targets.torch.fused_ops import FUSED
from graphnet.graph import Operation
from graphnet.ops.broadcasting import ExpandAs
from graphnet.ops.comparison import MaskedFill
from graphnet.ops.losses import Total

LABELS = torch.tensor([0, 2, -100])
SHAPES = {"x": (3, 4), "y": (3, 4), "w": (5, 4), "b": (5,), "image": (2, 1, 4, 4), "r": (4,)}


def program(build, fused=FUSED):
    """The fused program of some outputs; its values are those of the walk."""
    graph = gn.Graph()
    inputs = build.__code__.co_varnames[: build.__code__.co_argcount]
    feed = {name: randn(*SHAPES[name], seed=place) for place, name in enumerate(inputs[1:])}
    nodes = [graph.input(each.shape, name=name, dtype=DOUBLE) for name, each in feed.items()]
    labels = graph.input((3,), name="labels", dtype=torch.int64)
    feed["labels"] = LABELS
    targets = build(labels, *nodes)
    targets = targets if isinstance(targets, list) else [targets]
    shapes = {name: tuple(value.shape) for name, value in feed.items()}
    made = fuse(optimize(specialized(graph, targets, shapes)[0]), fused)
    assert_close(
        graph.compile(targets, tune=False)(feed),
        graph.forward(feed, outputs=targets),
        rtol=1e-12,
        atol=1e-12,
    )
    return made


def names(made):
    return [node.op.name for node in made if isinstance(node, Operation)]


def derived(y, by):
    """A value and the derivatives of its sum of squares."""
    return [y, *y.graph.gradients((y * y).sum(), by)]


def scored(labels, x, factor):
    loss = ops.nll_loss(x, labels) * factor
    return [loss, *x.graph.gradients(loss, [x])]


EVERY = {
    "tanh_grad": lambda _, x: derived(x.tanh(), [x]),
    "sigmoid_grad": lambda _, x: derived(x.sigmoid(), [x]),
    "relu_grad": lambda _, x: derived(x.relu(), [x]),
    "log_softmax_grad": lambda _, x: derived(x.log_softmax(1), [x]),
    "max_pool_grad": lambda _, image: derived(ops.max_pool2d(image, 2), [image]),
    "nll_mean": lambda labels, x: ops.nll_loss(x, labels),
    "nll_mean_grad": lambda labels, x: scored(labels, x, 1.0),
    "dot": lambda _, x, y: (x * y).sum(),
    "dot_mean": lambda _, x, y: (x * y).mean(),
    "linear_then": lambda _, x, w, b: ops.linear(x, w, b).tanh(),
    "add_twice": lambda _, x, y: x + (x * y) + (x * y),
    "sum_of_opposite": lambda _, x: (-x).sum(0),
    "addcmul": lambda _, x, y: x + (0.5 * x) * y,
    "addcdiv": lambda _, x, y: x - (0.5 * x) / y,
    "lerp": lambda _, x, y: x + 0.25 * (y - x),
    "add_scaled": lambda _, x, y: 3.0 * y + x,
}
REPLACED = {"dot_mean": ["dot", "mul"], "sum_of_opposite": ["sum", "neg"]}
"""What is used instead of an op that stands for others again."""


def test_every_fused_op_has_a_row():
    assert [kind.name for kind in FUSED] == list(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_every_pattern_is_found(name):
    wanted = REPLACED.get(name, [name])
    found = names(program(EVERY[name]))
    assert [each for each in found if each in wanted][: len(wanted)] == wanted
    others = tuple(each for each in FUSED if each.name != name)
    without = names(program(EVERY[name], others))
    assert without != found
    assert [each for each in without if each in wanted][: len(wanted)] != wanted


class Hypot(gn.Op, Fused):
    symbol = "hypot"

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x * x + y * y).sqrt()

    grad_x = grad_y = None


class Clipped(gn.Op, Fused):
    """An option, a number, and a condition."""

    symbol = "clipped"
    read_once = True
    limit: float

    def forward(self, x: torch.Tensor, a: float):
        y = (a * x).exp()
        return MaskedFill(self.limit)(y, y > self.limit)

    def fits(self, x, a):
        return x.ndim == 2

    grad_x = grad_a = None


def test_an_op_of_a_few_lines_is_found_by_its_rule():
    assert names(program(lambda _, x, y: (x * x + y * y).sqrt(), (Hypot,))) == ["hypot"]
    assert "hypot" not in names(program(lambda _, x, y: (x * x + y.exp() * 2.0).sqrt(), (Hypot,)))


def test_an_input_that_would_never_be_found():
    class Wide(gn.Op, Fused):
        symbol = "wide"

        def forward(self, x, top):
            return x.exp() * 2.0

        grad_x = grad_top = None

    with pytest.raises(TypeError, match="find_top"):
        program(lambda _, x: x.exp(), (Wide,))


def test_an_option_without_a_part_in_the_rule_has_its_default():
    class Exp2(gn.Op, Fused):
        symbol = "2exp"
        exact: bool = True

        def forward(self, x):
            return x.exp() * 2.0

        grad_x = None

    (node,) = [
        each for each in program(lambda _, x: x.exp() * 2.0, (Exp2,)) if isinstance(each, Operation)
    ]
    assert node.op == Exp2(exact=True)


def clipped(x, a=2.0, limit=3.0, over=None):
    y = (a * x).exp()
    return ops.masked_fill(y, y > (limit if over is None else over), limit)


CLIPPED = {
    "another number": (lambda _, x: clipped(x, 0.5), True),
    "another option": (lambda _, x: clipped(x, limit=0.1), True),
    "two values of one option": (lambda _, x: clipped(x, over=0.1), False),
    "of a shape that does not fit": (lambda _, image: clipped(image), False),
    "of a tensor in place of the number": (lambda _, x, y: clipped(x, y), False),
    "read elsewhere too": (lambda _, x: clipped(x) + (2.0 * x).exp(), False),
}


@pytest.mark.parametrize("name", CLIPPED)
def test_options_numbers_and_conditions(name):
    build, fits = CLIPPED[name]
    assert ("clipped" in names(program(build, (Clipped,)))) is fits


ORDERS = {
    "tanh_grad": lambda _, x, y: (1 - y * y) * x,
    "sigmoid_grad": lambda _, x, y: ((1 - y) * y) * x,
    "addcmul": lambda _, x, y: y * (x * 0.5) + x,
    "addcdiv": lambda _, x, y: (x * 0.5) / y + x,
    "lerp": lambda _, x, y: (y - x) * 0.25 + x,
}


@pytest.mark.parametrize("name", ORDERS)
def test_factors_and_terms_in_another_order(name):
    assert name in names(program(ORDERS[name]))


def test_a_number_in_a_difference_has_the_opposite_sign():
    made = program(lambda _, x, y: x - 0.25 * y)
    (node,) = [each for each in made if isinstance(each, Operation)]
    assert node.op.name == "add_scaled"
    assert node.sources[2].top == -0.25


def test_operations_that_others_read_stay():
    build = EVERY["add_scaled"]
    assert names(program(build)) == ["add_scaled"]
    twice = names(program(lambda _, x, y: [3.0 * y + x, (3.0 * y).exp()]))
    assert "add_scaled" not in twice


@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_the_gradient_of_a_scaled_loss_over_labels(factor):
    made = program(lambda labels, x: scored(labels, x, factor))
    assert "nll_mean_grad" in names(made)


class Spread(gn.Op, Fused):
    symbol = "spread"

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ExpandAs()(x.sum(), y) * y

    grad_x = grad_y = None


SPREADS = {
    "itself": (lambda _, x, y: ExpandAs()(x.sum(), y) * y, True),
    "another of its shape": (lambda _, x, y: ExpandAs()(x.sum(), x) * y, True),
    "one of another shape": (lambda _, x, y, r: ExpandAs()(x.sum(), r) * y, False),
}


@pytest.mark.parametrize("name", SPREADS)
def test_what_is_read_for_its_shape_only(name):
    build, fits = SPREADS[name]
    assert ("spread" in names(program(build, (Spread,)))) is fits


def test_labels_that_do_not_count_are_the_same_in_all_parts():
    def build(labels, x):
        picked = ops.nll_loss(x, labels, reduction="sum", ignore_index=-100)
        return picked / Total()(labels.ne(2))

    assert "nll_mean" not in names(program(build))
