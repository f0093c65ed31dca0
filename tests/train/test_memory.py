"""Data that do not fit into memory: a limit on it is kept, and memory stays flat."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MIB = 2**20

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the memory of a process is read in /proc"
)

PROGRAM = """
import json, resource, sys
import numpy as np
import torch
import graphnet as gn

torch.set_num_threads(1)
path, limit, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def memory(name):
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))

class Watch(gn.Callback):
    def start(self, run):
        self.seen = []
    def step(self, run):
        if run.step % 10 == 0:
            self.seen.append(memory("RssAnon"))

x = np.load(path, mmap_mode="r")
t = np.broadcast_to(np.zeros((1, 1), np.float32), (len(x), 1))
model, watch = gn.Linear(x.shape[1], 1), Watch()
sgd = gn.SGD(model.parameters(), lr=1e-5)
small = (torch.zeros(4, x.shape[1]), torch.zeros(4, 1))
gn.fit(model, gn.LossMSE(), small, sgd, progress=False)  # what is loaded once
before = memory("RssAnon")
# no more private memory than this: the rows of the file do not count, which are shared with it
resource.setrlimit(resource.RLIMIT_DATA, (memory("VmData") + limit, -1))
history = gn.fit(
    model, gn.LossMSE(), (x, t), sgd, batch_size=batch, seed=0, progress=False,
    transform=lambda x: x.float() / 255, augment=lambda x, t, generator: (x + 1, t),
    callbacks=[watch, gn.Checkpoints(path + ".run")],
)
seen = watch.seen
half = len(seen) // 2
print(json.dumps({
    "steps": len(history.losses), "before": before, "most": max(seen),
    "early": max(seen[:half]), "late": max(seen[half:]), "loss": history["loss"][-1],
}))
"""


def trained(folder, rows, columns, limit, batch):
    """Train on a file of zeros, which takes no room on the disk, in a process with a limit."""
    import numpy as np

    path = folder / "x.npy"
    np.lib.format.open_memmap(path, "w+", np.uint8, (rows, columns)).flush()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(limit), str(batch)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr
    import json

    kept = sum(each.stat().st_size for each in folder.rglob("*") if each.name != "x.npy")
    return json.loads(done.stdout.splitlines()[-1]), path.stat().st_size, kept


def test_a_file_of_ten_times_the_limit_trains_in_flat_memory(tmp_path):
    limit = 64 * MIB
    seen, size, kept = trained(tmp_path, 170_000, 4_096, limit, 100)
    assert size > 10 * limit
    assert seen["steps"] == 1_700
    assert seen["most"] - seen["before"] < limit
    assert seen["late"] - seen["early"] < 4 * MIB
    assert kept < 100_000


@pytest.mark.slow
def test_a_large_file_trains_with_less_than_half_a_gigabyte(tmp_path):
    """Three million rows, whose order is computed and not listed; 12 GiB under a limit of 1.2."""
    limit = 1_200 * MIB
    seen, size, kept = trained(tmp_path, 3 * 2**20, 4_096, limit, 500)
    assert size > 10 * limit
    assert seen["most"] < 500 * MIB
    assert seen["late"] - seen["early"] < 8 * MIB
    assert kept < 400_000
