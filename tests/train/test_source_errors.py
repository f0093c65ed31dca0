"""Wrong data are refused in words, before training where that can be known."""

from __future__ import annotations

from multiprocessing import active_children

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset
from train.small_runs import network
from train.sources import LOSS, Passing, Rows, T, X, batches, loader

import graphnet as gn
from graphnet.data import Split, columns


class Items(Dataset):
    """A list as a data set."""

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, place):
        return self.items[place]


class Endless(Dataset):
    def __getitem__(self, place):
        return X[0], 1


def ragged():
    return Items((X[0], 1), (X[1], 0), (X[2, :2], 1))


def later(*more):
    """A good batch, and others."""
    return lambda: iter([(X, T), *more])


DICT = DataLoader(Items({"image": X[0], "label": 1}), batch_size=1)

DATA = [
    (DICT, gn.FeedError, r"columns\(data, inputs='image', targets='label'\)"),
    (Items({"image": X[0], "label": 1}), gn.FeedError, "an item of data is a dict of 'image', 'la"),
    (columns(DICT, "x", "label"), gn.FeedError, "no column 'x'; it has 'image', 'label'"),
    (columns(Rows(), "x", "t"), gn.FeedError, "rows or batches that are dicts; got list"),
    (columns(Items({"x": "text", "t": 1}), "x", "t"), gn.DtypeError, "Column 'x' holds texts"),
    (ragged(), gn.ShapeError, r"item \d has \(\(2,\), \(\)\)|item \d has \(\(3,\), \(\)\)"),
    (Items(("a", 1)), gn.FeedError, "it holds str. Map texts to numbers"),
    (Items((np.array(["a"]), 1)), gn.DtypeError, "an array of <U1"),
    (Items((X[0], 1, 2)), gn.FeedError, r"pair \(inputs, targets\).*got a (list|tuple) of 3"),
    (Items(), gn.ShapeError, "data has no rows"),
    (Endless(), gn.FeedError, r"pair \(inputs, targets\).*got Endless"),
    ([(X, T), (X, T), (X, T)], gn.FeedError, "got a list of 3"),
    (lambda: 3, gn.FeedError, "data is a function that returns an iterable of batches; got int"),
    (lambda: iter([]), gn.FeedError, "data has given no batch"),
    (later((X[:, :2], T)), gn.GraphError, r"batch 2 of data.*\(\?, 2\).*x takes \(\?, 3\)"),
    (later((X.double(), T)), gn.GraphError, "batch 2 of data.*float64"),
    (later((X, T[:3])), gn.ShapeError, r"batch 2 of data have the same number of rows.*\[40, 3\]"),
    (later({"x": X}), gn.FeedError, "batch 2 of data is a dict of 'x'"),
    (later(X), gn.GraphError, "batch 2 of data"),
    (iter([*batches()]), gn.FeedError, "an iterator, which can be read only once.*epoch 2"),
    ("table.csv", gn.FeedError, r"not a path; got 'table.csv'. Pass gn.data.columns\(path"),
    ("x.npy", gn.FeedError, "mmap_mode"),
    ("x.safetensors", gn.FeedError, "safe_open"),
    ("pictures", gn.FeedError, "ImageFolder"),
    ((X, ["a"] * 40), gn.FeedError, "tensors with rows; got str"),
    ((np.array(["a"] * 40), T), gn.DtypeError, "an array of <U1"),
]


def train(given, **options):
    model = network()
    settings = {"epochs": 2, "batch_size": 10, "seed": 1, **options}
    return gn.fit(model, LOSS, given, gn.SGD(model.parameters(), lr=0.1), **settings)


@pytest.mark.parametrize(("given", "error", "words"), DATA, ids=range(len(DATA)))
def test_wrong_data_are_refused(given, error, words):
    with pytest.raises(error, match=words):
        train(given)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_wrong_with_an_item_is_known_in_a_worker_too(workers):
    items = Items((X[0], 1), (X[1], 0), (X[2], 1), (X[3, :2], 1))
    with pytest.raises(gn.ShapeError, match="All items of data need the same shapes: item 2"):
        train(items, batch_size=2, workers=workers, shuffle=False)
    items = Items((X[0], 1), (X[1], 0), (X[3, :2], 1))
    with pytest.raises(gn.FeedError, match=r"batch 2 of data has a tensor of the shape \(\?, 2\)"):
        train(items, batch_size=2, workers=workers, shuffle=False)


