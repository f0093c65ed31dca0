"""Every parameter and operation has one name: in the module, its list, and all that is told of it.

The names of the state are those of torch.nn for the same network.
"""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.layers.tree import by_every_name

ONES = torch.ones(3)


class Plain:
    """One layer after the other, by its attributes."""

    def parts(self, kit):
        self.first, self.second = kit.Linear(3, 3), kit.Linear(3, 3)

    def compute(self, kit, x):
        return self.second(self.first(x).tanh())


class Listed:
    """A list of layers, with an operation between them."""

    def parts(self, kit):
        self.blocks = kit.ModuleList([kit.Linear(3, 3) for _ in range(3)])

    def compute(self, kit, x):
        for block in self.blocks:
            x = block(x).tanh()
        return x


class ListsOfLists:
    """Lists in lists."""

    def parts(self, kit):
        inner = [kit.ModuleList([kit.Linear(3, 3), kit.Linear(3, 3)]) for _ in range(2)]
        self.grid = kit.ModuleList(inner)

    def compute(self, kit, x):
        for row in self.grid:
            for layer in row:
                x = layer(x)
        return x


class Dicts:
    """A dict with a layer, a Sequential and a list."""

    def parts(self, kit):
        self.heads = kit.ModuleDict({
            "left": kit.Linear(3, 3),
            "right": kit.Sequential(kit.Linear(3, 3), kit.Tanh()),
            "list": kit.ModuleList([kit.Linear(3, 3)]),
        })  # fmt: skip

    def compute(self, kit, x):
        return self.heads["right"](self.heads["left"](x)) + self.heads["list"][0](x)


class Parameters:
    """Parameters in a list and in a dict, used in another order than they are held in."""

    def parts(self, kit):
        make = PARAMETER[kit]
        self.factors = kit.ParameterList([make(ONES.clone()), make(2 * ONES)])
        self.shifts = kit.ParameterDict([("up", make(ONES.clone())), ("down", make(-ONES))])

    def compute(self, kit, x):
        x = x * self.factors[1] + self.shifts["down"]
        return x * self.factors[0] + self.shifts["up"]


class UsedTwice:
    """Layers that are called twice, one of a list."""

    def parts(self, kit):
        self.layer, self.blocks = kit.Linear(3, 3), kit.ModuleList([kit.Linear(3, 3)])

    def compute(self, kit, x):
        return self.blocks[0](self.layer(self.blocks[0](self.layer(x))))


class Inner(Listed):
    """A module with a list, to be held by a module with a list."""


class Deep:
    """A list inside a list inside a module."""

    def parts(self, kit):
        self.encoder = kit.Sequential(*(built_with(kit, Inner) for _ in range(2)))
        self.layers = kit.ModuleList([built_with(kit, Inner) for _ in range(2)])

    def compute(self, kit, x):
        x = self.encoder(x)
        for layer in self.layers:
            x = layer(x)
        return x


class Far:
    """Layers of a module that is never called itself."""

    def parts(self, kit):
        self.encoder = built_with(kit, Inner)

    def compute(self, kit, x):
        return self.encoder.blocks[0](self.encoder.blocks[2](x))


class Tied:
    """A layer and a weight under two names, the second of which is used first."""

    def parts(self, kit):
        layer = kit.Linear(3, 3)
        self.there = kit.ModuleDict({"layer": layer})
        self.here = kit.Sequential(layer, kit.Linear(3, 3, bias=False))
        self.out = kit.Linear(3, 3)
        self.out.weight = self.here[1].weight

    def compute(self, kit, x):
        return self.out(self.here(x))


class Raw:
    """The weight of a layer that is not called."""

    def parts(self, kit):
        self.embedding = kit.Linear(3, 3, bias=False)

    def compute(self, kit, x):
        return x @ self.embedding.weight.T


class Dotted:
    """Modules under names that are no identifiers."""

    def parts(self, kit):
        setattr(self, "a.b", kit.Linear(3, 3))
        setattr(self, "c d", kit.Sequential(kit.Linear(3, 3)))

    def compute(self, kit, x):
        return getattr(self, "c d")(getattr(self, "a.b")(x))


PARAMETER = {gn: gn.Parameter, nn: nn.Parameter}


def built_with(kit, body):
    """The same module in graphnet or in torch.nn."""

    def start(self):
        kit.Module.__init__(self)
        self.parts(kit)

    def build(self, x):
        return self.compute(kit, x)

    methods = {"__init__": start, "build" if kit is gn else "forward": build}
    return type(body.__name__, (body, kit.Module), methods)()


