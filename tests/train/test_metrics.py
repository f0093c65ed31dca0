"""Metrics, by hand and by counting."""

from __future__ import annotations

import pytest
import torch

import graphnet as gn
from graphnet.train import metrics

SCORES = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.5, 0.2], [1.0, 3.0, 2.0], [0.0, 0.0, 9.0]])
RIGHT = torch.tensor([0, 2, 1, 2])


@pytest.mark.parametrize("targets", [RIGHT, torch.nn.functional.one_hot(RIGHT).float()])
@pytest.mark.parametrize("several", [False, True])
def test_accuracy_and_error_are_fractions(targets, several):
    given = ((SCORES, SCORES[:, :1]), (targets, RIGHT)) if several else (SCORES, targets)
    assert metrics.accuracy(*given) == 0.75
    assert metrics.error(*given) == 0.25


def test_the_confusion_matrix_counts_rows_by_true_class():
    assert metrics.confusion_matrix(SCORES, RIGHT).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(200, 5, generator=generator)
    right = torch.randint(5, (200,), generator=generator)
    counts = metrics.confusion_matrix(scores, right)
    for row in range(5):
        for column in range(5):
            both = (right == row) & (scores.argmax(1) == column)
            assert counts[row, column] == both.sum()
    assert metrics.confusion_matrix(SCORES, RIGHT, classes=4).shape == (4, 4)


@pytest.mark.parametrize(
    ("scores", "targets", "error", "words"),
    [
        (SCORES[:, :1], RIGHT, gn.ShapeError, r"\(n, classes\).*\(4, 1\)"),
        (SCORES, RIGHT[:3], gn.ShapeError, r"\(3,\)"),
        (SCORES, RIGHT.double(), gn.DtypeError, "whole numbers"),
    ],
)
def test_what_has_no_classes_is_refused(scores, targets, error, words):
    with pytest.raises(error, match=words):
        metrics.accuracy(scores, targets)


def test_a_target_that_is_no_class_is_refused():
    with pytest.raises(gn.RangeError, match="0 to 2; 0 to 7"):
        metrics.confusion_matrix(SCORES, torch.tensor([0, 7, 0, 0]))
