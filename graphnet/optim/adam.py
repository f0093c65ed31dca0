"""Adam and its kin: steps along a mean gradient, measured by the size of recent gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.optim.base import Optimizer, Params, descent
from graphnet.optim.settings import Setting, flag, number, pair_of_betas

if TYPE_CHECKING:
    from torch import Tensor


class _WithBetas(Optimizer):
    """What Adam and its kin share: their settings, and the means of g and g²."""

    slots: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    betas = Setting(pair_of_betas)
    eps = Setting(number())
    weight_decay = Setting(number())
    maximize = Setting(flag)

    def means(
        self, group: dict[str, Any], value: Tensor, grad: Tensor, mean: Tensor, square: Tensor
    ) -> Tensor:
        """Bring the means of g and g² up to date, and return g."""
        beta1, beta2 = group["betas"]
        grad = descent(group, value, grad)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        return grad


class Adam(_WithBetas):
    """Steps of about the size lr for every parameter, whatever the size of its gradient.

    g = grad + weight_decay w;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;
    w = w - lr (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + eps) at step t; with amsgrad, the largest v
    so far stands for v in the last formula.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, how much of the means of g and g² is kept, from 0 to below 1.
        eps: what keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        amsgrad: True to divide by the largest mean of g² so far.
        maximize: True to go up instead of down.
        decoupled_weight_decay: True for the weight decay of `AdamW`.

    Source: Kingma and Ba, Adam (2015), algorithm 1; for amsgrad Reddi et al., On the convergence of
    Adam and beyond (2018), algorithm 2; in the form of `torch.optim.Adam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    amsgrad = Setting(flag)
    decoupled_weight_decay = Setting(flag)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def slots_of(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The two means, and with amsgrad the largest."""
        return self.slots if group["amsgrad"] else self.slots[:2]

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Change the values by one step."""
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        self.means(group, value, grad, mean, square)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = largest.copy_(largest.maximum(square))
        scale = (square.sqrt() / (1 - beta2**step) ** 0.5).add_(group["eps"])
        value.addcdiv_(mean, scale, value=-group["lr"] / (1 - beta1**step))


class AdamW(Adam):
    """Adam, with a weight decay apart from the gradient: first w = w (1 - lr weight_decay).

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: how much of the means of g and g² is kept, from 0 to below 1.
        eps: what keeps the division finite, 0 or more.
        weight_decay: how fast the values shrink, 0 or more.
        amsgrad: True to divide by the largest mean of g² so far.
        maximize: True to go up instead of down.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization (2019), algorithm 2; in the
    form of `torch.optim.AdamW`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )

    def check_group(self, group: dict[str, Any]) -> None:
        """Check the settings of a group; the decay is decoupled, whatever a state says."""
        group["decoupled_weight_decay"] = True
        super().check_group(group)


class Adamax(_WithBetas):
    """Adam with the largest recent gradient in place of the mean of g².

    g = grad + weight_decay w;  m = β₁ m + (1 - β₁) g;  u = max(β₂ u, |g| + eps);
    w = w - lr / (1 - β₁ᵗ) m / u at step t.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, how much of m and u is kept, from 0 to below 1.
        eps: what keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        maximize: True to go up instead of down.

    Source: Kingma and Ba, Adam (2015), algorithm 2; in the form of `torch.optim.Adamax`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Change the values by one step."""
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        grad = descent(group, value, grad)
        mean.lerp_(grad, 1 - beta1)
        largest.copy_(largest.mul(beta2).maximum(grad.abs().add_(group["eps"])))
        value.addcdiv_(mean, largest, value=-group["lr"] / (1 - beta1**step))


class NAdam(_WithBetas):
    """Adam with Nesterov's momentum.

    m and v as in Adam;  μₜ = β₁ (1 - 0.96^(t momentum_decay) / 2);  πₜ = μ₁ μ₂ ... μₜ;
    w = w - lr (μₜ₊₁ m / (1 - πₜ₊₁) + (1 - μₜ) g / (1 - πₜ)) / (√(v / (1 - β₂ᵗ)) + eps) at step t.

    Args:
        params: the parameters to update, or groups of them.
        lr: the learning rate, 0 or more.
        betas: β₁ and β₂, how much of the means of g and g² is kept, from 0 to below 1.
        eps: what keeps the division finite, 0 or more.
        weight_decay: the factor of the L2 penalty, 0 or more.
        momentum_decay: how fast μ grows to β₁, 0 or more.
        decoupled_weight_decay: True for the weight decay of `AdamW`.
        maximize: True to go up instead of down.

    Source: Dozat, Incorporating Nesterov momentum into Adam (2016), algorithm 8; in the form of
    `torch.optim.NAdam`.

    Raises:
        RangeError: a setting is out of its range.
        GraphError: there is nothing to update.
    """

    slots = ("mu_product", "exp_avg", "exp_avg_sq")
    numbers = ("mu_product",)
    momentum_decay = Setting(number())
    decoupled_weight_decay = Setting(flag)

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
    ) -> None:
        super().__init__(
            params,
            lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def first_value(self, group: dict[str, Any], name: str) -> float:
        """A product begins with 1."""
        return float(name == "mu_product")

    def update(
        self, group: dict[str, Any], step: int, value: Tensor, grad: Tensor, **state: Tensor
    ) -> None:
        """Change the values by one step."""
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        grad = self.means(group, value, grad, mean, square)
        mu, mu_next = (
            beta1 * (1.0 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (step, step + 1)
        )
        product = float(state["mu_product"].mul_(mu))
        scale = square.div(1 - beta2**step).sqrt().add_(group["eps"])
        value.addcdiv_(grad, scale, value=-group["lr"] * (1.0 - mu) / (1.0 - product))
        value.addcdiv_(mean, scale, value=-group["lr"] * mu_next / (1.0 - product * mu_next))
