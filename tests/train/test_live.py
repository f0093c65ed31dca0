"""`gn.Live`: it changes nothing, shows curves in a notebook and lines elsewhere, and seldom."""

from __future__ import annotations

import re
from array import array
from math import inf, nan
from types import SimpleNamespace

import pytest
import torch
from train.small_runs import a_run, data, network, same, weights

import graphnet as gn
from graphnet.train import live, live_picture
from graphnet.train.live_picture import Curve, bars_panel, curves_panel, page


def trained(callbacks=(), model=None, **settings):
    """A model after three epochs, and its history."""
    model = model or network(dropout=True, norm=True)
    options = {"epochs": 3, "batch_size": 10, "seed": 1, "progress": False, **settings}
    adam = gn.Adam(model.parameters(), lr=0.01)
    history = gn.fit(model, gn.LossCrossEntropy(), data(), adam, callbacks=callbacks, **options)
    return model, history


class Notebook(list):
    """What a notebook is told to show: pairs of HTML and text."""

    def show(self, html, text):
        self.append((html, text))


@pytest.fixture
def notebook(monkeypatch):
    made = Notebook()
    monkeypatch.setattr(live, "in_notebook", lambda: True)
    monkeypatch.setattr(live, "Display", lambda: made)
    return made


# it changes nothing

