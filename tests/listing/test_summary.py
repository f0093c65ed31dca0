"""The costs of a list: counted by hand here, from shapes there."""

from __future__ import annotations

import pytest
import torch
from draw.example_modules import SharedBranch

import graphnet as gn
from graphnet import ops
from graphnet.listing.flops import backward_flops, forward_flops, sizes_of
from graphnet.listing.summary import megabytes, summary


def inputs(*shapes):
    graph = gn.Graph()
    return [graph.input(s, name=f"x{i}", requires_grad=True) for i, s in enumerate(shapes)]


CASES = {  # shapes, operation, forward, backward
    "matmul": ([(2, 3), (3, 5)], ops.matmul, 2 * 2 * 3 * 5, 2 * 2 * 2 * 3 * 5),
    "bmm": ([(7, 2, 3), (7, 3, 5)], ops.bmm, 7 * 60, 2 * 7 * 60),
    "vector": ([(4, 3), (3,)], ops.matmul, 2 * 4 * 3, 2 * 2 * 4 * 3),
    "linear": ([(4, 3), (5, 3), (5,)], ops.linear, 2 * 4 * 3 * 5 + 20, 2 * 2 * 4 * 3 * 5 + 20),
    "map": ([(4, 3), (5, 3)], ops.linear, 2 * 4 * 3 * 5, 2 * 2 * 4 * 3 * 5),
    "conv": (
        [(2, 3, 6, 6), (4, 3, 3, 3)],
        ops.conv2d,
        2 * (2 * 4 * 4 * 4) * 27,
        2 * 2 * (2 * 4 * 4 * 4) * 27,
    ),
    "conv with bias": (
        [(1, 3, 6, 6), (4, 3, 3, 3), (4,)],
        ops.conv2d,
        2 * 64 * 27 + 64,
        2 * 2 * 64 * 27 + 64,
    ),
    "conv transposed": (
        [(1, 4, 4, 4), (4, 3, 3, 3)],
        ops.conv_transpose2d,
        2 * 64 * 27,
        2 * 2 * 64 * 27,
    ),
    "tanh": ([(2, 3)], ops.tanh, 6, 6),
    "add": ([(2, 3), (3,)], ops.add, 6, 12),
    "sum": ([(2, 3)], ops.sum, 6, 6),
    "reshape": ([(2, 3)], lambda x: x.reshape(3, 2), 0, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_operations_are_counted(name):
    shapes, operation, forward, backward = CASES[name]
    node = operation(*inputs(*shapes))
    assert (forward_flops(node), backward_flops(node)) == (forward, backward)


@pytest.mark.parametrize(
    ("shapes", "seed"), [([(2, 3, 6, 6), (4, 3, 3, 3)], (2, 4, 4, 4)), ([(2, 3), (5, 3)], (2, 5))]
)
def test_derivatives_written_as_nodes_cost_what_the_backward_walk_does(shapes, seed):
    graph = gn.Graph()
    x, w = (graph.input(s, name=f"x{i}", requires_grad=True) for i, s in enumerate(shapes))
    y = ops.conv2d(x, w) if len(shapes[0]) == 4 else x @ w.mT
    grad = graph.input(seed, name="seed")
    graph.gradients(y, [x, w], grad)
    derived = sum(forward_flops(node) for node in graph if getattr(node, "derived", False))
    assert derived == backward_flops(y)


def test_without_a_gradient_there_is_no_way_back():
    graph = gn.Graph()
    x, w = graph.input((4, 3), name="x"), graph.input((3, 5), name="w", requires_grad=True)
    assert backward_flops(x @ w) == forward_flops(x @ w)


def test_unknown_sizes_are_one_until_they_are_fed():
    graph = gn.Graph()
    y = graph.input((None, 4), name="x").reshape(-1, 2).tanh()
    assert sizes_of(y) == (2, 2)
    assert not summary(graph).fed
    graph.forward(x=torch.ones(3, 4))
    assert sizes_of(y) == (6, 2)
    assert summary(graph).fed
    assert summary(graph).total.forward == 12


def shared_weight():
    graph = gn.Graph()
    SharedBranch()(graph.input((5, 4), name="a"), graph.input((5, 4), name="b"))
    return graph


def test_shared_parameters_count_once():
    costs = summary(shared_weight())
    branch = next(row for row in costs.rows if row.path == "branch")
    once = 5 * (2 * 4 * 8 + 8) + 5 * 8 + 5 * (2 * 8 * 3 + 3)
    assert (branch.kind, branch.uses, branch.nodes, branch.parameters) == ("Sequential", 2, 10, 67)
    assert "  Sequential, 2 uses  " in str(costs)
    assert branch.forward == 2 * once
    assert costs.total.parameters == 67
    paths = [row.path for row in costs.rows]
    assert paths == ["", "branch", "branch.0", "branch.1", "branch.2", ""]
    assert [row.kind for row in costs.rows if not row.path] == ["outside", "SharedBranch"]


def test_borrowed_parameters_are_named_and_not_counted_twice():
    layer = gn.Linear(2, 2)
    graph = gn.Graph()
    first, second = gn.Sequential(layer), gn.Sequential(layer)
    gn.Sequential(first, second)(graph.input((None, 2), name="x"))
    rows = {row.path: row for row in summary(graph).rows}
    assert (rows["0"].parameters, rows["0"].borrowed) == (6, 0)
    assert (rows["1"].parameters, rows["1"].borrowed) == (0, 6)
    assert summary(graph).total.parameters == 6
    assert "0 + 6" in str(summary(graph))


def test_memory_is_that_of_the_tensors():
    graph = shared_weight()
    graph.forward(a=torch.ones(5, 4), b=torch.zeros(5, 4))
    graph.backward(graph[-1])
    total = summary(graph).total
    tops = [node.top for node in graph]
    grads = [node.grad for node in graph if node.grad is not None]
    assert total.tops == sum(each.numel() * each.element_size() for each in tops)
    assert total.grads == sum(each.numel() * each.element_size() for each in grads)


def test_what_the_loss_does_not_depend_on_costs_nothing_on_the_way_back():
    graph = gn.Graph()
    w = graph.parameter(torch.ones(3))
    aside = w.exp()
    loss = (w * w).sum()
    total = summary(graph).total
    assert backward_flops(aside) == 3
    assert total.backward == backward_flops(loss) + backward_flops(graph["mul"])


def test_the_text_has_a_line_for_each_module():
    lines = str(summary(shared_weight())).splitlines()
    assert lines[0].split()[:4] == ["module", "kind", "settings", "output"]
    assert " ".join(lines[3].split()) == "0 Linear, 2 uses 4 → 8 5×8 8×4, 8 40 320 480 B"
    assert " ".join(lines[7].split()) == "total () 67 560 1.31 kB"
    assert lines[9] == "67 parameters; 15 nodes."


class Lenet(gn.Sequential):
    """A network for images with nested parts."""

    def __init__(self):
        head = gn.Sequential(gn.Flatten(), gn.Linear(16 * 5 * 5, 84), gn.ReLU(), gn.Linear(84, 10))
        super().__init__(
            *(gn.Conv2d(1, 6, 5, padding=2, bias=False), gn.BatchNorm2d(6), gn.ReLU()),
            *(gn.MaxPool2d(2), gn.Conv2d(6, 16, 5), gn.MaxPool2d(2), head),
        )


def test_a_module_is_summarized_for_shapes():
    rows = {row.path: row for row in Lenet().summary((2, 1, 28, 28)).rows}
    convolution, norm = rows["0"], rows["1"]
    assert (convolution.kind, convolution.settings) == (
        "Conv2d",
        "5×5, padding 2",
    )
    assert convolution.output == (2, 6, 28, 28)
    assert convolution.weights == ((6, 1, 5, 5),)
    assert convolution.multiply_adds == 2 * 6 * 28 * 28 * 25
    assert (norm.settings, norm.weights, norm.multiply_adds) == ("", ((6,), (6,)), 0)
    assert norm.parameters == 12  # the running statistics are not learned
    assert rows["6"].weights == ()  # those of the layers inside
    assert (rows["6"].parameters, rows["6"].depth) == (400 * 84 + 84 + 840 + 10, 1)
    assert (rows["6.1"].depth, rows["6.1"].multiply_adds) == (2, 2 * 400 * 84)


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (3, 1, 28, 28)])
def test_multiply_adds_are_half_of_what_torch_counts(shape):
    from torch.utils.flop_counter import FlopCounterMode

    nn = torch.nn
    theirs = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    with FlopCounterMode(display=False) as counter:
        theirs(torch.ones(shape))
    total = Lenet().summary(shape).total
    assert 2 * total.multiply_adds == counter.get_total_flops()
    assert total.parameters == sum(each.numel() for each in theirs.parameters())


