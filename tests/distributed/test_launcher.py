"""What starts the programs of these tests cannot hang itself."""

from __future__ import annotations

import signal

import pytest
from process_checks.programs import gone, python, start, text_of


def test_a_program_that_hangs_is_ended_with_all_that_it_has_started(tmp_path):
    output, program = tmp_path / "output", tmp_path / "program.py"
    program.write_text(
        "import os, time\nprint(os.fork(), flush=True)\ntime.sleep(1000)\n", encoding="utf-8"
    )
    process = start(python(program), output)
    with pytest.raises(AssertionError, match="has not ended after 1 s"):
        text_of(process, output, 1)
    assert process.returncode == -signal.SIGTERM
    for number in output.read_text(encoding="utf-8").split():
        assert int(number) == 0 or gone(int(number))
