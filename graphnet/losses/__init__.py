"""Losses as modules of two inputs: predictions, and the targets they should have met.

The arguments are those of torch.nn; a weight is given as a tensor and becomes a buffer.

| file | what it holds |
|---|---|
| `base` | what all losses share: reductions, and how much each row counts |
| `regression` | losses of numbers and of distributions |
| `classification` | losses of two classes and of several |
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
