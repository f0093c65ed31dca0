"""What a page is made of: the views of its modules, their ports, the cards; its size, its bytes."""

from __future__ import annotations

import json
import re

import pytest
import torch
from draw.example_modules import Block
from draw.test_hostile import NAMES, PLAIN, Tags, walked
from draw.test_page import lenet, outer, siamese

import graphnet as gn
from graphnet.draw.page import page as page_module
from graphnet.draw.page import views as views_module
from graphnet.draw.page.page import notebook_of, page_of
from graphnet.draw.page.views import views_of
from graphnet.graph import Operation


def drawn(net, **options):
    graph = net()[0]
    return graph, graph.draw(**{"engine": "ranker", "depth": 0, **options})


def shared_layer():
    """A layer in two modules."""
    with gn.Graph() as graph:
        layer = gn.Linear(3, 3)
        model = gn.Sequential(gn.Sequential(layer, gn.Tanh()), gn.Sequential(gn.Tanh(), layer))
        model(gn.Input((None, 3), name="x"))
    return graph, None, None


def views(drawing):
    return views_of(drawing, drawing.source)


def data_of(page):
    return json.loads(re.search(r'application/json">(.*?)</script>', page, re.DOTALL)[1])


@pytest.mark.parametrize("net", [lenet, outer, siamese])
def test_every_node_is_in_exactly_one_of_the_innermost_boxes(net):
    graph, drawing = drawn(net)
    found = [
        node
        for view in views(drawing)
        for box in view.boxes
        if box.key not in view.children
        for node in box.nodes
    ]
    assert len(found) == len(set(found)) == len(graph)


@pytest.mark.parametrize("net", [lenet, outer, siamese, shared_layer])
def test_every_read_of_the_list_is_an_arrow_or_goes_through_ports(net):
    graph, drawing = drawn(net)
    made = views(drawing)
    reads = {
        (source, node) for node in graph if isinstance(node, Operation) for source in node.inputs
    }
    shown = set()
    for view in made:
        by_key = {box.key: box.nodes for box in view.boxes} | view.beyond
        for arrow in view.scene.arrows:
            pairs = ((a, b) for a in by_key[arrow.source] for b in by_key[arrow.target])
            shown |= reads.intersection(pairs)
    assert shown == reads
    for view in made:  # what opens has a port for each arrow that a view has around it
        for key, child in view.children.items():
            into = [place for place, arrow in enumerate(view.scene.arrows) if arrow.target == key]
            out = [place for place, arrow in enumerate(view.scene.arrows) if arrow.source == key]
            assert sorted(made[child].entrances) == into
            assert sorted(made[child].exits) == out


def test_a_shared_weight_enters_a_module_that_does_not_own_it():
    _, drawing = drawn(shared_layer)
    ports = {
        view.title: {box.name for box in view.scene.boxes if not box.nodes}
        for view in views(drawing)
    }
    inner = next(ports[title] for title in ports if title.startswith("0.0"))
    assert {"weight, bias", "output"} <= inner


def test_what_is_repeated_opens_as_one_of_its_copies():
    torch.manual_seed(0)
    with gn.Graph() as graph:
        gn.Sequential(*(Block(3) for _ in range(24)))(gn.Input((None, 3), name="x")).sum()
    folded, *inside = views(graph.draw(engine="ranker", depth=0))
    assert len(folded.children) == 1
    assert inside[0].title == "0 … 23 · Block · one of 24"
    assert len(inside) == 3  # the block and its two layers
    assert len(inside[0].exits) == len(inside[0].entrances) == 1  # of the last, of the first
    drawing = graph.draw(engine="ranker", depth=1)
    made = views(drawing)
    titles = [view.title for view in made[1:]]
    assert titles
    assert all(title.endswith("one of 24") for title in titles)
    assert not any(box.symbol == "+" and box.key in made[0].children for box in made[0].boxes)
    for view in made[1:]:
        assert [len(box.nodes) for box in view.boxes] == [1] * len(view.boxes)
    names = {name for view in data_of(page_of(drawing, drawing.source))["views"]
             for each in view["names"].values() for name in each}  # fmt: skip
    assert {"7.first.weight", "23.second.bias"} <= names  # a search finds the other copies too


