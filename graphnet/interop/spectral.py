"""Spectral norm in one call, as it is recorded.

torch's own code branches on the mode and writes its buffers, which one list for both modes cannot
have; `graphnet.ops.weight_norms` has it as operations.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch


def spectral_norm(parametrization: Any, weight: torch.Tensor) -> Any:
    """What stands for the `forward` of torch's parametrization while a module is recorded."""
    if weight.ndim == 1:
        return torch.nn.functional.normalize(weight, dim=0, eps=parametrization.eps)
    return _operation()(
        weight,
        parametrization._u,
        parametrization._v,
        parametrization.n_power_iterations,
        parametrization.eps,
        parametrization.dim % weight.ndim,
        parametrization.training,
    )


def hooked_spectral_norm(hook: Any, module: Any, do_power_iteration: bool) -> Any:
    """The same for the older `torch.nn.utils.spectral_norm`, which finds v before u.

    That is the order of the parametrization for the transposed matrix, with u and v exchanged.
    """
    weight, u, v = (getattr(module, f"{hook.name}_{end}") for end in ("orig", "u", "v"))
    matrix = hook.reshape_weight_to_matrix(weight)
    steps = (hook.n_power_iterations, hook.eps, 0, do_power_iteration)
    scaled = _operation()(matrix.t(), v, u, *steps).t()
    order = [hook.dim, *(each for each in range(weight.ndim) if each != hook.dim)]
    back = [order.index(each) for each in range(weight.ndim)]
    return scaled.reshape([weight.shape[each] for each in order]).permute(back)


@cache
def _operation() -> Any:
    """An operation that torch records by its name; only its shape is ever asked for."""

    def shaped(weight: torch.Tensor, *_: Any) -> torch.Tensor:
        return torch.empty_like(weight)

    schema = (
        "(Tensor w, Tensor u, Tensor v, int steps, float eps, int dim, bool training) -> Tensor"
    )
    made = torch.library.custom_op(
        "graphnet::spectral_norm", shaped, mutates_args=(), schema=schema
    )
    made.register_fake(shaped)
    return torch.ops.graphnet.spectral_norm
