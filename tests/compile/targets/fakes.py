"""Compilers that are scripts: each records how it was called, and then does what a test needs."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import sys
from pathlib import Path

import pytest

SOURCE = """
#include <math.h>
#include <stdint.h>
#define EXPORTED __attribute__((visibility("default")))
EXPORTED int64_t graphnet_answer(void) { return %d; }
EXPORTED double graphnet_sine(double x) { return sin(x); }
int64_t graphnet_hidden(void) { return 0; }
"""

scripts = pytest.mark.skipif(os.name == "nt", reason="a script is no program of Windows")
needs_root = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="only root gives a file to another user"
)
STRANGER = 54_321  # the number of a user that no machine has


def installed():
    """Commands of the real compilers, as `$CC` holds them."""
    found = [pytest.param(path, id=name) for name in ("gcc", "clang") if (path := which(name))]
    if importlib.util.find_spec("ziglang"):
        command = f"{sys.executable} -m ziglang cc"  # its first run compiles a C library
        found.append(pytest.param(command, id="ziglang", marks=pytest.mark.slow))
    missing = pytest.param("", marks=pytest.mark.skip(reason="needs gcc, clang or ziglang"))
    return found or [missing]


def which(name):
    return shutil.which(name)


def real_compiler():
    """The path of a compiler that works."""
    path = which("cc") or which("gcc") or which("clang")
    return path or pytest.skip("needs a C compiler")


def script(path, body, version="fake 1.0"):
    """A program that answers to --version, and otherwise runs the lines of a shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "#!/bin/sh",
        f'case " $* " in *" --version "*) echo "{version}"; exit;; esac',
        f'for each in "$@"; do echo "$each"; done >> "{path}.arguments"',
        f'echo run >> "{path}.runs"',
        body,
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def fake(tmp_path, monkeypatch, body):
    """A script as `$CC`."""
    path = script(tmp_path / "fake" / "cc", body)
    monkeypatch.setenv("CC", str(path))
    return path


def runs_of(path):
    """How often a script was asked to compile."""
    record = Path(f"{path}.runs")
    return len(record.read_text(encoding="utf-8").split()) if record.exists() else 0


def arguments_of(path):
    return Path(f"{path}.arguments").read_text(encoding="utf-8").splitlines()


class Lifeline:
    """A pipe that a script and all that it starts hold open: it tells when the last one ends."""

    # It first reads its input to the end, which a compiler has at once.
    body = 'cat; exec 9>"$LIFELINE"; echo here >&9; sleep 600 & sleep 600'

    def __init__(self, tmp_path, monkeypatch):
        path = tmp_path / "lifeline"
        os.mkfifo(path)
        monkeypatch.setenv("LIFELINE", str(path))
        self.end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_for_the_start(self):
        assert self.readable()
        assert os.read(self.end, 100) == b"here\n"

    def is_cut(self):
        """Whether all of them have ended; waits a while, as the system takes its time."""
        return self.readable() and os.read(self.end, 100) == b""

    def holds(self):
        return not self.readable(0)

    def readable(self, seconds=60):
        return bool(select.select([self.end], [], [], seconds)[0])

    def close(self):
        os.close(self.end)
