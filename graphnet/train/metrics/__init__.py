"""What is measured of predictions: each metric is a function of outputs and targets.

A metric takes the outputs of the model, a tensor or a tuple of tensors, and the targets in the same
form, of all rows at once, and returns one number. Of several outputs and targets it uses the first.

| file | contents |
|---|---|
| `labels` | which class was predicted, and which is right |
| `classes` | accuracy, error, and how often each class was taken for each other |
| `retrieval` | precision, recall, f1, and the area under the ROC curve |
| `numbers` | errors of predicted numbers |
"""

from graphnet.train.metrics.classes import accuracy, confusion_matrix, error, top_k_accuracy
from graphnet.train.metrics.numbers import r2, rmse
from graphnet.train.metrics.retrieval import auc, f1, precision, recall

__all__ = [
    "accuracy",
    "auc",
    "confusion_matrix",
    "error",
    "f1",
    "precision",
    "r2",
    "recall",
    "rmse",
    "top_k_accuracy",
]

_BEST = {
    **dict.fromkeys(("accuracy", "auc", "f1", "precision", "r2", "recall"), "max"),
    **dict.fromkeys(("error", "loss", "mae", "mse", "rmse"), "min"),
}


def better(column: str) -> str | None:
    """Whether "max" or "min" is better in a column of the history; None if that is unknown.

    It depends on the name, which may have any prefix: validation_accuracy, top_k_accuracy.

    >>> better("validation_f1"), better("loss"), better("validation_speed")
    ('max', 'min', None)
    """
    return _BEST.get(column.rsplit("_", 1)[-1])
