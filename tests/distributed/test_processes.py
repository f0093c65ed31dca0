"""Several processes that train one model: their numbers, faults and checkpoints.

The checks are functions in `tests/process_checks`, which a program of its own runs: so Python and
torch are loaded once, and every group is a few copies of it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from process_checks.names import LONG, SHORT
from process_checks.programs import python, start, text_of

TESTS = Path(__file__).parents[1]


def outcomes(names, folder):
    """What became of some checks: nothing, or what went wrong, by name."""
    output = folder / "output"
    path = os.pathsep.join([str(TESTS), *sys.path])
    process = start(
        python(TESTS / "process_checks" / "run.py", *names), output, {"PYTHONPATH": path}
    )
    text = text_of(process, output, 600)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = {line["name"]: line["problem"] for line in lines}
    return {name: found.get(name, text or "it did not end") for name in names}


def test_several_processes(tmp_path):
    """In one test: each worker of pytest would start all of them anew."""
    wrong = [f"{name}: {text}" for name, text in outcomes(SHORT, tmp_path).items() if text]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_several_processes_in_long_forms(name, tmp_path):
    assert outcomes([name], tmp_path)[name] == ""


def test_every_check_is_a_test():
    source = "".join(
        path.read_text(encoding="utf-8") for path in (TESTS / "process_checks").glob("*.py")
    )
    names = {
        line[10:].partition("(")[0] for line in source.split("\n") if line[:10] == "def check_"
    }
    assert names == {*SHORT, *LONG}


@pytest.mark.slow
def test_killed_groups_go_on_to_the_same_end(tmp_path):
    output = tmp_path / "output"
    process = start(python(TESTS / "kill_processes.py", 20), output)
    text = text_of(process, output, 1200)
    assert process.returncode == 0, text
    assert "kills      20\n" in text
