"""One-hot labels, normalized numbers and batches."""

from __future__ import annotations

import math

import pytest
import torch

from graphnet import DtypeError, RangeError, ShapeError
from graphnet.data import batches, normalized, one_hot


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


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
        ([0, 3], 3, RangeError, ["0 to 2", "got 3"]),
        ([0, -1], 3, RangeError, ["0 to 2", "got -1"]),
        ([-2, 7], 3, RangeError, ["got -2"]),
        ([[0, 1], [1, 0]], 2, ShapeError, ["(2, 2)"]),
        (1, 2, ShapeError, ["()"]),
        ([0.0, 1.0], 2, DtypeError, ["float32"]),
    ],
)
def test_one_hot_errors(labels, classes, kind, words):
    with pytest.raises(kind) as error:
        one_hot(torch.tensor(labels), classes)
    assert [word for word in words if word not in str(error.value)] == []


# normalized


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_first_tensor_decides_for_all(dtype):
    train = torch.rand(50, 2, 3, generator=seeded(), dtype=dtype) * 255
    test = torch.rand(20, 2, 3, generator=seeded(1), dtype=dtype) * 255 + 40
    before = train.clone(), test.clone()
    mean, deviation = train.mean(), train.std()
    first, second = normalized(train, test)
    assert first.dtype is second.dtype is dtype
    torch.testing.assert_close(first, (train - mean) / deviation)
    torch.testing.assert_close(second, (test - mean) / deviation)
    assert abs(first.mean()) < 1e-5
    assert abs(first.std() - 1) < 1e-5
    assert train.equal(before[0])
    assert test.equal(before[1])
    (alone,) = normalized(train)
    assert alone.equal(first)


@pytest.mark.parametrize(
    ("tensors", "kind", "words"),
    [
        ([torch.arange(5)], DtypeError, "got torch.int64"),
        ([torch.rand(5), torch.ones(2, dtype=torch.uint8)], DtypeError, "got torch.uint8"),
        ([torch.empty(0)], RangeError, "got 0 with a deviation of 0"),
        ([torch.ones(1)], RangeError, "got 1 with a deviation of 0"),
        ([torch.full((1000,), 0.1)], RangeError, "got 1,000 with a deviation of 0.0"),
        ([torch.tensor([0.0, math.nan])], RangeError, "all are finite"),
        ([torch.tensor([0.0, math.inf])], RangeError, "all are finite"),
    ],
    ids=range(7),
)
def test_what_cannot_be_normalized(tensors, kind, words):
    with pytest.raises(kind) as error:
        normalized(*tensors)
    assert words in str(error.value)


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
def test_errors_are_raised_when_the_batches_are_requested(tensors, batch_size, kind, words):
    with pytest.raises(kind) as error:
        batches(*tensors, batch_size=batch_size)
    assert [word for word in words if word not in str(error.value)] == []
