"""What each operation that is not elementwise becomes in loops.

| file | operations |
|---|---|
| `moves` | parts, joins, padding, masks of a shape |
| `gathers` | elements at places that are themselves computed |
| `reductions` | sums, means, extremes, softmax, running sums |
| `products` | products of matrices and vectors |
| `images` | convolutions, pooling, windows |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphnet.compile.lower.rules import gathers, images, moves, products, reductions

if TYPE_CHECKING:
    from graphnet.compile.lower.lowering import Rule
    from graphnet.op import Op

RULES: dict[type[Op], Rule] = {
    **moves.RULES,
    **gathers.RULES,
    **reductions.RULES,
    **products.RULES,
    **images.RULES,
}
"""One row for each operation."""