@pytest.mark.parametrize(("depth", "paths"), [(1, 8), (2, 12), (None, 12)])
def test_the_depth_bounds_the_rows(depth, paths):
    costs = Lenet().summary((1, 1, 28, 28), depth=depth)
    assert len(costs.rows) == paths
    assert costs.total == Lenet().summary((1, 1, 28, 28)).total
    with gn.Graph() as graph:
        Lenet()(gn.Input((None, 1, 28, 28), name="x"))
    assert len(graph.summary(depth=depth).rows) == paths


def test_frozen_parameters_are_counted():
    model = Lenet()
    model[0].requires_grad_(False)
    costs = model.summary((1, 1, 28, 28))
    assert costs.total.frozen == 150
    assert f"{costs.total.parameters:,} parameters, 150 of them frozen; " in str(costs)


def test_a_tensor_stands_for_its_shape_and_dtype():
    model = gn.Sequential(gn.Embedding(10, 4), gn.LSTM(4, 8))
    layer = model[0]
    rows = layer.summary(torch.zeros(2, 3, dtype=torch.int64)).rows
    assert rows[-1].output == (2, 3, 4)
    lstm = model[1].summary((5, 2, 4)).rows[-1]
    assert (lstm.kind, lstm.settings, lstm.output) == ("LSTM", "8 hidden", (5, 2, 8))


