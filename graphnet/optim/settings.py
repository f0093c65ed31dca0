"""Settings of optimizers: their ranges, and attributes that set all groups."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from torch import empty

from graphnet.errors import RangeError

if TYPE_CHECKING:
    from graphnet.optim.base import Optimizer

Value = TypeVar("Value")

_TENSOR = type(empty(0))


class Setting(Generic[Value]):
    """A setting of each group: reading returns the first group's, assigning sets all.

    Args:
        rule: a function of the name and a value that returns the value, or raises a RangeError.
    """

    def __init__(self, rule: Callable[[str, Any], Value]) -> None:
        self.rule = rule

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


def require_range(
    name: str,
    value: float,
    low: float = 0.0,
    below: float | None = None,
    most: float | None = None,
) -> float:
    """A setting, checked to be a finite number in its range.

    Raises:
        RangeError: it is not.
    """
    if (
        not isinstance(value, int | float)
        or not isfinite(value)
        or value < low
        or (below is not None and value >= below)
        or (most is not None and value > most)
    ):
        least = "" if low == -inf else f" of {low:g} or more"
        top = "" if below is None else f" and below {below:g}"
        top += "" if most is None else f" and at most {most:g}"
        raise RangeError(f"{name} must be a finite number{least}{top}; got {value!r}.")
    return value


def number(low: float = 0.0, most: float | None = None) -> Callable[[str, Any], float]:
    """The rule for a number in a range."""
    return lambda name, value: require_range(name, value, low=low, most=most)


def learning_rate(name: str, value: Any) -> Any:
    """The rule for the learning rate: a number of 0 or more, or a tensor that holds one.

    Raises:
        RangeError: it is anything else.
    """
    one = value.item() if isinstance(value, _TENSOR) and value.numel() == 1 else value
    require_range(name, one)
    return value


def flag(name: str, value: Any) -> bool:
    """The rule for a setting that is on or off.

    Raises:
        RangeError: it is neither.
    """
    if not isinstance(value, bool):
        raise RangeError(f"{name} must be True or False; got {value!r}.")
    return value


def pair_of_betas(name: str, value: Any) -> tuple[float, float]:
    """The rule for two numbers from 0 to below 1.

    Raises:
        RangeError: it is anything else.
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise RangeError(f"{name} must be two numbers, such as (0.9, 0.999); got {value!r}.")
    return (
        require_range(f"{name}[0]", value[0], below=1.0),
        require_range(f"{name}[1]", value[1], below=1.0),
    )
