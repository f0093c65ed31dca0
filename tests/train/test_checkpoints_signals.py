"""Ctrl-C and SIGTERM end a training with a checkpoint, from which it goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PROGRAM = """
    import os, sys
    sys.path.insert(0, {tests!r})
    from train.worlds import data, network
    import graphnet as gn

    class Signal(gn.Callback):
        def step(self, run):
            if run.step == 5:
                os.kill(os.getpid(), {number})

    model = network(dropout=True)
    adam = gn.Adam(model.parameters(), lr=0.02)
    signals = [Signal()] if {first} else []
    history = gn.fit(model, gn.LossCrossEntropy(), data(), adam, epochs=3, batch_size=10, seed=0,
                     directory={folder!r}, callbacks=signals)
    print(list(history.losses))
"""


def program(folder, number, first):
    """Run a training in a process of its own; returns its exit code and what it printed."""
    tests = str(Path(__file__).parents[1])
    text = textwrap.dedent(PROGRAM).format(
        tests=tests, number=int(number), first=first, folder=str(folder)
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_at_the_end_of_a_step_with_a_state(number, code, tmp_path):
    returned, printed, errors = program(tmp_path / "a", number, True)
    assert (returned, printed) == (code, ""), errors
    assert max((tmp_path / "a" / "checkpoints").iterdir()).name.endswith("5")
    returned, resumed, errors = program(tmp_path / "a", number, False)
    assert returned == 0, errors
    assert resumed == program(tmp_path / "b", number, False)[1]
