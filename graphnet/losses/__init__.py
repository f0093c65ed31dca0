"""Losses as modules of two inputs: predictions and targets.

The arguments are those of torch.nn; a weight is given as a tensor and becomes a buffer.

| file | contents |
|---|---|
| `base` | the base class: reductions, and the weight of each row in the mean |
| `regression` | losses for numbers and distributions |
| `classification` | losses for two classes and for several |
"""

from graphnet.losses.base import Loss
from graphnet.losses.classification import (
    LossBCE,
    LossBCEWithLogits,
    LossCrossEntropy,
    LossHinge,
    LossNLL,
)
from graphnet.losses.regression import LossHuber, LossKLDiv, LossL1, LossMSE, LossSmoothL1

__all__ = [
    "Loss",
    "LossBCE",
    "LossBCEWithLogits",
    "LossCrossEntropy",
    "LossHinge",
    "LossHuber",
    "LossKLDiv",
    "LossL1",
    "LossMSE",
    "LossNLL",
    "LossSmoothL1",
]
