"""Sequential against torch.nn.Sequential with autograd in float64."""

from __future__ import annotations

import pytest
import torch
from layers.torch_pairs import check, close, randn
from torch import nn

import graphnet as gn


def build(kit, layers):
    """The same network in graphnet or in torch.nn: numbers are Linear, words are activations."""
    modules = [
        kit.Linear(*layer) if isinstance(layer, tuple)
        else kit.Sequential(*build(kit, layer)) if isinstance(layer, list)
        else getattr(kit, layer)()
        for layer in layers
    ]  # fmt: skip
    return kit.Sequential(*modules)


NETWORKS = {
    "course": [(2, 25), "Tanh", (25, 25), "Tanh", (25, 25), "Tanh", (25, 2)],
    "relu": [(3, 8), "ReLU", (8, 8, False), "ReLU", (8, 1), "Sigmoid"],
    "nested": [[(2, 5), "Tanh"], [[(5, 4)], "ReLU"], (4, 3), "Identity"],
    "without parameters": ["Tanh", "ReLU"],
    "empty": [],
}
EACH = pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS.keys())


def pair(layers, seed=0):
    torch.manual_seed(seed)
    theirs = build(nn, layers).double()
    ours = build(gn, layers).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def columns(layers):
    while isinstance(layers, list) and layers:
        layers = layers[0]
    return layers[0] if isinstance(layers, tuple) else 3


@EACH
def test_batches_of_several_sizes_accumulate(layers):
    ours, theirs = pair(layers)
    generator = torch.Generator().manual_seed(0)
    for rows in (5, 1, 50, 0, 5, 7):
        check(ours, theirs, randn((rows, columns(layers)), generator))
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, randn((4, columns(layers)), generator))


@EACH
def test_names_and_shapes_are_those_of_torch(layers):
    ours, theirs = pair(layers)
    mine = {name: tuple(value.shape) for name, value in ours.state_dict().items()}
    assert list(mine.items()) == [(n, tuple(v.shape)) for n, v in theirs.state_dict().items()]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    theirs.load_state_dict(ours.state_dict())


def test_training_follows_torch():
    ours, theirs = pair(NETWORKS["course"])
    generator = torch.Generator().manual_seed(3)
    loss, criterion = gn.LossMSE(), nn.MSELoss()
    descent = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for rows in [50] * 20 + [7, 1]:
        x = torch.rand(rows, 2, generator=generator, dtype=torch.float64)
        t = torch.rand(rows, 2, generator=generator, dtype=torch.float64)
        ours.zero_grad()
        value = loss.forward(ours.forward(x), t)
        ours.backward(loss.backward()[0])
        for parameter, gradient in ours.param():
            parameter.sub_(0.1 * gradient)
        descent.zero_grad()
        expected = criterion(theirs(x), t)
        expected.backward()
        descent.step()
        close(value, expected)
    for (value, _), other in zip(ours.param(), theirs.parameters(), strict=True):
        close(value, other)


# a container


def test_add_appends_and_returns_the_whole():
    model = gn.Sequential()
    first, second, third = gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1)
    assert model.add(first).add(second, third) is model
    assert list(model) == [first, second, third]
    assert len(model) == 3
    assert model[0] is first
    assert model[-1] is third
    part = model[1:]
    assert isinstance(part, gn.Sequential)
    assert list(part) == [second, third]
    with pytest.raises(IndexError):
        model[3]
    assert gn.Sequential()  # an empty one is true as well


