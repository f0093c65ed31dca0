"""Settings of optimizers: their ranges, and attributes that set all groups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from graphnet.errors import RangeError
from graphnet.validation import item_of, must_be, require_range

if TYPE_CHECKING:
    from graphnet.optim.base import Optimizer

Value = TypeVar("Value")


class Setting(Generic[Value]):
    """A setting of each group: reading returns the first group's, assigning sets all.

    Args:
        rule: a function of the name and a value that returns the value, or raises a RangeError.
        default: what a `declared` constructor takes for it if none is given.
        kw_only: True if that constructor takes it only by name.
        init: False if that constructor does not take it.
    """

    def __init__(
        self,
        rule: Callable[[str, Any], Value],
        default: Any = Parameter.empty,
        kw_only: bool = False,
        init: bool = True,
    ) -> None:
        self.rule, self.default, self.init = rule, default, init
        self.kind = Parameter.KEYWORD_ONLY if kw_only else Parameter.POSITIONAL_OR_KEYWORD

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Optimizer | None, owner: type | None = None) -> Value:
        if optimizer is None:
            return self  # type: ignore[return-value]  # read from the class
        value: Value = optimizer.param_groups[0][self.name]
        return value

    def __set__(self, optimizer: Optimizer, value: Value) -> None:
        value = self.rule(self.name, value)
        for group in optimizer.param_groups:
            group[self.name] = value


class LearningRate(Setting[Any]):
    """The learning rate: assigning sets it for all groups, and as each group's own rate.

    A schedule scales a group's own rate, which is stored as its "initial_lr".
    """

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        super().__set__(optimizer, value)
        optimizer.defaults["lr"] = optimizer.param_groups[0]["lr"]
        for group in optimizer.param_groups:
            group.pop("initial_lr", None)


not_negative = partial(require_range, low=0.0)
"""The rule for a finite number of 0 or more."""


def learning_rate(name: str, value: Any) -> Any:
    """The rule for the learning rate: a number of 0 or more, or a tensor that holds one.

    Raises:
        RangeError: it is anything else.
    """
    require_range(name, item_of(value))
    return value


def pair_of_betas(name: str, value: Any) -> tuple[float, float]:
    """The rule for two numbers from 0 to below 1.

    Raises:
        RangeError: it is anything else.
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise RangeError(must_be(name, "two numbers, such as (0.9, 0.999)", value))
    first, second = (require_range(f"{name}[{k}]", beta, below=1.0) for k, beta in enumerate(value))
    return first, second
