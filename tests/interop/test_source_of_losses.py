"""Losses of torch.nn.functional, imported and written back with each reduction and option."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from interop.written import assert_written_back_equal
from torch import nn

import graphnet as gn

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")

REDUCTIONS = ("none", "mean", "sum")


def scores(n=3):
    return torch.randn(n, 4), torch.randn(n, 4)


def chances(n=3):
    return torch.rand(n, 4) * 0.8 + 0.1, torch.rand(n, 4) * 0.8 + 0.1


def labels(n=3):
    return torch.randn(n, 4), torch.randint(4, (n,))


def sets(n=3):
    return torch.randn(n, 4), torch.tensor([[0, 2, -1, -1]] * n)


def pixels(n=3):
    return torch.randn(n, 4, 2, 2), torch.randint(4, (n, 2, 2))


def of(name, **options):
    return lambda x, y, **reduction: getattr(F, name)(x, y, **options, **reduction)


def weighted(name, **options):
    """A loss with a weight for each class, in the dtype of the scores."""
    return lambda x, y, **reduction: getattr(F, name)(
        x, y, weight=torch.ones_like(x[0]) * 0.5, **options, **reduction
    )


LOSSES = {
    **{
        name: (of(name), scores)
        for name in (
            *("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss"),
            *("poisson_nll_loss", "hinge_embedding_loss", "binary_cross_entropy_with_logits"),
            *("multilabel_soft_margin_loss",),
        )
    },
    "smooth_l1_loss, beta": (of("smooth_l1_loss", beta=0.5), scores),
    "huber_loss, delta": (of("huber_loss", delta=0.5), scores),
    "kl_div": (of("kl_div"), chances),
    "kl_div of logarithms": (of("kl_div", log_target=True), scores),
    "poisson_nll_loss of rates": (of("poisson_nll_loss", log_input=False, eps=0.1), chances),
    "hinge_embedding_loss, margin": (of("hinge_embedding_loss", margin=0.3), scores),
    "binary_cross_entropy": (of("binary_cross_entropy"), chances),
    "binary_cross_entropy, weight": (weighted("binary_cross_entropy"), chances),
    "binary_cross_entropy_with_logits, weights": (
        lambda x, y, **r: F.binary_cross_entropy_with_logits(
            x, y, y.exp(), pos_weight=x[0].exp(), **r
        ),
        scores,
    ),
    "binary_cross_entropy_with_logits, pos_weight": (
        lambda x, y, **r: F.binary_cross_entropy_with_logits(x, y, pos_weight=x[0].exp(), **r),
        scores,
    ),
    "cross_entropy": (of("cross_entropy"), labels),
    "cross_entropy, all options": (
        weighted("cross_entropy", ignore_index=1, label_smoothing=0.1),
        labels,
    ),
    "nll_loss": (of("nll_loss"), labels),
    "nll_loss, weight": (weighted("nll_loss", ignore_index=1), labels),
    "nll_loss of images": (of("nll_loss"), pixels),
    "multi_margin_loss": (of("multi_margin_loss"), labels),
    "multi_margin_loss, all options": (weighted("multi_margin_loss", p=2, margin=0.4), labels),
    "multilabel_margin_loss": (of("multilabel_margin_loss"), sets),
    "triplet_margin_loss": (lambda x, y, **r: F.triplet_margin_loss(x, y, x.flip(1), **r), scores),
    "triplet_margin_loss, all options": (
        lambda x, y, **r: F.triplet_margin_loss(x, y, x.flip(1), 0.5, 1.0, 1e-3, True, **r),
        scores,
    ),
    "triplet_margin_with_distance_loss": (
        lambda x, y, **r: F.triplet_margin_with_distance_loss(x, y, x.flip(1), swap=True, **r),
        scores,
    ),
    "cosine_embedding_loss": (
        lambda x, y, **r: F.cosine_embedding_loss(x, y, y[:, 0].sign(), **r),
        scores,
    ),
    "cosine_embedding_loss, margin": (
        lambda x, y, **r: F.cosine_embedding_loss(x, y, y[:, 0].sign(), 0.2, **r),
        scores,
    ),
    "margin_ranking_loss": (lambda x, y, **r: F.margin_ranking_loss(x, y, y.sign(), **r), scores),
    "margin_ranking_loss, margin": (
        lambda x, y, **r: F.margin_ranking_loss(x, y, y.sign(), 0.2, **r),
        scores,
    ),
    "gaussian_nll_loss": (
        lambda x, y, **r: F.gaussian_nll_loss(x, y, y.exp(), full=True, **r),
        scores,
    ),
}
"""Losses with options, and inputs for them."""


class Loss(nn.Module):
    def __init__(self, function, **reduction):
        super().__init__()
        self.function, self.reduction = function, reduction

    def forward(self, x, y):
        return self.function(x, y, **self.reduction)


class Losses(nn.Module):
    def __init__(self, functions):
        super().__init__()
        self.functions = functions

    def forward(self, x, y):
        return tuple(function(x, y) for function in self.functions)


@pytest.mark.parametrize("inputs", [scores, chances, labels, sets, pixels])
def test_losses_of_the_same_inputs_are_written_back(inputs):
    """One export for all of them, which takes as long for one as for many."""
    functions = [function for function, given in LOSSES.values() if given is inputs]
    assert functions
    torch.manual_seed(0)
    assert_written_back_equal(Losses(functions), *inputs())


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, *({"reduction": r} for r in REDUCTIONS)])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_written_back_with_its_reduction(name, options):
    function, inputs = LOSSES[name]
    torch.manual_seed(0)
    assert_written_back_equal(Loss(function, **options), *inputs())


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_reductions_are_written(reduction):
    torch.manual_seed(0)
    assert_written_back_equal(Loss(F.kl_div, reduction=reduction), *chances())


@pytest.mark.parametrize(
    "function", [F.kl_div, torch.binary_cross_entropy_with_logits, torch.hinge_embedding_loss]
)
def test_a_loss_called_without_a_reduction_keeps_the_one_of_its_function(function):
    torch.manual_seed(0)
    assert_written_back_equal(Loss(function), *chances())


def test_a_loss_is_written_with_what_differs_from_the_defaults():
    mean = gn.from_torch(Loss(F.binary_cross_entropy_with_logits), *scores())
    assert "= F.binary_cross_entropy_with_logits(x, y)\n" in gn.torch_source(mean)
    summed = gn.from_torch(Loss(of("huber_loss", delta=0.5), reduction="sum"), *scores())
    assert "= F.huber_loss(part, part_1, reduction='sum', delta=0.5)\n" in gn.torch_source(summed)
