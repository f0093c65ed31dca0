"""Sliders and typed numbers, and what follows from them."""

from __future__ import annotations

import pytest
import torch
from playground.driving import setting, state, steps, text, write

import graphnet as gn
from graphnet.compile.targets.js.random import Random


def test_a_number_can_be_typed_and_a_slider_moved(page):
    write(page, "#set-lr", 0.5)
    assert setting(page, "lr") == 0.5
    page.run("document.querySelector('[data-slide=lr]').focus()")
    page.press("ArrowRight", times=30)
    assert setting(page, "lr") > 0.5
    assert steps(page) == 0
    x, y = page.middle("[data-slide=momentum]")
    page.click((x, y))
    assert setting(page, "momentum") == pytest.approx(0.5, abs=0.02)
    assert float(page.run("document.querySelector('#set-momentum').value")) == setting(
        page, "momentum"
    )
    page.press("Home")
    assert setting(page, "momentum") == 0
    page.press("ArrowRight")
    page.press("r")
    page.run("playground.step()")
    numbers = page.run("playground.learner.program.numbers")
    assert numbers["lr"] == setting(page, "lr")


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("batch", 0, "an integer of 1 or more, at most 110"),
        ("batch", 2.5, "an integer"),
        ("batch", 111, "at most 110"),
        ("lr", -1, "a number of 0 or more"),
        ("seed", 2**32, "at most 4294967295"),
    ],
)
def test_a_wrong_number_is_refused_in_words(name, number, said, page):
    before = setting(page, name)
    write(page, f"#set-{name}", number)
    assert said in text(page, ".status")
    assert setting(page, name) == before
    assert float(page.run(f"document.querySelector('#set-{name}').value")) == before


def test_a_refusal_goes_with_the_next_number(page):
    for again in (lambda: write(page, "#set-lr", 0.2), lambda: page.click("[data-slide=lr]")):
        write(page, "#set-lr", -1)
        assert "learning rate must be" in text(page, ".status")
        again()
        assert text(page, ".status") == ""


def test_a_momentum_above_1_is_taken_as_python_takes_it(page):
    write(page, "#set-momentum", 2)
    assert setting(page, "momentum") == 2
    w = gn.Parameter(torch.ones(1))
    assert gn.SGD([w], momentum=2).momentum == 2
    write(page, "#set-momentum", -1)
    with pytest.raises(gn.RangeError):
        gn.SGD([w], momentum=-1)
    assert setting(page, "momentum") == 2


@pytest.mark.parametrize(("name", "row"), [("plane", 2), ("recurrent", 15)])
def test_the_batch_size_holds_from_the_next_batch_on(name, row, at):
    page = at(name)
    write(page, "#set-batch", 7)
    page.run("playground.step()")
    assert page.run("playground.learner.program.batch") == 7
    assert len(page.run("Array.from(playground.learner.program.inputs.x)")) == 7 * row


def test_each_group_of_parameters_has_its_learning_rate(at):
    page = at("groups")
    assert [text(page, f"label[for={name}]") for name in ("set-lr", "set-lr-1")] == [
        "learning rate", "learning rate, group 1",
    ]  # fmt: skip
    first = state(page)
    write(page, "#set-lr-1", 0)
    page.press("ArrowRight")
    now = state(page)
    changed = {name for name in first if "/" not in name and now[name] != first[name]}
    assert changed == {"0.weight", "0.bias"}


def test_noise_moves_the_rows_and_none_brings_them_back(page):
    rows = "Array.from(playground.learner.rows.data.x)"
    clean = page.run(rows)
    write(page, "#set-noise", 0.3)
    apart = torch.tensor(page.run(rows)) - torch.tensor(clean)
    assert float(apart.std()) == pytest.approx(0.3, rel=0.15)
    expected = Random(3 + 0x2000000)
    assert apart[:4].tolist() == pytest.approx(
        [0.3 * expected.normal() for _ in range(4)], abs=1e-6
    )
    write(page, "#set-noise", 0)
    assert page.run(rows) == clean


def test_an_input_whose_name_cannot_be_shown_is_still_found(window, tmp_path):
    graph = gn.Graph()
    x, t = graph.input((None, 2), name="two\nlines"), graph.input((None, 1), name="\u202et")
    w = graph.parameter(torch.ones(2, 1), name="w\t")
    loss = ((x @ w - t) ** 2).mean()
    feed = {x: torch.rand(30, 2), t: torch.rand(30, 1)}
    file = graph.playground(loss, feed, gn.SGD([w], lr=0.1), tmp_path / "odd.html")
    window.go(file)
    window.run("playground.set('noise', 0.2); playground.addPoints([[0.5, 0.5, 1]])")
    window.press("ArrowRight")
    assert steps(window) == 1
    page = gn.playground.read(file)
    assert torch.equal(page.train["two\nlines"], feed[x])
    assert page.inputs == ("two\nlines",)
    page.repeat(
        graph, loss, gn.SGD([w], lr=0.1), steps=1, batch_size=30, seed=0, noise=0.2,
        added=window.run("playground.learner.start.added"),
    )  # fmt: skip
    batch = window.run("playground.learner.settings.batch")
    assert batch == 30
    assert state(window)["w\t"] == pytest.approx(w.top.flatten().tolist(), abs=1e-6)
    assert window.faults == []
