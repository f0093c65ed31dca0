"""The page of a drawing in Chromium: zoom, open and fold, hover, search, keys, themes, sizes."""

from __future__ import annotations

import itertools
import re

import pytest
import torch
from browser import chromium
from draw.example_modules import Block, SharedBranch, lenet

import graphnet as gn

TEXT = "document.querySelector('.card').innerText"
BOXES = (
    "[...document.querySelectorAll('.canvas [data-key]')].filter(e => e.style.display !== 'none')"
)
PLACES = f"""{BOXES}.map(e => {{
  const r = e.querySelector('path, rect').getBoundingClientRect();
  return [r.left, r.top, r.width, r.height];
}})"""
FRAMES = """[...document.querySelectorAll('.canvas .frame')].map(e => {
  const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height];
})"""
OPEN = "document.querySelectorAll('.canvas .header').length"
WIDTH = "document.querySelector('.canvas').getBoundingClientRect().width"


class Outer(gn.Module):
    """Modules in modules, and a path around them."""

    def __init__(self):
        super().__init__()
        self.blocks = gn.Sequential(Block(4), gn.Sequential(Block(4), gn.ReLU()))
        self.head = gn.Linear(4, 2)

    def build(self, x):
        return self.head(self.blocks(x) + x)


def outer():
    torch.manual_seed(0)
    with gn.Graph() as graph:
        loss = (Outer()(gn.Input((None, 4), name="x")) ** 2).mean()
    return graph, {"x": torch.rand(3, 4)}, loss


def siamese():
    torch.manual_seed(0)
    with gn.Graph() as graph:
        loss = SharedBranch()(gn.Input((None, 4), name="a"), gn.Input((None, 4), name="b"))
    return graph, {"a": torch.rand(3, 4), "b": torch.rand(3, 4)}, loss


@pytest.fixture
def page_of(tmp_path):
    """The page of a net, all of it folded."""

    def save(net, **options):
        graph = net()[0] if callable(net) else net
        return graph.draw(**{"engine": "ranker", "depth": 0, **options}).save(tmp_path / "net.html")

    return save


def apart(places):
    """True if no two of these rectangles overlap."""
    return not any(
        a[0] < b[0] + b[2] - 1 and b[0] < a[0] + a[2] - 1
        and a[1] < b[1] + b[3] - 1 and b[1] < a[1] + a[3] - 1
        for a, b in itertools.combinations(places, 2)
    )  # fmt: skip


def quiet(page):
    """What moves is at once where it will be."""
    page.prefer(reduced_motion="reduce")


def key_of(page, text):
    """The selector of the box in sight with this text."""
    keys = page.run(
        f"{BOXES}.filter(e => e.textContent.includes({text!r})).map(e =>"
        " [e.closest('.view').dataset.path, e.dataset.key])"
    )
    path, key = keys[0]
    return f".view[data-path='{path}'] [data-key='{key}']"


@pytest.mark.parametrize("net", [lenet, outer, siamese])
@pytest.mark.parametrize("engine", ["ranker", pytest.param("wasi", marks=pytest.mark.slow)])
def test_opening_level_by_level_never_lets_boxes_overlap(net, engine, page_of):
    with chromium(page_of(net, engine=engine)) as page:
        quiet(page)
        count = 0
        while page.run(f"{BOXES}.some(e => e.classList.contains('opens'))"):
            page.press("e")
            page.press("0")
            assert page.run(OPEN) > count
            count = page.run(OPEN)
            assert apart(page.run(PLACES))
        named = page.run(f"{BOXES}.filter(e => !e.classList.contains('port')).length")
        assert named == len(net()[0])  # every node of the list has a box
        frames = page.run(FRAMES)
        for one, other in itertools.combinations(frames, 2):  # beside each other, or one in one
            inner = min(one, other, key=lambda each: each[2] * each[3])
            around = other if inner is one else one
            whole = all(
                inner[at] >= around[at] and inner[at] + inner[at + 2] <= around[at] + around[at + 2]
                for at in (0, 1)
            )
            assert whole or apart([one, other])
        page.press("c")
        assert page.run(OPEN) == 0