def test_views_stop_where_a_page_would_become_too_large(monkeypatch):
    monkeypatch.setattr(views_module, "MOST_BOXES", 12)
    monkeypatch.setattr(page_module, "MOST_BOXES", 12)
    _, drawing = drawn(outer)
    assert sum(len(view.scene) for view in views(drawing)) < 40
    assert "This network has very many nodes" in page_of(drawing, drawing.source)


def test_a_card_has_settings_shape_formula_and_statistics():
    graph, feed, loss = lenet()
    graph.forward(feed)
    graph.backward(loss)
    drawing = graph.draw(engine="ranker", depth=0)
    data = data_of(page_of(drawing, drawing.source))
    cards = {lines[0]: lines for view in data["views"] for lines in view["cards"].values()}
    weight = cards["0.weight"]
    assert any(line.startswith("value ‖") for line in weight)
    assert any(line.startswith("gradient ‖") for line in weight)
    convolution = next(
        lines for lines in cards.values() if "Conv2dBias(padding=(2, 2, 2, 2))" in lines
    )
    assert any(line.startswith("dL/dW₀ = ") for line in convolution)
    assert len(data["views"]) > 5


def test_large_tensors_have_no_formulas_since_those_are_tried_out():
    with gn.Graph() as graph:
        gn.Input((None, 3, 300, 300), name="x").tanh()
        gn.Input((None, 3), name="y").tanh()
    drawing = graph.draw(engine="ranker")
    (view,) = data_of(page_of(drawing, drawing.source))["views"]
    large, small = (view["cards"][key] for key in ("n1", "n3"))
    assert not any("=" in line for line in large)
    assert any(line.startswith("tanh_1 = tanh(y)") for line in small)


def test_the_page_of_lenet_is_small_and_needs_nothing_else(tmp_path):
    _, drawing = drawn(lenet)
    path = drawing.save(tmp_path / "net.html")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 400_000
    assert "src=" not in text
    assert "@import" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_the_same_list_gives_the_same_bytes(tmp_path):
    one, other = (drawn(lenet)[1].save(tmp_path / f"{name}.html").read_bytes() for name in "ab")
    assert one == other


def test_a_drawing_without_a_list_has_no_page(tmp_path):
    from graphnet.draw.drawing import drawing_of
    from graphnet.draw.scene.scene import Box, Scene

    drawing = drawing_of(Scene([Box("n0", "input", "x")]), engine="ranker")
    with pytest.raises(gn.GraphError, match="A page is made of a list"):
        drawing.save(tmp_path / "net.html")
    assert set(drawing._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}


def test_a_notebook_gets_the_page_if_it_is_small_and_else_the_picture(monkeypatch):
    _, drawing = drawn(lenet)
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert "data-embedded" in bundle["text/html"]
    assert "<html" not in bundle["text/html"]
    monkeypatch.setattr(page_module, "MOST_BYTES", 20_000)
    assert notebook_of(drawing, drawing.source) is None
    assert set(drawing._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}


def test_remarks_and_what_is_shared_stand_below():
    _, drawing = drawn(siamese, remarks=["Look <here>."], depth=1)
    notes = re.search('<div class="notes">(.*?)</div>', page_of(drawing, drawing.source))[1]
    assert "Look &lt;here&gt;." in notes
    assert "is shared" in notes


def without_texts(page):
    """The elements of a page; how many lines a name takes in a box depends on the name."""
    return [each for each in page.found if "text" not in each and each[0] != "text"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_names_stay_names(name):
    pages = {}
    for each in (name, PLAIN):
        drawing = walked(each)[0].draw(engine="ranker", depth=0)
        pages[each] = page_of(drawing, drawing.source)
    page, plain = Tags(pages[name]), Tags(pages[PLAIN])
    assert page.others == plain.others
    data, program = page.scripts
    assert program == plain.scripts[1]
    assert not re.search("[<\u2028\u2029]", data)
    if "." not in name:  # a dot makes modules
        assert without_texts(page) == without_texts(plain)
        assert len(json.loads(data)["views"]) == len(json.loads(plain.scripts[0])["views"])
    assert pages[name].count("<script") == pages[name].lower().count("</script") == 2
