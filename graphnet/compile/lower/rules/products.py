"""Products of matrices and vectors, as contractions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphnet.compile.lower.loops import Contraction
from graphnet.compile.lower.scalars import broadcast_to
from graphnet.ops.products import Bmm, Linear, LinearMap, Matmul, Matvec, Vecmat

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Lowering, Rule
    from graphnet.compile.plan.slots import Shape, Slot
    from graphnet.graph import Operation
    from graphnet.op import Op


def factors(low: Lowering, node: Operation) -> list[Slot]:
    """The operands in memory."""
    return [low.stored(cast("Any", source)) for source in node.sources]


def linear(low: Lowering, node: Operation) -> None:
    """x wᵀ + b."""
    x, weight, *bias = factors(low, node)
    shape = cast("Shape", node.shape)
    start = broadcast_to(bias[0], shape) if bias else None
    contract(low, node, x.unsqueeze(-2), weight, low.place(node), start)


def matmul(low: Lowering, node: Operation) -> None:
    """x y, for all matrices of a batch."""
    x, y = factors(low, node)
    contract(low, node, x.unsqueeze(-2), y.mT.unsqueeze(-3), low.place(node))


def matvec(low: Lowering, node: Operation) -> None:
    """The product of matrices and a vector."""
    x, v = factors(low, node)
    contract(low, node, x, v, low.place(node))


def vecmat(low: Lowering, node: Operation) -> None:
    """The product of a vector and matrices."""
    v, y = factors(low, node)
    contract(low, node, v, y.mT, low.place(node))


def contract(
    low: Lowering, node: Operation, x: Slot, y: Slot, out: Slot, start: Slot | None = None
) -> None:
    """The sum along the last dimension of the product of x and y, broadcast to (*out, n)."""
    sizes = (*out.shape, x.shape[-1])
    low.keep(node, out)
    low.contract(
        Contraction(
            node, sizes, out.ndim, broadcast_to(x, sizes), broadcast_to(y, sizes), out, start
        )
    )


RULES: dict[type[Op], Rule] = {
    Bmm: matmul,
    Linear: linear,
    LinearMap: linear,
    Matmul: matmul,
    Matvec: matvec,
    Vecmat: vecmat,
}
