"""Wrong programs about the parts: parameters, layers, optimizers, derivatives, own operations."""

from __future__ import annotations

import pytest
import torch
from wrong_programs import goes_wrong

import graphnet as gn
from graphnet.errors import GraphError, RangeError, ShapeError

PARAMETERS = {
    "from a number": (lambda w: gn.Parameter(5), GraphError, ["tensor", "got int"]),
    "from a list": (lambda w: gn.Parameter([1.0, 2.0]), GraphError, ["tensor", "got list"]),
    "from a node": (lambda w: gn.Parameter(w.y), GraphError, ["tensor", "got Operation"]),
    "a value of another shape": (
        lambda w: setattr(w.w, "top", torch.ones(3, 4)),
        ShapeError,
        [r"'0.weight' keeps the shape \(4, 3\)", r"got \(3, 4\)", "new parameter"],
    ),
    "a value that is a number": (
        lambda w: setattr(w.w, "top", 0.0),
        GraphError,
        ["'0.weight'", "tensor", "float"],
    ),
    "a gradient of another shape": (
        lambda w: setattr(w.w, "grad", torch.ones(4)),
        ShapeError,
        [r"'0.weight'", r"\(4, 3\)", r"got \(4,\)"],
    ),
    "a gradient that is a number": (
        lambda w: setattr(w.w, "grad", 0.0),
        GraphError,
        ["'0.weight'", "tensor", "float"],
    ),
    "a buffer that is to learn": (
        lambda w: setattr(
            gn.Parameter(torch.ones(2), name="mean", requires_grad=False), "requires_grad", True
        ),
        GraphError,
        ["'mean' is a buffer", "requires_grad=False"],
    ),
    "its place in several graphs": (
        lambda w: (gn.Graph().input((4,), name="a") @ w.w, w.w.index),
        GraphError,
        ["2 graphs", r"graph\.index"],
    ),
}


class Half(gn.Module):
    """A module without `build`."""


class Listed(gn.Module):
    """A module that keeps its layers in a list."""

    def __init__(self):
        self.layers = [gn.Linear(3, 3), gn.Linear(3, 3)]

    def build(self, x):
        return self.layers[0](x)


LAYERS = {
    "a class in a Sequential": (
        lambda w: gn.Sequential(gn.Linear(3, 2), gn.Tanh),
        GraphError,
        ["takes modules", r"Tanh\(\)"],
    ),
    "a list in a Sequential": (
        lambda w: gn.Sequential([gn.Linear(3, 2), gn.Tanh()]),
        GraphError,
        ["takes modules"],
    ),
    "a function added": (lambda w: gn.Sequential().add(gn.ops.tanh), GraphError, ["modules"]),
    "a layer of no width": (
        lambda w: gn.Linear(3, 0),
        ShapeError,
        ["out_features", "1 or more", "0"],
    ),
    "a layer of half a width": (
        lambda w: gn.Linear(2.5, 3),
        ShapeError,
        ["in_features", "integer", "2.5"],
    ),
    "layers in a list": (
        lambda w: Listed().parameters(),
        GraphError,
        ["Listed.layers is a list", "Sequential"],
    ),
    "layers in a list, called": (lambda w: Listed()(w.x), GraphError, ["Listed.layers is a list"]),
    "a module without build": (lambda w: Half()(w.x), GraphError, ["Half", "build"]),
    "an unknown reduction": (
        lambda w: gn.LossMSE(reduction="average"),
        GraphError,
        ["'mean', 'sum' or 'none'", "got 'average'"],
    ),
}

