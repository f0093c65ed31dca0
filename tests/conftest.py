"""One thread for each worker of the tests, and for the processes that they start.

Two workers with a pool of threads each would wait for one another at every small kernel: that took
four fifths of the time of some files. A number of threads that is set from outside counts.
"""

from __future__ import annotations

import gc
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch when it is imported


def pytest_collection_finish() -> None:
    """Thousands of tests are not looked at again by every collection of garbage."""
    gc.collect()
    gc.freeze()
