"""The list itself: its protocol, the ways in, and how it is checked and printed."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet import ops


def small() -> gn.Graph:
    """x, w, x @ w, tanh, mean: five nodes of all three kinds."""
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    w = graph.parameter(torch.ones(2, 3), name="w")
    (x @ w).tanh().mean()
    return graph


# the list protocol


def test_it_is_a_list_of_its_nodes_in_the_order_of_their_making():
    graph = small()
    nodes = list(graph)
    assert len(graph) == len(nodes) == 5
    assert [node.index for node in graph] == [0, 1, 2, 3, 4]
    assert [node.name for node in graph] == ["x", "w", "matmul", "tanh", "mean"]
    assert [node.kind for node in graph] == ["input", "parameter"] + ["operation"] * 3
    assert all(graph[place] is node for place, node in enumerate(nodes))
    assert graph[-1] is nodes[4]
    assert graph[-5] is nodes[0]
    assert graph[1:4] == nodes[1:4]
    assert graph[::-1] == nodes[::-1] == list(reversed(graph))
    assert graph[7:] == []
    assert graph.count(nodes[2]) == 1
    for place in (5, -6):
        with pytest.raises(IndexError):
            graph[place]


def test_a_node_is_found_by_its_name():
    graph = small()
    assert graph["tanh"] is graph[3]
    assert [graph.name_of(node) for node in graph] == [node.name for node in graph]
    with pytest.raises(gn.GraphError, match=r"'relu'.*lists all names"):
        graph["relu"]


def test_it_contains_its_own_nodes_only():
    graph, other = small(), small()
    assert all(node in graph for node in graph)
    assert not any(node in graph for node in other)
    alone = gn.Parameter(torch.ones(2))
    for stranger in (alone, "x", 0, None, torch.ones(2), graph):
        assert stranger not in graph
    for stranger in (other[3], alone, "x"):
        with pytest.raises(gn.GraphError, match="not a node of <Graph of 5 nodes"):
            graph.index(stranger)


@pytest.mark.parametrize(
    "bounds",
    [(), (0,), (3,), (4,), (0, 3), (0, 4), (3, 4), (-2,), (-1,), (0, -1), (0, -2), (-9, 9)],
)
def test_index_takes_the_bounds_of_a_list(bounds):
    graph = small()
    node = graph[3]
    try:
        expected = list(graph).index(node, *bounds)
    except ValueError:
        with pytest.raises(gn.GraphError):
            graph.index(node, *bounds)
    else:
        assert graph.index(node, *bounds) == expected


def test_it_is_true_when_empty():
    graph = gn.Graph()
    assert graph
    assert len(graph) == 0
    assert list(graph) == graph.inputs == graph.parameters() == []
    graph.lint()


# the ways in


def test_each_way_in_appends_one_node_at_the_end():
    graph = gn.Graph()
    x = graph.input((None,), name="x")
    b = graph.parameter(torch.zeros(()), name="b")
    y = ops.add(x, b)
    assert list(graph) == [x, b, y]
    assert graph.inputs == [x]
    assert graph.parameters() == [b]
    assert y.inputs == (x, b)
    assert x.inputs == b.inputs == ()


def test_a_parameter_enters_where_it_is_first_used_and_once():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    w = gn.Parameter(torch.ones(2), name="w")
    assert w not in graph
    first = x * w
    second = first * w
    assert list(graph) == [x, w, first, second]
    assert w.index == 1
    assert w.graph is graph


def test_numbers_are_arguments_and_not_nodes():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    y = 1 - x
    assert y.args == (1, x)
    assert y.inputs == (x,)
    assert len(graph) == 2


def test_a_mistake_appends_nothing():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    w = gn.Parameter(torch.ones(3, 2), name="w")
    before = str(graph)
    for mistake in (
        lambda: x @ w,
        lambda: graph.input((2,), name="x"),
        lambda: graph.parameter(torch.ones(2), name="x"),
        lambda: x.reshape(7, 7),
        lambda: x + torch.ones(3),
    ):
        with pytest.raises(gn.GraphError):
            mistake()
    assert str(graph) == before
    assert w not in graph
    assert graph.parameters() == []


# parameters in several graphs


def test_a_parameter_stands_in_several_graphs():
    w = gn.Parameter(torch.full((2,), 3.0))
    first, second = gn.Graph(), gn.Graph()
    a = first.input((2,), name="x")
    one = (a * w).sum()
    b = second.input((2,), name="parameter")  # takes the name that w has in the first graph
    second.input((2,), name="unused")
    two = (b * w * w).sum()
    assert (first.index(w), first.name_of(w)) == (1, "parameter")
    assert (second.index(w), second.name_of(w)) == (2, "parameter_1")
    for attribute in ("graph", "index"):
        with pytest.raises(gn.GraphError, match=r"2 graphs.*graph\.index"):
            getattr(w, attribute)
    x = torch.tensor([1.0, 2.0])
    first.forward(x=x)
    second.forward({b: x}, outputs=two)
    first.backward(one)
    assert torch.equal(w.grad, x)
    second.backward(two)
    assert torch.equal(w.grad, 6 * x)  # d(x w²)/dw = 2 x w
    first.lint()
    second.lint()


# lint


def _swap(graph):
    graph._nodes[2], graph._nodes[3] = graph._nodes[3], graph._nodes[2]


def _swap_and_renumber(graph):
    _swap(graph)
    graph._nodes[2].index, graph._nodes[3].index = 2, 3


TAMPERED = {
    "order of the places": (_swap, r"<operation 3 'tanh' \(\?, 3\)> is at 2"),
    "a node twice": (lambda graph: graph._nodes.append(graph[2]), "'matmul'.* is at 5"),
    "a missing node": (lambda graph: graph._nodes.pop(1), "is at 1"),
    "a reader before what it reads": (
        _swap_and_renumber,
        r"'tanh'.* at 2 reads <operation 3 'matmul' .*>, which comes later",
    ),
    "a stranger": (lambda graph: graph._nodes.append(small()[3]), "not a node of <Graph"),
    "reading a stranger": (
        lambda graph: setattr(graph[3], "sources", (small()[2],)),
        "'matmul'.* not a node of <Graph",
    ),
    "reading a free parameter": (
        lambda graph: setattr(graph[2], "sources", (graph[0], gn.Parameter(torch.ones(2, 3)))),
        "'parameter'.* not a node of <Graph",
    ),
    "a node that reads itself": (lambda graph: setattr(graph[3], "sources", (graph[3],)), "later"),
    "a name of two": (lambda graph: setattr(graph[3], "name", "matmul"), "shares its name"),
    "a name of two, parameter": (
        lambda graph: graph[1].places.__setitem__(graph, (1, "matmul")),
        "<parameter 'matmul' .*> shares its name with <operation 2 'matmul'",
    ),
    "an unknown name": (lambda graph: setattr(graph[3], "name", "new"), "'new'"),
}


@pytest.mark.parametrize(("tamper", "message"), TAMPERED.values(), ids=TAMPERED)
def test_lint_finds_a_list_that_was_tampered_with(tamper, message):
    graph = small()
    graph.lint()
    tamper(graph)
    with pytest.raises(gn.GraphError, match=message):
        graph.lint()


# modes and texts


def test_train_and_eval_set_the_mode_and_return_the_graph():
    graph = gn.Graph()
    assert graph.training is True
    assert graph.eval() is graph
    assert graph.training is False
    assert graph.train() is graph
    assert graph.training is True
    assert graph.train(False).training is False


def test_the_list_is_printed_as_a_table():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    graph.input((None,), name="labels", dtype=torch.int64)
    w = graph.parameter(torch.ones(2, 1000), name="w")
    mean = graph.parameter(torch.zeros(()), name="mean", requires_grad=False)
    (1 - (x @ w - mean)).sum(1)
    assert str(graph).splitlines() == [
        "       #  kind       name    computes               shape       parameters  bytes  |top|",
        "○      0  input      x                              (?, 2)",
        "│ ○    1  input      labels                         (?,) int64",
        "│ □    2  parameter  w                              (2, 1000)        2,000  8,000   44.7",
        "│ │ ◇  3  buffer     mean                           ()                   1      4      0",
        "●─╯ │  4  operation  matmul  matmul(x, w)           (?, 1000)",
        "●───╯  5  operation  sub     sub(matmul, mean)      (?, 1000)",
        "●      6  operation  sub_1   sub(1, sub)            (?, 1000)",
        "●      7  operation  sum     sum(sub_1, dims=(1,))  (?,)",
    ]
    assert repr(graph) == "<Graph of 8 nodes, 2 inputs, 2,001 parameters>"
    assert repr(x) == "<input 0 'x' (?, 2)>"
    assert repr(w) == "<parameter 'w' (2, 1000)>"
    assert repr(graph[7]) == "<operation 7 'sum' (?,)>"
    assert str(graph[7]) == "node 7 'sum'"


def test_a_long_text_is_cut_in_the_table():
    graph = gn.Graph()
    name = "n" * 100
    graph.input((2,), name=name)
    assert f"{name[:40]}n" in str(graph)
    assert max(map(len, str(graph).splitlines())) < 100
    assert "n…" in str(graph)
    assert graph[name].name == name
