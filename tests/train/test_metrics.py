"""Metrics, by hand and by counting, position by position; the formulas are scikit-learn's."""

from __future__ import annotations

from functools import partial
from math import isnan, sqrt

import pytest
import torch

import graphnet as gn
from graphnet.train import metrics
from graphnet.train.metrics import better

SCORES = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.5, 0.2], [1.0, 3.0, 2.0], [0.0, 0.0, 9.0]])
RIGHT = torch.tensor([0, 2, 1, 2])


def random_of(shape, classes, seed=0, ties=False):
    """Scores (n, classes, ...) and class indices (n, ...)."""
    generator = torch.Generator().manual_seed(seed)
    n, *rest = shape
    scores = torch.randn(n, classes, *rest, generator=generator)
    scores = scores.round() if ties else scores
    return scores, torch.randint(classes, tuple(shape), generator=generator)


@pytest.mark.parametrize("targets", [RIGHT, torch.nn.functional.one_hot(RIGHT).float()])
@pytest.mark.parametrize("several", [False, True])
def test_accuracy_and_error_are_fractions(targets, several):
    given = ((SCORES, SCORES[:, :1]), (targets, RIGHT)) if several else (SCORES, targets)
    assert metrics.accuracy(*given) == 0.75
    assert metrics.error(*given) == 0.25


@pytest.mark.parametrize("ignored", [-100, 0, 2])
@pytest.mark.parametrize("shape", [(50,), (9, 7), (4, 5, 6)])
def test_each_token_and_pixel_counts_but_those_to_ignore(shape, ignored):
    scores, right = random_of(shape, 4)
    right[0] = ignored
    flat = scores.movedim(1, -1).reshape(-1, 4).argmax(1).tolist()
    pairs = [(p, r) for p, r in zip(flat, right.flatten().tolist(), strict=True) if r != ignored]
    expected = sum(p == r for p, r in pairs) / len(pairs)
    options = {"ignore_index": ignored}
    assert metrics.accuracy(scores, right, **options) == pytest.approx(expected, rel=1e-12)
    assert metrics.error(scores, right, **options) == pytest.approx(1 - expected, rel=1e-12)
    matrix = metrics.confusion_matrix(scores, right, **options)
    assert matrix.tolist() == [[pairs.count((p, r)) for p in range(4)] for r in range(4)]


COLUMN = torch.tensor([1.5, -0.1, 0.3, -2.0])
BINARY = torch.tensor([1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (COLUMN, BINARY),
        (COLUMN[:, None], BINARY),
        (COLUMN[:, None], BINARY[:, None]),
        (COLUMN, BINARY.long()),
        (COLUMN, BINARY.bool()),
        (COLUMN, BINARY.to(torch.uint8)),
        (COLUMN, BINARY * 2 - 1),
        (COLUMN, (BINARY * 2 - 1).long()),
        (COLUMN.view(1, 1, 2, 2), BINARY.view(1, 2, 2)),
        (COLUMN.view(1, 1, 2, 2), BINARY.view(1, 1, 2, 2)),
    ],
)
def test_one_column_is_a_logit_of_two_classes(outputs, targets):
    assert metrics.accuracy(outputs, targets) == 0.5
    assert metrics.confusion_matrix(outputs, targets).tolist() == [[1, 1], [1, 1]]
    assert metrics.precision(outputs, targets) == metrics.recall(outputs, targets) == 0.5
    assert metrics.auc(outputs, targets) == 0.75
    probabilities = outputs.sigmoid()
    assert metrics.accuracy(probabilities, targets) == 0.5  # all are above 0
    assert metrics.recall(probabilities, targets, threshold=0.5) == 0.5
    assert metrics.recall(probabilities, targets) == 1.0


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("shape", [(60,), (6, 8)])
@pytest.mark.parametrize("ties", [False, True])
def test_the_right_class_is_among_the_k_largest(shape, k, ties):
    scores, right = random_of(shape, 5, ties=ties)
    right[1] = -100
    rows = scores.movedim(1, -1).reshape(-1, 5).tolist()
    hits = [
        label in sorted(range(5), key=lambda place: -row[place])[:k]
        for row, label in zip(rows, right.flatten().tolist(), strict=True)
        if label != -100
    ]
    assert metrics.top_k_accuracy(scores, right, k=k) == pytest.approx(sum(hits) / len(hits))
    if k == 1:
        assert metrics.top_k_accuracy(scores, right, k=1) == metrics.accuracy(scores, right)


def test_the_confusion_matrix_counts_rows_by_true_class():
    assert metrics.confusion_matrix(SCORES, RIGHT).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert metrics.confusion_matrix(SCORES, RIGHT, classes=4).shape == (4, 4)


