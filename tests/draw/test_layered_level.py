"""One level by itself: layers, order, places and wires."""

from __future__ import annotations

import pytest

from graphnet.draw.layout.layered_level import Item, Level, Wire


def arranged(number, pairs, width=40.0):
    items = [Item(f"n{place}", width, 20.0, width / 2) for place in range(number)]
    ends = [*items, None]
    wires = [
        Wire(ends[a], ends[b], width / 2 if a >= 0 else 0, width / 2 if b >= 0 else 0)
        for a, b in pairs
    ]
    level = Level(items, wires)
    level.arrange()
    return items, wires, level


@pytest.mark.parametrize(
    ("number", "pairs", "layers"),
    [
        (3, [(0, 1), (1, 2)], [0, 1, 2]),
        (4, [(0, 1), (1, 2), (0, 2), (2, 3)], [0, 1, 2, 3]),
        (4, [(0, 1), (1, 3), (2, 3)], [0, 1, 1, 2]),  # without inputs: just above its reader
        (
            4,
            [(0, 1), (1, 3), (-1, 2), (2, 3)],
            [0, 1, 0, 2],
        ),  # fed from outside: as early as it can
        (3, [(2, 1), (1, 0)], [2, 1, 0]),
        (3, [(0, 1), (1, 0), (1, 2)], [0, 1, 2]),  # a circle is cut before its first item
    ],
)
def test_layers_are_the_longest_paths(number, pairs, layers):
    items, _, _ = arranged(number, pairs)
    assert [item.layer for item in items] == layers


def test_branches_spread_around_their_source_and_meet_in_the_middle():
    (top, left, right, end), _, _ = arranged(4, [(-1, 0), (0, 1), (0, 2), (1, 3), (2, 3)])
    assert top.x == end.x == (left.x + right.x) / 2
    assert right.x - left.right == 16


def test_crossed_pairs_are_uncrossed():
    (a, b, c, d), _, _ = arranged(4, [(-1, 0), (-1, 1), (0, 3), (1, 2)])
    assert (a.x < b.x) == (d.x < c.x)


def test_a_wire_around_an_item_takes_a_lane_and_a_free_way_is_straight():
    _, wires, level = arranged(3, [(-1, 0), (0, 1), (1, 2), (0, 2)])
    lane = min(x for x, _ in wires[-1].points)
    assert lane == 6
    assert all(x == 32 for wire in wires[:-1] for x, _ in wire.points)
    assert level.width == 40 + 2 * 6


def test_lanes_are_used_again_where_they_are_free():
    pairs = [(-1, 0), *((place, place + 1) for place in range(8))]
    _, _, once = arranged(9, [*pairs, (0, 3)])
    _, _, twice = arranged(9, [*pairs, (0, 3), (4, 8)])
    _, _, nested = arranged(9, [*pairs, (0, 8), (2, 6)])
    assert once.width == twice.width < nested.width


def test_wires_from_and_to_the_outside_end_at_the_borders():
    _, wires, level = arranged(2, [(-1, 0), (0, 1), (1, -1), (0, -1)])
    assert wires[0].points[0][1] == 0
    assert wires[2].points[-1][1] == wires[3].points[-1][1] == level.height
    assert level.height == 20 + 26 + 20
