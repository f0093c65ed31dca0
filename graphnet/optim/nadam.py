"""Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from graphnet.optim.adam import WithBetas
from graphnet.optim.settings import Setting, not_negative
from graphnet.validation import require_flag

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Params, Switches


class NAdam(WithBetas):
    """Adam with Nesterov's momentum.

    m and v as in Adam;  μₜ = β₁ (1 - 0.96^(t momentum_decay) / 2);  πₜ = μ₁ μ₂ ... μₜ;
    w = w - lr (μₜ₊₁ m / (1 - πₜ₊₁) + (1 - μₜ) g / (1 - πₜ)) / (√(v / (1 - β₂ᵗ)) + eps) at step t.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, the decay rates of the means of g and g², from 0 to below 1.
        eps: a constant that keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        momentum_decay: the rate at which μ grows to β₁, 0 or more.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        maximize: True to ascend instead of descend.
        switches: torch's implementation switches, see `Switches`.

    Source: Dozat, Incorporating Nesterov momentum into Adam (2016), algorithm 8; in the form of
    `torch.optim.NAdam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("mu_product", "exp_avg", "exp_avg_sq")
    scalars = ("mu_product",)
    momentum_decay = Setting(not_negative)
    decoupled_weight_decay = Setting(require_flag)

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
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
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def first_value(self, group: dict[str, Any], name: str) -> float:
        """A product starts at 1."""
        return float(name == "mu_product")

    def numbers(self, group: dict[str, Any], step: int, **scalars: Tensor) -> dict[str, Any]:
        """The numbers of Adam, and the rates of g and m."""
        known = super().numbers(group, step)
        beta1, decay = group["betas"][0], group["momentum_decay"]
        mu, mu_next = (beta1 * (1.0 - 0.5 * 0.96 ** (k * decay)) for k in (step, step + 1))
        product = float(scalars["mu_product"].mul_(mu))
        known["grad_rate"] = known["lr"] * (1.0 - mu) / (1.0 - product)
        known["mean_rate"] = known["lr"] * mu_next / (1.0 - product * mu_next)
        return known

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Apply one step to the values."""
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        grad = self.means(group, value, grad, mean, square)
        scale = self.scale(group, square)
        value.addcdiv_(grad, scale, value=-group["grad_rate"])
        value.addcdiv_(mean, scale, value=-group["mean_rate"])
