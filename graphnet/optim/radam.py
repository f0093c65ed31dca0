"""Rectified Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.optim.adam import _WithBetas
from graphnet.optim.settings import Setting, flag

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.base import Params


class RAdam(_WithBetas):
    """Adam that waits with its division until the mean of g² rests on enough steps.

    m and v as in Adam;  ρ∞ = 2 / (1 - β₂) - 1;  ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ);
    w = w - lr m / (1 - β₁ᵗ) r √(1 - β₂ᵗ) / (√v + eps) where ρₜ > 5, with
    r = √((ρₜ - 4) (ρₜ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρₜ)), and w - lr m / (1 - β₁ᵗ) before that.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, how much of the means of g and g² is kept, from 0 to below 1.
        eps: what keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        maximize: True to go up instead of down.

    Source: Liu et al., On the variance of the adaptive learning rate and beyond (2020),
    algorithm 2; in the form of `torch.optim.RAdam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    decoupled_weight_decay = Setting(flag)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Change the values by one step."""
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        self.means(group, value, grad, mean, square)
        correction = 1 - beta2**step
        move = (mean / (1 - beta1**step)).mul_(group["lr"])
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / correction
        if length > 5.0:
            rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
            move.mul_(correction**0.5 / square.sqrt().add_(group["eps"])).mul_(rectified**0.5)
        value.add_(move, alpha=-1.0)
