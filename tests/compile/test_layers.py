"""Fifty compiled steps of every layer equal fifty walked steps."""

from __future__ import annotations

import inspect

import pytest
import torch
from compile.training import (
    DOUBLE,
    assert_same,
    assert_same_training,
    model_training,
    randn,
    seeded,
)

import graphnet as gn
from graphnet import layers


def sequential(*modules):
    return lambda: gn.Sequential(*[make() for make in modules])


def linear(*sizes):
    return lambda: gn.Linear(*sizes)


class Branches(gn.Module):
    """A user's own module, with a list of modules that are shared and summed."""

    def __init__(self):
        super().__init__()
        self.parts = gn.ModuleList([gn.Linear(3, 3), gn.Linear(3, 3)])

    def build(self, x):
        first, second = self.parts
        return first(x).tanh() * second(first(x))


class Named(gn.Module):
    """Modules in a dict, and parameters in a list and in a dict."""

    def __init__(self):
        self.parts = gn.ModuleDict({"first": gn.Linear(3, 3), "second": gn.Linear(3, 3)})
        self.factors = gn.ParameterList([torch.full((3,), 0.5), torch.full((3,), -0.5)])
        self.shifts = gn.ParameterDict({"shift": torch.full((3,), 0.1)})

    def build(self, x):
        for part, factor in zip(self.parts.values(), self.factors, strict=True):
            x = part(x).tanh() * factor + self.shifts["shift"]
        return x


class Attention(gn.Module):
    """Self-attention of a sequence."""

    def __init__(self, **options):
        super().__init__()
        self.attention = gn.MultiheadAttention(4, 2, batch_first=True, **options)

    def build(self, x):
        return self.attention(x, x, x)[0]


class Decoder(gn.Module):
    """A decoder that reads its own input, before it is normalized."""

    def __init__(self):
        super().__init__()
        layer = gn.TransformerDecoderLayer(4, 2, 5, dropout=0.0, batch_first=True, norm_first=True)
        self.decoder = gn.TransformerDecoder(layer, 2, gn.LayerNorm(4))

    def build(self, x):
        return self.decoder(x, x)


