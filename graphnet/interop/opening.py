"""Functions that fix the batch size when torch records them, in forms that leave it open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class LeavingOpen(TorchFunctionMode):
    """While it is on, these functions are called in the place of torch's."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return FORMS.get(func, func)(*args, **(kwargs or {}))


def _take_along_dim(
    input: torch.Tensor, indices: torch.Tensor, dim: int | None = None
) -> torch.Tensor:
    if dim is None:
        return input.flatten().gather(0, indices.flatten())
    around = [list(each.shape) for each in (input, indices)]
    lengths = [sizes[dim] for sizes in around]
    for sizes in around:
        sizes[dim] = 1
    shape = list(torch.broadcast_shapes(*around))
    wide = []
    for each, length in zip((input, indices), lengths, strict=True):
        shape[dim] = length
        wide.append(each.expand(shape))
    return wide[0].gather(dim, torch.where(wide[1] < 0, wide[1] + lengths[0], wide[1]))


def _kron(input: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    ndim = max(input.ndim, other.ndim)
    x, y = (each[(None,) * (ndim - each.ndim)] for each in (input, other))
    x, y = x[(..., *(slice(None), None) * ndim)], y[(..., *(None, slice(None)) * ndim)]
    return (x * y).reshape([m * n for m, n in zip(x.shape[::2], y.shape[1::2], strict=True)])


def _multi_dot(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return reduce(torch.matmul, tensors)


def _fill_diagonal_(input: torch.Tensor, fill_value: float, wrap: bool = False) -> torch.Tensor:
    if input.ndim != 2 or wrap:
        return input.fill_diagonal_(fill_value, wrap)
    return input.masked_fill_(torch.eye(*input.shape, dtype=torch.bool), fill_value)


FORMS: dict[Any, Callable[..., Any]] = {
    torch.take_along_dim: _take_along_dim,
    torch.Tensor.take_along_dim: _take_along_dim,
    torch.kron: _kron,
    torch.Tensor.kron: _kron,
    torch.linalg.multi_dot: _multi_dot,
    torch.Tensor.fill_diagonal_: _fill_diagonal_,
}
"""The forms by torch's functions."""
