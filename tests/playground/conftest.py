"""Pages in one window of Chromium, which all tests of the folder share."""

from __future__ import annotations

import pytest
from browser import chromium
from playground import pages

from graphnet.playground.page import write_page

NAMES = ("plane", "rows", "groups", "fixed", "hostile", "images", "recurrent")
NAMES += ("labelled", "single", "numbers")


@pytest.fixture(scope="package")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playground")
    return {name: write_page(getattr(pages, name)(), folder / f"{name}.html") for name in NAMES}


@pytest.fixture(scope="package")
def window(files):
    with chromium(files["plane"]) as page:
        yield page


@pytest.fixture
def at(window, files):
    """Open a page in the window, as new."""

    def opened(name, width=1280, height=720):
        window.resize(width, height)
        window.prefer(color_scheme="light", reduced_motion="reduce")
        window.go(files[name])
        window.wait("typeof playground === 'object' && !playground.evaluator.running")
        return window

    yield opened
    assert window.faults == []


@pytest.fixture
def page(at):
    return at("plane")
