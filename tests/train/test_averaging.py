"""EMA beside torch's averaged model; the best weights, and weights that are loaded in part."""

from __future__ import annotations

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import graphnet as gn

CLOSE = {"rtol": 1e-6, "atol": 1e-7}  # a few updates in float32


def test_averages_are_those_of_torch():
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    ours = gn.Sequential(gn.Linear(3, 2), gn.BatchNorm1d(2))
    averaged = AveragedModel(theirs, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    ema = gn.EMA(0.9)
    for _ in range(4):
        for value in theirs.parameters():
            value.data.add_(torch.randn_like(value))
        ours.load_state_dict(theirs.state_dict())
        averaged.update_parameters(theirs)
        ema.update(ours)
    expected = averaged.module.state_dict()
    torch.testing.assert_close(ema.averages, dict(expected), **CLOSE)
    before = ours.state_dict()
    with ema.applied(ours):
        torch.testing.assert_close(ours.state_dict(), dict(expected), **CLOSE)
    torch.testing.assert_close(ours.state_dict(), before, rtol=0, atol=0)


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, generator=generator)
    return x, x.sum(1, keepdim=True) + torch.randn(40, 1, generator=generator)


def test_fit_updates_the_averages_after_each_step():
    torch.manual_seed(0)
    model, ema, seen = gn.Linear(3, 1), gn.EMA(0.5), []

    class Seen(gn.Callback):
        def step(self, run):
            seen.append(run.task.model.state_dict()["weight"])

    gn.fit(model, gn.LossMSE(), data(), gn.SGD(model.parameters(), lr=0.1), epochs=2,
           batch_size=20, callbacks=[ema, Seen()], progress=False)  # fmt: skip
    average = seen[0]
    for value in seen[1:]:
        average = 0.5 * average + 0.5 * value
    torch.testing.assert_close(ema.averages["weight"], average, **CLOSE)
    other = gn.EMA(0.5)
    other.load_state_dict(ema.state_dict())
    torch.testing.assert_close(other.averages, ema.averages, rtol=0, atol=0)
    with pytest.raises(gn.LoadError):
        other.load_state_dict({"weight": 3})
    with pytest.raises(gn.StateError, match="no averages"), gn.EMA().applied(model):
        pass


def test_early_stopping_restores_the_best_weights():
    """A learning rate that is too large makes each epoch after the first worse."""
    torch.manual_seed(0)
    model, seen = gn.Linear(3, 1), []

    class Seen(gn.Callback):
        def epoch(self, run):
            seen.append((run.history.last["loss"], run.task.model.state_dict()))

    stopping = gn.EarlyStopping("loss", patience=2, restore_best=True)
    gn.fit(model, gn.LossMSE(), data(), gn.SGD(model.parameters(), lr=1.2), epochs=20,
           callbacks=[stopping, Seen()], progress=False)  # fmt: skip
    best = min(range(len(seen)), key=lambda epoch: seen[epoch][0])
    assert best < len(seen) - 1 < 19
    torch.testing.assert_close(model.state_dict(), seen[best][1], rtol=0, atol=0)
    again = gn.EarlyStopping("loss", restore_best=True)
    again.load_state_dict(stopping.state_dict())
    torch.testing.assert_close(again.state_dict(), stopping.state_dict(), rtol=0, atol=0)


def test_weights_are_loaded_in_part(tmp_path):
    torch.manual_seed(0)
    small, large = gn.Sequential(gn.Linear(3, 2)), gn.Sequential(gn.Linear(3, 2), gn.Linear(2, 1))
    gn.save_weights(small, tmp_path / "small.safetensors")
    with pytest.raises(gn.LoadError):
        gn.load_weights(large, tmp_path / "small.safetensors")
    last = large[1].weight.top.clone()
    gn.load_weights(large, tmp_path / "small.safetensors", strict=False)
    assert torch.equal(large[0].weight.top, small[0].weight.top)
    assert torch.equal(large[1].weight.top, last)


@pytest.mark.parametrize("freeze", [True, False])
def test_an_embedding_from_rows(freeze):
    rows = torch.randn(5, 3)
    theirs = torch.nn.Embedding.from_pretrained(rows, freeze, padding_idx=-1)
    ours = gn.Embedding.from_pretrained(rows, freeze, padding_idx=-1)
    assert torch.equal(ours.weight.top, theirs.weight)
    assert ours.weight.requires_grad is theirs.weight.requires_grad
    assert ours.padding_idx == theirs.padding_idx
    labels = torch.tensor([4, 0, 4, 2])
    assert torch.equal(ours(labels), theirs(labels))
    assert list(ours.state_dict()) == ["weight"]
    with pytest.raises(gn.ShapeError):
        gn.Embedding.from_pretrained(rows[0])
