"""`graph.draw` and `module.draw`: one call, one picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
import torch

import graphnet as gn
from graphnet.draw.svg.style import MARKED


def network():
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(2, 25), gn.ReLU(), gn.Linear(25, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(model(x), t)
    return graph, loss


def texts(drawing):
    root = ET.fromstring(drawing.svg)
    return [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_every_node_is_drawn_with_its_shape():
    graph, _ = network()
    drawing = graph.draw()
    assert len(drawing.scene) == len(graph)
    assert texts(drawing).count("?×25") == 2
    assert "625 parameters" not in texts(drawing)
    assert "50 parameters" in texts(drawing)
    assert "?×25" not in texts(graph.draw(show=()))


def test_values_and_gradients_are_shown_as_far_as_they_are_known():
    graph, loss = network()

    def known(kind):
        found = texts(graph.draw(show=("shape", "top", "grad")))
        return sum(text is not None and text.startswith(f"{kind} ") for text in found)

    assert known("top") == 4  # the parameters
    graph.forward(x=torch.rand(5, 2), t=torch.rand(5, 2))
    assert known("top") == len(graph)
    graph.backward(loss)
    assert known("grad") == len(graph) - 2  # not the inputs


def test_findings_are_painted():
    graph, loss = network()
    graph.forward(x=torch.rand(9, 2), t=torch.rand(9, 2))
    graph.backward(loss)
    plain, marked = graph.draw(), graph.draw(marks={4: "dead units"})
    assert MARKED not in plain.svg
    assert MARKED in marked.svg
    assert "dead units" in texts(marked)
    folded = graph.draw(
        depth=0, marks={node.index: "dead" for node in graph if node.kind == "operation"}
    )
    assert any("findings" in (text or "") for text in texts(folded))


def test_a_module_is_drawn_from_shapes():
    drawing = gn.Linear(3, 2).draw((None, 3))
    assert [box.kind for box in drawing.scene.boxes].count("parameter") == 2
    pair = gn.LossMSE().draw((4, 2), (4, 2))
    assert [box.name for box in pair.scene.boxes if box.kind == "input"] == ["x0", "x1"]


def test_a_module_of_a_wrong_shape_is_refused_as_ever():
    with pytest.raises(gn.ShapeError):
        gn.Linear(3, 2).draw((None, 4))


@pytest.mark.parametrize("show", ["top", ("tops",), ("shape", 1), ([],), None, 5])
def test_only_what_is_known_can_be_shown(show):
    with pytest.raises(gn.GraphError, match="show must be"):
        network()[0].draw(show=show)


WRONG_OPTIONS = [  # options, words of the message
    ({"lol": 3}, r"has the options show, depth, open, .*; got 'lol'"),
    ({"loss": "x"}, "loss must be a node of this graph .*; got 'x'"),
    ({"loss": 3}, "; got 3"),
    ({"loss": network()[1]}, "is not a node of <Graph"),
    ({"marks": "dead"}, "marks must map places .*; got 'dead'"),
    ({"marks": {4: 3}}, "marks must map places"),
    ({"marks": {"0.linear": "dead"}}, "marks must map places"),
    ({"notes": [4]}, "notes must map places"),
    ({"remarks": "one"}, r"remarks must be sentences in a list.*; got 'one'"),
    ({"remarks": [1]}, "remarks must be sentences"),
    ({"remarks": None}, "remarks must be sentences"),
]


@pytest.mark.parametrize(("options", "words"), WRONG_OPTIONS)
def test_a_wrong_option_is_refused_with_the_rule(options, words):
    with pytest.raises(gn.GraphError, match=words):
        network()[0].draw(**options)


def test_a_loss_of_many_numbers_is_refused():
    graph, loss = network()
    with pytest.raises(gn.GraphError, match="single floating-point number"):
        graph.draw(loss=loss.inputs[0])
    kinds = {box.name: box.kind for box in graph.draw(loss=loss).scene.boxes}
    assert kinds["mean"] == "loss"


@pytest.mark.parametrize("shapes", [(3,), ("x",), (), ((None, 3), (None, 3))])
@pytest.mark.parametrize("module", [gn.Linear(3, 2), gn.Sequential(gn.Linear(3, 2))])
def test_a_module_takes_a_shape_for_each_input(module, shapes):
    with pytest.raises(
        gn.GraphError,
        match=r"draw takes a shape for each input, .*draw\(\(.*"
        r"; got (3\.|'x'\.|[02] shapes for the inputs \(x\))",
    ):
        module.draw(*shapes)


def test_drawing_changes_nothing():
    graph, loss = network()
    graph.forward(x=torch.rand(5, 2), t=torch.rand(5, 2))
    graph.backward(loss)
    before = [
        (node.top.clone(), None if node.grad is None else node.grad.clone()) for node in graph
    ]
    graph.draw(show=("top", "grad"))
    for node, (top, grad) in zip(graph, before, strict=True):
        assert torch.equal(node.top, top)
        assert grad is None or torch.equal(node.grad, grad)


def test_ten_thousand_nodes_are_folded_and_drawn():
    graph = gn.Graph()
    y = graph.input((2,), name="x")
    for _ in range(5_000):
        y = (y * 0.9).tanh()
    drawing = graph.draw(engine="ranker")
    assert len(drawing.scene) <= 60
    ET.fromstring(drawing.svg)


def test_reports_have_front_doors():
    graph, loss = network()
    graph.forward(x=torch.rand(9, 2), t=torch.rand(9, 2))
    graph.backward(loss)
    assert "127" in str(graph.summary())
    assert isinstance(graph.doctor().marks, dict)
    assert "0.weight" in graph.derivation() or "W" in graph.derivation()
    assert len(graph.walk({"x": torch.rand(3, 2), "t": torch.rand(3, 2)}, loss).frames()) > 10


def test_the_doctor_paints_its_findings():
    graph = gn.Graph()
    graph.input((None, 3), name="x").relu()
    graph.forward(x=-torch.ones(10, 3))
    drawing = graph.doctor().draw(engine="ranker")
    assert "3 of 3 dead" in texts(drawing)
    assert MARKED in drawing.svg
    assert "3 of 3 units are dead" in drawing.text


class Halved(gn.Op):
    """y = 2 x, with a wrong rule."""

    symbol = "2x"

    def forward(self, x):
        return x * 2

    def grad_x(self, grad):
        return grad


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(False, "All 2 derivatives are right."), (True, "The first wrong derivative is that of node")],
)
def test_the_check_paints_its_result(wrong, said):
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    loss = (Halved()(x) if wrong else x.tanh()).sum()
    report = graph.check(loss, {"x": torch.rand(3)})
    assert said in repr(report)
    drawing = report.draw(engine="ranker")
    assert said in drawing.text
    assert (MARKED in drawing.svg) == wrong
    assert ("wrong by x" in texts(drawing)) == wrong
    assert sum((text or "").startswith("error ") for text in texts(drawing)) == 2 - wrong
