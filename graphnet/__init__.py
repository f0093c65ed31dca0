"""graphnet: deep learning as one list of nodes that you can read, draw, check and train.

>>> import graphnet as gn
>>> from torch import empty
>>> model = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))
>>> with gn.Graph() as graph:
...     x, t = gn.Input((None, 2), name="x"), gn.Input((None, 2), name="t")
...     loss = gn.LossMSE()(model(x), t)
>>> sgd = gn.SGD(model.parameters(), lr=0.1)
>>> value = graph.forward(x=empty(50, 2).fill_(0.5), t=empty(50, 2).fill_(1))
>>> graph.backward(loss)
>>> sgd.step()
"""

from graphnet import data, init, ops, schedules
from graphnet.check import CheckReport
from graphnet.errors import (
    DtypeError,
    EmptyBatchError,
    FeedError,
    GraphError,
    LoadError,
    NonFiniteError,
    RangeError,
    ShapeError,
    StateError,
)
from graphnet.graph import Graph, Input, Node, Operation, Parameter
from graphnet.layers import Identity, Linear, Module, ReLU, Sequential, Sigmoid, Tanh
from graphnet.losses import LossBCE, LossMSE
from graphnet.op import Op
from graphnet.optim import SGD, Adam, Optimizer
from graphnet.version import __version__
from graphnet.weights import load_weights, save_weights

__all__ = [
    "SGD",
    "Adam",
    "CheckReport",
    "DtypeError",
    "EmptyBatchError",
    "FeedError",
    "Graph",
    "GraphError",
    "Identity",
    "Input",
    "Linear",
    "LoadError",
    "LossBCE",
    "LossMSE",
    "Module",
    "Node",
    "NonFiniteError",
    "Op",
    "Operation",
    "Optimizer",
    "Parameter",
    "RangeError",
    "ReLU",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "StateError",
    "Tanh",
    "__version__",
    "data",
    "init",
    "load_weights",
    "ops",
    "save_weights",
    "schedules",
]
