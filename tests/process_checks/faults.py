"""The table of faults: what one process does wrong, and what all of them do then."""

from __future__ import annotations

import os
import resource
import signal
import time
import warnings
from contextlib import suppress

import torch
from process_checks.launcher import free_port, kill, quick_to_notice, wait_for
from process_checks.trainings import T, X, largest, small, trained

import graphnet as gn


class At(gn.Callback):
    """Does something in one rank after some step."""

    def __init__(self, step, act, rank=1):
        self.at, self.act, self.rank = step, act, rank

    def step(self, run):
        if run.step == self.at and run.across.group.rank == self.rank:
            self.act(run)


def stop_here(run):
    os.kill(os.getpid(), signal.SIGSTOP)


def check_a_killed_process(launcher):
    """The others end, and name it and the step."""

    def work(rank):
        small(across=True, epochs=50, callbacks=[At(7, lambda run: kill(os.getpid()))])

    begin = time.monotonic()
    assert launcher.run(3, work) == [1, -signal.SIGKILL, 1]
    assert time.monotonic() - begin < 30  # of which the test of who waits takes 5
    for rank in (0, 2):
        words = f"Rank {rank} of 3 waits at step 7, but rank 1 has ended, or hangs"
        assert words in launcher.output(rank)


def check_a_hanging_process(launcher):
    """A timeout names it and the step."""

    def work(rank):
        small(across=gn.distributed.join(timeout=2), epochs=50, callbacks=[At(7, stop_here)])

    children = launcher.start(2, work)
    first = launcher.wait(children[:1])
    kill(children[1])
    assert first == [1] and launcher.wait(children[1:]) == [-signal.SIGKILL]
    assert "waits at step 7, but rank 1 has ended, or hangs" in launcher.output(0)
    assert "It waits for 2 s; a longer time" in launcher.output(0)


def check_a_process_that_does_something_else(launcher):
    """A timeout says where it is."""

    def work(rank):
        sleeping = At(7, lambda run: time.sleep(6))
        small(across=gn.distributed.join(timeout=1), epochs=50, callbacks=[sleeping])

    assert launcher.run(2, work) == [1, 1]
    assert "waits at step 7, but rank 1 is still at step 6." in launcher.output(0)


def check_a_slow_process(launcher):
    """The others wait for it: the same numbers."""
    _, expected = small()

    def work(rank):
        slow = [At(step, lambda run: time.sleep(0.2)) for step in range(3, 8)]
        assert largest(small(across=True, callbacks=slow)[1], expected) < 1e-12

    launcher.succeed(2, work)


def check_a_signal_to_one_process(launcher):
    """SIGTERM and Ctrl-C: all end behind the same step, which is saved; and go on from there."""
    _, expected = small(epochs=8)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        folder = launcher.folder / str(code)

        def work(rank, folder=folder, number=number):
            ending = [At(9, lambda run: os.kill(os.getpid(), number))]
            try:
                small(across=True, epochs=8, directory=folder, callbacks=ending)
            finally:
                steps = gn.distributed.join().gather(str(ending[0].at).encode())
                assert len(set(steps)) == 1

        assert launcher.run(2, work) == [code, code], launcher.output(0) + launcher.output(1)
        names = sorted(path.name for path in (folder / "checkpoints").iterdir())
        assert names[-1] == "checkpoint-00000010", names  # the step after the one of the signal

        def again(rank, folder=folder):
            assert largest(small(across=True, epochs=8, directory=folder)[1], expected) < 1e-12

        launcher.succeed(2, again)


def check_a_loss_that_is_not_finite_in_one_process(launcher):
    """No process makes the update; the others name the rank."""
    bad = X.clone()
    bad[13] = float("nan")  # with shuffle=False in the part of rank 0 of the second batch

    def run(**settings):
        torch.manual_seed(0)
        model = gn.Sequential(gn.Linear(5, 4), gn.BatchNorm1d(4), gn.Linear(4, 3)).double()
        history = gn.fit(
            model, gn.LossCrossEntropy(), (bad, T), gn.SGD(model.parameters(), lr=0.1), seed=0,
            shuffle=False, batch_size=10, **settings,
        )  # fmt: skip
        return history, dict(model.state_dict())

    history, expected = run(non_finite="skip")
    assert history.skipped == 1

    def work(rank):
        for compile in (False, True):
            made, found = run(non_finite="skip", across=True, compile=compile)
            assert made.skipped == 1 and largest(found, expected) < 1e-12
            try:
                run(across=True, sync=False, compile=compile)
            except gn.NonFiniteError as error:
                text = str(error)
                here = "Step 1: the loss of rank 0 is not finite. The first value"
                there = "Step 1: the loss of all 2 processes is nan: that of rank 0 is not finite"
                assert (here, there)[rank] in text, text
            else:
                raise AssertionError("the update was made")

    launcher.succeed(2, work)


