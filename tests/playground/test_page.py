"""The page as a text: what is in it, its policy, its size, and where it is written."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from playground import pages

import graphnet as gn
from graphnet.errors import GraphError
from graphnet.experiments import disk
from graphnet.experiments.options import Settings
from graphnet.playground import page as page_module
from graphnet.playground.page import SCRIPTS, page_of, write_page

FOLDER = Path(page_module.__file__).parent


class Parsed(HTMLParser):
    """The elements of a page, and the texts of its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], {"script": [], "style": []}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in self.texts:
            self._open = tag
            self.texts[tag].append("")

    def handle_endtag(self, tag):
        if tag == self._open:
            self._open = None

    def handle_data(self, data):
        if self._open:
            self.texts[self._open][-1] += data

    @property
    def policy(self):
        (found,) = [a for _, a in self.elements if "http-equiv" in a]
        return dict(rule.split(" ", 1) for rule in found["content"].split("; "))

    @property
    def data(self):
        return json.loads(self.texts["script"][0])


def hashes(texts):
    return {f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in texts}


@pytest.fixture(scope="module", params=["plane", "rows", "hostile"])
def parsed(request):
    return Parsed(page_of(getattr(pages, request.param)()))


def test_the_policy_allows_the_scripts_and_styles_of_the_page_alone(parsed):
    rules = parsed.policy
    data, *scripts = parsed.texts["script"]
    assert set(rules["script-src"].split()) == hashes(scripts)
    assert set(rules["style-src"].split()) == hashes(parsed.texts["style"])
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in str(rules)
    assert json.loads(data)["nodes"]


def test_nothing_is_asked_of_a_network_and_nothing_is_evaluated(parsed):
    for tag, attributes in parsed.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not {"src", "href", "style", "onload", "onclick", "srcset"} & attributes.keys(), tag
    code = "".join(parsed.texts["script"][1:])
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write|import\(|fetch\(", code)


def test_a_page_has_three_scripts_and_no_more(parsed):
    assert len(parsed.texts["script"]) == 3


def test_the_data_describe_each_node():
    task = pages.plane()
    data = Parsed(page_of(task)).data
    linear = data["nodes"][task.graph.index(task.output)]
    assert linear["name"] == "4.linear"
    assert linear["shape"] == ["batch", 2]
    assert [data["nodes"][place]["name"] for place in linear["inputs"]] == [
        "3.tanh", "4.weight", "4.bias",
    ]  # fmt: skip
    assert linear["value"].startswith("linear₄ = b₄ + tanh₃ · W₄ᵀ")
    assert [line.split(" = ")[0] for line in linear["gradient"]] == [
        "dL/dtanh₃", "dL/dW₄", "dL/db₄",
    ]  # fmt: skip
    assert data["numbers"].keys() >= {"lr", "momentum", "weight_decay"}
    assert data["state"].keys() == {task.graph.name_of(node) for node in task.graph.parameters()}
    assert [view["id"] for view in data["views"]] == [
        "layers-wide", "layers-narrow", "nodes-wide", "nodes-narrow",
    ]  # fmt: skip
    for view in data["views"]:
        shown = {node for box in view["boxes"].values() for node in box["nodes"]}
        assert shown == set(range(len(task.graph)))


def names(task):
    return {view["name"] for view in Parsed(page_of(task)).data["views"]}


def test_a_large_list_is_shown_as_layers_and_a_small_one_as_nodes(monkeypatch):
    monkeypatch.setattr("graphnet.playground.views.MOST_BOXES", 10)
    assert names(pages.plane()) == {"layers"}
    assert names(pages.list_task()) == {"nodes"}


def test_a_list_with_a_fixed_batch_has_no_plane():
    data = Parsed(page_of(pages.list_task(batch=10))).data
    assert (data["open"], data["plane"], data["maps"]) == (False, False, [])
    assert Parsed(page_of(pages.list_task())).data["plane"]


def test_the_same_list_gives_the_same_bytes():
    assert page_of(pages.plane()) == page_of(pages.plane.__wrapped__())


def test_every_script_of_the_folder_is_in_the_page():
    assert {path.name for path in FOLDER.glob("*.js")} == {*SCRIPTS}


def test_the_page_of_the_disk_is_small(tmp_path):
    path = disk.write_playground(Settings(), tmp_path / "disk.html")
    assert path.stat().st_size <= 300_000
    assert "<title>Inside or outside the disk</title>" in path.read_text(encoding="utf-8")


# files


def written(file):
    model = pages.plane_model()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    return gn.playground(model, gn.LossMSE(), pages.points(40), sgd, file)


def test_the_door_of_the_package_and_that_of_a_list_write_a_page(tmp_path):
    assert written(tmp_path / "model.html") == tmp_path / "model.html"
    assert "<title>Sequential</title>" in (tmp_path / "model.html").read_text(encoding="utf-8")
    graph, loss, _, feed = pages.plain_list()
    sgd = gn.SGD(graph.parameters(), lr=0.1)
    path = graph.playground(loss, feed, sgd, str(tmp_path / "list.html"), test=feed, title="a < b")
    text = path.read_text(encoding="utf-8")
    assert "<title>a &lt; b</title>" in text
    assert Parsed(text).data["test"].keys() == {"x", "t"}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("disk.txt", "such as 'disk.html'; got 'disk.txt'"),
        ("disk", "such as 'disk.html'; got 'disk'"),
        ("nowhere/disk.html", "does not exist"),
        ("folder.html", "cannot be written"),
        (3, "file must be the path of a page"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_in_words(file, said, tmp_path):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(GraphError) as caught:
        written(tmp_path / file if isinstance(file, str) else file)
    assert said in str(caught.value)


def test_what_has_no_form_in_javascript_is_named(tmp_path):
    class Odd(gn.Op):
        symbol = "odd"
        structural = True

        def forward(self, x):
            return x.sort(0).values

        def grad_x(self, grad):
            return grad

    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    w = graph.parameter(torch.ones(2), name="w")
    loss = Odd()(x * w).mean()
    with pytest.raises(GraphError, match=r"JavaScript.* odd"):
        graph.playground(loss, {"x": torch.rand(40, 2)}, gn.SGD([w], lr=0.1), tmp_path / "o.html")
    assert list(tmp_path.iterdir()) == []


def test_weights_and_mode_are_left_as_they_were(tmp_path):
    task = pages.rows()
    before = {node: node.top.clone() for node in task.graph.parameters()}
    write_page(task, tmp_path / "rows.html")
    assert all(torch.equal(node.top, value) for node, value in before.items())
    assert all(task.graph.modes)