OPTIMIZERS = {
    "nothing to update": (
        lambda w: gn.SGD(gn.Tanh().parameters(), lr=0.1),
        GraphError,
        ["at least one parameter", "empty"],
    ),
    "a model": (lambda w: gn.SGD(gn.Linear(3, 2), lr=0.1), GraphError, [r"model\.parameters\(\)"]),
    "a Sequential": (lambda w: gn.SGD(w.model, lr=0.1), GraphError, [r"model\.parameters\(\)"]),
    "one parameter": (lambda w: gn.Adam(w.w), GraphError, [r"\[w, b\]"]),
    "nodes": (lambda w: gn.Adam([w.y]), GraphError, ["got Operation", "parameters"]),
    "tensors": (lambda w: gn.Adam([w.w.top]), GraphError, ["got Tensor", "parameters"]),
    "names without parameters": (
        lambda w: gn.SGD([name for name, _ in w.model.named_parameters()], lr=0.1),
        GraphError,
        ["got str", r"model\.parameters\(\)"],
    ),
    "a parameter twice": (lambda w: gn.SGD([w.w, w.w], lr=0.1), GraphError, ["twice"]),
    "a negative rate": (lambda w: gn.SGD([w.w], lr=-0.1), RangeError, ["lr", "0 or more", "-0.1"]),
    "a rate that is no number": (
        lambda w: gn.SGD([w.w], lr=float("nan")),
        RangeError,
        ["lr", "got nan"],
    ),
    "a rate that is a text": (lambda w: gn.SGD([w.w], lr="0.1"), RangeError, ["lr", "'0.1'"]),
    "Nesterov without momentum": (
        lambda w: gn.SGD([w.w], lr=0.1, nesterov=True),
        RangeError,
        ["nesterov", "momentum above 0"],
    ),
    "a beta of 1": (
        lambda w: gn.Adam([w.w], betas=(0.9, 1.0)),
        RangeError,
        [r"betas\[1\]", "below 1", "got 1.0"],
    ),
}

GRADIENTS = {
    "of many numbers": (
        lambda w: w.graph.gradients(w.y, [w.w]),
        GraphError,
        [r"node 9 '3.sigmoid' has the shape \(\?, 2\)", "grad=", "scalar"],
    ),
    "a seed of another shape": (
        lambda w: w.graph.gradients(w.y, [w.w], grad=w.x),
        ShapeError,
        [r"\(\?, 3\)", r"node 9 '3.sigmoid'", r"\(\?, 2\)"],
    ),
    "a tensor as seed": (
        lambda w: w.graph.gradients(w.y, [w.y], grad=w.tb),
        GraphError,
        ["grad", "Tensor", "node"],
    ),
    "a seed of another graph": (
        lambda w: w.graph.gradients(w.x, [w.x], grad=w.other()),
        GraphError,
        ["not a node of"],
    ),
    "by a node of another graph": (
        lambda w: w.graph.gradients(w.loss, [w.other()]),
        GraphError,
        ["<input 0 'x' .* is not a node of"],
    ),
    "by a name": (lambda w: w.graph.gradients(w.loss, ["x"]), GraphError, ["'x'", "node"]),
    "of a list": (
        lambda w: w.graph.gradients([w.loss], [w.x]),
        GraphError,
        ["list|one node"],
    ),
}

TABLE = {
    f"{part}: {name}": row
    for part, rows in {
        "parameter": PARAMETERS,
        "layer": LAYERS,
        "optimizer": OPTIMIZERS,
        "gradients": GRADIENTS,
    }.items()
    for name, row in rows.items()
}


@pytest.mark.parametrize(("program", "error", "patterns"), TABLE.values(), ids=TABLE)
def test_a_wrong_program_gets_its_error_and_leaves_all_usable(program, error, patterns):
    goes_wrong(program, error, patterns)


# operations of one's own


def op_class(*bases, **members):
    """A new op class, as a `class` statement makes it."""
    complete = {"symbol": "?", "forward": lambda self, x: x * 1, "grad_x": lambda self, grad: grad}
    members = {name: value for name, value in (complete | members).items() if value is not ...}
    return type("Mine", bases or (gn.Op,), {"__annotations__": {}, **members})


