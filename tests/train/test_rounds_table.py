"""The results of several rounds, in numbers, tables, files and curves."""

from __future__ import annotations

import csv
import json
from statistics import fmean, stdev

import pytest

from graphnet.errors import GraphError
from graphnet.train.rounds_table import Failure, Round, Rounds, mean, spread_text, std

RESULTS = [
    Round(0, {"test_accuracy": 0.836, "loss": 0.25}, {"train_loss": [1.0, 0.5]}, 1.39),
    Round(4, {"test_accuracy": 0.866, "loss": 0.35}, {"train_loss": [0.8, 0.3]}, 1.47),
]
FAILURES = [Failure(2, "ValueError: <b>no</b>\nsecond line", "Traceback ...")]


def test_the_table():
    assert str(Rounds(RESULTS, FAILURES)).splitlines() == [
        "2 rounds       mean ± std",
        "test accuracy  85.1 ± 2.1 %",
        "loss           0.3000 ± 0.0707",
        "seconds        1.43 ± 0.06",
        "seed 2 failed: ValueError: <b>no</b>",
    ]
    assert str(Rounds(RESULTS[:1])).splitlines() == [
        "1 round        value",
        "test accuracy  83.60 %",
        "loss           0.2500",
        "seconds        1.39",
    ]


def test_a_table_of_curves_alone_shows_their_last_values():
    only = Rounds([Round(each.seed, {}, each.curves, each.seconds) for each in RESULTS])
    assert "train loss  0.4000 ± 0.1414" in str(only)
    assert only.mean("train_loss") == 0.4


def test_a_number_that_some_rounds_lack_says_so():
    results = Rounds([*RESULTS, Round(5, {"loss": 0.3}, {}, 1.4)])
    assert "test accuracy  85.1 ± 2.1 % (2 of 3)" in str(results)


TEXTS = [
    ("test_error", [0.012, 0.0124], "1.22 ± 0.03 %"),
    ("accuracy", [1.0, 1.0], "100.00 ± 0.00 %"),
    ("squared_error", [1.5, 0.5], "1.000 ± 0.707"),  # not a fraction
    ("errors", [0.5, 0.5], "0.5000 ± 0.0000"),
    ("loss", [123.456, 123.456], "123.5 ± 0.0"),
    ("loss", [0.0, 0.0], "0 ± 0"),
    ("loss", [1e-7, 3e-7], "2e-07 ± 1.414e-07"),
    ("loss", [1e9], "1e+09"),
    ("loss", [float("nan"), 1.0], "nan ± nan"),
    ("loss", [float("inf"), float("-inf")], "nan ± nan"),
    ("loss", [1e200, 1.0], "5e+199 ± inf"),
    ("loss", [1.7e308, 1.7e308], "inf ± inf"),
    ("parameters", [73000, 73000], "73000 ± 0"),
    ("seconds", [1.39, 1.47], "1.43 ± 0.06"),
    ("seconds", [0.001, 0.003], "0.002000 ± 0.001414"),
]


@pytest.mark.parametrize(("name", "values", "text"), TEXTS)
def test_numbers_in_words(name, values, text):
    assert spread_text(name, values) == text


def test_statistics_are_those_of_python():
    values = [0.1 * each**2 for each in range(1, 12)]
    assert mean(values) == pytest.approx(fmean(values), rel=1e-15)
    assert std(values) == pytest.approx(stdev(values), rel=1e-14)
    assert std([3.0]) == 0
    results = Rounds(RESULTS)
    assert results.std("loss") == pytest.approx(stdev([0.25, 0.35]))
    assert results.values("seconds") == [1.39, 1.47]
    assert results.curve("train_loss") == [[1.0, 0.5], [0.8, 0.3]]


@pytest.mark.parametrize("ask", ["mean", "std", "values", "curve", "plot"])
def test_an_unknown_name_is_refused_with_the_known_ones(ask):
    with pytest.raises(GraphError, match=r"have .*'train_loss'.*not 'los'"):
        getattr(Rounds(RESULTS), ask)("los")


def test_a_number_is_not_a_curve():
    with pytest.raises(GraphError, match="no curves; not 'x'"):
        Rounds([Round(0, {"x": 1.0}, {}, 1.0)]).curve("x")


def test_it_is_a_sequence():
    results = Rounds(RESULTS, FAILURES)
    assert (len(results), list(results), results[1]) == (2, RESULTS, RESULTS[1])
    assert repr(results) == "<Rounds: 2 ended, 1 failed>"


def test_csv_has_all_digits(tmp_path):
    path = Rounds(RESULTS).to_csv(tmp_path / "rounds.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["seed", "test_accuracy", "loss", "seconds"]
    assert [float(row["test_accuracy"]) for row in rows] == [0.836, 0.866]
    assert [row["seed"] for row in rows] == ["0", "4"]


def test_the_record_is_json():
    record = json.loads(json.dumps(Rounds(RESULTS, FAILURES).to_record()))
    assert [each["seed"] for each in record["rounds"]] == [0, 4]
    assert record["rounds"][1]["curves"] == {"train_loss": [0.8, 0.3]}
    assert record["failures"][0]["seed"] == 2
    assert record["statistics"]["loss"] == {"mean": 0.3, "std": pytest.approx(0.0707, abs=1e-4)}


def test_html_escapes_what_others_wrote():
    hostile = Round(0, {"<script>alert(1)</script>": 1.0}, {}, 1.0)
    html = Rounds([hostile], FAILURES)._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<tr>") == 3


def test_curves_are_drawn_with_bands():
    axes = Rounds(RESULTS).plot()
    (line,) = axes.get_lines()
    assert line.get_label() == "train loss"
    assert list(line.get_ydata()) == pytest.approx([0.9, 0.4])
    assert len(axes.collections) == 1
    assert Rounds(RESULTS).plot("train_loss", axes=axes) is axes


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(GraphError, match="no curve to draw"):
        Rounds([Round(0, {}, {}, 1.0)]).plot()


def test_a_round_that_ended_early_is_drawn_as_far_as_it_goes():
    rounds = Rounds([*RESULTS, Round(5, {}, {"train_loss": [3.0]}, 1.0)])
    (line,) = rounds.plot("train_loss").get_lines()
    assert list(line.get_ydata()) == pytest.approx([1.6, 0.4])
