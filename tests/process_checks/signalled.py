"""Ctrl-C and SIGTERM that go to processes and the workers of their loaders at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from process_checks.sources import FORMS, largest, loader, trained

import graphnet as gn

MANY = {"batch_size": 4}  # steps in an epoch: what is read ahead is not the rest of it


def four(**settings):
    return loader(num_workers=1, batch_size=4, **settings)


BY_WORKERS = {
    "items by workers": (FORMS["data set"][0], {"workers": 2, **MANY}),
    "items by a worker and a thread": (
        FORMS["data set"][0], {"workers": 1, "prefetch": 1, **MANY}
    ),
    "batches by a worker": (lambda folder: four(), {}),
    "batches by a worker and a thread": (lambda folder: four(), {"prefetch": 1}),
    "batches by workers that stay": (lambda folder: four(persistent_workers=True), {}),
    "a function of batches by a worker": (lambda folder: lambda: four(shuffle=False), {}),
    "validation by a worker": (FORMS["arrays"][0], {"validation": four(), **MANY}),
}  # fmt: skip
BEGUN_ANEW = ("batches by workers that stay", "a function of batches by a worker")
"""An epoch of these begins anew: they cannot tell where they were."""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


class ToAll(gn.Callback):
    """Sends a signal to a process and to all that it has started, as torchrun does."""

    def __init__(self, number, rank=None):
        self.number, self.rank = number, rank

    def step(self, run):
        if run.step == 4 and self.rank in (None, int(os.environ["RANK"])):
            # Not by this process: workers take a signal of their parent as the end of their work.
            subprocess.run(["kill", f"-{int(self.number)}", "--", f"-{os.getpgrp()}"], check=False)
            time.sleep(0.05)  # what it ends has ended


def ends_behind_a_step(launcher, name, number, size, rank=None, epochs=1):
    """The next step is the last; and the training goes on from there."""
    folder = launcher.folder / f"{name} {number} {size} {rank}"
    across = size > 0
    settings = {"forms": BY_WORKERS, "compile": False, "epochs": epochs}
    _, expected = trained(name, launcher.folder, **settings)

    def work(_):
        callbacks = [gn.Checkpoints(folder, every=100), ToAll(number, rank)]
        trained(name, launcher.folder, across, callbacks=callbacks, **settings)

    code = CODES[number]
    codes = launcher.run(max(size, 1), work)
    assert codes == [code] * max(size, 1), (name, codes, launcher.said())
    names = sorted(path.name for path in folder.iterdir())
    assert names[-1] == f"checkpoint-{4 + (size > 1):08}", (name, names)

    if name in BEGUN_ANEW:
        return

    def again(_):
        callbacks = [gn.Checkpoints(folder, every=100)]
        _, found = trained(name, launcher.folder, across, callbacks=callbacks, **settings)
        assert largest(found, expected) < 1e-12, (name, size, rank)

    launcher.succeed(max(size, 1), again)


def check_a_signal_to_processes_and_workers(launcher):
    ends_behind_a_step(launcher, "items by workers", signal.SIGTERM, 2)
    ends_behind_a_step(launcher, "batches by a worker", signal.SIGINT, 2)


def check_a_signal_to_processes_and_workers_of_every_form(launcher):
    """To all processes, to one of them, and to one that is alone."""
    for name in BY_WORKERS:
        for number in CODES:
            for size, rank in ((2, None), (2, 1), (1, None), (0, None)):
                ends_behind_a_step(launcher, name, number, size, rank, 2)


def check_a_worker_that_hangs_does_not_keep_the_program(launcher):
    """Neither SIGTERM nor the end of the training reaches it: it is killed at the end."""

    class Hanging:
        def __len__(self):
            return 100

        def __getitem__(self, row):
            if row == 99:
                (launcher.folder / "worker").write_text(str(os.getpid()), encoding="utf-8")
                time.sleep(1000)
            return FORMS["data set"][0](None)[row % 43]

    class Stop(gn.Callback):
        def step(self, run):
            if (launcher.folder / "worker").exists():
                run.stop()

    def work(rank):
        model = gn.Sequential(gn.Linear(5, 3)).double()
        gn.fit(
            model, gn.LossCrossEntropy(), Hanging(), gn.SGD(model.parameters()), epochs=20,
            batch_size=10, shuffle=False, workers=2, callbacks=[Stop()], steps_per_epoch=9,
        )  # fmt: skip

    begin = time.monotonic()
    launcher.succeed(1, work)
    assert time.monotonic() - begin < 30
