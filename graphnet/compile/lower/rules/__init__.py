"""What each operation that is not elementwise becomes in loops.

| file | operations |
|---|---|
| `moves` | parts, joins, padding, masks of a shape |
| `orders` | elements reversed, rolled, sorted, in a row; random numbers |
| `gathers` | elements at places that are themselves computed |
| `reductions` | sums, means, extremes, softmax |
| `running` | sums that run along a dimension |
| `products` | products of matrices and vectors |
| `images` | convolutions, windows |
| `winograd` | convolutions with kernels of 3x3 by fewer products |
| `pooling` | the means and extremes of windows |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.compile.lower.rules import (
    gathers,
    images,
    moves,
    orders,
    pooling,
    products,
    reductions,
    running,
)

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Rule
    from graphnet.op import Op

RULES: dict[type[Op], Rule] = {
    **moves.RULES,
    **orders.RULES,
    **gathers.RULES,
    **reductions.RULES,
    **products.RULES,
    **images.RULES,
    **pooling.RULES,
    **running.RULES,
}
"""One row for each operation."""
