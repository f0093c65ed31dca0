"""Every error that graphnet raises itself: one base class, and a subclass for each kind of mistake.

A message states the rule, what it got, and the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from graphnet.ipython import rendered_traceback

if TYPE_CHECKING:
    from torch import dtype


class GraphError(ValueError):
    """The base class of all errors of this package; catch it to catch them all.

    Attributes:
        line: the user's line, "file:number", where it is known.
    """

    line: str = ""

    def reworded(self, text: str) -> Self:
        """The same error, and all that it knows, with another text.

        >>> error = GraphError("a size is wrong")
        >>> error.line = "model.py:3"
        >>> error.reworded("The first size is wrong.").line
        'model.py:3'
        """
        other = type(self)(text)
        vars(other).update(vars(self))
        return other

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the frames of the user, and not those of this package."""
        return rendered_traceback(self)


class ShapeError(GraphError):
    """The sizes of some tensors do not fit together."""


class DtypeError(GraphError):
    """Tensors of different dtypes are mixed, or a dtype does not fit.

    Attributes:
        mixed: the dtypes that are mixed; empty if a single one does not fit.
    """

    mixed: frozenset[dtype] = frozenset()


class FeedError(GraphError):
    """A feed is missing, misnamed, or does not fit its input."""


class StateError(GraphError):
    """A value is read before it is computed, or after it has gone stale."""


class NoValueError(StateError, AttributeError):
    """The value of a node is not computed yet; to `hasattr`, the attribute is missing."""


class RangeError(GraphError):
    """A value or a setting is none of those that are allowed.

    Attributes:
        index: the place of the value in its tensor, where that is known.
    """

    index: tuple[int, ...] = ()


class EmptyBatchError(GraphError):
    """A mean is taken over no elements at all."""


class NonFiniteError(GraphError):
    """A value that must be finite is NaN or infinite."""


class LoadError(GraphError):
    """A file or a state does not fit; nothing was loaded."""


class CheckpointError(GraphError):
    """A checkpoint cannot be written; earlier ones are unchanged."""


class ProcessError(GraphError):
    """Another process of a group has ended, does not come, or works on something else."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 node, 2 nodes."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape as messages write it, with ? for an unknown size: (?, 25)."""
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"


def brief(value: object, most: int = 50) -> str:
    """A value as messages write it: on one line, cut where it is long.

    >>> brief([[1.0, 2.0]] * 9, 20)
    '[[1.0, 2.0], [1.0, …'
    """
    kind = type(value)
    if kind.__module__.startswith(("torch.nn.modules", "torch.optim")):
        return f"torch's {kind.__name__}"
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
