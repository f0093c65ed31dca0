"""Resumed training goes on as if it had never stopped, bit for bit."""

from __future__ import annotations

import random
import shutil

import pytest
import torch
from train.small_runs import KilledAt, KilledError, data, network, same, weights

import graphnet as gn
from graphnet import schedules
from graphnet.train import checkpoints

LOSS = gn.LossCrossEntropy()

OPTIMIZERS = {
    "sgd": lambda p: gn.SGD(p, lr=0.1),
    "momentum": lambda p: gn.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: gn.Adam(p, lr=0.02, amsgrad=True),
    "adamw": lambda p: gn.AdamW(p, lr=0.02),
    "rmsprop": lambda p: gn.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    "adagrad": lambda p: gn.Adagrad(p, lr=0.05, lr_decay=0.1),
    "adadelta": lambda p: gn.Adadelta(p, lr=1.0),
    "adamax": lambda p: gn.Adamax(p, lr=0.02),
    "nadam": lambda p: gn.NAdam(p, lr=0.02),
    "radam": lambda p: gn.RAdam(p, lr=0.02),
}


def train(folder, optimizer="momentum", kill=None, every=1, callbacks=(), **options):
    """Train with everything that is random; go on if the folder has a state."""
    model = network(dropout=True, norm=True)
    made = OPTIMIZERS[optimizer](model.parameters())
    given = {"epochs": 3, "batch_size": 11, "seed": 5, "validation": data(20, seed=3), **options}
    keeping = KilledAt(folder, kill, every) if kill else gn.Checkpoints(folder, every)
    history = gn.fit(model, LOSS, data(), made, callbacks=[*callbacks, keeping], **given)
    return model, made, history


