"""The page in a cell of a notebook: a sandboxed frame."""

from __future__ import annotations

import html
import re

import pytest
import torch
from playground import pages
from playground.test_way_back import arrived

import graphnet as gn
from graphnet.errors import RangeError


def made(**options):
    model = pages.plane_model()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    return gn.playground(
        model, gn.LossMSE(), pages.points(40), sgd, title='a "b" <c>', seed=3, **options
    )


def test_a_page_without_a_file_is_an_object_that_a_notebook_shows():
    cell = made(height=500)
    shown = cell._repr_html_()
    assert re.fullmatch(r"<iframe [^<>]*></iframe>", shown)
    attributes = dict(re.findall(r'(\w+)="([^"]*)"', shown))
    assert attributes["sandbox"] == "allow-scripts allow-downloads"
    assert "height:500px" in attributes["style"]
    assert html.unescape(attributes["srcdoc"]) == cell.page
    assert html.unescape(attributes["title"]) == 'a "b" <c>'
    assert "\n" not in repr(cell)
    assert len(repr(cell)) < 120


def test_it_is_written_to_a_file_as_any_page(tmp_path):
    file = tmp_path / "page.html"
    assert made().save(file) == file
    other = tmp_path / "other.html"
    made(file=other)
    assert file.read_bytes() == other.read_bytes()


def test_a_list_has_a_cell_too():
    graph, loss, _, feed = pages.plain_list()
    cell = graph.playground(loss, feed, gn.SGD(graph.parameters(), lr=0.1), height=300)
    assert cell.title == "Network"
    assert cell.height == 300


@pytest.mark.parametrize("height", [-1, 0, 199])
def test_a_frame_has_a_height_that_can_be_read(height):
    with pytest.raises(RangeError, match="integer of 200 or more"):
        made(height=height)


def test_the_frame_trains_and_hands_over_its_weights(window, tmp_path):
    """Its origin is none, so that nothing of the notebook can be read; files can be taken away."""
    cell = tmp_path / "cell.html"
    made(file=cell)
    window.resize(1280, 700)
    notebook = tmp_path / "notebook.html"
    head = "<!doctype html><meta charset=utf-8><body style='margin:0'>"
    notebook.write_text(head + made(height=700)._repr_html_(), encoding="utf-8")
    window.go(notebook)
    folder = tmp_path / "files"
    folder.mkdir()
    window.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    frame = window.frame()
    frame.wait("typeof playground === 'object'")
    step, weights = map(frame.middle, ("[data-do=step]", "[data-do=weights]"))
    while not frame.run("playground.learner.steps"):  # a frame takes clicks once it is painted
        window.click(step)
    window.click(weights)
    model, expected = pages.plane_model(), pages.plane_model()
    gn.load_weights(model, arrived(folder))
    steps = frame.run("playground.learner.steps")
    assert frame.run("origin") == "null"
    assert frame.run("document.querySelector('[data-do=link]').hidden")
    assert frame.faults == []
    sgd = gn.SGD(expected.parameters(), lr=0.1)
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(expected(x), t)
    gn.playground.read(cell).repeat(graph, loss, sgd, steps=steps, batch_size=32, seed=3)
    for one, other in zip(model.parameters(), expected.parameters(), strict=True):
        assert torch.allclose(one.top, other.top, atol=1e-6)
