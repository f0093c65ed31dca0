"""The rows of the operations in `graphnet.ops.trigonometry`."""

from __future__ import annotations

from dataclasses import replace

import torch
from ops.cases import Case, binary, unary

from graphnet.ops import trigonometry

ORIGIN = torch.zeros(1, requires_grad=True)
torch.atan2(ORIGIN, ORIGIN.detach()).backward()
DEFINED_AT_THE_ORIGIN = ORIGIN.grad is not None and bool(ORIGIN.grad.eq(0))
"""False in old versions of torch, whose slope of atan2(0, 0) is NaN."""

ROWS: list[Case] = [
    *unary(trigonometry.Tan(), torch.tan, low=-1.2, high=1.2),
    *unary(trigonometry.Asin(), torch.asin, low=-0.9, high=0.9),
    *unary(trigonometry.Acos(), torch.acos, low=-0.9, high=0.9),
    *unary(trigonometry.Atan(), torch.atan),
    *unary(trigonometry.Sinh(), torch.sinh),
    *unary(trigonometry.Cosh(), torch.cosh),
    *unary(trigonometry.Asinh(), torch.asinh),
    *unary(trigonometry.Acosh(), torch.acosh, low=1.1),
    *unary(trigonometry.Atanh(), torch.atanh, low=-0.9, high=0.9),
    *[
        replace(case, edge_gradients=DEFINED_AT_THE_ORIGIN)
        for case in binary(trigonometry.Atan2(), torch.atan2)
        if all(isinstance(shape, tuple) for shape in case.inputs)  # torch takes no numbers
    ],
]
