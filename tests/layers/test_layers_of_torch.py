"""More functions and layers that torch.nn has, in float64 beside torch's."""

from __future__ import annotations

import inspect

import pytest
import torch
from closeness import assert_close
from layers.torch_pairs import DOUBLE, check
from ops.against_torch import compare, labels, random
from torch.nn import functional

import graphnet as gn
from graphnet import ops

VOLUMES, IMAGES, SERIES = random(2, 3, 5, 6, 4), random(2, 4, 5, 7), random(2, 3, 8)
SCORES, TARGET = random(5, 4), labels((5,), 4)
SEVERAL = torch.tensor([[0, 2, -1, 1], [3, 3, 1, -1], [-1, 0, 0, 0], [0, 1, 2, 3], [2, -1, -1, -1]])
TABLE, WORDS, BAGS = random(6, 3), labels((7,), 6), torch.tensor([0, 2, 2, 5])
ENDS = torch.tensor([0, 2, 5, 7])
POOLED, PLACES = functional.max_pool2d(IMAGES, 2, return_indices=True)
UNPOOLED = torch.arange(0, 24, 4).view(1, 1, 2, 3).expand(2, 4, 2, 3).contiguous()
RESIZED = [
    *[
        (x, {"mode": mode, "align_corners": align, **size})
        for x, mode in ((IMAGES, "bicubic"), (VOLUMES, "trilinear"))
        for align in (False, True)
        for size in ({"size": 3}, {"size": 1}, {"scale_factor": 2}, {"scale_factor": 0.7})
    ],
    (IMAGES, {"size": (7, 9), "mode": "bicubic"}),
    (IMAGES, {"size": (2, 3), "mode": "area"}), (VOLUMES, {"scale_factor": 0.5, "mode": "area"}),
    (SERIES, {"size": 5, "mode": "area"}), (VOLUMES, {"size": (3, 4, 9), "mode": "nearest-exact"}),
    (IMAGES, {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True}),
    (SERIES, {"scale_factor": 1.7, "recompute_scale_factor": True}),
]  # fmt: skip
WINDOWS = [(2,), ((2, 3, 2), (1, 2, 3), 1), (3, 2, 1)]
TRANSPOSED = [
    {}, {"stride": 2, "padding": 1, "output_padding": 1},
    {"stride": (3, 1, 2), "dilation": (1, 2, 1), "groups": 3},
    {"dilation": 2, "stride": 2, "output_padding": 1},
]  # fmt: skip
REDUCTIONS = ("mean", "sum", "none")
CALLS = [
    *(("interpolate", (x,), options) for x, options in RESIZED),
    *(
        ("max_pool3d", (VOLUMES, *window), {"ceil_mode": ceil, "return_indices": True})
        for window in WINDOWS for ceil in (False, True)
    ),
    ("max_pool3d", (VOLUMES[0], 2), {"return_indices": True}),
    *(
        ("avg_pool3d", (VOLUMES, *window), options)
        for window in WINDOWS
        for options in (
            {}, {"ceil_mode": True}, {"count_include_pad": False}, {"divisor_override": 3}
        )
    ),
    *(
        (f"adaptive_{kind}_pool3d", (VOLUMES, size), {})
        for size in (2, (2, 3, None), (5, 6, 3), 1) for kind in ("avg", "max")
    ),
    *(
        ("adaptive_max_pool2d", (IMAGES, size), {"return_indices": True})
        for size in (2, (2, 3), (None, 3))
    ),
    ("adaptive_max_pool1d", (SERIES, 3), {"return_indices": True}),
    ("adaptive_max_pool1d", (SERIES[0], 3), {}), ("adaptive_avg_pool1d", (SERIES, 3), {}),
    *(
        ("conv_transpose3d", (VOLUMES, random(3, 2, 2, 3, 2), random(2 * o.get("groups", 1))), o)
        for o in TRANSPOSED
    ),
    ("conv_transpose3d", (VOLUMES[0], random(3, 2, 2, 3, 2)), {}),
    ("channel_shuffle", (IMAGES, 2), {}),
    *(
        ("local_response_norm", (x, size), {"alpha": 0.3, "beta": 0.8, "k": 1.5})
        for x in (IMAGES, VOLUMES, SERIES) for size in (1, 2, 3, 5)
    ),
    *(("multi_margin_loss", (SCORES, TARGET), {"reduction": each}) for each in REDUCTIONS),
    ("multi_margin_loss", (SCORES, TARGET, 2, 0.7), {}),
    *(("multilabel_margin_loss", (SCORES, SEVERAL), {"reduction": each}) for each in REDUCTIONS),
    ("multilabel_margin_loss", (SCORES[0], SEVERAL[0]), {}),
    *(
        ("embedding_bag", (*each, TABLE, *rest), {"mode": mode, "padding_idx": padding, **last})
        for mode in ("sum", "mean", "max") for padding in (None, 2, -1)
        for each, rest, last in (
            ((labels((4, 3), 6),), (), {}), ((WORDS,), (BAGS,), {}),
            ((WORDS,), (ENDS,), {"include_last_offset": True}),
        )
    ),
    ("max_unpool2d", (POOLED, UNPOOLED, 2), {}), ("max_unpool2d", (POOLED[0], UNPOOLED[0], 2), {}),
    ("max_unpool2d", (POOLED, PLACES, 2), {"output_size": (5, 7)}),
]  # fmt: skip

