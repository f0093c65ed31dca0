"""Wrong programs that fail while a graph is built: each gets one clear error where it is made."""

from __future__ import annotations

import numpy
import pytest
import torch
from wrong_programs import Scenario, goes_wrong

import graphnet as gn
from graphnet import ops
from graphnet.errors import DtypeError, GraphError, ShapeError

HERE = r"line: .*test_wrong_programs\.py:\d+"
NO_SHAPES = "!Sizes must|never broadcasts|last size of x"  # a way out that would not help here
F64, I64 = torch.float64, torch.int64


def new(scenario, *shape, **options):
    """One more input of the scenario's graph."""
    return scenario.graph.input(shape, name=f"new{len(scenario.graph)}", **options)


SHAPES = {
    "matmul, inner sizes": (
        lambda w: w.x @ new(w, 4, 5),
        ShapeError,
        [
            r"n, k\), \(\.\.\., k, m\)",
            r"node 0 'x' \(\?, 3\)",
            r"node 12 'new12' \(4, 5\)",
            "y.mT",
            HERE,
        ],
    ),
    "matmul, a vector before": (
        lambda w: new(w, 3) @ new(w, 4, 5),
        ShapeError,
        [r"'new12' \(3,\)|\(1, 3\)", r"'new13' \(4, 5\)", HERE],
    ),
    "matmul, a vector behind": (
        lambda w: w.x @ new(w, 4),
        ShapeError,
        [r"node 0 'x' \(\?, 3\)", r"\(4, 1\)|\(4,\)", HERE],
    ),
    "matmul, many matrices": (
        lambda w: new(w, 2, 3, 4) @ new(w, 2, 5, 6),
        ShapeError,
        [r"\(\.\.\., n, k\)", r"\(2, 3, 4\)", r"\(2, 5, 6\)", HERE],
    ),
    "matmul, sizes in front": (
        lambda w: new(w, 2, 3, 4) @ new(w, 5, 4, 6),
        ShapeError,
        [r"leading sizes broadcast", r"\(2, 3, 4\)", r"\(5, 4, 6\)", HERE],
    ),
    "matmul, a number": (
        lambda w: w.loss @ w.x,
        ShapeError,
        [r"node 11 'lossmse.mean' \(\)", r"node 0 'x'", HERE],
    ),
    "a layer on too many columns": (
        lambda w: gn.Linear(4, 2)(w.x),
        ShapeError,
        [r"'x' \(\?, 3\)", r"weight' \(2, 4\)", "in_features", HERE],
    ),
    "layers that do not fit": (
        lambda w: gn.Sequential(gn.Linear(3, 5), gn.Tanh(), gn.Linear(4, 2))(w.x),
        ShapeError,
        [r"'sequential.1.tanh' \(\?, 5\)", r"'sequential.2.weight' \(2, 4\)", HERE],
    ),
    "a bias of another size": (
        lambda w: ops.linear(w.x, w.w, new(w, 5)),
        ShapeError,
        [r"'0.weight' \(4, 3\)", r"'new12' \(5,\)", r"\(m\) -> \(\.\.\., m\)", HERE],
    ),
    "a sum of different sizes": (
        lambda w: w.x + w.t,
        ShapeError,
        [r"node 0 'x' \(\?, 3\) float32; node 1 't' \(\?, 2\) float32", "one of them 1", HERE],
    ),
    "a sum with a fixed number of rows": (
        lambda w: w.x + new(w, 5, 3),
        ShapeError,
        [r"'x' \(\?, 3\)", r"\(5, 3\)", "unknown sizes, shown as ?", HERE],
    ),
    "a reshape to more elements": (
        lambda w: new(w, 2, 3).reshape(4, 2),
        ShapeError,
        [r"\(2, 3\)", r"\(4, 2\)", "product of the sizes", HERE],
    ),
    "a reshape with two sizes left open": (
        lambda w: w.x.reshape(-1, -1),
        ShapeError,
        ["one size may be -1", HERE],
    ),
    "an expansion of a size above 1": (
        lambda w: new(w, 2, 3).expand(4, 3),
        ShapeError,
        [r"\(2, 3\)", r"\(4, 3\)", "Only a size of 1", HERE],
    ),
    "a dimension named twice": (
        lambda w: w.x.permute(0, 0),
        ShapeError,
        ["each dimension exactly once", "'x'", HERE],
    ),
    "a dimension that does not exist": (
        lambda w: w.x.transpose(0, 2),
        ShapeError,
        ["dimension 2 does not exist", "-2 to 1", r"node 0 'x' \(\?, 3\)"],
    ),
    "a sum over a dimension that does not exist": (
        lambda w: w.y.sum(2),
        ShapeError,
        ["dimension 2 does not exist", r"node 9 '3.sigmoid' \(\?, 2\)"],
    ),
    "a sum over a dimension twice": (
        lambda w: w.x.sum((0, -2)),
        ShapeError,
        ["twice", r"node 0 'x' \(\?, 3\)"],
    ),
    "a squeeze of an unknown size": (
        lambda w: w.x.squeeze(0),
        ShapeError,
        ["dimension 0 is unknown until it is fed", "reshape", "'x'"],
    ),
    "a loss of a row and a column": (
        lambda w: gn.LossMSE()(w.y, new(w, None)),
        ShapeError,
        ["never broadcasts", r"'3.sigmoid' \(\?, 2\)", r"\(\?,\)", "reshape or expand", HERE],
    ),
    "a loss of two columns and one": (
        lambda w: gn.LossBCE()(w.y, new(w, None, 1)),
        ShapeError,
        ["never broadcasts", r"\(\?, 2\)", r"\(\?, 1\)", HERE],
    ),
}

