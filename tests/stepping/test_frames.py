"""Frames of a walk: one picture for each event, with one layout, and the page that shows them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
import torch
from draw.example_modules import shared_network
from PIL import Image

import graphnet as gn
from graphnet.draw.svg import paint
from graphnet.draw.svg.style import GLOW
from graphnet.stepping.frames import Frames
from graphnet.stepping.page import page_of


@pytest.fixture(scope="module")
def frames():
    return Frames(shared_network(), engine="ranker")


def groups(svg):
    """The text of each group by its id."""
    root = ET.fromstring(svg)
    return {
        group.get("id").partition("-")[2]: "|".join(group.itertext())
        for group in root.iter("{http://www.w3.org/2000/svg}g")
        if group.get("id")
    }


def test_there_is_a_frame_for_each_event(frames):
    assert len(frames) == len(frames.events) == len(list(frames))
    assert frames[-1] == frames.svg(len(frames) - 1)
    assert frames[:2] == [frames.svg(0), frames.svg(1)]
    assert list(reversed(frames)) == list(frames)[::-1]
    assert repr(frames) == f"<Frames: 13 pictures of 13 events in {len(frames.scene)} boxes>"


def small_with_layers():
    """A walk through enough layers that they are folded."""
    model = gn.Sequential(*[gn.Linear(2, 2) for _ in range(12)])
    with gn.Graph() as graph:
        loss = model(gn.Input((None, 2), name="x")).mean()
    return graph.walk({"x": torch.ones(3, 2)}, loss)


def test_each_node_has_a_picture_if_that_is_wanted():
    folded = small_with_layers().frames(engine="ranker")
    every = small_with_layers().frames(engine="ranker", every_node=True)
    assert len(folded) < len(folded.events) == len(every)
    assert all(len(step) == 1 for step in every.steps)
    assert len(every.scene) == len(every.walk.graph)
    with pytest.raises(gn.GraphError, match="every_node must be True or False; got 1"):
        small_with_layers().frames(every_node=1)


@pytest.mark.parametrize("number", [999, -14, 13, 1.5, None, "x"])
def test_frames_that_are_not_there(frames, number):
    with pytest.raises(gn.GraphError, match=rf"from 0 to 12, and -1 is the last; got {number!r}"):
        frames.svg(number)
    with pytest.raises(IndexError):
        frames[number]


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("x.mp4", {}, r"saved as \.gif; got 'x.mp4'"),
        ("x", {}, r"saved as \.gif; got 'x'"),
        ("x.gif", {"seconds": -1}, "seconds must be a number from 0.01 to 600; got -1"),
        ("x.gif", {"seconds": 1e9}, "seconds must be a number from 0.01 to 600"),
        ("x.gif", {"seconds": "1"}, "seconds must be a number from 0.01 to 600; got '1'"),
        ("x.gif", {"scale": 0}, "scale must be a finite number of 0.01 or more; got 0"),
        (
            "x.gif",
            {"scale": float("nan")},
            "scale must be a finite number of 0.01 or more; got nan",
        ),
        (
            "x.gif",
            {"scale": float("inf")},
            "scale must be a finite number of 0.01 or more; got inf",
        ),
    ],
)
def test_moving_pictures_that_are_refused(frames, tmp_path, name, options, text):
    with pytest.raises(gn.GraphError, match=text):
        frames.gif(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_integers_and_buffers_are_shown(tmp_path):
    with gn.Graph() as graph:
        words = gn.Input((None,), name="words", dtype=torch.int64)
        classes = gn.Input((None,), name="classes", dtype=torch.int64)
        y = gn.Linear(4, 3)(gn.BatchNorm1d(4)(gn.Embedding(7, 4)(words)))
        loss = gn.LossCrossEntropy()(y, classes)
    feed = {"words": torch.arange(6), "classes": torch.arange(6) % 3}
    frames = graph.walk(feed, loss).frames(engine="ranker")
    assert "forward 0 'words': norm 7.416" in frames.caption(0)
    assert "top ‖7.42‖ 0 … 5" in groups(frames[0])["n0"]
    frames.html(tmp_path / "walk.html")
    assert str(frames.events[0]) in frames._repr_mimebundle_()["text/plain"]


def test_values_fill_in_and_stay(frames):
    key = f"n{frames.walk.loss.index}"
    seen = ["top" in groups(svg)[key] for svg in frames]
    first = next(event.number for event in frames.events if event.node is frames.walk.loss)
    assert seen == [number >= first for number in range(len(frames))]
    grads = [groups(svg)[key].count("grad") for svg in frames]
    assert grads == sorted(grads)
    assert grads[-1] == 1


def test_every_frame_has_the_same_places(frames):
    def places(svg):
        return re.findall(r"viewBox=\"[^\"]*\"", svg), sorted(groups(svg))

    assert all(places(svg) == places(frames[0]) for svg in frames)


def test_each_use_of_a_shared_parameter_shows_what_it_hands_on(frames):
    weight = next(node for node in frames.walk.graph.parameters() if node.shape == (3, 3))
    for event in frames.events:
        norms = [float(grad.norm()) for source, grad in event.contributions if source is weight]
        for norm in norms:
            assert f">{norm:.3g}<" in frames.svg(event.number)


def test_lit_arrows_point_where_gradients_flow(frames):
    def tip(svg, place):
        return re.search(rf'-a{place}".*?<path d="M[^"]*"/><path d="M([^L]*)L', svg)[1]

    def lit(svg, place):
        return GLOW in re.search(rf'<g id="walk-a{place}".*', svg)[0]

    for place, arrow in enumerate(frames.scene.arrows):
        ends = [frames.scene.by_key[key].nodes[0] for key in (arrow.source, arrow.target)]
        for number, event in enumerate(frames.events):
            svg = frames.svg(number)
            back = event.phase == "backward"
            leaf = not ends[0].inputs
            assert lit(svg, place) == (
                ends[0].requires_grad and event.node in (ends if leaf else ends[1:])
                if back
                else event.node is ends[1] or (leaf and event.node is ends[0])
            )
            assert (tip(svg, place) != tip(frames[0], place)) == (back and lit(svg, place))


def test_the_frame_of_a_shared_parameter_shows_the_parts_and_their_sum(frames):
    assert len(frames.walk.graph.parameters()) == 2
    for parameter in frames.walk.graph.parameters():
        event = next(event for event in frames.events if event.node is parameter)
        parts = [grad for _, grad in event.contributions]
        assert len(parts) == 2
        torch.testing.assert_close(parts[0] + parts[1], event.value)
        svg = frames.svg(event.number)
        key = f"n{event.place}"
        arrows = [at for at, arrow in enumerate(frames.scene.arrows) if arrow.source == key]
        labels = frames._labels([event])
        assert labels == {
            at: f"{float(part.norm()):.3g}" for at, part in zip(arrows, parts, strict=True)
        }
        for at, label in labels.items():
            assert f">{label}<" in svg
            assert GLOW in re.search(rf'<g id="walk-a{at}".*', svg)[0]
        assert f"grad ‖{float(event.value.norm()):.3g}‖" in groups(svg)[key]


@pytest.mark.parametrize("uses", [2, 3, 5])
def test_arrows_that_are_drawn_together_show_all_parts(uses):
    layers = [gn.Linear(3, 3) for _ in range(2)]
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x", requires_grad=True)
        y = layers[0](x)
        for _ in range(uses):
            y = y * layers[1](x).tanh()
        loss = y.sum()
    frames = graph.walk({"x": torch.ones(2, 3)}, loss).frames(engine="ranker", depth=0)
    step = next(step for step in frames.steps[::-1] if step[0].node is x)
    assert len(step[0].contributions) == 1 + uses
    labels = frames._labels(step)
    assert {frames.scene.arrows[at].source for at in labels} == {"n0"}
    assert sum(label.count("+") + 1 for label in labels.values()) == 1 + uses


def large(blocks=24, width=8):
    """A net of many different blocks, so that they are folded, not drawn as one "× 24"."""
    torch.manual_seed(0)
    kinds = gn.ReLU, gn.Tanh, gn.Sigmoid
    inner = [
        gn.Sequential(
            gn.LayerNorm(width),
            gn.Linear(width, 16 + at),
            kinds[at % 3](),
            gn.Linear(16 + at, width),
        )
        for at in range(blocks)
    ]
    net = gn.Sequential(*map(gn.Residual, inner))
    with gn.Graph() as graph:
        x, t = gn.Input((None, width), name="x"), gn.Input((None, width), name="t")
        loss = gn.LossMSE()(net(x), t)
    return graph.walk({"x": torch.rand(5, width), "t": torch.rand(5, width)}, loss)


def alike(blocks=24):
    """The same with equal blocks: they are drawn once."""
    blocks = [gn.Residual(gn.Sequential(gn.LayerNorm(8), gn.Linear(8, 8))) for _ in range(blocks)]
    with gn.Graph() as graph:
        loss = (gn.Sequential(*blocks)(gn.Input((None, 8), name="x")) ** 2).mean()
    return graph.walk({"x": torch.rand(5, 8)}, loss)


@pytest.mark.parametrize("net", [large, alike])
def test_all_that_happens_in_a_folded_box_is_one_frame(net, tmp_path):
    frames = net().frames(engine="ranker")
    assert sum(map(len, frames.steps)) == len(frames.events) > 400
    assert len(frames) <= 2 * len(frames.scene.boxes) < 130
    for step in frames.steps:
        assert len({(event.phase, frames._boxes[event.node].key) for event in step}) == 1
    number = max(range(len(frames)), key=lambda at: len(frames.steps[at]))
    count = len(frames.steps[number])
    assert frames.caption(number).endswith(f": {count} nodes")
    frames.html(tmp_path / "walk.html")
    assert (tmp_path / "walk.html").stat().st_size < 400_000
    assert sum(len(text.encode()) for text in frames._repr_mimebundle_().values()) < 300_000


def test_a_frame_does_not_paint_anew_what_stays(frames, monkeypatch):
    expected, painted = list(frames), []
    inside = paint._inside
    monkeypatch.setattr(
        paint, "_inside", lambda box, *rest: painted.append(box.key) or inside(box, *rest)
    )
    again = Frames(shared_network(), engine="ranker")
    assert list(again) == expected
    values = sum(event.value is not None for event in again.events)
    assert len(painted) <= len(again.scene.boxes) + values


def test_it_is_written_to_files(frames, tmp_path):
    frames.html(tmp_path / "walk.html")
    assert (tmp_path / "walk.html").read_text(encoding="utf-8") == page_of(frames)
    frames.gif(tmp_path / "walk.gif", scale=0.5)
    with Image.open(tmp_path / "walk.gif") as picture:
        assert picture.n_frames == len(frames)


def test_in_a_notebook_it_is_a_page_and_a_text(frames):
    bundle = frames._repr_mimebundle_()
    assert bundle["text/html"].strip().startswith("<div")
    assert "<html" not in bundle["text/html"]
    assert bundle["text/plain"].count("\n") == len(frames) - 1
    assert len(bundle["text/html"]) < 300_000
    assert set(frames._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(frames._repr_mimebundle_(exclude={"text/plain"})) == {"text/html"}
