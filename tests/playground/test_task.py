"""What a page trains: which node predicts, which rows are in classes, and what is refused."""

from __future__ import annotations

import pytest
import torch
from playground.pages import list_task, plain_list, plane, plane_model, points, rows

import graphnet as gn
from graphnet.errors import FeedError, GraphError, RangeError, ShapeError
from graphnet.playground.classes import Classes, classes_of
from graphnet.playground.task import task_of_graph


def output_and_target(shape, target_shape=None, dtype=torch.float32):
    graph = gn.Graph()
    output = graph.input(shape, name="x") * 1.0
    return output, graph.input(target_shape or shape, name="t", dtype=dtype)


ONE_HOT = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
LABELS = torch.tensor([0, 2, 1])
CLASSES = {
    "labels": ((None, 3), (None,), LABELS, Classes([[0], [1], [2]])),
    "labels beyond the outputs": ((None, 2), (None,), LABELS, None),
    "one column": ((None, 2), None, ONE_HOT, Classes([[1.0, 0.0], [0.0, 1.0]])),
    "1 and -1": ((None, 2), None, 2 * ONE_HOT - 1, Classes([[1.0, -1.0], [-1.0, 1.0]])),
    "no column": ((None, 2), None, torch.zeros(3, 2), None),
    "two columns": ((None, 2), None, torch.ones(3, 2).fill_diagonal_(0), None),
    "0 and 1": ((None, 1), None, torch.tensor([[0.0], [1.0]]), Classes([[0.0], [1.0]], 0.5)),
    "0 and 1 in a row": ((None,), None, torch.tensor([1.0, 0.0]), Classes([[0.0], [1.0]], 0.5)),
    "-1 and 1": ((None, 1), None, torch.tensor([[-1.0], [1.0]]), Classes([[-1.0], [1.0]], 0.0)),
    "numbers": ((None, 1), None, torch.tensor([[0.1], [0.2], [0.7]]), None),
    "images": ((None, 3, 4), (None, 3, 4), torch.rand(5, 3, 4), None),
}


@pytest.mark.parametrize(
    ("shape", "of_target", "targets", "classes"), CLASSES.values(), ids=CLASSES
)
def test_classes_are_found_in_the_targets(shape, of_target, targets, classes):
    output, target = output_and_target(shape, of_target, targets.dtype)
    assert classes_of(output, target, targets) == classes


@pytest.mark.parametrize(
    ("loss", "threshold"), [(gn.LossBCEWithLogits(), 0.0), (gn.LossMSE(), 0.5)], ids=str
)
def test_the_threshold_of_logits_is_zero(loss, threshold):
    output, target = output_and_target((None, 1))
    loss(output, target)
    assert classes_of(output, target, torch.tensor([[0.0], [1.0]])).threshold == threshold


def test_a_model_has_inputs_targets_and_an_output():
    task = plane()
    assert [node.name for node in task.inputs] == ["x"]
    assert [node.name for node in task.targets] == ["t"]
    assert task.output.name == "4.linear"
    assert task.plane is task.inputs[0]
    assert rows().plane is None
    assert rows().classes == Classes([[0], [1], [2]])


def test_the_output_of_a_list_is_what_is_computed_without_the_targets():
    task = list_task()
    assert (task.output.op.name, task.inputs[0].name, task.targets[0].name) == ("tanh", "x", "t")
    assert task.classes == Classes([[-1.0], [1.0]], 0.0)


def test_the_output_of_a_list_can_be_given():
    graph, loss, _, feed = plain_list()
    (product,) = [node for node in graph if getattr(node, "op", None) and node.op.name == "matmul"]
    sgd = gn.SGD(graph.parameters(), lr=0.1)
    settings = {"batch_size": 5, "seed": 0, "title": ""}
    task = task_of_graph(graph, loss, feed, sgd, None, product, **settings)
    assert task.output is product
    assert task.title == "Network"


def test_an_autoencoder_has_no_output_but_all_rows():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    w = graph.parameter(torch.eye(2), name="w")
    loss = ((x @ w - x) ** 2).mean()
    sgd = gn.SGD([w], lr=0.1)
    settings = {"batch_size": 5, "seed": 0, "title": ""}
    task = task_of_graph(graph, loss, {"x": torch.rand(9, 2)}, sgd, None, None, **settings)
    assert (task.output, task.plane, task.classes) == (None, None, None)
    assert [node.name for node in task.inputs] == ["x"]


def test_a_batch_has_at_most_all_rows():
    assert list_task(batch_size=31).batch_size == 30


def test_a_fixed_batch_is_that_of_the_inputs():
    assert list_task(batch=10).batch_size == 10