def test_the_rows_are_columns_for_pandas():
    costs = Lenet().summary((1, 1, 28, 28))
    record = costs.to_record()
    assert set(map(len, record.values())) == {len(costs.rows)}
    assert record["kind"][1:3] == ["Conv2d", "BatchNorm2d"]
    assert record["multiply_adds"] == [row.multiply_adds for row in costs.rows]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Lenet().summary(), "takes a shape, or a tensor like it, for each input"),
        (lambda: Lenet().summary((1, 1, 28, 28), (2,)), r"got 2 shapes for the inputs \(x\)"),
        (lambda: Lenet().summary(28), "got 28"),
        (lambda: Lenet().summary((1, 1, 28, 28), depth=0), "depth must be an integer of 1 or more"),
        (lambda: Lenet().summary((1, 2, 28, 28)), "conv2d"),
    ],
)
def test_what_cannot_be_summarized_is_refused(call, words):
    with pytest.raises(gn.GraphError, match=words):
        call()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        *((0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1 MB"), (46_800_000, "46.8 MB")),
        *((3_210_000_000, "3.21 GB"), (5_000_000_000_000, "5,000 GB")),
    ],
)
def test_bytes_have_a_unit(count, text):
    assert megabytes(count) == text


def test_a_layer_that_is_called_directly_has_a_row():
    graph = gn.Graph()
    gn.Conv2d(1, 3, 3)(graph.input((None, 1, 6, 6), name="x")).square().mean()
    rows = {row.kind: row for row in summary(graph).rows}
    assert list(rows) == ["outside", "Conv2d"]
    assert (rows["Conv2d"].nodes, rows["Conv2d"].parameters) == (3, 30)
    assert (rows["outside"].nodes, rows["outside"].parameters) == (3, 0)
