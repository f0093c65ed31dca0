"""A folder belongs to one training run: another one is refused, and the differences are named."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from train.small_runs import data, same, weights

import graphnet as gn
from graphnet import schedules

WEIGHT = torch.tensor([1.0, 3.0])


def noise(size, places=(0, 1)):
    def noisy(x, t, generator):
        return x + size * torch.randn(x.shape, generator=generator), t

    return noisy


class Noise:
    """A callable object that counts its calls."""

    def __init__(self, size):
        self.size, self.calls = size, 0

    def __call__(self, x, t, generator):
        self.calls += 1
        return x + self.size * torch.randn(x.shape, generator=generator), t


def scaled(x, t, generator, factor=1.0, *, offset=0.0):
    return x * factor + offset, t


def shifted(x, t, generator):
    return x + SHIFT, t


SHIFT = 0.5


class Adding(gn.Callback):
    """A callback that remembers, and whose weight is a setting."""

    def __init__(self, weight=1.0):
        self.weight, self.total = weight, 0.0

    def step(self, run):
        self.total += self.weight * run.history.losses[-1]

    def state_dict(self):
        return {"total": self.total}

    def load_state_dict(self, state):
        self.total = state["total"]


def layers(activation=gn.Tanh, p=0.1, width=5):
    return [gn.Linear(3, width), activation(), gn.Dropout(p), gn.Linear(width, 2)]


def train(
    folder, *, net=None, optimizer=gn.SGD, lr=0.1, loss=None, given=None, groups=None, **more
):
    torch.manual_seed(0)
    model = gn.Sequential(*layers(**(net or {})))
    settings = more.pop("settings", {})
    if "change" in more:
        more.pop("change")(model)
    params = groups(model) if groups else model.parameters()
    made = optimizer(params, lr=lr, **settings)
    options = {"epochs": 2, "batch_size": 10, "seed": 0, "compile": False, **more}
    loss = loss or gn.LossCrossEntropy()
    return gn.fit(model, loss, given or data(), made, directory=folder, **options)


def frozen(model):
    model[0].requires_grad_(False)


def apart(model):
    model[2].eval()


def swapped(first, second):
    return lambda model: [
        {"params": model[first].parameters(), "lr": 0.01}, {"params": model[second].parameters()}
    ]  # fmt: skip


def ratio(rate):
    return lambda model: [
        {"params": model[0].parameters(), "lr": rate}, {"params": model[3].parameters()}
    ]  # fmt: skip


X, T = data()
PLATEAU = partial(schedules.on_plateau, 0.1, patience=1)
OTHERS = {
    "lr": ({}, {"lr": 0.01}, "lr was 0.1 and is 0.01"),
    "weight_decay": ({}, {"settings": {"weight_decay": 0.1}}, "weight_decay was 0.* and is 0.1"),
    "momentum": (
        {"settings": {"momentum": 0.9}},
        {"settings": {"momentum": 0.5}},
        "momentum was 0.9 and is 0.5",
    ),
    "betas": (
        {"optimizer": gn.Adam},
        {"optimizer": gn.Adam, "settings": {"betas": (0.8, 0.999)}},
        r"betas was \(0.9, 0.999\) and is \(0.8, 0.999\)",
    ),
    "group": (
        {"groups": ratio(0.01)},
        {"groups": ratio(0.02)},
        "lr of group 0 was 0.01 and is 0.02",
    ),
    "groups": (
        {"groups": swapped(0, 3)},
        {"groups": swapped(3, 0)},
        r"in group 0 and is parameter .* in group 1",
    ),
    "updated": (
        {"groups": lambda model: model[3].parameters()},
        {},
        "in no group of the optimizer and is .* in group 0",
    ),
    "frozen": ({}, {"change": frozen}, r"was parameter .* and is frozen parameter"),
    "modes": ({}, {"change": apart}, "training modes was 'all in training' and is .*of 2"),
    "optimizer": ({}, {"optimizer": gn.Adam}, "optimizer was 'SGD' and is 'Adam'"),
    "seed": ({}, {"seed": 1}, "seed was 0 and is 1"),
    "no seed": ({}, {"seed": None}, "seed was 0 and is None"),
    "generator": (
        {"seed": torch.Generator().manual_seed(3)},
        {"seed": torch.Generator().manual_seed(4)},
        "seed was 'a generator of seed 3' and is 'a generator of seed 4'",
    ),
    "smoothing": ({}, {"loss": gn.LossCrossEntropy(label_smoothing=0.1)}, r"node \d+ was"),
    "ignore_index": ({}, {"loss": gn.LossCrossEntropy(ignore_index=7)}, "-100.* and is .*7"),
    "class weights": (
        {"loss": gn.LossCrossEntropy(WEIGHT)},
        {"loss": gn.LossCrossEntropy(WEIGHT + 1)},
        "buffer '.*weight': the values differ",
    ),
    "activation": (
        {},
        {"net": {"activation": gn.ReLU}},
        r"node \d+ was tanh\(\d+\) and is relu\(\d+\)",
    ),
    "dropout": ({}, {"net": {"p": 0.2}}, "p=0.1.* and is .*p=0.2"),
    "width": ({}, {"net": {"width": 6}}, r"parameter \(5, 3\).* and is parameter \(6, 3\)"),
    "clip": ({"clip": 1.0}, {"clip": 2.0}, "clip was 1.0 and is 2.0"),
    "clip_value": ({}, {"clip_value": 2.0}, "clip_value was None and is 2.0"),
    "non_finite": ({}, {"non_finite": "skip"}, "non_finite was 'stop' and is 'skip'"),
    "drop_last": ({}, {"drop_last": True}, "drop_last was False and is True"),
    "shuffle": ({}, {"shuffle": False}, "shuffle was True and is False"),
    "schedule": (
        {"schedule": schedules.cosine(0.1, 8)},
        {"schedule": schedules.cosine(0.1, 9)},
        "rate of step 1 was 0.09.* by the schedule",
    ),
    "no schedule": ({"schedule": schedules.constant(0.1)}, {}, "schedule was 'a function'"),
    "plateau": (
        {"schedule": PLATEAU(factor=0.5)},
        {"schedule": PLATEAU(factor=0.4)},
        "factor of the Plateau was 0.5 and is 0.4",
    ),
    "data": ({}, {"given": (X + 1, T)}, "data: the values differ"),
    "labels": ({}, {"given": (X, 1 - T)}, "data: the values differ"),
    "split": ({}, {"validation_split": 0.5}, "rows was 40 and is 20"),
    "validation": (
        {"validation": (X, T), "callbacks": gn.EarlyStopping()},
        {"validation": (X, 1 - T), "callbacks": gn.EarlyStopping()},
        "validation: the values differ",
    ),
    "augment": ({"augment": noise(0.1)}, {"augment": noise(0.2)}, "augment: noise.* other values"),
    "no augment": ({"augment": noise(0.1)}, {}, "augment was noise.* and is None"),
    "another augment": ({"augment": noise(0.1)}, {"augment": scaled}, "and is scaled"),
    "partial": (
        {"augment": partial(scaled, factor=2.0)},
        {"augment": partial(scaled, factor=3.0)},
        "augment: partial has other code, or uses other values",
    ),
    "callable": ({"augment": Noise(0.1)}, {"augment": Noise(0.2)}, "augment: Noise"),
    "patience": (
        {"callbacks": gn.EarlyStopping(patience=3)},
        {"callbacks": gn.EarlyStopping(patience=4)},
        "patience of callback 0, EarlyStopping, was 3 and is 4",
    ),
    "a callback's own": (
        {"callbacks": Adding(1.0)},
        {"callbacks": Adding(2.0)},
        "weight of callback 0, Adding, was 1.0 and is 2.0",
    ),
    "callbacks": ({}, {"callbacks": gn.EarlyStopping()}, "callbacks was"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_another_training_is_refused_by_name(case, tmp_path):
    first, other, words = OTHERS[case]
    train(tmp_path, **first)
    with pytest.raises(gn.LoadError, match=rf"does not fit this training: .*{words}.*resume=False"):
        train(tmp_path, **other)
    train(tmp_path, **{**other, "resume": False})


SAME = {
    "epochs": {"epochs": 3},
    "compile": {"compile": True},
    "progress": {"progress": False},
    "metrics": {"validation": (X, T), "metrics": [gn.metrics.accuracy]},
    "validation": {"validation": (X, 1 - T)},  # nothing follows it
    "callback": {"callbacks": gn.CSVLog("more.csv")},
}


@pytest.mark.parametrize("case", SAME)
def test_what_does_not_change_the_numbers_may_differ(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    history = train(tmp_path / "run")
    again = train(tmp_path / "run", **SAME[case])
    assert again["loss"][:2] == history["loss"]


def test_a_longer_training_goes_on_under_its_schedule(tmp_path):
    rate = schedules.cosine(0.1, 100)
    train(tmp_path / "short", schedule=rate)
    history = train(tmp_path / "short", schedule=rate, epochs=4)
    assert history["loss"] == train(tmp_path / "whole", schedule=rate, epochs=4)["loss"]


def test_a_global_that_augment_uses_counts(tmp_path, monkeypatch):
    train(tmp_path, augment=shifted)
    train(tmp_path, augment=shifted)
    monkeypatch.setitem(globals(), "SHIFT", 0.75)
    with pytest.raises(gn.LoadError, match="augment: shifted has other code, or uses other values"):
        train(tmp_path, augment=shifted)


class Restless(gn.Callback):
    """Changes settings during training."""

    def epoch(self, run):
        run.optimizer.momentum = 0.5 + run.epoch / 10
        run.optimizer.lr = 0.1 / run.epoch


CELLS = {
    "schedule": lambda: {"schedule": schedules.one_cycle(0.1, 8)},
    "plateau": lambda: {"schedule": PLATEAU(threshold=9.0, cooldown=0)},
    "stopping": lambda: {"callbacks": [gn.EarlyStopping(patience=1, minimum_change=9.0), Adding()]},
    "settings": lambda: {"callbacks": Restless()},
    "augment": lambda: {"augment": Noise(0.1)},
    "list": lambda: {"augment": listing([])},
    "generator": lambda: {"seed": torch.Generator().manual_seed(2)},
}


def test_settings_that_a_callback_changes_are_no_new_ones(tmp_path):
    """A script that is started again has the settings of its first line, not the last."""
    options = {"settings": {"momentum": 0.9}, "callbacks": Restless()}
    whole = train(tmp_path / "whole", epochs=4, **options)
    train(tmp_path / "parts", epochs=2, **options)
    assert train(tmp_path / "parts", epochs=4, **options)["loss"] == whole["loss"]


def test_a_rate_under_an_earlier_schedule_is_no_new_setting(tmp_path):
    """An optimizer that was used before has another rate now, but the same rate of its own."""
    options = {"batch_size": 10, "seed": 0, "schedule": schedules.one_cycle(0.1, 16)}
    for tries in (1, 0):
        torch.manual_seed(0)
        model = gn.Sequential(*layers())
        sgd = gn.SGD(model.parameters(), lr=0.1)
        for _ in range(tries):
            gn.fit(model, gn.LossCrossEntropy(), data(), sgd, epochs=1, **options)
        given = {"directory": tmp_path, "epochs": 4 - tries, **options}
        history = gn.fit(model, gn.LossCrossEntropy(), data(), sgd, **given)
    assert len(history) == 4


def listing(seen):
    count = 0

    def listed(x, t, generator):
        nonlocal count
        count += 1
        seen.append(count)
        return x, t

    return listed


@pytest.mark.parametrize("groups", [None, ratio(0.01)])
@pytest.mark.parametrize("case", CELLS)
def test_a_cell_that_is_run_again_on_the_same_objects_is_the_same_training(case, groups, tmp_path):
    """A notebook runs a cell twice: what was trained, or has remembered, is not a new setting."""
    model = gn.Sequential(*layers())
    params = groups(model) if groups else model.parameters()
    sgd, options = gn.SGD(params, lr=0.1, momentum=0.9), CELLS[case]()

    def cell():
        given = {"epochs": 4, "batch_size": 10, "directory": tmp_path, **options}
        return gn.fit(model, gn.LossCrossEntropy(), data(), sgd, **given)

    first = cell()
    kept = weights(model)
    again = cell()
    assert again["loss"] == first["loss"]
    assert same(weights(model), kept)
