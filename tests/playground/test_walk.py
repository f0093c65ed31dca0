"""One node at a time: forward, backward, update; the card of a node."""

from __future__ import annotations

import re

import pytest
from playground import pages
from playground.driving import steps, text


def test_the_walk_goes_forward_backward_and_updates(page):
    task = pages.plane()
    names = [task.graph.name_of(node) for node in task.graph]
    whole = (
        "(() => { playground.step(); return Array.from(playground.learner.state['0.weight']); })()"
    )
    after = page.run(whole)
    page.press("r")
    events, phases = [], []
    while steps(page) == 0:
        page.press("n")
        node, phase = page.run("[playground.event.node, playground.event.phase]")
        events.append(node)
        phases.append(phase)
        assert text(page, ".card h2") == f"{node} · {names[node]}"
        assert text(page, ".status").lower() == f"{phase} at {names[node]}."
    forward = [node for node, phase in zip(events, phases, strict=True) if phase == "forward"]
    backward = [node for node, phase in zip(events, phases, strict=True) if phase == "backward"]
    updated = [names[node] for node, phase in zip(events, phases, strict=True) if phase == "update"]
    operations = [names.index(node.name) for node in task.graph if hasattr(node, "op")]
    assert (forward, backward) == (operations, operations[::-1])
    assert updated == [task.graph.name_of(node) for node in task.graph.parameters()]
    assert phases == sorted(phases, key=["forward", "backward", "update"].index)
    assert page.run("Array.from(playground.learner.state['0.weight'])") == after


def test_the_card_shows_formulas_and_numbers_of_the_walk(page):
    page.press("n")
    assert text(page, ".formula.now").startswith("linear₀ = b₀ + x · W₀ᵀ")
    assert "1 of 20 in step 1. Forward" in text(page, ".sentence")
    shown = page.run("Array.from(document.querySelectorAll('.grids td')).map(td => td.textContent)")
    values = page.run("Array.from(playground.learner.program.values[4].subarray(0, 4))")
    assert [float(each) for each in shown[:4]] == pytest.approx(values, rel=6e-3, abs=1e-3)
    page.press("n", times=7)
    now = page.run("Array.from(document.querySelectorAll('.formula.now')).map(p => p.textContent)")
    assert [line.split(" = ")[0] for line in now] == ["dL/dL", "dL/d(lossmse.squared_error)"]
    assert text(page, ".box.now title").startswith("lossmse")
    page.press("n", times=7)
    assert "Update: SGD moves it by" in text(page, ".sentence")


def test_a_number_is_written_out_and_the_program_is_shown(page):
    page.press("n")
    page.run("document.querySelector('.grids td').focus()")
    values = page.run(
        "(({x}, s) => [x[0], s['0.weight'][0], x[1], s['0.weight'][1], s['0.bias'][0]])"
        "(playground.learner.program.inputs, playground.learner.state)"
    )
    written = text(page, ".told")
    assert [float(part) for part in re.split("·|\\+", written.split("=")[0])] == pytest.approx(
        values, rel=6e-3, abs=1e-3
    )
    page.press("n")
    page.hover(".grids td")
    assert text(page, ".told").startswith("tanh(")
    assert "function backward_layer1_tanh() {" in text(page, ".card pre")
    page.run("document.querySelector('.card summary').click()")
    page.press("n")
    assert page.run("document.querySelector('.card details').open")


def test_a_layer_of_many_nodes_has_a_menu(at):
    page = at("rows")
    page.run("playground.choose(playground.data.nodes.findIndex(each => each.name === '1.rsqrt'))")
    page.run(
        "(e => { e.selectedIndex = 0; e.dispatchEvent(new Event('change')); })"
        "(document.querySelector('.card select'))"
    )
    assert text(page, ".card h2").endswith("· 1.weight")


def test_a_walk_begins_with_nothing_but_its_batch(page):
    page.press("ArrowRight", times=3)
    page.press("n")
    zero = page.run(
        "playground.data.nodes.map((node, at) => node.kind !== 'operation' || at === 4 ||"
        " playground.learner.program.values[at].every(value => value === 0))"
    )
    assert all(zero)


def test_the_rest_of_a_step_is_taken_at_once(page):
    page.press("n", times=5)
    page.press("ArrowRight")
    assert steps(page) == 1
    assert page.run("[playground.event, playground.learner.at]") == [None, None]
    assert page.run("document.querySelector('.card').hidden")


def test_play_at_the_speed_of_nodes_is_the_walk(page):
    page.run("playground.setSpeed(1)")
    page.press(" ")
    page.wait("playground.event && playground.event.node > 4")
    assert steps(page) == 0