NO_SECOND = {"max_unpool2d", "embedding_bag", "multi_margin_loss", "multilabel_margin_loss"}
NO_SECOND |= {"interpolate"}
"""Functions of which torch has no second derivative, or one that is 0 everywhere."""


@pytest.mark.parametrize("place", range(len(CALLS)), ids=lambda n: f"{CALLS[n][0]}-{n}")
def test_functions_are_those_of_torch(place):
    """Values, indices, gradients, second gradients; and with a batch that is fed later."""
    name, arguments, options = CALLS[place]
    ours = getattr(ops, name)
    theirs = torch.channel_shuffle if name == "channel_shuffle" else getattr(functional, name)
    count = sum(isinstance(each, torch.Tensor) for each in arguments)
    tensors = [each for each in arguments if isinstance(each, torch.Tensor)]
    rest = arguments[count:]
    smooth = name not in NO_SECOND
    compare(
        lambda *x: ours(*x, *rest, **options),
        lambda *x: theirs(*x, *rest, **options),
        tensors,
        second=smooth,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_signs_and_weights(reduction):
    """torch has no derivative by the signs and the weights, so they stay as they are."""
    signs, weight = random(5, 4, seed=3).sign(), random(4, seed=4).abs()
    for ours, theirs in (
        (ops.soft_margin_loss, functional.soft_margin_loss),
        (ops.multi_margin_loss, functional.multi_margin_loss),
    ):
        rest = (signs,) if ours is ops.soft_margin_loss else (TARGET, 2, 0.7, weight)
        leaf = SCORES.clone().requires_grad_()
        with torch.enable_grad():
            expected = theirs(leaf, *rest, reduction=reduction)
            (grad,) = torch.autograd.grad(expected.sum(), leaf)
        graph = gn.Graph()
        x = graph.input((5, 4), name="x", dtype=DOUBLE, requires_grad=True)
        fixed = [
            graph.parameter(each, requires_grad=False) if isinstance(each, torch.Tensor) else each
            for each in rest
        ]
        found = ours(x, *fixed, reduction=reduction)
        graph.forward(x=SCORES, outputs=found)
        graph.backward(found, torch.ones_like(found.top))
        assert_close(found.top, expected.detach(), rtol=1e-12, atol=1e-12)
        assert_close(x.grad, grad, rtol=1e-12, atol=1e-12)


def test_factors_of_bags():
    for words, rest in ((labels((4, 3), 6), ()), (WORDS, (BAGS,))):
        factors = random(*words.shape, seed=5)

        def call(function, table, factors, words=words, rest=rest):
            fixed = [
                table.graph.parameter(each, requires_grad=False)
                if isinstance(table, gn.Node) else each
                for each in (words, *rest)
            ]  # fmt: skip
            return function(fixed[0], table, *fixed[1:], mode="sum", per_sample_weights=factors)

        compare(
            lambda *x, call=call: call(ops.embedding_bag, *x),
            lambda *x, call=call: call(functional.embedding_bag, *x),
            (TABLE, factors),
            second=False,
        )


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("alpha_dropout", SERIES), ("feature_alpha_dropout", IMAGES), ("dropout3d", VOLUMES),
    ],
)  # fmt: skip
def test_dropouts_draw_as_torch_does(name, x, p):
    for training in (True, False):
        found = []
        for library in (functional, ops):
            torch.manual_seed(3)
            found.append(getattr(library, name)(x, p, training))
        assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)
    graph = gn.Graph()
    node = graph.input(tuple(x.shape), name="x", dtype=DOUBLE)
    y = getattr(ops, name)(node, p)
    for training in (True, False):
        graph.train(training)
        torch.manual_seed(3)
        expected = getattr(functional, name)(x, p, training)
        torch.manual_seed(3)
        assert_close(graph.forward(x=x, outputs=y), expected, rtol=1e-12, atol=1e-12)


def test_rrelu_draws_slopes_in_training():
    layer, x = gn.RReLU(0.2, 0.6), random(1000)
    assert_close(layer.eval().forward(x), functional.rrelu(x, 0.2, 0.6), rtol=1e-12, atol=1e-12)
    slopes = (layer.train().forward(x) / x)[x < 0]
    assert 0.2 <= slopes.min() < 0.21
    assert 0.59 < slopes.max() <= 0.6
    assert_close(layer.forward(x)[x > 0], x[x > 0], rtol=0, atol=0)


