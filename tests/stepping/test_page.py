"""The page of a walk: what it shows with scripts off and on, and what a notebook keeps of it."""

from __future__ import annotations

import html
import json
import re

import pytest
import torch
from draw.example_modules import shared_network

import graphnet as gn
from graphnet.stepping import page as page_module
from graphnet.stepping.frames import Frames
from graphnet.stepping.page import cards, edits, lines_of, notebook_of, page_of


@pytest.fixture(scope="module")
def frames():
    return Frames(shared_network(), engine="ranker")


def many_layers():
    """A net with too many pictures for a notebook if nothing is folded."""
    torch.manual_seed(0)
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x")
        for size in range(3, 19):
            weight = graph.parameter(torch.rand(size, size + 1), name=f"weight_{size}")
            x = (x.matmul(weight) + graph.parameter(torch.rand(size + 1), name=f"b_{size}")).tanh()
        loss = x.sum()
    return graph.walk({"x": torch.rand(5, 3)}, loss).frames(engine="ranker", depth=9)


def test_the_card_of_a_shared_parameter_says_that_its_parts_are_added(frames):
    graph = frames.walk.graph
    weight = next(node for node in graph.parameters() if node.shape == (3, 3))
    card = cards(frames)[f"n{graph.index(weight)}"]
    name = graph.name_of(weight)
    total = f"dL/d{name} = dL/d{name}⁽¹⁾ + dL/d{name}⁽²⁾"
    assert [line.startswith(total) for line in card].count(True) == 1
    for use in ("⁽¹⁾", "⁽²⁾"):
        assert [line.startswith(f"dL/d{name}{use} = ") for line in card].count(True) == 1
    assert set(cards(frames)) == {box.key for box in frames.scene.boxes}


def test_the_card_of_an_input_with_gradient():
    graph = gn.Graph()
    x = graph.input((3,), name="x", requires_grad=True)
    frames = graph.walk({"x": torch.ones(3)}, (x * x.tanh()).sum()).frames(engine="ranker")
    assert cards(frames)["n0"][:2] == ["x   (3)", "dL/dx = dL/dx⁽¹⁾ + dL/dx⁽²⁾   (3)"]


def test_the_card_of_a_folded_layer_has_its_formulas_and_its_result():
    torch.manual_seed(0)
    with gn.Graph() as graph:
        loss = gn.Sequential(gn.Linear(3, 2), gn.Tanh())(gn.Input((None, 3), name="x")).sum()
    frames = graph.walk({"x": torch.rand(4, 3)}, loss).frames(engine="ranker", depth=0)
    box = next(box for box in frames.scene.boxes if len(box.nodes) == 3)
    card = cards(frames)[box.key]
    assert card[0].startswith("linear₀ = b₀ + x · W₀ᵀ")
    assert any(line.startswith("dL/dW₀ = ") for line in card)
    data = json.loads(re.search(r'application/json">(.*?)</script>', page_of(frames), re.DOTALL)[1])
    value, gradient = data["numbers"][box.key]
    assert (value["label"], gradient["label"]) == ("value", "gradient")
    assert len(value["rows"]) == 4
    assert all(" = " in text for text in value["told"])


def test_a_notebook_gets_a_part_of_a_large_walk_and_hears_of_the_rest(tmp_path):
    frames = many_layers()
    frames.html(tmp_path / "walk.html")
    assert (tmp_path / "walk.html").stat().st_size > 300_000
    inner = notebook_of(frames)
    shown = len(
        json.loads(re.search(r'application/json">(.*?)</script>', inner, re.DOTALL)[1])["captions"]
    )
    assert 1 < shown < len(frames)
    assert f"Only {shown} of {len(frames)} steps are here" in inner
    assert "frames.html(" in inner
    assert frames.caption(-1) in re.sub("&#x27;", "'", inner)
    assert sum(len(text.encode()) for text in frames._repr_mimebundle_().values()) < 300_000


def test_pictures_too_large_for_a_notebook_are_left_out(frames, monkeypatch):
    monkeypatch.setattr(page_module, "MOST_BYTES", 5_000)
    assert notebook_of(frames).startswith('<p class="note">None of the large pictures is here')
    assert "<svg" not in notebook_of(frames)


def test_a_long_text_has_its_two_ends(frames, monkeypatch):
    monkeypatch.setattr(page_module, "_MOST_LINES", 2)
    lines = lines_of(frames).split("\n")
    assert lines == [
        *(frames.caption(at) for at in (0, 1)),
        f"… {len(frames) - 4} steps left out …",
        *(frames.caption(at) for at in (-2, -1)),
    ]


def test_edits_make_each_text_out_of_the_one_before(frames):
    texts = [frames[-1], *frames]
    lines = texts[0].split("\n")
    for changes, text in zip(edits(texts), texts[1:], strict=True):
        for place, put in changes:
            lines[place] = put
        assert "\n".join(lines) == text


def test_the_page_reads_well_without_scripts(frames):
    page = page_of(frames)
    still = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert frames[-1] in still
    assert "<details open>" in still
    assert html.escape(frames.caption(-1)) in still.partition("<svg")[0]
    assert still.count("<li>") == len(frames)
    assert "src=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    data = json.loads(re.search(r'application/json">(.*?)</script>', page, re.DOTALL)[1])
    assert len(data["captions"]) == len(frames)
    assert set(cards(frames)) == set(data["cards"])
    assert data["boxes"] == [frames.box(number) for number in range(len(frames))]
    assert set(data["boxes"]) <= set(data["cards"])


def test_hostile_names_stay_names():
    name = "</script><script>alert(1)</script>\"'&"
    page = page_of(Frames(shared_network(name), engine="ranker"))
    assert page.count("<script") == 2
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_the_same_walk_gives_the_same_bytes():
    assert page_of(Frames(shared_network())) == page_of(Frames(shared_network()))
