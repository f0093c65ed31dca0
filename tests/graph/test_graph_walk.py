"""The forward walk: what is fed, what is computed, what is kept, and what an exception leaves."""

from __future__ import annotations

import gc
import threading
from typing import ClassVar

import pytest
import torch

import graphnet as gn

PLANNED: dict[str, BaseException] = {}
"""What the op below raises, by place: "forward 2" or "backward 2"."""


class PlannedError(Exception):
    """Raised by an operation as planned."""


class Layer(gn.Op):
    """y = tanh (x w), which raises as planned.  Shapes: (n, k), (k, m) -> (n, m)."""

    symbol = "layer"
    place: int
    walked: ClassVar[list[int]] = []

    def forward(self, x, w):
        self.walked.append(self.place)
        if error := PLANNED.get(f"forward {self.place}"):
            raise error
        return x.matmul(w).tanh()

    def grad_x(self, grad, top, w):
        if error := PLANNED.get(f"backward {self.place}"):
            raise error
        return (grad * (1 - top * top)).matmul(w.mT)

    def grad_w(self, grad, top, x):
        return x.mT.matmul(grad * (1 - top * top))


LAYERS = 4


class Chain:
    """x through four layers to a loss, and an optimizer with momentum."""

    def __init__(self):
        torch.manual_seed(1)
        self.graph = gn.Graph()
        self.x = self.graph.input((None, 3), name="x", requires_grad=True)
        self.layers = [self.x]
        for place in range(LAYERS):
            w = self.graph.parameter(torch.randn(3, 3), name=f"w{place}")
            self.layers.append(Layer(place)(self.layers[-1], w))
        self.loss = (self.layers[-1] ** 2).mean()
        self.sgd = gn.SGD(self.graph.parameters(), lr=0.1, momentum=0.9)
        self.batch = torch.randn(5, 3)
        Layer.walked.clear()

    def step(self):
        """Train one step, and tell every number that it made."""
        value = self.graph.forward(x=self.batch)
        self.graph.backward(self.loss)
        grads = [p.grad.clone() for p in self.graph.parameters()]
        self.sgd.step()
        values = [p.top.clone() for p in self.graph.parameters()]
        return [value, self.x.grad, *grads, *values]


@pytest.fixture(autouse=True)
def _nothing_planned():
    PLANNED.clear()
    yield
    PLANNED.clear()


def chain_value(chain, x, depth=LAYERS):
    for w in chain.graph.parameters()[:depth]:
        x = (x @ w.top).tanh()
    return x


# feeding


def test_tensors_are_fed_by_name_or_by_node():
    graph = gn.Graph()
    x = graph.input((None,), name="x")
    t = graph.input((None,), name="any text at all")
    y = x - t
    a, b = torch.tensor([5.0, 6.0]), torch.tensor([2.0, 1.0])
    expected = torch.tensor([3.0, 5.0])
    for value in (
        graph.forward({x: a, t: b}),
        graph.forward({"x": a, "any text at all": b}),
        graph.forward({t: b}, x=a),
        graph.forward({t: b, "x": a}, outputs=y),
        graph.forward(None, **{"x": a, "any text at all": b}),
    ):
        assert torch.equal(value, expected)
    assert x.top is a  # a fed tensor is used as it is
    assert t.top is b


def test_an_input_without_use_may_be_left_out_only_if_outputs_say_so():
    graph = gn.Graph()
    x, t = graph.input((2,), name="x"), graph.input((2,), name="t")
    y, _ = x * 2, t * 3
    ones = torch.ones(2)
    with pytest.raises(gn.FeedError, match="'t' is not fed"):
        graph.forward(x=ones)
    assert torch.equal(graph.forward(x=ones, outputs=y), 2 * ones)
    assert torch.equal(graph.forward(x=ones, t=ones, outputs=y), 2 * ones)  # more does not hurt


@pytest.mark.parametrize("rows", [50, 1, 7, 0, 12, 24, 50])
def test_a_batch_has_any_size(rows):
    chain = Chain()
    for size in (50, rows):
        x = torch.randn(size, 3)
        torch.testing.assert_close(
            chain.graph.forward(x=x, outputs=chain.layers[-1]), chain_value(chain, x)
        )
    seed = torch.randn(rows, 3)
    chain.graph.backward(chain.layers[-1], seed)
    assert chain.x.grad.shape == (rows, 3)
    if rows == 0:  # a sum over no rows
        assert all(not p.grad.any() for p in chain.graph.parameters())


def test_a_smaller_last_batch_leaves_nothing_of_the_one_before():
    chain = Chain()
    for batch in torch.randn(23, 3).split(10):
        value = chain.graph.forward(x=batch)
        assert torch.equal(value, (chain_value(chain, batch) ** 2).mean())
        assert [node.top.shape[0] for node in chain.layers] == [len(batch)] * (LAYERS + 1)


# what is returned, walked and dropped


def test_it_returns_the_last_operation_or_what_outputs_name():
    chain = Chain()
    graph, x = chain.graph, chain.batch
    assert graph.forward(x=x) is chain.loss.top
    first, last = chain.layers[1], chain.layers[-1]
    assert graph.forward(x=x, outputs=first) is first.top
    several = graph.forward(x=x, outputs=[last, first])
    assert isinstance(several, tuple)
    assert several[0] is last.top
    assert several[1] is first.top
    assert isinstance(graph.forward(x=x, outputs=(first,)), tuple)
    assert graph.forward(x=x, outputs=chain.x) is x
    assert graph.forward(outputs=graph["w1"]) is graph["w1"].top
    assert gn.Graph().forward() is None


