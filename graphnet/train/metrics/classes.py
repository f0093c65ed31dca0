"""How often the right class was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import RangeError
from graphnet.train.metrics.labels import first, labels_of, require_classes, scores_of_classes
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from torch import Tensor


def accuracy(
    outputs: Any, targets: Any, *, ignore_index: int = -100, threshold: float = 0.0
) -> float:
    """The fraction of rows, or of positions such as tokens and pixels, whose class is right.

    Shapes: outputs (n, classes, ...), the largest of which is the predicted class; targets (n, ...)
    of class indices, or shaped like the outputs with the largest number at the right class. For two
    classes one column is enough: outputs (n, 1, ...) or (n,) of logits, with the same number of
    targets, 0 and 1 or -1 and 1.

    Args:
        outputs: the outputs of the model.
        targets: what is right.
        ignore_index: positions with this class index do not count.
        threshold: what an output of one column must exceed to be class 1: 0 for logits; 0.5 for
            probabilities.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: class indices have a floating dtype.
        RangeError: a target is not a class.
        EmptyBatchError: no position counts.

    >>> from torch import tensor
    >>> accuracy(tensor([[2.0, 1.0], [0.0, 3.0]]), tensor([0, 0]))
    0.5
    >>> accuracy(tensor([[0.7], [0.2]]), tensor([[1.0], [0.0]]), threshold=0.5)
    1.0
    """
    predicted, right, _ = labels_of(outputs, targets, ignore_index, threshold)
    return float((predicted == right).double().mean())


def error(outputs: Any, targets: Any, *, ignore_index: int = -100, threshold: float = 0.0) -> float:
    """The fraction of rows or positions whose class is wrong: 1 - accuracy.

    >>> from torch import tensor
    >>> error(tensor([[2.0, 1.0], [0.0, 3.0], [0.0, 1.0], [0.0, 1.0]]), tensor([0, 0, 1, 1]))
    0.25
    """
    predicted, right, _ = labels_of(outputs, targets, ignore_index, threshold)
    return float((predicted != right).double().mean())


def top_k_accuracy(outputs: Any, targets: Any, *, k: int = 5, ignore_index: int = -100) -> float:
    """The fraction of rows or positions whose right class is among the k largest outputs.

    The shapes are those of `accuracy`, with a column for each class. If outputs are equal, the
    lower class index comes first, as for `argmax`.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: class indices have a floating dtype.
        RangeError: k is not between 1 and the number of classes, or a target is not a class.
        EmptyBatchError: no position counts.

    >>> from torch import tensor
    >>> top_k_accuracy(tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]]), tensor([1, 0]), k=2)
    0.5
    """
    require_counts(k=k)
    scores, right = scores_of_classes(first(outputs), first(targets))
    classes = scores.shape[1]
    if k > classes:
        raise RangeError(f"k must be at most the number of classes, {classes}; got {k}.")
    order = scores.argsort(dim=1, descending=True, stable=True)
    ranks = order.argsort(1)  # the rank of each class
    known = right.masked_fill(right == ignore_index, 0)
    require_classes(known, classes)
    rank = ranks.gather(1, known.unsqueeze(1)).squeeze(1)
    hits = (rank < k)[right != ignore_index]
    if not hits.numel():
        labels_of(outputs, targets, ignore_index)  # raises the error
    return float(hits.double().mean())


def confusion_matrix(
    outputs: Any,
    targets: Any,
    classes: int | None = None,
    *,
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> Tensor:
    """How often each class (row) was taken for each class (column).  Shape (classes, classes).

    Args:
        outputs: as for `accuracy`.
        targets: as for `accuracy`.
        classes: how many classes there are; None takes the number given by the outputs.
        ignore_index: as for `accuracy`.
        threshold: as for `accuracy`.

    Raises:
        RangeError: a target is not a class, or there are more than `classes`.

    >>> from torch import tensor
    >>> confusion_matrix(tensor([[2.0, 1.0], [0.0, 3.0]]), tensor([0, 0]))
    tensor([[1, 1],
            [0, 0]])
    """
    predicted, right, known = labels_of(outputs, targets, ignore_index, threshold)
    count = known if classes is None else classes
    if count < known:
        raise RangeError(
            f"classes must be {known} or more, the number in the outputs; got {count}."
        )
    return (right * count + predicted).bincount(minlength=count * count).view(count, count)
