"""A user's own operations compile without a declaration; nothing overwrites what they return."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    assert_same_training,
    randn,
    seeded,
)

import graphnet as gn
from graphnet import ops


class Cube(gn.Op):
    """A user's own op."""

    symbol = "³"

    def forward(self, x):
        return x * x * x

    def grad_x(self, grad, x):
        return 3 * x * x * grad


class Shifted(gn.Op):
    """One with options."""

    symbol = "+c"
    by: float
    times: int = 2

    def forward(self, x):
        return (x + self.by) * self.times

    def grad_x(self, grad):
        return grad * self.times


class Blend(gn.Op):
    """One of any number of inputs."""

    symbol = "Σ"

    def forward(self, *tensors):
        total = tensors[0] * 1
        for place, each in enumerate(tensors[1:]):
            total = total + each * (place + 2)
        return total

    def grad_tensors(self, grad, place):
        return grad * (place + 1)


class Transposed(gn.Op):
    """One whose result is a view of its input."""

    symbol = "T"

    def forward(self, x):
        return x.mT

    def grad_x(self, grad):
        return grad.mT


class Same(gn.Op):
    """One that returns its input."""

    symbol = "="

    def forward(self, x):
        return x

    def grad_x(self, grad):
        return grad


class Twice(gn.Op):
    """One that repeats its input without copying it."""

    symbol = "2"

    def forward(self, x):
        return x.expand(3, *x.shape)

    def grad_x(self, grad):
        return grad.sum(0)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_own_ops(optimizer):
    def make():
        w, b = gn.Parameter(randn(3, 3) * 0.3, name="w"), gn.Parameter(randn(3), name="b")
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            h = Cube()(x @ w)
            h = Shifted(by=0.5)(h.tanh()) + Shifted(by=0.5, times=3)(h.tanh())
            h = Blend()(h, h * b, Same()(x).tanh(), h)
            loss = (Transposed()(Transposed()(h).sigmoid()).relu() * Same()(h)).mean()
        return Training(graph, loss, getattr(gn, optimizer)([w, b], lr=0.01))

    feeds = [{"x": randn(4, 3, seed=n)} for n in range(3)]
    kept = [feed["x"].clone() for feed in feeds]
    assert_same_training(make, feeds)
    assert_same([feed["x"] for feed in feeds], kept, exact=True)


