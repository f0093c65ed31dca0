"""A parameter in the lists of several threads, which add to its gradient at the same time."""

from __future__ import annotations

import sys
import threading

import torch

import graphnet as gn


def test_threads_add_to_one_parameter_without_loss():
    """Each has a list of its own; the parameter is large enough for sums to overlap."""
    w = gn.Parameter(torch.zeros(1_000_000))
    threads, sums = 2, 20

    def add():
        graph = gn.Graph()
        loss = (graph.input((1,), name="x") * w).sum()
        graph.forward(x=torch.ones(1))
        for _ in range(sums):
            graph.backward(loss, accumulate=True)

    running = [threading.Thread(target=add) for _ in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert w.grad.unique().tolist() == [threads * sums]


def paused_at(moment, run, other):
    """Run something while another thread starts before one of its lines; how many there were."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename == threading.__file__:
            return None
        if event == "line" and frame.f_code.co_name in ("receive", "received"):
            count += 1
            if count == moment:
                other.start()
                other.join(0.05)  # it waits for this one to end, or is done by now
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def test_a_sum_is_not_lost_between_the_lines_of_another():
    """One thread stands still before each line in turn of what adds, while another one adds.

    Sums of a million elements overlap only by chance, and on a busy machine never.
    """
    shared, lists = gn.Parameter(torch.zeros(2)), []
    for _ in range(2):
        graph = gn.Graph()
        lists.append((graph, (graph.input((1,), name="x") * shared).sum()))
        graph.forward(x=torch.ones(1))

    def add(place):
        graph, loss = lists[place]
        graph.backward(loss, accumulate=True)

    moment = 1
    while True:
        shared.grad = None
        other = threading.Thread(target=add, args=(1,))
        if paused_at(moment, lambda: add(0), other) < moment:
            break
        other.join()
        assert shared.grad.tolist() == [2, 2], f"lost at line {moment}"
        moment += 1
    assert moment > 4
