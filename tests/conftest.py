"""What holds for all tests: one thread for each worker, and Ctrl-C means what it means at a prompt.

Two workers with a pool of threads each would wait for one another at every small kernel: that took
four fifths of the time of some files. A number of threads that is set from outside counts.
"""

from __future__ import annotations

import gc
import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch when it is imported

# A shell that starts a program in the background has it ignore Ctrl-C, and all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Thousands of tests are not looked at again by every collection of garbage."""
    gc.collect()
    gc.freeze()
