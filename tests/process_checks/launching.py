"""What starts the groups of these checks cannot hang itself."""

from __future__ import annotations

import os
import signal
import threading
import time

import torch
from process_checks.launcher import Launcher, kill
from process_checks.programs import gone
from tqdm import tqdm

import graphnet as gn


def check_a_group_that_hangs_is_ended(launcher):
    """Also one that no alarm ends, with its workers; and each process says where it was."""

    def work(rank):
        print("here is rank", rank, flush=True)
        if rank == 0:
            worker = os.fork()  # as a loader has them
            (launcher.folder / ("one" if worker else "worker")).write_text(
                str(os.getpid()), encoding="utf-8"
            )
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(1000)

    short = Launcher(launcher.folder, patience=0.2)
    assert short.port != launcher.port
    try:
        short.succeed(2, work)
    except AssertionError as error:
        assert "2 of 2 do not end." in str(error)
        for rank in (0, 1):
            assert f"output-{rank}:\nhere is rank {rank}" in str(error), str(error)
        assert str(error).count(" in work\n") == 2, str(error)  # the line where it is
    else:
        raise AssertionError("it has ended")
    finally:
        short.close()
    worker = int((launcher.folder / "worker").read_text(encoding="utf-8"))
    assert gone(worker), "its worker is left over"


def check_a_process_that_is_killed_blocks_no_other(launcher):
    """Bars have a lock, which copies of a process have in common if nothing is done."""
    tqdm([]).close()  # makes the lock

    def killed(rank):
        with tqdm.get_lock():
            kill(os.getpid())

    assert launcher.run(1, killed) == [-signal.SIGKILL]
    launcher.succeed(2, lambda rank: tqdm([]).close())


def check_a_copy_is_made_between_calls(launcher):
    """Such as a worker of a loader: while a thread makes a call, it waits; the copy does not."""

    def work(rank):
        group = gn.distributed.join(timeout=30)
        made, inside = [], threading.Event()

        def call():
            with group._forks.held():
                inside.set()
                time.sleep(0.1)
                made.append(1)

        thread = threading.Thread(target=call)
        thread.start()
        inside.wait()
        child = os.fork()
        if not child:
            with group._forks.held():
                os._exit(7)
        assert made
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        thread.join()
        assert group.sum_of([1.0]) == [2.0]

    launcher.succeed(2, work)


def check_no_copy_of_many_hangs(launcher):
    """A thread of gloo may still be busy with the last call: without care 1 of 1000 hangs."""

    def work(rank):
        group = gn.distributed.join(timeout=60)
        begin = time.monotonic()
        while True:
            for _ in range(6):
                group.broadcast_(torch.zeros(100))
            child = os.fork()
            if not child:
                os._exit(0)
            until = time.monotonic() + 20
            while not os.waitpid(child, os.WNOHANG)[0]:
                assert time.monotonic() < until, "it hangs"
                time.sleep(0.0005)
            if group.sum_of([time.monotonic() - begin])[0] > 38:
                break  # all at once

    launcher.succeed(2, work)
