"""Modules that hold each other in a circle, and modules in modules to any depth."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

import graphnet as gn


class Child:
    """A layer that knows the module it is in, and its siblings."""

    def __init__(self, parent):
        super().__init__()
        self.linear, self.parent = self.kit.Linear(2, 2), parent
        self.siblings = self.kit.ModuleList()

    def compute(self, x):
        return self.linear(x)


class Parent:
    """Children that know it, and with `all_know_all` each other."""

    def __init__(self, count=2, all_know_all=False):
        super().__init__()
        self.kids = self.kit.ModuleList(self.child(self) for _ in range(count))
        if all_know_all:
            for child in self.kids:
                child.siblings.extend(self.kids)

    def compute(self, x):
        for child in self.kids:
            x = child(x)
        return x


class OurChild(Child, gn.Module):
    kit, build = gn, Child.compute


class OurParent(Parent, gn.Module):
    kit, child, build = gn, OurChild, Parent.compute


class TheirChild(Child, nn.Module):
    kit, forward = nn, Child.compute


class TheirParent(Parent, nn.Module):
    kit, child, forward = nn, TheirChild, Parent.compute


class Itself(gn.Module):
    """A module that holds itself."""

    def __init__(self):
        self.me, self.weight = self, gn.Parameter(torch.ones(2))

    def build(self, x):
        return x * self.weight


class Chain(gn.Module):
    """A circle of three, and a layer with two names that is in no circle."""

    def __init__(self):
        self.next, self.layer = gn.Sequential(), gn.Linear(2, 2)
        self.next.append(gn.Residual(gn.Identity()))
        self.next[0].back = self
        self.again = self.layer

    def build(self, x):
        return self.again(self.next(x))


FIRST = ["kids.0.linear.weight", "kids.0.linear.bias"]
CIRCLES = {
    "children": (
        OurParent,
        [*FIRST, "kids.1.linear.weight", "kids.1.linear.bias"],
    ),
    "siblings": (
        lambda: OurParent(2, True),
        [*FIRST, "kids.0.siblings.1.linear.weight", "kids.0.siblings.1.linear.bias"],
    ),
    "itself": (Itself, ["weight"]),
    "three": (Chain, ["layer.weight", "layer.bias"]),
}
EACH = pytest.mark.parametrize(("make", "names"), CIRCLES.values(), ids=CIRCLES)


@EACH
def test_a_circle_is_walked_once(make, names):
    model = make()
    assert [name for name, _ in model.named_parameters()] == names
    modules = list(model.modules())
    assert len(modules) == len(set(modules))
    assert [name for name in model.state_dict() if "again" not in name] == names
    model.load_state_dict(model.state_dict())
    assert not any(module.training for module in model.eval().modules())
    assert {p.dtype for p in model.double().parameters()} == {torch.float64}
    model.float().requires_grad_(False).requires_grad_().zero_grad()
    assert repr(model).count("(...)") >= 1


@EACH
@pytest.mark.parametrize(
    "how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["copy", "pickle"]
)
def test_a_circle_computes_and_is_copied(make, names, how):
    model = make()
    x = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    y = model.forward(x)
    other = how(model)
    assert other.forward(x).equal(y)
    assert [name for name, _ in other.named_parameters()] == names
    assert not set(other.parameters()) & set(model.parameters())
    with gn.Graph() as graph:
        loss = model(gn.Input((None, 2), name="x")).sum()
    assert [graph.name_of(each) for each in graph.parameters()] == names
    graph.forward(x=x)
    graph.backward(loss)
    graph.draw(depth=0)
    assert {row.path for row in graph.summary().rows} >= {name.rpartition(".")[0] for name in names}


@pytest.mark.parametrize("arguments", [(2,), (3, True)], ids=["children", "siblings"])
def test_a_circle_has_the_names_of_torch(arguments):
    ours, theirs = OurParent(*arguments), TheirParent(*arguments)
    for name in ("named_parameters", "named_modules"):
        mine, other = (getattr(model, name)() for model in (ours, theirs))
        assert [each for each, _ in mine] == [each for each, _ in other]


def test_what_is_outside_the_circle_keeps_all_its_names():
    assert [name for name in Chain().state_dict() if name.endswith("weight")] == [
        "layer.weight", "again.weight",
    ]  # fmt: skip


class Counted(gn.ModuleList):
    """Counts how often it is looked into."""

    looks = 0

    def named_children(self):
        Counted.looks += 1
        return super().named_children()


def test_the_walk_of_a_circle_is_bounded():
    """Twelve that all know each other have 12! ways through them."""
    model = OurParent(12, True)
    for child in model.kids:
        child.siblings = Counted(child.siblings)
    for look in (model.state_dict, model.parameters, model.__repr__, model.eval):
        Counted.looks = 0
        look()
        assert Counted.looks <= 2 * 12
    assert len(model.state_dict()) == 24
    assert len(repr(model)) < 20_000


# modules in modules


def nested(depth):
    """A layer in so many Sequentials."""
    model = gn.Linear(2, 2)
    for _ in range(depth):
        model = gn.Sequential(model)
    return model


@pytest.mark.parametrize("depth", [0, 3, 400])
def test_the_text_of_modules_in_modules(depth):
    lines = repr(nested(depth)).splitlines()
    assert len(lines) == 2 * depth + 1
    assert lines[depth].strip().removeprefix("(0): ") == "Linear(2, 2, bias=True)"


def test_modules_in_modules_compute_at_any_depth():
    model, x = nested(1200), torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    (name, weight), _ = model.named_parameters()
    assert name == "0." * 1200 + "weight"
    bias = model.parameters()[1]
    # float32: one product of two numbers and a sum
    torch.testing.assert_close(model(x), x @ weight.top.T + bias.top, rtol=1e-6, atol=1e-6)
    model.backward(torch.ones(3, 2))
    assert bias.grad.tolist() == [3, 3]
    with gn.Graph() as graph:
        y = model(gn.Input((None, 2), name="x"))
    assert y.name == "0." * 1200 + "linear"
    assert graph.name_of(weight) == name


def test_sequentials_that_are_opened_are_left():
    inner = gn.Sequential(gn.Tanh(), gn.Sequential(gn.Linear(3, 2), gn.Sequential()), gn.Tanh())
    model = gn.Sequential(inner, gn.Tanh(), gn.Sequential(gn.Sequential(gn.ReLU())))
    with gn.Graph() as graph:
        model(gn.Input((None, 3), name="x"))
        with pytest.raises(gn.ShapeError):
            model(gn.Input((None, 2), name="wrong"))
        model(graph["x"]).tanh()
    names = [node.name for node in graph if node.kind == "operation"]
    assert [name for name in names if "_" not in name] == [
        "0.0.tanh", "0.1.0.linear", "0.2.tanh", "1.tanh", "2.0.0.relu", "tanh",
    ]  # fmt: skip
    modes = [graph.makers[graph[name]] for name in ("0.0.tanh", "2.0.0.relu")]
    assert modes == [model[0][0], model[2][0][0]]


def test_a_sequential_in_itself_is_refused():
    model = gn.Sequential(gn.Tanh(), gn.Sequential())
    model[1].append(model)
    with pytest.raises(gn.GraphError, match="inside itself"):
        model.forward(torch.ones(2))
    del model[1]
    assert model.forward(torch.zeros(2)).tolist() == [0, 0]


def test_a_list_that_holds_itself_is_an_attribute_like_others():
    model = gn.Sequential(gn.Tanh())
    model.notes = []
    model.notes.append(model.notes)
    model.sizes = [(2,), (2,)]
    assert model.forward(torch.zeros(2)).tolist() == [0, 0]
    model.notes.append(gn.Tanh())
    with pytest.raises(gn.GraphError, match=r"Sequential\.notes is a list of modules"):
        model.forward(torch.zeros(2))
