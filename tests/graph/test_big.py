"""Long lists: no walk needs recursion, and ten times the nodes take about ten times as long."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

# Every phase on a chain of so many operations; prints the seconds of each phase as JSON, a line for
# each number of operations.
PROGRAM = textwrap.dedent(
    """
    import gc, json, sys
    from time import process_time as now

    import torch
    import graphnet as gn

    sys.setrecursionlimit(200)
    torch.set_num_threads(1)
    if sys.argv[1] == "paused":
        gc.disable()

    for count in map(int, sys.argv[2:]):
        seconds = {}

        def phase(name, action):
            start = now()
            result = action()
            seconds[name] = now() - start
            return result

        def build():
            y = x
            while len(graph) < count - 1:
                y = (y * 0.99999 + b).abs()
            return y.sum()

        graph = gn.Graph()
        x = graph.input((None, 2), name="x", dtype=torch.float64, requires_grad=True)
        b = graph.parameter(torch.full((2,), 0.01, dtype=torch.float64), name="b")
        batch = torch.full((3, 2), 0.5, dtype=torch.float64)

        loss = phase("build", build)
        value = phase("forward", lambda: graph.forward(x=batch))
        phase("backward", lambda: graph.backward(loss))
        phase("lint", graph.lint)
        text = phase("print", lambda: str(graph))
        size = len(graph)
        assert count - 1 <= size <= count + 3, size
        assert len(text.splitlines()) == size + 1
        assert graph[size // 2].name in text

        # The same numbers by hand: each round is y = |0.99999 y + b|, and |y| is y here.
        rounds = sum(node.kind == "operation" and node.op.name == "abs" for node in graph)
        y, powers = batch, [1.0]
        for _ in range(rounds):
            y = y * 0.99999 + b.top
            powers.append(powers[-1] * 0.99999)
        slopes = [x.grad, b.grad.clone()]
        assert torch.allclose(value, y.sum(), rtol=1e-9, atol=0)
        assert torch.allclose(slopes[0], batch * 0 + powers[-1], rtol=1e-9, atol=0)
        assert torch.allclose(slopes[1], b.top * 0 + 3 * sum(powers[:-1]), rtol=1e-9, atol=0)

        (by_x, by_b) = phase("differentiate", lambda: graph.gradients(loss, [x, b]))
        found = phase("forward again", lambda: graph.forward(x=batch, outputs=[by_x, by_b]))
        assert all(torch.allclose(*pair, rtol=1e-9, atol=0) for pair in zip(found, slopes))
        phase("lint again", graph.lint)
        del graph, x, b, loss, by_x, by_b  # a long chain of objects is freed without recursion too
        gc.collect()
        print(json.dumps(seconds))
    """
)


def run(*counts, collector="paused"):
    """The seconds of each phase for each of some counts, measured in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, collector, *map(str, counts)],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return [json.loads(line) for line in result.stdout.splitlines()]


def grows_by(small, large, bound):
    """Whether the longer list stays under the bound; a busy machine gets two more tries."""
    ratios = []
    for _ in range(3):
        seconds = [sum(each.values()) for each in run(small, large)]
        ratios.append(seconds[1] / seconds[0])
        if ratios[-1] < bound:
            break
    return min(ratios), ratios


def test_ten_times_the_nodes_take_about_ten_times_as_long():
    best, ratios = grows_by(1_000, 10_000, bound=25)  # 100 if any phase were quadratic
    assert best < 25, ratios


@pytest.mark.slow
def test_ten_times_ten_thousand_nodes_take_less_than_twelve_times_as_long():
    best, ratios = grows_by(10_000, 100_000, bound=12)
    assert best < 12, ratios


@pytest.mark.slow
def test_a_hundred_thousand_nodes_with_the_collector_on():
    (seconds,) = run(100_000, collector="on")
    assert set(seconds) == {
        *["build", "forward", "backward", "lint", "print"],
        *["differentiate", "forward again", "lint again"],
    }
