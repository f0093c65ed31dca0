"""What each of torch's operations is in graphnet: functions by the names of aten.

A rule takes the arguments of torch's operation, with nodes in the place of tensors, and appends.

| file | contents |
|---|---|
| `rule` | the table, and how rules get into it |
| `elementwise` | arithmetic, functions, activations, comparisons, number types |
| `shapes` | reshapes, parts, joining, indices, written parts |
| `creation` | tensors of one value, ranges, random numbers |
| `reductions` | sums, means, extremes |
| `layers` | linear maps, normalization, dropout, attention, embeddings |
| `images` | convolution, pooling, upsampling |
| `recurrent` | RNN, LSTM and GRU, as cells and as layers |
| `losses` | losses |
"""

from graphnet.interop.rules import (
    creation,
    elementwise,
    images,
    layers,
    losses,
    recurrent,
    reductions,
    shapes,
)
from graphnet.interop.rules.rule import rule_for

__all__ = [
    "creation",
    "elementwise",
    "images",
    "layers",
    "losses",
    "recurrent",
    "reductions",
    "rule_for",
    "shapes",
]
