"""Tests of compiled programs, run once more on native code: hundreds of programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
FILES = ["test_empty", "test_errors", "test_gradients", "test_layers", "test_losses", "test_many",
         "test_ops", "test_optimizers", "test_random_graphs", "test_ranges", "test_rewound",
         "test_settings", "test_state", "test_step"]  # fmt: skip
ABOUT_TORCH = (
    "not sources_of_programs_are_forgotten and not tuning and not (test_profile and not leaves)"
)
"""Tests of the lines of Python, which native code has none of."""


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_on_native_code(file):
    path = ROOT / "tests" / "compile" / f"{file}.py"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "--backend",
            "c",
            "-k",
            ABOUT_TORCH,
            path,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
