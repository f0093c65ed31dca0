"""The points of the disk."""

from __future__ import annotations

import math

import pytest
import torch

from graphnet import RangeError
from graphnet.data import disk


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_half_of_a_million_points_lie_in_the_disk():
    points, labels = disk(1_000_000, seeded())
    assert points.shape == (1_000_000, 2)
    assert points.dtype is torch.float32
    assert labels.shape == (1_000_000,)
    assert labels.dtype is torch.int64
    # the area is one half; the standard deviation of the share is 0.05 %
    assert abs(labels.double().mean() - 0.5) < 0.01
    distance = (points.double() - 0.5).pow(2).sum(1).sqrt()
    radius = 1 / math.sqrt(2 * math.pi)
    # float32 rounds a distance at 1e-7; closer to the circle than that, either label is right
    clear = (distance - radius).abs() > 1e-6
    assert clear.double().mean() > 0.9999
    assert (distance < radius).long()[clear].equal(labels[clear])


def test_points_are_uniform():
    points = disk(1_000_000, seeded(1))[0].double()
    assert points.min() >= 0
    assert points.max() <= 1
    # moments of a uniform variable; a thousandth is three standard deviations and more
    for power, moment in ((1, 1 / 2), (2, 1 / 3), (3, 1 / 4)):
        assert (points.pow(power).mean(0) - moment).abs().max() < 1e-3
    assert abs((points[:, 0] * points[:, 1]).mean() - 1 / 4) < 1e-3
    # each cell of a 4 x 4 grid has a sixteenth: 62,500 points, give or take 242
    columns, rows = (points * 4).long().clamp(max=3).unbind(1)
    counts = torch.bincount(columns * 4 + rows, minlength=16)
    assert (counts - 62_500).abs().max() < 1_250


def test_disk_follows_its_generator_alone():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    points, labels = disk(100, seeded(3))
    again, same = disk(100, seeded(3))
    assert points.equal(again)
    assert labels.equal(same)
    assert torch.get_rng_state().equal(state)
    generator = seeded(3)
    first, second = disk(50, generator)[0], disk(50, generator)[0]
    assert not first.equal(second)


def test_disk_without_generator_follows_manual_seed():
    torch.manual_seed(7)
    first = disk(20)[0]
    torch.manual_seed(7)
    assert disk(20)[0].equal(first)


def test_disk_is_float32_whatever_the_default_type():
    torch.set_default_dtype(torch.float64)
    try:
        assert disk(3, seeded())[0].dtype is torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("n", [0, -5])
def test_disk_of_no_points(n):
    with pytest.raises(RangeError, match=str(n)):
        disk(n)


def test_disk_of_one_point():
    assert [tuple(each.shape) for each in disk(1, seeded())] == [(1, 2), (1,)]
