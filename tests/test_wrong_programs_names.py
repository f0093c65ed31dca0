"""Wrong programs about names, graphs and inputs, and about modules that compute on tensors."""

from __future__ import annotations

import pytest
import torch
from wrong_programs import goes_wrong

import graphnet as gn
from graphnet.errors import (
    DtypeError,
    FeedError,
    GraphError,
    LoadError,
    RangeError,
    ShapeError,
    StateError,
)


def new(scenario, *shape, **options):
    """One more input of the scenario's graph."""
    return scenario.graph.input(shape, name=f"new{len(scenario.graph)}", **options)


NAMES = {
    "a name twice": (
        lambda w: w.graph.input((2,), name="x"),
        GraphError,
        [r"'x' is taken by <input 0 'x' \(\?, 3\)>", "unique", "another"],
    ),
    "a parameter of a taken name": (
        lambda w: w.graph.parameter(torch.ones(2), name="1.tanh"),
        GraphError,
        ["'1.tanh' is taken by <operation 5"],
    ),
    "a parameter of a taken name, in use": (
        lambda w: w.x * gn.Parameter(torch.ones(3), name="t"),
        GraphError,
        ["'t' is taken by <input 1 't'"],
    ),
    "an empty name": (
        lambda w: w.graph.input((2,), name=""),
        GraphError,
        ["''", "non-empty string"],
    ),
    "a number as a name": (lambda w: w.graph.input((2,), name=3), GraphError, ["string", "3"]),
    "an unknown name": (lambda w: w.graph["hidden"], GraphError, ["'hidden'", r"print\(graph\)"]),
    "an input without a graph": (
        lambda w: gn.Input((2,), name="a"),
        GraphError,
        ["no graph", "with graphnet.Graph"],
    ),
    "parameters without a graph": (
        lambda w: gn.Parameter(torch.ones(2)) + gn.Parameter(torch.ones(2)),
        GraphError,
        ["no graph", "with graphnet.Graph"],
    ),
    "a stranger's place": (
        lambda w: w.graph.index(w.other()),
        GraphError,
        [r"<input 0 'x' \(\?, 3\)> is not a node of <Graph of 12 nodes"],
    ),
    "a shape that is a number": (
        lambda w: w.graph.input(3, name="a"),
        ShapeError,
        ["'a'", "shape", r"\(3,\)"],
    ),
    "a size of -1": (lambda w: new(w, -1, 3), ShapeError, ["new12", "-1", "None"]),
    "a size that is no integer": (lambda w: new(w, 2.5), ShapeError, ["new12", "2.5"]),
    "a type by its name": (lambda w: new(w, 2, dtype="float32"), DtypeError, ["float32", "dtype"]),
    "a Python type": (lambda w: new(w, 2, dtype=float), DtypeError, ["float", "dtype"]),
}


class Forgetful(gn.Module):
    """A module whose build does not return its output."""

    def __init__(self):
        self.linear = gn.Linear(3, 2)

    def build(self, x):
        self.linear(x)


RETURN = ["build of Forgetful returned None", "Does build end with `return`", "!Tanh"]

MODULES = {
    "a forgotten return": (lambda w: Forgetful()(w.x), GraphError, RETURN),
    "a forgotten return in forward": (lambda w: Forgetful().forward(w.xb), GraphError, RETURN),
    "a forgotten return in a Sequential": (
        lambda w: gn.Sequential(Forgetful(), gn.Tanh())(w.x),
        GraphError,
        RETURN,
    ),
    "a summary of shapes for integers": (
        lambda w: gn.Sequential(gn.Embedding(5, 3)).summary((4, None)),
        DtypeError,
        ["int64", r"summary\(torch\.zeros\(4, 1, dtype=torch\.int64\)\)"],
    ),
    "a setting of several lines": (
        lambda w: gn.Dropout(torch.ones(3, 30)),
        RangeError,
        [r"got tensor\(\[\[1\., 1\., .*…\.$", "!\n"],
    ),
    "forward of a list": (
        lambda w: w.model.forward([1.0, 2.0, 3.0]),
        FeedError,
        ["Sequential.forward takes tensors", "list", "as_tensor"],
    ),
    "forward of too many columns": (
        lambda w: w.model.forward(torch.ones(2, 4)),
        ShapeError,
        [r"\(2, 4\)", r"0.weight' \(4, 3\)", "in_features"],
    ),
    "forward in float64": (
        lambda w: w.model.forward(w.xb.double()),
        DtypeError,
        ["never mixed", "float64", "float32"],
    ),
    "backward before forward": (
        lambda w: gn.Linear(2, 3).backward(torch.ones(1, 3)),
        StateError,
        ["Linear", "forward"],
    ),
    "backward with another shape": (
        lambda w: (w.model.forward(w.xb), w.model.backward(torch.ones(5, 3))),
        ShapeError,
        [r"\(5, 3\)", r"\(5, 2\)"],
    ),
    "backward with two gradients": (
        lambda w: (w.model.forward(w.xb), w.model.backward(w.tb, w.tb)),
        ShapeError,
        ["1 output", "got 2"],
    ),
    "a state with one name missing and one of another shape": (
        lambda w: w.model.load_state_dict(
            {name: v for name, v in w.model.state_dict().items() if name != "2.bias"}
            | {"0.weight": torch.ones(3, 4), "extra": torch.ones(1)}
        ),
        LoadError,
        ["nothing was loaded", r"2.bias: missing", r"0.weight.*\(4, 3\); got \(3, 4\)", "extra"],
    ),
}

TABLE = {
    f"{part}: {name}": row
    for part, rows in {"name": NAMES, "module": MODULES}.items()
    for name, row in rows.items()
}


@pytest.mark.parametrize(("program", "error", "patterns"), TABLE.values(), ids=TABLE)
def test_a_wrong_program_gets_its_error_and_leaves_all_usable(program, error, patterns):
    goes_wrong(program, error, patterns)