def test_add_after_the_first_forward():
    ours, theirs = pair([(2, 3), "Tanh"])
    generator = torch.Generator().manual_seed(0)
    check(ours, theirs, randn((4, 2), generator))
    other, built_with = pair([(3, 1)], seed=1)
    ours.add(*other)
    theirs.append(built_with[0])
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, randn((4, 2), generator))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (gn.Tanh, ["Tanh", "Write Tanh()"]),
        (torch.tanh, ["tanh"]),
        (None, ["None"]),
        ([gn.Tanh()], ["got list", "Sequential(*modules)"]),
        (nn.Tanh(), ["torch.nn", "graphnet.Tanh"]),
    ],
    ids=range(5),
)
def test_only_modules_are_added(wrong, words):
    with pytest.raises(gn.GraphError) as error:
        gn.Sequential(gn.Tanh(), wrong)
    model = gn.Sequential(gn.Tanh())
    with pytest.raises(gn.GraphError) as error:
        model.add(gn.ReLU(), wrong)
    assert [word for word in words if word not in str(error.value)] == []
    assert len(model) == 1


def test_a_module_used_twice_shares_its_weights():
    linear, built_with = gn.Linear(3, 3), nn.Linear(3, 3)
    ours = gn.Sequential(linear, gn.Tanh(), linear).double()
    theirs = nn.Sequential(built_with, nn.Tanh(), built_with).double()
    linear.load_state_dict(built_with.state_dict())
    assert ours.parameters() == linear.parameters()
    generator = torch.Generator().manual_seed(0)
    for rows in (4, 1, 6):
        check(ours, theirs, randn((rows, 3), generator))


def test_state_of_a_module_used_twice_moves_to_and_from_torch():
    linear, built_with = gn.Linear(3, 3), nn.Linear(3, 3)
    ours = gn.Sequential(linear, gn.Tanh(), linear)
    theirs = nn.Sequential(built_with, nn.Tanh(), built_with)
    ours.load_state_dict(theirs.state_dict())
    assert linear.weight.top.equal(built_with.weight)
    other = nn.Linear(3, 3)
    nn.Sequential(other, nn.Tanh(), other).load_state_dict(ours.state_dict())
    assert other.weight.equal(built_with.weight)


def test_a_subclass_may_hold_more_than_the_sequence():
    class Net(gn.Sequential):
        def __init__(self):
            super().__init__(gn.Linear(2, 3), gn.Tanh())
            self.scale = gn.Parameter(torch.ones(3))
            self.head = gn.Linear(3, 1)

        def build(self, x):
            return self.head(super().build(x) * self.scale)

    model = Net()
    assert [name for name, _ in model.named_parameters()] == [
        "scale", "0.weight", "0.bias", "head.weight", "head.bias",
    ]  # fmt: skip
    model.forward(torch.ones(4, 2))
    model.backward(torch.ones(4, 1))
    assert model.head.bias.grad.tolist() == [4]
    assert len(model.param()) == 5


# in a graph


def test_nodes_are_named_by_the_path_of_their_module():
    model = build(gn, NETWORKS["nested"])
    with gn.Graph() as graph:
        model(gn.Input((None, 2), name="x"))
    assert [node.name for node in graph] == [
        "x", "0.0.weight", "0.0.bias", "0.0.linear", "0.1.tanh",
        "1.0.0.weight", "1.0.0.bias", "1.0.0.linear", "1.1.relu",
        "2.weight", "2.bias", "2.linear", "3.identity",
    ]  # fmt: skip
    graph.lint()


def test_layers_that_do_not_fit_are_named():
    model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(4, 1))
    with gn.Graph() as graph, pytest.raises(gn.ShapeError) as error:
        model(graph.input((None, 2), name="x"))
    words = ["'1.tanh'", "(?, 3)", "'2.weight'", "(1, 4)"]
    assert [word for word in words if word not in str(error.value)] == []
    with pytest.raises(gn.ShapeError, match=r"'2\.weight'"):
        model.forward(torch.ones(5, 2))


def test_repr():
    model = gn.Sequential(gn.Linear(2, 3), gn.Sequential(gn.Tanh(), gn.Linear(3, 1, bias=False)))
    assert repr(model).splitlines() == [
        "Sequential(",
        "  (0): Linear(2, 3, bias=True)",
        "  (1): Sequential(",
        "    (0): Tanh()",
        "    (1): Linear(3, 1, bias=False)",
        "  )",
        ")",
    ]
    assert repr(gn.Sequential()) == "Sequential()"
