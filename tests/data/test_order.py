"""The order of the rows: a permutation, random enough, that is asked for by place."""

from __future__ import annotations

import math
import pickle

import pytest
import torch

import graphnet as gn
from graphnet.data.order import LISTED, Permutation, RowOrder, Share

SIZES = [1, 2, 3, 4, 5, 7, 9, 16, 17, 100, 1000, 4095, 4096, 4097, 65_537]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_each_number_occurs_once(size, seed):
    found = Permutation(size, seed).at(torch.arange(size))
    assert found.sort().values.equal(torch.arange(size))


def test_the_numbers_of_a_large_range_differ_and_stay_in_it():
    for size in (2**40 + 1, 10**15, 2**62):
        places = torch.cat([torch.arange(20_000), size - 1 - torch.arange(20_000)])
        found = Permutation(size, 3).at(places)
        assert 0 <= int(found.min()) <= int(found.max()) < size
        assert len(found.unique()) == len(places)
        assert abs(float(found.double().mean()) / size - 0.5) < 5 / math.sqrt(12 * len(places))


def test_a_number_does_not_depend_on_what_it_is_asked_with():
    order = Permutation(1000, 5)
    whole = order.at(torch.arange(1000))
    assert order.at(torch.tensor([3, 997, 3])).tolist() == whole[[3, 997, 3]].tolist()


def test_the_numbers_are_those_of_another_machine():
    """Written by hand in plain integers: Feistel rounds, and walks until a number is in range."""
    size, seed = 1000, 7
    keys = torch.randint(2**32, (6,), generator=seeded(seed)).tolist()
    left_size, right_size = 32, 32

    def mixed(number, key):
        number ^= key
        number ^= number >> 16
        number = number * 0x85EBCA6B % 2**32
        number ^= number >> 13
        number = number * 0xC2B2AE35 % 2**32
        return number ^ number >> 16

    def walked(number):
        while True:
            left, right = divmod(number, right_size)
            for key in keys:
                left, right = right, (left + mixed(right, key)) % left_size
            number = left * right_size + right
            if number < size:
                return number

    expected = [walked(place) for place in range(size)]
    assert Permutation(size, seed).at(torch.arange(size)).tolist() == expected


# how random it is; each bound is one that a random permutation passes but in one case of 10^6


def deviation(counts, expected):
    """A chi-squared sum in units of its standard deviation, from its mean."""
    degrees = counts.numel() - 1
    return float(((counts - expected) ** 2 / expected).sum() - degrees) / math.sqrt(2 * degrees)


SEEDS = range(400)


def many(size):
    return torch.stack([Permutation(size, seed).at(torch.arange(size)) for seed in SEEDS])


def test_each_number_is_at_each_place_equally_often():
    size = 23
    table = torch.zeros(size, size, dtype=torch.float64)
    for row in many(size):
        table[torch.arange(size), row] += 1
    assert abs(deviation(table, len(SEEDS) / size)) < 5


def test_each_pair_follows_each_other_equally_often():
    size = 12
    rows = many(size)
    pairs = (rows[:, :-1] * size + rows[:, 1:]).flatten()
    counts = torch.bincount(pairs, minlength=size * size).view(size, size).double()
    assert counts.diag().sum() == 0
    off = counts[~torch.eye(size, dtype=torch.bool)]
    assert abs(deviation(off, len(pairs) / off.numel())) < 5


def test_fixed_points_are_as_many_as_in_a_random_permutation():
    fixed = (many(50) == torch.arange(50)).sum(1).double()
    assert abs(float(fixed.mean()) - 1) < 5 / math.sqrt(len(SEEDS))
    assert abs(float(fixed.var()) - 1) < 0.4


@pytest.mark.parametrize("size", [10_007, 2**16, 2**20 + 7])
def test_neighbours_are_not_correlated(size):
    found = Permutation(size, 11).at(torch.arange(size)).double()
    found = (found - found.mean()) / found.std()
    for lag in (1, 2, 3, 32, 256, 1024):
        correlation = float((found[:-lag] * found[lag:]).mean())
        assert abs(correlation) < 5 / math.sqrt(size - lag)


def test_a_batch_takes_from_everywhere():
    """The rows of each block of places are spread over the whole range."""
    size, block = 2**20, 2**12
    found = Permutation(size, 2).at(torch.arange(size)).view(-1, block)
    bins = found // (size // 64)
    counts = torch.stack([torch.bincount(row, minlength=64) for row in bins]).double()
    assert abs(deviation(counts, block / 64)) < 6


def test_orders_of_other_seeds_have_nothing_in_common():
    one, other = (Permutation(10_000, seed).at(torch.arange(10_000)) for seed in (0, 1))
    assert int((one == other).sum()) < 12  # 1 on average


# the order of the rows of an epoch


def test_up_to_a_million_rows_it_is_that_of_torch():
    for count in (1, 40, LISTED):
        order, generator = RowOrder.drawn(count, seeded()), seeded()
        assert order.rows(0, count).equal(torch.randperm(count, generator=generator))
    drawn = seeded()
    RowOrder.drawn(40, drawn)
    again = seeded()
    torch.randperm(40, generator=again)
    assert torch.equal(drawn.get_state(), again.get_state())


@pytest.mark.parametrize("count", [40, LISTED + 100_000])
def test_any_part_of_it_can_be_asked_for(count):
    order = RowOrder.drawn(count, seeded(3))
    whole = RowOrder(count, order.source).rows(0, count)
    assert whole.sort().values.equal(torch.arange(count))
    for start, stop in [(0, 7), (5, 40), (30, 40), (0, 40), (39, 99), (40, 40)]:
        assert order.rows(start, stop).equal(whole[start:stop])
    for start in range(count - 30, 0, -max(1, count // 7)):
        assert order.rows(start, start + 30).equal(whole[start : start + 30])
        assert order.at(torch.tensor([start, 0])).equal(whole[[start, 0]])
    assert pickle.loads(pickle.dumps(order)).rows(3, 9).equal(whole[3:9])


def test_the_order_of_very_many_rows_is_not_stored():
    order = RowOrder.drawn(10**12, seeded())
    assert len(order.rows(10**11, 10**11 + 256)) == 256
    assert len(pickle.dumps(order)) < 600_000
    assert order.source.numel() < 6000


@pytest.mark.parametrize("count", [40, LISTED + 5])
def test_without_a_source_rows_come_in_order(count):
    order = RowOrder(count)
    assert order.rows(3, 6).tolist() == [3, 4, 5]
    assert order.rows(count - 1, count + 9).tolist() == [count - 1]
    assert order.rows(count + 1, count + 9).tolist() == []
    assert order.at(torch.tensor([4])).tolist() == [4]


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 12])
@pytest.mark.parametrize(("start", "stop"), [(0, 10), (30, 37), (35, 99), (36, 37)])
def test_the_shares_of_all_processes_are_the_batch(start, stop, processes):
    order = RowOrder.drawn(37, seeded())
    shares = [Share(rank, processes) for rank in range(processes)]
    rows, count = order.rows(start, stop), min(stop, 37) - start
    parts = [rows[share.part(count)] for share in shares]
    assert torch.cat(parts).equal(rows)
    sizes = [len(each) for each in parts]
    assert max(sizes) - min(sizes) <= 1
    for share, part in zip(shares, parts, strict=True):
        taken = order.share(start, stop, share)
        assert taken.equal(part if len(part) else rows[:1])  # there is always a row to read


@pytest.mark.parametrize("size", [0, -1, 1.5, "3", True])
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(gn.RangeError, match="size must be an integer of 1 or more"):
        Permutation(size, 0)
