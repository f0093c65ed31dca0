"""The timed training run is the same on both sides."""

from __future__ import annotations

from dataclasses import replace

import torch

from graphnet.bench import single


def test_both_networks_are_the_same():
    torch.manual_seed(0)
    model, twin = single.RECIPE.model().eval(), single.TorchShared().eval()
    twin.load_state_dict(model.state_dict())
    pairs = torch.randn(5, 2, 14, 14)
    with torch.no_grad():
        torch.testing.assert_close(model(pairs), twin(pairs), rtol=1e-5, atol=1e-6)


def test_the_figures_are_printed(monkeypatch, capsys):
    monkeypatch.setattr(single, "RECIPE", replace(single.RECIPE, epochs=1, batch_size=10))
    monkeypatch.setattr(single, "PAIRS", 20)
    monkeypatch.setattr(single, "STEPS", 2)
    single.study(turns=1)
    text = capsys.readouterr().out
    assert text.startswith("1 epoch of 20 pairs, the network with one shared branch (68,390 par")
    assert [line.split()[-1] for line in text.splitlines()[2:4]] == ["s", "s"]
    assert text.splitlines()[-1].split()[0] == "ratio"
