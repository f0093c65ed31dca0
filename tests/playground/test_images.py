"""Pictures: which rows are some, the pad, the prediction, and the weights of the first layer."""

from __future__ import annotations

import warnings

import pytest
import torch
from playground import pages
from playground.driving import text

import graphnet as gn
from graphnet.playground import task as task_module
from graphnet.playground.images import images_of
from graphnet.playground.task import bounded, task_of_model


def greys(*shape):
    return torch.randint(0, 256, shape).float() / 255


def task(x, *layers):
    model = gn.Sequential(*layers)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    labels = torch.arange(len(x)) % 2
    return task_of_model(model, gn.LossCrossEntropy(), (x, labels), sgd, None, **pages.SETTINGS)


CASES = {
    "grey": (greys(9, 1, 8, 6), lambda: [gn.Flatten(), gn.Linear(48, 2)], (1, 8, 6)),
    "coloured": (greys(9, 3, 5, 5), lambda: [gn.Conv2d(3, 2, 5), gn.Flatten()], (3, 5, 5)),
    "flat": (greys(9, 64), lambda: [gn.Linear(64, 2)], (1, 8, 8)),
    "normalized": (greys(9, 64) * 3 - 1, lambda: [gn.Linear(64, 2)], (1, 8, 8)),
    "square": (greys(9, 8, 8), lambda: [gn.Flatten(), gn.Linear(64, 2)], (1, 8, 8)),
    "no square": (greys(9, 65), lambda: [gn.Linear(65, 2)], None),
    "few numbers": (greys(9, 49), lambda: [gn.Linear(49, 2)], None),
    "measures": (torch.randn(9, 64), lambda: [gn.Linear(64, 2)], None),
    "five channels": (greys(9, 5, 4, 4), lambda: [gn.Flatten(), gn.Linear(80, 2)], None),
    "large": (greys(3, 1, 97, 2), lambda: [gn.Flatten(), gn.Linear(194, 2)], None),
}


@pytest.mark.parametrize("name", CASES)
def test_which_rows_are_pictures(name):
    x, layers, expected = CASES[name]
    found = images_of(task(x, *layers()))
    if expected is None:
        assert found is None
        return
    assert (found["channels"], found["height"], found["width"]) == expected
    assert (found["low"], found["high"]) == (float(x.min()), float(x.max()))


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([gn.Linear(64, 5), gn.Linear(5, 2)], {"count": 5, "height": 8, "width": 8}),
        ([gn.Linear(64, 90), gn.Linear(90, 2)], {"count": 64, "height": 8, "width": 8}),
        ([gn.Tanh(), gn.Linear(64, 2)], None),
    ],
)
def test_the_weights_that_see_pictures_first(layers, expected):
    made = task(greys(9, 64), *layers)
    found = images_of(made)["filters"]
    assert found == (expected and {"node": made.graph.index(made.graph["0.weight"]), **expected})


# the page


@pytest.fixture
def page(at):
    page = at("images", height=1200)
    page.run("for (let at = 0; at < 149; at++) playground.takeStep(); playground.step()")
    page.wait("!playground.evaluator.running")
    return page


def pixels(page):
    """What is on the pad."""
    area = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    found = page.run(f"({area})(document.querySelector('.pad'))")
    return torch.tensor(found).reshape(8, 8, 4)[:, :, 0]


def said(page):
    return int(text(page, ".bar.said > span"))


def shares(page):
    bars = "document.querySelectorAll('.bar .number')"
    numbers = page.run(f"Array.from({bars}, each => parseFloat(each.textContent))")
    return [number / 100 for number in numbers]


def predicted(page, picture):
    """What Python says of a picture, with the weights of the page."""
    model = pages.images.__wrapped__().model
    for name, node in model.named_parameters():
        values = page.run(f"Array.from(playground.learner.state[{name!r}])")
        node.top.copy_(torch.tensor(values).reshape(node.top.shape))
    outputs = model.forward((picture.float() / 255).reshape(1, 1, 8, 8))
    return outputs.softmax(1)[0].tolist()


