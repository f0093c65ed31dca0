"""Patterns that are fused, and look-alikes: the values are those of the walk."""

from __future__ import annotations

import pytest
from closeness import assert_close
from compile.training import DOUBLE, assert_same, randn
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

import graphnet as gn
from graphnet import ops

SHAPES = {"x": (3, 4), "y": (3, 4), "r": (4,), "c": (3, 1), "s": (), "z": (4, 3), "b": (2, 3, 4)}
PAIRS = [
    (a, b)
    for a in SHAPES
    for b in SHAPES
    if (a, b)
    in {("x", b) for b in "yrcsxb"} | {(a, "x") for a in "rcsb"} | {("r", "c"), ("s", "s")}
]

TWO = {
    "tanh'": lambda a, b: a * (1 - b * b),
    "tanh' of tanh": lambda a, b: a * (1 - b.tanh() * b.tanh()),
    "turned tanh'": lambda a, b: (1 - b * b) * a,
    "no tanh'": lambda a, b: a * (1 - b * a),
    "2 - yy": lambda a, b: a * (2 - b * b),
    "yy - 1": lambda a, b: a * (b * b - 1),
    "sigmoid'": lambda a, b: a * (b * (1 - b)),
    "no sigmoid'": lambda a, b: a * (b * (1 - a)),
    "relu'": lambda a, b: a.masked_fill(b <= 0, 0.0),
    "relu' with 1": lambda a, b: a.masked_fill(b <= 0, 1.0),
    "relu' at 1": lambda a, b: a.masked_fill(b <= 1, 0.0),
    "relu' below": lambda a, b: a.masked_fill(b < 0, 0.0),
    "log softmax'": lambda a, b: a - b.exp() * a.sum(-1, True) if a.ndim else a,
    "log softmax' elsewhere": lambda a, b: a - b.exp() * a.sum(0, True) if a.ndim else a,
    "log softmax' of another": lambda a, b: a - a.exp() * b.sum(-1, True) if b.ndim else a,
    "log softmax' flat": lambda a, b: a - b.exp() * a.sum(),
    "dot": lambda a, b: (a * b).sum(),
    "dot kept": lambda a, b: (a * b).sum(0, True) if a.ndim else a,
    "mean of product": lambda a, b: (a * b).mean(),
    "dot of views": lambda a, b: (a.mT * b.mT).sum() if min(a.ndim, b.ndim) > 1 else a,
    "dot of exp": lambda a, b: (a.exp() * b.exp()).sum() + a.exp().sum(),
    "square": lambda a, b: ((a - b) * (a - b)).mean(),
    "squared error": lambda a, b: ((a - b) ** 2).mean() + ((b - a) ** 2).sum(),
    "a + 0.1 b": lambda a, b: a + 0.1 * b,
    "a - b 0.1": lambda a, b: a - b * 0.1,
    "0.1 b - a": lambda a, b: 0.1 * b - a,
    "0.1 a + 0.2 b": lambda a, b: 0.1 * a + 0.2 * b,
    "addcmul": lambda a, b: a + 0.5 * (a * b),
    "addcmul less": lambda a, b: a - 0.5 * (b * b),
    "product twice": lambda a, b: a + (a * b) + (a * b),
    "product twice, read again": lambda a, b: (a + (a * b) + (a * b)) * (a * b),
    "product thrice": lambda a, b: a + (a * b) + (a * b) + (a * b),
    "sum of opposites": lambda a, b: (-a).sum(0) + b if a.ndim else a,
    "sum of opposites, read again": lambda a, b: (-a).sum(-1, True) * (-a) if a.ndim else a,
    "addcdiv": lambda a, b: a + 0.5 * (a / b),
    "addcdiv less": lambda a, b: b - (a / b) * 0.5,
    "lerp": lambda a, b: a + 0.3 * (b - a),
    "lerp turned": lambda a, b: 0.3 * (b - a) + a,
    "lerp less": lambda a, b: a - 0.3 * (b - a),
    "lerp far": lambda a, b: a + 3.0 * (b - a),
    "no lerp": lambda a, b: a + 0.3 * (a - b),
    "scaled twice": lambda a, b: 2.0 * (0.5 * (3.0 * a)) + b * 2.0 * 3.0,
    "minus": lambda a, b: -(0.0 - a) - (-b),
    "by a number node": lambda a, b: a * b.sum() + b.mean() * a,
    "divided by numbers": lambda a, b: (a / 3.0) / b / 2.0,
    "halves": lambda a, b: (a + b) / 2 + (a - b) / 2.0,
    "powers": lambda a, b: a**2 + b**3 + (a * a) ** 0.5,
    "reused": lambda a, b: (a * b).exp() + (a * b) + (a * b).tanh() * (a * b),
    "relu twice": lambda a, b: a.relu() + (a.relu() * b).relu(),
    "mask": lambda a, b: ops.where(a > b, a, b),
    "mask with numbers": lambda a, b: ops.where(a > b, 1.0, b) + ops.where(a > b, a, 0.0),
    "maximum": lambda a, b: a.maximum(b) - a.minimum(b),
    "clamped": lambda a, b: (a * b).clamp(-0.5, 0.5) + (a + b).clamp(max=0.1),
    "itself": lambda a, b: a - a + b / b,
}


