"""A model, its data and its losses as one list."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.train.dataset import DataSet
from graphnet.train.training_graph import TrainingGraph


class Heads(gn.Module):
    """Two outputs of two inputs."""

    def __init__(self):
        super().__init__()
        self.first, self.second = gn.Linear(2, 3), gn.Linear(2, 1)

    def build(self, one, other):
        return self.first(one), self.second(other)


X = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
CLASSES, VALUES = torch.tensor([0, 1, 2, 0, 1, 2]), X[:, :1] * 2
BOTH = ((X, X + 1), (CLASSES, VALUES))


def loss_of(task, data):
    batch = data.rows(slice(None), task.device)
    return float(task.graph.forward(task.feed(batch), outputs=task.loss))


def test_inputs_are_named_and_take_any_number_of_rows():
    task = TrainingGraph(Heads(), [gn.LossCrossEntropy(), gn.LossMSE()], DataSet(BOTH))
    assert [node.name for node in (*task.inputs, *task.targets)] == ["x0", "x1", "t0", "t1"]
    assert task.inputs[0].shape == (None, 2)
    assert task.targets[0].dtype == torch.int64
    assert task.device == torch.device("cpu")
    single = TrainingGraph(gn.Linear(2, 1), gn.LossMSE(), DataSet((X, VALUES)))
    assert [node.name for node in (*single.inputs, *single.targets)] == ["x", "t"]


@pytest.mark.parametrize(
    ("losses", "factors"),
    [
        ([gn.LossCrossEntropy(), gn.LossMSE()], (1, 1)),
        ([(0.5, gn.LossCrossEntropy()), (3, gn.LossMSE())], (0.5, 3)),
        (lambda a, b, t, v: gn.ops.cross_entropy(a, t) + gn.ops.mse_loss(b, v) * 2, (1, 2)),
    ],
)
def test_weighted_losses_are_added(losses, factors):
    data, model = DataSet(BOTH), Heads()
    first, second = model(*data.inputs)
    expected = factors[0] * torch.nn.functional.cross_entropy(first, CLASSES)
    expected = expected + factors[1] * torch.nn.functional.mse_loss(second, VALUES)
    assert loss_of(TrainingGraph(model, losses, data), data) == pytest.approx(
        float(expected), rel=1e-6
    )


def test_an_output_may_have_no_target():
    data = DataSet(((X, X + 1), VALUES))
    task = TrainingGraph(Heads(), [None, gn.LossMSE()], data)
    assert len(task.outputs) == 2
    assert loss_of(task, data) > 0


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([gn.LossMSE()], "2 outputs, 1 losses"),
        ([None, None], "0 not None"),
        ([gn.LossCrossEntropy(), None], "2 targets"),
        (["mse", gn.LossMSE()], "got 'mse'"),
        ("mse", "got str"),
        (gn.LossMSE, r"write LossMSE\(\), with brackets"),
        ([gn.LossMSE, gn.LossMSE()], r"write LossMSE\(\)"),
        (gn.LossMSE(), "here 2 and 2; .* a list with an entry for each"),
        ([lambda a: a, gn.LossMSE()], "here 1 and 1; .*too many positional"),
        ([("a", gn.LossMSE()), gn.LossMSE()], r"got \('a', LossMSE\(\)\)"),
        ([(float("nan"), gn.LossMSE()), gn.LossMSE()], r"got \(nan, LossMSE\(\)\)"),
        ([torch.dist, gn.LossMSE()], "here 1 and 1; .*dist.*no signature found"),
        (lambda a, b, t, v: 1.0, "one number.*1.0 is not one"),
        (3, "got int"),
        (lambda a, b, t, v: a, "one number"),
    ],
)
def test_losses_that_do_not_fit_are_refused(losses, words):
    with pytest.raises(gn.GraphError, match=words):
        TrainingGraph(Heads(), losses, DataSet(BOTH))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda y: None, "returned None"),
        (lambda y: 3, "returned 3"),
        (lambda y: "y", "returned 'y'"),
        (lambda y: (), r"returned \(\)"),
        (lambda y: (y, None), "None"),
        (lambda y: [y, [y]], r"\["),
        (lambda y: {"y": y}, "{'y'"),
    ],
)
def test_a_model_that_gives_no_nodes_is_refused(made, words):
    class Forgetful(gn.Module):
        def __init__(self):
            self.inner = gn.Linear(2, 1)

        def build(self, x):
            return made(self.inner(x))

    with pytest.raises(gn.GraphError, match=rf"Forgetful.*{words}.* Does build end with `return`"):
        TrainingGraph(Forgetful(), gn.LossMSE(), DataSet((X, VALUES)))


@pytest.mark.parametrize("model", [torch.nn.Linear(2, 1), lambda x: x])
def test_what_is_no_module_is_refused(model):
    with pytest.raises(gn.GraphError, match="model must be a graphnet module"):
        TrainingGraph(model, gn.LossMSE(), DataSet((X, VALUES)))
