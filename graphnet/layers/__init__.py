"""Layers: parts of networks that hold parameters and append operations.

| file | contents |
|---|---|
| `module`: `private`, `nesting`, `signatures` | the base class; its graph for tensors; its types |
| `settings` | what a picture and a summary say of a layer |
| `tree`, `state`, `unlisted_parameters` | what is in a module; loading it; what it forgets |
| `sequential`, `containers`: `collection` | modules that hold modules |
| `linear`, `convolution`, `embedding`, `embedding_bag`, `prelu` | layers with weights |
| `attention`, `transformer` | attention, and layers that are made of it |
| `recurrent`: `cells`, `scanned` | layers along a sequence |
| `batch_norm`, `normalization` | normalization |
| `parametrizations`: `computed` | weights that are computed from other parameters |
| `activations`, `dropout`, `pooling`, `adaptive`, `resampling` | layers without weights |
"""

from graphnet.layers.activations import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSoftmax,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from graphnet.layers.adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AvgPool3d,
    LocalResponseNorm,
    MaxUnpool2d,
)
from graphnet.layers.attention import MultiheadAttention
from graphnet.layers.batch_norm import BatchNorm1d, BatchNorm2d, InstanceNorm2d
from graphnet.layers.cells import GRUCell, LSTMCell, RNNCell
from graphnet.layers.containers import (
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Residual,
)
from graphnet.layers.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from graphnet.layers.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    FeatureAlphaDropout,
    RReLU,
)
from graphnet.layers.embedding import Embedding
from graphnet.layers.embedding_bag import EmbeddingBag
from graphnet.layers.linear import Linear
from graphnet.layers.module import Module
from graphnet.layers.normalization import GroupNorm, LayerNorm, RMSNorm
from graphnet.layers.parametrizations import (
    remove_parametrizations,
    spectral_norm,
    weight_norm,
)
from graphnet.layers.pooling import (
    AdaptiveAvgPool2d,
    AvgPool1d,
    AvgPool2d,
    Flatten,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    Unflatten,
)
from graphnet.layers.prelu import PReLU
from graphnet.layers.recurrent import GRU, LSTM, RNN
from graphnet.layers.resampling import ChannelShuffle, PixelShuffle, PixelUnshuffle, Upsample
from graphnet.layers.sequential import Sequential
from graphnet.layers.transformer import (
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "ChannelShuffle",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "EmbeddingBag",
    "FeatureAlphaDropout",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "Hardtanh",
    "Identity",
    "InstanceNorm2d",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "PReLU",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "RMSNorm",
    "RNNCell",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "Unflatten",
    "Upsample",
    "remove_parametrizations",
    "spectral_norm",
    "weight_norm",
]
