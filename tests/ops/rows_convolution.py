"""The rows of the operations in `graphnet.ops.convolution` and `transposed`."""

from __future__ import annotations

import torch
from ops.cases import Case
from torch import Tensor
from torch.nn import functional

from graphnet.ops import convolution, transposed

FINITE = (0.0, 1.0, -1.0, 0.5, 1e3, -1e3)
"""Infinity times a padded zero is NaN in one of torch's kernels and not in another."""


def grad_input(y: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    return torch.nn.grad.conv2d_input(x.shape, weight, y)


def grad_weight(y: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.grad.conv2d_weight(x, weight.shape, y)


IMAGES = [
    ((2, 3, 5, 4), (4, 3, 3, 2)),
    ((1, 1, 3, 3), (1, 1, 3, 3)),
    ((0, 2, 4, 4), (3, 2, 2, 2)),
]
STRIDED = {"stride": (2, 1), "padding": (1, 1, 2, 2)}
TORCH_STRIDED = {"stride": (2, 1), "padding": (1, 2)}

ROWS: list[Case] = [
    *[Case(convolution.Conv2d(), functional.conv2d, shapes, edges=FINITE) for shapes in IMAGES],
    Case(
        convolution.Conv2d(**STRIDED),
        lambda x, w: functional.conv2d(x, w, **TORCH_STRIDED),
        IMAGES[0],
        edges=FINITE,
    ),
    *[
        Case(convolution.Conv2dBias(), functional.conv2d, (*shapes, shapes[1][:1]), edges=FINITE)
        for shapes in IMAGES
    ],
    Case(
        convolution.Conv2dBias(**STRIDED),
        lambda x, w, b: functional.conv2d(x, w, b, **TORCH_STRIDED),
        (*IMAGES[0], (4,)),
        edges=FINITE,
    ),
    *[
        Case(convolution.Conv2dGradInput(), grad_input, (y, *shapes[::-1]), edges=FINITE)
        for y, shapes in zip([(2, 4, 3, 3), (1, 1, 1, 1)], IMAGES[:2], strict=True)
    ],
    *[
        Case(convolution.Conv2dGradWeight(), grad_weight, (y, *shapes), edges=FINITE)
        for y, shapes in zip([(2, 4, 3, 3), (1, 1, 1, 1)], IMAGES[:2], strict=True)
    ],
    *[
        Case(transposed.ConvTranspose2d(), functional.conv_transpose2d, shapes, edges=FINITE)
        for shapes in (((2, 3, 3, 2), (3, 2, 2, 3)), ((0, 2, 2, 2), (2, 3, 2, 2)))
    ],
    Case(
        transposed.ConvTranspose2d((2, 3), (1, 0, 1, -1)),
        lambda x, w: functional.conv_transpose2d(
            x, w, stride=(2, 3), padding=1, output_padding=(1, 2)
        ),
        ((2, 3, 3, 2), (3, 2, 2, 3)),
        edges=FINITE,
    ),
]
