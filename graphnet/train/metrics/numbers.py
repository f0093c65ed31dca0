"""How far predicted numbers are from the right ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphnet.errors import ShapeError, shape_text
from graphnet.train.metrics.labels import first

if TYPE_CHECKING:
    from torch import Tensor


def rmse(outputs: Any, targets: Any) -> float:
    """The root of the mean squared error over every element: √ mean (y - t)².

    Shapes: outputs s, targets s.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.

    >>> from torch import tensor
    >>> rmse(tensor([1.0, 2.0]), tensor([1.0, 5.0])) == 4.5 ** 0.5
    True
    """
    predicted, right = _alike(outputs, targets)
    return float((predicted - right).square().mean().sqrt())


def r2(outputs: Any, targets: Any) -> float:
    """The fraction of the variance that is explained: 1 - Σ (y - t)² / Σ (t - mean t)².

    For several columns, the mean over them. If the targets of a column are all equal, it is 1 if
    the outputs match them, else 0; for a single row it is NaN. Shapes: outputs (n, ...), targets
    the same.

    Source: scikit-learn's `r2_score`.

    Raises:
        ShapeError: the shapes differ; nothing is broadcast.

    >>> from torch import tensor
    >>> r2(tensor([1.0, 2.0, 3.0]), tensor([1.0, 2.0, 6.0])) == 1 - 9 / 14
    True
    """
    predicted, right = _alike(outputs, targets)
    if len(right) < 2:
        return float("nan")
    missed = (predicted - right).square().sum(0)
    varied = (right - right.mean(0)).square().sum(0)
    constant = (missed == 0).double()
    parts = (1 - missed / varied).where(varied != 0, constant)
    return float(parts.mean())


def _alike(outputs: Any, targets: Any) -> tuple[Tensor, Tensor]:
    """Both in float64."""
    predicted, right = first(outputs), first(targets)
    if predicted.shape != right.shape:
        raise ShapeError(
            "Outputs and targets have one shape; got "
            f"{shape_text(tuple(predicted.shape))} and {shape_text(tuple(right.shape))}. "
            "Nothing is broadcast: reshape one of them."
        )
    return predicted.double(), right.double()
