"""The rows of the operations in `graphnet.ops.limits`."""

from __future__ import annotations

import torch
from ops.cases import Case, unary

from graphnet.ops import limits

# The gradient exactly at a bound changed between versions of torch: tested in test_clamp.py.
BESIDE_BOUNDS = (0.0, 0.25, -2.0, 2.0, 1e3, -1e3, float("inf"), float("nan"))

PAIRS = (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 2), (2,)))
TRIPLES = (
    ((3, 4), (3, 4), (3, 4)),
    ((3, 1), (4,), ()),
    ((4,), (3, 1), (1, 4)),
    ((), (), (2,)),
    ((0, 2), (2,), (1,)),
)

ROWS: list[Case] = [
    *[Case(limits.Maximum(), torch.maximum, shapes) for shapes in PAIRS],
    *[Case(limits.Minimum(), torch.minimum, shapes) for shapes in PAIRS],
    *unary(limits.Clamp(-1.0, 0.5), lambda x: x.clamp(-1.0, 0.5), edges=BESIDE_BOUNDS),
    *unary(limits.Clamp(None, 1.0), lambda x: x.clamp(max=1.0), edges=BESIDE_BOUNDS),
    *unary(limits.Clamp(-1, None), lambda x: x.clamp(min=-1), edges=BESIDE_BOUNDS),
    # Torch 2.13 has another slope at a bound, and none where the bounds are larger than x.
    *[
        Case(
            limits.ClampBetween(),
            lambda *tensors: torch.clamp(*torch.broadcast_tensors(*tensors)),
            shapes,
            edge_gradients=False,
        )
        for shapes in TRIPLES
    ],
]
