"""Every error that graphnet raises by itself: one base class, one subclass for each mistake.

A message says the rule, what came, and the way out.
"""

from __future__ import annotations

from collections.abc import Sequence


class GraphError(ValueError):
    """The base of all errors of this package; catch it to catch them all."""


class ShapeError(GraphError):
    """The sizes of some tensors do not fit together."""


class DtypeError(GraphError):
    """Tensors of different dtypes were mixed, or a type does not fit."""


class FeedError(GraphError):
    """A feed is missing, misnamed, or not what its input asks for."""


class StateError(GraphError):
    """A value was asked for before it was computed, or after it had gone stale."""


class NoValueError(StateError, AttributeError):
    """The value of a node that was not computed yet: for `hasattr`, an attribute it has not."""


class RangeError(GraphError):
    """A value lies outside the range in which an operation has a meaning."""


class EmptyBatchError(GraphError):
    """A mean was asked for over no elements at all."""


class NonFiniteError(GraphError):
    """A value that must be finite is NaN or infinite."""


class LoadError(GraphError):
    """A file or a state does not fit: nothing was loaded."""


class CheckpointError(GraphError):
    """A checkpoint cannot be written: those that were there before are as they were."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 node, 2 nodes."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def require_count(**counts: int) -> None:
    """Refuse what is not an integer of 1 or more; the keyword is the name in the message.

    Raises:
        RangeError: one of them is not.

    >>> require_count(n=3, batch_size=50)
    """
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise RangeError(f"{name} is an integer of 1 or more; got {count!r}.")


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape as messages write it, with ? for an unknown size: (?, 25)."""
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
