"""What an import is: names, structure, inputs of any size, dtypes, copies."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from closeness import assert_close
from interop.written import Does
from interop.zoo import ZOO, as_dtype, pair, tensors
from interop.zoo_images import BasicBlock, ResNet
from interop.zoo_others import DictOutputs, Shared, TiedAutoencoder, mlp
from interop.zoo_sequences import GPT, CellLoop
from torch import nn
from torch.nn import functional

import graphnet as gn

CLOSE = {"rtol": 1e-9, "atol": 1e-9}
SINGLE = {"rtol": 1e-4, "atol": 1e-5}


def operations(graph):
    return [node for node in graph if node.kind == "operation"]


def test_names_begin_with_the_path_of_the_module():
    graph, _ = gn.from_torch(ResNet(), torch.ones(2, 3, 8, 8)).as_graph()
    names = [node.name for node in operations(graph)]
    assert names[0] == "conv1.conv2d"
    assert "layer1.0.conv1.conv2d" in names
    assert "layer2.0.downsample.0.conv2d" in names
    assert "layer2.0.add" in names
    assert names[-1] == "fc.linear"
    assert graph.scopes.kind("layer1.0") == "BasicBlock"
    assert graph.scopes.kind("layer1.0.conv1") == "Conv2d"
    assert graph["layer1.0.bn1.weight"].kind == "parameter"


def test_each_operation_knows_the_line_of_the_model():
    graph, _ = gn.from_torch(ResNet(), torch.ones(2, 3, 8, 8)).as_graph()
    code = BasicBlock.forward.__code__
    file, _, line = graph["layer1.0.add"].line.rpartition(":")
    assert file == code.co_filename
    assert code.co_firstlineno < int(line) < code.co_firstlineno + 8


def test_repr_is_that_of_torch():
    model = ResNet()
    ours = gn.from_torch(model, torch.ones(2, 3, 8, 8))
    assert str(ours) == str(model)
    assert ours.layer1[0].conv1.weight.shape == (4, 4, 3, 3)
    assert len(ours.layer1) == 1
    assert ours.layer1[-1] is ours.layer1[0]


def test_a_shared_module_is_called_several_times():
    graph, _ = gn.from_torch(Shared(), torch.ones(2, 4)).as_graph()
    assert [node.name for node in operations(graph)] == [
        *("cell.linear", "tanh", "cell.linear_1", "tanh_1", "cell.linear_2", "tanh_2")
    ]
    assert len(graph.parameters()) == 2
    assert graph.scopes.uses["cell"] == 3


def test_shared_parameters_have_all_their_names():
    model = GPT()
    ours = gn.from_torch(model, torch.zeros(2, 5, dtype=torch.int64))
    assert list(ours.state_dict()) == list(model.state_dict())
    assert ours.lm_head.weight is ours.transformer["wte"].weight


def test_parameters_are_copies():
    model = TiedAutoencoder()
    ours = gn.from_torch(model, torch.ones(2, 6))
    before = model.encoder.weight.detach().clone()
    ours.encoder.weight.top.fill_(7.0)
    assert torch.equal(model.encoder.weight, before)


def test_the_state_of_another_instance_loads():
    ours = gn.from_torch(mlp(), torch.ones(2, 4))
    other = mlp().eval()
    ours.load_state_dict(other.state_dict())
    x = torch.randn(5, 4)
    assert_close(ours.eval().forward(x), other(x).detach(), **SINGLE)


def test_inputs_and_outputs_are_nested_as_in_torch():
    ours = gn.from_torch(DictOutputs(), {"x": torch.ones(2, 4), "y": torch.ones(2, 4)})
    with gn.Graph():
        x, y = gn.Input((None, 4), name="x"), gn.Input((None, 4), name="y")
        result = ours({"x": x, "y": y})
    assert list(result) == ["a", "pair"]
    assert isinstance(result["pair"], tuple)
    assert [each.shape for each in tensors_or_nodes(result)] == [(None, 2), (None, 3), (None, 4)]


def tensors_or_nodes(result):
    return [result["a"], *result["pair"]]


def test_too_few_inputs():
    ours = gn.from_torch(DictOutputs(), {"x": torch.ones(2, 4), "y": torch.ones(2, 4)})
    with gn.Graph(), pytest.raises(gn.FeedError, match=r"takes 2 tensors .*got 1"):
        ours(gn.Input((None, 4), name="x"))


@pytest.mark.parametrize("name", ["mlp", "upsampling", "masks", "loop over cells"])
def test_an_example_of_one_row_leaves_the_batch_open(name):
    torch.manual_seed(0)
    make, examples = ZOO[name]
    model = make().double().eval()
    ours = gn.from_torch(model, *as_dtype(examples(1), torch.float64)).eval()
    graph, outputs = ours.as_graph()
    x = as_dtype(examples(7), torch.float64)
    nodes = list(outputs) if isinstance(outputs, tuple) else [outputs]
    values = graph.forward(dict(zip(graph.inputs, tensors(x), strict=True)), outputs=nodes)
    for mine, theirs in zip(values, tensors(model(*x)), strict=True):
        assert_close(mine, theirs.detach(), **CLOSE)


class Sum(nn.Module):
    def forward(self, x, row):
        return (x + row[:, : x.shape[1]]).reshape(x.shape[0], -1, 2).mean(1)


def test_other_dimensions_are_open_if_they_are_named():
    model = Sum()
    ours = gn.from_torch(model, torch.ones(2, 6, 2), torch.ones(1, 9, 1), dynamic=[(0, 1), ()])
    graph, out = ours.as_graph()
    assert [node.shape for node in graph.inputs] == [(None, None, 2), (1, 9, 1)]
    x, row = torch.randn(3, 4, 2), torch.randn(1, 9, 1)
    assert_close(graph.forward(x=x, row=row, outputs=out), model(x, row), **SINGLE)


def test_an_import_is_converted_as_any_module():
    model = CellLoop()
    ours = gn.from_torch(model, torch.ones(2, 3, 3)).double()
    x = torch.randn(4, 3, 3, dtype=torch.float64)
    for mine, theirs in zip(ours.forward(x), model.double()(x), strict=True):
        assert_close(mine, theirs.detach(), **CLOSE)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_an_import_is_copied_and_pickled(copied):
    models = pair("in-place code")
    x = models.examples(3)[0]
    again = copied(models.ours)
    assert type(again).__name__ == "InPlace"
    assert_close(again.forward(x), models.ours.forward(x), rtol=0, atol=0)


def test_one_import_follows_the_modes_of_its_modules():
    models = pair("mlp")
    x = models.examples(50)[0]
    assert torch.equal(models.ours.eval().forward(x), models.ours.forward(x))
    models.ours.train()
    assert not torch.equal(models.ours.forward(x), models.ours.forward(x))
    models.ours[4].eval()
    assert torch.equal(models.ours.forward(x), models.ours.forward(x))


def test_constants_are_no_part_of_the_state():
    ours = gn.from_torch(GPT(), torch.zeros(2, 5, dtype=torch.int64))
    everything = dict(ours.named_state())
    assert "constant" in everything
    assert "constant" not in ours.state_dict()
    assert everything["transformer.h.0.attn.mask"].persistent is False


def test_it_trains_with_fit():
    torch.manual_seed(0)
    ours = gn.from_torch(mlp(), torch.ones(2, 4))
    x = torch.randn(64, 4)
    y = torch.stack([x.sum(1), x[:, 0]], 1)
    history = gn.fit(ours, gn.LossMSE(), (x, y), gn.Adam(ours.parameters(), lr=0.02), epochs=15)
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_tools_work_on_it():
    models = pair("lenet")
    loss = models.nodes[0].mean()
    models.graph.forward(models.feed(models.examples(4)))
    models.graph.backward(loss)
    assert "conv1" in str(models.graph.summary())
    assert "conv1" in models.graph.draw().text
    assert models.graph.derivation(loss)
    assert models.graph.doctor(loss) is not None


def test_the_inputs_of_a_converted_import_have_its_dtype():
    ours = gn.from_torch(mlp(), torch.ones(2, 4)).double()
    graph, y = ours.as_graph()
    assert graph.inputs[0].dtype is y.dtype is torch.float64


@pytest.mark.parametrize(
    ("kind", "size", "bias"),
    [
        ("RNN", 0, True),
        ("LSTM", 2, False),
        pytest.param("LSTM", 0, True, marks=pytest.mark.slow),
        pytest.param("GRU", 0, False, marks=pytest.mark.slow),
    ],
)
def test_a_recurrent_model_takes_sequences_of_any_length(kind, size, bias):
    """One import for every batch and every length."""

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            options = {"proj_size": size} if size else {}
            options |= {"bias": bias, "batch_first": True, "bidirectional": True}
            self.rnn = getattr(nn, kind)(3, 4, 2, **options)
            self.head = nn.Linear(2 * (size or 4), 2)

        def forward(self, x):
            return self.head(self.rnn(x)[0])

    torch.manual_seed(0)
    model = Reader().double()
    graph, y = gn.from_torch(
        model, torch.randn(2, 5, 3, dtype=torch.float64), dynamic=[(0, 1)]
    ).as_graph()
    assert y.shape == (None, None, 2)
    for rows, steps in ((2, 5), (3, 9), (1, 1)):
        x = torch.randn(rows, steps, 3, dtype=torch.float64)
        (found,) = graph.forward({graph.inputs[0]: x}, outputs=[y])
        assert_close(found, model(x).detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "at_nan"),
    [
        (lambda x: functional.threshold(x, 0.1, 0.2), 1.0),
        (lambda x: functional.threshold(x, 0.0, -3.0), 1.0),
        (functional.celu, torch.nan),  # in torch, 1 in some places of a tensor
        (lambda x: functional.celu(x, 1.5), torch.nan),
    ],
)
def test_not_a_number_stays_none(function, at_nan):
    """And the slope at a bound is that of torch."""
    x = torch.tensor([torch.nan, -1.0, 0.0, 0.1, 2.0, -torch.inf, torch.inf]).double()
    model = gn.from_torch(Does(function), x)
    graph, y = model.as_graph()
    (given,) = graph.inputs
    given.requires_grad = True
    graph.forward({given: x})
    graph.backward(y, torch.ones_like(x))
    x.requires_grad_()
    expected = function(x)
    expected.sum().backward()
    assert_close(y.top, expected, **CLOSE, equal_nan=True)
    assert_close(given.grad[1:], x.grad[1:], **CLOSE)
    assert_close(given.grad[0], torch.tensor(at_nan).double(), **CLOSE, equal_nan=True)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(x) * torch.tensor([1.0, 2.0, 3.0, 4.0])


def test_a_constant_does_not_decide_the_dtype_of_the_inputs():
    graph, _ = gn.from_torch(Scaled().double(), torch.ones(2, 4, dtype=torch.float64)).as_graph()
    assert graph.inputs[0].dtype is torch.float64


def test_the_parts_of_a_composite_operation_have_its_line_and_module():
    class Stacked(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Stack()

        def forward(self, x):
            return self.inner(x)

    graph, _ = gn.from_torch(Stacked(), torch.ones(2, 4)).as_graph()
    (node,) = operations(graph)
    assert node.name == "inner.cat"
    assert node.line == f"{__file__}:{Stack.forward.__code__.co_firstlineno + 1}"


class Stack(nn.Module):
    def forward(self, x):
        return torch.hstack([x, x])
