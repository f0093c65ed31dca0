"""Trainings that are killed at random moments: `python tests/kill_and_resume.py [200]`.

Each training runs in a process of its own, writes a checkpoint after every second step, and gets
SIGKILL after a random time; then it is started again, until it ends. Its weights must be those of a
training that was never killed, to the bit.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

import graphnet as gn

LONGEST = 0.5  # seconds until a kill
PATIENCE = 300  # seconds after which a training hangs, on the slowest machine


def training(folder: Path) -> None:
    """A training with all that is random: dropout, batch normalization, order of the rows."""
    generator = torch.Generator().manual_seed(0)
    points, labels = gn.data.disk(300, generator)
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(2, 20), gn.BatchNorm1d(20), gn.ReLU(), gn.Dropout(0.2), gn.Linear(20, 2)
    )
    adam = gn.Adam(model.parameters(), lr=0.01)
    gn.fit(
        model, gn.LossCrossEntropy(), (points, labels), adam, epochs=6, batch_size=20, seed=1,
        callbacks=[gn.Checkpoints(folder / "checkpoints", every=2)],
    )  # fmt: skip
    gn.save_weights(model, folder / "done.safetensors")


def started(folder: Path) -> int:
    """Start a training in a copy of this process, which has loaded everything already."""
    child = os.fork()
    if child:
        return child
    code = 1
    signal.alarm(PATIENCE)  # ends the process, which counts as a failure
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a torn checkpoint would be warned of
            training(folder)
        code = 0
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        os._exit(code)


def killed_until_it_ends(folder: Path, dice: random.Random, most: int) -> tuple[int, int]:
    """Kill and resume a training; returns how often it was killed, and how often something failed.

    After so many kills it may end.
    """
    kills = faults = 0
    while True:
        child = started(folder)
        if kills < most:
            time.sleep(dice.uniform(0, LONGEST))
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == -signal.SIGKILL:
            kills += 1
        elif status:
            return kills, faults + 1
        else:
            return kills, faults


def run(kills: int, seed: int = 0) -> dict[str, int]:
    """Kill trainings so often in all, and count."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    dice = random.Random(seed)
    counts = dict.fromkeys(("trainings", "kills", "failed", "different", "left over"), 0)
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "whole"
        whole.mkdir()
        training(whole)
        expected = (whole / "done.safetensors").read_bytes()
        while counts["kills"] < kills:
            folder = Path(name) / str(counts["trainings"])
            folder.mkdir()
            made, failed = killed_until_it_ends(folder, dice, min(20, kills - counts["kills"]))
            counts["trainings"] += 1
            counts["kills"] += made
            counts["failed"] += failed
            done = folder / "done.safetensors"
            counts["different"] += not done.exists() or done.read_bytes() != expected
            kept = [path.name for path in (folder / "checkpoints").iterdir()]
            counts["left over"] += len(kept) > 2
    return counts


def reported(run: Callable[[int], dict[str, int]], kills: int) -> int:
    """Print the figures; the exit code is 0 if nothing was lost.

    Args:
        run: kills so often, and counts trainings, kills, and each kind of fault.
        kills: how often, unless the command says another number.
    """
    start = time.perf_counter()
    counts = run(int(sys.argv[1]) if len(sys.argv) > 1 else kills)
    for name, count in counts.items():
        sys.stdout.write(f"{name:10} {count}\n")
    sys.stdout.write(f"seconds    {time.perf_counter() - start:.0f}\n")
    return int(any(counts[name] for name in counts if name not in ("trainings", "kills")))


if __name__ == "__main__":
    sys.exit(reported(run, 200))
