"""Data in every form: the numbers are those of the same rows as tensors."""

from __future__ import annotations

import itertools
import random
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from data.frames import Frame
from safetensors import safe_open
from safetensors.torch import save_file
from torch.utils.data import DataLoader, Subset, TensorDataset
from train.small_runs import network, same, weights
from train.sources import LOSS, Passing, Rows, T, X, batches, loader

import graphnet as gn
from graphnet.data import Split, columns


def train(given, dropout=True, **options):
    model = network(dropout=dropout)
    settings = {"epochs": 2, "batch_size": 10, "seed": 1, "progress": False, **options}
    history = gn.fit(model, LOSS, given, gn.Adam(model.parameters(), lr=0.02), **settings)
    return weights(model), history


def mapped(folder):
    np.save(folder / "x.npy", X.numpy())
    np.save(folder / "t.npy", T.numpy())
    return tuple(np.load(folder / f"{name}.npy", mmap_mode="r") for name in "xt")


def tensors_in_a_file(folder):
    save_file({"x": X, "t": T}, folder / "data.safetensors")
    with safe_open(folder / "data.safetensors", "pt") as file:
        return file.get_tensor("x"), file.get_tensor("t")


class Dicts(Rows):
    def __getitem__(self, row):
        x, t = super().__getitem__(row)
        return {"t": t, "name": "text", "x": x.tolist()}


class Several(Rows):
    """Gives several items in one call, as data sets of Hugging Face do."""

    def __getitems__(self, rows):
        return [self[row] for row in rows]


def frame_of(library):
    frame = pytest.importorskip(library, reason=f"needs: pip install {library}")
    columns = {name: X[:, place].numpy() for place, name in enumerate("abc")}
    table = frame.DataFrame({**columns, "t": T.numpy()})
    return table[["a", "b", "c"]], table["t"]


SHUFFLED = {
    "arrays": lambda _: (X.numpy(), T.numpy()),
    "frame": lambda _: (Frame(a=X[:, 0], b=X[:, 1], c=X[:, 2]), Frame(t=T)["t"]),
    "frame of pandas": lambda _: frame_of("pandas"),
    "frame of polars": lambda _: frame_of("polars"),
    "array and tensor": lambda _: (X.numpy(), T),
    "memory map": mapped,
    "safetensors": tensors_in_a_file,
    "items": lambda _: Rows(),
    "items in one call": lambda _: Several(),
    "tensor data set": lambda _: TensorDataset(X, T),
    "subset": lambda _: Subset(Rows(), range(40)),
    "dicts": lambda _: columns(Dicts(), "x", "t"),
}


@pytest.mark.parametrize("options", [{}, {"drop_last": True, "batch_size": 7}], ids=str)
@pytest.mark.parametrize("form", SHUFFLED)
def test_rows_that_are_shuffled(form, options, tmp_path):
    expected, history = train((X, T), **options)
    found, other = train(SHUFFLED[form](tmp_path), **options)
    assert same(found, expected)
    assert other.losses == history.losses


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 2},
        {"prefetch": 3},
        {"accumulate": 3},
        {"steps_per_epoch": 2},
        {"validation_split": 0.25},
        {"compile": False},
        {"augment": lambda x, t, generator: (x + torch.randn(x.shape, generator=generator), t)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_settings_are_those_of_tensors(options):
    given = {name: each for name, each in options.items() if name not in ("workers", "prefetch")}
    expected, history = train((X, T), **given)
    found, other = train(Rows(), **options)
    assert same(found, expected)
    assert other.losses == history.losses
    held = "validation_split" in options
    assert not held or other["validation_loss"] == history["validation_loss"]


def make_dicts():
    return [{"x": x, "t": t} for x, t in batches()]


IN_ORDER = {
    "function": lambda: batches,
    "partial": lambda: partial(batches, 10),
    "function of a list": lambda: lambda: list(batches()),
    "iterator": lambda: itertools.chain(batches(), batches()),
    "arrays": lambda: lambda: ((x.numpy(), t.numpy()) for x, t in batches()),
    "loader": lambda: DataLoader(Rows(), batch_size=10),
    "loader of tensors": lambda: DataLoader(TensorDataset(X, T), batch_size=10),
    "loader with workers": lambda: DataLoader(Rows(), batch_size=10, num_workers=2),
    "iterable of rows": Passing,
    "loader of rows": lambda: DataLoader(Passing(), batch_size=10),
    "dicts": lambda: columns(make_dicts, ["x"], "t"),
}


@pytest.mark.parametrize("options", [{}, {"prefetch": 2}], ids=str)
@pytest.mark.parametrize("form", IN_ORDER)
def test_batches_in_their_order(form, options):
    once = form == "iterator"
    expected, history = train((X, T), dropout=False, shuffle=False)
    settings = {"steps_per_epoch": 4, **options} if once else options
    found, other = train(IN_ORDER[form](), dropout=False, **settings)
    for name, value in expected.items():  # a long training is compiled for speed
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)
    assert list(other.losses) == pytest.approx(list(history.losses), 1e-5)
    assert other["loss"] == pytest.approx(history["loss"], 1e-5)


