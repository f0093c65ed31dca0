"""Layers: parts of networks that hold parameters and append operations.

| file | contents |
|---|---|
| `module`: `private`, `signatures` | the base class; its graph for tensors; its types |
| `settings` | what a picture and a summary say of a layer |
| `tree`, `state`, `unlisted_parameters` | what is in a module; loading it; what it forgets |
| `sequential`, `containers`: `collection` | modules that hold modules |
| `linear`, `convolution`, `embedding`, `attention` | layers with weights |
| `recurrent`: `cells` | layers along a sequence |
| `batch_norm`, `normalization` | normalization |
| `activations`, `dropout`, `pooling` | layers without weights |
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
from graphnet.layers.convolution import Conv1d, Conv2d, ConvTranspose2d
from graphnet.layers.dropout import Dropout
from graphnet.layers.embedding import Embedding
from graphnet.layers.linear import Linear
from graphnet.layers.module import Module
from graphnet.layers.normalization import GroupNorm, LayerNorm, RMSNorm
from graphnet.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, Flatten, MaxPool2d
from graphnet.layers.recurrent import GRU, LSTM, RNN
from graphnet.layers.sequential import Sequential

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Embedding",
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
    "LogSoftmax",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "ParameterDict",
    "ParameterList",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]
