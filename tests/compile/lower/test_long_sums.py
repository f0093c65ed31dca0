"""Long sums of rows as sums of blocks: each row once, and rounded less."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.compile.lower.long_sums import ROWS, in_blocks
from graphnet.compile.lower.loops import Reduction
from graphnet.compile.lower.scalars import Position, load
from graphnet.compile.lower.statements import Statements
from graphnet.compile.plan.slots import new_slot

SHORT = 4 * ROWS
SINGLE = torch.float32


def laid(*sizes, dtype=SINGLE):
    return load(new_slot(sizes, dtype))


def broadcast(sizes, strides):
    slot = new_slot((sizes[0] * sizes[1],), SINGLE)
    return load(slot.as_strided(sizes, strides))


COUNTS = [SHORT, SHORT + 1, SHORT + ROWS - 1, SHORT + ROWS, ROWS**2 - 1, ROWS**2, ROWS**2 + 1,
          ROWS * SHORT - 1, ROWS * SHORT, ROWS * SHORT + ROWS + 1]  # fmt: skip


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("columns", [2, 5, 17])
def test_every_row_is_in_one_block(columns):
    """Integers of float64 are added without rounding."""
    graph, feed, nodes, expected = gn.Graph(), {}, [], []
    for rows in COUNTS:
        x = graph.input((rows, columns), name=f"x{rows}", dtype=torch.float64)
        values = (torch.arange(rows * columns) % 101).double().reshape(rows, columns)
        nodes += [x.sum(0), (x * x + 1.0).sum(0), x.T.unsqueeze(1).sum((1, 2))]
        expected += [values.sum(0), (values * values + 1.0).sum(0), values.sum(0)]
        feed[x.name] = values
    found = graph.compile(nodes, backend="c")(feed)
    assert all(map(torch.equal, found, expected))


def summed(element, sizes, kept=1, function="add", dtype=SINGLE):
    """What a sum becomes: the statements before the last, and the last."""
    low = Statements(batch_last=False)
    node, out = gn.Graph().input((), name="sum"), new_slot(sizes[:kept], dtype)
    statement = Reduction(node, sizes, kept, function, element, out)
    last = in_blocks(low, statement)
    assert (last is statement) == (not low.done.statements)
    return [*low.done.statements, last]


LONG = (5, SHORT + 3)
ROWS_OF_5 = broadcast(LONG, (1, 5))
LEFT = {
    "few rows": (broadcast((5, SHORT - 1), (1, 5)), (5, SHORT - 1), {}),
    "numbers side by side": (laid(*LONG), LONG, {}),
    "one number side by side": (ROWS_OF_5 * laid(*LONG), LONG, {}),
    "the same number again": (broadcast(LONG, (1, 0)), LONG, {}),
    "extremes": (ROWS_OF_5, LONG, {"function": "maximum"}),
    "products": (ROWS_OF_5, LONG, {"function": "mul"}),
    "integers": (
        load(new_slot(LONG[::-1], torch.int64).permute(1, 0)), LONG, {"dtype": torch.int64}
    ),
    "positions": (ROWS_OF_5 * Position(1), LONG, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_other_reductions_stay_whole(name):
    element, sizes, options = LEFT[name]
    assert len(summed(element, sizes, **options)) == 1


IN_BLOCKS = {
    "blocks and a rest": (ROWS_OF_5, LONG, 1, 3),
    "blocks only": (broadcast((5, SHORT), (1, 5)), (5, SHORT), 1, 2),
    "beside numbers of the row": (ROWS_OF_5 * broadcast(LONG, (1, 0)), LONG, 1, 3),
    "beside one number": (ROWS_OF_5 - broadcast(LONG, (0, 0)), LONG, 1, 3),
    "blocks of blocks": (broadcast((5, ROWS * SHORT), (1, 5)), (5, ROWS * SHORT), 1, 3),
    "pixels of a batch": (
        load(new_slot((SHORT, 5, 7), SINGLE).permute(1, 0, 2)), (5, SHORT, 7), 1, 2,
    ),
    "at computed places": (
        load(new_slot((9, 5), SINGLE)[0].expand(SHORT, 5).permute(1, 0),
             (5, load(new_slot((SHORT, 2), torch.int64)[:, 0].expand(5, SHORT)))), (5, SHORT), 1, 2,
    ),
}  # fmt: skip


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("name", IN_BLOCKS)
def test_long_sums_are_sums_of_blocks(name):
    element, sizes, kept, count = IN_BLOCKS[name]
    made = summed(element, sizes, kept)
    assert len(made) == count
    assert all(each.sizes[each.kept] <= SHORT for each in made)


TENTHS = {
    "rows": lambda x, w: x.sum(0),
    "weighted": lambda x, w: (x * w).sum(0),
    "from a mean": lambda x, w: (x - x.mean(0)).square().sum(0) + x.sum(0),
    "few columns": lambda x, w: x.narrow(1, 0, 2).sum(0),
    "squares": lambda x, w: (x * x).sum(0),
}


def test_a_long_sum_is_as_near_as_its_blocks_are():
    """Equal numbers all round in one direction: one by one, their sum would be off by a hundredth.

    In blocks of 64, and blocks of blocks, a sum of 200,000 rounds 64 times at each of three levels,
    by at most half of eps of it; its terms round twice before.
    """
    rows, columns = 200_000, 5
    graph = gn.Graph()
    x, w = graph.input((rows, columns), name="x"), graph.input((columns,), name="w")
    feed = {"x": torch.full((rows, columns), 0.1), "w": torch.linspace(0.7, 1.3, columns)}
    found = graph.compile([make(x, w) for make in TENTHS.values()], backend="c")(feed)
    limit = (3 * ROWS / 2 + 2) * torch.finfo(SINGLE).eps
    for (name, make), mine in zip(TENTHS.items(), found, strict=True):
        exact = make(feed["x"].double(), feed["w"].double())
        assert ((mine - exact).abs() <= limit * exact).all(), name
