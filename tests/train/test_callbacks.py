"""Callbacks: when they are called, and what they do."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path

import pytest
import torch
from train.small_runs import a_run, data, network, same, weights

import graphnet as gn
from graphnet.train.callbacks import DeadLayerWarning, writing


class Diary(gn.Callback):
    """Notes each call."""

    def __init__(self):
        self.calls = []

    def start(self, run):
        self.calls.append("start")

    def step(self, run):
        self.calls.append(run.step)

    def epoch(self, run):
        self.calls.append(f"epoch {run.epoch}")

    def end(self, run):
        self.calls.append("end")


class Stop(gn.Callback):
    def step(self, run):
        if run.step == 3:
            run.stop()


class Broken(gn.Callback):
    def step(self, run):
        raise ValueError("broken")


def test_the_four_methods_are_called_in_order():
    diary = Diary()
    a_run(callbacks=[diary], epochs=2).train()
    assert diary.calls == ["start", 1, 2, 3, 4, "epoch 1", 5, 6, 7, 8, "epoch 2", "end"]


def test_a_callback_can_stop_a_training():
    diary = Diary()
    history = a_run(callbacks=[diary, Stop()]).train()
    assert diary.calls == ["start", 1, 2, 3, "end"]
    assert len(history) == 0


def test_the_end_is_reported_after_an_error_too():
    diary = Diary()
    run = a_run(callbacks=[diary, Broken()])
    with pytest.raises(ValueError, match="broken"):
        run.train()
    assert diary.calls == ["start", 1, "end"]
    assert run.failed


def test_an_end_that_fails_does_not_keep_others_from_theirs():
    class Breaks(gn.Callback):
        def end(self, run):
            raise ValueError("broken at the end")

    first, last = Diary(), Diary()
    with pytest.raises(ValueError, match="broken at the end"):
        a_run(callbacks=[first, Breaks(), last], epochs=1).train()
    assert first.calls == last.calls
    assert last.calls[-1] == "end"


def epochs_of(values, callback, name="loss"):
    """How many epochs are made if the monitored number takes these values."""

    class Given(gn.Callback):
        def epoch(self, run):
            run.history.epochs[-1][name] = values[run.epoch - 1]

    return len(a_run(callbacks=[Given(), callback], epochs=len(values)).train())


@pytest.mark.parametrize(
    ("values", "options", "epochs"),
    [
        ([5, 4, 4, 4, 1], {"patience": 2}, 4),
        ([5, 4, 4, 3, 3], {"patience": 2}, 5),
        ([1, 2, 2, 2, 9], {"patience": 2, "mode": "max"}, 4),
        ([5, 4.9, 4.8, 4.7, 4.6], {"patience": 2, "minimum_change": 0.5}, 3),
        ([5, float("nan"), float("nan"), 4, 3], {"patience": 2}, 3),
        ([5, 5, 5], {"patience": 1, "monitor": "mine", "mode": "min"}, 2),
    ],
)
def test_early_stopping_waits_for_a_better_number(values, options, epochs):
    name = options.get("monitor", "loss")
    assert epochs_of(values, gn.EarlyStopping(**options), name) == epochs


@pytest.mark.parametrize(
    "options", [{"patience": 0}, {"patience": True}, {"patience": 1.5}, {"mode": "least"}]
)
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(gn.RangeError, match=next(iter(options))):
        gn.EarlyStopping(**options)


@pytest.mark.parametrize(
    ("monitor", "mode", "expected"),
    [
        ("validation_accuracy", None, "max"),
        ("validation_accuracy", "min", "min"),
        ("validation_error", None, "min"),
        ("validation_f1", None, "max"),
        ("validation_rmse", None, "min"),
        ("speed", "max", "max"),
        (None, None, "min"),
    ],
)
def test_of_known_numbers_it_is_known_which_is_best(monitor, mode, expected, tmp_path):
    assert gn.EarlyStopping(monitor, mode=mode).mode == expected
    assert gn.BestModel(tmp_path / "best.safetensors", monitor, mode=mode).mode == expected


@pytest.mark.parametrize("made", [gn.EarlyStopping, lambda name: gn.BestModel("a", name)])
def test_of_an_unknown_number_it_is_asked(made):
    with pytest.raises(gn.RangeError, match=r"in 'validation_speed', and 'max'.*got None"):
        made("validation_speed")


def twice(callbacks, folder=None, **options):
    """Two training runs, the second with the callbacks of the first; its history."""
    for seed in (0, 1):
        model = network(seed)
        sgd = gn.SGD(model.parameters(), lr=0.1)
        given = {"epochs": 6, "seed": 0, "callbacks": callbacks, **options}
        history = gn.fit(model, gn.LossCrossEntropy(), data(), sgd, **given)
    return history


def test_early_stopping_starts_anew():
    stopping = gn.EarlyStopping(patience=2, minimum_change=9.0)
    assert len(twice([stopping])) == 3
    assert (stopping.best, stopping.waiting) == (twice([stopping])["loss"][0], 2)


def test_early_stopping_starts_to_wait_anew():
    """The first number of the second run is NaN, and so not a better one."""
    stopping = gn.EarlyStopping(patience=2)
    assert epochs_of([3, 3, 3, 1], stopping) == 3
    stopping.reset()
    assert epochs_of([float("nan"), 1, 1, 1, 0], stopping) == 4


def test_the_best_model_is_that_of_this_training(tmp_path):
    path, after = tmp_path / "best.safetensors", []

    class Given(gn.Callback):
        def epoch(self, run):  # the second run is worse throughout
            run.history.epochs[-1]["loss"] = len(after) // 6 * 9 + [3, 1, 2, 3, 3, 3][run.epoch - 1]
            after.append(weights(run.task.model))

    twice([Given(), gn.BestModel(path)])
    best = network(seed=9)
    gn.load_weights(best, path)
    assert same(weights(best), after[7])


def test_a_plateau_starts_anew():
    plateau = gn.schedules.on_plateau(0.1, factor=0.5, patience=1, threshold=0.999)
    history = twice([], schedule=plateau)
    assert list(history["lr"]) == [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]
    plateau.step(7.0)
    plateau.reset()
    assert plateau.state_dict() == gn.schedules.on_plateau(0.1).state_dict()


def test_the_first_epoch_has_the_rate_of_the_plateau():
    plateau = gn.schedules.on_plateau(0.02)
    assert list(twice([], schedule=plateau).rates) == [0.02] * 12


def test_dead_layers_are_warned_of_in_each_training():
    callback = gn.DeadLayers()
    for _ in range(2):
        with pytest.warns(DeadLayerWarning):
            callback.reset()
            a_run(dead_network(), callbacks=[callback], epochs=1).train()


def test_checkpoints_are_written_in_each_training(tmp_path):
    keeping, ends = gn.Checkpoints(tmp_path), []

    class Kept(gn.Callback):
        def end(self, run):
            ends.append(run.task.model[0].weight.top.clone())

    twice([keeping, Kept()], resume=False)  # both end at the same epoch and step
    assert torch.equal(keeping.store.load().tensors["model.0.weight"], ends[1])
    assert not torch.equal(*ends)


def test_all_callbacks_are_reported_before_a_state_is_loaded(tmp_path):
    calls = []

    class Told(gn.Callback):
        def reset(self):
            calls.append("reset")

        def load_state_dict(self, state):
            calls.append("load")

        def state_dict(self):
            return {"a": 1}

        def start(self, run):
            calls.append("start")

    twice([Told(), gn.Checkpoints(tmp_path)])
    assert calls == ["reset", "start", "reset", "load", "start"]


def test_an_unknown_number_is_named():
    with pytest.raises(gn.GraphError, match="follows 'accuracy', and the history has epoch"):
        a_run(callbacks=[gn.EarlyStopping("accuracy")]).train()


def test_the_validation_loss_is_followed_where_there_is_one():
    model = network()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    stopping = gn.EarlyStopping()
    history = gn.fit(model, gn.LossCrossEntropy(), data(), sgd, epochs=2, seed=0,
                     validation=data(seed=3), callbacks=[stopping])  # fmt: skip
    assert stopping.best == min(history["validation_loss"])


def test_the_best_model_is_kept(tmp_path):
    path = tmp_path / "new" / "best.safetensors"
    kept = []

    class Given(gn.Callback):
        def epoch(self, run):
            run.history.epochs[-1]["loss"] = [3, 1, 2][run.epoch - 1]
            kept.append(weights(run.task.model))

    run = a_run(callbacks=[Given(), gn.BestModel(path)])
    run.train()
    best = network(seed=9)
    gn.load_weights(best, path)
    assert same(weights(best), kept[1])
    assert not same(weights(best), kept[2])


@pytest.mark.parametrize("name", ["best.pt", "best.pth"])
def test_the_best_model_has_no_name_of_torch(name):
    with pytest.raises(gn.GraphError, match=rf"{name} looks like .* Name it best\.safetensors"):
        gn.BestModel(name)  # before anything is trained


def test_logs_hold_what_the_history_holds(tmp_path):
    logs = [gn.CSVLog(tmp_path / "a" / "epochs.csv"), gn.JSONLog(tmp_path / "steps.jsonl")]
    history = a_run(callbacks=logs).train()
    with (tmp_path / "a" / "epochs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == history["loss"]
    lines = [
        json.loads(line)
        for line in (tmp_path / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [line["loss"] for line in lines if "epoch" not in line] == list(history.losses)
    assert [line for line in lines if "epoch" in line] == history.epochs
    assert [line["step"] for line in lines if "epoch" not in line] == list(range(1, 13))


def test_a_new_column_begins_the_table_anew(tmp_path):
    class Late(gn.Callback):
        def epoch(self, run):
            if run.epoch == 2:
                run.history.epochs[-1]["late"] = 1.5

    path = tmp_path / "epochs.csv"
    a_run(callbacks=[Late(), gn.CSVLog(path)]).train()
    with path.open(encoding="utf-8") as file:
        assert [row["late"] for row in csv.DictReader(file)] == ["", "1.5", ""]


def test_json_has_null_for_what_is_not_finite(tmp_path):
    class Bad(gn.Callback):
        def step(self, run):
            run.history.losses[-1] = float("nan")

    path = tmp_path / "steps.jsonl"
    a_run(callbacks=[Bad(), gn.JSONLog(path)], epochs=1).train()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["loss"] for line in lines[:-1]] == [None] * 4
    assert isinstance(lines[-1]["loss"], float)


@pytest.mark.parametrize("log", [gn.CSVLog, gn.JSONLog])
def test_a_full_disk_does_not_end_a_training(log, tmp_path):
    path = tmp_path / "log"

    class Fill(gn.Callback):
        def start(self, run):
            path.unlink(missing_ok=True)
            path.symlink_to("/dev/full")

    callbacks = [log(path), Fill()] if log is gn.CSVLog else [Fill(), log(path)]
    with pytest.warns(UserWarning, match="log cannot be written: No space.* The training goes on"):
        assert len(a_run(callbacks=callbacks).train()) == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("the disk is gone"), "the disk is gone"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_a_warning_says_why_a_file_cannot_be_written(error, reason):
    words = f"^a cannot be written: {reason}. The training goes on"
    with pytest.warns(UserWarning, match=words), writing(Path("a")):
        raise error


def test_a_model_that_cannot_be_written_does_not_end_a_training(tmp_path):
    with pytest.warns(UserWarning, match="cannot be written: .* The training goes on"):
        assert len(a_run(callbacks=[gn.BestModel(tmp_path)]).train()) == 3


def test_tensorboard_is_an_extra(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(gn.GraphError, match=r"pip install 'graphnet\[tensorboard\]'"):
        gn.TensorBoard(tmp_path)


def test_tensorboard_gets_the_same_numbers(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = a_run(callbacks=[gn.TensorBoard(tmp_path)]).train()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    losses = [each.value for each in events.Scalars("epoch/loss")]
    assert losses == pytest.approx(history["loss"])
    assert len(events.Scalars("step/lr")) == 12


def dead_network():
    """The first layer gives 0 for all rows."""
    model = network()
    model[0].bias.top.fill_(-100.0)
    return model


def test_a_dead_layer_is_warned_of_once():
    with pytest.warns(DeadLayerWarning, match=r"Node 5 '1.relu' is dead.*epoch 1") as caught:
        a_run(dead_network(), callbacks=[gn.DeadLayers()]).train()
    assert len(caught) == 1


def test_other_rectifiers_die_too():
    model = dead_network()
    model[1] = gn.ReLU6()
    with pytest.warns(DeadLayerWarning, match="'1.clamp' is dead"):
        a_run(model, callbacks=[gn.DeadLayers()], epochs=1).train()


def test_a_layer_that_lives_on_one_row_is_not_dead():
    model = network()
    x, _ = data()
    place = int((x[16:, 0]).argmax()) + 16  # not among the first rows that are examined
    x[place, 0] = 99.0
    model[0].weight.top.zero_()[:, 0] = 1.0
    model[0].bias.top.fill_(-98.0)
    run = a_run(model, callbacks=[gn.DeadLayers()], epochs=1)
    run.data.inputs[0].copy_(x)
    run.optimizer.lr = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.train()
    assert int((model[0].forward(x) > 0).any(1).sum()) == 1


def test_to_look_for_dead_layers_changes_nothing():
    def after(callbacks):
        model = network(dropout=True, norm=True)
        run = a_run(model, callbacks=callbacks)
        run.train()
        assert run.task.graph.training
        return weights(model)

    assert same(after([gn.DeadLayers()]), after([]))


@pytest.mark.parametrize("callback", [gn.EarlyStopping(), gn.BestModel("x"), gn.DeadLayers()])
def test_a_state_of_another_callback_is_refused(callback):
    callback.load_state_dict(callback.state_dict())
    with pytest.raises(gn.LoadError, match="'strange'"):
        callback.load_state_dict({"strange": 1})
