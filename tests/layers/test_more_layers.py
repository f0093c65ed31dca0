"""Resampling, series, whole channels, transformers: in float64 beside torch.nn."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from layers.torch_pairs import DOUBLE, check, randn, seeded
from ops.against_torch import compare, random
from torch.nn import functional

import graphnet as gn
from graphnet import ops

SERIES, IMAGES, VOLUMES = random(2, 3, 7), random(2, 3, 4, 6), random(1, 2, 3, 4, 2)

SAME_NAME = {
    "max_pool1d": [((3,), {}), ((3, 2, 1), {"ceil_mode": True}), ((2, 1, 0, 2), {})],
    "avg_pool1d": [((3,), {}), ((3, 2, 1), {"count_include_pad": False}), ((2, 3), {})],
}
NEW_SIZES = [
    (SERIES, {"size": 4}), (SERIES, {"scale_factor": 2}), (SERIES, {"scale_factor": 1.7}),
    (IMAGES, {"size": (7, 5)}), (IMAGES, {"scale_factor": (2, 0.5)}), (IMAGES, {"size": 3}),
    (VOLUMES, {"scale_factor": 2}), (IMAGES, {"scale_factor": 2, "mode": "nearest-exact"}),
    (IMAGES, {"size": (3, 11), "mode": "nearest-exact"}),
    *[
        (x, {"mode": mode, "align_corners": align, **size})
        for x, mode in ((SERIES, "linear"), (IMAGES, "bilinear"))
        for align in (False, True)
        for size in ({"size": 9}, {"size": 1}, {"scale_factor": 2}, {"scale_factor": 0.6})
    ],
]  # fmt: skip


def volumes_of(groups=1, padding=0, **_):
    """Volumes, a weight and a bias."""
    kernel = KERNELS[padding == "same"]
    return random(2, 4, 4, 5, 6), random(6, 4 // groups, *kernel), random(6)


KERNELS = {False: (2, 3, 2), True: (3, 1, 3)}
"""Of volumes: torch warns of even sizes that are padded to stay the same."""

CALLS = {
    **{
        f"{name}, {place}": (getattr(ops, name), getattr(functional, name), (SERIES,), *each)
        for name, calls in SAME_NAME.items()
        for place, each in enumerate(calls)
    },
    **{
        f"interpolate, {place}": (ops.interpolate, functional.interpolate, (x,), (), options)
        for place, (x, options) in enumerate(NEW_SIZES)
    },
    **{
        f"conv_transpose1d, {place}": (
            ops.conv_transpose1d, functional.conv_transpose1d,
            (SERIES, random(3, 4 // groups, 3), random(4)), (), {"groups": groups, **options},
        )
        for place, (groups, options) in enumerate(
            [(1, {}), (1, {"stride": 2, "padding": 1, "output_padding": 1, "dilation": 2})]
        )
    },
    "pixel_shuffle": (
        ops.pixel_shuffle, functional.pixel_shuffle, (random(2, 12, 2, 3),), (2,), {}
    ),
    "pixel_shuffle, no batch": (
        ops.pixel_shuffle, functional.pixel_shuffle, (random(9, 2, 3),), (3,), {}
    ),
    "pixel_unshuffle": (ops.pixel_unshuffle, functional.pixel_unshuffle, (IMAGES,), (2,), {}),
    **{
        f"conv3d, {place}": (
            ops.conv3d, functional.conv3d,
            volumes_of(**options),
            (), options,
        )
        for place, options in enumerate([
            {}, {"stride": (2, 1, 2), "padding": (1, 0, 2)}, {"dilation": 2, "groups": 2},
            {"padding": "same"},
        ])
    },
    **{
        f"max_pool3d, {place}": (
            ops.max_pool3d, functional.max_pool3d, (random(2, 3, 5, 6, 7),), rest, options
        )
        for place, (rest, options) in enumerate([
            ((2,), {}), (((2, 3, 2), (1, 2, 3), 1), {"ceil_mode": True}), ((2, 1, 0, 2), {}),
        ])
    },
    "prelu, one": (ops.prelu, functional.prelu, (SERIES, random(1)), (), {}),
    "prelu, channels": (ops.prelu, functional.prelu, (IMAGES, random(3)), (), {}),
    "prelu, rows": (ops.prelu, functional.prelu, (random(4, 3), random(3)), (), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_functions_are_those_of_torch(name):
    ours, theirs, tensors, rest, options = CALLS[name]
    pair = (lambda *x: ours(*x, *rest, **options)), (lambda *x: theirs(*x, *rest, **options))
    assert_close(pair[0](*tensors), pair[1](*tensors), rtol=1e-12, atol=1e-12)
    compare(*pair, tensors)
    if "no batch" in name:
        return
    graph = gn.Graph()  # the batch may be fed later; what is learned has known sizes
    x = graph.input((None, *tensors[0].shape[1:]), name="x", dtype=DOUBLE)
    rows = pair[0](x, *(graph.parameter(each) for each in tensors[1:]))
    found = graph.forward(x=tensors[0], outputs=rows)
    assert_close(found, pair[1](*tensors), rtol=1e-12, atol=1e-12)


def test_images_of_unknown_size_grow_by_whole_factors():
    compare(
        lambda x: ops.interpolate(x, scale_factor=2),
        lambda x: functional.interpolate(x, scale_factor=2),
        (IMAGES,),
        unknown=True,
    )
    x = gn.Graph().input((None, 3, None, 4), name="x")
    with pytest.raises(gn.ShapeError, match="whole scale_factor"):
        ops.interpolate(x, scale_factor=2, mode="bilinear")


def test_indices_of_the_largest_elements_of_series():
    found = ops.max_pool1d(SERIES, 3, return_indices=True)
    expected = functional.max_pool1d(SERIES, 3, return_indices=True)
    for ours, theirs in zip(found, expected, strict=True):
        assert_close(ours, theirs, rtol=0, atol=0)


LAYERS = {
    "MaxPool1d": ((3, 2, 1), {}, SERIES),
    "AvgPool1d": ((3,), {}, SERIES),
    "ConvTranspose1d": ((3, 4, 3), {"stride": 2, "padding": 1, "dtype": DOUBLE}, SERIES),
    "PReLU": ((3,), {"dtype": DOUBLE}, IMAGES),
    "Unflatten": ((1, (3, 1)), {}, SERIES),
    "PixelShuffle": ((2,), {}, random(1, 4, 2, 3)),
    "PixelUnshuffle": ((2,), {}, IMAGES),
    "Conv3d": ((2, 3, 2), {"padding": 1, "dtype": DOUBLE}, VOLUMES),
    "MaxPool3d": ((2, 1, 1), {}, VOLUMES),
    "Upsample": ((), {"scale_factor": 2, "mode": "bilinear"}, IMAGES),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_those_of_torch(name):
    arguments, options, x = LAYERS[name]
    theirs = getattr(torch.nn, name)(*arguments, **options)
    ours = getattr(gn, name)(*arguments, **options)
    ours.load_state_dict(theirs.state_dict())
    check(ours, theirs, x)


@pytest.mark.parametrize(("name", "x"), [("Dropout1d", SERIES), ("Dropout2d", IMAGES)])
def test_channels_are_dropped_as_torch_drops_them(name, x):
    theirs, ours = getattr(torch.nn, name)(0.4), getattr(gn, name)(0.4)
    torch.manual_seed(0)
    expected = theirs(x)
    torch.manual_seed(0)
    assert_close(ours(x), expected, rtol=1e-12, atol=1e-12)
    assert ours.eval()(x).equal(x)
    generator = torch.Generator()
    with gn.Graph() as graph:
        layer = getattr(gn, name)(0.4, generator=generator)
        y = layer(gn.Input((None, *x.shape[1:]), name="x", dtype=DOUBLE))
    walked = graph.forward(x=x, outputs=generator.manual_seed(1) and y).clone()
    for backend in ("torch", "c"):
        predict = graph.compile(y, backend=backend)
        generator.manual_seed(1)
        assert_close(predict(x=x), walked, rtol=1e-12, atol=1e-12)


MASK = torch.full((5, 5), float("-inf"), dtype=DOUBLE).triu(1)
PADDING = torch.zeros(4, 5, dtype=DOUBLE)
PADDING[0, 3:] = float("-inf")
SETTINGS = [
    {"norm_first": norm_first, "batch_first": batch_first, "activation": activation, "bias": bias}
    for norm_first, batch_first, activation, bias in [
        (False, False, "relu", True), (True, True, "gelu", True), (False, True, "gelu", False)
    ]
]  # fmt: skip


class Stack:
    """An encoder, and a decoder that reads it, with masks."""

    def __init__(self, kit, **options):
        super().__init__()
        sizes = (8, 2, 6, 0.0)
        nested = {} if kit is gn else {"enable_nested_tensor": False}
        self.encoder = kit.TransformerEncoder(
            kit.TransformerEncoderLayer(*sizes, dtype=DOUBLE, **options), 2,
            norm=kit.LayerNorm(8, dtype=DOUBLE), **nested,
        )  # fmt: skip
        self.decoder = kit.TransformerDecoder(
            kit.TransformerDecoderLayer(*sizes, dtype=DOUBLE, **options), 2
        )

    def run(self, x, y):
        memory = self.encoder(x, mask=MASK, src_key_padding_mask=PADDING)
        return self.decoder(
            y, memory, tgt_mask=MASK, memory_key_padding_mask=PADDING,
        ), memory  # fmt: skip


class Ours(Stack, gn.Module):
    build = Stack.run


class Theirs(Stack, torch.nn.Module):
    forward = Stack.run


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_transformers_are_those_of_torch(options):
    torch.manual_seed(0)
    theirs, ours = Theirs(torch.nn, **options), Ours(gn, **options)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.batch_dim = 0 if options["batch_first"] else 1
    shape = (4, 5, 8) if options["batch_first"] else (5, 4, 8)
    x, y = randn(shape, seeded(1)), randn(shape, seeded(2))
    with torch.enable_grad():
        check(ours, theirs, x, y)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("backend", ["torch", "c"])
def test_transformers_are_compiled(backend):
    torch.manual_seed(0)
    theirs, ours = Theirs(torch.nn), Ours(gn)
    ours.load_state_dict(theirs.state_dict())
    x, y = randn((5, 4, 8), seeded(1)), randn((5, 4, 8), seeded(2))
    with gn.Graph() as graph:
        nodes = [gn.Input((5, 4, 8), name=name, dtype=DOUBLE) for name in "xy"]
        loss = (ours(*nodes)[0] ** 2).mean()
    step = graph.compile(loss, gn.Adam(ours.parameters(), lr=0.01), backend=backend)
    adam = torch.optim.Adam(theirs.parameters(), lr=0.01)
    with torch.enable_grad():
        for _ in range(3):
            adam.zero_grad()
            wanted = (theirs(x, y)[0] ** 2).mean()
            wanted.backward()
            adam.step()
            assert_close(step(x=x, y=y), wanted.detach(), rtol=1e-9, atol=1e-9)


def test_dropout_of_a_layer_follows_its_mode():
    layer = gn.TransformerEncoderLayer(8, 2, 6, dropout=0.5)
    x = torch.randn(5, 4, 8)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


REFUSED = {
    "bilinear series": (lambda: ops.interpolate(SERIES, 2, mode="bilinear"), "does not take"),
    "both": (lambda: ops.interpolate(SERIES, 2, 2.0), "either size or"),
    "neither": (lambda: ops.interpolate(SERIES), "either size or"),
    "corners of nearest": (
        lambda: ops.interpolate(SERIES, 2, align_corners=True), "align_corners"
    ),
    "three sizes": (lambda: ops.interpolate(IMAGES, (2, 3, 4)), "one number, or 2"),
    "weights": (lambda: ops.prelu(IMAGES, random(4)), "each channel"),
    "a matrix of channels": (lambda: ops.pixel_shuffle(random(4, 2), 2), "images"),
    "an image in a series": (lambda: ops.max_pool1d(IMAGES, 2), "series"),
    "a row of dropout2d": (lambda: ops.dropout2d(random(3, 2)), "dimensions"),
    "an activation": (
        lambda: gn.TransformerEncoderLayer(8, 2, activation="tanh"), "relu"
    ),
    "an image as a volume": (lambda: ops.conv3d(SERIES, random(1, 1, 1, 1, 1)), "volumes"),
    "too deep a kernel": (
        lambda: ops.conv3d(VOLUMES, random(1, 2, 4, 1, 1)), "deeper"
    ),
    "no activation": (lambda: gn.TransformerEncoderLayer(8, 2, activation=3), "a function"),
    "no layers": (
        lambda: gn.TransformerEncoder(gn.TransformerEncoderLayer(8, 2), 0), "num_layers"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, message = REFUSED[name]
    with pytest.raises(gn.GraphError, match=message):
        call()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", [
    {"add_bias_kv": True}, {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True, "kdim": 3, "vdim": 5, "batch_first": True},
], ids=str)  # fmt: skip
def test_keys_that_are_added_to_attention(options, masked):
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(8, 2, dtype=DOUBLE, **options)
    ours = gn.MultiheadAttention(8, 2, dtype=DOUBLE, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    first = options.get("batch_first", False)
    sizes = (8, options.get("kdim", 8), options.get("vdim", 8))
    inputs = [randn((4, 5, s) if first else (5, 4, s), seeded(s)) for s in sizes]
    masks = {"key_padding_mask": PADDING, "attn_mask": MASK} if masked else {}
    leaves = [each.clone().requires_grad_() for each in inputs]
    with torch.enable_grad():
        expected, weights = theirs(*leaves, **masks)
        expected.square().sum().backward()
    found, shown = ours(*inputs, **masks)
    assert_close(found, expected.detach(), rtol=1e-12, atol=1e-12)
    assert_close(shown, weights.detach(), rtol=1e-12, atol=1e-12)
    grads = ours.backward(2 * found, torch.zeros_like(shown))
    for mine, leaf in zip(grads, leaves, strict=False):
        assert_close(mine, leaf.grad, rtol=1e-12, atol=1e-12)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(mine.grad, other.grad, rtol=1e-12, atol=1e-12)
