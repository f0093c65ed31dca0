"""Fused operations for a sum with a scaled term, which updates are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import finfo

from graphnet.compile.targets.torch.fused_base import Fused
from graphnet.graph.nodes import Literal
from graphnet.op import Op
from graphnet.ops.scaled import add_scaled, addcdiv, addcmul, lerp

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Source
    from graphnet.graph import Node


def in_range(op: Op, x: Node, *others: Source) -> bool:
    """True unless the factor, the last input, is out of the dtype's range: kernels refuse it."""
    factor = others[-1]
    if not isinstance(factor, Literal) or not x.dtype.is_floating_point:
        return True
    return bool(abs(factor.top) <= finfo(x.dtype).max)


class Addcmul(Op, Fused):
    """z = x + (a u) v.  Shapes: x, u and v broadcast, a is a number."""

    symbol = "x + a·u·v"
    out = "addcmul({x}, {u}, {v}, value={a}, out={out})"
    inplace = "{x}.addcmul_({u}, {v}, value={a})"
    elementwise = read_once = True

    def forward(self, x: Tensor, u: Tensor, v: Tensor, a: float) -> Tensor:
        return addcmul(x, u, v, a)

    fits = in_range


class Addcdiv(Op, Fused):
    """z = x + (a u) / v.  Shapes: x, u and v broadcast, a is a number."""

    symbol = "x + a·u/v"
    out = "addcdiv({x}, {u}, {v}, value={a}, out={out})"
    inplace = "{x}.addcdiv_({u}, {v}, value={a})"
    elementwise = read_once = True

    def forward(self, x: Tensor, u: Tensor, v: Tensor, a: float) -> Tensor:
        return addcdiv(x, u, v, a)

    fits = in_range


class Lerp(Op, Fused):
    """z = x + a (y - x).  Shapes: x and y broadcast, a is a number."""

    symbol = "lerp"
    out = "lerp({x}, {y}, {a}, out={out})"
    inplace = "{x}.lerp_({y}, {a})"
    elementwise = read_once = True

    def forward(self, x: Tensor, y: Tensor, a: float) -> Tensor:
        return lerp(x, y, a)

    def fits(self, x: Node, y: Node, a: Source) -> bool:
        # For a number of 1/2 or more, torch's kernel uses another formula.
        return isinstance(a, Literal) and abs(a.top) < 0.5


class AddScaled(Op, Fused):
    """z = x + a y.  Shapes: x and y broadcast, a is a number."""

    symbol = "x + a·y"
    out = "add({x}, {y}, alpha={a}, out={out})"
    inplace = "{x}.add_({y}, alpha={a})"
    elementwise = takes_numbers = read_once = True

    def forward(self, x: Tensor, y: Tensor, a: float) -> Tensor:
        return add_scaled(x, y, a)

    fits = in_range