@pytest.mark.parametrize("depth", range(1, LAYERS + 1))
def test_only_what_outputs_need_is_walked_and_the_rest_is_dropped(depth):
    chain = Chain()
    chain.graph.forward(x=chain.batch)
    Layer.walked.clear()
    value = chain.graph.forward(x=chain.batch, outputs=chain.layers[depth])
    assert Layer.walked == list(range(depth))
    torch.testing.assert_close(value, chain_value(chain, chain.batch, depth))
    for node in [*chain.layers[depth + 1 :], chain.loss]:
        with pytest.raises(gn.StateError, match=f"node {node.index} '{node.name}' has no value"):
            _ = node.top
        assert not node.computed
        assert node.grad is None
    chain.graph.forward(x=chain.batch)
    assert chain.loss.computed


def test_values_are_missing_before_the_first_walk():
    chain = Chain()
    for node in [*chain.layers, chain.loss]:
        with pytest.raises(gn.StateError, match=r"run a graph\.forward .* first"):
            _ = node.top
    assert chain.graph["w0"].top.shape == (3, 3)


def test_a_forward_walk_drops_the_old_gradients_of_what_it_will_change():
    chain = Chain()
    chain.graph.forward(x=chain.batch)
    chain.graph.backward(chain.loss)
    kept = [p.grad.clone() for p in chain.graph.parameters()]
    chain.graph.forward(x=chain.batch)
    assert all(node.grad is None for node in [*chain.layers, chain.loss])
    assert all(map(torch.equal, kept, [p.grad for p in chain.graph.parameters()]))


def test_asking_for_one_node_after_the_other_keeps_no_walk_for_each():
    graph = gn.Graph()
    x = y = graph.input((), name="x")
    for _ in range(400):
        y = y + 1
    one = torch.ones(())
    graph.forward(x=one)
    gc.collect()
    before = sum(len(o) for o in gc.get_objects() if type(o) is list)
    for node in graph:
        graph.forward({x: one}, outputs=node)
    gc.collect()
    after = sum(len(o) for o in gc.get_objects() if type(o) is list)
    assert after - before < 100 * len(graph)  # a walk for each would be 400 times 400 and more


# one walk at a time


class Wait(gn.Op):
    """y = x, after another thread has said so.  Shapes: any."""

    symbol = "wait"
    arrived: ClassVar = threading.Event()
    go_on: ClassVar = threading.Event()
    waits: ClassVar[list[bool]] = []

    def forward(self, x):
        if self.waits:
            self.arrived.set()
            assert self.go_on.wait(20)
        return x * 1

    def grad_x(self, grad):
        return grad


def test_a_second_thread_is_refused_while_the_first_one_walks():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    y = Wait()(x).sum()
    results = []
    Wait.waits.append(True)
    feed = torch.ones(2)
    thread = threading.Thread(target=lambda: results.append(graph.forward(x=feed)))
    try:
        thread.start()
        assert Wait.arrived.wait(20)
        for walk in (lambda: graph.forward(x=5 * feed), lambda: graph.backward(x, feed)):
            with pytest.raises(gn.StateError, match="already being walked"):
                walk()
    finally:
        Wait.waits.clear()
        Wait.go_on.set()
        thread.join(20)
    assert results[0] == 2  # the first walk went on with its own batch
    assert graph.forward(x=3 * feed) == 6
    graph.backward(y)


def test_an_operation_cannot_walk_its_own_graph():
    graph = gn.Graph()

    class Inside(gn.Op):
        """y = x.  Shapes: any."""

        symbol = "in"

        def forward(self, x):
            return graph.forward(x=x) if walking else x * 1

        grad_x = None

    walking = False
    Inside()(graph.input((2,), name="x"))
    walking = True
    with pytest.raises(gn.StateError, match=r"already being walked, .* or by one of its own"):
        graph.forward(x=torch.ones(2))
    walking = False
    assert torch.equal(graph.forward(x=torch.ones(2)), torch.ones(2))


# exceptions


@pytest.mark.parametrize("error", [PlannedError, KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("at", [f"{way} {k}" for way in ("forward", "backward") for k in range(4)])
def test_a_step_after_an_exception_is_the_step_of_a_fresh_run(at, error):
    chain, fresh = Chain(), Chain()
    for _ in range(2):
        chain.step(), fresh.step()
    kept = [p.grad.clone() for p in chain.graph.parameters()]
    PLANNED[at] = error("planned")
    expected = gn.ShapeError if at[0] == "f" and error is RuntimeError else error
    with pytest.raises(expected) as caught:
        chain.graph.forward(x=chain.batch)
        chain.graph.backward(chain.loss)
    number = chain.layers[int(at[-1]) + 1].index
    text = f"{caught.value} {getattr(caught.value, '__notes__', '')}"
    assert f"node {number} 'layer" in text
    PLANNED.clear()
    # Nothing that a step keeps was touched, and no half-made value can be read.
    assert all(map(torch.equal, kept, [p.grad for p in chain.graph.parameters()]))
    assert all(node.grad is None for node in [*chain.layers, chain.loss])
    if at[0] == "f":
        assert not any(node.computed for node in [*chain.layers, chain.loss])
        with pytest.raises(gn.StateError):
            chain.graph.backward(chain.loss)
    else:
        assert all(node.computed for node in [*chain.layers, chain.loss])
        chain.graph.backward(chain.loss)
    for _ in range(2):
        assert all(map(torch.equal, chain.step(), fresh.step()))
    chain.graph.lint()


def test_a_node_that_is_in_no_list_yet_has_no_place():
    with pytest.raises(AttributeError, match="A node has no 'index'"):
        _ = gn.Operation.__new__(gn.Operation).index
