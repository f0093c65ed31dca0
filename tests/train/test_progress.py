"""The progress bar: where it has no place, and what it shares with other processes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from time import sleep

import pytest

from graphnet.train.logs import progress_bar
from graphnet.train.rounds import rounds

# Without a console, as pythonw runs a program; and with one that has been closed.
PROGRAM = """
import os, sys
import graphnet as gn

def train(folder, shown):
    points, labels = gn.data.disk(20)
    model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 2))
    adam = gn.Adam(model.parameters(), lr=0.01)
    history = gn.fit(model, gn.LossCrossEntropy(), (points, labels), adam, epochs=2,
                     progress=shown, directory=folder)
    return len(history), len(gn.rounds(lambda seed: {"x": seed}, 2, progress=shown))

closed = open(os.devnull, "w", encoding="utf-8")
closed.close()
console, found = sys.stdout, []
for stream in (None, closed):
    sys.stdin = sys.stdout = sys.stderr = stream
    for shown in (None, True, False):
        found.append(train(os.path.join(sys.argv[1], str(len(found))), shown))
print(found, file=console)
"""


def test_a_program_without_a_console_trains(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{6 * [(2, 2)]}\n"


def test_a_bar_that_is_requested_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", text := io.StringIO())
    with progress_bar(True, total=3, initial=1, unit="step") as bar:
        bar.update()
    assert "1/3" in text.getvalue()
    with progress_bar(None, total=3, initial=1, unit="step") as bar:
        assert bar.disable  # no terminal


def test_the_last_rate_of_a_bar_is_that_of_all_steps(monkeypatch):
    """Not that of a slow first step, after which all others are faster than a bar is drawn."""
    monkeypatch.setattr(sys, "stderr", text := io.StringIO())
    with progress_bar(True, total=5001, initial=0, unit="step") as bar:
        sleep(0.2)
        bar.update()
        bar.update(5000)
        bar.refresh()
    last = text.getvalue().rstrip("\r \n").rsplit("\r", 1)[-1]
    assert "5001/5001" in last
    assert float(re.search(r"([\d.]+)step/s", last)[1]) > 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_process_that_dies_with_the_lock_does_not_hold_up_the_others():
    """A lock shared between processes would be held forever."""
    with progress_bar(True, total=1, initial=0, unit="step") as bar:
        lock = bar.get_lock()
    child = os.fork()
    if not child:
        lock.acquire()
        os._exit(0)  # as if it was killed
    os.waitpid(child, 0)
    assert lock.acquire(timeout=10)
    lock.release()


def test_bars_inside_of_each_other(capsys):
    """A round that runs rounds; the bars share one lock."""
    rounds(lambda seed: {"x": rounds(lambda s: {"x": s}, 2, progress=True).mean("x")}, 2,
           progress=True)  # fmt: skip
    text = capsys.readouterr().err
    assert text.count("0/2") >= 3
    assert "\n" in text  # the inner ones below the outer one
