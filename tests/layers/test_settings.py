"""The settings of a layer, as pictures and summaries say them."""

from __future__ import annotations

import pytest

import graphnet as gn
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.layers.settings import settings_of


class Own(gn.Module):
    """A module of a user."""

    def build(self, x):
        return x * 2 + 1

    def extra_repr(self):
        return "gain 2"


SETTINGS = [
    (gn.Conv2d(3, 64, 3, stride=2, padding=1), "3×3, stride 2, padding 1"),
    (gn.Conv2d(3, 64, (1, 3)), "1×3"),
    (gn.Conv2d(4, 8, 3, padding="same", dilation=2, groups=4), "3×3, padding same, dilation 2, "),
    (gn.Conv2d(4, 8, 3, stride=(2, 1)), "3×3, stride 2×1"),
    (gn.Conv1d(3, 4, 5), "5"),
    (gn.ConvTranspose2d(4, 2, 2, stride=2), "2×2, stride 2"),
    (gn.MaxPool2d(2), "2×2"),
    (gn.MaxPool2d(3, 2, 1), "3×3, stride 2, padding 1"),
    (gn.AvgPool2d((2, 4)), "2×4"),
    (gn.AdaptiveAvgPool2d((1, None)), "to 1×same"),
    (gn.AdaptiveAvgPool2d(7), "to 7×7"),
    (gn.Linear(400, 12_000), "400 → 12,000"),
    (gn.Dropout(0.5), "p = 0.5"),
    (gn.Embedding(10_000, 64), "10,000 × 64"),
    (gn.MultiheadAttention(64, 4), "4 heads"),
    (gn.LSTM(8, 128, num_layers=2, bidirectional=True), "128 hidden, 2 layers, bidirectional"),
    (gn.GRUCell(8, 16), "16 hidden"),
    (gn.BatchNorm2d(64), ""),
    (gn.LayerNorm(64), ""),
    (gn.GroupNorm(4, 8), "4 groups"),
    (gn.ReLU(), ""),
    (gn.GELU(), ""),
    (gn.GELU("tanh"), "approximate = tanh"),
    (gn.LeakyReLU(0.2), "negative_slope = 0.2"),
    (gn.Softmax(dim=1), "dim = 1"),
    (gn.LossCrossEntropy(), ""),
    (gn.LossHuber(delta=2.0), "delta=2.0"),
    (Own(), "gain 2"),
    (None, ""),
]


@pytest.mark.parametrize(("module", "text"), SETTINGS)
def test_settings_are_said_in_short(module, text):
    assert settings_of(module).startswith(text)
    assert text or not settings_of(module)


PLACED = [
    (gn.Conv2d(3, 4, 3, padding=1), (None, 3, 8, 8)),
    (gn.MaxPool2d(2), (None, 3, 8, 8)),
    (gn.Linear(3, 4), (None, 3)),
    (gn.Dropout(0.25), (None, 3)),
    (Own(), (None, 3)),
]


@pytest.mark.parametrize(("module", "shape"), PLACED)
def test_a_picture_and_a_summary_say_the_same(module, shape):
    with gn.Graph() as graph:
        gn.Sequential(module, gn.Identity())(gn.Input(shape, name="x"))
    (row,) = [row for row in graph.summary().rows if row.path == "0"]
    assert row.settings == settings_of(module) != ""
    assert row.settings in str(graph.summary())
    lines = [line for box in folded(scene_of(graph), 0).boxes for line in box.lines]
    assert any(row.settings in line for line in lines)
