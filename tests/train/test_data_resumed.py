"""Training on data of every form goes on after a checkpoint in the middle of an epoch."""

from __future__ import annotations

import random
import signal
import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, RandomSampler
from train.small_runs import KilledAt, KilledError, network, same, weights
from train.sources import LOSS, Counting, Passing, Rows, T, X, batches, loader

import graphnet as gn
from graphnet.train.checkpoint_file import State
from graphnet.train.checkpoints import packed
from graphnet.train.store import Store
from graphnet.train.streams import Stream


def train(folder, given, kill=None, **options):
    model = network(dropout=True)
    keeping = KilledAt(folder, kill) if kill else gn.Checkpoints(folder, 1)
    settings = {"epochs": 3, "batch_size": 10, "seed": 5, "callbacks": [keeping], **options}
    history = gn.fit(model, LOSS, given, gn.Adam(model.parameters(), lr=0.02), **settings)
    return weights(model), list(history.losses)


def mapped(folder):
    """Arrays of numpy that stay in their files."""
    np.save(folder / "x.npy", X.numpy())
    np.save(folder / "t.npy", T.numpy())
    return np.load(folder / "x.npy", mmap_mode="r"), np.load(folder / "t.npy", mmap_mode="r")


class HuggingFace:
    """Like an iterable data set of Hugging Face: a pass begins at the state that was given last."""

    column_names = ("x", "t")

    def __init__(self):
        self.place = self.first = 0

    def __iter__(self):
        self.place = self.first
        while self.place < len(X):
            self.place += 1
            yield {"x": X[self.place - 1].tolist(), "t": int(T[self.place - 1])}

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.first = state["place"]


def hugging_face(kind):
    """The real one."""
    datasets = pytest.importorskip("datasets", reason="needs: pip install datasets")
    rows = datasets.Dataset.from_dict({"x": X.tolist(), "t": T.tolist(), "name": ["a"] * 40})
    return gn.data.columns(rows if kind == "map" else rows.to_iterable_dataset(), "x", "t")


def stateful():
    """The loader with a state of torchdata."""
    module = pytest.importorskip(
        "torchdata.stateful_dataloader", reason="needs: pip install torchdata"
    )
    torch.manual_seed(0)  # it draws the order of its first epoch when it is made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return module.StatefulDataLoader(Rows(), batch_size=10, shuffle=True)


def drawn():
    """A loader whose sampler has a generator of its own."""
    sampler = RandomSampler(Rows(), generator=torch.Generator().manual_seed(3))
    return DataLoader(Rows(), batch_size=10, sampler=sampler)


EXACT = {
    "memory map": (mapped, {}),
    "items": (lambda _: Rows(noise=0.1), {}),
    "items by workers": (lambda _: Rows(noise=0.1), {"workers": 2}),
    "items in order": (lambda _: Rows(), {"shuffle": False, "prefetch": 2}),
    "items by parts": (lambda _: Rows(), {"validation_split": gn.data.Split(0.25, seed=1)}),
    "loader": (lambda _: loader(noise=0.1), {}),
    "loader with workers": (lambda _: loader(noise=0.1, num_workers=2), {}),
    "loader with a sampler": (lambda _: drawn(), {}),
    "loader read ahead": (lambda _: loader(), {"prefetch": 2}),
    "loader, steps": (lambda _: loader(), {"steps_per_epoch": 3, "epochs": 4}),
    "loader, accumulated": (lambda _: loader(), {"accumulate": 3}),
    "state": (lambda _: Counting(), {}),
    "passes that begin anew": (lambda _: gn.data.columns(HuggingFace(), "x", "t"), {}),
    "Hugging Face": (lambda _: hugging_face("map"), {}),
    "Hugging Face, iterable": (lambda _: hugging_face("iterable"), {}),
    "torchdata": (lambda _: stateful(), {}),
    "state, steps": (lambda _: Counting(), {"steps_per_epoch": 3, "epochs": 4}),
}


def goes_on(form, kills, tmp_path):
    """As if it had never stopped, after each of these steps."""
    make, options = EXACT[form]
    whole = train(tmp_path / "whole", make(tmp_path), **options)
    for kill in kills:
        with pytest.raises(KilledError):
            train(tmp_path / str(kill), make(tmp_path), kill, **options)
        torch.manual_seed(kill)  # another process has other states
        random.seed(kill)
        again = train(tmp_path / str(kill), make(tmp_path), **options)
        assert same(again[0], whole[0])
        assert again[1] == whole[1]


@pytest.mark.parametrize("form", EXACT)
def test_it_is_as_if_it_had_never_stopped(form, tmp_path):
    """In the middle of the second epoch."""
    goes_on(form, [5], tmp_path)


@pytest.mark.parametrize(
    "form",
    [
        form if form in ("items", "loader", "state") else pytest.param(form, marks=pytest.mark.slow)
        for form in EXACT
    ],
)
def test_so_it_is_in_the_first_epoch_and_between_two(form, tmp_path):
    goes_on(form, [1, 4], tmp_path)


