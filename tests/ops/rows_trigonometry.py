"""The rows of the operations in `graphnet.ops.trigonometry`."""

from __future__ import annotations

import torch
from ops.cases import Case, binary, unary

from graphnet.ops import trigonometry

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
        case
        for case in binary(trigonometry.Atan2(), torch.atan2)
        if all(isinstance(shape, tuple) for shape in case.inputs)  # torch takes no numbers
    ],
]
