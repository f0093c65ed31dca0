"""Boxes with values and gradients, choosing a node, rows with predictions."""

from __future__ import annotations

import pytest
from playground import pages
from playground.driving import steps, text


def test_boxes_show_values_and_gradients(page):
    page.press("ArrowRight")
    page.press("v")
    page.wait("document.querySelector('[data-view=nodes-wide]').hidden === false")
    shown = page.run(
        "Array.from(document.querySelector('#nodes-wide-n2').querySelectorAll('text'))"
        ".map(text => text.textContent.trim()).filter(Boolean).slice(-4)"
    )
    norms = page.run(
        "[playground.learner.program.values[2], playground.learner.program.gradients[2]]"
        ".map(array => Math.hypot(...array))"
    )
    assert shown[0::2] == ["value", "grad"]
    assert [float(each) for each in shown[1::2]] == pytest.approx(norms, rel=6e-3)
    drawn = page.run(
        "Array.from(document.querySelectorAll('[data-view=nodes-wide] canvas')).map(canvas =>"
        " canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        ".some(byte => byte))"
    )
    assert len(drawn) > 20
    assert all(drawn)


def test_a_box_is_chosen_by_hand_and_by_key(page):
    linear = pages.plane().graph["2.linear"].index
    key = page.run(
        "Object.entries(playground.data.views[0].boxes)"
        f".find(([, box]) => box.nodes.includes({linear}))[0]"
    )
    page.click(f"#layers-wide-{key}")
    assert text(page, ".card h2").endswith("2.linear")
    page.click(".siblings button")
    assert text(page, ".card h2").endswith("2.weight")
    page.press("Escape")
    assert page.run("document.querySelector('.card').hidden")
    page.run("document.querySelector('.picture').focus()")
    page.press("ArrowRight", times=2)
    assert page.run("playground.chosen") == 1
    assert steps(page) == 0


def test_rows_are_shown_with_their_predictions(at):
    page = at("rows")
    lines = page.run(
        "Array.from(document.querySelectorAll('.rows tbody tr')).map(row =>"
        " Array.from(row.children).map(cell => cell.textContent))"
    )
    task = pages.rows()
    task.graph.eval()
    task.graph.forward(dict(task.train))
    outputs, labels = task.output.top, task.train[task.targets[0]]
    for place, (row, label, said, output, *_) in enumerate(lines):
        assert (int(row), int(label)) == (place, int(labels[place]))
        best = int(outputs[place].argmax())
        assert said == f"{'✓' if best == labels[place] else '✗'} {best}"
        assert [float(each) for each in output.split()] == pytest.approx(
            outputs[place].tolist(), rel=6e-3, abs=1e-3
        )
    task.graph.train()
    assert len(lines) == 8
