"""What a snapshot restores, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.snapshot import Snapshot, buffers_of, generators_of, own_generators


def test_tensors_and_random_states_go_back():
    x, own = torch.ones(3), torch.Generator().manual_seed(1)
    before = Snapshot([x], [torch.default_generator, own])
    drawn = torch.rand(2), torch.rand(2, generator=own)
    x.fill_(7)
    before.restore()
    assert x.tolist() == [1, 1, 1]
    assert torch.equal(torch.rand(2), drawn[0])
    assert torch.equal(torch.rand(2, generator=own), drawn[1])


def test_a_block_restores_after_an_error_too():
    x = torch.ones(3)
    with pytest.raises(ZeroDivisionError), Snapshot([x]):
        x.zero_()
        raise ZeroDivisionError
    assert x.tolist() == [1, 1, 1]


def test_what_has_not_changed_is_not_written_to():
    x = torch.ones(3)
    version = x._version
    Snapshot([x]).restore()
    assert x._version == version


def test_nan_is_restored_as_well():
    x = torch.full((2,), float("nan"))
    with Snapshot([x]):
        x.zero_()
    assert x.isnan().all()


def test_what_a_walk_may_change():
    own = torch.Generator()
    model = gn.Sequential(gn.BatchNorm1d(3), gn.Dropout(0.5))
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x")
        y = gn.ops.dropout(model(x), 0.5, generator=own)
    norm = model[0]
    kept = (norm.running_mean, norm.running_var, norm.num_batches_tracked)
    assert {id(each) for each in buffers_of(graph)} == {id(each.top) for each in kept}
    assert own_generators(graph) == [own]
    assert generators_of(graph) == [torch.default_generator, *torch.cuda.default_generators, own]
    before = Snapshot(buffers_of(graph), generators_of(graph))
    first = graph.forward(x=torch.ones(4, 3), outputs=y)
    before.restore()
    assert torch.equal(graph.forward(x=torch.ones(4, 3), outputs=y), first)
