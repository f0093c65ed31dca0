"""One line for the curious: `gn.draw`, `gn.compare_with_torch`, `python -m graphnet draw`."""

from __future__ import annotations

import copy

import pytest
import torch
from interop.zoo_others import mlp
from torch import nn

import graphnet as gn
from graphnet import __main__ as command
from graphnet.draw.scene.building import scene_of
from graphnet.draw.scene.fold import folded
from graphnet.layers.settings import settings_of

FILE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.fc = torch.nn.Embedding(5, 4), torch.nn.Linear(4, 2)

    def forward(self, tokens):
        return self.fc(self.table(tokens).mean(1))

def make_model():
    return Net()

made = Net()
"""


def test_draw_takes_models_of_all_kinds():
    drawing = gn.draw(mlp(), torch.ones(1, 4))
    assert "Linear" in drawing.svg
    assert "?×4" in drawing.svg
    ours = gn.from_torch(mlp(), torch.ones(1, 4))
    assert gn.draw(ours).svg == drawing.svg
    assert gn.draw(gn.Linear(2, 3), (None, 2)).svg == gn.Linear(2, 3).draw((None, 2)).svg
    graph, _ = ours.as_graph()
    assert gn.draw(graph, depth=0).svg == graph.draw(depth=0).svg
    with pytest.raises(gn.GraphError, match=r"draw takes a torch\.nn\.Module"):
        gn.draw("net")
    assert gn.draw.engines().startswith("layout")


LAYERS = {
    "Conv2d": (3, 8, 3),
    "ConvTranspose2d": (3, 8, (2, 3), 2, 1),
    "MaxPool2d": (3, 2, 1),
    "AvgPool2d": (2,),
    "AdaptiveAvgPool2d": (1,),
    "BatchNorm2d": (3,),
    "GroupNorm": (1, 3),
    "LayerNorm": (9,),
    "Linear": (9, 4),
    "Dropout": (0.25,),
    "Flatten": (),
    "ReLU": (),
    "Tanh": (),
}


@pytest.mark.parametrize("name", LAYERS)
def test_an_imported_layer_says_what_ours_says(name):
    arguments = LAYERS[name]
    layer = gn.from_torch(getattr(nn, name)(*arguments), torch.rand(2, 3, 9, 9))
    assert settings_of(layer) == settings_of(getattr(gn, name)(*arguments))
    assert settings_of(copy.deepcopy(layer)) == settings_of(layer)


def test_settings_of_imported_layers_are_short():
    said = {
        "kernel and stride alike": (nn.Conv2d(3, 8, 4, stride=4), "4×4, stride 4"),
        "in place": (nn.LeakyReLU(0.2, inplace=True), "negative_slope=0.2"),
        "nothing but in place": (nn.ReLU(inplace=True), ""),
    }
    for module, text in said.values():
        assert settings_of(gn.from_torch(module, torch.rand(2, 3, 9, 9))) == text


def test_both_sides_drop_the_same_elements_also_where_memory_is_transposed():
    layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.4, batch_first=True)
    comparison = gn.compare_with_torch(layer, torch.randn(3, 5, 8))
    assert comparison, comparison.verdict


def test_values_that_are_not_finite_are_counted():
    x = torch.randn(5, 2)
    x[1, 1] = float("nan")
    comparison = gn.compare_with_torch(nn.Linear(2, 3), x)
    assert comparison
    assert comparison.verdict == (
        "All 8 tensors agree, in training and in evaluation. 4 of them hold infinities or NaN."
    )


def test_compare_with_torch_is_a_table():
    comparison = gn.compare_with_torch(
        nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), torch.randn(5, 2)
    )
    assert comparison
    text = str(comparison)
    assert "training" in text
    assert "1.running_mean" in text
    assert text.rstrip().endswith("tensors agree, in training and in evaluation.")
    assert "<table" in comparison._repr_html_()
    assert "0 differ" in repr(comparison)


def test_a_difference_is_told():
    comparison = gn.compare_with_torch(nn.Linear(2, 3), torch.randn(5, 2))
    row = comparison.rows[0]
    wrong = type(comparison)([*comparison.rows, type(row)(*vars(row).values())])
    assert wrong
    worse = {**vars(row), "difference": 1.0}
    wrong = type(comparison)([type(row)(**worse), *comparison.rows])
    assert not wrong
    assert "first output '0' in training" in wrong.verdict


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["make_model", "Net", "made"])
@pytest.mark.parametrize("suffix", [".html", ".svg"])
def test_the_command_draws(file, capsys, name, suffix):
    out = file.with_suffix(suffix)
    assert command.main(["draw", f"{file}:{name}", "1,6:int64", "--out", str(out)]) == 0
    assert "boxes" in capsys.readouterr().out
    text = out.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "Embedding" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{}:make_model", "1,x"], "A shape is written"),
        (["{}:nothing", "1,6"], "defines no 'nothing'"),
        (["{}.missing:x"], "There is no file"),
        (["nowhere.py:make_model", "4,1"], "There is no file 'nowhere.py'"),
        (["make_model", "4,1"], "Name a file"),
        (["{}:make_model", "1,6"], "Net itself fails on these examples"),
    ],
)
def test_the_command_tells_what_is_wrong(file, capsys, arguments, expected):
    assert command.main(["draw", *(each.format(file) for each in arguments)]) == 1
    assert expected in capsys.readouterr().err


def test_layers_of_torch_are_boxes_and_their_containers_are_frames():
    """As graphnet's own layers are, with what computes a weight, and attention as one."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
            self.fc = nn.utils.parametrizations.weight_norm(nn.Linear(8, 4))
            layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

        def forward(self, x):
            return self.encoder(self.fc(self.bn(self.conv(x)).flatten(2).mT))

    graph, _ = gn.from_torch(Net(), torch.zeros(2, 3, 6, 6)).as_graph()
    boxes = [box.full_name for box in folded(scene_of(graph), depth=2).boxes]
    assert boxes[:3] == ["x", "conv", "bn"]
    assert "fc" in boxes
    assert "encoder.layers.0.self_attn" in boxes
    assert "encoder.layers.0.norm1" in boxes
