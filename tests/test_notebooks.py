"""The notebooks are clean in the checkout and read well; `pytest --nbmake notebooks` runs them."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
NEEDS_DATA = re.compile(r"gn\.data\.mnist\(|gn\.data\.digit_pairs\(")


def notebook(name):
    return nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)


def code_of(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def test_they_are_numbered():
    assert [int(name.partition("-")[0]) for name in NAMES] == list(range(1, 12))


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_has_no_outputs(name):
    book = notebook(name)
    nbformat.validate(book)
    assert set(book.metadata) == {"kernelspec", "language_info"}
    for cell in book.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_reads_well(name):
    """Title first, questions last, text between any three cells of code, code that fits a page."""
    cells = notebook(name).cells
    number = int(name.partition("-")[0])
    assert cells[0].source.startswith(f"# {number}. ")
    assert "## Try it" in cells[-1].source
    assert "?" in cells[-1].source
    kinds = "".join(cell.cell_type[0] for cell in cells)
    assert "ccc" not in kinds
    assert max(len(cell.source.splitlines()) for cell in cells) <= 45


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_says_which_data_it_needs(name):
    cells = notebook(name).cells
    assert ("**Data:**" in cells[0].source) == bool(NEEDS_DATA.search(code_of(cells)))
    assert ("GRAPHNET_DATA" in cells[0].source) == ("**Data:**" in cells[0].source)
