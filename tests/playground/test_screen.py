"""Sizes, themes, fingers, keyboard, screen readers, the policy, hostile names."""

from __future__ import annotations

import pytest
from playground import pages
from playground.driving import steps, text

from graphnet.console_text import printable


@pytest.mark.parametrize("size", [(1280, 720), (420, 800), (1920, 1080)], ids=str)
@pytest.mark.parametrize("name", ["plane", "rows"])
def test_it_fits_on_every_screen(name, size, at):
    page = at(name, *size)
    page.press("n")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    if size[0] > 900:
        assert page.run("document.documentElement.scrollHeight <= innerHeight")
        assert page.run("(e => e.scrollHeight <= e.clientHeight)(document.querySelector('.side'))")
    for button in ("rewind", "toggle", "step", "node"):
        left, top, width, height = page.rectangle(f"[data-do={button}]")
        assert left >= 0 <= top
        assert left + width <= size[0]
        assert min(width, height) >= 36
    page.wait(
        "[document.querySelector('.picture'), document.querySelector('.box.now')]"
        ".map(e => e.getBoundingClientRect()).reduce((pane, box) => pane.left <= box.left + 1 &&"
        " pane.top <= box.top + 1 && box.right <= pane.right + 1 && box.bottom <= pane.bottom + 1)"
    )


def test_no_label_lies_under_its_number(page):
    for width in (1280, 1000, 813, 600, 420):
        page.resize(width, 720)
        room = page.run(
            "Array.from(document.querySelectorAll('.setting'), each => {"
            " const label = document.createRange();"
            " label.selectNodeContents(each.querySelector('label'));"
            " return each.querySelector('input[type=number]').getBoundingClientRect().left"
            " - label.getBoundingClientRect().right; })"
        )
        assert len(room) == 6
        assert min(room) > 2, width


@pytest.mark.parametrize(
    "width",
    [1280, 800, 420, *(pytest.param(each, marks=pytest.mark.slow) for each in (1920, 1024))],
)
def test_nothing_moves_when_numbers_and_texts_grow(width, at):
    page = at("plane", width, 720)
    places = (
        "['.settings', '.picture', '.points', '.transport', '.save'].map(each => {"
        " const { left, top } = document.querySelector(each).getBoundingClientRect();"
        " return [left, top]; })"
    )
    before = page.run(places)
    page.run("document.querySelector('.steps').textContent = 'step 9,213,913 · epoch 91,695'")
    page.run("document.querySelector('.rate').textContent = '14,221 steps/s'")
    assert page.run(places) == before
    page.run("playground.tell('The learning rate must be a number of 0 or more. '.repeat(2))")
    assert page.run(places) == before


def test_a_finger_trains_and_adds_points(at):
    page = at("plane", 420, 800)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def tap(x, y):
        page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    tap(*page.middle("[data-do=step]"))
    page.wait("playground.learner.steps === 1")
    page.run("document.querySelector('.points').scrollIntoView({ block: 'center' })")
    tap(*page.middle(".points"))
    page.wait("playground.learner.rows.count === 111")
    page.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_it_is_dark_where_the_reader_prefers_it_or_the_button_says_so(page):
    colour = "getComputedStyle(document.querySelector('.graphnet-playground')).backgroundColor"
    light = page.run(colour)
    page.press("d")
    dark = page.run(colour)
    assert light == "rgb(255, 255, 255)"
    assert dark != light
    assert page.run("playground.colours.ground") == "#11171f"
    page.press("d")
    assert page.run(colour) == light
    page.prefer(color_scheme="dark")
    page.run("delete document.querySelector('.graphnet-playground').dataset.theme")
    assert page.run(colour) == dark


def test_everything_that_can_be_used_has_a_name(page):
    page.press("n")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "slider", "spinbutton", "combobox", "checkbox", "radio", "textbox", "image"}
    used = [node for node in nodes if node.get("role", {}).get("value") in roles]
    assert len(used) > 25
    nameless = [node for node in used if not node.get("name", {}).get("value")]
    assert nameless == []
    assert page.run("document.querySelector('.status').getAttribute('aria-live')") == "polite"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page):
    reached = []
    for _ in range(40):
        page.press("Tab")
        name, style = page.run(
            "(e => [e.dataset.do || e.id || e.className, getComputedStyle(e).outlineStyle])"
            "(document.activeElement)"
        )
        reached.append(name)
        if name in ("toggle", "set-lr", "picture", "points"):
            assert style == "solid", name
    assert {"rewind", "toggle", "step", "node", "theme", "set-lr", "picture", "points"} <= {
        *reached
    }


def test_reduced_motion_moves_less(page):
    count = (
        "new Promise(done => { let frames = 0, draws = 0;"
        "const say = playground.say.bind(playground);"
        "playground.say = (what, ...more) => { draws += what === 'frame'; say(what, ...more); };"
        "const tick = () => ++frames < 30 ? requestAnimationFrame(tick) : done(draws);"
        "playground.play(); requestAnimationFrame(tick); })"
    )
    calm = page.run(count)
    page.press("r")
    page.prefer(reduced_motion="no-preference")
    lively = page.run(count)
    page.press(" ")
    assert calm < lively


def test_the_policy_refuses_what_is_not_of_the_page(page):
    page.run(
        "(() => { const script = document.createElement('script');"
        "script.textContent = 'window.taken = true'; document.body.append(script); })()"
    )
    assert page.run("window.taken") is None
    assert len(page.faults) == 1
    assert "Content Security Policy" in page.faults.pop()


def test_hostile_names_are_shown_and_never_obeyed(at):
    page = at("hostile")
    task = pages.hostile()
    assert text(page, "h1") == printable(task.title)
    assert page.run("document.scripts.length") == 3
    assert page.run("document.querySelectorAll('img, image, a, iframe').length") == 0
    page.press("ArrowRight", times=2)
    assert steps(page) == 2
    names = page.run("playground.data.nodes.map(node => node.name)")
    assert names == [printable(task.graph.name_of(node)) for node in task.graph]
    for place in range(len(names)):
        page.run(f"playground.choose({place})")
        assert text(page, ".card h2") == f"{place} · {names[place]}"
