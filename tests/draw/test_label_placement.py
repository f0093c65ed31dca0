"""The search for a place that hides little."""

from __future__ import annotations

import pytest

from graphnet.draw.svg.label_placement import Obstacles


@pytest.mark.parametrize(
    ("place", "cost"),
    [
        ((50, 50, 10, 10), 0),
        ((15, 15, 10, 10), 7),
        ((95, 50, 10, 10), 1000),
        ((-5, 50, 10, 10), 1000),
        ((30, 70, 39, 8), 10),  # the points at 32, 36 ... 68
    ],
)
def test_what_a_place_costs(place, cost):
    obstacles = Obstacles(100, 100)
    obstacles.block((10, 10, 10, 10), 7)
    obstacles.line([(4 * step, 75) for step in range(4, 20)], owner=3)
    assert obstacles.cost(place) == cost


def test_the_own_line_may_be_hidden():
    obstacles = Obstacles(100, 100)
    obstacles.line([(50, 50)], owner=3)
    assert obstacles.cost((40, 40, 20, 20), owner=3) == 0
    assert obstacles.cost((40, 40, 20, 20), owner=4) == 1


def test_a_large_thing_is_counted_once():
    obstacles = Obstacles(400, 400)
    obstacles.block((10, 10, 300, 300), 5)
    assert obstacles.cost((20, 20, 200, 200)) == 5


def test_the_cheapest_place_is_found_and_the_first_of_equals():
    obstacles = Obstacles(100, 100)
    obstacles.block((10, 10, 10, 10), 7)
    taken, near, far = (12, 12, 5, 5), (40, 40, 5, 5), (60, 60, 5, 5)
    assert obstacles.best([(0, taken), (2, near), (2, far)]) == near
    assert obstacles.best([(0, taken), (8, near)]) == taken
