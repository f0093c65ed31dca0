"""Wrong programs of `gn.fit`: what the messages say is said in the words of data."""

from __future__ import annotations

import numpy
import pytest
import torch
from wrong_programs import goes_wrong

import graphnet as gn
from graphnet.errors import DtypeError, FeedError, GraphError, NonFiniteError, RangeError

X = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
T = (X.sum(1) > 0).long()
ROW = 77


def with_wrong(tensor, value):
    """The tensor with a wrong value in one row."""
    tensor = tensor.clone()
    tensor[ROW] = value
    return tensor


def network():
    torch.manual_seed(0)
    return gn.Sequential(gn.Linear(3, 4), gn.Tanh(), gn.Linear(4, 2))


def fit(*data, loss=None, optimizer=None, model=None, **options):
    """A program that trains on data."""

    def program(scenario):
        learner = model or network()
        chosen = optimizer or gn.SGD(learner.parameters(), lr=0.1)
        chosen_loss = loss or gn.LossCrossEntropy()
        gn.fit(learner, chosen_loss, data, chosen, seed=0, progress=False, **options)

    return program


def measure(*data, **options):
    """A program that measures data."""
    return lambda scenario: gn.evaluate(network(), gn.LossCrossEntropy(), data, **options)


def reshaping(y, t):
    return gn.LossCrossEntropy()(y, t.reshape(-1))


def torchs_adam():
    return torch.optim.Adam(torch.nn.Linear(2, 2).parameters())


DATA = "Convert the data: "
LOOK = ["node 0 'x'", r"Look at the data.*isfinite\(\)", "!learning rate"]
NAN = float("nan")

TABLE = {
    "NaN in the inputs": (fit(with_wrong(X, NAN), T), NonFiniteError, LOOK),
    "NaN in the inputs of a walk": (
        fit(with_wrong(X, NAN), T, compile=False),
        NonFiniteError,
        LOOK,
    ),
    "infinity in the targets": (
        fit(X[:, :2], with_wrong(X[:, :2], float("inf")), loss=gn.LossMSE(), model=gn.Linear(2, 2)),
        NonFiniteError,
        ["node 1 't'", "Look at the data"],
    ),
    "a diverging loss": (
        fit(X * 1e30, X[:, :2] * 1e30, loss=gn.LossMSE()),
        NonFiniteError,
        ["A smaller learning rate", "!Look at the data"],
    ),
    "inputs of float64": (
        fit(X.double(), T),
        DtypeError,
        [r"x \(\?, 3\) as float64", "hold float32", rf"{DATA}x\.float\(\)", r"model\.double\(\)"],
    ),
    "an array of float64": (
        fit(X.double().numpy(), T.numpy()),
        DtypeError,
        [r'x\.astype\("float32"\) of a numpy array', "!dtype=", r"line: .*programs_fit\.py"],
    ),
    "inputs of integers": (
        fit(X.long(), T),
        DtypeError,
        ["as int64", rf"{DATA}x\.float\(\)", "!double"],
    ),
    "float32 for a model of float64": (
        fit(X, T, model=network().double()),
        DtypeError,
        ["hold float64", rf"{DATA}x\.double\(\)", 'astype."float64"'],
    ),
    "inputs and labels swapped": (
        fit(T[:, None], X),
        DtypeError,
        [r"x \(\?, 1\) as int64", r"the pair \(inputs, targets\), in this order"],
    ),
    "targets of float64": (
        fit(X, X[:, :2].double(), loss=gn.LossMSE()),
        DtypeError,
        [r"t \(\?, 2\) as float64", "the outputs hold float32", rf"{DATA}t\.float\(\)"],
    ),
    "dtypes mixed inside of a model": (
        fit(X, T, model=gn.Sequential(gn.Linear(3, 4), gn.Linear(4, 2).double())),
        DtypeError,
        ["'1.weight' .* float64", f"!{DATA}"],
    ),
    "a label that is no class": (
        fit(X, with_wrong(T, 5)),
        RangeError,
        [r"^Step \d: ", "got 5", "place in the batch of this step.* row 77 of the data"],
    ),
    "a label that is no class, in a walk": (
        fit(X, with_wrong(T, 5), compile=False),
        RangeError,
        ["got 5", "row 77 of the data"],
    ),
    "a label that is no class, in rows held out": (
        fit(X, with_wrong(T, 5), validation_split=0.1, shuffle=False),
        RangeError,
        ["Step 2: ", r"index \(13,\)", "row 77 of the data to learn from"],
    ),
    "a label that is no class, in data that are measured": (
        fit(X, T, validation=(X, with_wrong(T, 5))),
        RangeError,
        ["got 5", "row 77 of those that are measured"],
    ),
    "a label that is no class, in the second batch that is measured": (
        measure(X, with_wrong(T, 5), batch_size=50),
        RangeError,
        [r"index \(27,\)", "row 77 of those that are measured"],
    ),
    "a label that is no class, in one of two batches": (
        fit(X, with_wrong(T, 5), accumulate=2),
        RangeError,
        ["got 5", "place in the batch of this step$"],
    ),
    "a label that is no class, in targets that the loss reshapes": (
        fit(X, with_wrong(T, 5)[:, None], loss=reshaping),
        RangeError,
        ["got 5", "place in the batch of this step$"],
    ),
    "inputs of float32 for a model of bfloat16": (
        fit(X, T, model=network().to(torch.bfloat16)),
        DtypeError,
        [rf"{DATA}x\.to\(torch\.bfloat16\)\.", "!astype"],
    ),
    "an optimizer of torch": (
        fit(X, T, optimizer=torchs_adam()),
        GraphError,
        [r"such as gn\.Adam\(model\.parameters\(\)\); got torch's Adam\.$"],
    ),
    "lists": (
        fit(X.tolist(), T.tolist()),
        FeedError,
        ["got a list of 100 rows", r"torch\.tensor\(rows\)"],
    ),
    "a list of labels": (fit(X, T.tolist()), FeedError, ["got a list of 100 rows"]),
    "labels of fractions in a feed": (
        lambda w: labelled().forward(x=torch.ones(2, 3), t=numpy.zeros(2)),
        FeedError,
        ["'t' takes int64; got ndarray of floating-point numbers", r"dtype=torch\.int64\) does it"],
    ),
    "a list of fractions as labels": (
        lambda w: labelled().forward(x=torch.ones(2, 3), t=[0.0, 1.0]),
        FeedError,
        ["got list of floating-point numbers"],
    ),
}


def labelled():
    """A graph with inputs and labels."""
    with gn.Graph() as graph:
        x, t = gn.Input((None, 3), name="x"), gn.Input((None,), name="t", dtype=torch.int64)
        gn.LossCrossEntropy()(x, t)
    return graph


@pytest.mark.parametrize(("program", "error", "patterns"), TABLE.values(), ids=TABLE)
def test_a_wrong_program_gets_its_error_and_leaves_all_usable(program, error, patterns):
    goes_wrong(program, error, patterns)
