"""Curves through points: vertical at each of them, and round where they turn."""

from __future__ import annotations

from math import dist

import pytest

from graphnet.draw.layout.curves import (
    STEP,
    from_below,
    moved,
    point_on,
    rounded,
    samples,
    sideways,
    smooth,
    sparse,
    split_at,
    turning,
)


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


@pytest.mark.parametrize("length", [0.0, 1.0, 30.0, 500.0])
def test_samples_run_from_end_to_end_in_small_steps(length):
    third = length / 3
    points = samples([(0.0, 0.0), (0.0, third), (0.0, 2 * third), (0.0, length)])
    assert points[0] == (0, 0)
    assert points[-1] == pytest.approx((0, length))
    steps = [dist(points[at], points[at + 1]) for at in range(len(points) - 1)]
    assert max(steps) <= STEP + 1e-9


@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.5, 1.0])
def test_a_part_of_a_straight_curve(pieces, part):
    points = [(10.0 * place, 30.0 * place) for place in range(3 * pieces + 1)]
    assert point_on(points, part) == pytest.approx((30 * pieces * part, 90 * pieces * part))


def test_a_curve_is_cut_at_a_height():
    curve = [(0.0, 0.0), (10.0, 20.0), (30.0, 40.0), (50.0, 100.0)]
    above, below = split_at(curve, 37.0)
    assert above[0] == curve[0] and below[-1] == curve[-1]
    assert above[-1] == below[0]
    assert above[-1][1] == pytest.approx(37.0)
    assert len(above) == len(below) == 4


def test_corners_are_rounded():
    curve = turning([(0.0, 0.0), (0.0, 50.0), (80.0, 50.0)])
    assert curve[0] == (0.0, 0.0) and curve[-1] == (80.0, 50.0)
    assert len(curve) % 3 == 1
    assert (0.0, 43.0) in curve and (7.0, 50.0) in curve


CORNERS = [
    ((60.0, 8.0), (48.0, 10)),  # at a side, close to a corner
    ((58.0, 10.0), (48.0, 10)),
    ((20.0, 10.0), (20.0, 10)),  # below already
    ((90.0, 5.0), (90.0, 5.0)),  # nowhere near
]


@pytest.mark.parametrize(("start", "moved_to"), CORNERS)
def test_an_arrow_that_ends_at_a_corner_leaves_below_the_box(start, moved_to):
    curve = [start, (60.0, 40.0), (50.0, 80.0), (70.0, 90.0)]
    found = from_below(curve, (0, 0, 60, 10), (50, 90, 60, 10))
    assert found[0] == moved_to and found[-1] == (70.0, 90)
    shift = (moved_to[0] - start[0], moved_to[1] - start[1])
    assert found[1] == (60 + shift[0], 40 + shift[1])
    upwards = from_below(curve[::-1], (50, 80, 60, 10), (0, 8, 60, 10))
    assert upwards[0] == (70.0, 90)