LAYERS = {
    "AvgPool3d": ((2, 1, 1), {"count_include_pad": False}, VOLUMES),
    "MaxPool3d": ((2,), {"return_indices": False}, VOLUMES),
    "AdaptiveAvgPool1d": ((3,), {}, SERIES),
    "AdaptiveAvgPool3d": (((2, None, 3),), {}, VOLUMES),
    "AdaptiveMaxPool1d": ((3,), {}, SERIES),
    "AdaptiveMaxPool2d": (((2, 3),), {}, IMAGES),
    "AdaptiveMaxPool3d": ((2,), {}, VOLUMES),
    "ConvTranspose3d": ((3, 2, 2), {"stride": 2, "dtype": DOUBLE}, VOLUMES),
    "LocalResponseNorm": ((3,), {"alpha": 0.3}, IMAGES),
    "ChannelShuffle": ((2,), {}, IMAGES),
    "Upsample": ((), {"scale_factor": 1.5, "mode": "bicubic", "align_corners": True}, IMAGES),
    "Dropout3d": ((0.0,), {}, VOLUMES),
    "AlphaDropout": ((0.0,), {}, SERIES),
    "FeatureAlphaDropout": ((0.0,), {}, IMAGES),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_those_of_torch(name):
    arguments, options, x = LAYERS[name]
    theirs = getattr(torch.nn, name)(*arguments, **options)
    ours = getattr(gn, name)(*arguments, **options)
    ours.load_state_dict(theirs.state_dict())
    check(ours, theirs, x)


@pytest.mark.parametrize("name", [*LAYERS, "EmbeddingBag", "RReLU", "MaxUnpool2d"])
def test_arguments_have_torchs_names_and_defaults(name):
    ours, theirs = (
        {
            key: each.default
            for key, each in inspect.signature(getattr(library, name).__init__).parameters.items()
            if key not in ("self", "device", "dtype", "generator", "_weight", "_freeze")
        }
        for library in (gn, torch.nn)
    )
    assert list(ours) == list(theirs)
    for key, default in theirs.items():
        assert ours[key] == default or key in ("stride", "output_padding")


def test_layers_of_several_inputs_are_those_of_torch():
    ours, theirs = gn.MaxUnpool2d(2), torch.nn.MaxUnpool2d(2)
    found = ours.forward(POOLED, UNPOOLED)
    assert_close(found, theirs(POOLED, UNPOOLED), rtol=0, atol=0)
    for mode in ("sum", "mean", "max"):
        theirs = torch.nn.EmbeddingBag(6, 3, mode=mode, padding_idx=1, dtype=DOUBLE)
        ours = gn.EmbeddingBag(6, 3, mode=mode, padding_idx=1, dtype=DOUBLE)
        ours.load_state_dict(theirs.state_dict())
        found = ours.forward(WORDS, BAGS)
        assert_close(found, theirs(WORDS, BAGS).detach(), rtol=1e-12, atol=1e-12)
    pairs = {
        (gn.LossSoftMargin(), torch.nn.SoftMarginLoss()): (SCORES, random(5, 4, seed=3).sign()),
        (gn.LossMultiMargin(2, 0.5), torch.nn.MultiMarginLoss(2, 0.5)): (SCORES, TARGET),
        (gn.LossMultiLabelMargin(), torch.nn.MultiLabelMarginLoss()): (SCORES, SEVERAL),
    }
    for (ours, theirs), inputs in pairs.items():
        assert_close(ours.forward(*inputs), theirs(*inputs), rtol=1e-12, atol=1e-12)


REFUSED = {
    "a matrix with offsets": (
        lambda: ops.embedding_bag(labels((4, 3), 6), TABLE, BAGS), "offsets are for a vector"
    ),
    "a vector without": (lambda: ops.embedding_bag(WORDS, TABLE), "offsets are for a vector"),
    "factors of a mean": (
        lambda: ops.embedding_bag(labels((4, 3), 6), TABLE, per_sample_weights=random(4, 3)),
        "per_sample_weights",
    ),
    "groups": (lambda: ops.channel_shuffle(IMAGES, 3), "that 3 groups divide"),
    "channels": (lambda: ops.local_response_norm(SCORES, 2), r"takes \(n, c"),
    "windows": (lambda: ops.adaptive_avg_pool3d(VOLUMES, (2, 3)), "one integer, or 3"),
    "no volume": (lambda: ops.adaptive_max_pool3d(SERIES, 2), "4 or 5 dimensions"),
    "power": (lambda: ops.multi_margin_loss(SCORES, TARGET, 3), "1 or 2"),
    "targets": (lambda: ops.soft_margin_loss(SCORES, TARGET), "are no targets"),
    "bounds": (lambda: gn.RReLU(0.5, 0.2), "lower"),
    "long output": (
        lambda: ops.conv_transpose3d(VOLUMES, random(3, 2, 2, 2, 2), output_padding=1),
        "output_padding must be smaller",
    ),
    "two ratios": (
        lambda: ops.interpolate(SERIES, 3, recompute_scale_factor=True), "needs a scale_factor"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    call, message = REFUSED[name]
    with pytest.raises(gn.GraphError, match=message):
        call()
