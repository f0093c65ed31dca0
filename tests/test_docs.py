"""Every Python block of every page in docs/ runs, in the order of the page."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run_page(text, name):
    """Run the blocks of a page one after the other, as one program; returns how many there are."""
    world = {"__name__": "page"}
    count = 0
    for found in BLOCK.finditer(text):
        source, line = found[1], text[: found.start(1)].count("\n")
        if source.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(source, world, name, name, line)
            results = doctest.DocTestRunner(
                optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
            ).run(test, clear_globs=False)
            assert not results.failed, f"{name}, line {line}"
            world.update(test.globs)
        else:
            # Empty lines in front, so that a traceback shows the line of the page.
            exec(compile("\n" * line + source, str(DOCS / name), "exec"), world)
        count += 1
    return count


@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # a page may write files
    run_page((DOCS / name).read_text(encoding="utf-8"), name)


def test_the_page_on_operations_says_what_is_printed(capsys):
    """A comment behind a print is what it prints."""
    text = (DOCS / "adding-an-operation.md").read_text(encoding="utf-8")
    assert run_page(text, "adding-an-operation.md") >= 8
    printed = capsys.readouterr().out
    for promised in re.findall(r"^print\(.*\) +# (.*)$", text, re.MULTILINE):
        assert promised in printed


def test_faults_of_a_page_are_found():
    with pytest.raises(ZeroDivisionError):
        run_page("a\n\n```python\nx = 0\n```\n\n```python\n1 / x\n```\n", "page.md")
    with pytest.raises(AssertionError, match="line 1"):
        run_page("```python\n>>> 1 + 1\n3\n```\n", "page.md")
