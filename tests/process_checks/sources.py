"""Data of every form: each process takes its rows, and the numbers are those of one process."""

from __future__ import annotations

import os
import random
import signal

import numpy as np
import torch
from process_checks.faults import At
from process_checks.launcher import kill, quick_to_notice
from process_checks.trainings import T, X, columns, largest, mlp, normed
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    TensorDataset,
)

import graphnet as gn

CLOSE = 1e-12


class Rows(Dataset):
    """A data set that notes in a file which of its rows are read, by which process."""

    def __init__(self, folder=None):
        self.folder = folder

    def __len__(self):
        return len(X)

    def __getitem__(self, row):
        if self.folder is not None:
            path = self.folder / f"read-{os.environ.get('RANK', 'one')}"
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{row}\n")
        return X[row], T[row]


class Flow(IterableDataset):
    """The same rows as a stream."""

    def __iter__(self):
        return iter(zip(X, T, strict=True))


class Ignored(Rows):
    """How much a batch counts is known only when it is read."""


def batches():
    """A generator of batches that draws their order by itself."""
    order = list(range(len(X)))
    random.shuffle(order)
    for rows in torch.tensor(order).split(9):
        yield X[rows], T[rows]


def mapped(folder):
    """Inputs and targets in files."""
    for name, tensor in (("x", X), ("t", T)):
        if not (folder / f"{name}.npy").exists():
            np.save(folder / f"{name}.npy", tensor.numpy())
    return tuple(np.load(folder / f"{name}.npy", mmap_mode="r") for name in "xt")


def loader(**settings):
    return DataLoader(TensorDataset(X, T), **{"batch_size": 9, "shuffle": True, **settings})


HALF = {"validation": (X[30:], T[30:])}
LONGER = {"steps_per_epoch": 7}

FORMS = {
    "arrays": (lambda folder: (X.numpy(), T.numpy()), {}),
    "transform": (lambda folder: (X, T), {"transform": lambda x: x * 2}),
    "prefetched tensors": (lambda folder: (X, T), {"prefetch": 2}),
    "memory map": (mapped, {}),
    "memory map, split": (mapped, {"validation_split": gn.data.Split(0.3, seed=1)}),
    "memory map, steps": (mapped, {"steps_per_epoch": 3}),
    "data set": (lambda folder: Rows(), {"validation_split": 0.2}),
    "data set, accumulated": (lambda folder: Rows(), {"accumulate": 2, "batch_size": 8}),
    "data set, measured on itself": (lambda folder: Rows(), {"train_metrics": True}),
    "data set and workers": (lambda folder: Rows(), {"workers": 1, "batch_size": 20}),
    "loader": (lambda folder: loader(), HALF),
    "loader and workers": (lambda folder: loader(num_workers=1, batch_size=20), HALF),
    "prefetched loader": (lambda folder: loader(), {"prefetch": 2}),
    "loader, accumulated": (lambda folder: loader(batch_size=4), {"accumulate": 3, **HALF}),
    "loader, steps": (lambda folder: loader(), {**LONGER, **HALF}),
    "loader to validate": (lambda folder: (X, T), {"validation": loader()}),
    "function": (lambda folder: batches, HALF),
    "iterable rows": (lambda folder: Flow(), {"batch_size": 8}),
    "ignored labels": (
        lambda folder: Ignored(), {"loss": gn.LossCrossEntropy(ignore_index=0), "batch_size": 4}
    ),
}  # fmt: skip
"""Functions that give data, and settings of `fit`."""


def trained(name, folder, across=False, make=normed, forms=FORMS, **others):
    """A training run on data of some form: the history, and all parameters and buffers."""
    given, settings = forms[name]
    settings = {"loss": gn.LossCrossEntropy(), "epochs": 3, "batch_size": 9, **settings, **others}
    torch.manual_seed(0)
    random.seed(0)
    model = make().double()
    history = gn.fit(
        model, settings.pop("loss"), given(folder), gn.SGD(model.parameters(), lr=0.1),
        metrics=[gn.metrics.accuracy], seed=0, across=across, non_finite="skip", **settings,
    )  # fmt: skip
    for row in history.epochs:
        row.pop("waiting", None)
    return history, {key: value.clone() for key, value in model.state_dict().items()}


