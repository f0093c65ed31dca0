"""Curves through points: vertical at each of them, and round where they turn."""

from __future__ import annotations

import pytest

from graphnet.draw.layout.curves import moved, rounded, sideways, smooth, sparse


@pytest.mark.parametrize(
    ("points", "left"),
    [
        ([(0, 0), (0, 5), (0, 9)], [(0, 0), (0, 9)]),
        ([(0, 0), (0, 5), (3, 9)], [(0, 0), (0, 5), (3, 9)]),
        ([(0, 0), (0, 0), (3, 9)], [(0, 0), (3, 9)]),
        ([(0, 0), (0, 5), (0, 5), (3, 9)], [(0, 0), (0, 5), (3, 9)]),
        ([(0, 0), (0, 9), (0, 5)], [(0, 0), (0, 9), (0, 5)]),
    ],
)
def test_points_on_a_straight_line_are_left_out(points, left):
    assert sparse(points) == left


def test_a_straight_way_is_one_straight_curve():
    assert smooth([(1, 0), (1, 4), (1, 8)]) == [(1, 0), (1, 4), (1, 4), (1, 8)]


def test_a_curve_that_starts_twice_at_one_point_does_not_turn_there():
    assert smooth([(1, 0), (1, 0), (5, 8)]) == smooth([(1, 0), (5, 8)])
    assert smooth([(1, 0), (1, 0)])[::3] == [(1, 0), (1, 0)]


def test_a_curve_with_other_ends_keeps_its_directions():
    curve = [(0, 0), (0, 5), (9, 5), (9, 9), (9, 12), (4, 15), (4, 20)]
    new = moved(curve, (0, -3), (4, 22))
    assert new == [(0, -3), (0, 2), (9, 5), (9, 9), (9, 12), (4, 17), (4, 22)]


def test_a_way_up_turns_round_below_and_above():
    curve = smooth([(0, 0), (0, 10), (20, 10), (20, -10), (0, -10), (0, 0)])
    assert curve[::3] == [(0, 0), (0, 10), (20, 10), (20, -10), (0, -10), (0, 0)]
    assert curve[4:6] == [(0, 20), (20, 20)]
    assert curve[10:12] == [(20, -20), (0, -20)]


def test_curves_to_the_side_leave_and_arrive_level():
    assert sideways((10, 1), (0, 5)) == [(10, 1), (5, 1), (5, 5), (0, 5)]
    assert rounded([(1 / 3, 2 / 3)]) == [(0.33, 0.67)]
