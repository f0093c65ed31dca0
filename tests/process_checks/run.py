"""Checks of training with several processes, each with the numbers of one process beside it.

`PYTHONPATH=tests python tests/process_checks/run.py [NAME ...]` runs them, and prints a line for
each. They share one start of Python: `launcher` copies it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
import warnings

import torch
from process_checks import equality, faults, resuming, sources
from process_checks.launcher import Launcher

ALL = {
    name.removeprefix("check_"): function
    for module in (equality, faults, resuming, sources)
    for name, function in vars(module).items()
    if name.startswith("check_")
}


def main(names):
    """Run some checks; the exit code is that of the last failure."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    failed = 0
    for name in names or ALL:
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            launcher = Launcher(folder)
            try:
                ALL[name](launcher)
                problem = ""
            except Exception:
                problem, failed = traceback.format_exc(), 1
            finally:
                launcher.close()
        spent = round(time.perf_counter() - begin, 2)
        sys.stdout.write(json.dumps({"name": name, "seconds": spent, "problem": problem}) + "\n")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
