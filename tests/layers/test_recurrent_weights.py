"""The weights of recurrent layers, their state, their texts; and single cells."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from layers.recurrent_pairs import (
    EACH,
    NAMES,
    SETTINGS,
    check,
    close,
    inputs_of,
    leaves,
    pair,
    randn,
    seeded,
    state_of,
)

import graphnet as gn


@EACH
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: "-".join(map(str, each.values())))
def test_first_values_names_and_state_are_those_of_torch(name, options, settings):
    ours, theirs = pair(name, 3, 4, **options, **settings)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    assert all(mine[key].equal(other[key]) for key in other)
    theirs.load_state_dict({key: 2 * value for key, value in mine.items()})
    ours.load_state_dict(theirs.state_dict())
    check(ours, theirs, *inputs_of(name, theirs, 2, 3, seeded()))


@NAMES
def test_copies_and_dtypes(name):
    ours, theirs = pair(name, 3, 4, num_layers=2)
    inputs = inputs_of(name, theirs, 2, 3, seeded())
    check(ours, theirs, *inputs)
    for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        copied.zero_grad()
        other = copy.deepcopy(theirs)
        other.zero_grad()
        check(copied, other, *inputs)
    assert ours.float().forward(inputs[0].float())[0].dtype is torch.float32
    assert getattr(gn, name)(3, 4).weight_hh_l0.dtype is torch.float32


@NAMES
def test_texts(name):
    for settings in ({}, {"num_layers": 2, "batch_first": True, "dropout": 0.5, "bias": False}):
        ours, theirs = pair(name, 3, 4, **settings)
        assert repr(ours) == repr(theirs)
    ours, theirs = pair(f"{name}Cell", 3, 4, bias=False)
    assert repr(ours) == repr(theirs)


@NAMES
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_dropout_stands_between_layers(name):
    ours, theirs = pair(name, 3, 4, num_layers=2, dropout=1.0)
    inputs = inputs_of(name, theirs, 2, 3, seeded())
    check(ours, theirs, *inputs)
    ours.eval()
    theirs.eval()
    check(ours, theirs, *inputs)
    check(*pair(name, 3, 4, dropout=0.5), inputs[0])  # nothing stands behind the last layer
    some = pair(name, 3, 4, num_layers=2, dropout=0.5)[0]
    assert not some.forward(inputs[0])[0].equal(some.forward(inputs[0])[0])


@EACH
@pytest.mark.parametrize("bias", [True, False])
def test_cells(name, options, bias):
    ours, theirs = pair(f"{name}Cell", 3, 4, bias=bias, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(ours.state_dict()[key].equal(value) for key, value in theirs.state_dict().items())
    generator = seeded()
    for batch in [(5,), (1,), (), (12,), (0,), (2,)]:
        x, state = randn(*batch, 3, generator=generator), state_of(name, (*batch, 4), generator)
        check(ours, theirs, x, state, generator=generator)
        check(ours, theirs, x, generator=generator)


@NAMES
def test_a_loop_over_a_cell(name):
    ours, theirs = pair(f"{name}Cell", 3, 4)
    sequence = randn(6, 2, 3, generator=seeded())
    mine, other = None, None
    for x in sequence:
        mine, other = ours(x, mine), theirs(x, other)
    for result, expected in zip(leaves(mine), leaves(other), strict=True):
        close(result, expected)
