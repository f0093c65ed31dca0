"""Fused operations for a sum with a scaled term, which updates are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import finfo

from graphnet.compile.targets.torch.fused_base import Fused
from graphnet.graph.nodes import Literal
from graphnet.op import Op, Symbolic
from graphnet.ops.arithmetic import Neg
from graphnet.ops.reductions import Sum
from graphnet.ops.scaled import add_scaled, addcdiv, addcmul, lerp

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.compile.ir.program import Source, Sources
    from graphnet.compile.ir.rewrite import Rewriting
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


class AddTwice(Op, Fused):
    """z = x + u v + u v: the gradient through a square that is written as a product.

    Shapes: x, u and v broadcast.
    """

    symbol = "x + 2·u·v"
    out = "addcmul({x}, {u}, {v}, value=2, out={out})"
    inplace = "{x}.addcmul_({u}, {v}, value=2)"
    elementwise = read_once = True

    def forward(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        product = u * v
        return x + product + product

    def fits(self, x: Node, *others: Node) -> bool:
        return x.dtype.is_floating_point


class SumOfOpposite(Op, Fused):
    """z = Σ -x, which is -Σ x: a pass over fewer elements.  Shapes: (n, m) -> (n) for dims (1,)."""

    symbol = "Σ -x"
    read_once = True
    dims: tuple[int, ...]
    keepdim: bool = False

    def forward(self, x: Tensor) -> Tensor:
        total = Sum(self.dims, self.keepdim)
        return total(-x) if isinstance(x, Symbolic) else total.forward(-x)

    def fits(self, x: Node) -> bool:
        return 0 < len(self.dims) < x.ndim  # a loss has a kernel of its own

    def instead(self, copy: Rewriting, x: Node) -> tuple[Op, Sources]:
        total = Sum(self.dims, self.keepdim)
        return Neg(), (copy.new.use(total, (x,), "sum"),)


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
