"""Typical mistakes, none of which runs: behind each, what mypy and what pyright report there."""

from __future__ import annotations

from torch import Tensor

import graphnet as gn
from graphnet import ops

# ruff: noqa: B018, RUF059


def nodes(x: gn.Node, t: Tensor) -> None:
    x.tahn()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    x.item()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    x.backward()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    x.tanh(2)  # mypy: call-arg; pyright: reportCallIssue
    x.sum(axis=1)  # mypy: call-arg; pyright: reportCallIssue
    x.sum("1")  # mypy: arg-type; pyright: reportArgumentType
    x.reshape("2")  # mypy: arg-type; pyright: reportArgumentType
    x.matmul(3)  # mypy: arg-type; pyright: reportArgumentType
    x + "1"  # mypy: arg-type; pyright: reportOperatorIssue
    x @ 2  # mypy: arg-type; pyright: reportOperatorIssue
    x.max(1).tanh()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    values, places = x.max()  # mypy: var-annotated; pyright: reportGeneralTypeIssues
    ops.tanh("x")  # mypy: type-var; pyright: reportArgumentType
    ops.max(x, dim="1")  # mypy: call-overload; pyright: reportArgumentType
    ops.conv2d(x, t)  # mypy: type-var; pyright: reportArgumentType
    ops.conv2d(x)  # mypy: call-arg; pyright: reportCallIssue
    ops.softmax(x, dimension=1)  # mypy: call-arg; pyright: reportCallIssue
    ops.tanh(x).item()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    ops.tanh(t).grads  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    gn.Input((3,))  # mypy: call-arg; pyright: reportCallIssue
    gn.Input(3, name="x")  # mypy: arg-type; pyright: reportArgumentType
    gn.Parameter(3.0)  # mypy: arg-type; pyright: reportArgumentType
    gn.Tahn()  # mypy: attr-defined; pyright: reportAttributeAccessIssue


def modules(model: gn.Sequential, loss: gn.LossMSE, x: gn.Node, y: gn.Node, t: Tensor) -> None:
    gn.Linear("2", 3)  # mypy: arg-type; pyright: reportArgumentType
    gn.Linear(2)  # mypy: call-arg; pyright: reportCallIssue
    gn.Linear(2, 3, biass=False)  # mypy: call-arg; pyright: reportCallIssue
    gn.Sequential([gn.Tanh()])  # mypy: arg-type; pyright: reportArgumentType
    gn.Sequential(gn.Tanh)  # mypy: arg-type; pyright: reportArgumentType
    gn.LossMSE(reduce="sum")  # mypy: call-arg; pyright: reportCallIssue
    model(x).item()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    model(x, y)  # mypy: call-overload; pyright: reportArgumentType
    model(2.0)  # mypy: call-overload; pyright: reportArgumentType
    model.forward(x)  # mypy: call-overload; pyright: reportArgumentType
    model.forward(t).backwards()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    model.paramters()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    loss(y)  # mypy: call-overload; pyright: reportArgumentType
    loss(y, t)  # mypy: call-overload; pyright: reportArgumentType
    loss(y, y).backward()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    output, state = model(x)  # mypy: var-annotated; pyright: reportGeneralTypeIssues
    gn.LSTM(2, 3)(x).tanh()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    gn.LSTM(2, 3)(x, x, x)  # mypy: call-overload; pyright: reportCallIssue


def graphs(graph: gn.Graph, sgd: gn.SGD, x: gn.Node, loss: gn.Node, t: Tensor) -> None:
    graph.forward(x=[1.0])  # mypy: call-overload; pyright: reportArgumentType
    graph.forward(outputs="y")  # mypy: arg-type; pyright: reportArgumentType
    graph.forward(outputs=[x]).item()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    graph.backward("loss")  # mypy: arg-type; pyright: reportArgumentType
    graph.gradients(loss, x)  # mypy: arg-type; pyright: reportArgumentType
    graph.compile(loss).watched  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    graph.compile(loss, max_norm=1.0)  # mypy: call-overload; pyright: reportCallIssue
    graph.compile(loss, sgd, max_nrom=1.0)  # mypy: call-overload; pyright: reportCallIssue
    graph.compile([loss], sgd)  # mypy: call-overload; pyright: reportArgumentType
    graph.compile(loss, gn.SGD)  # mypy: call-overload; pyright: reportArgumentType
    graph.compile([loss, x])(x=t).item()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    graph.compile(loss, sgd)(x=3)  # mypy: arg-type; pyright: reportArgumentType


def training(model: gn.Sequential, loss: gn.LossMSE, t: Tensor, adam: gn.Adam) -> None:
    gn.Adam(model)  # mypy: arg-type; pyright: reportArgumentType
    gn.Adam(model.parameters(), lr="0.1")  # mypy: arg-type; pyright: reportArgumentType
    gn.Adam()  # mypy: call-arg; pyright: reportCallIssue
    gn.AdamW(model.parameters(), foreach=0.1)  # mypy: arg-type; pyright: reportArgumentType
    gn.SGD(model.parameters(), lr=0.1, momentun=0.9)  # mypy: call-arg; pyright: reportCallIssue
    adam.step(t)  # mypy: arg-type; pyright: reportArgumentType
    gn.fit(model, loss, (t, t))  # mypy: call-arg; pyright: reportCallIssue
    gn.fit(model, loss, (t, t), adam, epoch=5)  # mypy: call-arg; pyright: reportCallIssue
    gn.fit(model, loss, (t, t), adam, epochs="5")  # mypy: arg-type; pyright: reportArgumentType
    gn.fit(model, loss, t, adam).losess  # mypy: attr-defined; pyright: reportAttributeAccessIssue
    gn.evaluate(model, loss, (t, t), metric=[])  # mypy: call-arg; pyright: reportCallIssue
    gn.EarlyStopping(patience="5")  # mypy: arg-type; pyright: reportArgumentType
    gn.save_weights("weights.safetensors", model)  # mypy: arg-type; pyright: reportArgumentType
    gn.metrics.acuracy  # mypy: attr-defined; pyright: reportAttributeAccessIssue


class Pair(gn.Module):
    def build(self, x: gn.Node) -> gn.Node:
        return x.max(1)  # mypy: return-value; pyright: reportReturnType


class Blend(gn.Op):
    symbol = "blend"
    weight: float = 0.5

    def forward(self, x: Tensor) -> Tensor:
        return x * self.wieght  # mypy: attr-defined; pyright: reportAttributeAccessIssue

    grad_x = None


class Descent(gn.Optimizer):
    def update(self) -> int:  # mypy: override; pyright: reportIncompatibleMethodOverride
        return 0


def own_classes(x: gn.Node) -> None:
    Pair()(x, x)  # mypy: call-overload; pyright: reportArgumentType
    Blend("0.5")  # mypy: arg-type; pyright: reportArgumentType
    Blend(wieght=0.5)  # mypy: call-arg; pyright: reportCallIssue
    Blend()(x).item()  # mypy: attr-defined; pyright: reportAttributeAccessIssue
