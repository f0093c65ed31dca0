"""The notebooks are clean in the checkout, and run from the first cell to the last."""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path

import pytest

from graphnet.data import digits
from graphnet.data.download import fetch
from graphnet.errors import LoadError

nbformat = pytest.importorskip("nbformat", reason="the extra `dev` is not installed")

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
QUICK = {"01-the-list.ipynb", "02-back-propagation.ipynb"}
NEEDS_DATA = re.compile(r"gn\.data\.mnist\(|gn\.data\.digit_pairs\(")
LIMIT = 120  # seconds of processor time


def notebook(name):
    return nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)


def code_of(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def test_they_are_numbered():
    assert [int(name.partition("-")[0]) for name in NAMES] == list(range(1, 10))
    assert set(NAMES) >= QUICK


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


@pytest.mark.parametrize("name", sorted(QUICK))
def test_a_quick_notebook_runs(name, tmp_path):
    executed(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_in_two_minutes(name, tmp_path, monkeypatch):
    if NEEDS_DATA.search(code_of(notebook(name).cells)):
        monkeypatch.setenv("GRAPHNET_DATA", str(folder_of_mnist()))
    assert executed(name, tmp_path) < LIMIT


def test_a_cell_that_fails_is_found(tmp_path):
    client = pytest.importorskip("nbclient", reason="the extra `dev` is not installed")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(client.exceptions.CellExecutionError, match="ZeroDivisionError"):
        run(book, tmp_path)


def executed(name, folder):
    """Run a notebook in a folder; returns the seconds of processor time of its kernel."""
    book = notebook(name)
    before = processor_seconds()
    run(book, folder)
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    assert kinds & {"image/svg+xml", "image/png"}, "a notebook shows pictures"
    assert list(folder.iterdir()) == []
    return processor_seconds() - before


def run(book, folder):
    client = pytest.importorskip("nbclient", reason="the extra `dev` is not installed")
    resources = {"metadata": {"path": str(folder)}}
    client.NotebookClient(book, timeout=600, kernel_name="python3", resources=resources).execute()


def processor_seconds():
    """The processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def folder_of_mnist():
    """The folder of data sets that has MNIST: the variable's, or one beside the checkout."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    for root in (os.environ.get("GRAPHNET_DATA"), beside):
        if root:
            try:
                fetch(digits.FILES, Path(root) / "MNIST" / "raw", mirrors=())
            except LoadError:
                continue
            return root
    return pytest.skip("MNIST is not here, and tests do not download it: GRAPHNET_DATA names it")