def outcome(model, optimizer, history):
    """Everything that must be the same, to the bit."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in history.epochs]
    state = {
        f"{place}.{name}": value
        for place, memory in optimizer.state_dict()["state"].items()
        for name, value in memory.items()
        if isinstance(value, torch.Tensor)
    }
    return weights(model), state, rows, list(history.losses), list(history.rates)


def assert_equal(one, other):
    assert same(one[0], other[0])
    assert same(one[1], other[1])
    assert one[2:] == other[2:]


STEPS = 12  # three epochs of four batches


def check_resumed(folder, kills, optimizer, **options):
    """Compare a training run with those that were killed after these steps and resumed."""
    whole = outcome(*train(folder / "whole", optimizer, **options))
    for kill in kills:
        with pytest.raises(KilledError):
            train(folder / str(kill), optimizer, kill, **options)
        torch.manual_seed(kill)  # another process has other states
        random.seed(kill)
        assert_equal(outcome(*train(folder / str(kill), optimizer, **options)), whole)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_in_the_second_epoch_it_is_the_same(optimizer, tmp_path):
    check_resumed(tmp_path, [6], optimizer, compile=False)


def test_resumed_after_the_first_step_and_between_two_epochs_it_is_the_same(tmp_path):
    check_resumed(tmp_path, [1, 4], "momentum", compile=False)


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_at_every_step_it_is_the_same(optimizer, compiled, tmp_path):
    check_resumed(tmp_path, range(1, STEPS + 1), optimizer, compile=compiled)


WAYS = {
    "plain": {},
    "accumulate": {"accumulate": 3, "batch_size": 5},
    "schedule": {"schedule": schedules.one_cycle(0.1, 12)},
    "clip": {"clip": 0.05},
    "augment": {
        "augment": lambda x, t, generator: (x + torch.randn(x.shape, generator=generator) / 9, t)
    },
    "rarely": {"every": 5},
    "epochs": {"every": None},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kill", [5, pytest.param(3, marks=pytest.mark.slow)])
def test_in_every_way_of_training_too(way, kill, tmp_path):
    check_resumed(tmp_path, [kill], "momentum", **WAYS[way])


def test_a_plateau_and_callbacks_remember(tmp_path):
    def parts():
        plateau = schedules.on_plateau(0.1, factor=0.5, patience=0, threshold=0.5)
        return plateau, [gn.EarlyStopping(patience=2, minimum_change=0.5)]

    def run(folder, kill=None):
        plateau, callbacks = parts()
        result = train(folder, kill=kill, schedule=plateau, callbacks=callbacks, epochs=9)
        return outcome(*result), plateau.state_dict(), callbacks[0].state_dict()

    whole = run(tmp_path / "whole")
    for kill in (6, 11):
        with pytest.raises(KilledError):
            run(tmp_path / str(kill), kill)
        again = run(tmp_path / str(kill))
        assert_equal(again[0], whole[0])
        assert again[1:] == whole[1:]


@pytest.mark.parametrize("first", [False, True])
def test_what_a_callback_remembers_belongs_to_the_state_wherever_it_stands(first, tmp_path):
    """A training run that a callback has stopped is at its end, and is not continued."""

    def run():
        model = network()
        adam = gn.Adam(model.parameters(), lr=0.02)
        both = [gn.Checkpoints(tmp_path), gn.EarlyStopping(patience=2, minimum_change=9.0)]
        callbacks = both if first else both[::-1]
        history = gn.fit(model, LOSS, data(), adam, epochs=9, seed=0, callbacks=callbacks)
        return len(history), both[1].waiting

    assert run() == run() == (3, 2)


def noisy(x, t, generator):
    return x + random.random() / 9, t


@pytest.fixture(scope="module")
def noisy_runs(tmp_path_factory):
    """What a whole training ends with, and the folder of one that was killed."""
    folder = tmp_path_factory.mktemp("noisy")
    whole = outcome(*train(folder / "whole", augment=noisy))
    with pytest.raises(KilledError):
        train(folder / "part", kill=6, augment=noisy)
    return whole, folder / "part"


@pytest.mark.parametrize(
    "part", ["model", "optimizer", "torch", "order", "python", "place.order", "place.position"]
)
def test_each_part_of_a_state_is_needed(part, noisy_runs, tmp_path, monkeypatch):
    """Without any of them the training goes another way: nothing is kept in vain."""
    whole, killed = noisy_runs
    shutil.copytree(killed, tmp_path / "part")
    complete = checkpoints.restore

    def incomplete(run, state):
        fresh = checkpoints.captured(run)
        fresh["random"] = {
            **fresh["random"],
            "order": torch.Generator().manual_seed(99).get_state(),
        }
        path = {"torch": ["random", "torch"], "order": ["random", "order"],
                "python": ["random", "python"]}.get(part, part.split("."))  # fmt: skip
        into, source = state, fresh
        for name in path[:-1]:
            into, source = into[name], source[name]
        into[path[-1]] = source[path[-1]]
        complete(run, state)

    monkeypatch.setattr(checkpoints, "restore", incomplete)
    torch.manual_seed(1)
    random.seed(1)
    other = outcome(*train(tmp_path / "part", augment=noisy))
    assert not (same(other[0], whole[0]) and other[3] == whole[3])


def test_a_finished_training_is_not_made_again(tmp_path):
    first = outcome(*train(tmp_path))
    steps = []

    class Count(gn.Callback):
        def step(self, run):
            steps.append(run.step)

    assert_equal(outcome(*train(tmp_path, callbacks=[Count()])), first)
    assert steps == []
    train(tmp_path, callbacks=[Count()], epochs=4)
    assert steps == [13, 14, 15, 16]
    train(tmp_path, callbacks=[Count()], resume=False)
    assert len(steps) == 4 + STEPS


def test_what_a_crash_has_left_is_taken_away_though_nothing_is_written(tmp_path):
    train(tmp_path)
    (tmp_path / ".checkpoint-0123456789abcdef.tmp").mkdir()
    train(tmp_path)  # has nothing left to do
    assert len(list(tmp_path.iterdir())) == 2


def test_a_directory_keeps_states_and_logs(tmp_path):
    def run(**options):
        model = network()
        adam = gn.Adam(model.parameters(), lr=0.02)
        return gn.fit(model, LOSS, data(), adam, seed=0, directory=tmp_path / "run", **options)

    run(epochs=2)
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["checkpoints", "epochs.csv", "steps.jsonl"]
    history = run(epochs=4)
    lines = (tmp_path / "run" / "epochs.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 5
    assert len(history) == 4
    steps = (tmp_path / "run" / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(steps) == len(history.losses) + 4
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 10}, "batch_size was 11 and is 10"),
        ({"optimizer": "adam"}, "optimizer was 'SGD' and is 'Adam'"),
        ({"accumulate": 2}, "accumulate was 1 and is 2"),
        ({"callbacks": [gn.EarlyStopping()]}, "callbacks was"),
    ],
)
def test_another_training_is_refused_and_nothing_is_changed(options, words, tmp_path):
    train(tmp_path)
    with pytest.raises(gn.LoadError, match=f"{words}.*resume=False"):
        train(tmp_path, **options)


def test_another_model_is_refused_and_nothing_is_changed(tmp_path):
    train(tmp_path)
    model = gn.Sequential(gn.Linear(3, 2))
    sgd = OPTIMIZERS["momentum"](model.parameters())
    before = weights(model)
    with pytest.raises(gn.LoadError, match="does not fit this training"):
        gn.fit(model, LOSS, data(), sgd, batch_size=11, callbacks=[gn.Checkpoints(tmp_path)])
    assert same(weights(model), before)
    assert not sgd.state_dict()["state"]


def test_a_damaged_state_is_passed_over_with_a_warning(tmp_path):
    whole = outcome(*train(tmp_path))
    newest = max(tmp_path.iterdir())
    (newest / "tensors.safetensors").write_bytes(b"torn")
    with pytest.warns(UserWarning, match=newest.name):
        assert_equal(outcome(*train(tmp_path)), whole)


def test_what_a_kill_has_left_behind_the_last_state_goes_when_it_is_resumed(tmp_path):
    """One that was replaced, one that is no longer kept, one half written; no save follows."""
    whole = outcome(*train(tmp_path))
    older, newest = sorted(tmp_path.iterdir())
    shutil.copytree(newest, tmp_path / f"{newest.name}-replaced")
    shutil.copytree(older, tmp_path / "checkpoint-00000001")
    (tmp_path / ".checkpoint-0123456789abcdef.tmp").mkdir()
    assert_equal(outcome(*train(tmp_path)), whole)
    assert sorted(tmp_path.iterdir()) == [older, newest]


def test_one_that_was_replaced_stays_where_the_other_is_damaged(tmp_path):
    whole = outcome(*train(tmp_path))
    _, newest = sorted(tmp_path.iterdir())
    aside = tmp_path / f"{newest.name}-replaced"
    shutil.copytree(newest, aside)
    (newest / "tensors.safetensors").write_bytes(b"torn")
    with pytest.warns(UserWarning, match=newest.name):
        assert_equal(outcome(*train(tmp_path)), whole)
    assert aside.exists()


def test_where_a_state_cannot_be_written_the_training_goes_on_or_stops(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.warns(UserWarning, match="The training goes on"):
        _, _, history = train(tmp_path / "file" / "folder", resume=False)
    assert len(history) == 3
    model = network()
    stopping = gn.Checkpoints(tmp_path / "file" / "folder", on_error="stop")
    with pytest.raises(gn.GraphError, match="cannot be written"):
        gn.fit(
            model, LOSS, data(), gn.SGD(model.parameters(), lr=0.1), callbacks=[stopping],
            resume=False,
        )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [{"every": 0}, {"every": True}, {"keep": 0}, {"keep": None}, {"keep": 1.5}, {"on_error": "no"}],
)
def test_settings_out_of_range_are_refused(options, tmp_path):
    with pytest.raises(gn.RangeError, match=next(iter(options))):
        gn.Checkpoints(tmp_path, **options)
