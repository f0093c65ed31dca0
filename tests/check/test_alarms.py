"""`graph.check` gives no false alarm: at kinks, at borders, at extremes, for many elements."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from sampling import some

import graphnet as gn
from graphnet import ops


def rand(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def checked(function, *values):
    """The report on a function of several inputs, summed to one number."""
    graph = gn.Graph()
    feed = {
        graph.input(tuple(value.shape), name="xyz"[place]): value
        for place, value in enumerate(values)
    }
    y = function(*feed)
    return graph.check(y if y.shape == () else y.sum(), feed)


# Functions with a kink, at the values where it is.
KINKS = {
    "relu": (lambda x: x.relu(), [0.0]),
    "abs": (lambda x: x.abs(), [0.0]),
    "clamp": (lambda x: x.clamp(-1, 1), [-1.0, 1.0]),
    "relu of relu": (lambda x: x.relu().relu(), [-1.0, 0.0]),
    "maximum": (lambda x: x.maximum(x * 1), [1.0, 0.0]),
    "maximum and a constant": (lambda x: x.maximum(ops.ones_like(x)), [1.0]),
    "abs of a difference": (lambda x: (x - 1).abs() * x, [1.0]),
    "leaky": (lambda x: x.maximum(x * 0.1), [0.0]),
}


@pytest.mark.parametrize(("name", "size"), some(product(KINKS, (1, 40, 1000)), every=2))
def test_kinks_are_accepted(name, size):
    function, values = KINKS[name]
    for value in values:
        report = checked(function, torch.full((size,), value))
        assert report, str(report)
    mixed = rand(size) * 2
    mixed[:: max(1, size // 7)] = values[0]
    assert checked(function, mixed)


def test_a_wrong_side_of_a_kink_is_no_excuse():
    class Relu(gn.Op):
        """y = max(x, 0), with the slope of -1 below.  Shapes: any."""

        symbol = "relu"

        def forward(self, x):
            return x.relu()

        def grad_x(self, grad, x):
            return grad * x.sign()

    assert not checked(Relu(), rand(100) - 0.3)


SMOOTH = {
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    "square": lambda x: x * x,
    "cube": lambda x: x**3,
    "abs": lambda x: x.abs(),
    "mean": lambda x: (x * 3).mean(),
    "shifted": lambda x: (x + 1) * (x - 1),
    "ratio": lambda x: x / (x * x + 1),
    "root": lambda x: (x * x + 1).sqrt(),
    "logarithm": lambda x: (x * x + 1).log(),
    "power of a number": lambda x: 1.001**x,
    "loss": lambda x: ops.mse_loss(x, x * 0.5),
    "gram": lambda x: x.reshape(1, -1) @ x.reshape(-1, 1),
}
VALUES = [1e3, -1e3, 1e-3, 20.0, 40.0, -700.0, 1.0, 0.0, 1e-8]


@pytest.mark.parametrize("function", SMOOTH.values(), ids=SMOOTH)
def test_extremes_give_no_false_alarm(function):
    for value in VALUES:
        report = checked(function, torch.full((5,), value))
        assert report, f"at {value}: {report}"
    report = checked(function, torch.tensor(VALUES))
    assert report, str(report)


# Functions of positive numbers alone, near the border of where they are defined.
POSITIVE = {
    "log": lambda x: x.log(),
    "sqrt": lambda x: x.sqrt(),
    "reciprocal": lambda x: 1 / x,
    "power": lambda x: x**0.5,
    "power of itself": lambda x: x**x,
    "negative power": lambda x: x**-2,
}


@pytest.mark.parametrize("value", [1e-8, 1e-6, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("function", POSITIVE.values(), ids=POSITIVE)
def test_the_border_of_the_positive_numbers_gives_no_false_alarm(function, value):
    value = min(value, 100.0) if function is POSITIVE["power of itself"] else value
    report = checked(function, torch.full((5,), value))
    assert report, str(report)


@pytest.mark.parametrize("logit", [0.0, 3.0, -3.0, 15.0, -15.0])
def test_labels_at_the_ends_of_their_range_give_no_false_alarm(logit):
    labels = torch.tensor([0.0, 1.0, 0.5])
    report = checked(
        lambda x, t: ops.binary_cross_entropy(x.sigmoid(), t), torch.full((3,), logit), labels
    )
    assert report, str(report)


@pytest.mark.parametrize("logit", [50.0, -50.0, 1e3, -1e3])
def test_predictions_that_are_sure_and_right_give_no_false_alarm(logit):
    labels = torch.full((3,), float(logit > 0))  # the sigmoid is 0 or 1 to the last bit
    report = checked(
        lambda x, t: ops.binary_cross_entropy(x.sigmoid(), t), torch.full((3,), logit), labels
    )
    assert report, str(report)


def test_the_loss_of_a_classifier_is_right():
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(2, 25), gn.ReLU(), gn.Linear(25, 25), gn.ReLU())
    model.add(gn.Linear(25, 2), gn.Sigmoid())
    for name, parameter in model.named_parameters():
        if "bias" in name:
            parameter.top.zero_()
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossBCE()(model(x), t)
    batch = rand(20, 2)
    batch[3:6] = 0.0  # with biases of 0, all units stand at their kink
    labels = (rand(20, 2, seed=1) > 0).float()
    report = graph.check(loss, {"x": batch, "t": labels})
    assert report, str(report)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), (), (31, 33)])
def test_any_number_of_elements(shape):
    report = checked(lambda x, y: (x * y).tanh() + x, rand(*shape), rand(*shape, seed=1))
    assert report, str(report)


def test_very_different_sizes_in_one_product():
    for scale in (1e3, 1e-3, 1e6):
        report = checked(lambda x, y: (x @ y).tanh() * 0.5 + x @ y, rand(4, 5) * scale, rand(5, 4))
        assert report, str(report)
