"""torch's parametrizations: their settings, and spectral norm in one call, as it is recorded.

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


def settings_of(module: Any) -> str:
    """The settings of a parametrization, which torch does not show; empty for another module."""
    kinds: Any = torch.nn.utils.parametrizations
    if isinstance(module, kinds._WeightNorm):
        return f"dim={None if module.dim == -1 else module.dim}"
    if isinstance(module, kinds._SpectralNorm):
        steps = getattr(module, "n_power_iterations", 1)  # a vector needs none
        return f"n_power_iterations={steps}, eps={module.eps}, dim={module.dim}"
    return ""


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