def by_counting(scores, right, classes):
    """tp, fp and fn of each class, one by one."""
    predicted = scores.argmax(1).tolist()
    pairs = list(zip(predicted, right.tolist(), strict=True))
    return [
        (
            sum(p == c == r for p, r in pairs),
            sum(p == c != r for p, r in pairs),
            sum(p != c == r for p, r in pairs),
        )
        for c in range(classes)
    ]


FRACTIONS = {
    "precision": lambda tp, fp, fn: tp / (tp + fp) if tp + fp else 0.0,
    "recall": lambda tp, fp, fn: tp / (tp + fn) if tp + fn else 0.0,
    "f1": lambda tp, fp, fn: 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
}


@pytest.mark.parametrize("name", FRACTIONS)
@pytest.mark.parametrize(("classes", "absent"), [(2, 0), (4, 0), (5, 2)])
def test_precision_recall_and_f1_are_counted(name, classes, absent):
    scores, right = random_of((80,), classes - absent)
    scores = torch.cat([scores, torch.full((80, absent), -9.0)], 1)
    metric, fraction = getattr(metrics, name), FRACTIONS[name]
    counts = by_counting(scores, right, classes)
    each = [fraction(*three) for three in counts]
    there = [part for part, three in zip(each, counts, strict=True) if sum(three)]
    assert metric(scores, right, average=None).tolist() == pytest.approx(each)
    assert metric(scores, right, average="macro") == pytest.approx(sum(there) / len(there))
    together = fraction(*map(sum, zip(*counts, strict=True)))
    assert metric(scores, right, average="micro") == pytest.approx(together)
    if classes == 2:
        assert metric(scores, right) == pytest.approx(each[1])


@pytest.mark.parametrize("name", FRACTIONS)
def test_a_fraction_of_nothing_is_0(name):
    metric = getattr(metrics, name)
    assert metric(torch.tensor([-1.0, -2.0]), torch.tensor([0, 0])) == 0.0


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("columns", [1, 2])
def test_the_area_is_how_often_class_1_is_above(ties, columns):
    scores, right = random_of((70,), 2, ties=ties)
    outputs = scores if columns == 2 else scores[:, 1] - scores[:, 0]
    score = (scores[:, 1] - scores[:, 0]).tolist()
    ones = [s for s, r in zip(score, right.tolist(), strict=True) if r]
    others = [s for s, r in zip(score, right.tolist(), strict=True) if not r]
    wins = sum((one > other) + 0.5 * (one == other) for one in ones for other in others)
    assert metrics.auc(outputs, right) == pytest.approx(wins / len(ones) / len(others), rel=1e-12)
    assert isnan(metrics.auc(torch.full((2,), float("nan")), torch.tensor([0, 1])))


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3), (5, 2, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_errors_of_numbers(shape, dtype):
    generator = torch.Generator().manual_seed(0)
    y, t = (torch.randn(shape, generator=generator, dtype=dtype) for _ in range(2))
    pairs = list(zip(y.flatten().tolist(), t.flatten().tolist(), strict=True))
    expected = sqrt(sum((a - b) ** 2 for a, b in pairs) / len(pairs))
    assert metrics.rmse(y, t) == pytest.approx(expected, rel=1e-12)
    columns = zip(y.reshape(len(y), -1).T.tolist(), t.reshape(len(t), -1).T.tolist(), strict=True)
    parts = []
    for ours, theirs in columns:
        mean = sum(theirs) / len(theirs)
        missed = sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True))
        parts.append(1 - missed / sum((b - mean) ** 2 for b in theirs))
    assert metrics.r2(y, t) == pytest.approx(sum(parts) / len(parts), rel=1e-12)


def test_of_equal_targets_nothing_is_explained():
    ones = torch.ones(3)
    assert metrics.r2(ones, ones) == 1.0
    assert metrics.r2(ones + 1, ones) == 0.0
    assert isnan(metrics.r2(ones[:1], ones[:1]))


NONE = torch.full((4,), -100)