def test_an_autoencoder_needs_no_targets():
    model = gn.Linear(3, 3)
    losses = []
    for given in (X, X.numpy(), TensorDataset(X), [X], lambda: ([x] for x, _ in batches(40))):
        torch.manual_seed(0)
        model = gn.Linear(3, 3)
        sgd = gn.SGD(model.parameters(), lr=0.1)
        history = gn.fit(model, gn.LossMSE(), given, sgd, batch_size=40, shuffle=False, seed=0)
        losses.append(history["loss"][0])
    assert losses == pytest.approx([losses[0]] * 5, 1e-5)


def test_several_inputs_and_targets():
    class Two(gn.Module):
        def __init__(self):
            self.one, self.two = gn.Linear(3, 2), gn.Linear(3, 2)

        def build(self, x, y):
            return self.one(x), self.two(y)

    class Pairs(Rows):
        def __getitem__(self, row):
            x, t = super().__getitem__(row)
            return (x, x + 1), (t, t)

    losses = []
    for given in (((X, X + 1), (T, T)), Pairs(), DataLoader(Pairs(), batch_size=10)):
        torch.manual_seed(0)
        model = Two()
        sgd = gn.SGD(model.parameters(), lr=0.1)
        history = gn.fit(model, [LOSS, LOSS], given, sgd, batch_size=10, shuffle=False, seed=0)
        losses.append(history["loss"][0])
    assert losses == pytest.approx([losses[0]] * 3, 1e-5)


def test_numbers_of_python_have_the_default_dtype():
    rows = [(x.tolist(), float(x.sum())) for x in X]

    class Numbers(Rows):
        def __getitem__(self, row):
            return rows[row]

    model = gn.Sequential(gn.Linear(3, 1), gn.Flatten(0))
    sgd = gn.SGD(model.parameters(), lr=0.1)
    history = gn.fit(model, gn.LossMSE(), Numbers(), sgd, epochs=20, seed=0)
    assert history["loss"][-1] < 0.01


# transforms, and types that come from them


def test_bytes_become_floating_point_by_augment(tmp_path):
    """The dtype of the input is that of what is learned, not of what is stored."""
    np.save(tmp_path / "x.npy", (X.numpy() * 20 + 100).astype(np.uint8))
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected, _ = train((torch.tensor(stored) / 255, T))
    found, history = train((stored, T), augment=lambda x, t, generator: (x / 255, t))
    assert same(found, expected)
    assert history.graph["x"].dtype == torch.float32
    found, _ = train((stored, T), transform=lambda x: x / 255)
    assert same(found, expected)


def test_augment_may_change_shapes():
    found, history = train((torch.cat([X, X], 1), T), augment=lambda x, t, generator: (x[:, :3], t))
    expected, _ = train((X, T))
    assert same(found, expected)
    assert history.graph["x"].shape == (None, 3)


def test_a_transform_changes_what_is_measured_and_predicted_too():
    model = network()
    stored = (X * 20 + 100).byte()
    plain = stored / 255
    for given in ((stored, T), TensorDataset(stored, T), DataLoader(TensorDataset(stored, T), 7)):
        found = gn.evaluate(model, LOSS, given, transform=lambda x: x / 255)
        assert found["loss"] == pytest.approx(gn.evaluate(model, LOSS, (plain, T))["loss"], 1e-6)
        outputs = torch.cat([*gn.predict(model, given, transform=lambda x: x / 255)])
        torch.testing.assert_close(outputs, model.forward(plain))
    _, history = train((stored, T), transform=lambda x: x / 255, validation=(stored, T))
    _, other = train((plain, T), validation=(plain, T))
    assert history["validation_loss"] == other["validation_loss"]


