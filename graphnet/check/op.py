"""The check of your own operation: all that the tests of this package check for each operation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from graphnet.check.report import Report, examine
from graphnet.check.subject import Subject
from graphnet.check.suite import Suite
from graphnet.errors import GraphError
from graphnet.op import Op

if TYPE_CHECKING:
    from torch import Tensor


def check_op(
    op: Op | type[Op] | Callable[..., Any],
    *shapes: Any,
    reference: Callable[..., Tensor] | None = None,
    low: float = -2.0,
    high: float = 2.0,
    integers: Mapping[int | str, int] | None = None,
    skip: Collection[str] = (),
) -> Report:
    """Check an operation: values, derivatives, second derivatives, shapes, memory, dtypes.

    Args:
        op: an op, or a function composed of ops.
        shapes: the shape of each input; a number is a literal argument.
        reference: a function of tensors that computes the same value.
        low: the smallest value of the inputs.
        high: the largest value of the inputs.
        integers: for each integer input, by name or index, the number of values, from 0.
        skip: checks to leave out, by name.

    Raises:
        GraphError: there is no such op, input or check.

    >>> import graphnet as gn
    >>> class Cube(gn.Op):
    ...     symbol = "x³"
    ...     def forward(self, x):
    ...         return x * x * x
    ...     def grad_x(self, grad, x):
    ...         return 2 * grad * x * x
    >>> report = gn.check_op(Cube(), (3, 4))
    >>> bool(report)
    False
    >>> report.faults[0].name
    'derivatives'
    """
    if isinstance(op, type) and issubclass(op, Op):
        op = op()
    if not callable(op):
        raise GraphError(f"check_op takes an op such as Tanh(); got {type(op).__name__}.")
    if not shapes:
        raise GraphError("check_op needs the shape of each input: check_op(Tanh(), (3, 4)).")
    if isinstance(op, Op) and not op.variadic and len(shapes) != len(op.inputs):
        raise GraphError(
            f"{op!r} takes {', '.join(op.inputs)}, a shape for each; got {shapes}. A shape must be "
            f"a tuple: check_op({op!r}, {', '.join(['(3, 4)'] * len(op.inputs))})."
        )
    function: Callable[..., Any] = op
    name = repr(op) if isinstance(op, Op) else getattr(op, "__name__", "function")
    names = _names(op, len(shapes))
    numbered = {_place(key, names): count for key, count in (integers or {}).items()}
    subject = Subject(lambda _: function, shapes, low, high, numbered, names)
    return examine(name, Suite(subject, reference), skip)


def _names(op: Any, count: int) -> tuple[str, ...]:
    """The names of the inputs; those of a variadic op are numbered."""
    names: tuple[str, ...] = op.inputs if isinstance(op, Op) else ()
    if isinstance(op, Op) and op.variadic:
        last = names[-1] if names else "x"
        names = (*names[:-1], *(f"{last}_{n}" for n in range(count - len(names) + 1)))
    return names


def _place(key: int | str, names: tuple[str, ...]) -> int:
    """The index of an input that is given by name or index."""
    if isinstance(key, int):
        return key
    if key not in names:
        raise GraphError(f"The op has no input {key!r}; its inputs are {', '.join(names)}.")
    return names.index(key)
