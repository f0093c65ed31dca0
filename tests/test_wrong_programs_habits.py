"""Wrong programs that a habit from torch brings along: each is told how it is done here."""

from __future__ import annotations

import pytest
import torch
from wrong_programs import goes_wrong

import graphnet as gn


class LikeTorch(gn.Module):
    """The way in which a module of torch is written."""

    def forward(self, x):
        return x


class Cube(gn.Op):
    """An op that takes no options.  Shapes: any."""

    symbol = "x³"

    def forward(self, x):
        return x * x * x

    def grad_x(self, grad, x):
        return grad * 3 * x * x


def op_with(**members):
    """A class of ops with these members."""
    return type("Mine", (gn.Op,), {"__annotations__": {}, **members})


def identity(self, x):
    return x


def rule(self, grad):
    return grad


HABITS = {
    "a loss by torch's name": (
        lambda w: gn.MSELoss,
        AttributeError,
        ["no attribute 'MSELoss'", "losses are called graphnet.LossMSE"],
    ),
    "layers in nn": (lambda w: gn.nn, AttributeError, ["at the top level", "graphnet.Linear"]),
    "an activation as a function": (lambda w: gn.relu, AttributeError, [r"graphnet\.ops\.relu"]),
    "a slip of the pen": (lambda w: gn.Lineer, AttributeError, ["did you mean graphnet.Linear"]),
    "forward instead of build": (
        lambda w: LikeTorch()(w.x),
        gn.GraphError,
        ["LikeTorch has no build", "rename its `forward` to `build`"],
    ),
    "a layer of torch.nn on a node": (
        lambda w: torch.nn.Linear(3, 2)(w.x),
        gn.GraphError,
        [r"torch\.nn", "such as graphnet.Linear"],
    ),
    "a layer of torch.nn in a Sequential": (
        lambda w: gn.Sequential(torch.nn.Linear(3, 2)),
        gn.GraphError,
        [r"torch\.nn", "use graphnet.Linear"],
    ),
    "a class of torch.nn in a Sequential": (
        lambda w: gn.Sequential(torch.nn.Tanh),
        gn.GraphError,
        [r"torch\.nn", "use graphnet.Tanh"],
    ),
    "a parameter of torch.nn in an operation": (
        lambda w: w.x * torch.nn.Parameter(torch.ones(3)),
        gn.GraphError,
        ["got Parameter", "such as graphnet.Linear or .Parameter"],
    ),
    "a list in append": (
        lambda w: gn.ModuleList().append([gn.Linear(3, 2)]),
        gn.GraphError,
        ["got list", r"extend\(modules\)"],
    ),
    "no name at all": (lambda w: getattr(gn, ""), AttributeError, ["no attribute ''"]),
    "a list in a Sequential": (
        lambda w: gn.Sequential([gn.Linear(3, 2)]),
        gn.GraphError,
        ["got list", r"Sequential\(\*modules\)"],
    ),
    "a class in a Sequential": (
        lambda w: gn.Sequential(gn.Tanh),
        gn.GraphError,
        ["got Tanh", r"Write Tanh\(\)"],
    ),
    "torch's parameters": (
        lambda w: gn.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1),
        gn.GraphError,
        ["got torch's Parameter", r"model\.parameters\(\)"],
    ),
    "a model for its parameters": (
        lambda w: gn.SGD(gn.Sequential(gn.Linear(3, 2)), lr=0.1),
        gn.GraphError,
        [r"model\.parameters\(\)"],
    ),
    "a tensor as a weight": (
        lambda w: w.x @ torch.ones(3, 2, requires_grad=True),
        gn.GraphError,
        [r"self\.weight = graphnet\.Parameter\(tensor\)"],
    ),
    "the data of a parameter": (
        lambda w: gn.Linear(3, 2).weight.data,
        AttributeError,
        [r"parameter\.top", "assign to it"],
    ),
    "a node as a formatted number": (
        lambda w: f"{w.loss:.3f}",
        gn.GraphError,
        ["is not a number", r"f'\{node\.top:\.3f\}'"],
    ),
    "nodes of two graphs": (
        lambda w: gn.Graph().input((2,), name="a") + w.x,
        gn.GraphError,
        ["node 0 'x' belongs to another graph", "Only a parameter"],
    ),
    "a tensor instead of a shape": (
        lambda w: gn.Linear(3, 2).draw(torch.ones(5, 3)),
        gn.GraphError,
        ["takes a shape for each input", "got Tensor"],
    ),
    "an op without a symbol": (
        lambda w: op_with(forward=identity, grad_x=rule),
        TypeError,
        ["needs a symbol, such as symbol = "],
    ),
    "a rule of no input": (
        lambda w: op_with(symbol="x", forward=identity, grad_y=rule),
        TypeError,
        ["grad_y belongs to no input; the inputs of forward are x"],
    ),
    "an op called with what it is applied to": (
        lambda w: Cube(torch.ones(2)),
        TypeError,
        ["takes no options", r"Cube\(\.\.\.\)\(x\)"],
    ),
    "an option that is assigned": (
        lambda w: setattr(Cube(), "scale", 2),
        AttributeError,
        ["frozen", "Annotate an option in the class, as in `scale: float"],
    ),
    "numbers instead of a shape": (
        lambda w: gn.check_op(Cube(), 3, 4),
        gn.GraphError,
        ["takes x, a shape for each", r"check_op\(Cube\(\), \(3, 4\)\)"],
    ),
    "a list of labels": (lambda w: gn.data.one_hot([0, 1], 2), gn.DtypeError, [r"got \[0, 1\]"]),
    "weights in a .pt file": (
        lambda w: gn.save_weights(gn.Linear(3, 2), "model.pt"),
        gn.GraphError,
        [r"model\.safetensors"],
    ),
    "path and model exchanged": (
        lambda w: gn.save_weights("model.safetensors", gn.Linear(3, 2)),
        gn.GraphError,
        [r"save_weights\(module, path\)", "got str"],
    ),
    "an object for a class": (
        lambda w: gn.grade(3),
        gn.GraphError,
        ["class of an answer", "without parentheses", "got 3"],
    ),
}


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_gets_the_way_out(habit):
    goes_wrong(*HABITS[habit])


def test_a_file_of_torch_save_is_distinguished(tmp_path):
    torch.save(torch.nn.Linear(3, 2).state_dict(), tmp_path / "model.pt")
    with pytest.raises(gn.LoadError, match=r"torch\.save.*weights_only=True"):
        gn.load_weights(gn.Linear(3, 2), tmp_path / "model.pt")


def test_a_value_that_is_not_there_yet_is_a_missing_attribute():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    y = x.tanh()
    assert not hasattr(y, "top")
    with pytest.raises(gn.StateError, match="no value"):
        _ = x.version
    with pytest.raises(gn.FeedError, match=r"needs values.*graph\.check\(node, \{"):
        graph.check(y)
    graph.forward(x=torch.ones(2))
    assert hasattr(y, "top")


def test_public_names_are_offered_and_no_others():
    offered = {name for name in dir(gn) if not name.startswith("__")}
    assert offered | {"__version__"} == set(gn.__all__)
    assert all(hasattr(gn, name) for name in gn.__all__)