def test_random_numbers_of_workers_repeat_and_are_new_in_each_epoch():
    runs = [train(Rows(noise=1.0), workers=workers, epochs=3) for workers in (1, 2, 2)]
    assert list(runs[0][1].losses) == list(runs[1][1].losses) == list(runs[2][1].losses)
    seen = []
    for epoch in range(2):
        from graphnet.data import RowOrder
        from graphnet.train.items import Items

        items = Items(Rows(noise=1.0), workers=1)
        given = items.batches(RowOrder(40), 10, 0, 40, torch.device("cpu"), seed=epoch)
        seen.append(torch.cat([batch.inputs[0] for batch in given]))
    assert not torch.equal(*seen)
    noise = torch.cat(seen) - torch.cat([X, X])
    assert len(noise.flatten().unique()) == noise.numel()


# epochs of a given number of steps


def test_an_iterable_goes_on_in_the_next_epoch():
    seen = []

    def watched():
        for x, t in batches():
            seen.append(float(x[0, 0]))
            yield x, t

    _, history = train(watched, epochs=3, steps_per_epoch=3)
    firsts = [float(x[0, 0]) for x, _ in batches()]
    assert seen[:9] == (firsts * 3)[:9]
    assert history["step"] == [3, 6, 9]


def test_an_iterator_without_end():
    _, history = train(itertools.cycle([*batches()]), epochs=2, steps_per_epoch=7)
    assert history["step"] == [7, 14]


def test_rows_of_an_epoch_are_limited():
    given = Rows()
    _, history = train(given, epochs=2, steps_per_epoch=3)
    assert history["step"] == [3, 6]
    assert len(given.read) == 10 + 2 * 30


# what is observed


def test_validation_leaves_random_numbers_alone():
    _, alone = train((X, T))
    held = [(X, T), Rows(noise=1.0), loader(), lambda: batches(7)]
    for given in held:
        _, history = train((X, T), validation=given)
        assert history.losses == alone.losses
        assert len(history["validation_loss"]) == 2


def test_metrics_of_every_form():
    measure = {"metrics": [gn.metrics.accuracy]}
    model = network()
    expected = gn.evaluate(model, LOSS, (X, T), **measure)
    for given in (Rows(), batches, loader(), DataLoader(Rows(), 7), iter([*batches(7)]), Passing()):
        found = gn.evaluate(model, LOSS, given, **measure)
        assert found == pytest.approx(expected, 1e-5)
    assert gn.evaluate(model, LOSS, Rows(), workers=2, **measure) == pytest.approx(expected, 1e-5)
    _, history = train(Rows(), train_metrics=True, **measure)
    assert "accuracy" in history.names


@pytest.mark.parametrize("make", [lambda: batches, loader, Passing])
def test_metrics_of_a_stream_that_is_learned_from(make):
    """A second pass after each epoch, which changes nothing."""
    torch.manual_seed(0)
    _, alone = train(make())
    _, history = train(make(), metrics=[gn.metrics.accuracy])
    assert history.losses == alone.losses
    assert len(history["accuracy"]) == 2


def test_callbacks_look_at_rows_of_every_form():
    for given in (Rows(), loader(), lambda: batches(10)):
        model = gn.Sequential(gn.Linear(3, 4), gn.ReLU(), gn.Linear(4, 2))
        model[0].bias.top.fill_(-100.0)
        sgd = gn.SGD(model.parameters(), lr=0.0)
        with pytest.warns(gn.train.callbacks.DeadLayerWarning, match="of 10 that were looked at"):
            gn.fit(model, LOSS, given, sgd, batch_size=10, seed=0, callbacks=gn.Live())


@pytest.mark.parametrize("split", [0.25, Split(0.25, seed=0), Split(0.25, seed=0, stratify=True)])
def test_a_split_is_the_same_in_every_form(split, tmp_path):
    class Labelled(Rows):
        targets = T.tolist()

    _, history = train((X, T), validation_split=split)
    for given in (mapped(tmp_path), Labelled()):
        _, other = train(given, validation_split=split)
        assert other["validation_loss"] == pytest.approx(history["validation_loss"], 1e-6)
        assert other.losses == history.losses


def test_the_seed_fixes_the_order_of_a_loader():
    def run(**options):
        random.seed(0)
        torch.manual_seed(99)
        given = loader()
        torch.rand(3)
        return list(train(given, **options)[1].losses)

    assert run() == run() != run(seed=2)


def test_nothing_is_warned_of(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(mapped(tmp_path))
        train(loader(num_workers=2))
