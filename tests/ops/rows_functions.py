"""The rows of the operations in `graphnet.ops.functions`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import functions

ROWS: list[Case] = [
    *unary(functions.Exp(), torch.exp),
    *unary(functions.Log(), torch.log, low=0.1),
    *unary(functions.Log1p(), torch.log1p, low=-0.9),
    *unary(functions.Sqrt(), torch.sqrt, low=0.1),
    *unary(functions.Expm1(), torch.expm1),
    *unary(functions.Rsqrt(), torch.rsqrt, low=0.1),
    *unary(functions.Square(), torch.square),
    *unary(functions.Reciprocal(), torch.reciprocal, low=0.5),
    *unary(functions.Sin(), torch.sin),
    *unary(functions.Cos(), torch.cos),
    *unary(functions.Erf(), torch.erf),
]
