"""What is wrong with a network: each fault is found, and a sound network has none."""

from __future__ import annotations

from math import inf

import pytest
import torch

import graphnet as gn
from graphnet import ops
from graphnet.diagnose.health import health
from graphnet.experiments import disk
from graphnet.experiments.options import Settings


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def built(network, rows=32, x=None, back=True):
    """A list after a step: network(graph, x) appends the loss."""
    graph = gn.Graph()
    loss = network(graph, graph.input((None, 4), name="x"))
    graph.forward(x=normal(rows, 4) if x is None else x)
    if back:
        graph.backward(loss)
    return graph


def weight(graph, scale=0.5, shape=(4, 4), name="w", seed=1):
    return graph.parameter(normal(*shape, seed=seed) * scale, name=name)


def sound(graph, x):
    return ((x @ weight(graph)).tanh() @ weight(graph, name="v", seed=2)).square().mean()


def dead(graph, x):
    return (x @ weight(graph) + torch_parameter(graph, [0.0, -100, 0, -100])).relu().mean()


def torch_parameter(graph, values):
    return graph.parameter(torch.tensor(values), name="b")


def all_dead(graph, x):
    return (x @ weight(graph) - 100.0).relu().mean()


def dead_relu6(graph, x):
    return ops.relu6(x @ weight(graph) + torch_parameter(graph, [3.0, -100, 3, -100])).mean()


def saturated_relu6(graph, x):
    return ops.relu6(x.abs() + 7).mean()


def saturated_hardtanh(graph, x):
    return ops.hardtanh(x @ weight(graph, 100)).mean()


def saturated_tanh(graph, x):
    return (x @ weight(graph, 100)).tanh().mean()


def saturated_sigmoid(graph, x):
    return (x @ weight(graph, 100)).sigmoid().mean()


def vanishing(graph, x):
    return (((x @ weight(graph)).sin() * 1e-5) @ weight(graph, name="v")).sum()


def exploding(graph, x):
    return (((x @ weight(graph)).sin() * 1e5) @ weight(graph, name="v")).sum()


def unreached(graph, x):
    (x @ weight(graph, name="lost")).tanh()
    return sound(graph, x)


def unread(graph, x):
    graph.input((2,), name="y")
    return sound(graph, x)


def not_a_number(graph, x):
    return (x @ weight(graph)).log().sum()


def overflow(graph, x):
    return (x @ weight(graph)).mul(1000.0).exp().sum()