def check_different_programs(launcher):
    """Other data, settings, code or models are refused at the start, in words."""
    other = X.clone()
    other[0, 0] += 1

    def scaled(x, t, generator):
        return x * 2, t

    def shifted(x, t, generator):
        return x + 2, t

    wide = gn.Sequential(gn.Linear(5, 17), gn.Tanh(), gn.Linear(17, 3)).double()
    table = [
        ("data: the values differ", {"data": (other, T)}),
        ("batch_size was 10 and is 11", {"batch_size": 11}),
        ("lr was 0.1 and is 0.2", {"lr": 0.2}),
        ("augment was ", {"augment": shifted}),
        ("node 2 was parameter (16, 5)", {"model": wide}),
        ("epochs is 2, not 1", {"epochs": 2}),
        ("metrics is []", {"metrics": []}),
    ]

    def run(group, model=None, data=(X, T), lr=0.1, **settings):
        torch.manual_seed(0)
        model = model or gn.Sequential(gn.Linear(5, 16), gn.Tanh(), gn.Linear(16, 3)).double()
        sgd, own = gn.SGD(model.parameters(), lr=lr), {"augment": scaled, "batch_size": 10}
        own |= {"metrics": [gn.metrics.accuracy], "epochs": 1, **settings}
        gn.fit(model, gn.LossCrossEntropy(), data, sgd, across=group, **own)

    def work(rank):
        group = gn.distributed.join(timeout=60)
        for words, changed in table:
            try:
                run(group, **(changed if rank == 1 else {}))
            except gn.ProcessError as error:
                assert "on rank 1: " in str(error) and words in str(error), (words, str(error))
            else:
                raise AssertionError(f"not refused: {words}")
        run(group)

    launcher.succeed(2, work)


def check_a_lost_rendezvous(launcher):
    """Nobody listens at the address: an error within the timeout says so."""
    nowhere = {"MASTER_PORT": str(free_port())}

    def work(rank):
        begin = time.monotonic()
        try:
            gn.distributed.join(timeout=1)
        except gn.ProcessError as error:
            assert "did not meet the others at 127.0.0.1:" in str(error)
            assert "does every rank run" in str(error)
        else:
            raise AssertionError("it was found")
        assert time.monotonic() - begin < 20

    launcher.succeed(2, work, nowhere)

    def missing(rank):
        del os.environ["MASTER_ADDR"]
        with suppress(gn.GraphError):
            gn.distributed.join(timeout=1)
            raise AssertionError("it was accepted")

    launcher.succeed(1, missing)


def check_a_full_disk(launcher):
    """Rank 0 cannot write: a warning, and all go on; or all end, if the callback says so."""
    _, expected = small()

    def work(rank):
        folder = launcher.folder / "kept"
        if rank == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = small(across=True, callbacks=[gn.Checkpoints(folder, every=2)])[1]
        assert largest(found, expected) < 1e-12
        assert any("cannot be written" in str(each.message) for each in caught) == (rank == 0)

    launcher.succeed(2, work)

    def strict(rank):
        quick_to_notice()
        folder = launcher.folder / "strict"
        if rank == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        small(across=True, callbacks=[gn.Checkpoints(folder, every=2, on_error="stop")])

    # The output of rank 0 has a limit too, so its text is not read.
    assert launcher.run(2, strict) == [1, 1]
    assert "rank 0 has ended, or hangs" in launcher.output(1)


def check_one_process_ends_the_training(launcher):
    """By common vote: of a callback in one rank, after the next step; of epochs, at once."""

    class AtEpoch(gn.Callback):
        def epoch(self, run):
            if run.epoch == 2 and run.across.group.rank == 1:
                run.stop()

    def work(rank):
        group = gn.distributed.join(timeout=60)
        history, _ = small(across=group, epochs=9, callbacks=[At(6, lambda run: run.stop())])
        assert len(history.losses) == 7
        history, _ = small(across=group, epochs=9, callbacks=[AtEpoch()])
        assert len(history) == 2
        patient = gn.EarlyStopping(patience=1, minimum_change=1.0)
        history, _ = trained("plain", across=group, epochs=9, callbacks=[patient])
        assert len(history) == 2

    def alone(rank):
        history, _ = small(across=True, epochs=9, callbacks=[At(6, lambda run: run.stop(), 0)])
        assert len(history.losses) == 6  # there is nobody to ask

    launcher.succeed(2, work)
    launcher.succeed(1, alone)
    history, _ = small(epochs=9, callbacks=[gn.EarlyStopping(patience=1, minimum_change=1.0)])
    assert len(history) == 2


def check_an_error_in_one_process(launcher):
    """It ends; the others name it."""

    def work(rank):
        def fail(run):
            wait_for(launcher.folder)
            raise KeyError("mine")

        small(across=True, epochs=9, callbacks=[At(5, fail)])

    assert launcher.run(2, work) == [1, 1]
    assert "KeyError: 'mine'" in launcher.output(1)
    assert "waits at step 5, but rank 1 has ended, or hangs" in launcher.output(0)


def check_twenty_runs_without_a_hang(launcher):
    """Uneven rows, NaN in one rank, SIGTERM to one rank: every run ends."""
    bad = X.clone()
    bad[17] = float("nan")
    for turn in range(20):
        folder = launcher.folder / str(turn)
        size = 2 + turn % 3

        def work(rank, turn=turn, folder=folder, size=size):
            acts = [At(5 + turn % 7, lambda run: os.kill(os.getpid(), signal.SIGTERM), turn % size)]
            torch.manual_seed(0)
            model = gn.Sequential(gn.Linear(5, 4), gn.BatchNorm1d(4), gn.Linear(4, 3)).double()
            gn.fit(
                model, gn.LossCrossEntropy(), (bad, T), gn.SGD(model.parameters(), lr=0.01),
                seed=turn, batch_size=(4, 5, 8, 9, 10)[turn % 5],  # which leave more than one row
                epochs=5, across=True, non_finite="skip", directory=folder, callbacks=acts,
                compile=turn % 4 < 2,
            )  # fmt: skip

        codes = launcher.run(size, work)
        assert codes == [143] * size, (turn, codes, launcher.output(0))
