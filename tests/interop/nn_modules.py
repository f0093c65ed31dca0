"""torch.nn's own modules: how to make each, and inputs for it."""

from __future__ import annotations

import torch
from torch import nn


def images(*sizes):
    return lambda: (torch.randn(3, *sizes),)


def pairs(*sizes):
    return lambda: (torch.randn(3, *sizes), torch.randn(3, *sizes))


def signs(*sizes):
    return lambda: (torch.randn(3, *sizes), torch.randn(3, *sizes).sign())


def labels(*sizes):
    return lambda: (torch.randn(3, 4, *sizes), torch.randint(4, (3, *sizes)))


def unit(*sizes):
    return lambda: (torch.rand(3, *sizes) * 0.8 + 0.1, torch.rand(3, *sizes) * 0.8 + 0.1)


FOUR = images(4)

MODULES = {
    # linear
    "Identity": (nn.Identity, FOUR),
    "Linear": (lambda: nn.Linear(4, 3), FOUR),
    "Bilinear": (lambda: nn.Bilinear(4, 4, 3), pairs(4)),
    # convolution
    "Conv1d": (lambda: nn.Conv1d(2, 3, 3, 2, 1), images(2, 9)),
    "Conv2d": (lambda: nn.Conv2d(2, 4, 3, dilation=2, groups=2), images(2, 7, 6)),
    "Conv3d": (lambda: nn.Conv3d(2, 3, 2, padding=1), images(2, 3, 4, 3)),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(2, 3, 3, 2, 1, 1), images(2, 5)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), images(2, 4, 5)),
    "ConvTranspose3d": (lambda: nn.ConvTranspose3d(2, 3, 2), images(2, 3, 3, 3)),
    "Unfold": (lambda: nn.Unfold(2, padding=1), images(2, 4, 4)),
    "Fold": (lambda: nn.Fold((4, 4), 2, stride=2), images(8, 4)),
    # pooling
    "MaxPool1d": (lambda: nn.MaxPool1d(2), images(2, 7)),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True), images(2, 6, 6)),
    "MaxPool3d": (lambda: nn.MaxPool3d(2), images(2, 4, 4, 4)),
    "MaxUnpool2d": (
        lambda: nn.MaxUnpool2d(2),
        lambda: (torch.randn(3, 2, 2, 2), torch.arange(0, 16, 4).view(2, 2).expand(3, 2, 2, 2)),
    ),
    "FractionalMaxPool2d": (lambda: nn.FractionalMaxPool2d(2, output_size=3), images(2, 6, 6)),
    "AvgPool1d": (lambda: nn.AvgPool1d(3, 2, 1), images(2, 7)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), images(2, 6, 6)),
    "AvgPool3d": (lambda: nn.AvgPool3d(2), images(2, 4, 4, 4)),
    "LPPool1d": (lambda: nn.LPPool1d(2, 3), images(2, 9)),
    "LPPool2d": (lambda: nn.LPPool2d(2, 2), images(2, 4, 4)),
    "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(3), images(2, 7)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), images(2, 5, 7)),
    "AdaptiveAvgPool3d": (lambda: nn.AdaptiveAvgPool3d(2), images(2, 4, 4, 4)),
    "AdaptiveMaxPool1d": (lambda: nn.AdaptiveMaxPool1d(3), images(2, 6)),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(2), images(2, 4, 6)),
    "AdaptiveMaxPool3d": (lambda: nn.AdaptiveMaxPool3d(2), images(2, 4, 4, 4)),
    # padding
    "ConstantPad1d": (lambda: nn.ConstantPad1d(2, 3.5), images(2, 4)),
    "ConstantPad2d": (lambda: nn.ConstantPad2d((1, 0, 2, 1), 0.5), images(2, 4, 4)),
    "ConstantPad3d": (lambda: nn.ConstantPad3d(1, 0.5), images(2, 2, 2, 2)),
    "ZeroPad1d": (lambda: nn.ZeroPad1d(1), images(2, 4)),
    "ZeroPad2d": (lambda: nn.ZeroPad2d((1, 2, 0, 1)), images(2, 4, 4)),
    "ZeroPad3d": (lambda: nn.ZeroPad3d(1), images(2, 2, 2, 2)),
    "ReflectionPad1d": (lambda: nn.ReflectionPad1d(2), images(2, 5)),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d((1, 2, 2, 1)), images(2, 4, 4)),
    "ReflectionPad3d": (lambda: nn.ReflectionPad3d(1), images(2, 3, 3, 3)),
    "ReplicationPad1d": (lambda: nn.ReplicationPad1d(2), images(2, 5)),
    "ReplicationPad2d": (lambda: nn.ReplicationPad2d((1, 2, 2, 1)), images(2, 4, 4)),
    "ReplicationPad3d": (lambda: nn.ReplicationPad3d(1), images(2, 3, 3, 3)),
    "CircularPad1d": (lambda: nn.CircularPad1d(2), images(2, 5)),
    "CircularPad2d": (lambda: nn.CircularPad2d((1, 2, 2, 1)), images(2, 4, 4)),
    "CircularPad3d": (lambda: nn.CircularPad3d(1), images(2, 3, 3, 3)),
    # activations
    **{
        name: (getattr(nn, name), FOUR)
        for name in (
            *("ReLU", "ReLU6", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh"),
            *("LogSigmoid", "Softplus", "Softsign", "Tanhshrink", "Hardtanh", "Hardsigmoid"),
            *("Hardswish", "Hardshrink", "Softshrink", "LeakyReLU", "PReLU", "GLU", "RReLU"),
        )
    },
    "Threshold": (lambda: nn.Threshold(0.1, 20.0), FOUR),
    "Softmax": (lambda: nn.Softmax(1), FOUR),
    "Softmin": (lambda: nn.Softmin(1), FOUR),
    "Softmax2d": (nn.Softmax2d, images(3, 2, 2)),
    "LogSoftmax": (lambda: nn.LogSoftmax(-1), FOUR),
    "MultiheadAttention": (
        lambda: nn.MultiheadAttention(6, 2, batch_first=True),
        lambda: (torch.randn(3, 4, 6),) * 3,
    ),
    # normalization
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), FOUR),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(2, momentum=None), images(2, 3, 3)),
    "BatchNorm3d": (lambda: nn.BatchNorm3d(2), images(2, 2, 2, 3)),
    "SyncBatchNorm": (lambda: nn.SyncBatchNorm(2), images(2, 3, 3)),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(2), images(2, 5)),
    "InstanceNorm2d": (
        lambda: nn.InstanceNorm2d(2, affine=True, track_running_stats=True),
        images(2, 3, 3),
    ),
    "InstanceNorm3d": (lambda: nn.InstanceNorm3d(2), images(2, 2, 2, 3)),
    "LayerNorm": (lambda: nn.LayerNorm((2, 4)), images(2, 4)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), images(4, 3)),
    "RMSNorm": (lambda: nn.RMSNorm(4), FOUR),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), images(4, 3, 3)),
    "CrossMapLRN2d": (lambda: nn.CrossMapLRN2d(2), images(4, 3, 3)),
    # recurrent
    "RNN": (lambda: nn.RNN(3, 4, batch_first=True), images(5, 3)),
    "LSTM": (lambda: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), images(4, 3)),
    "GRU": (lambda: nn.GRU(3, 4, 2, batch_first=True), images(4, 3)),
    "RNNCell": (lambda: nn.RNNCell(3, 4), images(3)),
    "LSTMCell": (lambda: nn.LSTMCell(3, 4), images(3)),
    "GRUCell": (lambda: nn.GRUCell(3, 4), images(3)),
    # transformers
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True),
        images(3, 4),
    ),
    "TransformerDecoderLayer": (
        lambda: nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True),
        pairs(3, 4),
    ),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True),
            2,
            enable_nested_tensor=False,
        ),
        images(3, 4),
    ),
    "TransformerDecoder": (
        lambda: nn.TransformerDecoder(
            nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True), 1
        ),
        pairs(3, 4),
    ),
    "Transformer": (lambda: nn.Transformer(4, 2, 1, 1, 6, 0.0, batch_first=True), pairs(3, 4)),
    # dropout, which drops nothing here: what it draws is compared in the zoo
    "Dropout": (lambda: nn.Dropout(0.0), FOUR),
    "Dropout1d": (lambda: nn.Dropout1d(0.0), images(2, 3)),
    "Dropout2d": (lambda: nn.Dropout2d(0.0), images(2, 3, 3)),
    "Dropout3d": (lambda: nn.Dropout3d(0.0), images(2, 2, 2, 2)),
    "AlphaDropout": (lambda: nn.AlphaDropout(0.0), FOUR),
    "FeatureAlphaDropout": (lambda: nn.FeatureAlphaDropout(0.0), images(2, 3)),
    # tables, distances, shapes
    "Embedding": (lambda: nn.Embedding(5, 3, 1), lambda: (torch.randint(5, (3, 2)),)),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(5, 3), lambda: (torch.randint(5, (3, 2)),)),
    "CosineSimilarity": (nn.CosineSimilarity, pairs(4)),
    "PairwiseDistance": (nn.PairwiseDistance, pairs(4)),
    "Flatten": (nn.Flatten, images(2, 3)),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 2)), FOUR),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), images(4, 2, 3)),
    "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), images(1, 4, 6)),
    "ChannelShuffle": (lambda: nn.ChannelShuffle(2), images(4, 2, 3)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), images(2, 3, 3)),
    "UpsamplingNearest2d": (lambda: nn.UpsamplingNearest2d(scale_factor=2), images(2, 3, 3)),
    "UpsamplingBilinear2d": (lambda: nn.UpsamplingBilinear2d(scale_factor=2), images(2, 3, 3)),
    "Sequential": (lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU()), FOUR),
    # losses
    "L1Loss": (nn.L1Loss, pairs(4)),
    "MSELoss": (nn.MSELoss, pairs(4)),
    "SmoothL1Loss": (nn.SmoothL1Loss, pairs(4)),
    "HuberLoss": (lambda: nn.HuberLoss(delta=0.7), pairs(4)),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, labels()),
    "NLLLoss": (nn.NLLLoss, labels()),
    "BCELoss": (nn.BCELoss, unit(4)),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, unit(4)),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="batchmean"), unit(4)),
    "PoissonNLLLoss": (nn.PoissonNLLLoss, unit(4)),
    "GaussianNLLLoss": (nn.GaussianNLLLoss, lambda: (*unit(4)(), torch.rand(3, 4) + 0.5)),
    "SoftMarginLoss": (
        nn.SoftMarginLoss,
        lambda: (torch.randn(3, 4), torch.randn(3, 4).sign().long()),
    ),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, signs(4)),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, unit(4)),
    "MultiLabelMarginLoss": (
        nn.MultiLabelMarginLoss,
        lambda: (torch.randn(3, 4), torch.tensor([[0, 2, -1, -1]] * 3)),
    ),
    "MultiMarginLoss": (nn.MultiMarginLoss, labels()),
    "MarginRankingLoss": (
        lambda: nn.MarginRankingLoss(0.1),
        lambda: (torch.randn(3), torch.randn(3), torch.randn(3).sign()),
    ),
    "CosineEmbeddingLoss": (
        lambda: nn.CosineEmbeddingLoss(0.1),
        lambda: (torch.randn(3, 4), torch.randn(3, 4), torch.tensor([1.0, -1.0, 1.0])),
    ),
    "TripletMarginLoss": (
        nn.TripletMarginLoss,
        lambda: (torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 4)),
    ),
    "TripletMarginWithDistanceLoss": (
        nn.TripletMarginWithDistanceLoss,
        lambda: (torch.randn(3, 4), torch.randn(3, 4), torch.randn(3, 4)),
    ),
    "CTCLoss": (
        nn.CTCLoss,
        lambda: (
            torch.randn(5, 3, 4).log_softmax(2),
            torch.randint(1, 4, (3, 2)),
            torch.full((3,), 5),
            torch.full((3,), 2),
        ),
    ),
}
"""How to make each module, and inputs."""