CLASSES = {
    "no derivative rule": (
        lambda: op_class(grad_x=...),
        ["Mine", "'x' has no derivative rule", r"grad_x\(self, grad", "grad_x = None"],
    ),
    "a rule for one of two inputs": (
        lambda: op_class(forward=lambda self, x, y: x * y),
        ["'y' has no derivative rule"],
    ),
    "a misspelt rule": (
        lambda: op_class(grad_x=..., grad_X=lambda self, grad: grad),
        ["Mine.grad_X belongs to no input; the inputs of forward are x"],
    ),
    "a missing rule": (lambda: op_class(grad_x=...), ["'x' has no derivative rule"]),
    "a rule that reads what is not there": (
        lambda: op_class(grad_x=lambda self, grad, y: grad * y),
        ["Mine.grad_x reads 'y'", "grad, top", "x_like"],
    ),
    "no symbol": (lambda: op_class(symbol=...), ["Mine", "needs a symbol"]),
    "no forward": (lambda: op_class(forward=...), ["Mine", "needs a forward"]),
    "an option that hides what every op has": (
        lambda: op_class(key=1, __annotations__={"key": "int"}),
        ["Mine", "an option cannot be called 'key'"],
    ),
    "a subclass of an op": (
        lambda: op_class(op_class()),
        ["Mine", "final", "derive from Op"],
    ),
}


@pytest.mark.parametrize(("program", "patterns"), CLASSES.values(), ids=CLASSES)
def test_a_wrong_op_class_is_refused_when_it_is_written(program, patterns):
    goes_wrong(lambda scenario: program(), TypeError, patterns)


class Hungry(gn.Op):
    """y = x, which needs more memory than there is.  Shapes: any."""

    symbol = "?"
    device: str

    def forward(self, x):
        if x.shape[0] == 5:  # the batch of the scenario, and no trial
            if self.device == "cpu":  # what torch raises there
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 480 bytes")
            raise torch.OutOfMemoryError("CUDA out of memory")
        return x * 1

    grad_x = None


USES = {
    "two outputs": (
        lambda w: op_class(forward=lambda self, x: (x, x))()(w.x),
        GraphError,
        ["mine", "tuple", "one"],
    ),
    "no output": (
        lambda w: op_class(forward=lambda self, x: None)()(w.x),
        GraphError,
        ["mine", "None", "!no trial"],
    ),
    "too little memory on a GPU": (
        lambda w: w.graph.forward({w.x: w.xb}, outputs=Hungry("cuda")(w.x)),
        torch.OutOfMemoryError,
        ["^CUDA out of memory$"],
    ),
    "too little memory on a CPU": (
        lambda w: w.graph.forward({w.x: w.xb}, outputs=Hungry("cpu")(w.x)),
        RuntimeError,
        ["^DefaultCPUAllocator: can't allocate memory: 480 bytes$"],
    ),
    "an argument too few": (
        lambda w: op_class(forward=lambda self, x, y: x * y, grad_y=None)()(w.x),
        GraphError,
        ["mine", "'y'"],
    ),
    "an option set later": (
        lambda w: setattr(w.x.tanh().op, "symbol", "t"),
        AttributeError,
        [r"Tanh\(\)", "frozen"],
    ),
    "a derivative of nothing": (
        lambda w: w.graph.gradients(op_class(grad_x=lambda self, grad: None)()(w.loss * 2), [w.w]),
        GraphError,
        ["Mine", "None", "node 13 'mine'"],
    ),
    "a derivative of another shape": (
        lambda w: w.graph.gradients(
            op_class(grad_x=lambda self, grad: grad.sum(0))()(w.y).sum(), [w.w]
        ),
        ShapeError,
        ["node 12 'mine'", "node 9 '3.sigmoid'", r"\(2,\)", r"\(\?, 2\)", "broadcasts = True"],
    ),
}


@pytest.mark.parametrize(("program", "error", "patterns"), USES.values(), ids=USES)
def test_a_wrong_op_gets_its_error_where_it_is_used(program, error, patterns):
    goes_wrong(program, error, patterns)
