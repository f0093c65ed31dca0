"""Checkpoints of several processes: written by one, resumed by any number."""

from __future__ import annotations

import os
import signal
from itertools import product

import torch
from process_checks.faults import At
from process_checks.launcher import kill, quick_to_notice
from process_checks.trainings import CASES, T, X, columns, dropout, largest, sgd, trained

import graphnet as gn


def stopped_and_resumed(launcher, cases, sizes):
    """Killed at step 9 with one number of processes, resumed with another: the same numbers."""
    for case in cases:
        history, expected = trained(case, epochs=4)
        for before, after in sizes:
            folder = launcher.folder / f"{case} {before} {after}"

            def work(rank, case=case, folder=folder, before=before):
                quick_to_notice()
                killing = [At(9, lambda run: kill(os.getpid()), rank=before - 1)]
                keeping = [gn.Checkpoints(folder, every=2)]
                trained(case, across=True, epochs=4, callbacks=[*keeping, *killing])

            codes = launcher.run(before, work)
            assert codes[-1] == -signal.SIGKILL and 0 not in codes, codes
            assert (folder / "checkpoint-00000008").exists()

            def again(rank, case=case, folder=folder, history=history, expected=expected):
                keeping = [gn.Checkpoints(folder, every=2)]
                made, found = trained(case, across=True, epochs=4, callbacks=keeping)
                pairs = zip(columns(made), columns(history), strict=True)
                assert max(abs(a - b) for a, b in pairs) < 1e-12
                assert largest(found, expected) < 1e-12

            launcher.succeed(after, again)
            assert len(list(folder.iterdir())) <= 2, list(folder.iterdir())


def check_resumed_by_another_number_of_processes(launcher):
    stopped_and_resumed(launcher, ["batch norm"], [(2, 1), (1, 2)])


def check_all_resumed_by_any_number(launcher):
    cases = ["plain", "batch norm", "convnet", "LSTM", "accumulated, batch norm"]
    stopped_and_resumed(launcher, cases, product((1, 2, 4), repeat=2))


def check_fifty_steps_of_one_two_and_four(launcher):
    """50 steps of the same global batch: parameters and buffers are equal to 1e-12."""
    for case in ("plain", "convnet", "LSTM", "batch norm"):
        steps = 4 if len(CASES[case][2][0]) > 40 else 3
        epochs = -(-50 // steps)
        _, expected = trained(case, epochs=epochs, validation_split=0.2)

        def work(rank, case=case, epochs=epochs, expected=expected):
            history, found = trained(case, across=True, epochs=epochs)
            assert len(history.losses) >= 50 and largest(found, expected) < 1e-12

        for size in (1, 2, 4):
            launcher.succeed(size, work)


def check_resumed_dropout(launcher):
    """Random numbers of a resumed run are those of one that was not stopped, to the bit."""

    def run(folder, *callbacks):
        torch.manual_seed(0)
        model = dropout().double()
        gn.fit(
            model, gn.LossCrossEntropy(), (X, T), sgd(model), epochs=4, batch_size=10, seed=0,
            across=True, callbacks=[gn.Checkpoints(folder, every=2), *callbacks],
        )  # fmt: skip
        gn.save_weights(model, folder.parent / f"{folder.name}-{os.environ['RANK']}.safetensors")

    whole, broken = launcher.folder / "whole", launcher.folder / "broken"
    launcher.succeed(2, lambda rank: run(whole))
    launcher.run(2, lambda rank: run(broken, At(9, lambda run: kill(os.getpid()))))
    launcher.succeed(2, lambda rank: run(broken))
    files = [
        (launcher.folder / f"{name}-{rank}.safetensors").read_bytes()
        for name in ("whole", "broken")
        for rank in (0, 1)
    ]
    assert len(set(files)) == 1


def check_only_rank_0_writes(launcher):
    """Checkpoints, logs and the best weights: each written once; a damaged state is an error."""

    def work(rank):
        os.chdir(launcher.folder)
        callbacks = [gn.BestModel("best.safetensors"), gn.EMA(0.9)]
        trained("plain", across=True, directory="run", progress=True, callbacks=callbacks)
        if rank == 0:
            for path in (launcher.folder / "run" / "checkpoints").rglob("*.json"):
                path.write_text("{}", encoding="utf-8")
        try:
            trained("plain", across=True, directory="run", callbacks=callbacks)
        except gn.LoadError as error:
            assert "intact" in str(error)
        else:
            raise AssertionError("it was resumed")

    first, second = launcher.succeed(2, work)
    assert "step" in first and "step" not in second  # the bar
    assert (launcher.folder / "best.safetensors").exists()
    names = sorted(path.name for path in (launcher.folder / "run").iterdir())
    assert names == ["checkpoints", "epochs.csv", "steps.jsonl"]
