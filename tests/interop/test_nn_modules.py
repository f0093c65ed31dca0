"""torch.nn's own modules beside their imports; the page of the docs has the table.

`python tests/interop/test_nn_modules.py` prints the table for `docs/importing-from-torch.md`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from interop.nn_modules import MODULES

import graphnet as gn

PAGE = Path(gn.__file__).parent.parent / "docs" / "importing-from-torch.md"
QUICK = (
    "Linear",
    "Conv1d",
    "MaxPool1d",
    "PReLU",
    "BatchNorm2d",
    "GRUCell",
    "KLDivLoss",
    "Embedding",
)
NEWER = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 8)
OLD = {"RNN", "LSTM", "GRU", "InstanceNorm1d", "InstanceNorm3d"}
"""Modules that torch 2.6 cannot record alone: no parameters, or a list of them."""
CLOSE = 1e-7  # torch's hardsigmoid multiplies by the sixth of single precision


def imports_equal(name):
    """Whether a module imports, with equal numbers in both modes."""
    torch.manual_seed(0)
    make, examples = MODULES[name]
    inputs = (each.double() if each.is_floating_point() else each for each in examples())
    try:
        comparison = gn.compare_with_torch(make().double(), *inputs)
    except gn.GraphError:
        return False
    wrong = [row for row in comparison.rows if row.difference > CLOSE * max(row.size, row.scale)]
    assert not wrong, (name, wrong)
    return True


def table():
    """The lines of the docs: which modules import, and which do not."""
    found = {name: imports_equal(name) for name in MODULES}
    taken = ", ".join(f"`{name}`" for name, fits in found.items() if fits)
    refused = ", ".join(f"`{name}`" for name, fits in found.items() if not fits)
    return [f"**{sum(found.values())} import:** {taken}.", f"**Refused:** {refused}."]


@pytest.mark.parametrize("name", QUICK)
def test_a_module_imports_with_equal_numbers(name):
    assert imports_equal(name)


@pytest.mark.slow
def test_the_docs_have_the_table_of_modules():
    lines = table()
    assert int(lines[0].split()[0].strip("*")) >= 95
    text = PAGE.read_text(encoding="utf-8")
    if NEWER:
        assert [line for line in lines if line not in text] == []
    else:  # what an older torch cannot record by itself, it can inside another module
        named = [set(re.findall(r"`(\w+)`", each)) for each in (*lines, text)]
        assert named[0] <= named[2]
        assert not named[1] - set(re.findall(r"`(\w+)`", text.partition("**Refused:**")[2])) - OLD


if __name__ == "__main__":
    print("\n\n".join(table()))
