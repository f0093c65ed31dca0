"""Gradients, frozen parameters, and optimizers together with a graph."""

from __future__ import annotations

import pytest
import torch
from optim.torch_pairs import MEMORY, TorchPair, assert_words, network, torch_network
from torch import nn

import graphnet as gn

# gradients, frozen parameters


def test_assigned_gradient_is_copied():
    parameter = gn.Parameter(torch.zeros(3))
    sgd = gn.SGD([parameter, gn.Parameter(torch.zeros(2))], lr=1.0)
    grad = torch.ones(3)
    parameter.grad = grad
    grad.fill_(7)
    sgd.step()
    assert parameter.top.tolist() == [-1, -1, -1]
    assert grad.tolist() == [7, 7, 7]
    parameter.grad = None
    assert parameter.grad is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.ones(2), ["(3,)", "(2,)"]),
        (torch.ones(3, dtype=torch.float64), ["float64", "float32"]),
        (1.0, ["float"]),
    ],
    ids=["shape", "dtype", "number"],
)
def test_assigned_gradient_that_does_not_fit(value, words):
    parameter = gn.Parameter(torch.zeros(3))
    with pytest.raises(gn.GraphError) as error:
        parameter.grad = value
    assert_words(words, error)
    assert parameter.grad is None


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_frozen_parameter_is_one_without_gradient_in_torch(kind, options):
    options = {**options, "weight_decay": 0.1}
    both = TorchPair()
    both.set_gradients(frozen=(1,))
    pair = both.optimizers(kind, options)
    for frozen in [(1,), (), (0, 4), (0,), (), (0, 1, 2, 3, 4), ()]:
        for _ in range(3):
            both.step(*pair, frozen)
            both.check()


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_freed_parameter_that_lives_in_an_arena_of_its_own(kind, options):
    both = TorchPair([(2,), (3,), (2,)])
    both.optimizers(kind, options, (0, 2))  # parameter 1 is left to live alone
    pair = both.optimizers(kind, options, (0, 1))
    for frozen in [(1,), (), (0,), ()]:
        both.step(*pair, frozen)
        both.check()


# together with a graph


@pytest.mark.parametrize("moment", ["before the graph", "after the graph", "before backward"])
def test_optimizer_made_at_any_moment(moment):
    model = network()
    net = torch_network(model.state_dict())
    options = {"lr": 0.1, "momentum": 0.9}
    theirs = torch.optim.SGD(net.parameters(), **options)
    ours = gn.SGD(model.parameters(), **options) if moment == "before the graph" else None
    with gn.Graph() as graph:
        x = gn.Input((None, 2), name="x", dtype=torch.float64)
        t = gn.Input((None, 1), name="t", dtype=torch.float64)
        loss = gn.LossMSE()(model(x), t)
    if moment == "after the graph":
        ours = gn.SGD(model.parameters(), **options)
    generator = torch.Generator().manual_seed(2)
    for rows in (7, 3, 1, 7, 5):
        points = torch.rand(rows, 2, generator=generator, dtype=torch.float64)
        targets = torch.rand(rows, 1, generator=generator, dtype=torch.float64)
        graph.forward(x=points, t=targets)
        ours = ours or gn.SGD(model.parameters(), **options)
        graph.backward(loss)
        ours.step()
        theirs.zero_grad()
        nn.functional.mse_loss(net(points), targets).backward()
        theirs.step()
    for mine, other in zip(model.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(mine.top, other.detach(), rtol=0, atol=1e-12)


def test_step_leaves_graphs_of_other_parameters_fresh():
    first, second = gn.Linear(2, 2), gn.Linear(2, 2)
    gn.SGD(first.parameters() + second.parameters())  # one arena for both
    sgd = gn.SGD(first.parameters(), lr=0.1)
    x = torch.ones(3, 2)
    first.forward(x)
    second.forward(x)
    first.backward(torch.ones(3, 2))
    sgd.step()
    second.backward(torch.ones(3, 2))
    assert second.weight.grad.tolist() == [[3, 3], [3, 3]]
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        first.backward(torch.ones(3, 2))


def test_a_changed_parameter_is_noticed_after_it_moved():
    first, second = gn.Parameter(torch.ones(2)), gn.Parameter(torch.ones(2))
    first.top = torch.ones(2)
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    loss = (x * first * first).sum()
    graph.forward(x=torch.ones(2))
    first.top = torch.full((2,), 3.0)
    gn.SGD([first, second])
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        graph.backward(loss)


def test_a_changed_parameter_is_noticed_although_another_graph_saw_the_change():
    parameter = gn.Parameter(torch.ones(2))
    graphs = [gn.Graph(), gn.Graph()]
    losses = []
    for graph in graphs:
        with graph:
            losses.append((gn.Input((2,), name="x") * parameter * parameter).sum())
    graphs[0].forward(x=torch.ones(2))
    parameter.top = torch.full((2,), 3.0)
    graphs[1].forward(x=torch.ones(2))
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        graphs[0].backward(losses[0])
    graphs[1].backward(losses[1])
    assert parameter.grad.tolist() == [6, 6]
