"""Functions and methods of torch with options, imported and written back."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from interop.written import Does, assert_written_back_equal
from torch import nn


def weight(*sizes):
    """A weight of ones, in the dtype of an input."""
    return lambda x: torch.ones_like(x).flatten()[:1].expand(sizes)


SERIES, ROWS, IMAGES, VOLUMES = (3, 2, 8), (3, 4), (3, 2, 6, 6), (3, 2, 4, 4, 4)

FUNCTIONS = {
    # activations
    "elu": (ROWS, lambda x: F.elu(x, 0.5)),
    "celu": (ROWS, lambda x: torch.celu(x, 0.5)),
    "selu": (ROWS, F.selu),
    "leaky_relu": (ROWS, lambda x: F.leaky_relu(x, 0.3)),
    "hardtanh": (ROWS, lambda x: F.hardtanh(x, -0.2, 0.3)),
    "softplus": (ROWS, lambda x: F.softplus(x, 2, 0.3)),
    "gelu": (ROWS, lambda x: F.gelu(x, approximate="tanh")),
    "threshold": (ROWS, lambda x: F.threshold(x, 0.1, 3.0)),
    "hardshrink": (ROWS, lambda x: F.hardshrink(x, 0.2)),
    "softshrink": (ROWS, lambda x: F.softshrink(x, 0.2)),
    "logsigmoid": (ROWS, F.logsigmoid),
    "glu": (ROWS, lambda x: F.glu(x, 1)),
    "softmax": (ROWS, lambda x: F.softmax(x, 1, dtype=torch.float32)),
    "log_softmax": (ROWS, lambda x: x.log_softmax(0)),
    # normalization
    "layer_norm": (ROWS, lambda x: F.layer_norm(x, (4,), x[0], x[1], 0.1)),
    "layer_norm, defaults": (ROWS, lambda x: F.layer_norm(x, (4,))),
    "group_norm": (SERIES, lambda x: F.group_norm(x, 2, x[0, :, 0], None, 0.1)),
    "group_norm, defaults": (SERIES, lambda x: F.group_norm(x, 2)),
    "instance_norm": (SERIES, lambda x: F.instance_norm(x, eps=0.1)),
    "batch_norm": (ROWS, lambda x: F.batch_norm(x, None, None, x[0], x[1], True, 0.2, 0.1)),
    "rms_norm": (ROWS, lambda x: F.rms_norm(x, (4,), x[0], 0.1)),
    "local_response_norm": (IMAGES, lambda x: F.local_response_norm(x, 2, 0.1, 0.3, 2.0)),
    "normalize": (ROWS, lambda x: F.normalize(x, 1.0, 1)),
    # dropout
    "dropout": (ROWS, lambda x: F.dropout(x, 0.3)),
    "dropout, off": (ROWS, lambda x: F.dropout(x, 0.3, False)),
    "dropout1d": (SERIES, lambda x: F.dropout1d(x, 0.3)),
    "alpha_dropout": (ROWS, lambda x: F.alpha_dropout(x, 0.3, True)),
    "feature_alpha_dropout": (SERIES, lambda x: F.feature_alpha_dropout(x, 0.3, True)),
    # images
    "max_pool1d": (SERIES, lambda x: F.max_pool1d(x, 3, 2, 1, 1, True)),
    "max_pool2d": (IMAGES, lambda x: F.max_pool2d(x, 3, 2, 1, 1, True)),
    "max_pool2d, both": (IMAGES, lambda x: F.max_pool2d(x, 2, return_indices=True)),
    "max_pool3d": (VOLUMES, lambda x: F.max_pool3d(x, 3, 2, 1, 1, True)),
    "avg_pool1d": (SERIES, lambda x: F.avg_pool1d(x, 3, 2, 1, True, False)),
    "avg_pool2d": (IMAGES, lambda x: F.avg_pool2d(x, 3, 2, 1, True, False, 5)),
    "avg_pool3d": (VOLUMES, lambda x: F.avg_pool3d(x, 3, 2, 1, True, False)),
    "adaptive_avg_pool2d": (IMAGES, lambda x: F.adaptive_avg_pool2d(x, (2, 3))),
    "adaptive_max_pool2d": (IMAGES, lambda x: F.adaptive_max_pool2d(x, 2, True)),
    "interpolate": (IMAGES, lambda x: F.interpolate(x, (5, 7), None, "bilinear", True)),
    "pixel_unshuffle": (IMAGES, lambda x: F.pixel_unshuffle(x, 2)),
    "unfold": (IMAGES, lambda x: F.unfold(x, 2, padding=1)),
    "pad": (SERIES, lambda x: F.pad(x, (1, 2), "reflect")),
    "conv2d": (IMAGES, lambda x: F.conv2d(x, weight(4, 1, 3, 3)(x), None, 2, 1, 2, 2)),
    "conv1d": (SERIES, lambda x: F.conv1d(x, weight(4, 2, 3)(x), padding="same")),
    "conv_transpose2d": (
        IMAGES,
        lambda x: F.conv_transpose2d(x, weight(2, 1, 3, 3)(x), None, 2, 1, 1, 2, 2),
    ),
    # distances and products
    "cosine_similarity": (ROWS, lambda x: F.cosine_similarity(x, x.flip(1), 0, 0.1)),
    "pairwise_distance": (ROWS, lambda x: F.pairwise_distance(x, x.flip(1), 1.0, 0.1, True)),
    "bilinear": (ROWS, lambda x: F.bilinear(x, x, weight(2, 4, 4)(x))),
    "einsum": (ROWS, lambda x: torch.einsum("ij,kj->ik", x, x)),
    "addmm": (ROWS, lambda x: torch.addmm(x, x @ x.t(), x, beta=0.3, alpha=0.4)),
    "addcmul": (ROWS, lambda x: torch.addcmul(x, x, x, value=0.3)),
    "attention": (
        SERIES,
        lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.3),
    ),
    "attention, mask": (
        SERIES,
        lambda x: F.scaled_dot_product_attention(x, x, x, x @ x.mT > 0, 0.2, scale=0.3),
    ),
    "embedding": (ROWS, lambda x: F.embedding(x.argmax(1), x[0].expand(4, 4), 1)),
    # reductions
    "norm": (ROWS, lambda x: x.norm(1, dim=1, keepdim=True)),
    "std": (ROWS, lambda x: x.std()),
    "var": (ROWS, lambda x: x.var(1, unbiased=False, keepdim=True)),
    "var_mean": (ROWS, lambda x: torch.var_mean(x, 1)),
    "sum": (ROWS, lambda x: x.sum((0, 1), keepdim=True)),
    "mean": (ROWS, lambda x: x.mean(1, True, dtype=torch.float32)),
    "max": (ROWS, lambda x: x.max(1, keepdim=True)),
    "max of two": (ROWS, lambda x: torch.max(x, x.flip(1))),
    "argmax": (ROWS, lambda x: x.argmax(1, True)),
    "logsumexp": (ROWS, lambda x: x.logsumexp((0, 1), True)),
    "topk": (ROWS, lambda x: x.topk(2, 1, False)),
    "sort": (ROWS, lambda x: x.sort(1, True)),
    # elements
    "clamp": (ROWS, lambda x: x.clamp(max=0.2)),
    "clamp between": (ROWS, lambda x: x.clamp(x.flip(1))),
    "a power of a number": (ROWS, lambda x: 2.0**x),
    "a difference, scaled": (ROWS, lambda x: torch.sub(x, x.flip(1), alpha=3)),
    "div, trunc": (ROWS, lambda x: torch.div(x, 0.3, rounding_mode="trunc")),
    "a number over": (ROWS, lambda x: 2 // x + 2 / x + (2 - x)),
    "masked_fill": (ROWS, lambda x: x.masked_fill(x > 0, float("-inf"))),
    "round": (ROWS, lambda x: torch.round(x, decimals=1)),
    # parts and shapes
    "split": (ROWS, lambda x: x.split([1, 3], 1)),
    "slices": (ROWS, lambda x: (x[:, 1:3], x[..., ::2], x[:, -2:], x[:, -1], x[:, None])),
    "roll": (ROWS, lambda x: x.roll(1, 1)),
    "repeat_interleave": (ROWS, lambda x: x.repeat_interleave(2, 1)),
    "half of the rows": (ROWS, lambda x: x[: x.shape[0] // 2]),
}
"""The sizes of an input, and a function of it."""


def groups(most=8):
    """Names of functions of one kind of input, as an export takes as long for one as for many."""
    of_size = {}
    for name, (sizes, _) in FUNCTIONS.items():
        of_size.setdefault(sizes, []).append(name)
    return [
        names[at : at + most] for names in of_size.values() for at in range(0, len(names), most)
    ]


@pytest.mark.parametrize("names", groups(), ids=" ".join)
def test_functions_are_written_back_with_their_options(names):
    chosen = [FUNCTIONS[name][1] for name in names]
    torch.manual_seed(0)
    together = Does(lambda x: tuple(function(x) for function in chosen))
    assert_written_back_equal(together, torch.randn(FUNCTIONS[names[0]][0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_alone_is_written_back_with_its_options(name):
    sizes, function = FUNCTIONS[name]
    torch.manual_seed(0)
    assert_written_back_equal(Does(function), torch.randn(sizes))


class Picked(nn.Module):
    def forward(self, given):
        return given["x"][given["rows"]]


def test_an_index_in_a_dict_is_written_back():
    assert_written_back_equal(Picked(), {"x": torch.randn(3, 4), "rows": torch.tensor([2, 0])})
