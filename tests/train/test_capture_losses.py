"""What a loss has learned and keeps is part of the state of training."""

from __future__ import annotations

import pytest
import torch
from train.small_runs import data, network, same, weights

import graphnet as gn


class Weighted(gn.Module):
    """A loss that learns a factor and keeps a buffer."""

    def __init__(self):
        self.scale = gn.Parameter(torch.ones(2))
        self.norm = gn.BatchNorm1d(2)

    def build(self, y, t):
        return gn.ops.cross_entropy(self.norm(y) * self.scale, t)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("closure", [False, True])
def test_what_a_loss_learns_is_kept(closure, compiled, tmp_path):
    def run(folder, epochs):
        torch.manual_seed(0)
        model, loss = network(dropout=True), Weighted()
        factor = gn.Parameter(torch.ones(()), name="factor")
        extra = [factor] if closure else []
        made = gn.Adam([*model.parameters(), *loss.parameters(), *extra], lr=0.05)

        def both(y, t):
            return loss(y, t) * factor + factor * factor

        history = gn.fit(
            model, both if closure else loss, data(), made, epochs=epochs, batch_size=10,
            seed=0, directory=folder, compile=compiled,
        )  # fmt: skip
        return {**weights(model), **weights(loss), "factor": factor.top.clone()}, history["loss"]

    whole = run(tmp_path / "whole", 4)
    run(tmp_path / "parts", 2)
    parts = run(tmp_path / "parts", 4)
    assert same(parts[0], whole[0])
    assert parts[1] == whole[1]
    assert not torch.equal(whole[0]["scale"], torch.ones(2))
    assert not torch.equal(whole[0]["norm.running_mean"], torch.zeros(2))
