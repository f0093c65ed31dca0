"""mypy and pyright on the docs, on right uses and wrong ones; run them with `pytest -m types`."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pytest
from type_checking.checkers import PAGES, extract_pages, mypy, program_of, pyright

HERE = Path(__file__).parent
EXPECTED = re.compile(r"  # mypy: ([\w-]+); pyright: (\w+)$")
CHECKERS = ("mypy", "pyright")
FAULT = "import graphnet as gn\n\ngn.Linear('2', 3)\n"


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """The files that are checked, and what each checker, run once for all of them, reports."""
    for tool in CHECKERS:
        if find_spec(tool) is None:
            pytest.skip(f"needs: pip install {tool}")
    folder = tmp_path_factory.mktemp("checked")
    pages = extract_pages(folder)
    for name in ("right_uses.py", "wrong_uses.py"):
        shutil.copy(HERE / name, folder / name)
    (folder / "fault.py").write_text(FAULT, encoding="utf-8")
    found = dict.fromkeys(CHECKERS)
    found["mypy"] = mypy(folder, tmp_path_factory.mktemp("cache"))
    found["pyright"] = pyright(folder)
    return pages, found


@pytest.mark.types
@pytest.mark.parametrize("tool", CHECKERS)
def test_the_code_of_the_docs_has_right_types(tool, checked):
    pages, found = checked
    assert [each for each in found[tool] if each.file in pages] == []
    assert {Path("README.md"), Path("quick-start.md")} <= {Path(p.name) for p in pages.values()}


@pytest.mark.types
@pytest.mark.parametrize("tool", CHECKERS)
def test_right_uses_have_the_types_that_they_claim(tool, checked):
    assert [each for each in checked[1][tool] if each.file == "right_uses.py"] == []


@pytest.mark.types
@pytest.mark.parametrize("place", range(2), ids=CHECKERS)
def test_wrong_uses_are_found_and_nothing_else(place, checked):
    text = (HERE / "wrong_uses.py").read_text(encoding="utf-8")
    expected = {
        number: found[1 + place]
        for number, line in enumerate(text.splitlines(), 1)
        if (found := EXPECTED.search(line))
    }
    rules = defaultdict(set)
    for each in checked[1][CHECKERS[place]]:
        if each.file == "wrong_uses.py":
            rules[each.line].add(each.rule)
    assert len(expected) > 60
    assert sorted(rules) == sorted(expected)
    assert {line: rule for line, rule in expected.items() if rule not in rules[line]} == {}


@pytest.mark.types
@pytest.mark.parametrize("tool", CHECKERS)
def test_a_fault_in_a_file_is_found(tool, checked):
    assert [each.line for each in checked[1][tool] if each.file == "fault.py"] == [3]


def test_blocks_of_a_page_are_one_program_with_the_lines_of_the_page():
    text = (
        "# A page\n\n```python\nx = 1\n```\n\n```py\nother\n```\n\n"
        "```python\n>>> for i in [x]:\n...     print(i)\n1\n>>> x\n1\n\n```\n"
    )
    assert program_of(text).split("\n") == [
        *[""] * 3,
        "x = 1",
        *[""] * 7,
        "for i in [x]:",
        "    print(i)",
        "",
        "x",
        "",
    ]
    assert program_of("no code\n") == ""


def test_each_page_with_code_is_a_program_of_its_own(tmp_path):
    pages = extract_pages(tmp_path)
    with_code = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]
    assert sorted(pages.values()) == sorted(with_code)
    for name in pages:
        compile((tmp_path / name).read_text(encoding="utf-8"), name, "exec")


def test_the_package_says_that_it_has_types():
    import graphnet

    assert (Path(graphnet.__file__).parent / "py.typed").exists()
