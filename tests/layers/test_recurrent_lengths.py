"""Recurrent layers over padded batches: equal to torch's packed sequences."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from layers.torch_pairs import DOUBLE, randn, seeded
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import graphnet as gn

LENGTHS = torch.tensor([3, 5, 1, 4])
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


def flat(value):
    return [each for part in value for each in (part if isinstance(part, tuple) else (part,))]


def both(name, **options):
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(3, 4, dtype=DOUBLE, **options)
    ours = getattr(gn, name)(3, 4, dtype=DOUBLE, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def packed(theirs, x):
    """The padded output of torch, and the last state."""
    first = theirs.batch_first
    given = pack_padded_sequence(x, LENGTHS, batch_first=first, enforce_sorted=False)
    output, state = theirs(given)
    padded, _ = pad_packed_sequence(output, batch_first=first, total_length=5)
    return padded, state


@pytest.mark.parametrize("options", [
    {}, {"batch_first": True, "bidirectional": True}, {"num_layers": 2, "bidirectional": True},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_padded_batches_are_packed_sequences(name, options):
    ours, theirs = both(name, **options)
    x = randn((4, 5, 3) if ours.batch_first else (5, 4, 3), seeded(1))
    leaf = x.clone().requires_grad_()
    with torch.enable_grad():
        expected = flat(packed(theirs, leaf))
        sum((each * each).sum() for each in expected).backward()
    found = ours(x, lengths=LENGTHS)
    for mine, other in zip(flat(found), expected, strict=True):
        assert_close(mine, other.detach(), **CLOSE)
    twice = [2 * each for each in flat(found)]
    grads = ours.backward(*twice) if name != "LSTM" else ours.backward(twice[0], tuple(twice[1:]))
    assert_close(grads[0], leaf.grad, **CLOSE)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(mine.grad, other.grad, **CLOSE)


@pytest.mark.parametrize("backend", ["torch", "c"])
def test_lengths_are_fed_to_a_program(backend):
    ours, theirs = both("LSTM", bidirectional=True)
    with gn.Graph() as graph:
        x = gn.Input((5, None, 3), name="x", dtype=DOUBLE)
        n = gn.Input((None,), name="n", dtype=torch.int64)
        output, (h, c) = ours(x, lengths=n)
    given = randn((5, 4, 3), seeded(1))
    found = graph.compile([output, h, c], backend=backend)(x=given, n=LENGTHS)
    for mine, other in zip(found, flat(packed(theirs, given)), strict=True):
        assert_close(mine, other.detach(), **CLOSE)


def test_lengths_that_do_not_fit():
    ours, _ = both("GRU")
    x = randn((5, 4, 3), seeded(1))
    with pytest.raises(gn.ShapeError, match="one integer for each"):
        ours(x, lengths=LENGTHS[:3])
    with pytest.raises(gn.ShapeError, match="one integer for each"):
        ours(x[:, 0], lengths=LENGTHS)
    with pytest.raises(gn.DtypeError, match="integers"):
        ours(x, lengths=LENGTHS.double())


@pytest.mark.parametrize("options", [
    {}, {"batch_first": True, "bidirectional": True}, {"num_layers": 2, "bias": False},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("padded", [False, True])
def test_an_lstm_that_projects(options, padded):
    ours, theirs = both("LSTM", proj_size=2, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = randn((4, 5, 3) if ours.batch_first else (5, 4, 3), seeded(1))
    with torch.enable_grad():
        expected = flat(packed(theirs, x) if padded else theirs(x))
        sum((each * each).sum() for each in expected).backward()
    found = flat(ours(x, lengths=LENGTHS) if padded else ours(x))
    for mine, other in zip(found, expected, strict=True):
        assert_close(mine, other.detach(), **CLOSE)
    twice = [2 * each for each in found]
    ours.backward(twice[0], tuple(twice[1:]))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(mine.grad, other.grad, **CLOSE)
    if not padded:
        state = tuple(each.detach() for each in expected[1:])
        again = flat(ours(x, state))
        for mine, other in zip(again, flat(theirs(x, state)), strict=True):
            assert_close(mine, other.detach(), **CLOSE)


def test_a_projection_is_smaller_than_the_state():
    for size in (4, -1, 1.5):
        with pytest.raises(gn.GraphError, match="proj_size"):
            gn.LSTM(3, 4, proj_size=size)
    assert "proj_size=2" in repr(gn.LSTM(3, 4, proj_size=2))
