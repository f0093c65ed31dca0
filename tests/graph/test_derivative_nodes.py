"""The nodes that `gradients` appends: which they are, how they are named, where they start."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops

F64 = torch.float64
CLOSE = {"rtol": 1e-10, "atol": 1e-10}  # two derivatives in float64, the sums in another order


def rand(*shape, seed=0):
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


class Net:
    """tanh(x w), its squares, and their sum."""

    def __init__(self):
        self.graph = gn.Graph()
        self.x = self.graph.input((None, 3), name="x", dtype=F64)
        self.w = self.graph.parameter(rand(3, 2), name="w")
        self.h = (self.x @ self.w).tanh()
        self.y = self.h**2
        self.loss = self.y.sum()


def slopes(function, *leaves, grad=None):
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    with torch.enable_grad():
        return torch.autograd.grad(function(*leaves), leaves, grad, materialize_grads=True)


# sources and targets


def test_a_source_may_stand_anywhere_and_more_than_once():
    net, batch = Net(), rand(4, 3, seed=1)
    sources = [net.h, net.w, net.y, net.h, net.loss, net.x]
    nodes = net.graph.gradients(net.loss, sources)
    found = net.graph.forward(x=batch, outputs=nodes)
    h, w = (batch @ net.w.top).tanh(), net.w.top
    by_x, by_w = slopes(lambda x, w: ((x @ w).tanh() ** 2).sum(), batch, w)
    ones = torch.ones(4, 2, dtype=F64)
    expected = [2 * h, by_w, ones, 2 * h, torch.ones((), dtype=F64), by_x]
    for tensor, reference in zip(found, expected, strict=True):
        assert_close(tensor, reference, **CLOSE)


def test_one_source_need_not_be_in_a_list():
    net = Net()
    (node,) = net.graph.gradients(net.loss, net.w)
    assert_close(
        net.graph.forward(x=rand(4, 3), outputs=node),
        slopes(lambda w: ((rand(4, 3) @ w).tanh() ** 2).sum(), net.w.top)[0],
        **CLOSE,
    )


@pytest.mark.parametrize("rows", [4, 1, 0])
def test_a_source_that_is_not_reached_has_zeros_of_its_shape(rows):
    net = Net()
    other = net.graph.input((None, 5), name="other", dtype=F64)
    unused = net.graph.parameter(rand(7), name="unused")
    later = net.loss.exp()
    labels = net.graph.input((None,), name="labels", dtype=torch.int64)
    nodes = net.graph.gradients(net.loss, [other, unused, later, labels])
    found = net.graph.forward(
        {"x": rand(2, 3), "other": rand(rows, 5), "labels": torch.arange(rows)}, outputs=nodes
    )
    assert [tuple(each.shape) for each in found] == [(rows, 5), (7,), (), (rows,)]
    assert not any(each.any() for each in found)


def test_where_no_gradient_flows_there_are_zeros():
    net = Net()
    flat = net.h.sign() + net.h.masked_fill(net.h < 9, 1.0)
    (node,) = net.graph.gradients(flat.sum(), [net.w])
    assert not net.graph.forward(x=rand(4, 3), outputs=node).any()


def test_only_what_leads_to_a_source_is_differentiated():
    net = Net()
    size = len(net.graph)
    net.graph.gradients(net.loss, [net.y])
    assert all(node.op.name != "tanh" for node in net.graph[size:])
    assert len(net.graph) - size <= 3
    before = len(net.graph)
    net.graph.gradients(net.loss, [])
    assert len(net.graph) - before <= 1


@pytest.mark.parametrize("rows", [5, 1])
def test_a_seed_makes_a_product_of_vector_and_jacobian(rows):
    net = Net()
    seed = net.graph.input((None, 2), name="seed", dtype=F64)
    (node,) = net.graph.gradients(net.h, [net.w], grad=seed)
    batch, vector = rand(rows, 3, seed=1), rand(rows, 2, seed=2)
    found = net.graph.forward(x=batch, seed=vector, outputs=node)
    expected = slopes(lambda w: (batch @ w).tanh(), net.w.top, grad=vector)
    assert_close(found, expected[0], **CLOSE)


def test_a_seed_for_a_scalar_and_a_product_with_the_hessian():
    net = Net()
    twice = net.graph.parameter(torch.tensor(2.0, dtype=F64), requires_grad=False)
    (slope,) = net.graph.gradients(net.loss, [net.w], grad=twice)
    vector = net.graph.parameter(rand(3, 2, seed=5), name="v", requires_grad=False)
    (product,) = net.graph.gradients(slope, [net.w], grad=vector)
    batch = rand(4, 3, seed=1)
    found = net.graph.forward(x=batch, outputs=product)
    w = net.w.top.clone().requires_grad_()
    with torch.enable_grad():
        (first,) = torch.autograd.grad(2 * ((batch @ w).tanh() ** 2).sum(), w, create_graph=True)
        (expected,) = torch.autograd.grad(first, w, vector.top)
    assert_close(found, expected, **CLOSE)


# names, groups and flags


def test_derivative_nodes_are_named_as_a_group():
    net = Net()
    size = len(net.graph)
    net.graph.gradients(net.loss, [net.w, net.x])
    appended = net.graph[size:]
    assert appended
    assert all(node.name.startswith("gradients.") for node in appended)
    second = len(net.graph)
    net.graph.gradients(net.y.mean(), [net.w])
    names = [node.name for node in net.graph]
    assert len(set(names)) == len(names)
    assert net.graph[second].name == "mean"  # what the user appends is named as ever
    assert net.h.exp().name == "exp"
    net.graph.lint()


def test_derived_nodes_are_flagged_and_the_last_other_node_is_the_result():
    net, batch = Net(), rand(4, 3)
    size = len(net.graph)
    (slope,) = net.graph.gradients(net.loss, [net.w])
    operations = [node for node in net.graph if isinstance(node, gn.Operation)]
    assert [node.derived for node in operations] == [node.index >= size for node in operations]
    assert net.graph.forward(x=batch) is net.loss.top
    (bend,) = net.graph.gradients(slope.sum(), [net.w])  # the sum is the user's own
    assert net.graph[-1].derived
    value = net.graph.forward(x=batch)
    assert torch.equal(value, slope.top.sum())
    penalty = (bend * bend).sum()
    assert net.graph.forward(x=batch) is penalty.top
    assert not penalty.derived


def test_an_unreached_source_is_derived_too():
    net = Net()
    other = net.graph.parameter(rand(2), name="other")
    net.graph.gradients(net.loss, [other])
    assert net.graph.forward(x=rand(4, 3)) is net.loss.top


def test_derivatives_go_to_the_graph_of_the_target_whatever_the_block():
    net = Net()
    with gn.Graph() as other:
        (slope,) = net.graph.gradients(net.loss, [net.w])
        with pytest.raises(gn.GraphError):  # the block is as before
            _ = gn.Parameter(rand(2)) + net.x + gn.Input((2,), name="mine")
        assert gn.Input((2,), name="other").graph is other
    assert slope.graph is net.graph


def test_a_rule_that_fails_leaves_names_and_flags_as_they_were():
    class Faulty(gn.Op):
        """y = x.  Shapes: any."""

        symbol = "?"

        def forward(self, x):
            return x * 1

        def grad_x(self, grad):
            raise ZeroDivisionError("told")

    net = Net()
    wrong = Faulty()(net.h).sum()
    with pytest.raises(ZeroDivisionError):
        net.graph.gradients(wrong, [net.w])
    later = net.h.exp()
    assert (later.name, later.derived) == ("exp", False)
    with pytest.raises(gn.GraphError, match="no graph"):
        gn.Input((1,), name="outside")
    net.graph.lint()
    net.graph.gradients(net.loss, [net.w])


def test_training_on_a_loss_of_derivatives_updates_the_parameters():
    net, batch = Net(), rand(4, 3, seed=1)
    (slope,) = net.graph.gradients(net.loss, [net.x])
    loss = (slope * slope).mean()
    sgd = gn.SGD([net.w], lr=0.05)
    values = []
    for _ in range(20):
        values.append(float(net.graph.forward(x=batch)))
        net.graph.backward(loss)
        sgd.step()
    assert values[-1] < 0.9 * values[0]
    assert values == sorted(values, reverse=True)


def test_a_wrong_shape_from_a_rule_is_refused_where_it_is_used():
    class Wrong(gn.Op):
        """y = x.  Shapes: any."""

        symbol = "?"

        def forward(self, x):
            return x * 1

        def grad_x(self, grad):
            return grad.sum(0)

    net = Net()
    wrong = Wrong()(net.h)
    message = r"of node \d+ 'wrong' by its input node \d+ 'tanh' must have .*; got \(2,\)"
    with pytest.raises(gn.ShapeError, match=message):
        net.graph.gradients(wrong.sum(), [net.w])
    net.graph.forward(x=rand(4, 3))
    with pytest.raises(gn.ShapeError, match=message):
        net.graph.backward(wrong, rand(4, 2))
    net.graph.backward(net.loss)


def test_a_rule_reads_an_unknown_size_when_it_is_fed():
    graph = gn.Graph()
    x = graph.input((None, None), name="x", dtype=F64)
    (slope,) = graph.gradients((x.mean() + x.mean(0).sum()) * ops.size(x, 0), [x])
    for rows, columns in ((2, 3), (1, 1), (5, 2)):
        value = graph.forward(x=rand(rows, columns), outputs=slope)
        expected = torch.full((rows, columns), 1.0 / columns + 1.0, dtype=F64)
        assert_close(value, expected, **CLOSE)
