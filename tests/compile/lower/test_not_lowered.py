"""What has no form as loops: the table in the docs is this list, and no layer is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from compile.targets.c.rows import ROWS
from compile.test_layers import LAYERS

import graphnet as gn
from graphnet import ops
from graphnet.compile.ir.build import specialized
from graphnet.compile.lower.lowering import lowered
from graphnet.compile.lower.scalars import NotLowered
from graphnet.compile.passes import NATIVE_PASSES, optimize

PAGE = Path(__file__).parents[3] / "docs" / "native.md"
MOST = 15


def why(graph, outputs):
    """What does not lower, as the error says it; None if all does."""
    shapes = {node.name: tuple(node.shape) for node in graph.inputs}
    try:
        lowered(optimize(specialized(graph, outputs, shapes)[0], NATIVE_PASSES))
    except NotLowered as error:
        return str(error)
    return None


def of(*shapes, dtype=torch.int64):
    """A graph with inputs of some shapes."""
    graph = gn.Graph()
    inputs = [graph.input(s, name=f"x{n}", dtype=dtype) for n, s in enumerate(shapes)]
    return graph, *inputs


IMAGE, KERNEL = (1, 2, 6, 6), (2, 2, 2, 2)


def integers(make, *shapes):
    graph, *inputs = of(*shapes)
    return graph, [make(*inputs)]


def dilated_pool(gradient):
    graph = gn.Graph()
    x = graph.input((1, 1, 8, 8), name="x", requires_grad=True)
    y, places = ops.max_pool2d(x, 3, 1, 1, dilation=2, return_indices=True)
    return graph, (graph.gradients((y * y).sum(), [x]) if gradient else [places])


CASES = {
    ("avg_pool2d", "integers"): lambda: integers(lambda x: ops.avg_pool2d(x, 2), IMAGE),
    ("conv2d", "integers"): lambda: integers(ops.conv2d, IMAGE, KERNEL),
    ("conv_transpose2d", "integers"): lambda: integers(ops.conv_transpose2d, IMAGE, KERNEL),
    ("cumsum", "integers"): lambda: integers(lambda x: x.cumsum(0), (3, 4)),
    ("div_rounded", "integers"): lambda: integers(
        lambda x, y: ops.div(x, y, rounding_mode="floor"), (3,), (3,)
    ),
    ("linear", "integers"): lambda: integers(ops.linear, (2, 3), (4, 3), (4,)),
    ("matmul", "integers"): lambda: integers(lambda x, y: x @ y, (2, 3), (3, 2)),
    ("max_places", "the places of a pool that has padding and dilation, also for its gradient"):
        lambda: dilated_pool(False),
    ("max_pool2d", "integers"): lambda: integers(lambda x: ops.max_pool2d(x, 2), IMAGE),
    ("pow", "integers to the power of a tensor"): lambda: integers(
        lambda x, y: x**y, (3,), (3,)
    ),
    ("pow_scalar", "integers"): lambda: integers(lambda x: x**5, (3,)),
    ("prod", "integers"): lambda: integers(lambda x: x.prod(), (3, 4)),
    ("sum", "integers"): lambda: integers(lambda x: x.sum(0), (3, 4)),
}  # fmt: skip
"""Operations in situations that the table of all operations does not have."""


def test_the_table_on_the_page_is_the_truth():
    missing = {case: why(*make()) for case, make in CASES.items()}
    section = (
        PAGE.read_text(encoding="utf-8")
        .partition("## What does not lower")[2]
        .partition("\n## ")[0]
    )
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", section, re.MULTILINE)
    assert rows == sorted(case for case, reason in missing.items() if reason is not None)
    assert 0 < len(rows) <= MOST
    assert why(*dilated_pool(True)) is not None


def test_every_operation_has_a_row():
    """In the table of operations, all of whose rows are compiled in `targets/c/test_ops.py`."""
    named = {case.op.name for case in ROWS}
    assert {name for name, _ in CASES} <= named


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int16, torch.complex64])
def test_a_dtype_without_a_form_is_named(dtype):
    graph, x = of((3,), dtype=dtype)
    assert str(dtype) in why(graph, [x * 2])


def lenet():
    return gn.Sequential(
        gn.Conv2d(1, 6, 5, padding=2), gn.Tanh(), gn.AvgPool2d(2), gn.Conv2d(6, 16, 5), gn.ReLU(),
        gn.MaxPool2d(2), gn.Flatten(), gn.Linear(400, 120), gn.Linear(120, 10), gn.LogSoftmax(1),
    )  # fmt: skip


def resnet():
    block = gn.Sequential(
        gn.Conv2d(4, 4, 3, padding=1), gn.BatchNorm2d(4), gn.ReLU(), gn.Conv2d(4, 4, 3, padding=1)
    )
    return gn.Sequential(
        gn.Conv2d(1, 4, 7, stride=2, padding=3), gn.MaxPool2d(3, stride=2, padding=1),
        gn.Residual(block), gn.AdaptiveAvgPool2d(1), gn.Flatten(), gn.Linear(4, 10),
    )  # fmt: skip


class Transformer(gn.Module):
    """A block of self-attention over embedded tokens."""

    def __init__(self):
        super().__init__()
        self.embedding = gn.Embedding(20, 8)
        self.attention = gn.MultiheadAttention(8, 2, batch_first=True, dropout=0.1)
        self.norm = gn.LayerNorm(8)
        self.last = gn.Sequential(gn.Linear(8, 16), gn.GELU(), gn.Linear(16, 8), gn.Dropout(0.1))

    def build(self, x):
        y = self.embedding(x)
        y = self.norm(y + self.attention(y, y, y)[0])
        return y + self.last(y)


class Recurrent(gn.Module):
    """An LSTM whose last state is classified."""

    def __init__(self):
        super().__init__()
        self.lstm, self.last = gn.LSTM(4, 5, batch_first=True), gn.Linear(5, 3)

    def build(self, x):
        return self.last(self.lstm(x)[0][:, -1])


NETWORKS = {
    "LeNet": (lenet, (2, 1, 28, 28), torch.float32),
    "ResNet": (resnet, (2, 1, 32, 32), torch.float32),
    "transformer": (Transformer, (2, 7), torch.int64),
    "LSTM": (Recurrent, (2, 6, 4), torch.float32),
    **{f"layer {name}": (make, shape, torch.float32) for name, (make, shape) in LAYERS.items()},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_lower_with_their_gradients(name):
    make, shape, dtype = NETWORKS[name]
    torch.manual_seed(0)
    model = make()
    with gn.Graph() as graph:
        y = model(gn.Input(shape, name="x", dtype=dtype))
        y = y[0] if isinstance(y, tuple) else y
        loss = (y * y).mean()
    assert why(graph, [loss, *graph.gradients(loss, model.parameters())]) is None
