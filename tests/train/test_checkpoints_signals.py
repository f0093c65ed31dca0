"""Ctrl-C and SIGTERM end training with a checkpoint, from which it goes on."""

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
    from train.small_runs import data, network
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


def text_of(folder, number, first):
    """The program of a training run, which gets the signal in its fifth step if it is the first."""
    tests = str(Path(__file__).parents[1])
    return textwrap.dedent(PROGRAM).format(
        tests=tests, number=int(number), first=first, folder=str(folder)
    )


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
def test_a_signal_ends_at_the_end_of_a_step_with_a_state(number, code, tmp_path, capsys):
    """The signal ends a separate process; this one goes on, and does the same without it."""
    command = [sys.executable, "-c", text_of(tmp_path / "a", number, True)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert max((tmp_path / "a" / "checkpoints").iterdir()).name.endswith("5")
    printed = []
    for folder in ("a", "b"):
        exec(text_of(tmp_path / folder, number, False), {})
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""
