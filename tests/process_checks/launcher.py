"""Starts several processes that form a group, as a launcher does, from one that has loaded all.

A process of torchrun takes seconds to start. These are copies of the present one: `fork` takes
milliseconds. One more test, `test_torchrun.py`, uses the real one.

Nothing here waits without a limit. What hangs is ended with all that it has started, and each
process has said where it was.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from tqdm import tqdm

from graphnet.distributed import heartbeat

PATIENCE = 60  # seconds after which a process hangs, on the slowest machine


def without_locks_in_common():
    """Keep copies of this process from waiting for each other.

    tqdm has one lock for a process and all copies of it: one that is killed with the lock would
    block the others forever. And it has a thread, which may hold the lock when a copy is made.
    """
    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())


def quick_to_notice():
    """In a group that one of them has left, take half a second to find out which."""
    heartbeat.EVERY, heartbeat.STALE = 0.1, 0.5


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def store_of_its_own():
    """A process that keeps a store, which has threads: to copy a process with threads is unsafe."""
    ready, tell = os.pipe()
    launcher, keeper = os.getpid(), os.fork()
    if keeper:
        os.close(tell)
        with os.fdopen(ready, encoding="utf-8") as told:
            return int(told.readline()), keeper
    with suppress(BaseException):
        nowhere = os.open(os.devnull, os.O_RDWR)  # whoever reads the output of the launcher goes on
        for output in (1, 2):
            os.dup2(nowhere, output)
        store = dist.TCPStore(
            "127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=30)
        )
        os.write(tell, f"{store.port}\n".encode())
        while os.getppid() == launcher:  # until it ends
            time.sleep(1)
    os._exit(0)


class Launcher:
    """Keeps the store and starts groups, one after the other, like the agent of torchrun.

    Each process leads a process group of its own, with the workers of its loaders, as there.
    """

    def __init__(self, folder, patience=PATIENCE):
        self.folder, self.attempt, self.patience = Path(folder), 0, patience
        self._running = []
        without_locks_in_common()
        self.port, self._keeper = store_of_its_own()

    def close(self):
        """End all that is left, and the process that keeps the store."""
        self._end(self._running)
        kill(self._keeper)
        os.waitpid(self._keeper, 0)

    def start(self, size, work, environment=None):
        """Start `size` processes that call `work(rank)`; returns their numbers in the system."""
        known = {
            "WORLD_SIZE": str(size),
            "LOCAL_WORLD_SIZE": str(size),
            "GROUP_WORLD_SIZE": "1",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "TORCHELASTIC_RESTART_COUNT": str(self.attempt),
            "TORCHELASTIC_RUN_ID": f"test {os.getpid()}",
            **(environment or {}),
        }
        self.attempt += 1
        started = [self._forked(rank, known, work) for rank in range(size)]
        self._running += started
        return started

    def _forked(self, rank, known, work):
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            os.setpgid(0, 0)
            for each in (signal.SIGALRM, signal.SIGTERM):  # `run.py` has its own
                signal.signal(each, signal.SIG_DFL)
            signal.setitimer(
                signal.ITIMER_REAL, self.patience
            )  # ends the process, which counts as a failure
            os.environ.update({**known, "RANK": str(rank), "LOCAL_RANK": str(rank)})
            with (self.folder / f"output-{rank}").open("w", encoding="utf-8", buffering=1) as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                sys.stdout, sys.stderr = file, file
                faulthandler.dump_traceback_later(self.patience / 2, file=file)  # where it hangs
                code = ended(lambda: work(rank))
        finally:
            os._exit(code)

    def output(self, rank):
        """What a process has written."""
        return (self.folder / f"output-{rank}").read_text(encoding="utf-8")

    def run(self, size, work, environment=None):
        """Start a group and wait for it; returns the exit codes by rank."""
        return self.wait(self.start(size, work, environment))

    def wait(self, children):
        """The exit codes of processes; of those ended by a signal, its number with a minus.

        Raises:
            AssertionError: some of them do not end, though the alarm of each has rung.
        """
        until, codes = time.monotonic() + 2 * self.patience, dict.fromkeys(children)
        while None in codes.values():
            for child in [child for child, code in codes.items() if code is None]:
                found, status = os.waitpid(child, os.WNOHANG)
                if found:
                    codes[child] = os.waitstatus_to_exitcode(status)
                    self._running.remove(child)
                    with suppress(OSError):  # its workers, if they hang
                        os.killpg(child, signal.SIGKILL)
            if time.monotonic() > until:
                hanging = [child for child, code in codes.items() if code is None]
                self._end(hanging)
                raise AssertionError(f"{len(hanging)} of {len(codes)} do not end.\n{self.said()}")
            time.sleep(0.002)
        return [*codes.values()]

    def _end(self, children):
        """Kill processes, and the workers of their loaders."""
        for child in [*children]:
            with suppress(OSError):
                os.killpg(child, signal.SIGKILL)
            kill(child)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)
            self._running.remove(child)

    def said(self):
        """What all processes have written, by rank."""
        names = sorted(path.name for path in self.folder.glob("output-*"))
        return "\n".join(f"{name}:\n{self.output(name[7:])}" for name in names)

    def succeed(self, size, work, environment=None):
        """Run a group, all of whose processes must end well."""
        codes = self.run(size, work, environment)
        texts = [self.output(rank) for rank in range(size)]
        assert codes == [0] * size, f"{codes}\n{self.said()}"
        return texts


def ended(work):
    """The exit code of some work."""
    try:
        torch.set_num_threads(1)
        work()
    except SystemExit as leaving:
        return leaving.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        with suppress(Exception):
            dist.destroy_process_group()
    return 0


def kill(child, number=signal.SIGKILL):
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(child, number)


def wait_for(path, seconds=60):
    """Wait until a file exists."""
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path} does not come"
        time.sleep(0.01)
