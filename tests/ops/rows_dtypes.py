"""The rows of the operations in `graphnet.ops.dtypes`; other types are in `test_short_types`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import dtypes

ROWS: list[Case] = [
    *unary(dtypes.Convert(torch.float64), lambda x: x.double() * 1),
    *unary(dtypes.Detach(), torch.Tensor.detach),
]
