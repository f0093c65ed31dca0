"""The tests catch faults that are seeded into the operations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import faults
import pytest

import graphnet as gn


def run_script(*arguments):
    script = Path(faults.__file__)
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=900,
    )


@pytest.mark.slow
def test_three_faults_are_caught():
    result = run_script("--short", "--processes", "1")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 of 3 faults are caught: 100.0 %" in result.stdout


@pytest.mark.slow
def test_nearly_all_faults_are_caught():
    result = run_script()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "outdated" not in result.stdout
    assert len(faults.FAULTS) >= 40


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: f"{fault.owner}-{fault.new}")
def test_every_fault_is_still_a_change(fault):
    path, source = faults.seeded(fault, Path(gn.__file__).parents[1])  # of what is installed
    assert source != path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_harmless_change_is_not_caught():
    """The tests pass on a copy: what is called caught is the fault's doing."""
    harmless = faults.Fault("Tanh", "1 - top * top", "1 - (top * top)")
    program = f"import faults; print(faults.run([faults.{harmless!r}])[0][1])"
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=Path(faults.__file__).parent,
    )
    assert result.stdout.strip() == "escaped"
