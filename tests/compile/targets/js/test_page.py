"""The page on the printed text: its blocks are that text, and its words on it are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphnet.compile.targets.js.program import PrintedProgram

PAGE = Path(__file__).parents[4] / "docs" / "printing-to-javascript.md"


@pytest.fixture(scope="module")
def page():
    """The text of the page, and the program that it prints."""
    text = PAGE.read_text(encoding="utf-8")
    namespace = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], namespace)
    return text, namespace["program"]


def test_the_blocks_are_parts_of_the_text(page):
    text, program = page
    blocks = re.findall(r"```js\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        assert block in program.source


def test_the_table_names_what_is_returned(page):
    text, program = page
    returned = re.findall(
        r"^    (\w+)[:,(]", program.source.split("\n  return {\n")[1], re.MULTILINE
    )
    table = text[text.index("## What is returned") : text.index("A step of training")]
    words = {*re.findall(r"`(\w+)(?:\(\))?`", table)}
    assert {*returned} - {"batch"} == words - {"null"}


def test_the_text_is_short(page):
    """All of the network of the disk, with its prelude: what a page must carry."""
    assert isinstance(page[1], PrintedProgram)
    assert len(page[1].source) < 30_000
