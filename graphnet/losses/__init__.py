"""Losses as modules of two inputs, predictions and targets, or of three.

The arguments are those of torch.nn; a weight is given as a tensor and becomes a buffer.

| file | contents |
|---|---|
| `base` | the base class: reductions, and the weight of each row in the mean |
| `regression` | losses for numbers and distributions |
| `classification` | losses for two classes and for several |
| `ranking` | losses of three inputs |
| `margins` | scores that should lead by a margin |
"""

from graphnet.losses.base import Loss
from graphnet.losses.classification import (
    LossBCE,
    LossBCEWithLogits,
    LossCrossEntropy,
    LossHinge,
    LossNLL,
)
from graphnet.losses.margins import LossMultiLabelMargin, LossMultiMargin, LossSoftMargin
from graphnet.losses.ranking import (
    LossCosineEmbedding,
    LossGaussianNLL,
    LossMarginRanking,
    LossTripletMargin,
)
from graphnet.losses.regression import LossHuber, LossKLDiv, LossL1, LossMSE, LossSmoothL1

__all__ = [
    "Loss",
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
]
