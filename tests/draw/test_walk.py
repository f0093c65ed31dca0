"""The walk event by event: the numbers of the two walks, in their order."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn

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


def test_a_shared_parameter_gets_the_sum_of_what_is_handed_to_it():
    graph, loss, feed = network()
    walk = graph.walk(feed, loss).run()
    (weight,) = [node for node in graph.parameters() if node.shape == (3, 3)]
    handed = [
        grad for event in walk.events for source, grad in event.contributions if source is weight
    ]
    assert len(handed) == 2
    torch.testing.assert_close(handed[0] + handed[1], weight.grad, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("where", ["name", "place", "node"])
def test_it_stops_where_it_is_asked_to(where):
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
    with pytest.raises(gn.GraphError, match="does not come"):
        walk.run_to(chosen)


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
