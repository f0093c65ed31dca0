"""Groups of which a process is killed at random moments: `python tests/kill_processes.py [100]`.

Each training has two to four processes and writes a checkpoint after every second step. One of them
gets SIGKILL after a random time; the others must end by themselves, or, while they still look for
each other, by the SIGTERM that a launcher sends. Then all are started again, until they end. Their
weights must be those of a training of as many processes that was never disturbed, to the bit.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parent))
from kill_and_resume import reported
from process_checks.launcher import Launcher, kill

import graphnet as gn

LONGEST = 0.8  # seconds until a kill
MOST = 10  # kills of one training


def training(folder: Path, rank: int = 0) -> None:
    """A training with all that is random: dropout, batch normalization, order of the rows."""
    warnings.simplefilter("error")  # a torn checkpoint would be warned of
    group = gn.distributed.join(timeout=30)
    (folder / f"met-{rank}").touch()
    points, labels = gn.data.disk(300, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(2, 20, bias=False), gn.BatchNorm1d(20), gn.ReLU(), gn.Dropout(0.2),
        gn.Linear(20, 2),
    )  # fmt: skip
    adam = gn.Adam(model.parameters(), lr=0.01)
    gn.fit(
        model, gn.LossCrossEntropy(), (points, labels), adam, epochs=6, batch_size=20, seed=1,
        across=group,
        callbacks=[gn.Checkpoints(folder / "checkpoints", every=2)],
    )  # fmt: skip
    if rank == 0:
        gn.save_weights(model, folder / "done.safetensors")


def killed_until_it_ends(folder: Path, size: int, dice: random.Random, most: int) -> list[int]:
    """Kill and start again; returns the numbers of kills, and of processes that ended wrongly."""
    launcher, kills = Launcher(folder), 0
    try:
        while True:
            for rank in range(size):
                (folder / f"met-{rank}").unlink(missing_ok=True)
            children = launcher.start(size, lambda rank: training(folder, rank))
            victim, ends = dice.randrange(size), {0, 1, -signal.SIGKILL}
            if kills < most:
                time.sleep(dice.uniform(0, LONGEST))
                kill(children[victim])
                if not all((folder / f"met-{rank}").exists() for rank in range(size)):
                    time.sleep(0.5)  # as long as it may take to notice
                    ends |= {-signal.SIGTERM, 128 + signal.SIGTERM}
                    for child in children:
                        kill(child, signal.SIGTERM)
            codes = launcher.wait(children)
            if codes == [0] * size:
                return [kills, 0]
            kills += codes[victim] == -signal.SIGKILL
            # the others end with the error, or had come to the end before
            if not {*codes} <= ends or codes[victim] != -signal.SIGKILL:
                sys.stderr.write("\n".join([str(codes), *map(launcher.output, range(size))]))
                return [kills, 1]
    finally:
        launcher.close()


def run(kills: int, seed: int = 0) -> dict[str, int]:
    """Kill so often in all, and count."""
    torch.set_num_threads(1)
    dice, expected = random.Random(seed), {}
    counts = dict.fromkeys(("trainings", "kills", "wrong ends", "different", "left over"), 0)
    with tempfile.TemporaryDirectory() as name:
        for size in (2, 3, 4):
            folder = Path(name) / f"whole {size}"
            folder.mkdir()
            launcher = Launcher(folder)
            launcher.succeed(size, lambda rank, folder=folder: training(folder, rank))
            launcher.close()
            expected[size] = (folder / "done.safetensors").read_bytes()
        while counts["kills"] < kills:
            size, folder = dice.choice((2, 2, 3, 4)), Path(name) / str(counts["trainings"])
            folder.mkdir()
            most = min(MOST, kills - counts["kills"])
            made, wrong = killed_until_it_ends(folder, size, dice, most)
            counts["trainings"] += 1
            counts["kills"] += made
            counts["wrong ends"] += wrong
            done = folder / "done.safetensors"
            counts["different"] += not done.exists() or done.read_bytes() != expected[size]
            kept = list((folder / "checkpoints").iterdir()) if done.exists() else []
            counts["left over"] += len(kept) > 2
    return counts


if __name__ == "__main__":
    sys.exit(reported(run, 100))
