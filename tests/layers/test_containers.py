"""Lists and dicts of modules and parameters beside those of torch.nn, and a way around a module."""

from __future__ import annotations

import pytest
import torch
from layers.torch_pairs import PARAMETER, check, seeded
from torch import nn

import graphnet as gn


def test_containers():
    class Stack(gn.Module):
        def __init__(self):
            self.steps = gn.ModuleList([gn.Linear(3, 3) for _ in range(2)])
            self.steps.append(gn.Residual(gn.Linear(3, 3)))

        def build(self, x):
            for step in self.steps:
                x = step(x)
            return x

    stack = Stack()
    assert list(stack.state_dict())[-1] == "steps.2.inner.bias"
    assert len(stack.steps) == 3
    assert stack.steps[-1] is stack.steps[1:][1]
    x = torch.randn(4, 3)
    first, second, last = stack.steps
    h = second.forward(first.forward(x))
    torch.testing.assert_close(stack.forward(x), h + last.inner.forward(h))
    with pytest.raises(gn.GraphError):
        gn.ModuleList([3])
    with pytest.raises(gn.GraphError):
        gn.Residual(gn.Linear(3, 1)).forward(x)


# the methods of a list

CHANGES = {
    "append": lambda model, new: model.append(new(0)),
    "extend": lambda model, new: model.extend([new(0), new(1)]),
    "insert at the start": lambda model, new: model.insert(0, new(0)),
    "insert inside": lambda model, new: model.insert(1, new(0)),
    "insert at the end": lambda model, new: model.insert(3, new(0)),
    "pop": lambda model, new: model.pop(1),
    "pop from the end": lambda model, new: model.pop(-1),
    "set": lambda model, new: model.__setitem__(1, new(0)),
    "set from the end": lambda model, new: model.__setitem__(-3, new(0)),
    "del": lambda model, new: model.__delitem__(0),
    "del from the end": lambda model, new: model.__delitem__(-1),
    "del a slice": lambda model, new: model.__delitem__(slice(0, 2)),
    "del every other": lambda model, new: model.__delitem__(slice(None, None, 2)),
    "add": lambda model, new: model + type(model)(*wrapped(model, [new(0)])),
    "add in place": lambda model, new: model.__iadd__(type(model)(*wrapped(model, [new(0)]))),
    "slice": lambda model, new: model[0:2],
    "slice from the end": lambda model, new: model[-2:],
    "every other": lambda model, new: model[::2],
}


def wrapped(model, items):
    """The arguments from which a list of this kind is made."""
    return items if isinstance(model, gn.Sequential | nn.Sequential) else [items]


LISTS = [
    (kind, name)
    for kind in ("Sequential", "ModuleList", "ParameterList")
    for name in CHANGES
    if kind != "ParameterList" or name.split()[0] in ("append", "extend", "set", "slice", "every")
]  # that of torch has no other methods
KEPT = [("Sequential", name) for name in ("slice from the end", "every other")]
"""Where torch keeps the numbers of before, from which no list of ours is made."""


@pytest.mark.parametrize(("kind", "name"), LISTS)
def test_a_list_changes_as_that_of_torch(kind, name):
    results = []
    for kit in (gn, nn):

        def new(number, kit=kit):
            if kind == "ParameterList":
                return PARAMETER[kit](torch.full((3,), 10.0 + number))
            return kit.Linear(3, 3, bias=bool(number))

        model = getattr(kit, kind)()
        model.extend([new(number) for number in (1, 2, 0)])
        before = [*model]
        made = CHANGES[name](model, new)
        after = made if isinstance(made, type(model)) else model
        kept = [[old for old in range(3) if before[old] is each] for each in after]
        state = [] if (kind, name) in KEPT else [*after.state_dict()]
        taken = [made is each for each in before]
        results.append((state, len(model), len(after), kept, taken, made is model))
    if name.startswith("insert"):  # a ModuleList of torch returns nothing
        results = [result[:-1] for result in results]
    assert results[0] == results[1]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_sequential_that_changed_computes_as_that_of_torch(change):
    torch.manual_seed(0)
    ours, theirs = (
        kit.Sequential(kit.Linear(3, 3), kit.Tanh(), kit.Linear(3, 3)).double() for kit in (gn, nn)
    )
    x = torch.randn(4, 3, generator=seeded(), dtype=torch.float64)
    ours.forward(x)  # its private graph is that of before
    made = [
        change(model, lambda number, kit=kit: kit.Linear(3, 3, bias=bool(number)).double())
        for kit, model in ((gn, ours), (nn, theirs))
    ]
    if isinstance(made[0], gn.Sequential):
        ours, theirs = made[0], nn.Sequential(*made[1])  # numbered from 0
    ours.load_state_dict(theirs.state_dict())
    check(ours, theirs, x)


