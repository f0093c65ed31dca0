"""Ctrl-C at any moment: a graph can be walked again, and a step is made whole or not at all."""

from __future__ import annotations

import signal
import sys
import threading

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet.graph.guards import Exclusive, Uninterrupted


class Struck(KeyboardInterrupt):
    """The interrupt of these tests, which no other can be taken for."""


def strike_at(moment, run, files, event="line", act=None, unstruck=()):
    """Run something, and act at one moment in frames of these files; True if it came so far."""
    count = 0

    def trace(frame, kind, _):
        nonlocal count
        code = frame.f_code
        if code.co_name in unstruck or not any(name in code.co_filename for name in files):
            return None
        frame.f_trace_opcodes = event == "opcode"
        if kind == event:
            count += 1
            if count == moment:
                if act is None:
                    raise Struck
                act()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return count >= moment


def small():
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    w = graph.parameter(torch.ones(2), name="w")
    return graph, (x * w).sum(), w


def test_a_walk_that_was_interrupted_anywhere_holds_nobody_up():
    graph, loss, w = small()
    x = torch.tensor([1.0, 2.0])

    def walk():
        graph.forward(x=x)
        graph.backward(loss)

    walk()
    files = ("graph/graph.py", "graph/guards.py")
    strike_at(10**9, walk, files, "opcode")  # Python 3.12 tells of them from the second time on
    moment = 0
    while True:
        moment += 1
        struck = strike_at(moment, walk, files, "opcode")
        graph.forward(x=x)
        graph.backward(loss)
        assert w.grad.tolist() == [1, 2]
        if not struck:
            break
    assert moment > 100


def test_a_walk_that_is_under_way_is_not_taken_over():
    guard = Exclusive()
    with guard:
        with pytest.raises(gn.StateError, match="already being walked"):
            enter(guard)
        said = []
        thread = threading.Thread(target=lambda: said.append(refused(guard)))
        thread.start()
        thread.join()
    assert said == [True]
    assert not refused(guard)


def enter(guard):
    with guard:
        pass


def refused(guard):
    try:
        enter(guard)
    except gn.StateError:
        return True
    return False


def test_of_many_threads_one_enters():
    """All try at once, again and again; never are two inside."""
    guard, inside, most, barrier = Exclusive(), [], [], threading.Barrier(4)

    def attempt():
        for _ in range(200):
            barrier.wait()
            try:
                with guard:
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except gn.StateError:
                pass

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(most) == {1}
    assert not refused(guard)


@pytest.fixture
def ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_inside_is_done_at_the_end(ctrl_c):
    done = []
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        ctrl_c()
        with Uninterrupted():
            ctrl_c()
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_where_no_function_answers_nothing_changes(handler, ctrl_c):
    signal.signal(signal.SIGINT, handler)
    with Uninterrupted():
        assert signal.getsignal(signal.SIGINT) is handler
    assert signal.getsignal(signal.SIGINT) is handler


def test_in_another_thread_nothing_changes(ctrl_c):
    seen = []

    def look():
        with Uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


FILES = {
    "compiled": ("<graphnet program", "compile/run/step.py", "graph/guards.py", "optim/"),
    "walked": ("graph/guards.py", "optim/base.py", "optim/adam.py", "optim/sgd.py"),
}
ENTRY = ("_follows", "_is_running")  # struck again and again, it would be longer each time
KINDS = {"SGD": {"momentum": 0.9, "weight_decay": 0.1}, "Adam": {"amsgrad": True}, "NAdam": {}}


def training(kind):
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.BatchNorm1d(4), gn.Tanh(), gn.Linear(4, 2)).double()
    with gn.Graph() as graph:
        x, t = (
            gn.Input((None, size), name=name, dtype=torch.float64)
            for name, size in (("x", 3), ("t", 2))
        )
        loss = gn.LossMSE()(model(x), t)
    optimizer = getattr(gn, kind)(model.parameters(), lr=0.1, **KINDS[kind])
    step = graph.compile(loss, optimizer, tune=False)
    generator = torch.Generator().manual_seed(1)
    feeds = [
        {
            name: torch.randn(6, size, generator=generator, dtype=torch.float64)
            for name, size in (("x", 3), ("t", 2))
        }
        for _ in range(3)
    ]

    def walk(feed):
        graph.forward(feed, outputs=loss)
        graph.backward(loss)
        optimizer.step()

    return model, optimizer, feeds, {"compiled": step, "walked": walk}


def states(model, optimizer):
    """What of a step must change together: all values and states, without the running means."""
    entries = optimizer.state_dict()["state"]
    return (
        [each.top.clone() for each in model.parameters()],
        [{name: each.clone() for name, each in entry.items()} for entry in entries.values()],
    )


def keeper(model, optimizer):
    """What puts all back in its place, where programs have it: to load a state makes new ones."""
    buckets = optimizer.buckets()
    kept = [(each, each.clone()) for bucket in buckets for each in bucket.memory()]
    kept += [(each.top, each.top.clone()) for _, each in model.named_state() if each.is_buffer]
    steps = [bucket.steps for bucket in buckets]

    def restore():
        for tensor, value in kept:
            tensor.copy_(value)
        for bucket, count in zip(buckets, steps, strict=True):
            bucket.steps = count

    return restore


def equal(ours, theirs):
    try:
        assert_close(ours, theirs, rtol=0, atol=0)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("form", ["compiled", "walked"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_made_whole_or_not_at_all(kind, form, ctrl_c):
    """Ctrl-C comes before each line of it in turn."""
    model, optimizer, feeds, steps = training(kind)
    steps[form](feeds[0])
    restore = keeper(model, optimizer)
    before = states(model, optimizer)
    steps[form](feeds[1])
    after = states(model, optimizer)
    seen, moment, struck = set(), 0, True
    while struck:
        moment += 1
        restore()
        struck = strike_at(
            moment, lambda: steps[form](feeds[1]), FILES[form], act=ctrl_c, unstruck=ENTRY
        )
        now = states(model, optimizer)
        kind_of_end = equal(now, before), equal(now, after)
        assert any(kind_of_end), f"half a step at moment {moment}"
        seen.add(kind_of_end)
    assert moment > 20
    assert seen == {(True, False), (False, True)}
    restore()
    steps[form](feeds[1])
    assert equal(states(model, optimizer), after)