SETTINGS = {
    "compiled": {},
    "walked": {"compile": False},
    "torch": {"compile": "torch"},
    "native": {"compile": "c"},
    "accumulated": {"compile": False, "accumulate": 3},
    "accumulated, compiled": {"accumulate": 3},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.filterwarnings("ignore:backend")
def test_training_computes_the_same_numbers_as_without_it(name):
    plain, before = trained(**SETTINGS[name])
    watched, after = trained(gn.Live(seconds=0.0), **SETTINGS[name])
    assert same(weights(plain), weights(watched))
    assert list(before.losses) == list(after.losses)
    for one, other in zip(plain.parameters(), watched.parameters(), strict=True):
        assert (one.has_grad, one.fresh) == (other.has_grad, other.fresh)


def test_measuring_leaves_gradients_buffers_and_random_numbers():
    run = a_run(network(dropout=True, norm=True))
    model = run.task.model
    for place, parameter in enumerate(model.parameters()):
        if place:
            parameter.grad = parameter.top * 0 + place
    before, state = weights(model), torch.get_rng_state()
    live.gradient_flow(run, rows=16)
    first, *others = model.parameters()
    assert first.grad is None
    assert [float(each.grad.view(-1)[0]) for each in others] == [*range(1, len(others) + 1)]
    assert same(weights(model), before)
    assert torch.equal(torch.get_rng_state(), state)


# what it measures


def test_gradients_are_those_of_torch_on_the_first_rows():
    run = a_run()
    x, y = data()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    theirs.load_state_dict(run.task.model.state_dict())
    torch.nn.functional.cross_entropy(theirs(x[:20]), y[:20]).backward()
    norms = dict(live.gradient_flow(run, rows=20).norms)
    expected = {name: float(each.grad.norm()) for name, each in theirs.named_parameters()}
    assert norms == pytest.approx(expected, rel=1e-5, abs=0)  # float32


def dying():
    model = network()
    model[0].bias.top.fill_(-50)
    return model


def test_the_doctor_is_asked():
    flow = live.gradient_flow(a_run(dying()), rows=40)
    assert any("8 of 8 units are dead" in finding for finding in flow.findings)
    assert live.gradient_flow(a_run(), rows=40).findings == []


# lines of text


def test_elsewhere_there_are_lines(capsys):
    trained(gn.Live(seconds=0.0), validation=data(seed=2), metrics=[gn.metrics.accuracy])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(
        r"epoch 2 of 3  loss [\d.]+  validation loss [\d.]+  validation accuracy [\d.]+"
        r"  gradients \d.\de[-+]\d\d to \d.\de[-+]\d\d",
        lines[1],
    )


@pytest.mark.filterwarnings("ignore::graphnet.train.callbacks.DeadLayerWarning")
def test_findings_are_written_when_they_change(capsys):
    trained(gn.Live(seconds=0.0), model=dying())
    lines = capsys.readouterr().out.splitlines()
    assert sum("8 of 8 units are dead" in line for line in lines) == 1
    assert sum(line.startswith("epoch ") for line in lines) == 3


def test_lines_are_seldom_and_the_last_epoch_is_told(capsys):
    trained(gn.Live(seconds=1000.0))
    lines = capsys.readouterr().out.splitlines()
    assert [line[:12] for line in lines] == ["epoch 1 of 3", "epoch 3 of 3"]


# pictures


def test_a_notebook_shows_curves_in_place(notebook, capsys):
    trained(gn.Live(seconds=0.0), validation=data(seed=2), metrics=[gn.metrics.accuracy])
    assert capsys.readouterr().out == ""
    assert len(notebook) >= 3
    html, text = notebook[-1]
    labels = re.findall(r'aria-label="([^"]*)"', html)
    assert labels == ["loss", "accuracy", "norm of each gradient"]
    assert "epoch 3 of 3" in text
    assert {"step", "training", "validation"} <= set(re.findall(r">(\w+)</text>", html))
    assert "0.weight" in html
    assert "nan" not in html


@pytest.mark.filterwarnings("ignore::graphnet.train.callbacks.DeadLayerWarning")
def test_a_notebook_shows_what_the_doctor_finds(notebook):
    trained(gn.Live(), model=dying())
    assert "8 of 8 units are dead" in notebook[-1][0]


def test_pictures_are_seldom(notebook, monkeypatch):
    now = iter(range(10**6))
    monkeypatch.setattr(live, "perf_counter", lambda: next(now) / 1000)  # each look is 1 ms later
    trained(gn.Live(seconds=0.05), epochs=10)
    looks = next(now)
    assert 3 <= len(notebook) <= looks / 50 + 2


def test_measuring_takes_a_tenth_of_the_time(monkeypatch):
    clock = SimpleNamespace(now=0.0)

    def measured(run, rows):
        clock.now += 5.0
        return live.Flow([], [])

    monkeypatch.setattr(live, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(live, "gradient_flow", measured)
    watcher, run, count = gn.Live(seconds=0.0), a_run(), 0
    monkeypatch.setattr(watcher, "_show", lambda run: None)
    for _ in range(100):
        clock.now += 1.0
        before = clock.now
        watcher.epoch(run)
        count += clock.now != before
    assert count == 2


def test_a_second_run_has_a_picture_of_its_own(monkeypatch):
    made = []
    monkeypatch.setattr(live, "in_notebook", lambda: True)
    monkeypatch.setattr(live, "Display", lambda: made.append(Notebook()) or made[-1])
    watcher = gn.Live()
    trained(watcher)
    trained(watcher)
    assert [bool(each) for each in made] == [True, True]


def test_a_run_that_fails_shows_how_far_it_came(notebook):
    x, y = data()
    x[35] = nan
    model = network()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    with pytest.raises(gn.NonFiniteError):
        gn.fit(
            model,
            gn.LossCrossEntropy(),
            (x, y),
            sgd,
            batch_size=5,
            epochs=2,
            shuffle=False,
            callbacks=gn.Live(),
            progress=False,
            seed=0,
            compile=False,
        )
    assert "step 7" in notebook[-1][0]


@pytest.mark.parametrize("wrong", [{"seconds": -1}, {"seconds": "x"}, {"rows": 0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(gn.RangeError, match="must be"):
        gn.Live(**wrong)


# the picture alone


def numbers(html):
    """All coordinates of the paths."""
    paths = re.findall(r'<path class="p\d" d="([^"]*)"', html)
    return [[tuple(map(float, each.split())) for each in re.split("[ML]", p)[1:]] for p in paths]


HARD = {
    "empty": [],
    "one": [3.0],
    "constant": [2.0] * 5,
    "zeros": [0.0] * 5,
    "gaps": [1.0, nan, 2.0, inf, 3.0],
    "nothing finite": [nan, inf],
    "huge": [1e299, 1e-300, 1.0],
    "beyond": [1.7e308, -1.7e308, 1.0, 2.0],
    "negative": [-5.0, -1.0, -3.0],
    "many": [1 / n for n in range(1, 5001)],
}


@pytest.mark.parametrize("name", HARD)
def test_curves_stay_in_their_picture(name):
    y = HARD[name]
    html = curves_panel("a < b", [Curve("training", list(range(1, len(y) + 1)), y, 0)])
    assert "a &lt; b" in html
    places = [place for path in numbers(html) for place in path]
    assert all(
        live_picture.LEFT - 0.1 <= x <= live_picture.WIDTH - live_picture.RIGHT + 0.1
        and live_picture.TOP - 0.1 <= y <= live_picture.HEIGHT - live_picture.BOTTOM + 0.1
        for x, y in places
    )
    assert "nan" not in html
    assert "inf" not in html.replace("infinite", "")
    assert len(places) <= live_picture.POINTS
    assert len(html) < 8000
    labels = re.findall(r'text-anchor="(?:end|middle)">(-?[\d.e+-]+)</text>', html)
    assert 2 <= len(labels) <= 16


def test_values_over_many_powers_of_ten_have_a_logarithmic_axis():
    (path,) = numbers(curves_panel("loss", [Curve("training", [1, 2, 3], [1.0, 0.1, 0.01], 0)]))
    (_, first), (_, second), (_, third) = path
    assert second - first == pytest.approx(third - second, abs=0.15)  # one decimal is written


def test_bars_are_long_for_large_gradients_and_zeros_are_told():
    bars = [(f"layer{n}.weight.of.a.long.name", 10.0**-n) for n in range(30)] + [("zero", 0.0)]
    html = bars_panel("gradients", bars)
    widths = [float(each) for each in re.findall(r'width="([\d.]+)" height="9"', html)]
    assert len(widths) == live_picture.BARS
    assert widths == sorted(widths, reverse=True)
    assert 'class="p1"' in html
    assert ">0.0e+00<" in html
    assert bars_panel("gradients", [("w", nan), ("v", inf)]).count("<rect") == 2


def test_a_million_steps_are_a_few_points():
    places, means = live_picture.thinned(array("d", range(10**6)))
    assert len(places) == live_picture.POINTS
    assert (places[0], places[-1]) == (4999, 10**6 - 1)
    assert means[0] == 2499.5
    assert live_picture.thinned([]) == ([], [])
    assert live_picture.thinned([1.0] * 201)[0][-1] == 200


def test_a_page_escapes_what_it_shows():
    html = page("<header>", ["<svg></svg>"], ["node '<b>'"])
    assert "&lt;header&gt;" in html
    assert "node &#x27;&lt;b&gt;&#x27;" in html