def same_as_one(launcher, size, names, **settings):
    """Data of each form: the numbers of one process."""
    expected = {name: trained(name, launcher.folder, **settings) for name in names}

    def work(rank):
        for name, (history, weights) in expected.items():
            made, found = trained(name, launcher.folder, True, **settings)
            assert len(made.losses) == len(history.losses), name
            pairs = zip(columns(made), columns(history), strict=True)
            wrong = max(abs(a - b) for a, b in pairs), largest(found, weights)
            assert max(wrong) < CLOSE, (name, wrong)

    launcher.succeed(size, work)


def check_data_of_every_form(launcher):
    """Walked, since what reads the data knows nothing of how the steps are made; see below."""
    forms = ["memory map, split", "data set", "data set and workers", "loader, accumulated",
             "loader, steps", "loader to validate", "function", "ignored labels"]  # fmt: skip
    same_as_one(launcher, 2, forms, compile=False, epochs=2)


def check_data_of_every_form_for_compiled_steps(launcher):
    same_as_one(launcher, 2, FORMS)


def check_data_of_which_some_processes_have_no_rows(launcher):
    names = ["memory map", "data set", "loader", "loader to validate", "ignored labels"]
    same_as_one(launcher, 4, names, compile=False)


def check_each_process_reads_its_rows_of_a_data_set(launcher):
    """All rows are read in each epoch, each by one process, besides those of the first look."""

    def work(rank):
        model = mlp().double()
        gn.fit(
            model, gn.LossCrossEntropy(), Rows(launcher.folder), gn.Adam(model.parameters()),
            epochs=2, batch_size=4, seed=0, across=True,
        )  # fmt: skip

    launcher.succeed(2, work)
    reads = []
    for rank in (0, 1):
        lines = (launcher.folder / f"read-{rank}").read_text(encoding="utf-8").split()
        assert lines[:4] == ["0", "1", "2", "3"]
        reads.append([*map(int, lines[4:])])
    # batches of 2 and 2 rows, at the end of 1 and 2
    assert [len(each) for each in reads] == [42, 44]
    epochs = sorted([*reads[0][:21], *reads[1][:22]]), sorted([*reads[0][21:], *reads[1][22:]])
    assert epochs == ([*range(43)],) * 2


def refusal(launcher, data, size=2, **settings):
    """What all processes say that cannot train on some data."""

    def work(rank):
        model = mlp().double()
        given = {"epochs": 2, "batch_size": 9, "seed": 0, "across": True, **settings}
        try:
            gn.fit(model, gn.LossCrossEntropy(), data(rank), gn.Adam(model.parameters()), **given)
        except gn.GraphError as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        else:
            raise AssertionError("it has trained")

    return launcher.succeed(size, work)


def check_batches_that_differ_are_refused(launcher):
    """In all processes, before an update is made from them."""

    def divided(rank):
        rows = TensorDataset(X, T)
        return DataLoader(rows, batch_size=9, sampler=DistributedSampler(rows, 2, rank))

    def unseeded(rank):
        order = torch.randperm(43, generator=torch.Generator().manual_seed(rank))
        return lambda: ((X[rows], T[rows]) for rows in order.split(9))

    def shorter(rank):
        return lambda: zip(X[: 43 - 9 * rank].split(9), T[: 43 - 9 * rank].split(9), strict=True)

    for text in refusal(launcher, divided):
        assert "ProcessError: All processes read the same batches of data" in text
        assert "the batch after 0 rows differs: rank 0: 9 rows (mark " in text
        assert "without a sampler that divides the rows among processes" in text
    assert all("the batch after 0 rows differs" in text for text in refusal(launcher, unseeded))
    for text in refusal(launcher, shorter):
        assert "the batch after 27 rows differs" in text and "rank 1: 7 rows" in text
    held = loader(generator=torch.Generator(), shuffle=True)

    def work(rank):
        held.generator.manual_seed(rank)
        model = mlp().double()
        try:
            gn.fit(
                model, gn.LossCrossEntropy(), (X, T), gn.Adam(model.parameters()),
                validation=held, across=True, seed=0,
            )  # fmt: skip
        except gn.ProcessError as error:
            print(error, flush=True)

    for text in launcher.succeed(2, work):
        assert "the same batches of validation" in text and "the batch after 0 rows differs" in text


