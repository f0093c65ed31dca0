"""Lowering: what is stored and what is computed where it is read, in memory that changes."""

from __future__ import annotations

import pytest
import torch
from compile.training import Training, assert_same, randn

import graphnet as gn
from graphnet.compile.ir.build import specialized
from graphnet.compile.lower.axes import loops_over
from graphnet.compile.lower.loops import Check, Contraction, Map, Reduction
from graphnet.compile.lower.lowering import LONGEST, lowered
from graphnet.compile.passes import NATIVE_PASSES, optimize


def statements(graph, outputs):
    """The kinds of statements of a program."""
    shapes = {node.name: tuple(node.shape) for node in graph.inputs}
    program = optimize(specialized(graph, outputs, shapes)[0], NATIVE_PASSES)
    return [type(each) for each in lowered(program).statements]


def graph_of(*shapes):
    graph = gn.Graph()
    return graph, *(graph.input(shape, name=f"x{n}") for n, shape in enumerate(shapes))


# what is stored


def test_a_chain_is_one_loop():
    graph, x, y = graph_of((3, 4), (4,))
    assert statements(graph, [((x + y).tanh() * 2.0 - y).exp()]) == [Map]


def test_a_chain_before_a_sum_is_part_of_it():
    graph, x = graph_of((3, 4))
    assert statements(graph, [(x * x + 1.0).sum()]) == [Reduction]
    assert statements(graph, [(x * x + 1.0).sum(0).exp()]) == [Reduction, Map]


def test_what_two_nodes_read_is_computed_once():
    graph, x = graph_of((3, 4))
    shared = x.exp()
    assert statements(graph, [shared.sum(0), shared.sum(1)]) == [Map, Reduction, Reduction]
    assert statements(graph, [x.sum(0), x.sum(1)]) == [Reduction, Reduction]


def test_what_is_read_more_often_than_it_has_elements_is_stored():
    graph, x, y = graph_of((3, 1), (3, 4))
    assert statements(graph, [x.exp() * y]) == [Map, Map]
    assert statements(graph, [x * y]) == [Map]


def test_a_factor_is_stored_before_a_product():
    graph, x, y = graph_of((3, 4), (4, 5))
    assert statements(graph, [x.tanh() @ y]) == [Map, Contraction]
    assert statements(graph, [x @ y]) == [Contraction]


def test_a_long_expression_is_cut():
    graph, x = graph_of((3, 4))
    y = x
    for number in range(4 * LONGEST):
        y = (y + float(number)) * 0.5
    kinds = statements(graph, [y])
    assert set(kinds) == {Map}
    assert 2 <= len(kinds) <= 12


def test_views_are_no_statements():
    graph, x = graph_of((4, 6))
    seen = x.mT[1:, ::2].reshape(5, 1, 2).permute(2, 0, 1).expand(2, 5, 3)
    assert statements(graph, [seen.exp()]) == [Map]
    assert statements(graph, [x.mT.reshape(24).exp()]) == [Map, Map]  # no strides show it


def test_an_index_is_checked_before_it_is_used():
    graph = gn.Graph()
    x = graph.input((3, 4), name="x")
    t = graph.input((3,), name="t", dtype=torch.int64)
    kinds = statements(graph, [gn.ops.cross_entropy(x, t)])
    assert kinds.count(Check) >= 1
    assert kinds.index(Check) < len(kinds) - 1


# memory that changes


def product_training(kind="SGD", **settings):
    """The gradient of each of two weights reads the other, and both are fed as well."""
    graph = gn.Graph()
    a, b = (graph.parameter(randn(3, 3, seed=n), name=name) for n, name in enumerate("ab"))
    x = graph.input((3, 3), name="x", dtype=torch.float64)
    y = graph.input((3, 3), name="y", dtype=torch.float64)
    loss = ((a * b + x) * (a - y.mT)).square().mean() + (a @ b * y).mean()
    made = Training(graph, loss, getattr(gn, kind)([a, b], lr=0.1, **settings))
    made.a, made.b = a, b
    return made