class Interrupting(gn.Callback):
    """Ctrl-C after some step."""

    def step(self, run):
        if run.step == 6:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("items by workers", marks=pytest.mark.slow),
        "loader",
        "loader with workers",
        "state",
    ],
)
def test_it_is_as_if_no_signal_had_come(form, tmp_path):
    """The state is written at the end, when the place in the data is still known."""
    make, options = EXACT[form]
    whole = train(tmp_path / "whole", make(tmp_path), **options)
    keeping = [gn.Checkpoints(tmp_path / "broken", 100), Interrupting()]
    with pytest.raises(SystemExit):
        train(tmp_path, make(tmp_path), callbacks=keeping, **options)
    again = train(tmp_path, make(tmp_path), callbacks=keeping[:1], **options)
    assert same(again[0], whole[0])
    assert again[1] == whole[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: batches,
        Passing,
        lambda: DataLoader(Passing(), 10),
    ],
)
def test_what_cannot_tell_where_it_is_begins_the_epoch_anew_and_says_so(make, tmp_path):
    with pytest.raises(KilledError):
        train(tmp_path, make(), 6)
    with pytest.warns(UserWarning, match="no state_dict: epoch 2 goes on from the beginning"):
        _, losses = train(tmp_path, make())
    assert len(losses) == 6 + 4 + 4


def test_workers_that_stay_remember_what_they_have_drawn():
    assert Stream(loader(num_workers=1)).state_dict(3)["random"] is not None
    assert Stream(loader(num_workers=1, persistent_workers=True)).state_dict(3)["random"] is None


def test_between_epochs_nothing_has_to_begin_anew(tmp_path):
    train(tmp_path, batches, epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, losses = train(tmp_path, batches, epochs=2)
    assert len(losses) == 8


def test_rows_that_are_done_are_not_read_again(tmp_path):
    with pytest.raises(KilledError):
        train(tmp_path, Rows(), 3, epochs=1)
    again = Rows()
    train(tmp_path, again, epochs=1)
    assert len(again.read) == 10 + 10  # a look at the shapes, and the last batch


def test_a_checkpoint_holds_no_order_of_the_rows(tmp_path):
    rows = 100_000
    x, t = torch.zeros(rows, 1), torch.zeros(rows, 1)
    model = gn.Linear(1, 1)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    keeping = KilledAt(tmp_path, 1)
    with pytest.raises(KilledError):
        gn.fit(model, gn.LossMSE(), (x, t), sgd, batch_size=100, seed=0, callbacks=[keeping])
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert size < 60_000


def test_an_earlier_checkpoint_with_its_order_still_loads(tmp_path):
    """Up to version 0.1 the order was saved, and nothing about the data."""
    whole = train(tmp_path / "whole", (X, T))
    with pytest.raises(KilledError):
        train(tmp_path / "old", (X, T), 6)
    store = Store(tmp_path / "old")
    state = store.load()
    generator = torch.Generator()
    generator.set_state(state.tensors["place.order"])
    state.tensors["place.order"] = torch.randperm(len(X), generator=generator)
    del state.values["data"]
    for name in ("steps_per_epoch",):
        del state.values["about"]["settings"][name]
    store.save(State(state.step, state.tensors, state.values))
    again = train(tmp_path / "old", (X, T))
    assert same(again[0], whole[0])
    assert again[1] == whole[1]


@pytest.mark.parametrize(
    "value",
    [None, 3, {}, {"taken": -1}, {"taken": "1"}, {"taken": True}, {"taken": 1, "random": 3},
     {"taken": 1, "random": {"torch": None}}, {"taken": 10**9, "random": None}],
    ids=repr,
)  # fmt: skip
def test_a_place_that_no_iteration_has_is_refused(value, tmp_path):
    with pytest.raises(KilledError):
        train(tmp_path, loader(), 6)
    store = Store(tmp_path)
    state = store.load()
    store.save(State(state.step, state.tensors, {**state.values, "data": value}))
    with pytest.raises(gn.LoadError, match="does not fit this training"):
        train(tmp_path, loader())


@pytest.mark.parametrize("other", [lambda: loader(drop_last=True), lambda: batches, lambda: (X, T)])
def test_other_data_are_refused(other, tmp_path):
    with pytest.raises(KilledError):
        train(tmp_path, loader(), 6)
    with pytest.raises(gn.LoadError, match="data: the values differ"):
        train(tmp_path, other())


def test_the_same_rows_in_another_form_are_other_data(tmp_path):
    """Rows of a data set are not read to be compared."""
    with pytest.raises(KilledError):
        train(tmp_path, Rows(), 2)
    with pytest.raises(gn.LoadError, match="data: the values differ"):
        train(tmp_path, Rows(rows=30))


def test_a_transform_belongs_to_the_training(tmp_path):
    with pytest.raises(KilledError):
        train(tmp_path, (X, T), 2, transform=lambda x: x * 2)
    with pytest.raises(gn.LoadError, match=r"transform: .* has other code"):
        train(tmp_path, (X, T), transform=lambda x: x * 3)
    train(tmp_path, (X, T), transform=lambda x: x * 2, prefetch=1)


def test_a_state_that_json_cannot_hold_stops_in_words(tmp_path):
    class Strange(Counting):
        def state_dict(self):
            return {"place": object()}

    with pytest.raises(gn.CheckpointError, match="object"):
        train(tmp_path, Strange(), callbacks=[gn.Checkpoints(tmp_path, 1, on_error="stop")])
    assert packed({"a": 1}) == ({"a": 1}, {})
