"""What the two walks leave alone: fed tensors, parameters, torch's autograd, and the memory."""

from __future__ import annotations

import contextlib
import gc
import sys
import tracemalloc

import pytest
import torch

import graphnet as gn


class Net:
    """tanh(x v + b) w to a mean square error against t, in float32 as by default."""

    def __init__(self):
        torch.manual_seed(3)
        self.graph = gn.Graph()
        self.x = self.graph.input((None, 3), name="x", requires_grad=True)
        self.t = self.graph.input((None, 2), name="t")
        self.v = self.graph.parameter(torch.randn(3, 4), name="v")
        self.b = self.graph.parameter(torch.randn(4), name="b")
        self.w = self.graph.parameter(torch.randn(4, 2), name="w")
        self.scale = self.graph.parameter(torch.ones(2), name="scale", requires_grad=False)
        self.y = (self.x @ self.v + self.b).tanh() @ self.w * self.scale
        self.loss = gn.LossMSE()(self.y, self.t)
        self.batch = {"x": torch.randn(6, 3), "t": torch.randn(6, 2)}

    @property
    def parameters(self):
        return self.graph.parameters()

    def forward(self):
        return self.graph.forward(self.batch)

    def walk(self):
        self.forward()
        self.graph.backward(self.loss)
        return [p.grad.clone() for p in (self.v, self.b, self.w)]


def copies(tensors):
    return [tensor.clone() for tensor in tensors]


# fed tensors and parameters


def test_both_walks_write_to_no_fed_tensor_and_to_no_parameter():
    net = Net()
    watched = [*net.batch.values(), *(p.top for p in net.parameters)]
    before, versions = copies(watched), [tensor._version for tensor in watched]
    net.walk()
    net.graph.backward(net.loss, accumulate=True)
    net.graph.backward(net.y, torch.ones(6, 2))
    assert all(map(torch.equal, before, watched))
    assert [tensor._version for tensor in watched] == versions


def test_batches_with_strides_or_of_one_memory_are_only_read():
    net = Net()
    whole = torch.randn(3, 6)
    net.batch["x"] = whole.T
    first = net.walk()
    net.batch["x"] = whole.T.contiguous()
    for a, b in zip(first, net.walk(), strict=True):
        torch.testing.assert_close(a, b)
    net.batch["x"] = torch.ones(1, 3).expand(6, 3)  # six rows in one memory
    net.walk()
    assert torch.equal(net.batch["x"], torch.ones(6, 3))


def test_a_gradient_that_two_nodes_were_sent_is_not_added_to_in_place():
    graph = gn.Graph()
    a = graph.input((2,), name="a", requires_grad=True)
    b = graph.input((2,), name="b", requires_grad=True)
    c = a + b  # hands one tensor to both
    loss = c.sum() + (a * 10).sum() + (b * 100).sum() + (c * 1000).sum()
    graph.forward(a=torch.ones(2), b=torch.ones(2))
    for _ in range(2):
        graph.backward(loss)
        grads = [node.grad.unique().tolist() for node in (a, b, c)]
        assert grads == [[1011.0], [1101.0], [1001.0]]


def test_the_gradient_to_start_from_is_not_written_to():
    graph = gn.Graph()
    x = graph.input((2,), name="x", requires_grad=True)
    w = graph.parameter(torch.ones(2), name="w")
    y = x + w
    seed = torch.ones(2)
    graph.forward(x=torch.ones(2))
    for _ in range(3):
        graph.backward([y, y], [seed, seed], accumulate=True)
    assert torch.equal(seed, torch.ones(2))
    assert torch.equal(x.grad, torch.full((2,), 6.0))
    assert torch.equal(w.grad, torch.full((2,), 6.0))
    w.grad.zero_()
    assert torch.equal(x.grad, torch.full((2,), 6.0))  # nobody shares the gradient of a parameter


# torch's autograd

