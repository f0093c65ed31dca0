"""Which class was predicted at each position, and which is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.errors import DtypeError, EmptyBatchError, RangeError, ShapeError, shape_text

if TYPE_CHECKING:
    from torch import Tensor


class Labels(NamedTuple):
    """The positions that count, side by side.

    Attributes:
        predicted: the class that was predicted at each.
        right: the class that it should have been.
        classes: how many there are.
    """

    predicted: Tensor
    right: Tensor
    classes: int


def labels_of(
    outputs: Any, targets: Any, ignore_index: int = -100, threshold: float = 0.0
) -> Labels:
    """The predicted and the right class of each position that is not ignored.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: class indices have a floating dtype.
        RangeError: a target is not a class.
        EmptyBatchError: all are ignored.
    """
    scores, right = first(outputs), first(targets)
    if not of_two(scores, right):
        scores, right = scores_of_classes(scores, right)
        predicted, right = _counting(scores.argmax(1), right, ignore_index)
        require_classes(right, scores.shape[1])
        return Labels(predicted, right, scores.shape[1])
    predicted, right = _counting(scores.reshape(right.shape) > threshold, right, ignore_index)
    return Labels(predicted.long(), is_positive(right).long(), 2)


def scores_of_classes(scores: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (n, c, ...) and class indices (n, ...), also from targets in the scores' shape.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: class indices have a floating dtype.
    """
    several = scores.ndim > 1 and scores.shape[1] > 1
    if several and right.shape == scores.shape:
        right = right.argmax(1)
    if not several or right.shape != scores.shape[:1] + scores.shape[2:]:
        raise ShapeError(
            "Classes take outputs (n, classes, ...) and targets (n, ...) or shaped like the "
            "outputs; or for two classes one column: outputs (n, 1) or (n,), and as many targets; "
            f"got {shape_text(tuple(scores.shape))} and {shape_text(tuple(right.shape))}."
        )
    if right.is_floating_point():
        raise DtypeError(f"class indices must be integers, such as int64; got {right.dtype}.")
    return scores, right.long()


def of_two(scores: Tensor, right: Tensor) -> bool:
    """True if there is one score for each position: (n,) or (n, 1, ...), with as many targets."""
    if scores.ndim == 1:
        return right.shape == scores.shape
    if scores.ndim < 2 or scores.shape[1] != 1:
        return False
    return right.shape in (scores.shape, scores.shape[:1] + scores.shape[2:])


def is_positive(right: Tensor) -> Tensor:
    """Whether targets of two classes are the second one: 1 of 0 and 1, or of -1 and 1.

    Raises:
        RangeError: they are something else.
    """
    right = right if right.is_floating_point() else right.long()
    if not bool(((right >= -1) & (right <= 1)).all()):
        raise RangeError(
            "One column of outputs is for two classes, with targets 0 and 1, or -1 and 1; "
            f"got {right.min().item():g} to {right.max().item():g}. More classes have a column "
            "each: outputs (n, classes)."
        )
    return right > 0.5


def _counting(predicted: Tensor, right: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Both, without the positions whose target is to be ignored."""
    counts = (right if right.is_floating_point() else right.long()) != ignore_index
    if not counts.any():
        raise EmptyBatchError(
            "A fraction of no labels does not exist: all are ignored "
            f"(ignore_index={ignore_index}), or there are none."
        )
    return predicted[counts], right[counts]


def require_classes(right: Tensor, classes: int) -> None:
    """Refuse targets that are not classes.

    Raises:
        RangeError: one is not.
    """
    low, high = int(right.min()), int(right.max())
    if not 0 <= low <= high < classes:
        raise RangeError(f"Targets are classes from 0 to {classes - 1}; got {low} to {high}.")


def first(tensors: Any) -> Tensor:
    """The tensor, or the first of several."""
    tensor: Tensor = tensors[0] if isinstance(tensors, tuple | list) else tensors
    return tensor
