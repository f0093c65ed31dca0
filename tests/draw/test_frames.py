"""Frames of a walk: one picture for each event, with one layout, and the page that shows them."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest
import torch

import graphnet as gn
from graphnet.draw.frames import Frames
from graphnet.draw.page import cards, edits, page_of


def shared_network(name="x"):
    torch.manual_seed(0)
    layer = gn.Linear(3, 3)
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name=name)
        loss = (layer(layer(x).tanh()) ** 2).mean()
    return graph.walk({name: torch.ones(4, 3)}, loss)


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
    with pytest.raises(IndexError):
        frames.svg(len(frames))


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

    for place, arrow in enumerate(frames.scene.arrows):
        targets = [event for event in frames.events if frames._boxes[event.node] == arrow.target]
        (there,) = {tip(frames.svg(e.number), place) for e in targets if e.phase == "forward"}
        (back,) = {tip(frames.svg(e.number), place) for e in targets if e.phase == "backward"}
        assert there == tip(frames.svg(0), place)
        assert back != there


def test_edits_make_each_text_out_of_the_one_before(frames):
    texts = list(frames)
    lines = texts[0].split("\n")
    for changes, text in zip(edits(texts), texts[1:], strict=True):
        for start, stop, put in changes:
            lines[start:stop] = put
        assert "\n".join(lines) == text


def test_the_page_reads_well_without_scripts(frames):
    page = page_of(frames)
    still = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert frames[0] in still
    assert still.count("<li>") == len(frames)
    assert "src=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    data = json.loads(re.search(r'application/json">(.*?)</script>', page, re.DOTALL)[1])
    assert len(data["captions"]) == len(frames)
    assert set(cards(frames)) == set(data["cards"])


def test_hostile_names_stay_names():
    name = "</script><script>alert(1)</script>\"'&"
    page = page_of(Frames(shared_network(name), engine="ranker"))
    assert page.count("<script") == 2
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_the_same_walk_gives_the_same_bytes():
    assert page_of(Frames(shared_network())) == page_of(Frames(shared_network()))


def test_it_is_written_to_files(frames, tmp_path):
    frames.html(tmp_path / "walk.html")
    assert (tmp_path / "walk.html").read_text(encoding="utf-8") == page_of(frames)
    pil = pytest.importorskip("PIL.Image", reason="the extra `plot` is not installed")
    frames.gif(tmp_path / "walk.gif", scale=0.5)
    with pil.open(tmp_path / "walk.gif") as picture:
        assert picture.n_frames == len(frames)


def test_in_a_notebook_it_is_a_page_and_a_text(frames):
    bundle = frames._repr_mimebundle_()
    assert bundle["text/html"].strip().startswith("<div")
    assert "<html" not in bundle["text/html"]
    assert bundle["text/plain"].count("\n") == len(frames) - 1
    assert len(bundle["text/html"]) < 300_000


@pytest.mark.slow
def test_the_page_works_in_a_browser(frames, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    frames.html(tmp_path / "walk.html")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((tmp_path / "walk.html").as_uri())
        captions = []
        for _ in range(len(frames)):
            captions.append(page.inner_text(".caption"))
            page.keyboard.press("ArrowRight")
        assert captions == [
            f"Step {n + 1} of {len(frames)}: {event}" for n, event in enumerate(frames.events)
        ]
        shown = page.evaluate("document.querySelector('.picture svg').textContent")
        expected = "".join(ET.fromstring(frames[-1]).itertext())
        assert "".join(shown.split()) == "".join(expected.split())
        page.keyboard.press("Home")
        assert page.inner_text(".caption") == captions[0]
        loss = frames.walk.loss
        page.click(f"g[id$='-n{loss.index}']")
        assert loss.op.symbol in page.inner_text(".card") or loss.name in page.inner_text(".card")
        page.click("button[data-do=play]")
        page.wait_for_function("document.querySelector('input[type=range]').value > 1")
        browser.close()
    assert faults == []
