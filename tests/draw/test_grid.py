"""The numbers of small tensors as grids in pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
import torch

import graphnet as gn
from graphnet.draw.svg.grid import MOST_NUMBERS, grid, rows_of, width_of, written
from graphnet.draw.svg.style import INK, contrast

SVG = "{http://www.w3.org/2000/svg}"


def walked(examples=3):
    torch.manual_seed(1)
    model = gn.Sequential(gn.Linear(3, 4), gn.Tanh(), gn.Linear(4, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 3), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(model(x), t)
    graph.forward({"x": torch.randn(examples, 3), "t": torch.randn(examples, 2)})
    graph.backward(loss)
    return graph


def cells(svg, key):
    """The texts of a box, its cells as rectangles, and its outline's rectangle."""
    box = next(g for g in ET.fromstring(svg).iter(f"{SVG}g") if g.get("id", "").endswith(f"-{key}"))
    found = []
    for path in box.iter(f"{SVG}path"):
        match = re.fullmatch(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+Z", path.get("d"))
        if match and path.get("stroke-width") == "0.5":
            found.append(tuple(map(float, match.groups())))
    return [text.text for text in box.iter(f"{SVG}text")], found


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ((4,), (1, 4)),
        ((6,), (1, 6)),
        ((12,), (3, 5)),
        ((4, 3), (4, 3)),
        ((2, 2, 3), (4, 3)),
        ((2, 9), (0, 0)),
        ((MOST_NUMBERS,), (7, 5)),
        ((MOST_NUMBERS + 1,), (0, 0)),
        ((1,), (0, 0)),
        ((), (0, 0)),
        ((0, 3), (0, 0)),
    ],
)
def test_how_the_numbers_of_a_tensor_are_arranged(shape, rows):
    tensor = torch.arange(float(torch.Size(shape).numel())).reshape(shape)
    found = rows_of(tensor)
    assert (len(found), max(map(len, found), default=0)) == rows
    if found:
        assert [each for row in found for each in row] == tensor.flatten().tolist()


def test_every_dtype_and_what_is_not_finite():
    assert rows_of(torch.tensor([True, False])) == ((1.0, 0.0),)
    assert rows_of(torch.tensor([3, -4])) == ((3.0, -4.0),)
    assert rows_of(torch.tensor([0.5, 2.0], dtype=torch.float16)) == ((0.5, 2.0),)
    parts = "".join(grid(((float("nan"), float("inf"), -1.0),), (0, 0)))
    assert re.findall(">([^<]+)</text>", parts) == ["nan", "inf", "-1"]
    assert parts.count("#ffffff") == 2


def test_numbers_are_short():
    assert [written(each) for each in (0.0, -0.0, 0.126, 1234.0)] == ["0", "0", "0.13", "1.2e+03"]


def test_colours_tell_signs_and_sizes_and_letters_are_legible_on_all():
    levels = [step / 10 for step in range(-10, 11)]
    parts = "".join(grid((tuple(levels),), (0, 0)))
    colours = re.findall(r'fill="(#[0-9a-f]{6})" stroke=', parts)
    assert len(colours) == len(levels)
    assert len(set(colours)) <= 13
    assert all(contrast(INK, colour) >= 4.5 for colour in colours)
    strengths = [contrast("#ffffff", colour) for colour in colours]
    assert strengths == sorted(strengths[:11], reverse=True) + sorted(strengths[11:])
    blues = [int(colour[5:], 16) > int(colour[1:3], 16) for colour in colours]
    assert blues[:10] == [True] * 10
    assert not any(blues[11:])


@pytest.mark.parametrize("engine", ["ranker", "wasi"])
def test_value_and_gradient_stand_in_the_box_and_apart(engine):
    graph = walked()
    drawing = graph.draw(show=("shape", "values"), engine=engine)
    for box in drawing.scene.boxes:
        node = box.nodes[0]
        texts, found = cells(drawing.svg, box.key)
        tensors = [each for each in (node.top, node.grad) if each is not None and each.numel() > 1]
        assert len(found) == sum(each.numel() for each in tensors)
        expected = [f"{float(each):.2g}" for tensor in tensors for each in tensor.flatten()]
        assert sum(text in set(expected) for text in texts) >= len(expected)
        left, top, width, height = drawing.layout.rectangle(box)
        for x, y, wide, high in found:
            assert left < x and x + wide < left + width
            assert top < y and y + high < top + height
        spots = {(x, y) for x, y, *_ in found}
        assert len(spots) == len(found)  # none on another
        labels = [text for text in texts if text in ("top", "grad")]
        assert labels == ["top", "grad"][: len(tensors)]


def test_large_tensors_keep_their_histograms():
    drawing = walked(examples=50).draw(show=("values",), engine="ranker")
    texts, found = cells(drawing.svg, "n0")
    assert found == []
    assert any(text.startswith("top ‖") for text in texts)
    assert len(cells(drawing.svg, "n2")[1]) == 24  # the weight and its gradient


def test_without_a_walk_there_is_nothing_to_show():
    with gn.Graph() as graph:
        gn.Linear(2, 2)(gn.Input((None, 2), name="x"))
    assert cells(graph.draw(show=("values",), engine="ranker").svg, "n3") == (
        ["3 linear"],
        [],
    )


def test_a_page_shows_them_inside_of_modules_too():
    drawing = walked().draw(show=("values",), depth=0, engine="ranker")
    from graphnet.draw.page.views import views_of

    inner = [view.svg for view in views_of(drawing, drawing.source)[1:]]
    assert any("-0.54" in svg for svg in inner)


def test_a_grid_is_as_wide_as_its_numbers():
    assert width_of(((1.0, 2.0),)) < width_of(((-0.123, 0.456),))
    assert width_of(()) == 0
