"""What type checkers take each call to return: both know the types that are claimed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_type

from torch import Tensor
from torch.nn import Module

import graphnet as gn
from graphnet import ops
from graphnet.compile import Prediction, Step
from graphnet.draw.drawing import Drawing
from graphnet.interop import ModelComparison
from graphnet.interop.imported import ImportedModel
from graphnet.losses import Loss
from graphnet.op import T
from graphnet.ops.selected import Selected


def torch_models(net: Module, x: Tensor) -> None:
    model = gn.from_torch(net, x)
    assert_type(model, ImportedModel)
    assert_type(model.as_graph()[0], gn.Graph)
    assert_type(gn.compare_with_torch(net, x), ModelComparison)
    assert_type(gn.torch_source(model), str)
    assert_type(gn.to_torch(gn.Linear(2, 3), (None, 2)), Module)
    assert_type(gn.draw(net, x, depth=1), Drawing)
    assert_type(gn.draw.engines(), str)


def nodes(x: gn.Input, w: gn.Parameter, y: gn.Operation, n: gn.Node) -> None:
    h = x.tanh()
    h = h + 1
    assert_type(h, gn.Node)
    for each in (x + 1, 1 - x, x @ w.T, 2.0**x, x / y, -x, x > 0, x[0], x[:, None], abs(x)):
        assert_type(each, gn.Node)
    for each in (x.sum(), w.tanh(), y.relu(), n.mean(0, True), x.reshape(-1, 2), w.T, x.mT):
        assert_type(each, gn.Node)
    for each in (x.add(1), x.add(w), w.mul(2.0), y.pow(2), x.sub(y), n.div(w), x.clamp(min=0)):
        assert_type(each, gn.Node)
    for each in (x.maximum(w), x.matmul(w), x.gather(0, y), x.masked_fill(y, 0.0), x.eq(1)):
        assert_type(each, gn.Node)
    assert_type(x.max(), gn.Node)
    assert_type(x.max(w), gn.Node)
    assert_type(x.max(1), Selected[gn.Node])
    assert_type(y.min(dim=0, keepdim=True), Selected[gn.Node])
    assert_type(x.split(2), tuple[gn.Node, ...])
    assert_type(x.size(), tuple[int | None, ...])
    assert_type(x.top, Tensor)
    assert_type(x.grad, Tensor | Any)
    assert_type(w.grad, Tensor | Any)
    x.grad = w.grad = None


def operations(x: gn.Input, w: gn.Parameter, t: Tensor) -> None:
    assert_type(ops.tanh(x), gn.Node)
    assert_type(ops.tanh(t), Tensor)
    assert_type(ops.conv2d(x, w, stride=2), gn.Node)
    assert_type(ops.conv2d(x, w, w), gn.Node)
    assert_type(ops.conv2d(t, t), Tensor)
    assert_type(ops.add(1, x), gn.Node)
    assert_type(ops.add(t, 1.0), Tensor)
    assert_type(ops.where(x > 0, x, 0.0), gn.Node)
    assert_type(ops.cat([x, w, x + 1]), gn.Node)
    assert_type(ops.stack([t, t]), Tensor)
    assert_type(ops.einsum("ij,jk->ik", x, w), gn.Node)
    assert_type(ops.cross_entropy(x, w), gn.Node)
    assert_type(ops.max(t), Tensor)
    assert_type(ops.max(t, 1), Selected[Tensor])
    assert_type(ops.min(x, dim=1), Selected[gn.Node])
    assert_type(ops.min(x, w), gn.Node)
    assert_type(ops.max_pool2d(x, 2), gn.Node)
    assert_type(ops.max_pool2d(t, 2, return_indices=True), tuple[Tensor, Tensor])
    assert_type(ops.numel(t), int)


def twice(x: T) -> T:
    """A function of tensors and of nodes."""
    return ops.add(x, x)


def functions(x: gn.Input, t: Tensor) -> None:
    assert_type(twice(x), gn.Node)
    assert_type(twice(t), Tensor)


class Scaled(gn.Module):
    """One output."""

    def __init__(self, size: int) -> None:
        self.inner = gn.Linear(size, size)
        self.rest = gn.ModuleList([gn.Tanh(), gn.ReLU()])

    def build(self, x: gn.Node) -> gn.Node:
        for each in self.rest:
            x = each(x)
        return self.inner(x).tanh()


class Two(gn.Module):
    """Several outputs, of an input that may be left out."""

    def build(self, x: gn.Node, y: gn.Node | None = None) -> tuple[gn.Node, gn.Node]:
        return x, x if y is None else y


class Chosen(Scaled):
    """A subclass of a subclass."""

    def build(self, x: gn.Node) -> gn.Node:
        return super().build(x) + 1


class Absolute(Loss):
    """A loss of one's own, with other names for its inputs."""

    def build(self, y: gn.Node, t: gn.Node) -> gn.Node:
        return abs(y - t).mean()


