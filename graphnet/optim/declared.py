"""The optimizers of `torch.optim`: the settings that a class declares are its constructor's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar
from inspect import Parameter, Signature, get_annotations
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from graphnet.optim.base import Optimizer
from graphnet.optim.settings import LearningRate, Setting, learning_rate
from graphnet.validation import require_flag

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.optim.groups import Group, Params

Kind = TypeVar("Kind", bound=Optimizer)


def setting(rule: Callable[[str, Any], Any], **options: Any) -> Any:
    """A `Setting`; type checkers take it for a field of a dataclass."""
    return Setting(rule, **options)


def rate(**options: Any) -> Any:
    """The `LearningRate`; type checkers take it for a field of a dataclass."""
    return LearningRate(learning_rate, **options)


@dataclass_transform(eq_default=False, field_specifiers=(setting, rate))
def declared(cls: type[Kind]) -> type[Kind]:
    """Give an optimizer the constructor `(params, *settings, **switches)`.

    Raises:
        TypeError: by that constructor, if the arguments do not fit it.
    """
    types = {k: kind for base in reversed(cls.__mro__) for k, kind in get_annotations(base).items()}
    settings = [
        Parameter(name, each.kind, default=each.default, annotation=types[name])
        for name, each in cls._rules.items()
        if each.init
    ]
    first = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    params = first.replace(name="params", annotation="Params")
    switches = Parameter("switches", Parameter.VAR_KEYWORD, annotation="bool | None")
    settings.sort(key=lambda each: each.kind)
    signature = Signature([first, params, *settings, switches])

    def constructor(self: Optimizer, *args: Any, **kwargs: Any) -> None:
        try:
            given = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}() {error}") from None
        given.apply_defaults()
        Optimizer.__init__(**given.arguments)

    vars(constructor)["__signature__"] = signature
    type.__setattr__(cls, "__init__", constructor)
    return cls


@declared
class TorchOptimizer(Optimizer):
    """The base class of these optimizers: what all of them take, and the direction of a step."""

    switches = Optimizer.switches[:3]  # all but fused
    params: InitVar[Params]
    lr: float = rate(default=1e-3)
    maximize: bool = setting(require_flag, default=False, kw_only=True)

    if TYPE_CHECKING:  # torch's implementation switches
        foreach: InitVar[bool | None] = setting(require_flag, default=None, kw_only=True)
        fused: InitVar[bool | None] = setting(require_flag, default=None, kw_only=True)
        capturable: InitVar[bool] = setting(require_flag, default=False, kw_only=True)
        differentiable: InitVar[bool] = setting(require_flag, default=False, kw_only=True)

    def descent(self, group: Group, value: Tensor, grad: Tensor) -> Tensor:
        """The gradient to descend, after the weight decay that a group's settings require.

        The L2 penalty adds to the gradient; decoupled decay shrinks the values by
        1 - lr weight_decay.
        """
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"] and group.get("decoupled_weight_decay"):
            value.mul_(1 - group["lr"] * group["weight_decay"])
        elif group["weight_decay"]:
            grad = grad.add(value, alpha=group["weight_decay"])
        return grad
