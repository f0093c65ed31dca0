"""Rows that are held out."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.data import Split
from graphnet.data.order import LISTED


def rows_of(parts):
    return [part.rows(0, len(part)).tolist() for part in parts]


@pytest.mark.parametrize(("count", "fraction", "held"), [(5, 0.4, 2), (100, 0.31, 31), (3, 0.5, 2)])
def test_without_a_seed_the_last_rows_are_held_out(count, fraction, held):
    first, last = rows_of(Split(fraction).of(count))
    assert first == list(range(count - held))
    assert last == list(range(count - held, count))


@pytest.mark.parametrize("count", [10, 1000, LISTED + 10])
def test_a_seed_draws_them(count):
    first, last = Split(0.2, seed=3).of(count)
    rows = torch.cat([first.rows(0, len(first)), last.rows(0, len(last))])
    assert rows.sort().values.equal(torch.arange(count))
    assert len(last) == -(-count // 5)
    again = Split(0.2, seed=3).of(count)[1]
    assert again.rows(0, len(again)).equal(last.rows(0, len(last)))
    other = Split(0.2, seed=4).of(count)[1]
    assert not other.rows(0, 100).equal(last.rows(0, 100))


def test_rows_at_places_are_those_of_the_part():
    first, last = Split(0.2, seed=3).of(50)
    for part in (first, last):
        whole = part.rows(0, len(part))
        assert part.at(torch.tensor([4, 0])).equal(whole[[4, 0]])
        assert part.rows(3, 999).equal(whole[3:])


@pytest.mark.parametrize("fraction", [0.1, 0.25, 1 / 3, 0.5])
def test_strata_keep_their_shares(fraction):
    labels = torch.tensor([0] * 90 + [1] * 7 + [2] * 300 + [5] * 3)
    labels = labels[torch.randperm(400, generator=torch.Generator().manual_seed(0))]
    first, last = Split(fraction, seed=1, stratify=True).of(400, labels)
    held = labels[last.rows(0, len(last))]
    for label, count in ((0, 90), (1, 7), (2, 300), (5, 3)):
        assert abs(int((held == label).sum()) - fraction * count) <= 1
    assert len(last) == int(400 * fraction + 0.5)
    assert sorted([*first.rows(0, 400).tolist(), *last.rows(0, 400).tolist()]) == list(range(400))
    second = Split(fraction, seed=2, stratify=True).of(400, labels)[1]
    assert rows_of([second]) != rows_of([last])


@pytest.mark.parametrize(
    ("split", "labels", "error", "words"),
    [
        (lambda: Split("a"), None, gn.RangeError, "validation_split must be a number; got 'a'"),
        (lambda: Split(0.2, seed=0.5), None, gn.RangeError, "seed must be an integer"),
        (lambda: Split(0.2, stratify=True), None, gn.RangeError, "needs a seed"),
        (lambda: Split(0.2, 1, 1), None, gn.RangeError, "stratify must be True or False"),
        (lambda: Split(0.0), None, gn.RangeError, "both sides; got 0.0 of 10 rows"),
        (lambda: Split(0.999), None, gn.RangeError, "both sides; got 0.999 of 10 rows"),
        (lambda: Split(0.01, 0, True), torch.zeros(10).long(), gn.RangeError, "both sides"),
        (lambda: Split(0.5, 0, True), None, gn.ShapeError, "targets that are classes.*got none"),
        (lambda: Split(0.5, 0, True), torch.zeros(10), gn.ShapeError, "got .10,. of torch.float32"),
        (lambda: Split(0.5, 0, True), torch.zeros(9).long(), gn.ShapeError, "one integer for each"),
    ],
)
def test_a_split_that_cannot_be_is_refused(split, labels, error, words):
    with pytest.raises(error, match=words):
        split().of(10, labels)