@pytest.mark.parametrize(
    ("measure", "error", "words"),
    [
        (lambda: metrics.accuracy(SCORES[:, :1], RIGHT), gn.RangeError, "0 and 1.*got 0 to 2"),
        (lambda: metrics.accuracy(SCORES, RIGHT[:3]), gn.ShapeError, r"\(3,\)"),
        (lambda: metrics.accuracy(SCORES[:, :1], RIGHT[:3]), gn.ShapeError, r"\(4, 1\)"),
        (lambda: metrics.accuracy(SCORES, RIGHT.double()), gn.DtypeError, "integers"),
        (lambda: metrics.accuracy(SCORES, RIGHT + 1), gn.RangeError, "0 to 2; got 1 to 3"),
        (lambda: metrics.accuracy(SCORES, NONE), gn.EmptyBatchError, "ignore_index=-100"),
        (lambda: metrics.top_k_accuracy(SCORES, NONE), gn.RangeError, "at most.*3; got 5"),
        (lambda: metrics.top_k_accuracy(SCORES, NONE, k=2), gn.EmptyBatchError, "all are ignored"),
        (lambda: metrics.top_k_accuracy(SCORES, RIGHT + 1, k=2), gn.RangeError, "got 1 to 3"),
        (lambda: metrics.top_k_accuracy(SCORES, RIGHT, k=0), gn.RangeError, "k must be"),
        (lambda: metrics.top_k_accuracy(COLUMN, BINARY, k=1), gn.ShapeError, r"\(4,\)"),
        (
            lambda: metrics.confusion_matrix(SCORES, RIGHT, 2),
            gn.RangeError,
            "classes must be 3 .*got 2",
        ),
        (lambda: metrics.f1(SCORES, RIGHT), gn.RangeError, "two classes; got 3.*'macro'"),
        (lambda: metrics.f1(SCORES, RIGHT, average="weighted"), gn.RangeError, "got 'weighted'"),
        (lambda: metrics.auc(COLUMN, BINARY * 0), gn.RangeError, "got 0 places of class 1"),
        (lambda: metrics.auc(SCORES, RIGHT), gn.ShapeError, r"\(4, 3\)"),
        (lambda: metrics.rmse(COLUMN, COLUMN[:, None]), gn.ShapeError, r"\(4,\) and \(4, 1\)"),
        (lambda: metrics.r2(COLUMN, COLUMN[:, None]), gn.ShapeError, "Nothing is broadcast"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure, error, words):
    with pytest.raises(error, match=words):
        measure()


@pytest.mark.parametrize(
    ("column", "word"),
    [("loss", "min"), ("validation_loss", "min"), ("validation_rmse", "min"), ("error", "min")]
    + [(f"validation_{name}", "max") for name in ("f1", "auc", "r2", "recall", "top_k_accuracy")]
    + [("validation_speed", None), ("f1_of_cats", None)],
)
def test_which_number_is_better_is_known_by_the_name(column, word):
    assert better(column) == word


# how they are called

X = torch.randn(25, 2, generator=torch.Generator().manual_seed(1))
LABELS = (X.sum(1) > 0).long()


class Count:
    """A metric that accumulates, like those of torchmetrics."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.sizes = []

    def update(self, outputs, targets):
        assert outputs.shape == (len(targets), 2)
        self.sizes.append(len(targets))

    def compute(self):
        return torch.tensor(sum(self.sizes))


@pytest.mark.parametrize("compiled", [True, False])
def test_a_function_gets_everything_at_once_and_an_object_each_batch(compiled):
    torch.manual_seed(0)
    model, seen, count = gn.Linear(2, 2), [], Count()

    def looked(outputs, targets):
        seen.append((outputs, targets))
        return 1

    given = [looked, count, metrics.f1, partial(metrics.top_k_accuracy, k=1)]
    options = {"metrics": given, "batch_size": 4, "compile": compiled}
    for _ in range(2):  # the second time anew
        measured = gn.evaluate(model, gn.LossCrossEntropy(), (X, LABELS), **options)
        assert count.sizes == [4, 4, 4, 4, 4, 4, 1]
    names = ["loss", "looked", "Count", "f1", "top_k_accuracy"]
    assert list(measured) == names
    assert measured["Count"] == 25.0
    ((outputs, targets), _) = seen
    torch.testing.assert_close(outputs, model.forward(X))
    assert torch.equal(targets, LABELS)
    assert measured["f1"] == metrics.f1(model.forward(X), LABELS)


def test_several_outputs_and_targets_are_tuples():
    class Two(gn.Module):
        def __init__(self):
            self.inner = gn.Linear(2, 2)

        def build(self, x):
            return self.inner(x), x * 2

    def shapes(outputs, targets):
        assert [tuple(each.shape) for each in outputs] == [(25, 2), (25, 2)]
        assert [tuple(each.shape) for each in targets] == [(25,), (25, 2)]
        return 0

    losses = [gn.LossCrossEntropy(), gn.LossMSE()]
    gn.evaluate(Two(), losses, (X, (LABELS, X)), metrics=[shapes], batch_size=10)


@pytest.mark.parametrize(
    "given",
    [
        [metrics.f1, partial(metrics.f1, average="macro")],
        [Count],
        [3],
        {"loss": metrics.f1},
        metrics.f1,
    ],
)
def test_metrics_without_a_name_of_their_own_are_refused(given):
    with pytest.raises(gn.GraphError, match=r"metrics (are|must be)"):
        gn.evaluate(gn.Linear(2, 2), gn.LossCrossEntropy(), (X, LABELS), metrics=given)
