"""What is measured of predictions: each metric is a function of outputs and targets.

A metric takes what the model gives, a tensor or a tuple of tensors, and the targets likewise, and
returns the mean over the rows. Where there are several, the first output and target are meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import DtypeError, RangeError, ShapeError, shape_text

if TYPE_CHECKING:
    from torch import Tensor


def accuracy(outputs: Any, targets: Any) -> float:
    """The fraction of rows whose largest output is that of the right class.

    Shapes: outputs (n, classes); targets (n,) of class numbers, or (n, classes) with the largest
    number at the right class.

    Raises:
        ShapeError: the shapes are others.

    >>> from torch import tensor
    >>> accuracy(tensor([[2.0, 1.0], [0.0, 3.0]]), tensor([0, 0]))
    0.5
    """
    predicted, right = classes_of(outputs, targets)
    return float((predicted == right).double().mean())


def error(outputs: Any, targets: Any) -> float:
    """The fraction of rows whose largest output is not that of the right class: 1 - accuracy.

    >>> from torch import tensor
    >>> error(tensor([[2.0, 1.0], [0.0, 3.0], [0.0, 1.0], [0.0, 1.0]]), tensor([0, 0, 1, 1]))
    0.25
    """
    predicted, right = classes_of(outputs, targets)
    return float((predicted != right).double().mean())


def confusion_matrix(outputs: Any, targets: Any, classes: int | None = None) -> Tensor:
    """How often each class (row) was taken for each class (column).  Shape (classes, classes).

    Args:
        outputs: as for `accuracy`.
        targets: as for `accuracy`.
        classes: how many classes there are; where None, as many as outputs.

    Raises:
        RangeError: a target is no class.

    >>> from torch import tensor
    >>> confusion_matrix(tensor([[2.0, 1.0], [0.0, 3.0]]), tensor([0, 0]))
    tensor([[1, 1],
            [0, 0]])
    """
    predicted, right = classes_of(outputs, targets)
    count = first(outputs).shape[1] if classes is None else classes
    if right.numel() and not 0 <= int(right.min()) <= int(right.max()) < count:
        raise RangeError(
            f"Targets are classes from 0 to {count - 1}; "
            f"{int(right.min())} to {int(right.max())} came."
        )
    return (right * count + predicted).bincount(minlength=count * count).view(count, count)


def classes_of(outputs: Any, targets: Any) -> tuple[Tensor, Tensor]:
    """The predicted and the right class of each row."""
    scores, right = first(outputs), first(targets)
    if right.shape == scores.shape and right.ndim == 2 and right.shape[1] > 1:
        right = right.argmax(1)
    if scores.ndim != 2 or scores.shape[1] < 2 or right.shape != scores.shape[:1]:
        raise ShapeError(
            "Classes are told from outputs (n, classes) and targets (n,) or (n, classes); "
            f"{shape_text(tuple(scores.shape))} and {shape_text(tuple(right.shape))} came."
        )
    if right.is_floating_point():
        raise DtypeError(f"Class numbers are whole numbers, such as int64; {right.dtype} came.")
    return scores.argmax(1), right


def first(tensors: Any) -> Tensor:
    """The tensor, or the first of several."""
    tensor: Tensor = tensors[0] if isinstance(tensors, tuple | list) else tensors
    return tensor
