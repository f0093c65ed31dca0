"""Checks of arguments before a function computes: kinds and dtypes that it does not take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphnet.errors import DtypeError, GraphError
from graphnet.ops.dims import described, require_tensors


def require_floating(name: str, *values: Any, optional: Sequence[Any] = ()) -> None:
    """Refuse tensors and nodes that are not all of one floating dtype.

    Args:
        name: the function to name in the message.
        values: the required arguments.
        optional: the arguments that may be None.

    Raises:
        GraphError: one is neither a tensor nor a node.
        DtypeError: the dtypes differ, or are not floating-point.
    """
    given = [*values, *(value for value in optional if value is not None)]
    require_tensors(name, *given)
    require_one_dtype(name, *given)
    first = given[0]
    if not first.dtype.is_floating_point:
        raise DtypeError(
            f"{name} takes floating-point numbers; {_of_type(first)}. Give the input a floating "
            f"dtype, or convert the tensor with .float().{_added(first)}"
        )


def require_one_dtype(name: str, first: Any, *others: Any) -> None:
    """Require one dtype of all tensors or nodes.

    Raises:
        DtypeError: they have several.
    """
    for value in others:
        if value.dtype != first.dtype:
            error = DtypeError(
                f"{name}: dtypes are never mixed silently; {_of_type(first)}, and "
                f"{_of_type(value)}. Convert one of them: .to(dtype), or dtype=... at the input."
                f"{_added(value)}"
            )
            error.mixed = frozenset({first.dtype, value.dtype})
            error.line = getattr(value, "line", "")
            raise error


def _of_type(value: Any) -> str:
    return f"{described(value)} holds {str(value.dtype).removeprefix('torch.')}"


def _added(value: Any) -> str:
    """What a message says about the user's line that added a node."""
    line = getattr(value, "line", "")
    return f"\n  line: {line}" if line else ""


def refuse_inplace(inplace: bool) -> None:
    """Refuse to write to an input.

    Raises:
        GraphError: `inplace` is not False.
    """
    if inplace is not False:
        raise GraphError(f"inplace must be False: no op writes to its input; got {inplace!r}.")