def test_a_click_opens_and_folds_smoothly_and_the_box_stays_where_it_is(page_of):
    with chromium(page_of(outer)) as page:
        page.prefer(reduced_motion="no-preference")
        before = page.run(PLACES)
        box = key_of(page, "blocks")
        corner = page.rectangle(box)[:2]
        heights = (
            "window.seen = []; const watch = new MutationObserver(() => seen.push("
            "document.querySelector('.canvas').getAttribute('height')));"
            "watch.observe(document.querySelector('.canvas'), {attributes: true})"
        )
        page.run(heights)
        settled = (
            "window.done = false; document.querySelector('.graphnet-explore')"
            ".addEventListener('settled', () => { window.done = true; })"
        )
        page.run(settled)
        page.click(box)
        page.wait("window.done")
        assert page.run(OPEN) == 1
        assert page.run("document.querySelectorAll('.canvas .port').length") >= 2
        frame = page.run(FRAMES)[0]
        assert frame[:2] == pytest.approx([corner[0], corner[1] + 6], abs=9)
        assert len(page.run("seen")) > 3  # several steps in between
        page.click(".header")
        page.wait(f"{OPEN} === 0")
        page.wait("window.done")
        page.run("new Promise(done => setTimeout(done, 400))")
        assert page.run(PLACES) == [pytest.approx(each, abs=1) for each in before]


def test_arrows_go_on_to_the_ports_inside(page_of):
    with chromium(page_of(outer)) as page:
        quiet(page)
        page.click(key_of(page, "blocks"))
        way = "e => !/NaN|undefined/.test(e.getAttribute('d'))"
        assert page.run(f"[...document.querySelectorAll('.canvas path')].every({way})")
        names = page.run("[...document.querySelectorAll('.port text')].map(e => e.textContent)")
        assert "output" in names
        assert any("x" in name for name in names)


def test_the_mouse_asks_for_settings_shape_formula_and_statistics(page_of):
    graph, feed, loss = lenet()
    graph.forward(feed)
    graph.backward(loss)
    with chromium(page_of(graph)) as page:
        quiet(page)
        assert page.run("document.querySelector('.card').hidden")
        box = key_of(page, "Conv2d")
        page.hover(box)
        assert "156 parameters" in page.run(TEXT)
        page.click(box)
        page.hover(key_of(page, "conv2d"))
        told = page.run(TEXT)
        for part in ("padding=(2, 2, 2, 2)", "dL/dW₀ = ", "value ‖", "gradient ‖", "28"):
            assert part in told
        page.hover("nav")
        page.hover(key_of(page, "weight"))
        assert page.run(TEXT).startswith("0.weight")
        page.run("document.querySelector('.picture').focus()")
        page.press("Tab")
        assert not page.run("document.querySelector('.card').hidden")


def test_a_search_opens_what_is_around_and_brings_it_into_view(page_of):
    with chromium(page_of(outer)) as page:
        quiet(page)
        page.press("/")
        assert page.run("document.activeElement.type") == "search"
        page.type("second.weight")
        assert page.run("document.querySelector('span.found').textContent") == "2 found"
        names = []
        for turn in (1, 2, 3):
            page.press("Enter")
            assert page.run("document.querySelector('span.found').textContent") == (
                f"{(turn - 1) % 2 + 1} of 2"
            )
            names.append(page.run(TEXT).split("\n")[0])
            place, pane = page.rectangle(".canvas .found"), page.rectangle(".picture")
            assert pane[0] <= place[0] and place[0] + place[2] <= pane[0] + pane[2]
            assert pane[1] <= place[1] and place[1] + place[3] <= pane[1] + pane[3]
        assert names == ["blocks.0.second.weight", "blocks.1.0.second.weight", names[0]]
        page.type(" nowhere")
        assert page.run("document.querySelector('span.found').textContent") == "0 found"
        page.press("Escape")
        assert page.run("document.querySelectorAll('.canvas .match').length") == 0


