"""Which rows are taken, in which order, and what is measured on them."""

from __future__ import annotations

import copy

import pytest
import torch
from train.small_runs import data, network, same, weights

import graphnet as gn

LOSS = gn.LossCrossEntropy()
X, T = data()


class Rows:
    """An augmentation that changes nothing, and notes the first input of each row."""

    def __init__(self):
        self.batches = []

    def __call__(self, x, t, generator):
        self.batches.append(x[:, 0].tolist())
        return x, t


def seen(**options):
    """The batches of a training run, and its history."""
    model, rows = network(), Rows()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    given = {"batch_size": 7, "seed": 1, **options}
    history = gn.fit(model, LOSS, (X, T), sgd, augment=rows, **given)
    return rows.batches[1:], history  # before them comes a look at their shapes


def test_rows_may_be_taken_in_their_order():
    batches, _ = seen(shuffle=False, epochs=2)
    assert [row for batch in batches for row in batch] == X[:, 0].tolist() * 2
    assert seen()[0] == seen()[0] != seen(shuffle=False)[0]


def test_an_order_without_shuffling_draws_nothing():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    seen(shuffle=False, seed=generator)
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_last_batch_that_is_not_full_may_be_dropped(accumulate):
    batches, history = seen(drop_last=True, epochs=2, accumulate=accumulate)
    assert [len(batch) for batch in batches] == [7] * 10
    assert len(history.losses) == {1: 10, 2: 6}[accumulate]
    assert len(seen(drop_last=True, batch_size=20)[0]) == 2  # nothing is left over


def test_the_bar_counts_the_batches_that_are_taken(capsys):
    seen(drop_last=True, progress=True, epochs=2)
    assert "10/10" in capsys.readouterr().err


@pytest.mark.parametrize("compiled", [True, False])
def test_a_split_is_validation_data(compiled):
    options = {"batch_size": 7, "seed": 1, "epochs": 2, "compile": compiled}
    parts = []
    for more, rows in (
        ({"validation_split": 0.25}, slice(None)),
        ({"validation": (X[30:], T[30:])}, slice(30)),
    ):
        model = network()
        sgd = gn.SGD(model.parameters(), lr=0.1)
        history = gn.fit(model, LOSS, (X[rows], T[rows]), sgd, **options, **more)
        parts.append((weights(model), history["loss"], history["validation_loss"]))
    assert same(parts[0][0], parts[1][0])
    assert parts[0][1:] == parts[1][1:]


@pytest.mark.parametrize("compiled", [True, False])
def test_metrics_of_the_training_data(compiled):
    model = network(dropout=True, norm=True)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    options = {"metrics": [gn.metrics.accuracy], "seed": 1, "compile": compiled}
    history = gn.fit(
        model, LOSS, (X, T), sgd, validation=data(seed=4), train_metrics=True, **options
    )
    names = ["epoch", "step", "loss", "lr", "validation_loss", "validation_accuracy"]
    assert history.names == [*names, "accuracy", "seconds"]
    measured = gn.evaluate(model, LOSS, (X, T), metrics=[gn.metrics.accuracy])
    assert history["accuracy"] == [measured["accuracy"]]
    alone = gn.fit(model, LOSS, (X, T), sgd, **options)  # there is nothing else to measure them on
    assert alone.names == [*names[:4], "accuracy", "seconds"]


def test_a_callback_may_follow_a_metric_of_the_training_data():
    model = network()
    sgd = gn.SGD(model.parameters(), lr=0.0)
    stopping = gn.EarlyStopping("accuracy", patience=2)
    history = gn.fit(
        model, LOSS, (X, T), sgd, epochs=9, metrics=[gn.metrics.accuracy], callbacks=stopping
    )
    assert len(history) == 3


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("given", [X, (X,), (X, None)])
def test_without_targets_the_inputs_are_learned(given, compiled):
    models = [gn.Sequential(gn.Linear(3, 2), gn.Tanh(), gn.Linear(2, 3))]
    models.append(copy.deepcopy(models[0]))
    for model, each in zip(models, (given, (X, X)), strict=True):
        adam = gn.Adam(model.parameters(), lr=0.05)
        options = {"epochs": 2, "seed": 0, "validation_split": 0.2, "compile": compiled}
        gn.fit(model, gn.LossMSE(), each, adam, **options)
    assert same(*map(weights, models))
    whole, alone = (gn.evaluate(models[0], gn.LossMSE(), each) for each in ((X, X), given))
    assert whole == alone


def test_what_is_augmented_is_not_what_is_to_be_restored():
    """A denoising autoencoder: noise on the inputs, none on the targets."""
    clean = []

    def noisy(x, t, generator):
        clean.append((x.clone(), t.clone()))
        return x + torch.randn(x.shape, generator=generator), t

    model = gn.Linear(3, 3)
    gn.fit(model, gn.LossMSE(), X, gn.SGD(model.parameters(), lr=0.1), augment=noisy)
    assert all(torch.equal(x, t) for x, t in clean)


class Pair(gn.Module):
    def build(self, one, other):
        return one + other


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gn.evaluate(LOSS, network(), (X, T)), "The model comes first.*got LossCross"),
        (
            lambda: gn.evaluate(network(), (X, T), LOSS),
            r"data must be the pair.*got LossCrossEntropy",
        ),
        (lambda: gn.evaluate(Pair(), gn.LossMSE(), (X, X)), "1 input, which Pair does not take"),
        (lambda: gn.evaluate(network(), LOSS, (X.to("meta"), T)), "data has a tensor on.*meta"),
        (lambda: gn.evaluate(network(), LOSS, (X.to_sparse(), T)), "layout sparse_coo"),
        (lambda: seen(validation=(X.to("meta"), T)), "validation has a tensor on.*meta"),
    ],
)
def test_arguments_in_another_order_and_data_without_values(call, words):
    with pytest.raises(gn.GraphError, match=words):
        call()