FED = {
    "the weights": lambda each: (each.a.top, each.b.top),
    "one of them twice": lambda each: (each.a.top, each.a.top),
    "crosswise": lambda each: (each.b.top, each.a.top),
    "transposed": lambda each: (each.b.top.mT, each.a.top.mT),
    "gradients": lambda each: (
        (each.a.top, each.b.top) if each.a.grad is None else (each.a.grad, each.b.grad)
    ),
    "others": lambda each: (randn(3, 3, seed=7), randn(3, 3, seed=8)),
}


@pytest.mark.parametrize(
    ("kind", "settings"), [("SGD", {}), ("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True})]
)
def test_a_fed_tensor_may_share_memory_with_a_weight(kind, settings):
    """The step reads what there was before; for the walk it is a copy."""
    ours, theirs = (product_training(kind, **settings) for _ in range(2))
    step = ours.compiled(backend="c")
    for fed in FED.values():
        for _ in range(2):
            mine = step(dict(zip("xy", fed(ours), strict=True)))
            copies = [each.clone() for each in fed(theirs)]
            assert_same(mine, theirs.walk(dict(zip("xy", copies, strict=True))))
            assert_same(ours.state(), theirs.state())
    assert step.source.startswith("#include")


def test_a_watched_weight_is_that_before_the_step():
    """As with calls of torch: also what is computed from it, and a view of it."""
    values = []
    for backend in ("c", "torch"):
        ours = product_training()
        a, b = ours.a, ours.b
        step = ours.compiled(backend=backend, watch=[a, a * 2.0, a.mT, a[0], a + b.sum(0)])
        found = []
        for number in range(3):
            step(x=randn(3, 3, seed=number), y=randn(3, 3, seed=9))
            found += step.watched
        values.append(found)
    assert_same(*values)


def test_statistics_are_read_before_and_after_they_change():
    """Batch normalization in both modes, twice in one list."""

    def make():
        torch.manual_seed(0)
        norm, linear = gn.BatchNorm1d(3).double(), gn.Linear(3, 3).double()
        with gn.Graph() as graph:
            y = norm(linear(norm(gn.Input((None, 3), name="x", dtype=torch.float64))))
            loss = (y * (y + 0.5)).mean()
        parameters = [*norm.parameters(), *linear.parameters()]
        return Training(graph, loss, gn.SGD(parameters, lr=0.1, momentum=0.9))

    ours, theirs = make(), make()
    step = ours.compiled(backend="c")
    for number in range(6):
        for each in (ours, theirs):
            each.graph.train(number % 3 != 2)
        feed = {"x": randn(5, 3, seed=number)}
        assert_same(step(feed), theirs.walk(feed))
        assert_same(ours.state(), theirs.state())


def test_a_fed_tensor_is_never_written_to():
    graph, x = graph_of((3, 4))
    outputs = [x + 1.0, x.mT * 2.0, x.softmax(1), x.cumsum(0), gn.ops.pad(x, (1, 1))]
    predict = graph.compile(outputs, backend="c")
    value = torch.rand(3, 4)
    kept = value.clone()
    predict(x0=value)
    assert value.equal(kept)


# axes


def test_loops_follow_memory_and_are_as_few_as_can_be():
    def sizes(shape, *strides, fixed=(), sort=True):
        loops = loops_over(shape, range(len(shape)), strides, set(fixed), sort)
        return [(loop.size, [axis for axis, _ in loop.axes]) for loop in loops]

    assert sizes((2, 3, 4), (12, 4, 1)) == [(24, [0, 1, 2])]
    assert sizes((2, 3, 4), (12, 4, 1), (12, 4, 1)) == [(24, [0, 1, 2])]
    assert sizes((2, 3, 4), (12, 4, 1), (0, 4, 1)) == [(2, [0]), (12, [1, 2])]
    assert sizes((2, 3, 4), (1, 8, 2)) == [(24, [1, 2, 0])]
    assert sizes((2, 3, 4), (1, 8, 2), sort=False) == [(2, [0]), (12, [1, 2])]
    assert sizes((1, 3, 1), (7, 1, 9)) == [(3, [1])]
    assert sizes((2, 3, 4), (12, 4, 1), fixed=[1]) == [(2, [0]), (3, [1]), (4, [2])]
    assert sizes((), ()) == []
    assert sizes((5, 2), (-2, 1)) == [(5, [0]), (2, [1])]  # backwards
