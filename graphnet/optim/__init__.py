"""Optimizers, which update parameters by their gradients, and gradient clipping.

| file | contents |
|---|---|
| `base`: `groups`, `settings`, `state` | the base class; its parameter groups, settings and state |
| `buckets` | parameters side by side, updated as one flat tensor |
| `sgd`, `adam`, `adaptive`: `declared` | the optimizers; constructors that follow from settings |
| `clipping` | gradients of a limited size |
| `functionalize` | an update as a formula, for the compiler |
"""

from graphnet.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from graphnet.optim.adaptive import Adadelta, Adagrad, RMSprop
from graphnet.optim.base import Optimizer
from graphnet.optim.clipping import clip_grad_norm_, clip_grad_value_
from graphnet.optim.settings import Setting
from graphnet.optim.sgd import SGD
from graphnet.validation import require_range

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Setting",
    "clip_grad_norm_",
    "clip_grad_value_",
    "require_range",
]
