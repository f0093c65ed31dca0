"""Several processes that train one model: their numbers, faults and checkpoints.

The checks are functions in `tests/process_checks`, which a program of its own runs: so Python and
torch are loaded once, and every group is a few copies of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from process_checks.names import LONG, SHORT

TESTS = Path(__file__).parents[1]


def outcomes(names):
    """What became of some checks: nothing, or what went wrong, by name."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "process_checks" / "run.py"), *names],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=1200,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {line["name"]: line["problem"] for line in lines}
    return {name: found.get(name, done.stderr or "it did not end") for name in names}


@pytest.fixture(scope="module")
def short():
    return outcomes(SHORT)


@pytest.mark.parametrize("name", SHORT)
def test_several_processes(name, short):
    assert short[name] == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_several_processes_in_long_forms(name):
    assert outcomes([name]) == {name: ""}


def test_every_check_is_a_test():
    source = "".join(
        path.read_text(encoding="utf-8") for path in (TESTS / "process_checks").glob("*.py")
    )
    names = {
        line[10:].partition("(")[0] for line in source.split("\n") if line[:10] == "def check_"
    }
    assert names == {*SHORT, *LONG}


@pytest.mark.slow
def test_killed_groups_go_on_to_the_same_end():
    done = subprocess.run(
        [sys.executable, str(TESTS / "kill_processes.py"), "20"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills      20\n" in done.stdout