def test_keys_do_what_the_mouse_does(page_of):
    with chromium(page_of(outer)) as page:
        quiet(page)
        width = page.run(WIDTH)
        page.press("+")
        assert page.run(WIDTH) > width
        page.press("-", times=2)
        assert page.run(WIDTH) < width
        page.press("0")
        left = page.rectangle(".canvas")[0]
        page.press("ArrowRight")
        assert page.rectangle(".canvas")[0] == pytest.approx(left - 70, abs=1)
        page.press("ArrowDown")
        page.run("document.querySelector('.canvas .opens').focus()")
        page.press("Enter")
        assert page.run(OPEN) == 1
        assert page.run("document.activeElement.classList.contains('header')")
        page.press("Escape")
        assert page.run(OPEN) == 0
        assert page.run("document.activeElement.classList.contains('opens')")
        page.press(" ")
        assert page.run(OPEN) == 1


def test_the_wheel_zooms_about_the_mouse_and_a_drag_opens_nothing(page_of):
    with chromium(page_of(outer)) as page:
        quiet(page)
        box = key_of(page, "blocks")
        x, y = page.middle(box)
        width = page.run(WIDTH)
        page.wheel(x, y, -200)
        page.wait(f"{WIDTH} > {width * 1.2}")
        assert page.middle(box) == pytest.approx((x, y), abs=1.5)
        page.drag((x, y), (x - 80, y + 30))
        assert page.middle(box) == pytest.approx((x - 80, y + 30), abs=1.5)
        assert page.run(OPEN) == 0
        page.click("button[data-do=fit]")
        assert page.run(WIDTH) <= page.rectangle(".picture")[2]


@pytest.mark.parametrize("size", [(1280, 720), (420, 800)], ids=str)
def test_it_fits_the_window_light_and_dark(page_of, size):
    with chromium(page_of(lenet), *size) as page:
        quiet(page)
        ground = "getComputedStyle(document.querySelector('.graphnet-page')).backgroundColor"
        light = page.run(ground)
        assert light == "rgb(255, 255, 255)"
        page.prefer(color_scheme="dark", reduced_motion="reduce")
        dark = page.run(ground)
        assert max(map(int, re.findall(r"\d+", dark))) < 40
        page.press("d")
        assert page.run(ground) == light
        page.press("d")
        assert page.run(ground) == dark
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run("document.documentElement.scrollHeight <= innerHeight")
        pane = page.rectangle(".picture")
        page.press("0")
        canvas = page.rectangle(".canvas")
        for at in (0, 1):
            assert pane[at] <= canvas[at]
            assert canvas[at] + canvas[at + 2] <= pane[at] + pane[at + 2]


def test_the_picture_follows_the_theme_of_its_page(page_of):
    fills = (
        "[...document.querySelectorAll('.canvas [data-key] > path:first-of-type')]"
        ".map(e => getComputedStyle(e).fill)"
    )

    def brightness(page):
        colours = [list(map(int, re.findall(r"\d+", each))) for each in page.run(fills)]
        return sum(map(sum, colours)) / len(colours) / 3

    with chromium(page_of(outer)) as page:
        quiet(page)
        page.press("e")
        light = brightness(page)
        page.prefer(color_scheme="dark")
        assert brightness(page) < 120 < light
        page.press("d")
        assert brightness(page) == light
        page.prefer(color_scheme="light")
        page.press("d")
        assert brightness(page) < 120


def test_a_reader_without_scripts_sees_the_picture(page_of):
    with chromium(page_of(lenet)) as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.call("Page.reload")
        page.wait("document.querySelector('nav') && document.querySelector('nav').hidden")
        assert page.rectangle(".stage > svg")[3] > 300
        assert "Conv2d" in page.run("document.querySelector('.stage').textContent")


def test_two_pages_in_a_notebook_do_not_disturb_each_other(tmp_path):
    graph, *_ = outer()
    cell = graph.draw(engine="ranker", depth=0)._repr_mimebundle_()["text/html"]
    cells = "".join(f'<section class="jp-OutputArea">{cell}</section>' for _ in "ab")
    (tmp_path / "notebook.html").write_text(
        f"<!doctype html><body>{cells}</body>", encoding="utf-8"
    )
    with chromium(tmp_path / "notebook.html") as page:
        quiet(page)
        page.click(".opens")
        counts = (
            "[...document.querySelectorAll('.graphnet-explore')]"
            ".map(e => e.querySelectorAll('.header').length)"
        )
        assert page.run(counts) == [1, 0]
        page.run("document.activeElement.blur()")
        page.press("e")
        assert page.run(counts) == [1, 0]