MODES = {
    "as it is": contextlib.nullcontext,
    "no_grad": torch.no_grad,
    "enable_grad": torch.enable_grad,
    "inference_mode": torch.inference_mode,
}


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_autograd_is_left_out_in_every_mode(mode):
    expected = Net().walk()
    net = Net()
    net.batch = {name: tensor.requires_grad_() for name, tensor in net.batch.items()}
    sgd = gn.SGD(net.parameters[:3], lr=0.0)
    with mode():
        found = net.walk()
        sgd.step()
        net.walk()
    assert all(map(torch.equal, found, expected))
    for node in net.graph:
        assert not node.top.requires_grad, node
        assert node.grad is None or not node.grad.requires_grad, node
    assert all(tensor.grad is None for tensor in net.batch.values())


@pytest.mark.parametrize("first", MODES.values(), ids=MODES)
@pytest.mark.parametrize("second", MODES.values(), ids=MODES)
def test_a_graph_goes_from_one_mode_to_another(first, second):
    net, expected = Net(), Net().walk()
    with first():  # here the gradients of the parameters are made
        assert all(map(torch.equal, net.walk(), expected))
    with second():
        net.batch = {name: tensor.clone() for name, tensor in net.batch.items()}
        assert all(map(torch.equal, net.walk(), expected))
        gn.SGD(net.parameters[:3], lr=0.1, momentum=0.9).step()
        net.walk()


def test_a_graph_is_built_and_used_in_inference_mode():
    expected = Net().walk()
    with torch.inference_mode():
        net = Net()
        assert all(map(torch.equal, net.walk(), expected))
        gn.SGD(net.parameters[:3], lr=0.1).step()
        net.walk()


def test_a_batch_made_in_inference_mode_can_be_fed_outside():
    net, expected = Net(), Net().walk()
    with torch.inference_mode():
        net.batch = {name: tensor.clone() for name, tensor in net.batch.items()}
    assert all(map(torch.equal, net.walk(), expected))


WITH_HISTORY = {
    "the value a parameter is made from": lambda net, t: gn.Parameter(t).top,
    "a value assigned": lambda net, t: [setattr(net.v, "top", t), net.v.top][1],
    "a gradient assigned": lambda net, t: [setattr(net.v, "grad", t), net.v.grad][1],
    "a state": lambda net, t: load(t),
    "the gradient to start from": lambda net, t: start(t, net),
}


def load(tensor):
    layer = gn.Linear(3, 4)
    layer.load_state_dict({"weight": tensor.T, "bias": tensor.sum(0)})
    return layer.weight.top


def start(tensor, net):
    net.forward()
    net.graph.backward(net.graph["matmul"], tensor[:1].expand(6, 4))
    return net.v.grad


@pytest.mark.parametrize("take", WITH_HISTORY.values(), ids=WITH_HISTORY)
def test_a_tensor_with_an_autograd_history_leaves_it_outside(take):
    tensor = torch.ones(3, 4, requires_grad=True) * 2
    with torch.enable_grad():
        kept = take(Net(), tensor)
    assert not kept.requires_grad
    assert kept.grad_fn is None


# values that have gone stale


def _change_batch(net):
    net.batch["x"].add_(1)


def _change_a_row(net):
    net.batch["t"][0] = 0


def _step(net):
    gn.SGD(net.parameters[:3], lr=0.1).step()


STALE = {
    "a batch changed in place": (_change_batch, "node 0 'x'"),
    "a row of a batch": (_change_a_row, "node 1 't'"),
    "a parameter in place": (lambda net: net.w.top.mul_(2), "'w'"),
    "a parameter assigned": (lambda net: setattr(net.b, "top", torch.ones(4)), "'b'"),
    "a buffer": (lambda net: net.scale.top.mul_(2), "'scale'"),
    "an optimizer's step": (_step, "'[vbw]'"),
}


