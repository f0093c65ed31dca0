"""Play, pause, steps, speed, and what stops the training."""

from __future__ import annotations

import pytest
from playground import pages
from playground.driving import measured, state, steps, text, write


def test_a_page_begins_with_the_settings_of_python(page):
    numbers = page.run(
        "Object.fromEntries(Array.from(document.querySelectorAll('.setting input[type=number]'))"
        ".map(input => [input.id, Number(input.value)]))"
    )
    assert numbers == {
        "set-lr": 0.1, "set-momentum": 0.5, "set-weight_decay": 0,
        "set-batch": 20, "set-noise": 0, "set-seed": 3,
    }  # fmt: skip
    assert (
        page.run("document.querySelector('.speed').selectedOptions[0].textContent") == "full speed"
    )
    assert text(page, "h1") == "Points"
    assert measured(page)["step"] == 0
    assert page.run("playground.learner.program.gradients.every(g => !g || g.every(x => x === 0))")


def test_a_step_by_button_and_by_key(page):
    page.click("[data-do=step]")
    page.press("ArrowRight", times=2)
    assert steps(page) == 3
    page.wait("document.querySelector('.steps').textContent === 'step 3 · epoch 0'")
    page.press("r")
    assert steps(page) == 0


def test_play_pause_and_rewind(page):
    first = state(page)
    page.press(" ")
    page.wait("playground.learner.steps > 300")
    assert page.run("document.querySelector('.main').getAttribute('aria-label')") == "Pause"
    page.wait("document.querySelector('.rate').textContent.includes('steps/s')")
    page.click("[data-do=toggle]")
    before = steps(page)
    assert not page.run("playground.loop.playing")
    page.wait("document.querySelector('.rate').textContent === 'paused'")
    assert measured(page)["train loss"] < 0.2
    assert measured(page)["step"] == before == steps(page)
    page.click("[data-do=rewind]")
    assert state(page) == first
    assert text(page, ".status") == "Back to the first weights."
    assert [point["step"] for point in page.run("playground.runs.now.points")] in ([], [0])


def test_the_same_settings_give_the_same_run(page):
    run = "(() => { playground.rewind(); for (let at = 0; at < 25; at++) playground.step(); })()"
    page.run(run)
    first = state(page)
    page.run(run)
    assert state(page) == first
    write(page, "#set-seed", 4)
    assert steps(page) == 0
    page.run(run)
    assert state(page) != first


@pytest.mark.parametrize(("speed", "most"), [(2, 3), (3, 30)])
def test_slow_speeds_take_single_steps(speed, most, page):
    page.run(f"playground.setSpeed({speed})")
    page.press(" ")
    page.wait("playground.learner.steps >= 2")
    assert steps(page) <= most
    page.press("<")
    assert page.run("Number(document.querySelector('.speed').value)") == speed - 1


def test_a_loss_that_is_not_finite_stops_the_training(page):
    write(page, "#set-lr", "1e30")
    page.press(" ")
    page.wait("!playground.loop.playing")
    assert "is not finite" in text(page, ".status")
    page.press("r")
    assert measured(page)["train loss"] < 10


def test_a_long_step_is_interrupted_and_taken_up_again(page):
    page.run("for (let at = 0; at < 12; at++) playground.step()")
    whole = state(page)
    page.press("r")
    page.run("playground.learner.constructor.LONG = -1; playground.learner.isLong = true")
    calls = page.run(
        "(() => { let calls = 0;"
        "while (playground.learner.steps < 12) { playground.learner.step(0); calls++; }"
        "return calls; })()"
    )
    assert calls == 12 * 20  # one entry in each
    assert state(page) == whole


def test_a_list_of_a_fixed_batch_trains_on_full_batches(at):
    page = at("fixed")
    assert page.run("document.querySelector('#set-batch')") is None
    assert text(page, "#fixed-batch") == "10"
    title = "document.querySelector('#fixed-batch').parentNode.title"
    assert "pairs of rows" in page.run(title)
    assert page.run("document.querySelectorAll('.rows tbody tr').length") == 8
    page.run("for (let at = 0; at < 7; at++) playground.step()")
    assert page.run("[playground.learner.epoch, playground.learner.program.batch]") == [2, 10]
    task = pages.fixed()
    batches = [
        {node: rows[at : at + 10] for node, rows in task.train.items()} for at in (0, 10, 20)
    ]
    page.press("r")
    losses = [float(task.graph.forward(batch, outputs=task.loss)) for batch in batches]
    assert measured(page)["train loss"] == pytest.approx(sum(losses) / 3, rel=1e-5)


def test_a_batch_that_the_program_refuses_stops_the_training(at):
    page = at("rows")
    page.run("playground.learner.rows.data.t[25] = 3")
    page.press(" ")
    page.wait("!playground.loop.playing")
    page.wait("/stopped: .*out of range/.test(document.querySelector('.status').textContent)")
