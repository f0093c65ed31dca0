"""Rectified Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from graphnet.optim.adam import WithBetas
from graphnet.optim.settings import Setting
from graphnet.validation import require_flag

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Params, Switches


class RAdam(WithBetas):
    """Adam that does not divide until the mean of g² covers enough steps.

    m and v as in Adam;  ρ∞ = 2 / (1 - β₂) - 1;  ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ);
    w = w - lr m / (1 - β₁ᵗ) r √(1 - β₂ᵗ) / (√v + eps) where ρₜ > 5, with
    r = √((ρₜ - 4) (ρₜ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρₜ)), and w - lr m / (1 - β₁ᵗ) before that.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, the decay rates of the means of g and g², from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Switches`.

    Source: Liu et al., On the variance of the adaptive learning rate and beyond (2020),
    algorithm 2; in the form of `torch.optim.RAdam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    decoupled_weight_decay = Setting(require_flag)

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
        **switches: Unpack[Switches],
    ) -> None:
        super().__init__(
            params,
            lr,
            switches,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def numbers(self, group: dict[str, Any], step: int, **scalars: Tensor) -> dict[str, Any]:
        """The numbers of Adam with r in the rate, and True where ρₜ > 5."""
        known = super().numbers(group, step)
        beta2 = group["betas"][1]
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / (1 - beta2**step)
        if rectified := length > 5.0:
            square = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
            known["rate"] *= known["root"] * square**0.5
        return {**known, "rectified": rectified}

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Apply one step to the values."""
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        self.means(group, value, grad, mean, square)
        if group["rectified"]:
            value.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-group["rate"])
        else:
            value.add_(mean, alpha=-group["rate"])