@pytest.mark.parametrize("kind", [gn.ModuleList, gn.ParameterList])
def test_a_list_is_extended_by_itself(kind):
    model = kind([gn.Tanh() if kind is gn.ModuleList else torch.ones(2)])
    assert len(model.extend(model)) == 2
    assert model[0] is model[1]


@pytest.mark.parametrize("kind", [gn.ModuleList, gn.ParameterList])
@pytest.mark.parametrize("place", [3, -4, 100])
@pytest.mark.parametrize("use", [
    lambda model, place: model[place],
    lambda model, place: model.pop(place),
    lambda model, place: model.__setitem__(place, model[0]),
    lambda model, place: model.__delitem__(place),
])  # fmt: skip
def test_a_place_that_is_not_there(kind, place, use):
    item = gn.Tanh() if kind is gn.ModuleList else torch.ones(2)
    model = kind([item] * 3)
    with pytest.raises(IndexError, match=rf"holds 3 items, .*; got the index {place}") as error:
        use(model, place)
    assert isinstance(error.value, gn.GraphError)
    assert len(model) == 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gn.ModuleList(gn.Linear(2, 2)), "a list of items; got Linear"),
        (lambda: gn.ModuleList([gn.Tanh()]).insert(0, torch.ones(2)), "Tensor"),
        (lambda: gn.ModuleList([gn.Tanh()]).__setitem__(0, nn.Tanh()), "use graphnet.Tanh"),
        (lambda: gn.Sequential(gn.Tanh()).extend([gn.Tanh(), 3]), "int"),
        (lambda: gn.ModuleDict({"a": 3}), "int"),
        (lambda: gn.ModuleDict([("a", gn.Parameter(torch.ones(2)))]), "Parameter"),
        (lambda: gn.ModuleDict({"a.b": gn.Tanh()}), "without a dot.*'a.b'"),
        (lambda: gn.ModuleDict({"": gn.Tanh()}), "non-empty string"),
        (lambda: gn.ModuleDict({3: gn.Tanh()}), "got 3"),
        (lambda: gn.ModuleDict({"_dict": gn.Tanh()}), "not one of its attributes"),
        (lambda: gn.ParameterList([gn.Tanh()]), "parameters and tensors; got Tanh.*ModuleList"),
        (lambda: gn.ParameterDict({"a": 3.0}), "got float"),
    ],
)
def test_what_does_not_belong_into_a_container_is_refused(make, words):
    with pytest.raises(gn.GraphError, match=words):
        make()


@pytest.mark.parametrize("kind", [gn.ModuleList, gn.ModuleDict, gn.ParameterList, gn.ParameterDict])
def test_a_container_that_refuses_is_as_before(kind):
    item = gn.Tanh() if "Module" in kind.__name__ else torch.ones(2)
    model = kind([item]) if "List" in kind.__name__ else kind({"a": item})
    with pytest.raises(gn.GraphError):
        if "List" in kind.__name__:
            model.extend([item, None])
        else:
            model.update({"b": item, "a": None})
    assert len(model) == 1
    assert model


# the methods of a dict


@pytest.mark.parametrize("kind", ["ModuleDict", "ParameterDict"])
def test_a_dict_changes_as_that_of_torch(kind):
    results = []
    for kit in (gn, nn):

        def new(size, kit=kit):
            tensor = torch.ones(size)
            return kit.Linear(size, 1) if kind == "ModuleDict" else PARAMETER[kit](tensor)

        model = getattr(kit, kind)([("b", new(1)), ("a", new(2))])
        model["c"] = new(3)
        model.update([("a", new(4)), ("d", new(5))])
        del model["b"]
        taken = model.pop("d")
        model["b"] = taken
        with pytest.raises((KeyError, AttributeError)[: 1 + (kit is nn)]):
            model.pop("d")
        state = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
        same = [model[name] is each for name, each in model.items()]
        same += [name in model for name in "abcd"]
        results.append((state, same, [*model], [*model.keys()], len(model), len([*model.values()])))
        model.clear()
        assert len(model) == 0
        assert not model.state_dict()
    assert results[0] == results[1]


