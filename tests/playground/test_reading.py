"""A page read back by Python: its rows, its weights, and what is none of it."""

from __future__ import annotations

import pytest
import torch
from playground import pages

import graphnet as gn
from graphnet.errors import FeedError, GraphError, LoadError
from graphnet.playground.reading import read


def test_a_page_is_read_back(files):
    task = pages.rows()
    page = read(files["rows"])
    for node, rows in task.train.items():
        assert torch.equal(page.train[node.name], rows)
        assert page.train[node.name].dtype == rows.dtype
    assert page.test == {}
    assert page.inputs == ("x",)
    first = pages.rows.__wrapped__().graph
    page.load_weights(first)
    assert all(torch.equal(page.weights[name], first[name].top) for name in page.weights)
    assert {*read(files["plane"]).test} == {"x", "t"}


def test_what_is_no_page_is_refused(tmp_path, files):
    data = files["plane"].read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.html"
    for content in ("", "<p>a page</p>", data.replace('"kind":"float32"', '"kind":"eval"'),
                    data.replace('"nodes":', '"other":')):  # fmt: skip
        wrong.write_text(content, encoding="utf-8")
        with pytest.raises(LoadError, match=r"wrong.html is no page of the playground") as caught:
            gn.playground.read(wrong)
        assert "Error(" not in str(caught.value)
    with pytest.raises(LoadError, match="cannot be read"):
        gn.playground.read(tmp_path / "missing.html")


def test_another_list_is_refused(files):
    page, sgd = read(files["plane"]), {"lr": 0.1}
    task = pages.dense([9])
    with pytest.raises(LoadError, match=r"0.weight of \(6, 2\); the list has \(9, 2\)"):
        page.load_weights(task.graph)
    graph = gn.Graph()
    graph.input((None, 2), name="points")
    w = graph.parameter(torch.ones(2), name="w")
    with pytest.raises(LoadError, match="the list has nothing of this name"):
        page.load_weights(graph)
    numbers = {"steps": 1, "batch_size": 5, "seed": 0}
    with pytest.raises(FeedError, match=r"rows of the page are of x, t; the list .* points"):
        page.repeat(graph, w.sum(), gn.SGD([w], **sgd), **numbers)
    with pytest.raises(GraphError, match="no setting speed"):
        page.repeat(task.graph, task.loss, task.optimizer, **numbers, changes=[(0, "speed", 1)])
    with pytest.raises(GraphError, match="dense layers"):
        gn.playground.draw_weights(gn.Conv2d(1, 2, 3), seed=0)
