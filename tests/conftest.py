"""What holds for all tests.

- One thread of torch in each process: two workers with a pool of threads each would wait for one
  another at every small kernel, which took four fifths of the time of some files. A number of
  threads that is set from outside takes precedence.
- Two worker processes, if pytest-xdist is installed and nothing else was requested.
- Hypothesis draws the same examples in every run, on every machine, in any order of the tests.
- Ctrl-C means what it means at a prompt.
- One Chromium in each process, if it has tests of pages.
- No test waits until a file is on the disk.
- Compiled libraries lie beside pytest's cache, not in that of the user; later runs find them there.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import browser
import native
import profiles
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch when it is imported

# A shell that starts a program in the background makes it, and its children, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

profiles.register()  # before `--hypothesis-profile` chooses one

WORKERS = 2


@pytest.hookimpl(tryfirst=True)  # before that of pytest-xdist, which starts the workers
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Ask for two workers; not in a worker, not for a debugger, and not if `-n` was given."""
    option = config.option
    # It imports JAX, which few have. (To ignore all modules that cannot be imported would hide
    # test files that fail: pytest finds them half imported, and without tests.)
    option.ignore = [*(option.ignore or []), str(config.rootpath / "graphnet/bench/jax_step.py")]
    unasked = getattr(option, "numprocesses", 0) is None and not getattr(option, "tx", None)
    if unasked and not option.usepdb and "PYTEST_XDIST_WORKER" not in os.environ:
        option.numprocesses = WORKERS


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--backend c` runs tests of compiled programs on another target."""
    parser.addoption("--backend", help="the backend of programs that choose none, such as c")


@pytest.fixture(scope="session", autouse=True)
def _backend(pytestconfig: pytest.Config) -> Iterator[None]:
    """The target of all programs whose test does not choose one."""
    backend = pytestconfig.getoption("--backend")
    if backend is None:
        yield
        return
    with native.every_program(backend):
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_disk() -> Iterator[None]:
    """What is written is not waited for: a test that fails leaves the power on.

    Tests of the order in which files reach the disk put their own `fsync` in place of this one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(params=["-O1", pytest.param("-O3", marks=pytest.mark.slow)])
def level(request: pytest.FixtureRequest) -> Iterator[None]:
    """How hard a C compiler tries: half as long where many numbers are compared.

    Tests of native code without this fixture have the flags of every user.
    """
    with native.compiled_at(request.param):
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Choose where compiled libraries are kept: the workers inherit it."""
    if config.getoption("--backend", None):  # what has no form there runs as calls of torch
        config.addinivalue_line("filterwarnings", "ignore:backend=")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["GRAPHNET_NATIVE"] = str(_libraries(config))


def _libraries(config: pytest.Config) -> Path:
    """A private folder that stays for later runs; one of this run where pytest keeps nothing.

    A library is found by all that it depends on, so an old one is never taken for another. Where
    others may write to the folder, graphnet itself takes a temporary one.
    """
    cache = getattr(config, "cache", None)
    if cache is not None:
        with suppress(OSError):
            folder = Path(cache.mkdir("native"))
            folder.chmod(0o700)
            return folder
    made = tempfile.mkdtemp(prefix="graphnet-tests-")
    config.add_cleanup(lambda: shutil.rmtree(made, ignore_errors=True))
    return Path(made)


def pytest_sessionfinish() -> None:
    """End the browser, which the first test of a page has started."""
    browser.close()


def pytest_collection_finish() -> None:
    """Keep the garbage collector from scanning thousands of tests at every collection."""
    gc.collect()
    gc.freeze()
