"""Weights that are computed from others: by their length, or by their largest singular value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.ops.arithmetic import abs, div, mul
from graphnet.ops.dims import normal_dim
from graphnet.ops.dtypes import detach
from graphnet.ops.limits import clamp
from graphnet.ops.norms import norm
from graphnet.ops.products import matmul
from graphnet.ops.reductions import sum
from graphnet.ops.running import Remember, choose, require_buffer, training_mode
from graphnet.ops.shapes import flatten, permute

if TYPE_CHECKING:
    from graphnet.op import T

__all__: list[str] = []  # torch has them as parametrizations: `graphnet.layers.parametrizations`


def length_except(v: T, dim: int | None) -> T:
    """‖v‖ for each index of one dimension, whose other sizes are 1; of all of v for None."""
    place = None if dim is None else normal_dim(v, dim)
    dims = tuple(each for each in range(v.ndim) if each != place)
    if not dims:  # of a vector, an element for each index
        return abs(v)
    return norm(v, 2.0, dims, keepdim=place is not None)


def weight_norm(g: T, v: T, dim: int | None = 0) -> T:
    """v g / ‖v‖, with a length g for each index of one dimension, or for None one for all of v.

    Source: Salimans and Kingma, Weight normalization (2016), equation 2.
    """
    return mul(v, div(g, length_except(v, dim)))


def spectral_norm(
    weight: T,
    u: T | None,
    v: T | None,
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int = 0,
    training: bool | None = None,
) -> T:
    """w / σ with its largest singular value σ = uᵀ w v, as a matrix of one row for each index.

    In training the buffers u and v take `n_power_iterations` steps towards the singular vectors,
    through which no gradient flows. For vectors σ is the length, and there are no buffers.
    `training=None` follows the graph; for tensors it is False.

    Source: Miyato et al., Spectral normalization (2018), algorithm 1.
    """
    if u is None or v is None:
        return div(weight, clamp(norm(weight), min=eps))
    mode = training_mode(weight, training, otherwise=False)
    matrix = as_matrix(weight, dim)
    if mode is not False:
        for buffer in (u, v):
            require_buffer(buffer, written=True)
        new = power_steps(matrix, u, v, n_power_iterations, eps)
        u, v = _kept(new[0], u, mode), _kept(new[1], v, mode)
    return div(weight, sum(mul(u, matmul(matrix, v))))


def as_matrix(weight: T, dim: int) -> T:
    """A weight as a matrix, with one row for each index of a dimension."""
    order = [dim, *(each for each in range(weight.ndim) if each != dim)]
    return flatten(weight if dim == 0 else permute(weight, *order), 1)


def power_steps(matrix: T, u: T, v: T, count: int, eps: float) -> tuple[T, T]:
    """Vectors that are nearer to the singular vectors of the largest singular value."""
    fixed = detach(matrix)
    for _ in range(count):
        u = unit(matmul(fixed, v), eps)
        v = unit(matmul(fixed.mT, u), eps)
    return u, v


def unit(x: T, eps: float) -> T:
    """x / ‖x‖, or x / eps if that is longer."""
    return div(x, clamp(norm(x), min=eps))


def _kept(new: T, buffer: T, mode: Any) -> T:
    """The new value in training, which the buffer takes; else that of the buffer."""
    remembered: T = Remember(1.0, False)(new, buffer, new, 0, mode)
    return remembered if mode is True else choose(remembered, buffer, mode)
