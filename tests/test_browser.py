"""Tests of pages share one Chromium, and nothing else."""

from __future__ import annotations

import os
import signal

import browser
import pytest
from browser import chromium

pytestmark = pytest.mark.slow  # what is tested here fails the tests of pages, too

HTML = "<!doctype html><title>{}</title><button>{}</button><script>{}</script>"


@pytest.fixture
def page_at(tmp_path):
    """Writes a page, and gives its path."""

    def write(name, script=""):
        path = tmp_path / f"{name}.html"
        path.write_text(HTML.format(name, name, script), encoding="utf-8")
        return path

    return write


def shown(path):
    with chromium(path) as page:
        return page.run("document.title"), browser._running[0]


def test_pages_share_a_browser(page_at):
    title, first = shown(page_at("one"))
    assert title == "one"
    assert shown(page_at("two")) == ("two", first)


def test_nothing_is_kept_from_page_to_page(page_at):
    path = page_at("same")
    with chromium(path, 640, 480) as page:
        page.prefer(color_scheme="dark")
        page.run("localStorage.setItem('mine', '1'); document.cookie = 'mine=1'")
        assert page.run("[innerWidth, localStorage.length]") == [640, 1]
    with chromium(path) as page:
        assert page.run("[innerWidth, localStorage.length, document.cookie]") == [1280, 0, ""]
        assert not page.run("matchMedia('(prefers-color-scheme: dark)').matches")


def test_keys_and_the_mouse_reach_a_later_page_too(page_at):
    for _ in range(2):
        with chromium(page_at("keys")) as page:
            page.run("addEventListener('keydown', e => { document.title += e.key; })")
            page.run("addEventListener('click', e => { document.title += 'click'; })")
            page.click("button")
            page.press("f")
            assert page.run("document.title") == "keysclickf"
            assert page.run("document.hasFocus()")


@pytest.mark.parametrize("script", ["missing()", "fetch('https://example.org/x')"])
def test_a_fault_of_a_page_is_its_own(page_at, script):
    with (
        pytest.raises(AssertionError),
        chromium(page_at("bad", f"setTimeout(() => {{ {script} }})")) as page,
    ):
        page.wait("document.readyState === 'complete'")
        for _ in range(20):
            page.run("new Promise(done => setTimeout(done, 10))")
    with chromium(page_at("good")) as page:
        assert page.faults == []


def test_after_a_test_that_failed_there_is_a_new_browser(page_at):
    _, first = shown(page_at("one"))
    with pytest.raises(AssertionError, match="found"), chromium(page_at("two")):
        raise AssertionError("found")
    assert not first.is_running
    title, second = shown(page_at("three"))
    assert (title, second is first) == ("three", False)


def test_a_browser_that_was_ended_is_replaced(page_at):
    _, first = shown(page_at("one"))
    os.kill(first._child.pid, signal.SIGKILL)
    first._child.wait()
    assert shown(page_at("two"))[0] == "two"


def test_its_files_are_deleted_at_the_end(page_at):
    _, running = shown(page_at("one"))
    assert running._home.is_dir()
    browser.close()
    assert not running._home.exists() and not running.is_running
    browser.close()