VIEWS = {
    "turned": Transposed(),
    "same": Same(),
    "twice": Twice(),
    "same of a view": lambda x: Same()(x.mT),
    "view of the same": lambda x: Same()(x).reshape(-1),
    "narrow": lambda x: Same()(x)[1:],
    "expanded": lambda x: Same()(x.unsqueeze(0)).expand(2, 3, 3),
}
AFTER = {
    "relu": lambda y: y.relu(),
    "exp": lambda y: y.exp(),
    "add": lambda y: y + 1.0,
    "negate": lambda y: -y,
    "square": lambda y: y * y,
    "masked": lambda y: y.masked_fill(y > 0, 2.0),
    "clamp": lambda y: y.clamp(-0.5, 0.5),
    "power": lambda y: y**3,
    "chain": lambda y: ((y.tanh() + 1.0) * 2.0).relu(),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("of", ["input", "parameter", "operation"])
def test_views_of_own_ops_are_not_written_over(view, after, of):
    """What an op returns may be its input: writing there would change what others read."""
    graph = gn.Graph()
    x = graph.input((3, 3), name="x", dtype=DOUBLE)
    w = graph.parameter(randn(3, 3, seed=1), name="w")
    source = {"input": x, "parameter": w, "operation": (x * w).sin()}[of]
    first = AFTER[after](VIEWS[view](source))
    nodes = [first.sum(), (source * 2.0).sum(), (x * w).sum(), first]
    predict = graph.compile(nodes, tune=False)
    feed = {"x": randn(3, 3)}
    kept, weight = feed["x"].clone(), w.top.clone()
    expected = graph.forward(feed, outputs=nodes)
    for _ in range(2):
        assert_close(predict(feed), expected, rtol=1e-12, atol=1e-12)
        assert torch.equal(feed["x"], kept)
        assert torch.equal(w.top, weight)


class Noise(gn.Op):
    """A user's own op that draws random numbers."""

    symbol = "~"
    generator: object

    def forward(self, x):
        return x + torch.randn(x.shape, generator=self.generator, dtype=x.dtype)

    def trial(self, x):
        return x * 1

    def grad_x(self, grad):
        return grad * 1


def test_own_op_that_draws():
    """Two equal uses draw twice."""

    def make():
        w = gn.Parameter(randn(3), name="w")
        generator = seeded(4)
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            noise = Noise(generator=generator)
            loss = (noise(x * w) * noise(x * w)).mean()
        return Training(graph, loss, gn.SGD([w], lr=0.01))

    assert_same_training(make, [{"x": randn(4, 3, seed=n)} for n in range(3)])


class Calls:
    """How often something was called."""

    count = 0


class Counting(gn.Op):
    """One that counts how often it is called, and adds that."""

    symbol = "#"
    calls: object

    def forward(self, x):
        self.calls.count += 1
        return x + float(self.calls.count)

    def trial(self, x):
        return x * 1

    def grad_x(self, grad):
        return grad


class Drawing(gn.Op):
    """One that draws numbers, and reads nothing but a shape."""

    symbol = "?"
    generator: object

    def forward(self, x_like):
        return torch.randn(x_like.shape, generator=self.generator, dtype=x_like.dtype)

    def trial(self, x_like):
        return x_like * 0


class Tripled(gn.Op):
    """One that says that it is pure."""

    symbol = "3x"
    pure = True
    calls: object

    def forward(self, x):
        self.calls.count += 1
        return x * 3

    def grad_x(self, grad):
        return grad * 3


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
@pytest.mark.parametrize("images", [False, True])
def test_an_op_that_counts_is_called_once_for_each_use(images, dtype):
    """Uses of equal inputs, of constants, and beside images that are laid out by measuring."""
    calls = Calls()
    graph = gn.Graph()
    x = graph.input((2, 1, 4, 4), name="x", dtype=dtype)
    count = Counting(calls)
    weight = graph.parameter(torch.ones(1, 1, 3, 3, dtype=dtype))
    y = ops.conv2d(x, weight, padding=1) if images else x
    nodes = [count(y), count(y), count(ops.ones_like(x))]
    predict = graph.compile(nodes, tune=images)
    feed = {"x": torch.ones(2, 1, 4, 4, dtype=dtype)}
    calls.count = 0
    first = [float(top.flatten()[5]) for top in predict(feed)]
    base = 9.0 if images else 1.0
    assert first == [base + 1, base + 2, 1 + 3]
    predict(feed)
    assert calls.count == 6


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_an_op_that_draws_from_nothing_is_no_constant(dtype):
    graph = gn.Graph()
    x = graph.input((3,), name="x", dtype=dtype)
    noise = Drawing(seeded(4))
    nodes = [x + noise(x), x + noise(x)]
    feed = {"x": torch.zeros(3, dtype=dtype)}
    predict = graph.compile(nodes, tune=False)
    drawn = [*predict(feed), *predict(feed)]
    generator = seeded(4)
    expected = [torch.randn(3, generator=generator, dtype=dtype) for _ in range(4)]
    assert all(map(torch.equal, drawn, expected))


def test_a_pure_op_is_computed_once_for_equal_uses():
    calls = Calls()
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    triple = Tripled(calls)
    predict = graph.compile([triple(x).exp(), triple(x).sin(), triple(ops.ones_like(x))])
    predict(x=torch.ones(3))
    calls.count = 0
    predict(x=torch.ones(3))
    assert calls.count == 1
