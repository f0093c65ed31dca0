"""Rails: each reader is joined to what it reads, whatever the list."""

from __future__ import annotations

import random

import pytest

from graphnet.listing.rails import WIDEST, drawn

JOINS = "├┤┼┴╰╯"


@pytest.mark.parametrize("seed", range(5))
def test_each_line_is_joined_to_as_many_rails_as_it_reads(seed):
    dice = random.Random(seed)
    kinds, sources = ["input"], [()]
    for place in range(1, 60):
        kinds.append("operation")
        sources.append(tuple(sorted(dice.sample(range(max(0, place - 6), place), min(place, 2)))))
    lines = drawn(kinds, sources)
    assert all(line.count("●") == 1 for line in lines[1:])
    ends = {
        source: max(at for at, read in enumerate(sources) if source in read)
        for read in sources
        for source in read
    }
    for place, (line, read) in enumerate(zip(lines, sources, strict=True)):
        joined = sum(line.count(join) for join in JOINS)
        taken_over = any(ends[source] == place for source in read)  # its own rail is one of those
        assert joined == len(read) - taken_over


def test_a_value_that_nobody_reads_leaves_its_rail():
    assert drawn(["input", "operation", "operation"], [(), (0,), (0,)]) == ["○", "├─●", "●"]


def test_rails_too_far_right_are_hinted_at():
    count = WIDEST + 5
    lines = drawn(["input"] * count + ["operation"], [()] * count + [tuple(range(count))])
    assert lines[WIDEST - 1][-1] == "○"
    assert all(line.endswith("…") for line in lines[WIDEST:count])
