"""How many programs are kept, and what it takes to make one."""

from __future__ import annotations

import gc
from time import process_time

from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    dense_feeds,
    dense_training,
    randn,
)

import graphnet as gn


def test_time_to_compile_grows_with_the_list():
    """Ten times the nodes take about ten times as long; twenty leaves room for a busy machine."""

    def seconds(depth):
        graph = gn.Graph()
        x = graph.input((None, 3), name="x", dtype=DOUBLE)
        w = graph.parameter(randn(3, 3), name="w")
        h = x
        for _ in range(depth):
            h = (h @ w).tanh() + x
        step = Training(graph, h.mean(), gn.SGD([w], lr=1e-3)).compiled()
        start = process_time()
        step(x=randn(4, 3))
        return process_time() - start

    seconds(10)
    long = min(seconds(600) for _ in range(2))
    assert long < 20 * min(seconds(60) for _ in range(3))


def test_batch_sizes():
    ours, theirs = dense_training("Adam"), dense_training("Adam")
    step = ours.compiled()
    for number in range(60):
        feed = dense_feeds(rows=1 + number % 23)[number % 5]
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())
    assert len(step._cache) <= 16


def test_number_of_programs_is_bounded():
    ours = dense_training(momentum=0.5)
    step, predict = ours.compiled(), ours.graph.compile(ours.loss, tune=False)
    step(dense_feeds()[0])
    gc.collect()
    counts = []
    for rows in range(1, 61):
        step(dense_feeds(rows=rows)[0])
        predict(dense_feeds(rows=rows)[0])
        if rows % 20 == 0:
            gc.collect()
            counts.append(sum(issubclass(type(each), gn.Graph) for each in gc.get_objects()))
    assert counts[0] == counts[1] == counts[2]


def test_old_programs_are_forgotten():
    """Moving the parameters or the state does not pile up programs."""
    ours = dense_training("Adam")
    step = ours.compiled()
    counts = []
    for number in range(60):
        step(dense_feeds()[0])
        ours.optimizer.load_state_dict(ours.optimizer.state_dict())
        if number % 20 == 19:
            gc.collect()
            counts.append(sum(issubclass(type(each), gn.Graph) for each in gc.get_objects()))
    assert counts[1] == counts[2]


def test_a_step_that_is_dropped_frees_its_memory():
    def programs():
        gc.collect()
        return sum(issubclass(type(each), gn.Graph) for each in gc.get_objects())

    ours = dense_training()
    before = programs()
    for _ in range(3):
        ours.compiled()(dense_feeds()[0])
    ours.step = None
    assert programs() == before
