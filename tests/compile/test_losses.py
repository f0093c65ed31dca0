"""Fifty compiled steps with every loss equal fifty walked steps."""

from __future__ import annotations

import pytest
import torch
from compile.training import DOUBLE, Training, assert_same_training, randn, seeded

import graphnet as gn
from graphnet.losses.ranking import LossOfThree


def numbers(seed):
    return randn(5, 4, seed=seed)


def shares(seed):
    return torch.rand(5, 4, generator=seeded(seed), dtype=DOUBLE)


def signs(seed):
    return numbers(seed).sign()


def classes(seed):
    return torch.randint(0, 4, (5,), generator=seeded(seed))


def labels(seed):
    """One or two classes of each row, then -1."""
    order = torch.rand(5, 4, generator=seeded(seed)).argsort(1)
    order[:, 2:] = -1
    order[::2, 1] = -1
    return order


def distributions(seed):
    return numbers(seed).softmax(1)


WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 0.1], dtype=DOUBLE)


def as_is(y):
    return y


LOSSES = {
    "LossMSE": (gn.LossMSE, as_is, numbers),
    "LossMSE sum": (lambda: gn.LossMSE(reduction="sum"), as_is, numbers),
    "LossMSE none": (lambda: gn.LossMSE(reduction="none"), as_is, numbers),
    "LossL1": (gn.LossL1, as_is, numbers),
    "LossSmoothL1": (lambda: gn.LossSmoothL1(beta=0.5), as_is, numbers),
    "LossSmoothL1 sharp": (lambda: gn.LossSmoothL1(beta=0.0), as_is, numbers),
    "LossHuber": (lambda: gn.LossHuber(delta=0.7), as_is, numbers),
    "LossBCE": (gn.LossBCE, lambda y: y.sigmoid(), shares),
    "LossBCE weighted": (lambda: gn.LossBCE(WEIGHTS), lambda y: y.sigmoid(), shares),
    "LossBCEWithLogits": (gn.LossBCEWithLogits, as_is, shares),
    "LossBCEWithLogits weighted": (
        lambda: gn.LossBCEWithLogits(WEIGHTS, pos_weight=2 * WEIGHTS),
        as_is,
        shares,
    ),
    "LossCrossEntropy": (gn.LossCrossEntropy, as_is, classes),
    "LossCrossEntropy of shares": (gn.LossCrossEntropy, as_is, distributions),
    "LossCrossEntropy smoothed": (
        lambda: gn.LossCrossEntropy(WEIGHTS, label_smoothing=0.2, ignore_index=2),
        as_is,
        classes,
    ),
    "LossCrossEntropy sum": (lambda: gn.LossCrossEntropy(reduction="sum"), as_is, classes),
    "LossNLL": (gn.LossNLL, lambda y: gn.ops.log_softmax(y, 1), classes),
    "LossNLL weighted": (
        lambda: gn.LossNLL(WEIGHTS, ignore_index=1),
        lambda y: gn.ops.log_softmax(y, 1),
        classes,
    ),
    "LossKLDiv": (gn.LossKLDiv, lambda y: gn.ops.log_softmax(y, 1), distributions),
    "LossKLDiv of logarithms": (
        lambda: gn.LossKLDiv(reduction="batchmean", log_target=True),
        lambda y: gn.ops.log_softmax(y, 1),
        lambda seed: distributions(seed).log(),
    ),
    "LossHinge": (gn.LossHinge, as_is, signs),
    "LossSoftMargin": (gn.LossSoftMargin, as_is, signs),
    "LossMultiMargin": (lambda: gn.LossMultiMargin(margin=0.8), as_is, classes),
    "LossMultiMargin squared": (lambda: gn.LossMultiMargin(p=2, weight=WEIGHTS), as_is, classes),
    "LossMultiLabelMargin": (gn.LossMultiLabelMargin, as_is, labels),
}


def training(name, bias=True):
    make, output, target = LOSSES[name]
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 6), gn.Tanh(), gn.Linear(6, 4, bias=bias)).double()
    loss_module = make()
    example = target(0)
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x", dtype=DOUBLE)
        t = gn.Input((None, *example.shape[1:]), name="t", dtype=example.dtype)
        loss = loss_module(output(model(x)), t)
        loss = loss.mean() if loss.ndim else loss
    return Training(graph, loss, gn.SGD(model.parameters(), lr=0.05, momentum=0.5))


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name):
    feeds = [{"x": randn(5, 3, seed=n), "t": LOSSES[name][2](n)} for n in range(4)]
    assert_same_training(lambda: training(name), feeds)


def test_every_loss_is_here():
    known = {name for name in vars(gn.losses) if name.startswith("Loss") and name != "Loss"}
    known -= {kind.__name__ for kind in LossOfThree.__subclasses__()}  # in test_ranking_losses.py
    assert {name for name in known if not any(row.split()[0] == name for row in LOSSES)} == set()


@pytest.mark.parametrize("name", ["LossMSE", "LossCrossEntropy", "LossBCEWithLogits"])
def test_extreme_scores(name):
    """Scores of a thousand: the compiled forms are as stable as in the walk."""
    feeds = [{"x": 1e3 * randn(5, 3, seed=n), "t": LOSSES[name][2](n)} for n in range(4)]
    assert_same_training(lambda: training(name, bias=False), feeds, steps=10)
