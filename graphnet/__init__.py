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

from typing import TYPE_CHECKING, Any

from graphnet import init, layers, ops
from graphnet.draw import room as draw
from graphnet.errors import (
    CheckpointError,
    DtypeError,
    EmptyBatchError,
    FeedError,
    GraphError,
    LoadError,
    NonFiniteError,
    ProcessError,
    RangeError,
    ShapeError,
    StateError,
)
from graphnet.graph import Graph, Input, Node, Operation, Parameter
from graphnet.ipython import shorten_tracebacks
from graphnet.layers import *
from graphnet.losses import (
    LossBCE,
    LossBCEWithLogits,
    LossCosineEmbedding,
    LossCrossEntropy,
    LossGaussianNLL,
    LossHinge,
    LossHuber,
    LossKLDiv,
    LossL1,
    LossMarginRanking,
    LossMSE,
    LossMultiLabelMargin,
    LossMultiMargin,
    LossNLL,
    LossSmoothL1,
    LossSoftMargin,
    LossTripletMargin,
)
from graphnet.op import Op
from graphnet.version import __version__
from graphnet.weights import load_weights, save_weights

if TYPE_CHECKING:
    from graphnet import data, distributed, exercises, schedules
    from graphnet.check import CheckReport, check_module, check_op, check_optimizer
    from graphnet.exercises import grade
    from graphnet.interop import compare_with_torch, from_torch, to_torch, torch_source
    from graphnet.optim import (
        SGD,
        Adadelta,
        Adagrad,
        Adam,
        Adamax,
        AdamW,
        NAdam,
        Optimizer,
        RAdam,
        RMSprop,
        clip_grad_norm_,
        clip_grad_value_,
    )
    from graphnet.playground import room as playground
    from graphnet.train import *

__all__ = [
    "EMA",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "BestModel",
    "CSVLog",
    "Callback",
    "CheckReport",
    "CheckpointError",
    "Checkpoints",
    "DeadLayers",
    "DtypeError",
    "EarlyStopping",
    "EmptyBatchError",
    "FeedError",
    "Graph",
    "GraphError",
    "History",
    "Input",
    "JSONLog",
    "Live",
    "LoadError",
    "LossBCE",
    "LossBCEWithLogits",
    "LossCosineEmbedding",
    "LossCrossEntropy",
    "LossGaussianNLL",
    "LossHinge",
    "LossHuber",
    "LossKLDiv",
    "LossL1",
    "LossMSE",
    "LossMarginRanking",
    "LossMultiLabelMargin",
    "LossMultiMargin",
    "LossNLL",
    "LossSmoothL1",
    "LossSoftMargin",
    "LossTripletMargin",
    "NAdam",
    "Node",
    "NonFiniteError",
    "Op",
    "Operation",
    "Optimizer",
    "Parameter",
    "ProcessError",
    "RAdam",
    "RMSprop",
    "RangeError",
    "ShapeError",
    "StateError",
    "TensorBoard",
    "__version__",
    "check_module",
    "check_op",
    "check_optimizer",
    "clip_grad_norm_",
    "clip_grad_value_",
    "compare_with_torch",
    "data",
    "distributed",
    "draw",
    "evaluate",
    "exercises",
    "fit",
    "from_torch",
    "grade",
    "init",
    "load_weights",
    "metrics",
    "ops",
    "playground",
    "predict",
    "rounds",
    "save_weights",
    "schedules",
    "to_torch",
    "torch_source",
]
__all__ += layers.__all__

_CHECKING = ("CheckReport", "check_module", "check_op", "check_optimizer")
_INTEROP = ("compare_with_torch", "from_torch", "to_torch", "torch_source")
_OPTIM = (
    *("SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam"),
    *("RMSprop", "clip_grad_norm_", "clip_grad_value_"),
)
_ROOMS = ("data", "distributed", "exercises", "playground", "schedules")
"""Names that are folders themselves."""


def _late(name: str) -> Any:
    """Load what reads data, trains, checks or grades when it is first used: most of everything."""
    if name not in __all__:
        from graphnet.torch_hints import way_to

        hint = "" if name.startswith("_") else way_to(name, __all__, dir(ops))
        way = f": {hint}" if hint else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{way}")
    room: Any  # imported as a whole name: `from graphnet` would call this function again
    if name in _CHECKING:
        import graphnet.check as room
    elif name in _INTEROP:
        import graphnet.interop as room
    elif name in _OPTIM:
        import graphnet.optim as room
    elif name == "data":
        import graphnet.data as room
    elif name == "playground":
        import graphnet.playground as room
    elif name == "distributed":
        import graphnet.distributed as room
    elif name == "schedules":
        import graphnet.schedules as room
    elif name in ("exercises", "grade"):
        import graphnet.exercises as room
    else:
        import graphnet.train as room
    return room if name in _ROOMS else getattr(room, name)


if not TYPE_CHECKING:  # with it, type checkers would accept any name
    __getattr__ = _late


def __dir__() -> list[str]:
    """All public names, including those that are loaded later."""
    return [*__all__, "__doc__", "__file__", "__name__", "__path__"]


shorten_tracebacks()  # in IPython: an error shows the lines of the user, and not those in here
