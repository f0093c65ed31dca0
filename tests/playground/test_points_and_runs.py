"""Points that are added, and runs that are compared."""

from __future__ import annotations

import pytest
from playground.driving import measured, steps, write


def test_a_click_adds_a_point_of_the_chosen_class(page):
    left, top, width, height = page.rectangle(".points")
    page.click(".classes label:first-child")
    page.click((left + width / 4, top + height / 4))
    assert page.run("playground.learner.rows.count") == 111
    x, y = page.run("Array.from(playground.learner.rows.row('x', 110))")
    start = page.run(
        "[playground.evaluator.left, playground.evaluator.bottom, playground.evaluator.side]"
    )
    assert x == pytest.approx(start[0] + start[2] / 4, abs=0.02)
    assert y == pytest.approx(start[1] + start[2] * 3 / 4, abs=0.02)
    assert page.run("Array.from(playground.learner.rows.row('t', 110))") == [1, 0]
    page.press("r")
    page.run("for (let at = 0; at < 12; at++) playground.step()")
    assert page.run("playground.learner.epoch") == 1
    assert len(page.run("Array.from(playground.learner.places)")) == 111
    page.click(".adding button")
    assert page.run("playground.learner.rows.count") == 110
    assert page.run("document.querySelector('.adding button').disabled")


def test_the_keyboard_adds_points_too(page):
    page.run("document.querySelector('.points').focus()")
    page.press("ArrowRight", times=3)
    page.press("ArrowUp", times=2)
    page.press("0")
    page.press("Enter")
    assert page.run("Array.from(playground.learner.rows.row('t', 110))") == [1, 0]
    assert steps(page) == 0
    page.press("Backspace")
    assert page.run("playground.learner.rows.count") == 110


def test_the_surface_says_what_was_learned(page):
    page.press(" ")
    page.wait("playground.learner.steps > 4000")
    page.press(" ")
    assert measured(page)["train error"] < 0.05
    middle, corner = page.run(
        "[[24, 24], [1, 1]].map(([x, y]) => Array.from("
        "document.querySelector('.ground').getContext('2d').getImageData(x, y, 1, 1).data))"
    )
    assert middle[0] > middle[2]  # orange inside
    assert corner[2] > corner[0]  # blue outside


def test_two_runs_are_compared(page):
    assert page.run("document.querySelector('.curves .heading button').disabled")
    page.run("for (let at = 0; at < 5; at++) { playground.step(); playground.evaluator.finish(); }")
    page.press("k")
    write(page, "#set-lr", 0.01)
    page.press("r")
    page.press("ArrowRight", times=4)
    lines = page.run(
        "Array.from(document.querySelectorAll('.legend li')).map(li => li.textContent)"
    )
    assert lines == ["run 1: learning rate 0.1×", "run 2 (now): learning rate 0.01"]
    kept, now = page.run(
        "[playground.runs.kept[0].points.length, playground.runs.now.points.length]"
    )
    assert (kept, now) == (6, 5)
    page.click(".legend button")
    assert page.run("document.querySelectorAll('.legend li').length") == 0
