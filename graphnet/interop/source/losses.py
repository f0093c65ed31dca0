"""A loss as a call of torch.nn.functional, whose reduction has a name and a default of its own."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from graphnet.interop.steps import Step

LOSSES = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "kl_div"}
LOSSES |= {"cross_entropy_loss", "nll_loss", "nll_loss_nd", "nll_loss2d", "soft_margin_loss"}
LOSSES |= {"binary_cross_entropy_with_logits", "poisson_nll_loss", "hinge_embedding_loss"}
LOSSES |= {"margin_ranking_loss", "cosine_embedding_loss", "triplet_margin_loss"}
LOSSES |= {"multi_margin_loss", "multilabel_margin_loss"}
"""The losses of aten that are those of torch.nn.functional."""

NAMES_THERE = {"cross_entropy_loss": "cross_entropy"}
NAMES_THERE |= {"nll_loss_nd": "nll_loss", "nll_loss2d": "nll_loss"}
"""Their names in torch.nn.functional, where they differ."""

REDUCTIONS = ("none", "mean", "sum")
"""The names of aten's numbers."""


def loss(step: Step, args: list[str], kwargs: Mapping[str, str]) -> str:
    """The call with its tensors first, and the options that differ from the defaults by name."""
    name = NAMES_THERE.get(step.name, step.name)
    usual = signature(getattr(torch.nn.functional, name)).parameters
    arguments = _schema(step).arguments
    given = dict(zip((each.name for each in arguments), args, strict=False)) | dict(kwargs)
    tensors, options = [], []
    for each in arguments:
        if each.name == "reduction":
            text = repr(REDUCTIONS[int(given.get(each.name, each.default_value))])
        elif each.name in given:
            text = given[each.name]
        elif each.default_value == usual[each.name].default:
            continue
        else:
            text = repr(each.default_value)
        if str(each.type) == "Tensor":
            tensors.append(text)
        elif text != repr(usual[each.name].default):
            options.append(f"{each.name}={text}")
    return f"F.{name}({', '.join([*tensors, *options])})"


def _schema(step: Step) -> Any:
    """The arguments of torch's operation."""
    return getattr(getattr(torch.ops.aten, step.name), step.target.rpartition(".")[2])._schema