def listed(model, columns=3):
    with gn.Graph() as graph:
        y = model(gn.Input((4, columns), name="x"))
        gn.LossMSE()(y, gn.Input((4, columns), name="t"))
    graph.lint()
    return graph


EACH = pytest.mark.parametrize(
    "body", [Plain, Listed, ListsOfLists, Dicts, Parameters, UsedTwice, Deep, Far, Tied, Raw]
)


@EACH
def test_the_state_has_the_names_of_torch(body):
    ours, theirs = built_with(gn, body), built_with(nn, body)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name in ("named_parameters", "named_modules", "named_children"):
        mine, other = (getattr(model, name)() for model in (ours, theirs))
        assert [each for each, _ in mine] == [each for each, _ in other]
    theirs.double()
    ours.double().load_state_dict(theirs.state_dict())
    x = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    # a few layers of width 3 in float64
    torch.testing.assert_close(ours.forward(x), theirs(x).detach(), rtol=1e-12, atol=1e-12)


def test_names_that_are_no_identifiers():
    model = built_with(gn, Dotted)
    assert list(model.state_dict()) == list(built_with(nn, Dotted).state_dict())
    names = {each: name for name, each in model.named_parameters()}
    graph = listed(model)
    assert {each: graph.name_of(each) for each in graph.parameters()} == names


@EACH
def test_the_list_has_the_names_of_the_module(body):
    model = built_with(gn, body)
    graph = listed(model)
    names = {parameter: name for name, parameter in model.named_parameters()}
    assert {each: graph.name_of(each) for each in graph.parameters()} == {
        each: names[each] for each in graph.parameters()
    }
    assert body is Far or len(graph.parameters()) == len(names)  # Far leaves a layer out
    paths = {path for path, _ in by_every_name(model)} | {"lossmse"}
    assert {graph.name_of(node).rpartition(".")[0] for node in graph} <= paths
    private = model.forward(torch.ones(4, 3)) is not None and model._private.graph
    assert {private.name_of(each) for each in private.parameters()} <= {*names.values()}


@EACH
def test_the_summary_has_a_row_for_each_module(body):
    model = built_with(gn, body)
    graph = listed(model)
    kinds = {path: type(module).__name__ for path, module in by_every_name(model)}
    rows = [row for row in graph.summary().rows if row.path not in ("", "lossmse")]
    assert len({row.path for row in rows}) == len(rows)
    assert {row.path: row.kind for row in rows} == {row.path: kinds[row.path] for row in rows}
    for row in rows:
        held = {each for name, each in model.named_parameters() if name.startswith(row.path + ".")}
        used = held.intersection(graph.parameters())
        assert row.parameters == sum(each.top.numel() for each in used)


@EACH
def test_the_picture_and_the_derivation_have_the_names_of_the_list(body):
    graph = listed(built_with(gn, body))
    scene = scene_of(graph)
    names = [graph.name_of(node) for node in graph]
    assert [box.full_name for box in scene.boxes] == names
    for path, title in scene.titles.items():
        assert title.lower().startswith(".".join(path))
        kind = graph.scopes.kind(".".join(path))
        assert title.endswith(kind) and kind not in ("ModuleList", "ModuleDict", "")
    page = graph.derivation()
    for node in graph.parameters():
        assert re.search(rf"^ *{graph.index(node)}  \S+ .*parameter$", page, re.MULTILINE)
        if graph.name_of(node).count(".") > 1:  # shorter names may be one letter
            assert graph.name_of(node) in page


def test_what_is_used_twice_has_one_row_and_is_drawn_as_shared():
    graph = listed(built_with(gn, UsedTwice))
    rows = {row.path: row for row in graph.summary().rows}
    assert (rows["layer"].uses, rows["blocks.0"].uses, rows["blocks"].uses) == (2, 2, 0)
    assert [name for name in graph.names._nodes if name.startswith("blocks.0.linear")] == [
        "blocks.0.linear", "blocks.0.linear_1",
    ]  # fmt: skip
    assert scene_of(graph).shared == [
        "layer is shared: its 2 parameter tensors are used 2 times",
        "blocks is shared: its 2 parameter tensors are used 2 times",
    ]


