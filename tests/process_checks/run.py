"""Checks of training with several processes, each with the numbers of one process beside it.

`PYTHONPATH=tests python tests/process_checks/run.py [NAME ...]` runs them, and prints a line for
each. They share one start of Python: `launcher` copies it. A check that hangs is ended, with all
processes that it has started, and no other is begun.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
import tempfile
import time
import traceback
import warnings

import torch
from process_checks import equality, faults, launching, resuming, signalled, sources
from process_checks.launcher import PATIENCE, Launcher

ALL = {
    name.removeprefix("check_"): function
    for module in (launching, equality, faults, resuming, signalled, sources)
    for name, function in vars(module).items()
    if name.startswith("check_")
}
LIMIT = 300
"""Seconds for a check, of which the longest takes 40."""


class HangingError(Exception):
    """A check takes too long."""


def hangs(number, frame):
    raise HangingError(f"It has not ended after {LIMIT} s.")


def leave(number, frame):
    sys.exit(1)  # by way of `Launcher.close`


def problem_of(check):
    """What goes wrong in a check, and what its processes have written; "" for nothing."""
    with tempfile.TemporaryDirectory() as folder:
        launcher = Launcher(folder)
        signal.alarm(LIMIT)
        try:
            check(launcher)
        except AssertionError:
            return traceback.format_exc()
        except Exception:
            return f"{traceback.format_exc()}\n{launcher.said()}"
        finally:
            signal.alarm(0)
            launcher.close()
    return ""


def main(names):
    """Run some checks; the exit code is 1 if one fails."""
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()  # else every copy looks through all that is loaded
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, hangs)
    signal.signal(signal.SIGTERM, leave)
    failed = 0
    for name in names or ALL:
        begin = time.perf_counter()
        problem = problem_of(ALL[name])
        failed |= bool(problem)
        spent = round(time.perf_counter() - begin, 2)
        sys.stdout.write(json.dumps({"name": name, "seconds": spent, "problem": problem}) + "\n")
        sys.stdout.flush()
        if problem and spent >= PATIENCE:
            break
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
