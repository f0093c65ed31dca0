"""The tests catch faults that are seeded into the package."""

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
def test_all_faults_are_caught():
    result = run_script()
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(faults.FAULTS)} of {len(faults.FAULTS)} faults are caught" in result.stdout


@pytest.mark.parametrize(
    "fault", faults.FAULTS, ids=lambda fault: f"{fault.file}-{fault.owner}-{fault.new}"
)
def test_every_fault_is_still_a_change(fault):
    path, source = faults.seeded(fault, Path(gn.__file__).parents[1])  # of what is installed
    assert source != path.read_text(encoding="utf-8")
    tests = Path(faults.__file__).parent
    assert all((tests / name).is_file() for name in fault.tests.split())


def test_no_fault_is_there_twice():
    changes = [(fault.file, fault.owner, fault.old, fault.new) for fault in faults.FAULTS]
    assert len(set(changes)) == len(changes) >= 160


def verdicts(program):
    """What a program prints of faults that it runs, in a process that has imported no graphnet."""
    result = subprocess.run(
        [sys.executable, "-c", f"import faults; {program}"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=Path(faults.__file__).parent,
    )
    return result.stdout.split()


@pytest.mark.slow
def test_without_a_fault_nothing_is_caught():
    """The tests pass on a copy, and there are some: what is called caught is the fault's doing."""
    program = (
        "changes = [each._replace(new=each.old) for each in faults.PACKAGE]; "
        "print(*{result.verdict for result in faults.run(changes)})"
    )
    assert verdicts(program) == ["escaped"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (faults.Fault("Tanh", "1 - top * top", "1 - (top * top)"), "escaped"),
        (faults.Fault("Tanh", "1 - top * top", "1 - top", "no_such_row"), "caught"),
        (faults.Fault("Tanh", "no such text", ""), "outdated"),
        (
            faults.Fault("Loss", "return", "yield", "no_such", "losses/base.py", "test_init.py"),
            "not",
        ),
        (faults.Fault("Loss", "return", "return", "", "losses/base.py", "no_such.py"), "not"),
    ],
    ids=str,
)
def test_what_is_said_of_a_change(fault, verdict):
    assert verdicts(f"print(faults.run([faults.{fault!r}])[0].verdict)")[0] == verdict


@pytest.mark.slow
def test_tests_that_hang_are_ended():
    start, tests = "frame = sys._getframe(1)", "graph/test_guards.py"
    hang = ("Exclusive.__enter__", start, f"{start}\n        while frame: pass")
    fault = faults.Fault(*hang, "walk", "graph/guards.py", tests)
    program = f"faults.SECONDS = 5; print(faults.run([faults.{fault!r}])[0].verdict)"
    assert verdicts(program) == ["hangs"]