def test_three_blocks_of_a_list_are_not_one_that_is_shared():
    graph = listed(built_with(gn, Listed))
    assert scene_of(graph).shared == []
    boxes = graph.draw(depth=0).scene.boxes
    assert next(box.name for box in boxes if box.kind == "module").startswith("blocks.0")
    assert "use" not in " ".join(box.note for box in boxes)


# modules that the module being built does not hold


@pytest.mark.filterwarnings("ignore:.*parameters that .* does not list")
def test_modules_made_in_build_have_names_of_their_own():
    elsewhere = gn.Linear(3, 3)

    class Net(gn.Module):
        def __init__(self):
            self.linear, self.tanh_1 = gn.Linear(3, 3), gn.Identity()

        def build(self, x):
            x = gn.Tanh()(gn.Linear(3, 3)(x))  # before those that are called so
            x = self.tanh_1(gn.Tanh()(self.linear(x)))
            return elsewhere(gn.Linear(3, 3)(elsewhere(x)))

    graph = listed(Net())
    rows = {row.path: row for row in graph.summary().rows if row.path}
    assert [(path, row.kind) for path, row in rows.items()] == [
        ("linear_1", "Linear"), ("tanh", "Tanh"), ("linear", "Linear"), ("tanh_2", "Tanh"),
        ("tanh_1", "Identity"), ("linear_2", "Linear"), ("linear_3", "Linear"),
        ("lossmse", "LossMSE"),
    ]  # fmt: skip
    assert {path: row.parameters for path, row in rows.items() if "linear" in path} == {
        "linear": 12, "linear_1": 12, "linear_2": 12, "linear_3": 12,
    }  # fmt: skip
    assert rows["linear_2"].uses == 2
    scene = scene_of(graph)
    assert [box.full_name for box in scene.boxes] == [graph.name_of(node) for node in graph]
    assert scene.shared == ["linear_2 is shared: its 2 parameter tensors are used 2 times"]


def test_modules_that_are_called_outside_of_any_do_not_take_the_names_of_those_inside():
    class Net(gn.Module):
        def __init__(self):
            self.linear = gn.Linear(3, 3)

        def build(self, x):
            return self.linear(x)

    with gn.Graph() as graph:
        gn.Linear(3, 3)(Net()(gn.Input((4, 3), name="x")))
    paths = [row.path for row in graph.summary().rows if row.kind == "Linear"]
    assert paths == ["linear", "linear_1"]


def test_a_module_that_took_the_place_of_another_has_a_name_of_its_own():
    model = gn.Sequential(gn.Linear(3, 3), gn.Sequential(gn.Linear(3, 3)))
    with gn.Graph() as graph:
        x = gn.Input((4, 3), name="x")
        model(x)
        model[1] = gn.Sequential(gn.Linear(3, 3))
        model(x)
    assert {each.path: each.parameters for each in graph.summary().rows if each.path} == {
        "0": 12, "1": 12, "1.0": 12, "1_1": 12, "1_1.0": 12,
    }  # fmt: skip


def test_what_is_assigned_in_build_has_the_name_it_was_assigned_to():
    class Lazy(gn.Module):
        def __init__(self):
            self.blocks, self.head, self.scale = gn.ModuleList(), None, None

        def build(self, x):
            if self.head is None:
                x = gn.Tanh()(x)  # the search for it knows all that is held so far
                self.blocks.append(gn.Linear(3, 3))
                self.head = gn.Linear(3, 3)
                self.scale = gn.Parameter(ONES)
            return self.head(self.blocks[0](x)) * self.scale

    model = Lazy()
    graph = listed(model)
    names = {each: name for name, each in model.named_parameters()}
    assert {each: graph.name_of(each) for each in graph.parameters()} == names


def test_a_module_that_finds_its_children_itself():
    class Own(gn.Module):
        def __init__(self):
            self.layer = gn.Linear(3, 3)

        def named_children(self):
            return iter([("mine", self.layer)])

        def build(self, x):
            return self.layer(x)

    assert [name for name in listed(Own()).names._nodes if "." in name][:3] == [
        "mine.weight", "mine.bias", "mine.linear",
    ]  # fmt: skip


def test_what_moves_while_it_is_built_is_named_by_its_new_place():
    class Moving(gn.Module):
        def __init__(self):
            self.blocks = gn.ModuleList([gn.Tanh(), gn.Tanh()])

        def build(self, x):
            x = self.blocks[0](x)
            last = self.blocks.pop()
            self.last = last
            return last(x)

    assert "last.tanh" in listed(Moving()).names
