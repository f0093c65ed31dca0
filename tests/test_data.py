"""The disk, one-hot labels and batches."""

from __future__ import annotations

import math

import pytest
import torch

from graphnet import DtypeError, RangeError, ShapeError
from graphnet.data import batches, disk, one_hot


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# the disk


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
    # each cell of a 4 x 4 grid has its sixteenth: 62,500 points, give or take 242
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


# one-hot


@pytest.mark.parametrize("classes", [3, 5])
@pytest.mark.parametrize("labels", [[], [0], [2, 0, 1, 1], [1, 1]], ids=str)
def test_one_hot_equals_torch(labels, classes):
    tensor = torch.tensor(labels, dtype=torch.int64)
    expected = torch.nn.functional.one_hot(tensor, classes)
    result = one_hot(tensor, classes)
    assert result.dtype is torch.float32
    assert result.equal(expected.float())


def test_one_hot_of_strided_labels_in_the_default_type():
    labels = torch.tensor([[2, 9], [0, 9], [1, 9]])[:, 0]
    torch.set_default_dtype(torch.float64)
    try:
        result = one_hot(labels, 3)
    finally:
        torch.set_default_dtype(torch.float32)
    assert result.dtype is torch.float64
    assert result.equal(torch.nn.functional.one_hot(labels, 3).double())


@pytest.mark.parametrize(
    ("labels", "classes", "kind", "words"),
    [
        ([0, 3], 3, RangeError, ["0 to 2", "3 came"]),
        ([0, -1], 3, RangeError, ["0 to 2", "-1 came"]),
        ([-2, 7], 3, RangeError, ["-2 came"]),
        ([[0, 1], [1, 0]], 2, ShapeError, ["(2, 2)"]),
        (1, 2, ShapeError, ["()"]),
        ([0.0, 1.0], 2, DtypeError, ["float32"]),
    ],
)
def test_one_hot_errors(labels, classes, kind, words):
    with pytest.raises(kind) as error:
        one_hot(torch.tensor(labels), classes)
    assert [word for word in words if word not in str(error.value)] == []


# batches


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 7, 10, 11, 1000])
@pytest.mark.parametrize("rows", [1, 10])
def test_every_row_comes_once(rows, batch_size, shuffle):
    x = torch.arange(rows)
    parts = [part for (part,) in batches(x, batch_size=batch_size, shuffle=shuffle)]
    assert [len(part) for part in parts[:-1]] == [batch_size] * (len(parts) - 1)
    assert len(parts) == math.ceil(rows / batch_size)
    assert len(parts[-1]) == rows - batch_size * (len(parts) - 1)
    together = torch.cat(parts)
    assert together.sort().values.equal(x)
    if not shuffle:
        assert together.equal(x)


def test_rows_of_several_tensors_stay_together():
    x = torch.rand(23, 2, generator=seeded())
    labels = torch.arange(23)
    weights = x.sum(1, keepdim=True).unsqueeze(2)
    order = []
    for points, label, weight in batches(x, labels, weights, batch_size=5, generator=seeded(1)):
        assert points.equal(x[label])
        assert weight.equal(weights[label])
        order += label.tolist()
    assert order != sorted(order)
    assert sorted(order) == list(range(23))


def test_order_follows_the_generator_alone():
    x = torch.arange(50)

    def order(generator=None):
        return [part.tolist() for (part,) in batches(x, batch_size=8, generator=generator)]

    torch.manual_seed(4)
    state = torch.get_rng_state()
    assert order(seeded(2)) == order(seeded(2))
    assert order(seeded(2)) != order(seeded(3))
    generator = seeded(2)
    assert order(generator) != order(generator)  # a new order in the next epoch
    list(batches(x, batch_size=8, shuffle=False))
    assert torch.get_rng_state().equal(state)
    first = order()
    torch.manual_seed(4)
    assert order() == first


def test_all_orders_are_equally_likely():
    generator = seeded()
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(1200):
        ((part,),) = batches(torch.arange(3), batch_size=3, generator=generator)
        order = tuple(part.tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert all(140 < count < 260 for count in counts.values())  # 200, give or take 13


def test_shuffled_batches_leave_the_data_alone():
    x = torch.arange(10)
    for (part,) in batches(x, batch_size=4, generator=seeded()):
        part.fill_(-1)
    assert x.equal(torch.arange(10))


def test_no_rows_are_no_batches():
    assert list(batches(torch.empty(0, 2), batch_size=3)) == []


@pytest.mark.parametrize(
    ("tensors", "batch_size", "kind", "words"),
    [
        ([torch.ones(4)], 0, RangeError, ["batch_size", "0"]),
        ([torch.ones(4)], -2, RangeError, ["batch_size", "-2"]),
        ([torch.ones(4), torch.ones(5)], 2, ShapeError, ["[4, 5]"]),
        ([], 2, ShapeError, ["rows"]),
        ([torch.tensor(1.0)], 2, ShapeError, ["()"]),
    ],
    ids=range(5),
)
def test_errors_come_when_the_batches_are_asked_for(tensors, batch_size, kind, words):
    with pytest.raises(kind) as error:
        batches(*tensors, batch_size=batch_size)
    assert [word for word in words if word not in str(error.value)] == []