def compare(build, leaves, learned):
    """The values, all derivatives, and the next step: compiled and walked."""
    shapes = {name: SHAPES[name] for name in leaves}
    graph = gn.Graph()
    nodes, feed = {}, {}
    for place, (name, shape) in enumerate(shapes.items()):
        value = randn(*shape, seed=place) + 0.1
        if learned and not place:
            nodes[name] = graph.parameter(value, name=name)
        else:
            nodes[name] = graph.input(shape, name=name, dtype=DOUBLE, requires_grad=True)
            feed[name] = value
    top = build(*[nodes[name] for name in leaves])
    targets = [top, *graph.gradients((top * top).sum() * 0.5, list(nodes.values()))]
    predict = graph.compile(targets, tune=False)
    expected = graph.forward(feed, outputs=targets)
    for _ in range(2):
        assert_close(predict(feed), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TWO)
def test_pairs(name, turn):
    """The first of each second pair is a parameter; in the other turn, that of the others."""
    turn += list(TWO).index(name)  # so that each pair is seen both ways
    for place, pair in enumerate(PAIRS):
        compare(TWO[name], pair, learned=(place + turn) % 2 == 1)


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3), (3,)])
def test_linear_and_activation(name, shape):
    """With or without a bias, read once or twice, of a matrix or of more dimensions."""
    for bias in (True, False):
        for twice in (True, False):
            layer = gn.Linear(3, 4, bias=bias).double()
            with gn.Graph() as graph:
                x = gn.Input(shape, name="x", dtype=DOUBLE)
                hidden = layer(x)
                y = getattr(hidden, name)()
                y = y * hidden if twice else y * 1.5
                optimizer = gn.SGD(layer.parameters(), lr=0.0)
                loss = (y * y).sum()
            feed = {"x": randn(*shape)}
            predict = graph.compile([y, hidden], tune=False)
            expected = graph.forward(feed, outputs=[y, hidden])
            assert_close(predict(feed), expected, rtol=1e-12, atol=1e-12)
            step = graph.compile(loss, optimizer, tune=False)
            value = step(feed)
            grads = [each.grad.clone() for each in layer.parameters()]
            assert_same(value, graph.forward(feed, outputs=loss))
            graph.backward(loss)
            assert_same(grads, [each.grad for each in layer.parameters()])


@examples(50)
@given(st.lists(st.sampled_from(sorted(TWO)), min_size=2, max_size=5), st.integers(0, 99))
def test_chains_of_patterns(names, seed):
    """Patterns that read each other's results."""
    graph = gn.Graph()
    values = [
        graph.parameter(randn(3, 4, seed=seed), name="a"),
        graph.input((3, 4), name="b", dtype=DOUBLE),
    ]
    for place, name in enumerate(names):
        first, second = values[-1], values[(place * 7 + seed) % len(values)]
        if first.ndim > 1 and second.ndim > 1:
            first = (first * 0.5).tanh()  # values stay near 1
            values.append(TWO[name](first, second + 2.0))
    loss = sum(((each * each).mean() for each in values[1:]), values[0].sum()) * 1e-3
    feed = {"b": randn(3, 4, seed=seed + 1)}
    targets = [loss, *graph.gradients(loss, [values[0]])]
    assert_close(
        graph.compile(targets, tune=False)(feed),
        graph.forward(feed, outputs=targets),
        rtol=1e-9,
        atol=1e-11,
        equal_nan=True,
    )