def check_a_stream_that_ends_in_one_process(launcher):
    """One has no batch where the other has one: all say so, and none waits."""

    def shorter(rank):
        return lambda: zip(X[: 36 - 9 * rank].split(9), T[: 36 - 9 * rank].split(9), strict=True)

    for text in refusal(launcher, shorter):
        assert "the batch after 27 rows differs: rank 0: 9 rows (mark " in text
        assert "rank 1: nothing more" in text


def check_augment_keeps_the_number_of_rows(launcher):
    def twice(x, t, generator):
        return torch.cat([x, x]), torch.cat([t, t])

    for text in refusal(launcher, lambda rank: (X, T), augment=twice):
        assert "With several processes, augment returns as many rows as it is given" in text


def check_other_data_in_one_process(launcher):
    """Files, lengths and transforms are compared before the first step."""

    def files(rank):
        np.save(launcher.folder / f"{rank}.npy", (X + rank).numpy())
        return np.load(launcher.folder / f"{rank}.npy", mmap_mode="r"), T

    for text in refusal(launcher, files):
        assert "rank 1: data: the values differ" in text
    for text in refusal(launcher, lambda rank: TensorDataset(X[rank:], T[rank:])):
        assert "rank 1: rows was 43 and is 42" in text


def check_data_resumed_by_another_number_of_processes(launcher):
    """Killed within an epoch by one number of processes, resumed with another."""
    names = ["memory map", "data set", "loader", "loader, steps", "data set and workers"]
    for name in names:
        history, expected = trained(name, launcher.folder, epochs=4)
        at = 8 if len(history.losses) < 16 else 12
        for before, after in [(2, 1), (1, 2), (2, 2)]:
            folder = launcher.folder / f"{name} {before} {after}"

            def work(rank, name=name, folder=folder, before=before, at=at):
                quick_to_notice()
                killing = [At(at, lambda run: kill(os.getpid()), rank=before - 1)]
                keeping = [gn.Checkpoints(folder, every=2)]
                trained(name, launcher.folder, True, epochs=4, callbacks=[*keeping, *killing])

            codes = launcher.run(before, work)
            assert codes[-1] == -signal.SIGKILL and 0 not in codes, (name, codes)

            def again(rank, name=name, folder=folder, history=history, expected=expected):
                keeping = [gn.Checkpoints(folder, every=2)]
                made, found = trained(
                    name, launcher.folder, True, epochs=4, callbacks=keeping
                )  # fmt: skip
                pairs = zip(columns(made), columns(history), strict=True)
                assert max(abs(a - b) for a, b in pairs) < CLOSE, name
                assert largest(found, expected) < CLOSE, name

            launcher.succeed(after, again)


class Noisy(Rows):
    """Items that draw their noise from every source of random numbers."""

    def __getitem__(self, row):
        noise = torch.rand(()) + random.random() + np.random.rand()
        return X[row] * 0 + noise, T[row]


def check_random_numbers_of_items(launcher):
    """They differ from rank to rank, and are the same in a second run, with workers and without."""

    class Keep(gn.Callback):
        def step(self, run):
            seen.append(run.task.inputs[0].top.clone())

    seen = []

    def work(rank):
        group = gn.distributed.join(timeout=60)
        for workers in (0, 1):
            runs = []
            for _ in range(2):
                seen.clear()
                model = mlp().double()
                gn.fit(
                    model, gn.LossCrossEntropy(), Noisy(), gn.SGD(model.parameters()), seed=0,
                    batch_size=20, compile=False, across=True, workers=workers, callbacks=[Keep()],
                )  # fmt: skip
                runs.append(torch.cat(seen))
            assert runs[0].equal(runs[1]), workers
            assert len(set(group.gather(runs[0].numpy().tobytes()))) == 2, workers
            assert len(runs[0][:, 0].unique()) == len(runs[0]), workers

    launcher.succeed(2, work)


def check_a_wish_at_the_end_of_an_epoch(launcher):
    """A callback that stops the training after the last step of an epoch is heard."""

    def work(rank):
        model = mlp().double()
        history = gn.fit(
            model, gn.LossCrossEntropy(), (X, T), gn.Adam(model.parameters()), epochs=5,
            batch_size=10, seed=0, across=True, callbacks=[At(5, lambda run: run.stop())],
        )  # fmt: skip
        assert len(history.losses) == 5 and len(history.epochs) == 1, len(history.losses)

    launcher.succeed(2, work)
