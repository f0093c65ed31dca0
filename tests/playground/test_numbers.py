"""The numbers of the page are those of the walk in Python."""

from __future__ import annotations

import pytest
import torch
from playground import pages
from playground.driving import measured, state

from graphnet.compile.targets.js.random import Random
from graphnet.ops.random import drawn_from


def moved_alike(first, last, numbers):
    """Whether all parameters moved as in Python, to 1e-4 of the way."""
    assert {*first} <= {*numbers}
    for name, values in last.items():
        moved = float((values - first[name]).double().norm())
        apart = (torch.tensor(numbers[name]).reshape(values.shape) - values).double().norm()
        assert float(apart) <= 1e-4 * max(moved, 1e-3), name


def trained(task, steps):
    """What the walk in Python makes of the batches that the page draws; values before and after."""
    graph, order = task.graph, Random(task.seed)
    masks, count = Random(task.seed + 0x1000000), len(next(iter(task.train.values())))
    parameters = {graph.name_of(node): node for node in graph.parameters()}
    first = {name: node.top.clone() for name, node in parameters.items()}
    places, losses = [], []
    for _ in range(steps):
        places = places or order.permutation(count)
        batch, places = places[: task.batch_size], places[task.batch_size :]
        with drawn_from(masks):
            graph.forward({node: rows[batch] for node, rows in task.train.items()})
        losses.append(float(task.loss.top))
        graph.backward(task.loss)
        task.optimizer.step()
    last = {name: node.top.clone() for name, node in parameters.items()}
    for name, node in parameters.items():  # for other tests
        node.top.copy_(first[name])
    return first, last, losses


STEPS = 200


@pytest.mark.parametrize("name", ["plane", "rows", "images", "recurrent", "labelled"])
def test_training_is_that_of_the_walk(name, at):
    """A tanh net with SGD; batch norm and dropout with Adam; convolutions; a GRU; ReLU."""
    page = at(name)
    task = getattr(pages, name).__wrapped__()  # with an optimizer of its own
    first, last, losses = trained(task, STEPS)
    found = page.run(
        f"Array.from({{length: {STEPS}}}, () => {{ playground.takeStep();"
        " return playground.learner.loss; })"
    )
    assert found == pytest.approx(losses, rel=1e-3, abs=1e-6)
    moved_alike(first, last, state(page))


@pytest.mark.parametrize("name", ["plane", "rows"])
def test_losses_and_errors_are_those_of_the_rows(name, at):
    page = at(name)
    task = getattr(pages, name)()
    task.graph.eval()
    for part, rows in (("train", task.train), ("test", task.test)):
        if not rows:
            continue
        task.graph.forward(dict(rows))
        (target,) = (rows[node] for node in task.targets)
        labels = target.argmax(1) if target.ndim == 2 else target
        wrong = float((task.output.top.argmax(1) != labels).double().mean())
        found = measured(page)
        assert found[f"{part} loss"] == pytest.approx(float(task.loss.top), rel=1e-5)
        assert found[f"{part} error"] == pytest.approx(wrong)
    task.graph.train()


def test_the_maps_are_the_values_on_a_grid_of_the_plane(page):
    task = pages.plane()
    count, side, left, bottom = page.run(
        "[Evaluator => 0, ...[playground.evaluator].flatMap(e => [e.side, e.left, e.bottom])]"
        ".map((each, at) => at ? each : playground.evaluator.constructor.GRID)"
    )
    across = (torch.arange(count) + 0.5) / count * side
    x = (left + across).repeat(count)
    y = (bottom + across).flip(0).repeat_interleave(count)
    points = torch.stack([x, y], 1).float()
    for node in (task.output, task.graph["1.tanh"]):
        values = task.graph.forward(x=points, outputs=node)
        place = task.graph.index(node)
        found = page.run(f"Array.from(playground.evaluator.maps.get({place}))")
        assert torch.allclose(torch.tensor(found).reshape(values.shape), values, atol=1e-5)