FEED = plain_list()[3]
WRONG = {
    "batch of 0": ({"batch_size": 0}, RangeError, "batch_size must be an integer of 1 or more"),
    "batch of text": ({"batch_size": "8"}, RangeError, "batch_size must be an integer"),
    "seed below 0": ({"seed": -1}, RangeError, "seed must be an integer of 0 or more"),
    "seed too large": ({"seed": 2**32}, RangeError, "from 0 to 2**32 - 1"),
    "title": ({"title": 3}, GraphError, "title must be a text"),
    "loss": ({"loss": 3}, GraphError, "loss must be a node of this graph"),
    "output": ({"output": "y"}, GraphError, "output must be a node of this graph"),
    "optimizer": ({"optimizer": "sgd"}, GraphError, "optimizer must be one of graphnet"),
    "input missing": ({"data": {"x": FEED["x"]}}, FeedError, "t"),
    "misnamed": ({"data": {**FEED, "z": FEED["x"]}}, FeedError, "z"),
    "wrong width": ({"data": {**FEED, "x": torch.rand(30, 3)}}, FeedError, "x"),
    "rows differ": ({"data": {**FEED, "x": torch.rand(29, 2)}}, ShapeError, "data have the same"),
    "no rows": ({"data": {k: v[:0] for k, v in FEED.items()}}, ShapeError, "1 or more"),
    "test rows": ({"test": {**FEED, "x": torch.rand(29, 2)}}, ShapeError, "test have the same"),
    "no dict": ({"data": FEED["x"]}, FeedError, "dict"),
    "fixed batch": ({"batch": 40}, FeedError, "takes the shape (40, 2); got (30, 2)"),
}


@pytest.mark.parametrize(("changes", "error", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused_in_words(changes, error, said):
    with pytest.raises(error) as caught:
        list_task(**changes)
    assert said in str(caught.value)


def test_fixed_batches_are_equal():
    graph = gn.Graph()
    x, t = graph.input((10, 2), name="x"), graph.input((5, 2), name="t")
    w = graph.parameter(torch.ones(2), name="w")
    loss = (x * w).mean() + (t * w).mean()
    feed = {"x": torch.rand(30, 2), "t": torch.rand(30, 2)}
    with pytest.raises(ShapeError, match="got 5, 10"):
        graph.playground(loss, feed, gn.SGD([w], lr=0.1), "never.html")


def test_an_optimizer_of_other_parameters_is_refused():
    other = gn.SGD(plane_model().parameters(), lr=0.1)
    with pytest.raises(GraphError, match="updates none of the parameters"):
        list_task(optimizer=other)
    with pytest.raises(GraphError, match="another model"):
        gn.playground(plane_model(), gn.LossMSE(), points(30), other, "never.html")


def test_a_loss_without_inputs_is_refused():
    graph = gn.Graph()
    w = graph.parameter(torch.ones(3), name="w")
    with pytest.raises(FeedError, match="reads no input"):
        graph.playground(w.square().sum(), {}, gn.SGD([w], lr=0.1), "never.html")


def test_test_data_of_another_shape_are_refused():
    model = plane_model()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    wrong = (torch.rand(5, 3), torch.rand(5, 2))
    with pytest.raises(FeedError, match="test has a tensor of the shape"):
        gn.playground(model, gn.LossMSE(), points(30), sgd, "never.html", test=wrong)


def labels_of(*values):
    return torch.zeros(30, dtype=torch.int64).index_put(
        (torch.arange(len(values)) + 7,), torch.tensor(values)
    )


def with_number(number, place):
    return torch.rand(30, 2).index_put(tuple(map(torch.tensor, place)), torch.tensor(number))


GOOD = (torch.rand(30, 2), labels_of(1, -100))
UNLEARNABLE = {
    "NaN in inputs": ((with_number(torch.nan, (4, 1)), GOOD[1]), FeedError, "row 4 of 'x' has nan"),
    "inf in inputs": ((with_number(-torch.inf, (9, 0)), GOOD[1]), FeedError, "row 9 of 'x' has -i"),
    "a label too large": ((GOOD[0], labels_of(1, 2)), RangeError, "row 8 has 2"),
    "a negative label": ((GOOD[0], labels_of(-1)), RangeError, "row 7 has -1"),
}


@pytest.mark.parametrize("part", ["data", "test"])
@pytest.mark.parametrize(("wrong", "error", "said"), UNLEARNABLE.values(), ids=UNLEARNABLE)
def test_rows_that_no_network_can_learn_from_are_refused(part, wrong, error, said):
    model = plane_model()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    given = {"data": GOOD, "test": GOOD, part: wrong}
    with pytest.raises(error) as caught:
        gn.playground(model, gn.LossCrossEntropy(), optimizer=sgd, **given)
    assert said in str(caught.value)
    assert f" of {part} must be " in str(caught.value)
    assert error is FeedError or "from 0 to 1" in str(caught.value)


def test_targets_that_are_not_finite_are_refused():
    data = {**FEED, "t": FEED["t"].index_fill(0, torch.tensor(3), torch.inf)}
    with pytest.raises(FeedError, match="row 3 of 't' has inf"):
        list_task(data=data)


def test_an_index_beyond_its_table_is_refused():
    model = gn.Sequential(gn.Embedding(5, 3), gn.Linear(3, 2))
    sgd = gn.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RangeError, match="rows of the table, from 0 to 4; row 2 has 5"):
        gn.playground(model, gn.LossMSE(), (torch.tensor([0, 4, 5]), torch.rand(3, 2)), sgd)


def test_only_rows_that_exist_are_counted_as_left_out(monkeypatch):
    monkeypatch.setattr("graphnet.playground.task.MOST_NUMBERS", 30)
    for test, said in ((None, "10 of 30 rows.$"), (FEED, "of 30 rows, and 30 of 30 test rows.$")):
        with pytest.warns(UserWarning, match=said):
            list_task(test=test)


def test_an_unknown_option_is_told_of_the_name_that_was_called():
    with pytest.raises(TypeError, match=r"^playground\(\) got an unexpected .* 'batch'"):
        gn.playground(None, None, None, None, batch=3)