DTYPES = {
    "a sum of float32 and float64": (
        lambda w: w.x + new(w, None, 3, dtype=F64),
        DtypeError,
        ["never mixed", NO_SHAPES, "node 0 'x' .* float32", "'new12' .* float64", HERE],
    ),
    "a product of float32 and float64": (
        lambda w: w.x @ new(w, 3, 3, dtype=F64),
        DtypeError,
        ["never mixed", NO_SHAPES, "float32", "float64", HERE],
    ),
    "a float64 parameter in a float32 graph": (
        lambda w: w.x * gn.Parameter(torch.ones(3, dtype=F64), name="scale"),
        DtypeError,
        ["never mixed", NO_SHAPES, "'scale' .* float64", HERE],
    ),
    "a float64 layer": (
        lambda w: gn.Linear(3, 2).double()(w.x),
        DtypeError,
        ["never mixed", NO_SHAPES, "'x' .* float32", "weight' .* float64", HERE],
    ),
    "integers times floating ones": (
        lambda w: w.x * new(w, None, 3, dtype=I64),
        DtypeError,
        ["never mixed", NO_SHAPES, "float32", "int64", HERE],
    ),
    "a product with integers": (
        lambda w: w.x @ new(w, 3, 3, dtype=I64),
        DtypeError,
        ["never mixed", NO_SHAPES, "float32", "int64", HERE],
    ),
    "a loss against labels of integers": (
        lambda w: gn.LossMSE()(w.y, new(w, None, 2, dtype=I64)),
        DtypeError,
        ["never mixed", NO_SHAPES, "'3.sigmoid' .* float32", "int64", HERE],
    ),
    "a mean of integers": (
        lambda w: new(w, 3, dtype=I64).mean(),
        DtypeError,
        ["mean", "int64", HERE],
    ),
    "an input of integers with a gradient": (
        lambda w: new(w, 3, dtype=I64, requires_grad=True),
        DtypeError,
        ["'new12'", "int64", "floating"],
    ),
    "a parameter of integers": (
        lambda w: w.graph.parameter(torch.arange(3)),
        DtypeError,
        ["int64", "floating"],
    ),
}

