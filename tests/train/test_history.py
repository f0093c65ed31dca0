"""What a history shows, in each of its forms."""

from __future__ import annotations

import csv

import pytest

import graphnet as gn
from graphnet.train.history import History


@pytest.fixture
def history():
    made = History()
    for epoch in range(1, 31):
        made.epochs.append({"epoch": epoch, "loss": 1 / epoch, "validation_<b>": epoch / 3})
        made.losses.extend([1 / epoch] * 2)
        made.rates.extend([0.1] * 2)
    return made


def test_columns_are_found_by_name(history):
    assert len(history) == 30
    assert history["loss"][:2] == [1.0, 0.5]
    assert history.names == ["epoch", "loss", "validation_<b>"]
    assert history.last["epoch"] == 30
    assert history.to_record()["loss"] == history["loss"]
    with pytest.raises(gn.GraphError, match=r"epoch, loss.*not 'accuracy'"):
        history["accuracy"]


def test_a_file_has_all_epochs_with_all_digits(history, tmp_path):
    path = history.to_csv(tmp_path / "history.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == history["loss"]


def test_a_file_may_have_all_steps(history, tmp_path):
    with history.to_csv(tmp_path / "steps.csv", steps=True).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 61))
    assert [float(row["loss"]) for row in rows] == list(history.losses)
    assert {row["lr"] for row in rows} == {"0.1"}


def test_it_shows_itself_in_few_lines(history):
    lines = str(history).splitlines()
    assert len(lines) == 12
    assert lines[0].split() == ["epoch", "loss", "validation", "<b>"]
    assert lines[1].split()[0] == "1" and lines[-2].split()[0] == "30"
    assert lines[-1] == "10 of 30 epochs; history.epochs has all."
    assert repr(history).startswith("<History of 30 epochs, 60 steps; epoch 30, loss 0.03333")
    html = history._repr_html_()
    assert html.count("<tr>") == 11 and "<p>10 of 30 epochs; history.epochs has all.</p>" in html
    assert "<b>" not in html and "&lt;b&gt;" in html


def test_a_table_of_all_epochs_needs_no_remark():
    history = History()
    history.epochs += [{"epoch": epoch, "loss": 0.5} for epoch in range(1, 11)]
    assert len(str(history).splitlines()) == 11
    assert "<p>" not in history._repr_html_()


def test_an_empty_history_shows_itself():
    assert str(History()) == repr(History()) == "<History of 0 epochs, 0 steps>"
    assert "<p>&lt;History of 0 epochs, 0 steps&gt;</p>" in History()._repr_html_()


def test_without_epochs_there_is_nothing_to_draw():
    with pytest.raises(gn.GraphError, match="no epochs"):
        History().plot()


def test_curves_are_drawn(history):
    from graphnet.train.plots import canvas

    axes = canvas(4, 3).subplots()
    history.plot(axes=axes)
    assert [list(line.get_ydata()) for line in axes.get_lines()] == [history["loss"]]
    axes = canvas(4, 3).subplots()
    history.plot("validation_<b>", "loss", axes=axes)
    assert len(axes.get_lines()) == 2
    with pytest.raises(gn.GraphError, match="not 'nothing'"):
        history.plot("nothing", axes=axes)


def test_metrics_are_drawn_beside_the_losses():
    import matplotlib

    matplotlib.use("Agg")
    history = History()
    for epoch in range(1, 4):
        row = {"epoch": epoch, "step": epoch, "loss": 1 / epoch, "lr": 0.1, "validation_loss": 2.0}
        history.epochs.append({**row, "validation_accuracy": 0.5, "accuracy": 0.6, "seconds": 1.0})
    axes = history.plot()
    labels = [[line.get_label() for line in panel.get_lines()] for panel in axes.figure.axes]
    assert labels == [["loss", "validation loss"], ["accuracy", "validation accuracy"]]
    assert [panel.get_ylabel() for panel in axes.figure.axes] == ["loss", "accuracy"]
    assert axes is axes.figure.axes[0]
    assert len(history.plot("accuracy", "loss").figure.axes) == 1
    scales = [panel.get_yscale() for panel in history.plot(yscale="log").figure.axes]
    assert scales == ["log", "linear"]


def test_curves_of_steps_are_drawn(history):
    from graphnet.train.plots import canvas

    axes = canvas(4, 3).subplots()
    history.plot("loss", "lr", axes=axes, steps=True)
    drawn = [list(line.get_ydata()) for line in axes.get_lines()]
    assert drawn == [list(history.losses), list(history.rates)]
    assert axes.get_xlabel() == "step"
    with pytest.raises(gn.GraphError, match="step, loss, lr; not 'validation_loss'"):
        history.plot("validation_loss", axes=axes, steps=True)
