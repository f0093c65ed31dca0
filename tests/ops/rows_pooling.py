"""The rows of the operations in `graphnet.ops.pooling` and `mean_pooling`."""

from __future__ import annotations

from functools import partial

import torch
from ops.cases import Case
from torch.nn import functional

from graphnet.ops import mean_pooling, pooling

OVERLAPPING = {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 1), "ceil_mode": True}
TORCH_OVERLAPPING = {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1, "ceil_mode": True}


def indices(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, **TORCH_OVERLAPPING, return_indices=True)[1]


def put(pixels: torch.Tensor, places: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    flat = torch.zeros(*x.shape[:2], x.shape[2] * x.shape[3], dtype=x.dtype)
    return flat.scatter_add(2, places.flatten(2), pixels.flatten(2)).view(x.shape)


def pick(x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)


def rows_mean(count: int, x: torch.Tensor) -> torch.Tensor:
    return functional.adaptive_avg_pool2d(x, (count, None))


def columns_mean(x: torch.Tensor) -> torch.Tensor:
    return functional.adaptive_avg_pool2d(x, (None, 3))


ROWS: list[Case] = [
    *[
        Case(pooling.MaxPool2d((2, 2), (2, 2)), lambda x: functional.max_pool2d(x, 2), (shape,))
        for shape in ((2, 3, 4, 6), (1, 1, 2, 2), (0, 2, 4, 4), (1, 2, 5, 5))
    ],
    *[
        Case(op(**OVERLAPPING), function, ((2, 3, 5, 6),))
        for op, function in (
            (pooling.MaxPool2d, lambda x: functional.max_pool2d(x, **TORCH_OVERLAPPING)),
            (pooling.MaxPlaces, indices),
            (mean_pooling.AvgPool2d, lambda x: functional.avg_pool2d(x, **TORCH_OVERLAPPING)),
        )
    ],
    *[
        Case(
            mean_pooling.AvgPool2d((2, 2), (2, 2)), lambda x: functional.avg_pool2d(x, 2), (shape,)
        )
        for shape in ((2, 3, 4, 6), (1, 1, 2, 2), (0, 2, 4, 4), (1, 2, 5, 5))
    ],
    Case(
        mean_pooling.AvgPool2d((3, 2), (2, 2), (1, 0), count_include_pad=False),
        lambda x: functional.avg_pool2d(x, (3, 2), (2, 2), (1, 0), count_include_pad=False),
        ((2, 2, 5, 5),),
    ),
    Case(
        mean_pooling.AvgPool2dGrad((2, 2), (2, 2)),
        lambda y, x: functional.interpolate(y / 4, scale_factor=2, mode="nearest"),
        ((2, 3, 2, 3), (2, 3, 4, 6)),
    ),
    Case(pooling.PickPixels(), pick, ((2, 3, 3, 4), (2, 3, 2, 2)), low=0, kinds={1: torch.int64}),
    Case(
        pooling.PutPixels(),
        put,
        ((2, 3, 2, 2), (2, 3, 2, 2), (2, 3, 3, 4)),
        low=0,
        kinds={1: torch.int64},
    ),
    *[
        Case(mean_pooling.AdaptiveMean(2, count), partial(rows_mean, count), ((2, 3, 5, 2),))
        for count in (1, 2, 3, 5, 7)
    ],
    Case(mean_pooling.AdaptiveMean(3, 3), columns_mean, ((2, 1, 2, 4),)),
    Case(
        mean_pooling.AdaptiveMeanGrad(2, 2),
        lambda y, x: functional.interpolate(y / 2, scale_factor=(2, 1), mode="nearest"),
        ((2, 3, 2, 3), (2, 3, 4, 3)),
    ),
]