NO_NODES = {
    "a learned tensor among nodes": (
        lambda w: w.x * torch.ones(3, requires_grad=True),
        GraphError,
        ["mul takes nodes and numbers; got Tensor", "graph.input", "graph.parameter"],
    ),
    "a learned tensor before a node": (
        lambda w: torch.ones(2, 2, requires_grad=True) @ w.t.T,
        GraphError,
        ["Tensor", "input"],
    ),
    "a tensor as target": (
        lambda w: gn.LossMSE()(w.y, w.tb),
        GraphError,
        ["LossMSE takes nodes; got a tensor", "graph.input"],
    ),
    "an array among nodes": (
        lambda w: w.x + numpy.ones(3),
        GraphError,
        ["add takes nodes and numbers; got ndarray"],
    ),
    "an array before a node": (
        lambda w: numpy.ones(3) * w.x,
        GraphError,
        ["mul takes nodes and numbers; got ndarray"],
    ),
    "an array plus a node": (
        lambda w: numpy.ones(3) + w.x,
        GraphError,
        ["add takes nodes and numbers; got ndarray", r"torch\.as_tensor\(array"],
    ),
    "an array minus a node": (
        lambda w: numpy.ones(3) - w.x,
        GraphError,
        ["sub takes nodes and numbers; got ndarray"],
    ),
    "an array divided by a node": (
        lambda w: numpy.ones(3) / w.x,
        GraphError,
        ["div takes nodes and numbers; got ndarray"],
    ),
    "an array compared with a node": (
        lambda w: numpy.ones(3) < w.x,
        GraphError,
        ["gt takes nodes and numbers; got ndarray"],
    ),
    "a product of an array and a node": (
        lambda w: numpy.ones((3, 3)) @ w.x,
        GraphError,
        ["matmul takes nodes and numbers; got ndarray"],
    ),
    "a number of numpy plus a node": (
        lambda w: numpy.float32(2) + w.x,
        GraphError,
        ["add takes nodes and numbers; got float32", r"float\(number\)"],
    ),
    "a list among nodes": (
        lambda w: w.x - [1.0, 2.0, 3.0],
        GraphError,
        ["sub takes nodes and numbers; got list"],
    ),
    "None among nodes": (
        lambda w: w.x + None,
        GraphError,
        ["add takes nodes and numbers; got None"],
    ),
    "a text among nodes": (
        lambda w: w.x + "1",
        GraphError,
        ["add takes nodes and numbers; got str"],
    ),
    "a complex number": (
        lambda w: w.x * 1j,
        GraphError,
        ["mul takes nodes and numbers; got complex"],
    ),
    "a node of another graph": (
        lambda w: w.x + w.other(),
        GraphError,
        [
            "add: node 0 'x' belongs to another graph, <Graph of 1 node",
            "<Graph of 12 nodes",
            "parameter",
        ],
    ),
    "a loss of nodes of two graphs": (
        lambda w: gn.LossMSE()(w.y, w.other()),
        GraphError,
        ["belongs to", "Only a parameter may be in several graphs"],
    ),
    "a condition on a node": (
        lambda w: 1 if w.x > 0 else 2,
        GraphError,
        ["node 12 'gt' is neither true nor false", "ops.where"],
    ),
    "a node and a node": (lambda w: w.x and w.t, GraphError, ["node 0 'x' is neither", "where"]),
    "the larger of two nodes": (
        lambda w: max(w.x, w.x * 2),
        GraphError,
        ["neither true nor false"],
    ),
    "a chain of comparisons": (lambda w: 0 < w.x < 1, GraphError, ["neither true nor false"]),
    "iterating over a node": (
        lambda w: list(w.x),
        GraphError,
        ["node 0 'x' cannot be iterated"],
    ),
    "unpacking a node": (lambda w: max(*w.x), GraphError, ["node 0 'x' cannot be iterated"]),
    "choosing by ==": (
        lambda w: ops.where(w.x == 0, 1.0, w.x),
        GraphError,
        ["condition", r"\.eq"],
    ),
    "filling by ==": (
        lambda w: w.x.masked_fill(w.x == 0, 1.0),
        GraphError,
        ["mask|condition", r"\.eq"],
    ),
    "a method that does not exist": (
        lambda w: w.x.tanhh(),
        AttributeError,
        ["'tanhh'", "graphnet.ops"],
    ),
    "backward as in torch": (
        lambda w: w.loss.backward(),
        AttributeError,
        ["'backward'", r"graph\.backward"],
    ),
}

TABLE = {**SHAPES, **DTYPES, **NO_NODES}


@pytest.mark.parametrize(("program", "error", "patterns"), TABLE.values(), ids=TABLE)
def test_a_wrong_program_gets_its_error_and_leaves_all_usable(program, error, patterns):
    goes_wrong(program, error, patterns)


@pytest.mark.parametrize("name", sorted(SHAPES.keys() - {"layers that do not fit"}))
def test_a_shape_that_does_not_fit_leaves_no_operation_behind(name):
    scenario = Scenario()
    with pytest.raises(ShapeError):
        SHAPES[name][0](scenario)
    assert [node for node in scenario.graph[12:] if isinstance(node, gn.Operation)] == []


def test_the_world_itself_is_right():
    scenario = Scenario()
    losses = [float(scenario.step()[0]) for _ in range(50)]
    assert losses[-1] < losses[0]
    assert [node.name for node in scenario.graph[8:]] == [
        *["2.linear", "3.sigmoid", "lossmse.squared_error", "lossmse.mean"]
    ]
    assert len(TABLE) >= 45
