"""Infers the shape of an operation's output by running its forward on small trial tensors.

A size that is unknown until a tensor is fed is tried as 12, 24 and 1. A size of the output is
known if all trials agree on it, else unknown (None). Every node keeps its concrete shape at each
trial, so that nothing is lost: `x.reshape(-1, 6)` has 2, 4 and no rows.
The trial with 1 may fail, since not every operation takes a batch of one.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import empty

from graphnet.errors import DtypeError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.op import Op

Shape = tuple[int, ...]
Trials = tuple[Shape | None, ...]
"""One concrete shape if every size is known, else one for each trial, None if it fails."""

UNKNOWN_SIZES = (12, 24, 1)
_LARGE = 4_000_000  # elements; above, the meta device is worth its one second of imports


class Spec(NamedTuple):
    """What is known about a node before anything is computed."""

    trials: Trials
    dtype: dtype

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The sizes on which all trials agree, None elsewhere."""
        if len(self.trials) == 1 and self.trials[0] is not None:
            return self.trials[0]  # as for all nodes of a program
        shapes = [shape for shape in self.trials if shape is not None]
        columns = zip(*shapes, strict=True)
        return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in columns)


def input_trials(shape: tuple[int | None, ...]) -> Trials:
    """The trial shapes of an input, from its shape with None for unknown sizes."""
    if None not in shape:
        return (tuple(size for size in shape if size is not None),)
    return tuple(
        tuple(trial if size is None else size for size in shape) for trial in UNKNOWN_SIZES
    )


@lru_cache(maxsize=2**14)
def infer(op: Op, arguments: tuple[Any, ...]) -> Spec:
    """The trial shapes and the dtype of an op's output.

    Each argument is the `Spec` of a node, or a number with its type.

    Raises:
        DtypeError: different dtypes are mixed.
        Exception: whatever the op's forward raises for shapes that do not fit.
    """
    specs = [argument for argument in arguments if isinstance(argument, Spec)]
    _refuse_mixed_dtypes(op, arguments)
    count = max(len(spec.trials) for spec in specs)
    first, *others = (_run_trial(op, arguments, trial) for trial in range(count))
    if first is None:
        raise ShapeError("no trial of the unknown sizes succeeded")
    alike = (each if each is not None and each.ndim == first.ndim else None for each in others)
    shapes = [None if each is None else tuple(each.shape) for each in (first, *alike)]
    known = {*shapes} - {None}
    return Spec((shapes[0],) if len(known) == 1 else tuple(shapes), first.dtype)


def _run_trial(op: Op, arguments: tuple[Any, ...], trial: int) -> Tensor | None:
    """The output for one trial; None if the trial with sizes of 1 fails."""
    found = [
        each.trials[min(trial, len(each.trials) - 1)] if isinstance(each, Spec) else ()
        for each in arguments
    ]
    shapes = [shape for shape in found if shape is not None]
    if len(shapes) < len(found):
        return None
    device = "meta" if any(prod(shape) > _LARGE for shape in shapes) else "cpu"
    values = [
        empty(shape, dtype=each.dtype, device=device).zero_() if isinstance(each, Spec) else each[1]
        for each, shape in zip(arguments, shapes, strict=True)
    ]
    try:
        result = (op.trial or op.forward)(*values)
    except Exception:
        if trial < UNKNOWN_SIZES.index(1):
            raise
        return None
    if not isinstance(result, type(empty(0))):
        raise TypeError(f"forward must return one tensor; got {type(result).__name__}")
    return result


def _refuse_mixed_dtypes(op: Op, arguments: tuple[Any, ...]) -> None:
    """Refuse several dtypes in one operation, except booleans, single integers, and indices.

    An index is an integer input without a derivative rule.
    """
    if op.mixes_dtypes:
        return
    kinds = set()
    for rule, argument in zip(op.rules_for(len(arguments)), arguments, strict=True):
        if isinstance(argument, Spec) and not _is_bool(argument.dtype):
            floating = argument.dtype.is_floating_point
            if floating or (rule is not None and argument.trials[0] != ()):
                kinds.add(argument.dtype)
    if len(kinds) > 1 and any(kind.is_floating_point for kind in kinds):
        error = DtypeError(
            "dtypes are never mixed silently; convert one of them: dtype=... at the input, "
            "or module.float() and module.double()"
        )
        error.mixed = frozenset(kinds)
        raise error


def _is_bool(dtype: dtype) -> bool:
    return dtype == (empty(0) == 0).dtype