@pytest.mark.parametrize("grad_needed", [False, True])
@pytest.mark.parametrize(("change", "name"), STALE.values(), ids=STALE)
def test_a_walk_back_over_stale_values_is_refused(change, name, grad_needed):
    net = Net()
    if grad_needed:
        net.batch = {name: tensor.clone().requires_grad_() for name, tensor in net.batch.items()}
    net.walk()
    with torch.no_grad():
        change(net)
    grads = copies(p.grad for p in net.parameters[:3])
    with pytest.raises(gn.StateError, match=rf"{name} was changed .* graph\.forward again"):
        net.graph.backward(net.loss)
    assert all(map(torch.equal, grads, (p.grad for p in net.parameters[:3])))
    net.walk()


def test_what_the_target_does_not_need_may_change():
    net = Net()
    net.forward()
    net.batch["t"].zero_()
    net.w.top.zero_()
    net.graph.backward(net.graph["tanh"], torch.ones(6, 4))


def test_what_the_walk_back_writes_makes_nothing_stale():
    net = Net()
    net.walk()
    net.v.grad.zero_()
    net.w.grad = torch.ones(4, 2)
    net.graph.backward(net.loss)
    net.graph.backward(net.y, torch.ones(6, 2), accumulate=True)


# memory


def alive(kind):
    gc.collect()
    return sum(issubclass(type(each), kind) for each in gc.get_objects())


def test_many_steps_do_not_need_more_memory():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    w = graph.parameter(torch.ones(2, 1), name="w")
    loss = (x @ w).tanh().sum()
    sgd = gn.SGD([w], lr=1e-6, momentum=0.9)
    batches = [torch.ones(3, 2), torch.ones(2, 2)]

    def steps(count):
        for place in range(count):
            graph.forward(x=batches[place % 2])
            graph.backward(loss)
            sgd.step()

    steps(100)
    nodes, tensors = alive(gn.Node), alive(torch.Tensor)
    blocks = sys.getallocatedblocks()
    steps(2_500)
    assert sys.getallocatedblocks() - blocks < 500  # far less than one for each step
    tracemalloc.start()
    try:
        steps(100)
        before, _ = tracemalloc.get_traced_memory()
        steps(2_000)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2_000  # not one byte for each step
    assert peak - before < 50_000
    assert alive(gn.Node) == nodes
    assert alive(torch.Tensor) == tensors


def test_a_graph_that_nobody_holds_is_freed_with_its_nodes():
    nodes, graphs = alive(gn.Node), alive(gn.Graph)
    shared = gn.Parameter(torch.ones(2))
    for _ in range(20):
        graph = gn.Graph()
        loss = (graph.input((2,), name="x") * shared).sum()
        graph.gradients(loss, [shared])
        graph.forward(x=torch.ones(2))
        graph.backward(loss)
    del graph, loss
    assert alive(gn.Graph) == graphs
    assert alive(gn.Node) == nodes + 1
    assert len(shared.places) == 0


WRITES = {
    "result": lambda net, value: value.mul_(2),
    "loss": lambda net, value: net.loss.top.zero_(),
    "part": lambda net, value: net.y.top[0].zero_(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_values_that_were_written_to_are_not_differentiated(write):
    net = Net()
    value = net.forward()
    write(net, value)
    with pytest.raises(gn.StateError, match="was written to after the forward pass"):
        net.graph.backward(net.loss)
    net.walk()


def test_a_view_of_a_parameter_may_change_with_its_arena():
    """Another parameter that lies beside it is changed: this graph's values are as they were."""
    first, second = gn.Parameter(torch.ones(2, 3)), gn.Parameter(torch.ones(2))
    gn.SGD([first, second])
    with gn.Graph() as graph:
        loss = (gn.Input((3,), name="x") * first.reshape(3, 2).sum(1)).sum()
    graph.forward(x=torch.ones(3))
    second.top = torch.zeros(2)
    graph.backward(loss)
    assert first.grad.tolist() == [[1, 1, 1], [1, 1, 1]]
