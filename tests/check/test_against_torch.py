"""`graph.compare_with_torch`: the walk agrees with torch's autograd, and wrong rules are found."""

from __future__ import annotations

import pytest
import torch
from ops.table import CASES
from torch import Tensor

import graphnet as gn
from graphnet.check import against_torch as autograd

BATCH = torch.linspace(-1, 1, 5 * 64).reshape(5, 1, 8, 8).sin()
LABELS = torch.tensor([0, 1, 2, 0, 1])


@pytest.fixture(autouse=True)
def one_turn(monkeypatch):
    monkeypatch.setattr(autograd, "_TURNS", 1)


def network():
    """Everything at once: convolution, statistics, ties after a relu, random numbers."""
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Conv2d(1, 4, 3), gn.BatchNorm2d(4), gn.ReLU(), gn.MaxPool2d(2), gn.Flatten(),
        gn.Dropout(0.5), gn.Linear(36, 3),
    )  # fmt: skip
    with gn.Graph() as graph:
        x = gn.Input((None, 1, 8, 8), name="x")
        target = gn.Input((None,), name="target", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(model(x), target)
    return graph, model, loss


def graph_of(case):
    """The operation of a case, and the sum of its squares as the loss."""
    graph, feed, arguments = gn.Graph(), {}, []
    for place, value in enumerate(case.tensors()):
        argument = value
        if isinstance(value, Tensor):
            floating = value.dtype.is_floating_point
            shape = tuple(value.shape)
            argument = graph.input(
                shape, name=f"x{place}", dtype=value.dtype, requires_grad=floating
            )
            feed[argument] = value
        arguments.append(argument)
    output = case.op(*arguments)
    return graph, feed, output


def test_every_operation_agrees():
    count = 0
    for case in CASES:
        graph, feed, output = graph_of(case)
        if output.dtype.is_floating_point:
            comparison = graph.compare_with_torch(feed, (output * output).sum())
            assert comparison, f"{case.name}\n{comparison}"
            count += 1
    assert count > 500


def test_a_network_agrees_and_stays_as_it_is():
    graph, model, _ = network()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    random = torch.get_rng_state()
    comparison = graph.compare_with_torch({"x": BATCH, "target": LABELS})
    assert comparison, str(comparison)
    assert len(comparison.rows) == len(graph)
    assert comparison.walk_seconds > 0
    assert comparison.torch_seconds > 0
    for name, each in model.state_dict().items():
        assert torch.equal(each, before[name]), name
    assert torch.equal(torch.get_rng_state(), random)


def test_the_feed_and_the_loss_of_the_last_walk_are_taken():
    graph, _, loss = network()
    with pytest.raises(gn.FeedError, match=r"graph\.forward"):
        graph.compare_with_torch()
    graph.forward(x=BATCH, target=LABELS)
    assert graph.compare_with_torch()
    assert graph.compare_with_torch(None, loss)
    with pytest.raises(gn.GraphError, match="no operation"):
        gn.Graph().compare_with_torch()


def test_a_generator_of_its_own_draws_the_same_on_both_sides():
    graph = gn.Graph()
    x = graph.input((50,), name="x", requires_grad=True)
    generator = torch.Generator().manual_seed(3)
    gn.ops.dropout(x, generator=generator).sum()
    state = generator.get_state()
    assert graph.compare_with_torch({x: torch.ones(50)})
    assert torch.equal(generator.get_state(), state)


class Wrong(gn.Op):
    symbol = "x²"

    def forward(self, x):
        return x * x

    def grad_x(self, grad, x):
        return grad * x


class Left(gn.Op):
    """It leaves torch's record: no gradient returns."""

    symbol = "left"

    def forward(self, x):
        return x.detach() * 2

    def grad_x(self, grad):
        return grad * 2


class Written(gn.Op):
    """Its forward writes to its input, which torch refuses."""

    symbol = "written"

    def forward(self, x):
        return x.add_(0)

    def grad_x(self, grad):
        return grad


@pytest.mark.parametrize("op", [Wrong(), Left()])
def test_a_difference_is_named(op):
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    op(x).sum()
    comparison = graph.compare_with_torch({x: torch.tensor([1.0, 2.0, 3.0])})
    assert not comparison
    assert [row.name for row in comparison.wrong] == ["x"]
    assert "1 of 3 nodes differ. In reverse, the gradients diverge at 0 'x'" in str(comparison)


def test_the_node_that_reads_what_is_wrong_first_is_found_behind_many_others():
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    Wrong()(x.tanh().exp().sin().cos().exp().tanh()).sum()
    comparison = graph.compare_with_torch({x: torch.tensor([1.0, 2.0, 3.0])})
    assert len(comparison.wrong) == 7
    assert comparison.verdict.endswith(
        "diverge at 6 'tanh_1': check the rules of the nodes that read it."
    )


def test_what_is_frozen_has_no_gradient_on_either_side():
    layer = gn.Linear(3, 2)
    layer.weight.requires_grad = False
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x")
        layer(x).sum()
    comparison = graph.compare_with_torch({x: torch.ones(4, 3)})
    assert comparison, str(comparison)
    assert [row.grad_size >= 0 for row in comparison.rows] == [False, False, True, True, True]


def test_what_torch_cannot_follow_is_refused():
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    Written()(x).sum()
    with pytest.raises(gn.GraphError, match="cannot follow node 1 'written'"):
        graph.compare_with_torch({x: torch.ones(3)})


def test_what_torch_cannot_differentiate_is_reported():
    class Overwritten(gn.Op):
        symbol = "eˣ + 1"

        def forward(self, x):
            return x.exp().add_(1)  # torch has saved eˣ for its rule

        def grad_x(self, grad, top):
            return grad * (top - 1)

    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    Overwritten()(x).sum()
    with pytest.raises(gn.GraphError, match="cannot go back: one of the variables needed"):
        graph.compare_with_torch({x: torch.ones(3)})


def test_a_node_that_is_its_own_input_has_a_gradient_of_its_own():
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    same = gn.ops.identity(x)
    (same * 2 + x * 3).sum()
    comparison = graph.compare_with_torch({x: torch.ones(3)})
    assert comparison, str(comparison)
    assert [row.grad_size for row in comparison.rows[:2]] == [5, 2]
