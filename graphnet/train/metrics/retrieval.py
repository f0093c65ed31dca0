"""How well classes are found: precision, recall, f1, and the area under the ROC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from graphnet.errors import RangeError, ShapeError, shape_text
from graphnet.train.metrics.classes import confusion_matrix
from graphnet.train.metrics.labels import first, is_positive, of_two, scores_of_classes
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from torch import Tensor


@overload
def precision(
    outputs: Any,
    targets: Any,
    *,
    average: str = "binary",
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> float: ...
@overload
def precision(
    outputs: Any, targets: Any, *, average: None, ignore_index: int = -100, threshold: float = 0.0
) -> Tensor: ...
def precision(
    outputs: Any,
    targets: Any,
    *,
    average: str | None = "binary",
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> Any:
    """The fraction of the positions predicted as a class that belong to it: tp / (tp + fp).

    Shapes: those of `accuracy`.

    Args:
        outputs: the outputs of the model.
        targets: what is right.
        average: "binary" for class 1 of two; "macro" for the mean over the classes that occur or
            are predicted, "micro" for all positions together, None for a tensor (classes,).
        ignore_index: positions with this class index do not count.
        threshold: what an output of one column must exceed to be class 1; 0.5 for probabilities.

    A fraction of nothing is 0. Source: scikit-learn's function of this name.

    Raises:
        ShapeError: the shapes do not fit.
        DtypeError: class indices have a floating dtype.
        RangeError: a target is not a class, `average` is another word, or it is "binary" for more
            than two classes.
        EmptyBatchError: no position counts.

    >>> from torch import tensor
    >>> precision(tensor([2.0, 1.0, -1.0, 3.0]), tensor([1, 0, 1, 1])) == 2 / 3
    True
    """
    counts = _counted(outputs, targets, average, ignore_index, threshold)
    return _averaged(counts, average, lambda hits, taken, there: (hits, taken))


@overload
def recall(
    outputs: Any,
    targets: Any,
    *,
    average: str = "binary",
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> float: ...
@overload
def recall(
    outputs: Any, targets: Any, *, average: None, ignore_index: int = -100, threshold: float = 0.0
) -> Tensor: ...
def recall(
    outputs: Any,
    targets: Any,
    *,
    average: str | None = "binary",
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> Any:
    """The fraction of the positions of a class that are predicted as such: tp / (tp + fn).

    Arguments, shapes and errors are those of `precision`.

    >>> from torch import tensor
    >>> recall(tensor([2.0, 1.0, -1.0, 3.0, -2.0]), tensor([1, 0, 1, 1, 1]))
    0.5
    """
    counts = _counted(outputs, targets, average, ignore_index, threshold)
    return _averaged(counts, average, lambda hits, taken, there: (hits, there))


@overload
def f1(
    outputs: Any,
    targets: Any,
    *,
    average: str = "binary",
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> float: ...
@overload
def f1(
    outputs: Any, targets: Any, *, average: None, ignore_index: int = -100, threshold: float = 0.0
) -> Tensor: ...
def f1(
    outputs: Any,
    targets: Any,
    *,
    average: str | None = "binary",
    ignore_index: int = -100,
    threshold: float = 0.0,
) -> Any:
    """The harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).

    Arguments, shapes and errors are those of `precision`.

    >>> from torch import tensor
    >>> f1(tensor([2.0, 1.0, -1.0, 3.0]), tensor([1, 0, 1, 1])) == 2 / 3
    True
    """
    counts = _counted(outputs, targets, average, ignore_index, threshold)
    return _averaged(counts, average, lambda hits, taken, there: (2 * hits, taken + there))


def _counted(
    outputs: Any, targets: Any, average: str | None, ignore_index: int, threshold: float
) -> Tensor:
    """The confusion matrix, after checking that `average` fits."""
    require_choice("average", average, ("binary", "macro", "micro", None))
    counts = confusion_matrix(outputs, targets, ignore_index=ignore_index, threshold=threshold)
    if average == "binary" and len(counts) > 2:
        raise RangeError(
            f"average='binary' is for two classes; got {len(counts)}. Choose 'macro', 'micro' or "
            "None, in a metric by functools.partial."
        )
    return counts.double()


def _averaged(counts: Tensor, average: str | None, fraction: Any) -> Any:
    """A fraction of (hits, taken for the class, of the class), averaged over the classes."""
    hits, taken, there = counts.diagonal(), counts.sum(0), counts.sum(1)
    if average == "micro":
        hits, taken, there = (each.sum().reshape(1) for each in (hits, taken, there))
    part, whole = fraction(hits, taken, there)
    fractions = part / whole.clamp(min=1)  # of nothing: 0
    if average is None:
        return fractions
    if average == "binary":
        return float(fractions[1])
    return float(fractions[taken + there > 0].mean())


def auc(outputs: Any, targets: Any, *, ignore_index: int = -100) -> float:
    """The area under the ROC curve: how often a class 1 position outscores one of class 0.

    A tie counts one half. Shapes: those of `accuracy` for two classes; of two columns, the score is
    the second minus the first. If a score is NaN, so is the area.

    Source: Hanley and McNeil, The meaning and use of the area under a ROC curve (1982).

    Raises:
        ShapeError: the shapes do not fit.
        RangeError: one of the two classes is missing, or there are more.

    >>> from torch import tensor
    >>> auc(tensor([0.1, 0.4, 0.4, 0.8]), tensor([0, 0, 1, 1]))
    0.875
    """
    scores, positive = _scored(first(outputs), first(targets), ignore_index)
    of_one, of_other = int(positive.sum()), int((~positive).sum())
    if not of_one or not of_other:
        raise RangeError(
            f"auc compares two classes; got {of_one} places of class 1, {of_other} of class 0."
        )
    if scores.isnan().any():
        return float("nan")
    _, places, sizes = scores.unique(return_inverse=True, return_counts=True)
    ranks = (sizes.double().cumsum(0) - (sizes.double() - 1) / 2)[places]  # equal scores share one
    above = float(ranks[positive].sum()) - of_one * (of_one + 1) / 2
    return above / (of_one * of_other)


def _scored(scores: Tensor, right: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """The score of class 1 at each position that counts, and whether it is of that class."""
    if of_two(scores, right):
        scores = scores.reshape(right.shape).double()
    elif scores.ndim > 1 and scores.shape[1] == 2:
        scores, right = scores_of_classes(scores, right)
        scores = scores[:, 1].double() - scores[:, 0].double()
    else:
        raise ShapeError(
            "auc takes one column or two: outputs (n,), (n, 1) or (n, 2), and targets (n,); "
            f"got {shape_text(tuple(scores.shape))} and {shape_text(tuple(right.shape))}."
        )
    counts = (right if right.is_floating_point() else right.long()) != ignore_index
    return scores[counts], is_positive(right[counts])
