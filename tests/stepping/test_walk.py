"""The walk event by event: the numbers of the two walks, in their order."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.listing.norm import norm

DOUBLE = torch.float64


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def network():
    """Two linear layers that share their weights, a squared error, and an input that learns."""
    layer = gn.Linear(3, 3).double()
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x", dtype=DOUBLE, requires_grad=True)
        t = gn.Input((None, 3), name="t", dtype=DOUBLE)
        y = layer(layer(x).tanh())
        loss = gn.LossMSE()(y, t)
    with torch.no_grad():
        layer.weight.top = randn(3, 3, seed=5)
    return graph, loss, {"x": randn(4, 3), "t": randn(4, 3, seed=1)}


def state(graph):
    return [(node.top, node.grad) for node in graph]


def test_it_computes_what_the_two_walks_compute():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss).run()
    ours = [[None if v is None else v.clone() for v in pair] for pair in state(graph)]
    graph.forward(feed, outputs=loss)
    graph.backward(loss)
    for (top, grad), (expected_top, expected_grad) in zip(ours, state(graph), strict=True):
        assert torch.equal(top, expected_top)
        assert (grad is None) == (expected_grad is None)
        assert grad is None or torch.equal(grad, expected_grad)
    assert walk.events[-1].phase == "backward"


def test_it_starts_anew_after_other_walks():
    graph, loss, feed = network()
    graph.forward({name: value[:2] for name, value in feed.items()}, outputs=loss)
    graph.backward(loss)
    graph.walk(feed, loss).run()
    ours = [None if node.grad is None else node.grad.clone() for node in graph]
    graph.forward(feed, outputs=loss)
    graph.backward(loss)
    for grad, node in zip(ours, graph, strict=True):
        assert (grad is None) == (node.grad is None)
        assert grad is None or torch.equal(grad, node.grad)


def test_one_event_for_each_node_in_the_order_of_the_walks():
    graph, loss, feed = network()
    events = list(graph.walk(feed, loss))
    assert [event.number for event in events] == list(range(len(events)))
    forward = [event.node for event in events if event.phase == "forward"]
    backward = [event.node for event in events if event.phase == "backward"]
    assert forward[:2] == graph.inputs
    assert forward[2:] == [node for node in graph if node.kind == "operation"]
    learned = [node for node in graph if node.requires_grad]
    assert backward == learned[::-1]


def test_a_shared_parameter_gets_the_sum_of_what_is_sent_to_it():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss).run()
    (weight,) = [node for node in graph.parameters() if node.shape == (3, 3)]
    handed = [
        grad for event in walk.events for source, grad in event.contributions if source is weight
    ]
    assert len(handed) == 2
    torch.testing.assert_close(handed[0] + handed[1], weight.grad, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("where", ["name", "place", "node"])
def test_it_stops_where_it_is_told_to(where):
    graph, loss, feed = network()
    tanh = next(node for node in graph if node.kind == "operation" and node.op.name == "tanh")
    chosen = {"name": tanh.name, "place": tanh.index, "node": tanh}[where]
    walk = graph.walk(feed, loss)
    event = walk.run_to(chosen)
    assert (event.phase, event.node) == ("forward", tanh)
    assert loss.grad is None
    with pytest.raises(gn.StateError):
        _ = loss.top
    event = walk.run_to(chosen, "backward")
    assert (event.phase, event.value.shape) == ("backward", (4, 3))
    assert str(event).startswith(f"backward {tanh.index} {tanh.name!r}: norm ")
    with pytest.raises(gn.GraphError, match="does not reach"):
        walk.run_to(chosen)


def test_a_leaf_has_what_each_of_its_uses_sent_to_it():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss).run()
    leaves = [event for event in walk.events if event.phase == "backward" and not event.node.inputs]
    assert [len(event.contributions) for event in leaves] == [2, 2, 1]
    for event in leaves:
        readers = [node for node, _ in event.contributions]
        assert readers == [node for node in graph if event.node in node.inputs]
        total = sum(grad for _, grad in event.contributions)
        torch.testing.assert_close(total, event.value, rtol=1e-14, atol=1e-14)
        for reader, grad in event.contributions:
            given = next(e for e in walk.events if e.node is reader and e.phase == "backward")
            assert any(
                source is event.node and each is grad for source, each in given.contributions
            )


def classifier():
    """Words to classes: integers at both ends, and a normalization with buffers."""
    with gn.Graph() as graph:
        words = gn.Input((None,), name="words", dtype=torch.int64)
        classes = gn.Input((None,), name="classes", dtype=torch.int64)
        y = gn.Linear(4, 3)(gn.BatchNorm1d(4)(gn.Embedding(7, 4)(words)))
        loss = gn.LossCrossEntropy()(y, classes)
    return graph, loss, {"words": torch.arange(6), "classes": torch.arange(6) % 3}


def test_integers_have_norms_too():
    graph, loss, feed = classifier()
    walk = graph.walk(feed, loss)
    assert str(next(walk)) == "forward 0 'words': norm 7.416"
    assert all("norm" in str(event) for event in walk.run().events)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (torch.tensor([3, -4]), 5),
        (torch.tensor([True, True]), 2**0.5),
        (torch.tensor([255, 255], dtype=torch.uint8), 255 * 2**0.5),
        (torch.tensor([3e30, 4e30]), 5e30),
        (torch.tensor([3e-30, 4e-30]), 5e-30),
        (torch.tensor([3e150, 4e150], dtype=DOUBLE), 5e150),
        (torch.tensor([3e-150, 4e-150], dtype=DOUBLE), 5e-150),
        (torch.tensor([3e200, 4e200], dtype=DOUBLE), 5e200),
        (torch.tensor([3e-200, 4e-200], dtype=DOUBLE), 5e-200),
        (torch.tensor([300.0, 400.0], dtype=torch.float16).expand(1000, 2), 500 * 1000**0.5),
        (torch.tensor([1.0, float("inf")]), float("inf")),
        (torch.tensor([1.0, float("nan")]), float("nan")),
        (torch.zeros(3), 0),
        (torch.zeros(0), 0),
    ],
    ids=str,
)
def test_norms(numbers, expected):
    assert norm(numbers) == pytest.approx(expected, rel=1e-6, abs=0, nan_ok=True)


def other_graph():
    return gn.Graph().input((), name="foreign").tanh()


WRONG_STOPS = [
    (("loss", "back"), "phase must be .*got 'back'"),
    (("loss", 1), "phase must be .*got 1"),
    ((1.5, None), "named by itself, by its name, or by its place.*got 1.5"),
    ((None, None), "got None"),
    ((True, None), "got True"),
    (([], None), "got list"),
    ((999, None), r"from 0 to \d+; got 999"),
    ((-999, None), "got -999"),
    (("nowhere", None), "No node is called 'nowhere'"),
    (("foreign", None), "is not a node of <Graph"),
    (("weight", "forward"), r'has no forward event. Ask for .*run_to\(..., "backward"\)'),
    (("t", "backward"), r'has no backward event. Ask for .*run_to\(..., "forward"\)'),
    (("aside", None), "has no event.*shows all events"),
]


@pytest.mark.parametrize(("wrong", "text"), WRONG_STOPS, ids=str)
def test_stops_that_never_come_are_refused_before_the_first_step(wrong, text):
    graph, loss, feed = network()
    aside = loss.exp()
    where, phase = wrong
    nodes = {"loss": loss, "foreign": other_graph(), "aside": aside}
    nodes["weight"] = next(node for node in graph.parameters() if node.shape == (3, 3))
    walk = graph.walk(feed, loss)
    with pytest.raises(gn.GraphError, match=text):
        walk.run_to(nodes.get(where, where) if isinstance(where, str) else where, phase)
    assert walk.events == []
    assert len(walk.run().events) > 5


def test_what_has_passed_does_not_come_again():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss)
    walk.run_to(loss)
    with pytest.raises(gn.GraphError, match=r"does not reach node 0 'x' any more: it has made"):
        walk.run_to("x", "forward")
    assert walk.events[-1].node is loss
    assert walk.run_to("x").phase == "backward"


def test_a_walk_that_broke_does_not_go_on():
    graph, loss, feed = network()
    walk = graph.walk({**feed, "t": feed["t"][:3]}, loss)
    with pytest.raises(gn.ShapeError):
        walk.run_to(loss)
    with pytest.raises(gn.StateError, match="ended by an error"):
        walk.run_to(loss)


WRONG_WALKS = [
    (lambda g, loss, feed: (feed, None), gn.GraphError, "got None"),
    (lambda g, loss, feed: (feed, gn.ReLU()), gn.GraphError, "got ReLU"),
    (lambda g, loss, feed: (feed, "nowhere"), gn.GraphError, "No node is called 'nowhere'"),
    (lambda g, loss, feed: (feed, other_graph()), gn.GraphError, "is not a node of <Graph"),
    (
        lambda g, loss, feed: (feed, "x"),
        gn.GraphError,
        r"floating-point scalar; .*'x' is \(\?, 3\) float64",
    ),
    (
        lambda g, loss, feed: (feed, (loss > 0)),
        gn.GraphError,
        "floating-point scalar; .* bool",
    ),
    (lambda g, loss, feed: (None, loss), gn.FeedError, "A feed must be a dict.*got NoneType"),
    (lambda g, loss, feed: (feed["x"], loss), gn.FeedError, "A feed must be a dict.*got Tensor"),
    (lambda g, loss, feed: ({**feed, "y": feed["x"]}, loss), gn.FeedError, "no input by that name"),
    (
        lambda g, loss, feed: ({}, g.parameter(torch.ones(()), requires_grad=False)),
        gn.GraphError,
        "Nothing is computed",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "text"), WRONG_WALKS)
def test_walks_that_cannot_be_made_are_refused_at_once(arguments, error, text):
    graph, loss, feed = network()
    with pytest.raises(error, match=text):
        graph.walk(*arguments(graph, loss, feed))


def test_a_loss_may_be_given_by_its_name_or_place():
    graph, loss, feed = network()
    expected = [str(event) for event in graph.walk(feed, loss)]
    for way in (loss.name, loss.index, -1):
        assert [str(event) for event in graph.walk(feed, way)] == expected


def test_what_a_notebook_says_of_walks_and_events():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss)
    name, count = loss.name, len(graph.walk(feed, loss).run().events)
    assert repr(walk) == f"<Walk to {name!r}: 0 of {count} events>"
    event = next(walk)
    assert repr(event) == f"<Event 0: {event}>"
    assert repr(walk) == f"<Walk to {name!r}: 1 of {count} events, the last is {event}>"


def test_gradients_of_parameters_change_at_the_end_of_the_walk():
    graph, loss, feed = network()
    graph.forward(feed, outputs=loss)
    graph.backward(loss)
    before = [each.grad.clone() for each in graph.parameters()]
    feed["x"] = feed["x"] * 2
    walk = graph.walk(feed, loss)
    walk.run_to("x", "backward")
    assert all(map(torch.equal, before, [each.grad for each in graph.parameters()]))
    walk.run()
    assert not any(map(torch.equal, before, [each.grad for each in graph.parameters()]))


def test_another_walk_in_the_middle_is_noticed():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss)
    walk.run_to("t")
    next(walk)
    graph.forward(feed, outputs=loss)
    with pytest.raises(gn.StateError, match="anew"):
        next(walk)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda feed: feed.pop("t"), gn.FeedError),
        (lambda feed: feed.update(t=feed["t"][:2, :2]), gn.FeedError),
        (lambda feed: feed.update(t=feed["t"][:3]), gn.ShapeError),
    ],
    ids=["missing", "shape", "rows"],
)
def test_wrong_feeds_are_refused_as_in_the_walk(change, error):
    graph, loss, feed = network()
    change(feed)
    with pytest.raises(error) as expected:
        graph.forward(feed, outputs=loss)
    with pytest.raises(error) as ours:
        graph.walk(feed, loss).run()
    assert str(ours.value) == str(expected.value)


def test_a_loss_is_one_number():
    graph, loss, feed = network()
    with pytest.raises(gn.GraphError, match="scalar"):
        graph.walk(feed, graph["1.linear"] if "1.linear" in graph.names else loss.inputs[0]).run()
