"""The page of a walk in Chromium: every step in view, keys, mouse, numbers, themes, sizes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
import torch
from browser import chromium
from draw.example_modules import lenet, shared_network

import graphnet as gn
from graphnet.stepping.frames import Frames
from graphnet.stepping.page import cards, notebook_of

CAPTION = "document.querySelector('.caption').textContent"
DATA = "JSON.parse(document.querySelector('script[type]').textContent)"


def disk():
    torch.manual_seed(0)
    layers = [gn.Linear(2, 25), gn.ReLU(), gn.Linear(25, 25), gn.ReLU(), gn.Linear(25, 25)]
    model = gn.Sequential(*layers, gn.ReLU(), gn.Linear(25, 2))
    with gn.Graph() as graph:
        x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
        loss = gn.LossMSE()(model(x), t)
    return graph.walk({"x": torch.rand(4, 2), "t": torch.rand(4, 2)}, loss)


def walked_lenet():
    graph, feed, loss = lenet()
    return graph.walk(feed, loss)


def small():
    """A walk whose tensors can all be written out."""
    with gn.Graph() as graph:
        model = gn.Linear(2, 2)
        loss = (model(gn.Input((2, 2), name="x")).tanh() * 2).sum()
    model.weight.top.copy_(torch.tensor([[1.0, 0.5], [-1.0, 0.0]]))
    model.bias.top.copy_(torch.tensor([0.25, -1.0]))
    return graph.walk({"x": torch.tensor([[1.0, -2.0], [3.0, 0.5]])}, loss)


@pytest.fixture(scope="module")
def frames():
    return Frames(shared_network(), engine="ranker")


@pytest.fixture
def page_at(tmp_path):
    """A file that a walk is written to, and its address."""

    def write(walk):
        frames = walk if isinstance(walk, Frames) else walk.frames(engine="ranker")
        frames.html(tmp_path / "walk.html")
        return tmp_path / "walk.html"

    return write


def inside(inner, outer):
    return all(
        inner[at] >= outer[at] and inner[at] + inner[at + 2] <= outer[at] + outer[at + 2]
        for at in (0, 1)
    )


def background(page, selector=".graphnet-page"):
    return page.run(f"getComputedStyle(document.querySelector('{selector}')).backgroundColor")


def letters(page):
    """How high the letters of the picture are on the screen, in pixels."""
    width = page.run("document.querySelector('.stage svg').viewBox.baseVal.width")
    return 10 * page.rectangle(".stage svg")[2] / width


LARGE, SMALL = (1280, 720), (420, 800)


@pytest.mark.parametrize(
    ("walk", "key", "size"),
    [
        (disk, "", SMALL),
        (walked_lenet, "", LARGE),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in [
                (disk, "", LARGE),
                (disk, "l", LARGE),
                (disk, "l", SMALL),
                (walked_lenet, "", SMALL),
                (walked_lenet, "0", LARGE),
                (walked_lenet, "0", SMALL),
            ]
        ),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_box_of_every_step_is_in_view(walk, key, size, page_at):
    with chromium(page_at(walk()), *size) as page:
        page.prefer(reduced_motion="reduce")
        if key:
            page.press(key)
        boxes = page.run(f"{DATA}.boxes")
        for place, box in enumerate(boxes):
            assert page.run("Number(document.querySelector('input').value)") == place
            assert inside(page.rectangle(f"g[id$='-{box}']"), page.rectangle(".picture"))
            assert not page.run("document.querySelector('.card').hidden")
            page.press("ArrowRight")
        assert len(boxes) > 20
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run("document.documentElement.scrollHeight <= innerHeight")


def test_letters_are_legible_and_can_be_large(page_at):
    with chromium(page_at(disk())) as page:
        page.prefer(reduced_motion="reduce")
        page.press("ArrowRight")
        assert letters(page) >= 11
        small, text = (
            letters(page),
            page.run("getComputedStyle(document.querySelector('.card')).fontSize"),
        )
        page.click("button[data-do=large]")
        assert letters(page) >= 1.5 * small
        assert float(
            page.run("parseFloat(getComputedStyle(document.querySelector('.card')).fontSize)")
        ) > float(text[:-2])
        assert (
            page.run("document.querySelector('[data-do=large]').getAttribute('aria-pressed')")
            == "true"
        )


def test_keys_and_buttons_go_through_all_steps(frames, page_at):
    with chromium(page_at(frames)) as page:
        captions = []
        for _ in range(len(frames)):
            captions.append(page.run(CAPTION))
            page.press("ArrowRight")
        assert captions == [
            f"Step {n + 1} of {len(frames)}: {event}" for n, event in enumerate(frames.events)
        ]
        assert not page.run("document.querySelector('details').open")
        for number in (len(frames) // 2, 0, len(frames) - 1):
            page.run(
                "{ const slider = document.querySelector('input'); slider.value = "
                f"{number}; slider.dispatchEvent(new Event('input')); }}"
            )
            shown = page.run("document.querySelector('.picture svg').textContent")
            expected = "".join(ET.fromstring(frames[number]).itertext())
            assert "".join(shown.split()) == "".join(expected.split())
        for key, step in (("Home", 0), ("PageDown", 1), ("ArrowLeft", 0), ("End", -1)):
            page.press(key)
            assert page.run(CAPTION) == captions[step]
        for name, step in (("first", 0), ("next", 1), ("last", -1), ("back", -2)):
            page.click(f"button[data-do={name}]")
            assert page.run(CAPTION) == captions[step]


def test_it_plays_at_several_speeds_to_the_end(frames, page_at):
    with chromium(page_at(frames)) as page:
        speed = "document.querySelector('select').value"
        assert page.run(speed) == "700"
        page.press(">", times=5)
        assert page.run(speed) == "150"
        page.press(" ")
        page.wait("document.querySelector('[data-do=play]').textContent.includes('pause')")
        page.wait(f"document.querySelector('input').value == {len(frames) - 1}")
        page.wait("document.querySelector('[data-do=play]').textContent.includes('play')")
        page.press("<")
        assert page.run(speed) == "350"


def test_the_card_stays_with_a_box_that_was_clicked(frames, page_at):
    graph = frames.walk.graph
    weight = graph.parameters()[0]
    place = graph.index(weight)
    text = "document.querySelector('.card').innerText"
    with chromium(page_at(frames)) as page:
        page.prefer(reduced_motion="reduce")
        first = page.run(text)
        assert first.startswith(f"{graph[0].name}, {graph[0].kind}")
        page.press("0")
        page.click(f"g[id$='-n{place}']")
        lines = cards(frames)[f"n{place}"]
        told = {" ".join(line.split()) for line in page.run(text).split("\n")}
        assert len(lines) > 3
        assert {" ".join(line.split()) for line in lines} <= told
        page.press("ArrowRight")
        assert graph.name_of(weight) in page.run(text)
        left, top, _, height = page.rectangle(".picture")
        page.click((left + 3, top + height - 3))
        page.press("Home")
        assert page.run(text) == first


def test_the_wheel_zooms_about_the_mouse_and_a_drag_moves(page_at):
    with chromium(page_at(disk())) as page:
        page.prefer(reduced_motion="reduce")
        page.press("0")
        before = page.rectangle("g[id$='-n4']")
        x, y = before[0] + before[2] / 2, before[1] + before[3] / 2
        page.wheel(x, y, -240)
        width = "document.querySelector(\"g[id$='-n4']\").getBoundingClientRect().width"
        page.wait(f"{width} > {before[2] * 1.3}")
        after = page.rectangle("g[id$='-n4']")
        assert after[0] + after[2] / 2 == pytest.approx(x, abs=1.5)
        assert after[1] + after[3] / 2 == pytest.approx(y, abs=1.5)
        card = page.run("document.querySelector('.card').innerText")
        page.drag((x, y), (x + 60, y + 40))
        moved = page.rectangle("g[id$='-n4']")
        assert (moved[0] - after[0], moved[1] - after[1]) == pytest.approx((60, 40), abs=1.5)
        assert page.run("document.querySelector('.card').innerText") == card  # a drag is no click
        page.press("f")
        assert inside(page.rectangle("g[id$='-n0']"), page.rectangle(".picture"))


def test_what_was_zoomed_by_hand_keeps_its_scale_and_the_step_stays_in_view(page_at):
    with chromium(page_at(disk())) as page:
        page.prefer(reduced_motion="reduce")
        page.press("+", times=2)
        scale = letters(page)
        for box in page.run(f"{DATA}.boxes")[1:8]:
            page.press("ArrowRight")
            assert letters(page) == pytest.approx(scale)
            assert inside(page.rectangle(f"g[id$='-{box}']"), page.rectangle(".picture"))


def test_a_product_is_written_out_for_the_number_under_the_mouse(page_at):
    walk = small()
    page_path = page_at(walk)
    linear = next(node for node in walk.graph if "linear" in walk.graph.name_of(node))
    with chromium(page_path) as page:
        steps = page.run(f"{DATA}.boxes").index(f"n{walk.graph.index(linear)}")
        page.press("ArrowRight", times=steps)
        written = "document.querySelector('.written').textContent"
        assert page.run("[...document.querySelectorAll('td')].map(e => e.textContent)") == [
            "0.25", "-2", "3.5", "-4",
        ]  # fmt: skip
        page.hover("tr:nth-child(2) td:nth-child(1)")
        assert page.run(written) == "3·1 + 0.5·0.5 + 0.25 = 3.5"
        page.run("document.querySelector('td').focus()")
        assert page.run(written) == "1·1 + -2·0.5 + 0.25 = 0.25"
        page.press("End")
        assert page.run("[...document.querySelectorAll('h3')].map(e => e.textContent)") == [
            "value", "gradient",
        ]  # fmt: skip


@pytest.mark.parametrize("size", [(1280, 720), (420, 800)], ids=str)
def test_dark_pages_have_no_white_slab(frames, page_at, size):
    with chromium(page_at(frames), *size) as page:
        assert background(page) == "rgb(255, 255, 255)"
        page.prefer(color_scheme="dark")
        dark = background(page)
        assert max(map(int, dark[4:-1].split(", "))) < 40
        page.press("d")
        assert background(page) == "rgb(255, 255, 255)"
        page.click("button[data-do=theme]")
        assert background(page) == dark


def test_a_reader_without_scripts_sees_the_last_step_and_all_texts(frames, tmp_path, page_at):
    with chromium(page_at(frames)) as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.call("Page.reload")
        page.wait("document.querySelector('nav') && document.querySelector('nav').hidden")
        assert page.run(CAPTION) == f"Step {len(frames)} of {len(frames)}: {frames.events[-1]}"
        assert page.rectangle("li")[3] > 0
        assert page.run("document.querySelector('.card').hidden")


def test_two_walks_in_a_notebook_do_not_disturb_each_other(frames, tmp_path):
    path = tmp_path / "notebook.html"
    cells = "".join(f'<section class="jp-OutputArea">{notebook_of(frames)}</section>' for _ in "ab")
    path.write_text(
        f"<!doctype html><body>{cells}<p>{'text<br>' * 200}</p></body>", encoding="utf-8"
    )
    steps = "[...document.querySelectorAll('input[type=range]')].map(e => Number(e.value))"
    with chromium(path) as page:
        page.prefer(reduced_motion="reduce")
        assert page.run(steps) == [0, 0]
        page.press("ArrowRight")  # the focus is in neither
        assert page.run(steps) == [0, 0]
        page.click("button[data-do=next]")
        page.press("ArrowRight")
        assert page.run(steps) == [2, 0]
        scale = page.rectangle(".stage svg")[2]
        page.run("document.activeElement.blur()")
        page.wheel(*page.middle(".picture"), 120)  # scrolls the notebook
        page.wait("scrollY > 0")
        assert page.rectangle(".stage svg")[2] == pytest.approx(scale)


def test_what_a_step_has_not_yet_computed_is_not_shown(page_at):
    walk = small()
    path = page_at(walk)
    with chromium(path) as page:
        data = page.run(DATA)
        last = data["boxes"][0]
        assert [grid["label"] for grid in data["numbers"][last]] == ["value"]
        weight = next(n for n in walk.graph.parameters() if n.shape == (2, 2))
        page.press("0")
        page.click(f"g[id$='-n{walk.graph.index(weight)}']")
        heads = "[...document.querySelectorAll('h3')].map(e => e.textContent)"
        assert page.run(heads) == ["value"]
        page.press("End")
        assert page.run(heads) == ["value", "gradient"]
        json.dumps(data, allow_nan=False)
