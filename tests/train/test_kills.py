"""Killed training runs go on: the short form of `tests/kill_and_resume.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "kill_and_resume.py"


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_trainings_go_on_to_the_same_end(kills):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(kills)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600 + 10 * kills,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"kills      {kills}\n" in done.stdout
