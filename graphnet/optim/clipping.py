"""Gradient clipping, by the total norm or element by element."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from torch import empty

from graphnet.errors import GraphError, NonFiniteError, RangeError
from graphnet.graph import Parameter
from graphnet.optim.buckets import flat_grad, runs
from graphnet.validation import must_be, require_range

if TYPE_CHECKING:
    from torch import Tensor


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = True,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor, so that their total norm is at most `max_norm`.

    The factor is max_norm / (norm + 1e-6), and at most 1. Frozen parameters, those without a
    gradient, and those whose gradient a step has used (unless there are no others) are left out.

    Args:
        parameters: the parameters whose gradients are scaled in place.
        max_norm: the largest norm, 0 or more; infinity only measures.
        norm_type: the p of the norm (Σ |g|ᵖ)^(1/p); infinity for the largest element.
        error_if_nonfinite: must be True, unlike torch: NaN never spreads to all gradients.
        foreach: torch's implementation switch, without effect.

    Returns:
        The norm before clipping, as a tensor of shape ().

    Source: Pascanu et al., On the difficulty of training recurrent neural networks (2013),
    algorithm 1; in the form of `torch.nn.utils.clip_grad_norm_`.

    Raises:
        NonFiniteError: the norm is NaN or infinite; no gradient was changed.
        RangeError: `max_norm` is negative or NaN, `norm_type` is not a number, or
            `error_if_nonfinite` is not True.

    >>> import graphnet as gn
    >>> w = gn.Parameter(empty(2))
    >>> w.grad = empty(2).fill_(3)
    >>> clip_grad_norm_([w], max_norm=1.0, norm_type=1)
    tensor(6.)
    >>> w.grad
    tensor([0.5000, 0.5000])
    """
    if error_if_nonfinite is not True:
        raise RangeError(
            "error_if_nonfinite must be True: a norm that is NaN or infinite would spread to "
            f"every gradient; got {error_if_nonfinite!r}. Catch the NonFiniteError instead."
        )
    limit, power = limit_of("max_norm", max_norm), number_of("norm_type", norm_type)
    learned = _learned(parameters)
    grads = _flat_grads(learned, separate=power == 0)
    if not grads:
        return empty(()).zero_()
    norm = _common_norm(grads, power)
    if not isfinite(norm):
        raise NonFiniteError(
            f"The norm of the gradients is {float(norm)}{_culprit(learned)}; no gradient was "
            "changed. A smaller learning rate, or inputs in a smaller range, may help."
        )
    factor = (limit / (norm + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factor.to(grad.device))
    return norm


def clip_grad_value_(
    parameters: Parameter | Iterable[Parameter], clip_value: float, foreach: bool | None = None
) -> None:
    """Clamp each element of the gradients to the range from -clip_value to clip_value.

    It leaves out the same parameters as `clip_grad_norm_`. The form is that of
    `torch.nn.utils.clip_grad_value_`, whose `foreach` has no effect here.

    Raises:
        RangeError: `clip_value` is negative or NaN.

    >>> import graphnet as gn
    >>> w = gn.Parameter(empty(2))
    >>> w.grad = empty(2).fill_(3)
    >>> clip_grad_value_([w], 0.5)
    >>> w.grad
    tensor([0.5000, 0.5000])
    """
    limit = limit_of("clip_value", clip_value)
    for grad in _flat_grads(_learned(parameters)):
        grad.clamp_(min=-limit, max=limit)


def _common_norm(grads: list[Tensor], power: float) -> Tensor:
    """The norm of the norms, on the device of the first."""
    norms = [grad.norm(power) for grad in grads]
    widest = max((norm.dtype for norm in norms), key=lambda dtype: dtype.itemsize)
    together = norms[0].new_empty(len(norms), dtype=widest)
    for place, each in enumerate(norms):
        together[place].copy_(each)
    total: Tensor = together.norm(power)
    return total


def _flat_grads(learned: list[Parameter], separate: bool = False) -> list[Tensor]:
    """The gradients as a few flat tensors, or one for each parameter, without empty ones."""
    groups = [[each] for each in learned] if separate else runs(learned, lambda parameter: None)
    return [grad for grad in map(flat_grad, groups) if grad.numel()]


def _learned(parameters: Any) -> list[Parameter]:
    """The parameters whose gradients the next step uses, each once."""
    if isinstance(parameters, Parameter):
        parameters = [parameters]
    if not isinstance(parameters, Iterable):
        raise GraphError("Clipping takes a list of parameters: model.parameters(), or [w, b].")
    listed = list(dict.fromkeys(parameters))
    for parameter in listed:
        if not isinstance(parameter, Parameter):
            raise GraphError(
                f"Clipping takes graphnet parameters; got {type(parameter).__name__}. "
                "model.parameters() lists those of a module."
            )
    learned = [each for each in listed if each.requires_grad and each.grad is not None]
    return [each for each in learned if each.fresh] or learned


def _culprit(learned: list[Parameter]) -> str:
    """Which gradient is not finite, in words."""
    for parameter in learned:
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            return f": that of parameter {parameter.name!r} holds NaN or inf"
    return ", though every gradient is finite: it is too large for its dtype"


def limit_of(name: str, value: Any) -> float:
    """A number of 0 or more.

    Raises:
        RangeError: it is negative, or not a number.
    """
    return require_range(name, number_of(name, value), finite=False)


def number_of(name: str, value: Any) -> float:
    """A number that is not NaN; 'inf' is allowed, as in torch."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isnan(number):
        raise RangeError(must_be(name, "a number", value))
    return number
