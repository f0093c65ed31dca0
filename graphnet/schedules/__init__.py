"""Learning rate schedules: each function returns a plain function of the step, from 0.

>>> import graphnet as gn
>>> rate = gn.schedules.cosine(0.1, steps=100)
>>> rate(0), round(rate(50), 3), round(rate(100), 3)
(0.1, 0.05, 0.0)

Before each update call `set_lr(optimizer, rate(step))`, which keeps the ratio of the optimizer's
groups. Only `on_plateau` returns an object with state, because it follows a metric.

| file | contents |
|---|---|
| `curves` | rates that follow a curve or a staircase |
| `cycle` | one cycle of rate and momentum |
| `plateau` | a rate that follows a metric |
| `groups` | one rate for an optimizer with several groups |
"""

from graphnet.schedules.curves import (
    Schedule,
    constant,
    cosine,
    cosine_warm_restarts,
    exponential,
    linear_warmup,
    multi_step,
    step,
    warmup,
)
from graphnet.schedules.cycle import one_cycle, one_cycle_momentum
from graphnet.schedules.groups import set_lr
from graphnet.schedules.plateau import Plateau, on_plateau

__all__ = [
    "Plateau",
    "Schedule",
    "constant",
    "cosine",
    "cosine_warm_restarts",
    "exponential",
    "linear_warmup",
    "multi_step",
    "on_plateau",
    "one_cycle",
    "one_cycle_momentum",
    "set_lr",
    "step",
    "warmup",
]