def modules(x: gn.Input, t: Tensor, model: gn.Module) -> None:
    assert_type(model(x), gn.Node)
    assert_type(model(x, x), gn.Node)
    assert_type(model(t), Tensor)
    assert_type(model.forward(t), Tensor)
    for each in (gn.Linear(2, 3), Scaled(3), Chosen(3)):
        assert_type(each(x), gn.Node)
        assert_type(each(t), Tensor)
        assert_type(each.forward(t), Tensor)
    assert_type(gn.Sequential(gn.Tanh(), model)(x), gn.Node)
    assert_type(gn.Sequential(gn.Tanh(), model)[:1], gn.Sequential)
    assert_type(gn.Sequential(gn.Linear(2, 3), model)[0].weight, Any)
    assert_type(Two()(x), tuple[gn.Node, gn.Node])
    assert_type(Two()(x, x), tuple[gn.Node, gn.Node])
    assert_type(Two()(t), tuple[Tensor, ...])
    assert_type(gn.LossMSE()(x, x), gn.Node)
    assert_type(gn.LossMSE()(t, t), Tensor)
    assert_type(Absolute()(x, x), gn.Node)


def recurrent(x: gn.Input, t: Tensor) -> None:
    assert_type(gn.LSTM(2, 3)(x), tuple[gn.Node, tuple[gn.Node, gn.Node]])
    assert_type(gn.LSTM(2, 3)(x, hx=(x, x)), tuple[gn.Node, tuple[gn.Node, gn.Node]])
    assert_type(gn.LSTM(2, 3)(t, (t, t)), tuple[Tensor, tuple[Tensor, Tensor]])
    assert_type(gn.LSTM(2, 3).forward(t), tuple[Tensor, tuple[Tensor, Tensor]])
    assert_type(gn.GRU(2, 3)(x, x), tuple[gn.Node, gn.Node])
    assert_type(gn.RNN(2, 3)(t), tuple[Tensor, Tensor])
    assert_type(gn.LSTMCell(2, 3)(x), tuple[gn.Node, gn.Node])
    assert_type(gn.GRUCell(2, 3)(x, x), gn.Node)
    assert_type(gn.RNNCell(2, 3)(t), Tensor)
    attention = gn.MultiheadAttention(4, 2)
    assert_type(attention(x, x, x), tuple[gn.Node, gn.Node])
    assert_type(attention(t, t, t, attn_mask=t), tuple[Tensor, Tensor])
    assert_type(attention(x, x, x, need_weights=False), tuple[gn.Node, gn.Node | None])


def graphs(graph: gn.Graph, x: gn.Input, loss: gn.Node, t: Tensor, adam: gn.Adam) -> None:
    assert_type(graph.forward(x=t), Tensor)
    assert_type(graph.forward({x: t}), Tensor)
    assert_type(graph.forward({"x": t}, outputs=loss), Tensor)
    assert_type(graph.forward(x=t, outputs=[x, loss]), tuple[Tensor, ...])
    assert_type(graph.compile(loss, adam, max_norm=1.0, watch=[x]), Step)
    assert_type(graph.compile(loss, adam)(x=t), Tensor)
    assert_type(graph.compile(loss, adam).watched, tuple[Tensor, ...])
    assert_type(graph.compile(loss, tune=False), Prediction[Tensor])
    assert_type(graph.compile(loss)(x=t), Tensor)
    assert_type(graph.compile([loss, x])({x: t}), tuple[Tensor, ...])
    assert_type(graph.gradients(loss, [x]), list[gn.Node])
    assert_type(graph["x"], gn.Node)


def training(model: gn.Sequential, loss: gn.LossMSE, t: Tensor) -> None:
    sgd = gn.SGD(model.parameters(), lr=0.1, foreach=None)
    assert_type(sgd.momentum, float)
    assert_type(gn.Adam(model.parameters()).betas, tuple[float, float])
    history = gn.fit(model, loss, (t, t), sgd, epochs=5, metrics=[gn.metrics.rmse])
    assert_type(history, gn.History)
    assert_type(gn.evaluate(model, loss, (t, t)), dict[str, float])
    assert_type(gn.metrics.f1(t, t), float)
    assert_type(gn.metrics.f1(t, t, average=None), Tensor)
    classify: Callable[[Tensor], Tensor] = model
    assert_type(classify(t), Tensor)


class Blend(gn.Op):
    """An option, and inputs by name."""

    symbol = "blend"
    weight: float = 0.5

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x * self.weight + y * (1 - self.weight)

    def grad_x(self, grad: Tensor) -> Tensor:
        return grad * self.weight

    def grad_y(self, grad: Tensor) -> Tensor:
        return grad * (1 - self.weight)


class Joined(gn.Op):
    """Any number of inputs."""

    symbol = "cat"
    dim: int = 0

    def forward(self, *tensors: Tensor) -> Tensor:
        return tensors[0]

    grad_tensors = None


class Momentum(gn.Optimizer):
    """An optimizer that remembers."""

    slots = ("exp_avg",)

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, exp_avg: Tensor
    ) -> None:
        value.add_(exp_avg.lerp_(grad, 0.1), alpha=-group["lr"])

    def numbers(self, group: dict[str, Any], step: int, scale: Tensor) -> dict[str, Any]:
        return {"lr": group["lr"]}


class Sign(gn.Optimizer):
    """An optimizer that does not."""

    def update(self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor) -> None:
        value.add_(grad.sign(), alpha=-group["lr"])


def own_classes(x: gn.Input, t: Tensor) -> None:
    assert_type(Blend(0.25)(x, x), gn.Node)
    assert_type(Blend(weight=0.25)(t, t), Tensor)
    assert_type(Blend()(1.0, x), gn.Node)
    assert_type(Joined(dim=1)(x, x, x), gn.Node)
    Momentum([gn.Parameter(t)], lr=0.1).step()
    Sign([gn.Parameter(t)], lr=0.1).step()