class Steps(gn.Module):
    """A cell, run over three steps by hand."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def build(self, x):
        state = None
        for place in range(3):
            given = (x[:, place],) if state is None else (x[:, place], state)
            state = self.cell(*given)
        return state[0] if isinstance(state, tuple) else state


ROWS, IMAGE, SIGNAL, SEQUENCE = (4, 3), (3, 2, 6, 6), (3, 2, 8), (3, 4, 4)


class Unpooled(gn.Module):
    """Pixels that are put back where they were."""

    def __init__(self):
        self.conv = gn.Conv2d(2, 3, 1)
        self.pool, self.unpool = gn.MaxPool2d(2, return_indices=True), gn.MaxUnpool2d(2)

    def build(self, x):
        return self.unpool(*self.pool(self.conv(x)))


LAYERS = {
    "Linear": (linear(3, 4), ROWS),
    "Linear without bias": (lambda: gn.Linear(3, 4, bias=False), ROWS),
    "Linear on a sequence": (linear(4, 2), SEQUENCE),
    "Conv1d": (lambda: gn.Conv1d(2, 3, 3, padding=1), SIGNAL),
    "Conv1d strided": (lambda: gn.Conv1d(2, 4, 3, stride=2, dilation=2, groups=2), SIGNAL),
    "Conv2d": (lambda: gn.Conv2d(2, 3, 3), IMAGE),
    "Conv2d with options": (
        lambda: gn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=False),
        IMAGE,
    ),
    "Conv2d dilated": (lambda: gn.Conv2d(2, 3, 2, padding=(1, 0), dilation=2), IMAGE),
    "Conv2d of one pixel": (lambda: gn.Conv2d(2, 3, 1), IMAGE),
    "Conv2d same": (lambda: gn.Conv2d(2, 3, 3, padding="same"), IMAGE),
    "two Conv2d with pool": (
        sequential(
            lambda: gn.Conv2d(2, 4, 3, padding=1),
            gn.ReLU,
            lambda: gn.MaxPool2d(2),
            lambda: gn.Conv2d(4, 3, 2),
            gn.Tanh,
            gn.Flatten,
            lambda: gn.Linear(12, 3),
        ),
        IMAGE,
    ),
    "ConvTranspose2d": (lambda: gn.ConvTranspose2d(2, 3, 3), IMAGE),
    "ConvTranspose2d with options": (
        lambda: gn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
        IMAGE,
    ),
    "MaxPool2d": (
        sequential(lambda: gn.Conv2d(2, 2, 1), lambda: gn.MaxPool2d(3, stride=2, padding=1)),
        IMAGE,
    ),
    "MaxPool2d up": (
        sequential(lambda: gn.Conv2d(2, 2, 1), lambda: gn.MaxPool2d(4, 3, ceil_mode=True)),
        IMAGE,
    ),
    "AvgPool2d": (sequential(lambda: gn.Conv2d(2, 2, 1), lambda: gn.AvgPool2d(2)), IMAGE),
    "AvgPool2d with options": (
        sequential(
            lambda: gn.Conv2d(2, 2, 1),
            lambda: gn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        ),
        IMAGE,
    ),
    "AdaptiveAvgPool2d": (
        sequential(lambda: gn.Conv2d(2, 2, 1), lambda: gn.AdaptiveAvgPool2d(2)),
        IMAGE,
    ),
    "ConvTranspose1d, PReLU, MaxPool1d, AvgPool1d, Dropout1d": (
        sequential(
            lambda: gn.ConvTranspose1d(2, 4, 3, stride=2, groups=2),
            gn.PReLU,
            lambda: gn.MaxPool1d(2),
            lambda: gn.AvgPool1d(2, padding=1),
            lambda: gn.Dropout1d(0.3),
        ),
        SIGNAL,
    ),
    "PixelShuffle, Upsample, PixelUnshuffle, Dropout2d, Unflatten": (
        sequential(
            lambda: gn.Conv2d(2, 4, 1),
            lambda: gn.PixelShuffle(2),
            lambda: gn.Upsample(size=(5, 7), mode="bilinear"),
            lambda: gn.Upsample(scale_factor=2),
            lambda: gn.PixelUnshuffle(2),
            lambda: gn.Dropout2d(0.3),
            lambda: gn.Unflatten(1, (2, 2)),
        ),
        IMAGE,
    ),
    "Conv3d, MaxPool3d": (
        sequential(
            lambda: gn.Unflatten(1, (1, 2)),
            lambda: gn.Conv3d(1, 2, (2, 3, 3), padding=(0, 1, 1)),
            lambda: gn.MaxPool3d((1, 2, 2)),
        ),
        IMAGE,
    ),
    "ConvTranspose3d, AvgPool3d, AdaptiveAvgPool3d, AdaptiveMaxPool3d, Dropout3d": (
        sequential(
            lambda: gn.Unflatten(1, (1, 2)),
            lambda: gn.ConvTranspose3d(1, 2, (2, 3, 3), stride=(1, 2, 1)),
            lambda: gn.AvgPool3d((1, 2, 2)),
            lambda: gn.Dropout3d(0.3),
            lambda: gn.AdaptiveMaxPool3d((2, None, 3)),
            lambda: gn.AdaptiveAvgPool3d((1, 2, 2)),
        ),
        IMAGE,
    ),
    "ChannelShuffle, LocalResponseNorm, RReLU, FeatureAlphaDropout, AdaptiveMaxPool2d": (
        sequential(
            lambda: gn.Conv2d(2, 4, 1),
            lambda: gn.ChannelShuffle(2),
            lambda: gn.LocalResponseNorm(3, alpha=0.5),
            gn.RReLU,
            lambda: gn.FeatureAlphaDropout(0.3),
            lambda: gn.Upsample(scale_factor=1.5, mode="bicubic"),
            lambda: gn.AdaptiveMaxPool2d(3),
        ),
        IMAGE,
    ),
    "AdaptiveMaxPool1d, AdaptiveAvgPool1d, AlphaDropout": (
        sequential(
            lambda: gn.Conv1d(2, 3, 1),
            lambda: gn.AlphaDropout(0.3),
            lambda: gn.AdaptiveMaxPool1d(4),
            lambda: gn.AdaptiveAvgPool1d(3),
        ),
        SIGNAL,
    ),
    "MaxUnpool2d": (Unpooled, IMAGE),
    "weight_norm, spectral_norm, remove_parametrizations": (
        sequential(
            lambda: gn.weight_norm(gn.Linear(3, 4)),
            lambda: gn.spectral_norm(gn.Linear(4, 3)),
            lambda: gn.remove_parametrizations(gn.weight_norm(gn.Linear(3, 2))),
        ),
        ROWS,
    ),
    "TransformerEncoder of TransformerEncoderLayer": (
        lambda: gn.TransformerEncoder(
            gn.TransformerEncoderLayer(4, 2, 5, dropout=0.2, batch_first=True), 2
        ),
        SEQUENCE,
    ),
    "TransformerDecoder of TransformerDecoderLayer": (Decoder, SEQUENCE),
    "BatchNorm1d": (sequential(linear(3, 4), lambda: gn.BatchNorm1d(4)), ROWS),
    "BatchNorm1d cumulative": (
        sequential(linear(3, 4), lambda: gn.BatchNorm1d(4, momentum=None)),
        ROWS,
    ),
    "BatchNorm1d plain": (
        sequential(
            linear(3, 4), lambda: gn.BatchNorm1d(4, affine=False, track_running_stats=False)
        ),
        ROWS,
    ),
    "BatchNorm2d": (sequential(lambda: gn.Conv2d(2, 3, 3), lambda: gn.BatchNorm2d(3)), IMAGE),
    "InstanceNorm2d": (
        sequential(lambda: gn.Conv2d(2, 3, 3), lambda: gn.InstanceNorm2d(3, affine=True)),
        IMAGE,
    ),
    "LayerNorm": (sequential(linear(3, 5), lambda: gn.LayerNorm(5)), ROWS),
    "GroupNorm": (sequential(lambda: gn.Conv2d(2, 4, 3), lambda: gn.GroupNorm(2, 4)), IMAGE),
    "RMSNorm": (sequential(linear(3, 5), lambda: gn.RMSNorm(5)), ROWS),
    "Dropout": (sequential(linear(3, 5), lambda: gn.Dropout(0.4), linear(5, 2)), ROWS),
    "Dropout with a generator": (
        sequential(linear(3, 5), lambda: gn.Dropout(0.4, generator=seeded(3)), linear(5, 2)),
        ROWS,
    ),
    "Dropout of all": (sequential(linear(3, 5), lambda: gn.Dropout(1.0), linear(5, 2)), ROWS),
    "Dropout of none": (sequential(linear(3, 5), lambda: gn.Dropout(0.0), linear(5, 2)), ROWS),
    "attention": (Attention, SEQUENCE),
    "attention with dropout": (lambda: Attention(dropout=0.3), SEQUENCE),
    "attention without bias": (lambda: Attention(bias=False), SEQUENCE),
    "RNN": (lambda: gn.RNN(4, 3, batch_first=True), SEQUENCE),
    "RNN relu": (lambda: gn.RNN(4, 3, nonlinearity="relu", batch_first=True), SEQUENCE),
    "LSTM": (lambda: gn.LSTM(4, 3, batch_first=True), SEQUENCE),
    "LSTM of two layers": (
        lambda: gn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True),
        SEQUENCE,
    ),
    "GRU": (lambda: gn.GRU(4, 3, bias=False, batch_first=True), SEQUENCE),
    "RNNCell": (lambda: Steps(gn.RNNCell(4, 3)), SEQUENCE),
    "LSTMCell": (lambda: Steps(gn.LSTMCell(4, 3)), SEQUENCE),
    "GRUCell": (lambda: Steps(gn.GRUCell(4, 3)), SEQUENCE),
    "Residual": (lambda: gn.Residual(gn.Linear(3, 3)), ROWS),
    "ModuleList": (Branches, ROWS),
    "ModuleDict, ParameterList, ParameterDict": (Named, ROWS),
    "Flatten": (sequential(gn.Flatten, linear(16, 2)), SEQUENCE),
    "Identity": (sequential(linear(3, 3), gn.Identity), ROWS),
    "Softmax": (sequential(linear(3, 4), lambda: gn.Softmax(-1)), ROWS),
    "LogSoftmax": (sequential(linear(3, 4), lambda: gn.LogSoftmax(1)), ROWS),
}
ACTIVATIONS = [
    "ELU", "GELU", "SELU", "Hardtanh", "LeakyReLU", "Mish", "ReLU", "ReLU6", "Sigmoid", "SiLU",
    "Softplus", "Tanh",
]  # fmt: skip
LAYERS |= {
    name: (sequential(linear(3, 8), getattr(gn, name), linear(8, 2)), ROWS) for name in ACTIVATIONS
}


def training(make, shape, dtype=DOUBLE):
    torch.manual_seed(0)

    def output(y):
        return y[0] if isinstance(y, tuple) else y

    return model_training(make(), (None, *shape[1:]), dtype=dtype, output=output, momentum=0.9)


def feeds(shape, dtype=DOUBLE):
    return [{"x": randn(*shape, seed=number, dtype=dtype)} for number in range(4)]


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    make, shape = LAYERS[name]
    assert_same_training(lambda: training(make, shape), feeds(shape))


TUNED = ("Linear", "Conv1d strided", "Conv2d with options", "two Conv2d with pool",
         "ConvTranspose2d with options", "AvgPool2d with options", "Conv3d, MaxPool3d",
         "BatchNorm2d", "InstanceNorm2d", "LayerNorm", "Dropout", "attention with dropout",
         "LSTM of two layers", "GRUCell", "GELU")  # fmt: skip
"""Layers of each kind; the others are slow, as they meet the same kernels."""


@pytest.mark.parametrize(
    "name",
    [name if name in TUNED else pytest.param(name, marks=pytest.mark.slow) for name in LAYERS],
)
def test_layer_in_float32_with_tuning(name):
    make, shape = LAYERS[name]
    # The kernels chosen by measuring sum in other orders: 1e-7 of rounding at each of a few
    # hundred sums in five steps, some of which cancel.
    assert_same_training(
        lambda: training(make, shape, torch.float32),
        feeds(shape, torch.float32),
        steps=5,
        options={"tune": True},
        rtol=2e-4,
        atol=2e-5,
    )


@pytest.mark.parametrize("name", LAYERS)
def test_prediction_of_layer(name):
    """Values and running statistics are those of the walk, in both modes."""
    make, shape = LAYERS[name]
    ours, theirs = training(make, shape), training(make, shape)
    predict = ours.graph.compile(ours.loss, tune=False)
    for number, feed in enumerate(feeds(shape)):
        for each in (ours, theirs):
            each.graph.train(number != 1)
        torch.manual_seed(number)
        mine = predict(feed)
        torch.manual_seed(number)
        assert_same(mine, theirs.graph.forward(feed, outputs=theirs.loss))
        assert_same(ours.state(), theirs.state())


def test_embedding_and_padding():
    def make():
        torch.manual_seed(0)
        model = gn.Sequential(gn.Embedding(7, 4, padding_idx=2), gn.Linear(4, 3))
        return model_training(model, (None, 5), input_dtype=torch.int64)

    def make_bags():
        torch.manual_seed(0)
        model = gn.Sequential(gn.EmbeddingBag(7, 4, padding_idx=2), gn.Linear(4, 3))
        return model_training(model, (None, 5), input_dtype=torch.int64)

    batches = [
        {"x": torch.randint(0, 7, (rows, 5), generator=seeded(rows))} for rows in (3, 4, 3, 1)
    ]
    assert_same_training(make, batches)
    assert_same_training(make_bags, batches)


def test_every_layer_is_here():
    text = (
        " ".join(LAYERS)
        + inspect.getsource(test_embedding_and_padding)
        + inspect.getsource(Attention)
    )
    known = {name for name in layers.__all__ if name not in ("Module", "Sequential")}
    assert {name for name in known if name not in text} == set()


@pytest.mark.parametrize(
    "name", ["Dropout", "BatchNorm1d", "BatchNorm2d", "attention with dropout"]
)
def test_modes_by_turns(name):
    """Training and evaluation mode change at each step, with batches of other sizes."""
    make, shape = LAYERS[name]
    ours, theirs = training(make, shape), training(make, shape)
    step = ours.compiled()
    for number in range(30):
        feed = {"x": randn(2 + number % 3, *shape[1:], seed=number)}
        for each in (ours, theirs):
            each.graph.train(number % 4 < 2)
        torch.manual_seed(number)
        mine = step(feed)
        torch.manual_seed(number)
        assert_same(mine, theirs.walk(feed))
    assert_same(ours.state(), theirs.state())