def test_pictures_are_shown_with_what_the_network_says(page):
    assert page.run("document.querySelectorAll('.thumb').length") == 14
    labels = [40 % 2, 41 % 2]
    shown = page.run("Array.from(document.querySelectorAll('.thumb span'), e => e.textContent)")
    assert shown[:2] == [f"✓ {label}" for label in labels]
    assert page.run("document.querySelector('.rows')") is None


def drag(page, start, end):
    left, top, width, height = page.rectangle(".pad")
    at = [(left + width * x / 8, top + height * y / 8) for x, y in (start, end)]
    page.drag(*at)


def test_a_picture_is_drawn_with_the_mouse(page):
    drag(page, (3.5, 1.2), (3.5, 6.8))
    ink = pixels(page)
    assert ink[1:7, 3].min() == 255
    assert ink[:, [0, 1, 5, 6, 7]].max() == 0
    assert said(page) == 1
    assert shares(page) == pytest.approx(predicted(page, ink), abs=2e-3)
    assert "The network says 1." in text(page, ".status")
    page.click(".output .heading button")
    assert pixels(page).max() == 0
    drag(page, (1.2, 3.5), (6.8, 3.5))
    assert said(page) == 0


def test_a_picture_is_drawn_with_a_finger(page):
    left, top, width, height = page.rectangle(".pad")
    at = [{"x": left + width * x, "y": top + height * y} for x, y in ((0.44, 0.2), (0.44, 0.8))]
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[at[0]])
    page.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[at[1]])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait("document.querySelector('.status').textContent.includes('says 1')")
    assert pixels(page)[2:6, 3].min() == 255


def test_a_picture_is_drawn_with_keys(page):
    page.run("document.querySelector('.pad').focus()")
    page.press("ArrowLeft", times=4)
    assert pixels(page).max() == 0
    page.press("Enter")
    page.press("ArrowRight", times=7)
    assert pixels(page)[4].min() > 100
    assert said(page) == 0
    page.press("Backspace")
    assert pixels(page).max() == 0
    assert page.run("playground.loop.playing") is False


def test_a_picture_of_the_rows_is_put_on_the_pad(page):
    page.click(".thumb:nth-child(2)")
    row = pages.images().test[pages.images().inputs[0]][1]
    assert (pixels(page).float() / 255 - row[0]).abs().max() < 0.01
    assert said(page) == 1


def test_the_prediction_moves_while_the_network_trains(page):
    page.click(".thumb:nth-child(2)")
    before = shares(page)
    page.press("r")
    page.wait("true")
    assert shares(page) != before


def test_the_weights_of_the_first_layer_are_pictures(page):
    size = page.run("(c => [c.width, c.height])(document.querySelector('.filters'))")
    assert size == [4 * 4 - 1, 3]
    found = page.run(
        "Array.from(document.querySelector('.filters').getContext('2d')"
        ".getImageData(0, 0, 3, 3).data)"
    )
    weight = torch.tensor(page.run("Array.from(playground.learner.state['0.weight'])"))
    strength = torch.tensor(found).reshape(9, 4)[:, 3]
    expected = 235 * weight[:9].abs() / weight.abs().max()
    assert (strength - expected).abs().max() <= 1


# how many rows a page holds


def test_a_page_holds_the_first_rows_and_says_so(monkeypatch):
    monkeypatch.setattr(task_module, "MOST_NUMBERS", 1000)
    with pytest.warns(UserWarning, match=r"the first 15 of 40 rows\.$"):
        found = task(greys(40, 64), gn.Linear(64, 2))
    assert found.left_out == 25
    assert {len(rows) for rows in found.train.values()} == {15}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert task(greys(15, 64), gn.Linear(64, 2)).left_out == 0


def test_a_bound_counts_all_tensors_of_a_row():
    rows = {"x": torch.zeros(50, 3, 3), "t": torch.zeros(50)}
    assert len(bounded(rows, 100)["t"]) == 10
    assert len(bounded(rows, 1)["x"]) == 1
    assert bounded(rows, 500) is rows
    assert bounded({}, 10) == {}
