"""What an op class says: its inputs and derivative rules, read from its signatures; its bounds."""

from __future__ import annotations

from collections.abc import Callable
from inspect import CO_VARARGS
from typing import Any, NamedTuple

NEEDED = {"symbol": 'symbol = "x³", which pictures show', "forward": "def forward(self, x)"}
"""What an op class must define, with an example of each."""


class Rule(NamedTuple):
    """The derivative of an operation by one of its inputs."""

    function: Callable[..., Any]
    reads: tuple[str, ...]
    """What it reads: `grad`, `top`, or inputs; `x_like` reads only the shape of x.

    The rule of an input `*tensors` may read `*tensors`, and `place`, the index of its tensor.
    """


class Bounds(NamedTuple):
    """The numbers that the outputs of an activation lie between; near them it is flat."""

    low: float
    high: float
    reached: bool = False
    """True if it gives a bound exactly for every input beyond it, as relu does."""

    @property
    def rectifies(self) -> bool:
        """True for relu and its relatives, which give 0 for many inputs."""
        return self.reached and self.low == 0


def require_complete(cls: type) -> None:
    """Refuse an op class without its symbol or forward rule.

    Raises:
        TypeError: something is missing.
    """
    for required, example in NEEDED.items():
        if not hasattr(cls, required):
            raise TypeError(f"{cls.__name__}: an op needs a {required}, such as {example}.")


def options_of(cls: type, base: type) -> tuple[str, ...]:
    """The names of the options that an op class annotates.

    Raises:
        TypeError: the base class has another use for a name.
    """
    names = tuple(name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind))
    for name in names:
        if hasattr(base, name) or name in base.__annotations__:
            raise TypeError(f"{cls.__name__}: an option cannot be called {name!r}.")
    return names


def arguments_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a method's positional arguments, without `self`; `*tensors` keeps its star."""
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]
    if code.co_flags & CO_VARARGS:
        names += (f"*{code.co_varnames[code.co_argcount + code.co_kwonlyargcount]}",)
    return names


def rules_of(cls: type, arguments: tuple[str, ...]) -> dict[str, Rule | None]:
    """The derivative rule for each input of an op class, checked.

    Args:
        cls: the class.
        arguments: the names of the arguments of its `forward`; `*tensors` has its star.

    Raises:
        TypeError: a rule is missing, belongs to no input, or reads what does not exist.
    """
    names = tuple(name.lstrip("*") for name in arguments)
    for name in vars(cls):
        if name.startswith("grad_") and name.removeprefix("grad_") not in names:
            raise TypeError(
                f"{cls.__name__}.{name} belongs to no input; the inputs of forward are "
                f"{', '.join(names)}."
            )
    return {
        name.removesuffix("_like"): None if name.endswith("_like") else _rule(cls, name, arguments)
        for name in names
    }


def _rule(cls: type, name: str, arguments: tuple[str, ...]) -> Rule | None:
    """The rule `grad_<name>` of an op class, checked."""
    rule_name = f"grad_{name}"
    if not hasattr(cls, rule_name):
        raise TypeError(
            f"{cls.__name__}: input {name!r} has no derivative rule. "
            f"Write {rule_name}(self, grad, ...), or {rule_name} = None if there is none."
        )
    function = getattr(cls, rule_name)
    if function is None:
        return None
    reads = arguments_of(function)
    known = {"grad", "top", "top_like"}
    for argument in arguments:
        known |= {argument, argument.removesuffix("_like") + "_like"}
        known |= {"place"} if argument.startswith("*") else set()
    for read in reads:
        if read not in known:
            raise TypeError(
                f"{cls.__name__}.{rule_name} reads {read!r}; "
                f"it can read {', '.join(sorted(known))}."
            )
    return Rule(function, reads)
