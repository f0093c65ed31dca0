"""A model written back as PyTorch computes the same, without graphnet."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from closeness import assert_close
from interop.zoo import QUICK, ZOO, pair, tensors
from sampling import some
from torch import nn
from torch.utils import _pytree as pytree

import graphnet as gn

EXACT = {"rtol": 1e-12, "atol": 1e-12}
SINGLE = {"rtol": 1e-5, "atol": 1e-6}

every_slow = [pytest.param(each, marks=pytest.mark.slow) for each in ZOO if each not in QUICK]
every_model = pytest.mark.parametrize("name", [*QUICK, *every_slow])


@every_model
def test_source_of_an_import_equals_the_torch_model(name):
    models = pair(name)
    net = gn.to_torch(models.ours)
    assert list(net.state_dict()) == list(models.torch.state_dict())
    learned = [(n, p.requires_grad) for n, p in models.torch.named_parameters()]
    assert [(n, p.requires_grad) for n, p in net.named_parameters()] == learned
    for training in (True, False):
        net.train(training)
        models.torch.train(training)
        examples = models.examples(4)
        torch.manual_seed(0)
        theirs = tensors(models.torch(*examples))
        torch.manual_seed(0)
        ours = tensors(net(*examples))
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert_close(mine.detach(), other.detach(), **EXACT)
        for mine, other in zip(
            net.state_dict().values(), models.torch.state_dict().values(), strict=True
        ):
            assert_close(mine, other, **EXACT)


@pytest.mark.parametrize("name", [*some(QUICK, every=2), *every_slow])
def test_the_round_trip_is_equal(name):
    models = pair(name)
    again = gn.from_torch(gn.to_torch(models.ours), *models.examples(3))
    assert list(again.state_dict()) == list(models.ours.state_dict())
    graph, outputs = again.as_graph()
    graph.eval()
    models.graph.eval()
    examples = models.examples(5)
    nodes = [each for each in pytree.tree_leaves(outputs) if isinstance(each, gn.Node)]
    torch.manual_seed(0)
    values = graph.forward(dict(zip(graph.inputs, tensors(examples), strict=True)), outputs=nodes)
    torch.manual_seed(0)
    before = models.graph.forward(models.feed(examples), outputs=models.nodes)
    for mine, other in zip(values, before, strict=True):
        assert_close(mine, other, **EXACT)


class Block(gn.Module):
    def __init__(self):
        self.a, self.norm, self.drop = gn.Linear(4, 4), gn.BatchNorm1d(4), gn.Dropout(0.3)
        self.w = gn.Parameter(torch.randn(4))
        self.blocks = gn.ModuleList([gn.Linear(4, 4), gn.Linear(4, 4)])

    def build(self, x):
        y = self.norm(self.a(x)).relu() * self.w
        for block in self.blocks:
            y = y + gn.ops.gelu(block(y))
        a, b = gn.ops.split(gn.ops.dropout(y, 0.2), 2, 1)
        z = gn.ops.softmax(gn.ops.cat([a, b, a.sum(1, keepdim=True)], 1), 1)
        return self.drop(x) - 2 * y.mean(1, keepdim=True), z[:, :2].amax(1) ** 2


class Sequences(gn.Module):
    def __init__(self):
        self.embedding = gn.Embedding(9, 4)
        self.lstm = gn.LSTM(4, 3, 2, batch_first=True, bidirectional=True)
        self.attention = gn.MultiheadAttention(6, 2, batch_first=True)
        self.fc = gn.Linear(6, 2)

    def build(self, tokens):
        y, (h, _) = self.lstm(self.embedding(tokens))
        z, weights = self.attention(y, y, y)
        return self.fc(z), h, weights


def shared():
    layer = gn.Linear(3, 3)
    return gn.Sequential(layer, gn.Tanh(), layer)


OWN = {
    "convolutions": (
        lambda: gn.Sequential(
            *(gn.Conv2d(1, 4, 3, padding="same"), gn.BatchNorm2d(4), gn.ReLU(), gn.MaxPool2d(2)),
            *(gn.Flatten(), gn.Linear(16, 3)),
        ),
        lambda n: torch.randn(n, 1, 4, 4),
    ),
    "operations": (Block, lambda n: torch.randn(n, 4)),
    "sequences": (Sequences, lambda n: torch.randint(9, (n, 5))),
    "residual": (
        lambda: gn.Sequential(gn.Linear(3, 3), gn.Residual(gn.Linear(3, 3)), gn.LayerNorm(3)),
        lambda n: torch.randn(n, 3),
    ),
    "shared": (shared, lambda n: torch.randn(n, 3)),
}


@pytest.mark.parametrize("name", OWN)
def test_source_of_a_model_of_our_own_layers(name):
    torch.manual_seed(0)
    make, example = OWN[name]
    model = make()
    net = gn.to_torch(model, example(2))
    assert isinstance(net, nn.Module)
    assert list(net.state_dict()) == list(model.state_dict())
    x = example(5)
    for training in (True, False):
        model.train(training)
        net.train(training)
        torch.manual_seed(1)
        ours = model.forward(x)
        torch.manual_seed(1)
        theirs = net(x)
        ours, theirs = tensors(ours), tensors(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert_close(mine, other.detach(), **SINGLE)


def test_the_source_runs_without_graphnet(tmp_path):
    models = pair("gpt")
    (tmp_path / "net.py").write_text(gn.torch_source(models.ours), encoding="utf-8")
    torch.save(
        {key: value.float() for key, value in models.ours.state_dict().items()}, tmp_path / "w"
    )
    program = (
        "import sys, torch; sys.modules['graphnet'] = None; from net import Net; net = Net();"
        "net.load_state_dict(torch.load('w')); print(net.eval()(torch.ones(2, 5).long()).sum())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    assert ran.stdout.startswith("tensor(")


def test_what_has_no_form_is_told():
    class Odd(gn.Module):
        def build(self, x):
            return gn.ops.one_hot(x, 4)

    with pytest.raises(gn.GraphError, match="no form for one_hot"):
        gn.torch_source(Odd(), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(gn.GraphError, match="takes a graphnet module"):
        gn.torch_source(nn.Linear(2, 3), (None, 2))
    with pytest.raises(gn.GraphError, match="a shape or an example"):
        gn.torch_source(gn.Linear(2, 3), 5)
