"""The rows of the operations in `graphnet.ops.smooth`."""

from __future__ import annotations

from ops.cases import Case, unary
from torch.nn import functional

from graphnet.ops import smooth

ROWS: list[Case] = [
    *unary(smooth.Softplus(), functional.softplus),
    *unary(smooth.Softplus(2.0, 1.5), lambda x: functional.softplus(x, 2.0, 1.5)),
    *unary(smooth.Softplus(-0.5), lambda x: functional.softplus(x, -0.5)),
    *unary(smooth.Silu(), functional.silu),
    *unary(smooth.Mish(), functional.mish),
    *unary(smooth.Gelu(), functional.gelu),
    *unary(smooth.GeluTanh(), lambda x: functional.gelu(x, approximate="tanh")),
]