def test_a_name_that_is_not_there():
    heads = gn.ModuleDict({"mean": gn.Tanh(), "spread": gn.Tanh()})
    with pytest.raises(gn.GraphError, match="ModuleDict holds mean, spread; got 'means'"):
        heads["means"]
    assert heads.get("means") is None
    assert heads.get("mean") is heads["mean"]


def test_a_dict_that_changed_is_noticed():
    class Net(gn.Module):
        def __init__(self):
            self.parts = gn.ModuleDict({"first": gn.Identity()})
            self.scales = gn.ParameterList([torch.full((1,), 2.0)])

        def build(self, x):
            for part in self.parts.values():
                x = part(x)
            for scale in self.scales:
                x = x * scale
            return x

    model, x = Net(), torch.tensor([-1.0])
    assert model.forward(x).tolist() == [-2]
    model.parts["second"] = gn.ReLU()
    assert model.forward(x).tolist() == [0]
    model.parts["second"] = gn.Identity()
    model.scales.append(torch.full((1,), 3.0))
    assert model.forward(x).tolist() == [-6]
    model.scales[0] = gn.Parameter(torch.full((1,), 5.0))
    assert model.forward(x).tolist() == [-15]
    model.backward(torch.ones(1))
    assert [each.grad.tolist() for each in model.scales] == [[-3], [-5]]


def test_the_text_of_containers():
    lists = gn.ModuleList([gn.ModuleDict({"a": gn.Tanh()}), gn.ParameterList([torch.ones(2, 3)])])
    assert repr(lists).splitlines() == [
        "ModuleList(",
        "  (0): ModuleDict(",
        "    (a): Tanh()",
        "  )",
        "  (1): ParameterList((2, 3))",
        ")",
    ]


def blocks(library, sizes):
    """Layers of these sizes in a list, inside a list, inside a sequence."""
    make = {
        gn: lambda size: gn.Sequential(gn.Dropout(size / 10), gn.ReLU()),
        nn: lambda size: nn.Sequential(nn.Dropout(size / 10), nn.ReLU()),
    }[library]
    lists = [library.ModuleList([make(size) for size in sizes]) for _ in range(2)]
    return library.Sequential(library.ReLU(), library.ModuleList(lists), library.ReLU())


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 2, 2, 1), (1, 2), (3,), ()])
def test_equal_neighbours_in_a_list_are_written_once_as_in_torch(sizes):
    ours, theirs = repr(blocks(gn, sizes)), repr(blocks(nn, sizes))
    assert ours == theirs.replace(", inplace=False", "")
    if len(set(sizes)) < len(sizes):
        assert "2 x ModuleList(" in ours
        assert " x Sequential(\n" in ours


def test_a_long_list_of_blocks_has_a_short_text():
    assert len(repr(gn.ModuleList([Shared() for _ in range(500)])).splitlines()) == 5


class Shared(gn.Module):
    """A module with contents."""

    def __init__(self):
        self.one = gn.Linear(2, 2)


# building is linear


class Blocks(gn.Module):
    """Layers in a list, with one made in build behind each if asked for."""

    def __init__(self, count, made):
        self.blocks = gn.ModuleList([gn.Identity() for _ in range(count)])
        self.made = made

    def build(self, x):
        for block in self.blocks:
            x = block(x)
            x = gn.Identity()(x) if self.made else x
        return x


@pytest.mark.parametrize(
    "make",
    [
        lambda count: gn.Sequential(*(gn.Identity() for _ in range(count))),
        lambda count: Blocks(count, made=False),
        lambda count: Blocks(count, made=True),
        lambda count: gn.Sequential(*(Blocks(1, made=True) for _ in range(count))),
    ],
    ids=["sequential", "list", "list and made in build", "lists in modules"],
)
def test_twice_as_many_modules_take_twice_as_many_steps(make, monkeypatch):
    steps = []
    look = gn.Module.named_children

    def counted(self):
        for pair in look(self):
            steps.append(pair)
            yield pair

    monkeypatch.setattr(gn.Module, "named_children", counted)
    counts = []
    for count in (100, 200):
        model, start = make(count), len(steps)
        model(gn.Graph().input((2,), name="x"))
        counts.append(len(steps) - start)
    assert counts[1] <= 2.1 * counts[0]
