"""Every operation as a function of torch's name: numbers from tensors, one more node from nodes.

| file | what lives there |
|---|---|
| `arithmetic` | + - × ÷, absolute value, sign, maximum, clamp |
| `powers` | xᵖ, bʸ and xʸ |
| `functions` | exp, log, square root |
| `activations` | tanh, relu, sigmoid, identity |
| `comparison` | = ≠ < ≤ > ≥, where, masked_fill |
| `products` | matmul, linear |
| `reductions` | sum, mean |
| `shapes` | reshape, transpose, permute, squeeze, unsqueeze |
| `broadcasting` | expand, sums that undo it, sizes, zeros and ones |
| `losses` | mse_loss, binary_cross_entropy |
| `dims` | dimensions and sizes as callers write them |
"""

from graphnet.ops.activations import *
from graphnet.ops.arithmetic import *
from graphnet.ops.broadcasting import *
from graphnet.ops.comparison import *
from graphnet.ops.functions import *
from graphnet.ops.losses import *
from graphnet.ops.powers import *
from graphnet.ops.products import *
from graphnet.ops.reductions import *
from graphnet.ops.shapes import *
