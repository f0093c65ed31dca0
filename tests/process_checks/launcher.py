"""Starts several processes that form a group, as a launcher does, from one that has loaded all.

A process of torchrun takes seconds to start. These are copies of the present one: `fork` takes
milliseconds. One more test, `test_torchrun.py`, uses the real one.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

PATIENCE = 60  # seconds after which a process hangs, on the slowest machine


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def store_of_its_own():
    """A process that keeps a store, which has threads: to copy a process with threads is unsafe."""
    ready, tell = os.pipe()
    keeper = os.fork()
    if keeper:
        os.close(tell)
        with os.fdopen(ready, encoding="utf-8") as told:
            return int(told.readline()), keeper
    with suppress(BaseException):
        store = dist.TCPStore(
            "127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=30)
        )
        os.write(tell, f"{store.port}\n".encode())
        while os.getppid() != 1:  # until the launcher ends
            time.sleep(1)
    os._exit(0)


class Launcher:
    """Keeps the store and starts groups, one after the other, like the agent of torchrun."""

    def __init__(self, folder):
        self.folder, self.attempt = Path(folder), 0
        self.port, self._keeper = store_of_its_own()

    def close(self):
        """End the process that keeps the store."""
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
            "TORCHELASTIC_RUN_ID": "test",
            **(environment or {}),
        }
        self.attempt += 1
        return [self._forked(rank, known, work) for rank in range(size)]

    def _forked(self, rank, known, work):
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            signal.alarm(PATIENCE)  # ends the process, which counts as a failure
            os.environ.update({**known, "RANK": str(rank), "LOCAL_RANK": str(rank)})
            with (self.folder / f"output-{rank}").open("w", encoding="utf-8", buffering=1) as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                sys.stdout, sys.stderr = file, file
                faulthandler.dump_traceback_later(PATIENCE / 2, file=file)  # where it hangs
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
        """The exit codes of processes; of those ended by a signal, its number with a minus."""
        return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

    def succeed(self, size, work, environment=None):
        """Run a group, all of whose processes must end well."""
        codes = self.run(size, work, environment)
        texts = [self.output(rank) for rank in range(size)]
        assert codes == [0] * size, "\n".join([str(codes), *texts])
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
