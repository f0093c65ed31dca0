"""What each of torch's operations is in graphnet: functions by the names of aten.

A rule takes the arguments of torch's operation, with nodes in the place of tensors, and appends.

| file | contents |
|---|---|
| `rule` | the table, and how rules get into it |
| `elementwise` | arithmetic, functions, activations, comparisons, number types |
| `functions` | logarithms, NaN, and other functions that are made of those |
| `shapes` | reshapes, parts, joining, indices |
| `writing` | values written at indices, into parts, where a mask is true |
| `creation` | tensors of one value, ranges |
| `random` | random numbers |
| `reductions` | sums, means, extremes |
| `layers` | linear maps, normalization, dropout, attention, embeddings |
| `images` | convolution, pooling, upsampling |
| `recurrent` | RNN, LSTM and GRU, as cells and as layers |
| `losses` | losses |
"""

from graphnet.interop.rules import (
    creation,
    elementwise,
    functions,
    images,
    layers,
    losses,
    random,
    recurrent,
    reductions,
    shapes,
    writing,
)
from graphnet.interop.rules.rule import rule_for

__all__ = [
    "creation",
    "elementwise",
    "functions",
    "images",
    "layers",
    "losses",
    "random",
    "recurrent",
    "reductions",
    "rule_for",
    "shapes",
    "writing",
]