CASES = [  # network, name of the node, mark, words of the sentence
    (dead, "relu", "2 of 4 dead", "2 of 4 units are dead: 0 for each of 32 examples"),
    (all_dead, "relu", "4 of 4 dead", "4 of 4 units are dead"),
    (dead_relu6, "clamp", "2 of 4 dead", "2 of 4 units are dead"),
    (saturated_relu6, "clamp", "100% saturated", "where clamp is flat"),
    (saturated_hardtanh, "clamp", "% saturated", "where clamp is flat"),
    (all_dead, "w", "zero gradient", "its gradient is 0 everywhere"),
    (saturated_tanh, "tanh", "% saturated", "of its values are saturated, where tanh is flat"),
    (saturated_sigmoid, "sigmoid", "% saturated", "where sigmoid is flat"),
    (vanishing, "sin", "gradient vanishes", "its norm is 1e-05 times that of node"),
    (exploding, "sin", "gradient explodes", "its norm is 1e+05 times that of node"),
    (unreached, "lost", "no gradient", "the loss does not depend on it"),
    (unreached, "tanh", "not read", "no node reads it"),
    (not_a_number, "log", "not finite", "computed by log from 'matmul' from -"),
    (overflow, "exp", "not finite", "infinite of 128, computed by exp from 'mul' from"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__}-{case[1]}")
def test_a_fault_is_found_at_its_node(case):
    network, name, mark, words = case
    graph = built(network)
    report = health(graph)
    place = graph[name].index
    assert mark in report.marks[place]
    found = [each for each in report.findings if each.place == place and mark in each.mark]
    assert words in found[0].sentence
    assert found[0].sentence.startswith(f"node {place} '{name}': ")
    assert f"{found[0].sentence}\n  way out: {found[0].way_out}" in str(report)
    assert not report


def test_a_sound_network_has_no_finding():
    report = health(built(sound))
    assert report
    assert report.marks == {}
    assert str(report) == "The values and gradients show no problem."


@pytest.mark.parametrize("layer", [gn.Conv2d(1, 3, 3), gn.BatchNorm2d(1)], ids=repr)
def test_layers_of_images_are_sound(layer):
    graph = gn.Graph()
    x = graph.input((None, 1, 6, 6), name="x")
    loss = layer(x).square().mean()
    graph.forward(x=normal(16, 1, 6, 6))
    graph.backward(loss)
    assert health(graph), str(health(graph))


def test_dead_channels_of_images():
    graph = gn.Graph()
    x = graph.input((None, 3, 4, 4), name="x")
    x.relu().mean()
    image = normal(16, 3, 4, 4)
    image[:, 1] = -1
    graph.forward(x=image)
    assert health(graph).marks == {1: "1 of 3 dead"}
    assert "1 of 3 units is dead" in str(health(graph))


def test_few_examples_tell_nothing_of_a_unit():
    assert "dead" not in str(health(built(dead, rows=2)))


def test_only_the_first_value_that_is_not_finite_is_named():
    report = health(built(not_a_number))
    assert sum(each.mark == "not finite" for each in report.findings) == 1


def test_a_mask_of_infinities_is_meant():
    def masked(graph, x):
        scores = (x @ weight(graph)).masked_fill(x > 0.5, -inf)
        return scores.softmax(-1).square().mean()

    assert health(built(masked, back=False))


def test_infinite_data_that_reach_the_loss_are_named():
    report = health(built(lambda graph, x: x.abs().sum(), x=torch.full((8, 4), inf), back=False))
    assert report.marks == {0: "not finite"}
    assert "the first value that is not finite: 32 infinite of 32." in str(report)


def test_a_gradient_that_is_not_finite():
    def root(graph, x):
        return (x * weight(graph, shape=(4,))).sqrt().sum()

    report = health(built(root, x=torch.zeros(4, 4)))
    assert "gradient not finite" in report.marks.values()
    assert "inf" in str(report)


def test_without_a_backward_walk_gradients_are_not_judged():
    graph = built(all_dead, back=False)
    assert health(graph).marks == {graph["relu"].index: "4 of 4 dead"}


def test_a_loss_that_is_nearly_zero_is_no_fault():
    def fitted(graph, x):
        return (x @ weight(graph)).sin().mul(1e-4).square().mean()

    assert "gradient" not in str(health(built(fitted)).marks)


def zero_factor(graph, x):
    return (x @ weight(graph)).sigmoid() * ops.zeros_like(x) @ weight(graph, name="v")


def difference(graph, x):
    hidden = x @ weight(graph)
    return (hidden - hidden * 0.99999) @ weight(graph, name="v")


def key_bias(graph, x):
    bias = graph.parameter(torch.zeros(8), name="b").narrow(0, 0, 4)
    keys = ops.linear(x, weight(graph), bias)
    return (x @ keys.mT).softmax(-1) @ x @ weight(graph, name="v")


@pytest.mark.parametrize("network", [zero_factor, difference, key_bias])
def test_gradients_that_are_small_for_a_reason_are_no_fault(network):
    report = health(built(lambda graph, x: network(graph, x).sum()))
    assert "gradient vanishes" not in str(report.marks)


def test_frozen_parameters_need_no_gradient():
    def frozen(graph, x):
        lost = weight(graph, name="lost")
        lost.requires_grad = False
        (x @ lost).mean()
        return sound(graph, x)

    assert "no gradient" not in str(health(built(frozen)))


def test_an_input_that_nobody_reads():
    graph = gn.Graph()
    y = graph.input((2,), name="y")
    loss = sound(graph, graph.input((None, 4), name="x"))
    graph.forward({"x": normal(8, 4), "y": torch.zeros(2)})
    graph.backward(loss)
    assert health(graph).marks == {y.index: "not read"}


def test_derivatives_in_the_list_need_no_reader():
    graph = gn.Graph()
    loss = sound(graph, graph.input((None, 4), name="x"))
    graph.gradients(loss, graph.parameters())
    graph.forward(x=normal(32, 4))
    graph.backward(loss)
    assert health(graph)


def test_only_tops_and_grads_are_read():
    graph = built(dead)
    before = [
        (node.top.clone(), None if node.grad is None else node.grad.clone()) for node in graph
    ]
    versions = [node.version for node in graph]
    health(graph)
    assert versions == [node.version for node in graph]
    for node, (top, grad) in zip(graph, before, strict=True):
        assert torch.equal(node.top, top)
        assert (node.grad is None and grad is None) or torch.equal(node.grad, grad)


def test_without_a_forward_walk_there_is_nothing_to_judge():
    graph = gn.Graph()
    graph.input((2,), name="x").relu()
    with pytest.raises(gn.GraphError, match=r"run graph\.forward"):
        health(graph)


def test_a_few_dead_units_are_usual():
    values = [-100.0, 3, 3, 3]
    graph = built(lambda graph, x: (x * 0.01 + torch_parameter(graph, values)).relu().mean())
    assert health(graph)


def layers(count, activation, scale):
    """Layers with weights of this deviation times 1 / √32, after a seed."""
    torch.manual_seed(0)
    parts = []
    for _ in range(count):
        linear = gn.Linear(32, 32)
        linear.weight.top.normal_(0, scale / 32**0.5)
        parts += [linear, activation()]
    return gn.Sequential(*parts, gn.Linear(32, 2))


def trained(module, shape=(None, 32), rows=64, output=lambda y: y):
    """A list after a step of a module on normal data."""
    graph = gn.Graph()
    loss = output(module(graph.input(shape, name="x"))).square().mean()
    graph.forward(x=normal(*(rows if size is None else size for size in shape)))
    graph.backward(loss)
    return graph


CHAINS = [  # network, mark, words
    (lambda: layers(30, gn.Sigmoid, 0.6), "vanishes", "e-"),
    (lambda: layers(90, gn.Sigmoid, 0.6), "vanishes", "0 here, out of the range of float32"),
    (lambda: layers(20, gn.Tanh, 0.06), "vanishes", "e-"),
    (lambda: layers(12, gn.ReLU, 30), "explodes", "e+"),
]


@pytest.mark.parametrize("case", CHAINS)
def test_a_gradient_that_changes_along_the_chain_is_reported_once_with_both_ends(case):
    module, verb, words = case
    graph = trained(module())
    found = [each for each in health(graph).findings if each.mark == f"gradient {verb}"]
    assert [each.place for each in found] == [graph["0.linear"].index]
    last = [node for node in graph if node.name.endswith(".linear")][-1]
    assert f"the gradient {verb} on the way back from node {last.index} " in found[0].sentence
    assert words in found[0].sentence
    assert "zero gradient" not in str(health(graph).marks)


def disk_network(scale, activation, init):
    """The network of the third notebook after a step, with first weights times a number."""
    generator = torch.Generator().manual_seed(0)
    settings = Settings(quiet=True, activation=activation, init=init)
    points, labels = gn.data.disk(500, generator)
    task = disk.Task(disk.network(settings, generator), settings)
    for parameter in task.model.parameters():
        parameter.top.mul_(scale)
    task.graph.forward(x=disk.centered(points), t=gn.data.one_hot(labels, 2))
    task.graph.backward(task.loss)
    return task.graph


@pytest.mark.parametrize("start", [("tanh", "xavier"), ("tanh", "default"), ("relu", "kaiming")])
def test_small_first_weights_are_found_in_a_network_of_a_few_layers(start):
    assert "gradient vanishes" not in str(health(disk_network(1.0, *start)).marks)
    graph = disk_network(0.1, *start)
    found = [each for each in health(graph).findings if each.mark == "gradient vanishes"]
    assert [each.place for each in found] == [graph["0.linear"].index]
    ratio = float(graph["0.linear"].grad.norm() / graph["6.linear"].grad.norm())
    assert f"; each of 3 products multiplies it by {ratio ** (1 / 3):.2g}" in found[0].sentence


@pytest.mark.parametrize("activation", [gn.ReLU, gn.Tanh])
@pytest.mark.parametrize("count", [3, 8, 16])
def test_first_weights_of_layers_are_sound(count, activation):
    torch.manual_seed(0)
    parts = [part for _ in range(count) for part in (gn.Linear(32, 32), activation())]
    report = health(trained(gn.Sequential(*parts[:18], gn.Linear(32, 2))))
    assert "gradient" not in str(report.marks)


def test_weights_that_are_too_large_explode_in_a_few_layers():
    torch.manual_seed(0)
    model = gn.Sequential(*[gn.Linear(32, 32, bias=False) for _ in range(4)])
    for layer in model:
        layer.weight.top.normal_()  # without the factor 1 / √32
    found = health(trained(model)).findings
    assert [each.mark for each in found] == ["gradient explodes"]
    assert "; each of 3 products multiplies it by" in found[0].sentence


class Block(gn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.one, self.two = gn.LayerNorm(32), gn.Linear(32, 64), gn.Linear(64, 32)

    def build(self, x):
        return x + self.two(self.one(self.norm(x)).relu())


SOUND = {
    "residual": lambda: trained(gn.Sequential(*[Block() for _ in range(24)], gn.Linear(32, 2))),
    "kaiming": lambda: trained(layers(20, gn.ReLU, 2**0.5)),
    "small": lambda: trained(
        gn.Sequential(gn.Linear(2, 25), gn.ReLU(), gn.Linear(25, 2)), shape=(None, 2)
    ),
    "LSTM": lambda: trained(gn.LSTM(5, 12), (20, None, 5), 16, lambda y: y[0]),
    "LSTM, last step": lambda: trained(gn.LSTM(5, 12), (20, None, 5), 16, lambda y: y[0][19]),
    "LSTM, state": lambda: trained(gn.LSTM(5, 12), (20, None, 5), 16, lambda y: y[1][0]),
    "GRU": lambda: trained(gn.GRU(5, 12), (20, None, 5), 16, lambda y: y[0]),
    "attention": lambda: trained(Attention(), (6, None, 8), 16),
}


class Attention(gn.Module):
    def __init__(self):
        super().__init__()
        self.inner = gn.MultiheadAttention(8, 2)

    def build(self, x):
        return self.inner(x, x, x)[0]


@pytest.mark.parametrize("name", SOUND)
def test_sound_networks_have_no_finding(name):
    torch.manual_seed(0)
    report = health(SOUND[name]())
    assert report, str(report)


class Aside(gn.Module):
    """A user's module with an operation that nothing reads."""

    def build(self, x):
        x.exp()
        return x.sin()


def test_what_the_user_may_leave_out_is_reported_in_a_module_too():
    graph = built(lambda graph, x: Aside()(x).mean(), back=False)
    assert health(graph).marks == {graph["exp"].index: "not read"}


def test_a_library_module_that_nobody_reads_is_reported():
    def network(graph, x):
        gn.Tanh()(x)
        return x.sin().mean()

    assert list(health(built(network)).marks.values()) == ["not read"]


def test_a_metric_behind_the_loss_is_no_fault():
    graph = gn.Graph()
    x, t = graph.input((None, 3), name="x"), graph.input((None, 2), name="t")
    error = gn.Linear(3, 2)(x) - t
    loss = error.square().mean()
    error.abs().mean()
    other = graph.parameter(torch.ones(2), name="other").square().sum()
    graph.forward(x=normal(9, 3), t=normal(9, 2))
    assert health(graph)
    graph.backward(loss)
    assert health(graph).marks == {graph["other"].index: "no gradient"}
    assert graph.doctor(loss=loss).marks == health(graph).marks
    assert set(graph.doctor(loss=other).marks.values()) == {"no gradient"}
    with pytest.raises(gn.GraphError, match="loss must be a node"):
        graph.doctor(loss="mean")


def test_several_losses_are_ends_all():
    graph = gn.Graph()
    x = graph.input((None, 4), name="x")
    losses = [(x @ weight(graph, name=name)).square().mean() for name in "vw"]
    graph.forward(x=normal(9, 4))
    graph.backward(losses)
    assert health(graph)


def test_data_that_are_not_finite_are_no_matter_of_the_learning_rate():
    x = normal(9, 4)
    x[0, 0] = float("nan")
    report = health(built(sound, x=x, back=False))
    assert "look at the data" in report.findings[0].way_out
    assert "learning rate" not in report.findings[0].way_out
