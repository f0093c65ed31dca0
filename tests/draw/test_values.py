"""What boxes show of their tensors, and the room for it."""

from __future__ import annotations

import re

import pytest
import torch

import graphnet as gn
from graphnet.draw.layout.geometry import MAX_WIDTH, size_of, text_width
from graphnet.draw.layout.layered import layered
from graphnet.draw.scene.scene import Box, Scene
from graphnet.draw.svg.paint import Look, painted
from graphnet.draw.svg.values import Value, reserve_space, value_of
from graphnet.errors import GraphError

TOP = Value("top", "‖3.2‖ -1 … 1", [0.1, 1.0, 0.5])
GRAD = Value("grad", "‖1.23e-10‖ -1.23e-10 … 1.23e-10")
VALUES = {"n1": [TOP], "n2": [TOP, GRAD]}


def scene():
    boxes = [Box(f"n{place}", "operation", "relu", places=(place,)) for place in range(3)]
    return Scene(boxes)


def test_values_stand_below_the_text_in_letters_of_8_points():
    laid = reserve_space(scene(), VALUES)
    svg = painted(laid, layered(laid), Look(values=VALUES))
    assert "00000" not in svg
    group = re.search(r'<g id="\w+-n2">(.*?)</g>', svg, re.DOTALL)[1]
    lines = re.findall(r'y="([\d.]+)"(?: font-size="(\d+)")?[^>]*>([^<]+)</text>', group)
    assert [text for *_, text in lines] == ["2 relu", "top ‖3.2‖ -1 … 1", f"grad {GRAD.text}"]
    assert [size for _, size, _ in lines] == ["", "8", "8"]
    heights = [float(y) for y, *_ in lines]
    assert heights == sorted(heights)
    bottom = layered(laid).places["n2"][1] + size_of(laid.boxes[2])[1] / 2
    assert heights[-1] < bottom - 2


def test_the_gradient_is_told_from_the_value_and_both_have_a_mark_at_zero():
    values = {
        "n0": [value_of(name, torch.tensor([-1.0, 0.0, 3.0])) for name in ("top", "grad")],
        "n1": [value_of(name, torch.tensor([1.0, 2.0, 3.0])) for name in ("top", "grad")],
    }
    laid = reserve_space(scene(), values)
    svg = painted(laid, layered(laid), Look(values=values, legend=False, theme="light"))
    groups = dict(re.findall(r'<g id="\w+-(n\d)">(.*?)</g>', svg, re.DOTALL))
    for key, marks in [("n0", 2), ("n1", 0)]:
        assert len(re.findall(r"h[\d.]+M[\d.]+ [\d.]+v13\"", groups[key])) == marks
        filled = groups[key].index('fill-opacity=".55"')
        hollow = groups[key].index('stroke-width="0.8"')
        assert groups[key].index(">top") < filled < groups[key].index(">grad") < hollow


def test_each_box_has_the_room_that_its_values_take():
    plain, laid = scene(), reserve_space(scene(), VALUES)
    grown = [
        size_of(box)[1] - size_of(old)[1] for box, old in zip(laid.boxes, plain.boxes, strict=True)
    ]
    assert grown == [0, 2 * 13, 3 * 13]
    assert size_of(laid.boxes[0]) == size_of(plain.boxes[0])
    assert size_of(laid.boxes[2])[0] >= text_width(f"grad {GRAD.text}", 8) + 10


def test_room_can_be_made_again():
    again = reserve_space(reserve_space(scene(), VALUES), {"n0": [GRAD]})
    assert [len(box.lines) for box in again.boxes] == [2, 1, 1]


def test_values_without_room_are_refused():
    with pytest.raises(GraphError, match=r"'relu' has room for 0 lines, got 2\..*reserve_space"):
        painted(scene(), layered(scene()), Look(values=VALUES))


def test_what_is_wider_than_any_box_is_cut():
    values = {"n0": [Value("top", "9" * 200)]}
    laid = reserve_space(scene(), values)
    svg = painted(laid, layered(laid), Look(values=values))
    assert size_of(laid.boxes[0])[0] == MAX_WIDTH
    line = re.search(r"top 9+…", svg)[0]
    assert text_width(line, 8) <= MAX_WIDTH


def test_a_folded_layer_shows_its_result_and_one_that_stands_for_several_shows_nothing():
    torch.manual_seed(0)
    block = [gn.Sequential(gn.Linear(3, 3), gn.Tanh()) for _ in range(3)]
    with gn.Graph() as graph:
        loss = gn.Sequential(gn.Linear(2, 3), *block)(gn.Input((None, 2), name="x")).sum()
    x = torch.rand(4, 2)
    graph.forward(x=x)
    graph.backward(loss)
    drawing = graph.draw(show=("top", "grad"), depth=0, engine="ranker")
    first, repeated = (box for box in drawing.scene.boxes if box.folded)
    weight, bias = (graph[f"0.{name}"].top for name in ("weight", "bias"))
    linear = torch.nn.functional.linear(x, weight, bias)
    assert re.search(rf">top ‖{linear.norm():.3g}‖ {linear.min():.3g} … ", drawing.svg)
    assert "× 3" in repeated.note and not repeated.reserved and first.reserved


def test_a_walk_shows_the_result_of_a_folded_layer_in_both_directions():
    torch.manual_seed(0)
    with gn.Graph() as graph:
        model = gn.Sequential(gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 1))
        loss = model(gn.Input((None, 2), name="x")).sum()
    x = torch.rand(4, 2)
    frames = graph.walk({"x": x}, loss).frames(depth=0, engine="ranker")
    weight, bias = (graph[f"0.{name}"].top for name in ("weight", "bias"))
    linear = torch.nn.functional.linear(x, weight, bias)
    (box,) = (box for box in frames.scene.boxes if graph["0.linear"] in box.nodes)
    steps = [at for at, step in enumerate(frames.steps) if frames.box(at) == box.key]
    shown = [re.search(rf'-{box.key}">(.*?)</g>', frames.svg(at), re.DOTALL)[1] for at in steps]
    assert f">top ‖{linear.norm():.3g}‖" in shown[-1]
    assert any("grad ‖" in each for each in shown)