@pytest.mark.parametrize("is_loader", [False, True], ids=["items", "loader"])
def test_workers_end_with_the_error(is_loader):
    items = Items((X[0], 1), (X[3, :2], 1))
    loader, given = DataLoader(items, num_workers=1, batch_size=2), {"batch_size": 2, "workers": 1}
    others = {*active_children()}
    with pytest.raises((gn.GraphError, RuntimeError)) as kept:
        train(loader) if is_loader else train(items, **given)
    assert kept.tb is not None  # which refers to the loader
    assert {*active_children()} <= others


def test_workers_that_a_loader_keeps_are_kept():
    items = Items(*((x, 0) for x in X))
    loader = DataLoader(items, num_workers=1, batch_size=20, persistent_workers=True)
    others = {*active_children()}
    train(loader)
    (worker,) = {*active_children()} - others
    train(loader)
    assert worker.is_alive()
    assert {*active_children()} - others == {worker}


OPTIONS = [
    (loader(), {"validation_split": 0.2}, gn.GraphError, "divides rows, which a loader"),
    (batches, {"validation_split": Split(0.2)}, gn.GraphError, "divides rows"),
    (Rows(), {"validation_split": Split(0.2, 0, True)}, gn.ShapeError, "an attribute `targets`"),
    (loader(), {"workers": 2}, gn.GraphError, "a DataLoader: give it num_workers=2"),
    (loader(), {"drop_last": True}, gn.GraphError, "a DataLoader: give it drop_last=True"),
    (batches, {"workers": 2}, gn.GraphError, "workers cannot divide"),
    (batches, {"drop_last": True}, gn.GraphError, "decides on its last one"),
    ((X, T), {"workers": 2}, gn.GraphError, "in memory, so there is nothing that workers"),
    (Rows(), {"workers": -1}, gn.RangeError, "workers must be an integer of 0 or more"),
    (Rows(), {"workers": "2"}, gn.RangeError, "workers must be an integer"),
    ((X, T), {"prefetch": -1}, gn.RangeError, "prefetch must be an integer of 0 or more"),
    ((X, T), {"steps_per_epoch": 0}, gn.RangeError, "steps_per_epoch must be an integer of 1"),
    ((X, T), {"steps_per_epoch": 5}, gn.RangeError, "up to 50 rows, more than the 40"),
    ((X, T), {"transform": 3}, gn.GraphError, "transform must be a function of the inputs"),
    ((X, T), {"transform": lambda x: "a"}, gn.FeedError, "what transform returns"),
    ((X, T), {"augment": lambda x, t, g: 3}, gn.FeedError, "what augment returns must be the pair"),
    (Rows(), {"validation": iter([])}, gn.FeedError, "measured after each epoch, and an iterator"),
    (Rows(), {"validation": (X[:, :2], T)}, gn.FeedError, "validation has a tensor of the shape"),
    (Rows(), {"validation": lambda: iter([])}, gn.FeedError, "validation has given no batch"),
    (batches, {"metrics": [gn.metrics.accuracy], "steps_per_epoch": 2}, gn.FeedError,
     "an epoch ends before the data do: give validation data"),
    (Rows(), {"validation": "v.csv"}, gn.FeedError, "validation is not a path"),
    ((X.byte(), T), {"augment": lambda x, t, g: (x.float(), t), "metrics": [gn.metrics.accuracy]},
     gn.FeedError, "data, without augment, has a tensor.*uint8"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "options", "error", "words"), OPTIONS, ids=range(len(OPTIONS)))
def test_settings_that_do_not_fit_the_data_are_refused(given, options, error, words):
    with pytest.raises(error, match=words):
        train(given, **options)


def test_reading_ahead_of_a_state_is_refused():
    class Stateful(Passing):
        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            del state

    with pytest.raises(gn.GraphError, match="prefetch=2 reads ahead, and the state_dict"):
        train(Stateful(), prefetch=2)
    train(Stateful())


def test_an_iterator_that_ends_too_early_is_named():
    with pytest.raises(gn.FeedError, match="there is nothing left for epoch 3"):
        train(iter([*batches()]), epochs=3, steps_per_epoch=2)


def test_an_error_of_the_user_is_left_as_it_is():
    def broken():
        yield X, T
        raise KeyError("mine")

    for options in ({}, {"prefetch": 1}):
        with pytest.raises(KeyError, match="mine"):
            train(broken, **options)


@pytest.mark.parametrize("call", [gn.evaluate, gn.predict])
def test_evaluate_and_predict_refuse_the_same(call):
    rest = (LOSS,) if call is gn.evaluate else ()
    for given, error, words in [*DATA[:8], *DATA[12:14], *DATA[20:23]]:
        with pytest.raises(error, match=words):
            list(call(network(), *rest, given))
    with pytest.raises(gn.RangeError, match="batch_size must be"):
        call(network(), *rest, (X, T), batch_size=0)


def test_torch_is_left_as_it_was():
    assert torch.is_grad_enabled()
