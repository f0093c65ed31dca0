"""Batches are read ahead, and waiting for them is measured."""

from __future__ import annotations

import signal
import threading
import time
import warnings

import pytest
import torch
from train.small_runs import network
from train.sources import LOSS, Rows, T, X, batches

import graphnet as gn
from graphnet.train import feeding
from graphnet.train.ahead import NAME, Ahead
from graphnet.train.feeding import WaitingWarning
from graphnet.train.store import Store


def train(given, **options):
    model = network()
    settings = {"epochs": 2, "batch_size": 10, "seed": 1, **options}
    return gn.fit(model, LOSS, given, gn.SGD(model.parameters(), lr=0.1), **settings)


def threads():
    return sum(each.name == NAME for each in threading.enumerate())


def test_items_come_in_their_order():
    for depth in (1, 2, 100):
        assert list(Ahead(range(50), depth)) == list(range(50))
    assert list(Ahead([], 1)) == []
    assert list(Ahead([None, None], 1)) == [None, None]


def test_no_more_than_the_depth_is_read_ahead():
    taken = []

    def items():
        for place in range(100):
            taken.append(place)
            yield place

    ahead = Ahead(items(), 3)
    assert next(ahead) == 0
    deadline = time.monotonic() + 10
    while len(taken) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(taken) == 5  # one is taken, three wait, one waits for a place
    ahead.close()
    assert list(ahead) == []


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        raise KeyError("mine")

    ahead = Ahead(items(), 5)
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="mine"):
        next(ahead)
    assert list(ahead) == []


def test_no_thread_is_left_over():
    for depth in (1, 9):
        ahead = Ahead(range(10**9), depth)
        next(ahead)
        assert threads() == 1
        ahead.close()
        ahead.close()
        assert threads() == 0
    train(batches, prefetch=2)
    assert threads() == 0

    class Stop(gn.Callback):
        def step(self, run):
            run.stop()

    class Fail(gn.Callback):
        def step(self, run):
            raise KeyError

    train(lambda: batches(1), prefetch=2, callbacks=Stop())
    with pytest.raises(KeyError):
        train(lambda: batches(1), prefetch=2, callbacks=Fail())
    assert threads() == 0


def test_workers_that_end_by_a_signal_end_the_training_as_it_does(tmp_path):
    """Ctrl-C in a terminal goes to the workers too: the next batch of a loader is an error then."""

    def interrupted():
        yield X, T
        yield X, T
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("DataLoader worker exited unexpectedly")

    with pytest.raises(SystemExit) as ending:
        train(interrupted, callbacks=gn.Checkpoints(tmp_path))
    assert ending.value.code == 130
    assert Store(tmp_path).load().step == 2

    def broken():
        yield X, T
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train(broken)


def test_waiting_is_a_column_where_there_is_something_to_wait_for():
    assert "waiting" not in train((X, T)).names
    assert "waiting" not in train((X.numpy(), T.numpy())).names
    for given in (Rows(), batches):
        history = train(given)
        assert all(0 <= share <= 1 for share in history["waiting"])
        assert "waiting" not in str(history.groups())


class Clock:
    """A clock that only those who sleep by it advance."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(feeding, "perf_counter", lambda: self.now)
        monkeypatch.setattr("graphnet.train.run.perf_counter", lambda: self.now)

    def slow(self, seconds):
        for batch in batches():
            self.now += seconds
            yield batch


class Tick(gn.Callback):
    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def step(self, run):
        self.clock.now += self.seconds


def test_the_share_is_that_of_the_epoch(monkeypatch):
    clock = Clock(monkeypatch)
    with pytest.warns(WaitingWarning, match="25% of the time of an epoch was spent waiting"):
        history = train(lambda: clock.slow(1.0), callbacks=Tick(clock, 3.0))
    assert history["waiting"] == [0.2, 0.25]  # the first batch was there, for its shapes
    assert history["seconds"] == [15, 16]


@pytest.mark.parametrize(("wait", "work"), [(1.0, 4.5), (0.2, 0.3)])
def test_a_small_share_or_a_short_time_is_not_warned_of(wait, work, monkeypatch):
    clock = Clock(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(lambda: clock.slow(wait), callbacks=Tick(clock, work))


def test_the_warning_comes_once_and_names_the_line_of_the_user(monkeypatch):
    clock = Clock(monkeypatch)
    with pytest.warns(WaitingWarning) as caught:
        train(lambda: clock.slow(9.0), epochs=3)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "num_workers=2 or more" in str(caught[0].message)


def test_the_bar_shows_it(monkeypatch, capsys):
    clock = Clock(monkeypatch)
    train(lambda: clock.slow(0.01), progress=True, epochs=1, callbacks=Tick(clock, 0.09))
    assert "waiting=" in capsys.readouterr().err
    train((X, T), progress=True, epochs=1)
    assert "waiting=" not in capsys.readouterr().err


def test_a_step_does_not_wait_for_what_is_read_meanwhile():
    """Each batch takes 20 ms to read, and each step 30 ms."""

    class Slow(Rows):
        def __getitems__(self, rows):
            time.sleep(0.02)
            return [self[row] for row in rows]

    class Work(gn.Callback):
        def step(self, run):
            time.sleep(0.03)

    given = {"callbacks": Work(), "batch_size": 2, "epochs": 1}
    alone = train(Slow(), **given)["waiting"][-1]
    ahead = train(Slow(), **given, prefetch=2)["waiting"][-1]
    assert ahead < alone / 2


def test_random_numbers_are_drawn_where_they_were(tmp_path):
    """What is read ahead draws none: the numbers are those without it."""
    import numpy as np

    np.save(tmp_path / "x.npy", X.numpy())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = train((X, T)).losses
    for prefetch in (None, 0, 1, 5):
        assert train((mapped, T), prefetch=prefetch).losses == expected
    assert torch.equal(X, torch.tensor(mapped))
