"""Rules for random numbers, which are drawn anew in each walk.

In a shape of numbers alone they need a tensor that says the device: `like`, see `importing`.
"""

from __future__ import annotations

from typing import Any

import torch

from graphnet import ops
from graphnet.graph import Node
from graphnet.interop.rules.rule import convert, rule, unsupported
from graphnet.interop.sizes import full

SHAPED = {"rand", "randn", "randint", "randperm", "normal.float_float"}
"""Operations that draw in a shape of their own, not in that of a tensor."""


@rule("rand_like", "randn_like")
def rand_like(step: Any, x: Any, **_options: Any) -> Any:
    """Random numbers in the shape of a tensor."""
    return getattr(ops, step.name)(x, dtype=step.dtype)


@rule("rand", "randn")
def rand(step: Any, sizes: Any, *, like: Any = None, **_options: Any) -> Any:
    """Random numbers in a shape."""
    draw = ops.rand_like if step.name == "rand" else ops.randn_like
    return draw(full(sizes, 0.0, step.dtype, like))


@rule("randint")
def randint(step: Any, *bounds: Any, like: Any = None, **_options: Any) -> Any:
    """Integers below a bound in a shape."""
    *limits, sizes = bounds
    return _integers(full(sizes, 0.0, torch.float64, like), limits, step.dtype)


@rule("randint_like")
def randint_like(step: Any, x: Any, *limits: Any, **_options: Any) -> Any:
    """Integers below a bound in the shape of a tensor."""
    return _integers(convert(x, torch.float64), limits, step.dtype)


def _integers(like: Any, limits: Any, dtype: Any) -> Any:
    low, high = (0, *limits) if len(limits) == 1 else limits
    return convert(ops.floor(ops.rand_like(like) * (high - low)) + low, dtype)


@rule("randperm")
def randperm(step: Any, count: Any, *, like: Any = None, **_options: Any) -> Any:
    """The integers below a number in any order, all equally likely."""
    return convert(ops.argsort(ops.rand_like(full([count], 0.0, torch.float64, like))), step.dtype)


@rule("normal.float_float")
def normal(
    step: Any, mean: float, std: float, sizes: Any, *, like: Any = None, **_options: Any
) -> Any:
    """Normal numbers in a shape."""
    return ops.randn_like(full(sizes, 0.0, step.dtype, like)) * std + mean


@rule("normal.Tensor_float", "normal.float_Tensor", "normal.Tensor_Tensor")
def normal_around(_step: Any, mean: Any, std: Any = 1.0) -> Any:
    """Normal numbers whose mean or standard deviation, or both, are tensors without gradients."""
    mean, std = (ops.detach(each) if isinstance(each, Node) else each for each in (mean, std))
    return ops.randn_like(mean + std) * std + mean


@rule("bernoulli", "bernoulli.p", "bernoulli.float", "bernoulli.Tensor")
def bernoulli(_step: Any, x: Any, p: Any = None) -> Any:
    """1 with a probability, else 0: the tensor itself, or one for all or for each element."""
    if p is None:
        return ops.bernoulli(x)
    chances = ops.expand_as(convert(p, x.dtype), x) if isinstance(p, Node) else _filled(x, p)
    return ops.bernoulli(chances)


def _filled(x: Any, value: float) -> Any:
    return ops.zeros_like(x) + value


@rule("multinomial")
def multinomial(_step: Any, x: Any, count: int, replacement: bool = False, **_options: Any) -> Any:
    """Indices drawn with the weights of each row: the greatest of log weights plus Gumbel noise."""
    if replacement and count > 1:
        raise unsupported("multinomial with replacement, for more than one number of each row")
    noise = ops.log(exponential_(None, x))
    return ops.topk(ops.log(x) - noise, count)[1]


# What fills a tensor in place. Its name has lost the underscore.


@rule("uniform.default")
def uniform_(_step: Any, x: Any, low: float = 0.0, high: float = 1.0) -> Any:
    """Numbers between two bounds, all equally likely."""
    return ops.rand_like(x) * (high - low) + low


@rule("normal.default")
def normal_(_step: Any, x: Any, mean: float = 0.0, std: float = 1.0) -> Any:
    """Normal numbers."""
    return ops.randn_like(x) * std + mean


@rule("exponential.default")
def exponential_(_step: Any, x: Any, rate: float = 1.0) -> Any:
    """Numbers whose density falls exponentially; never 0, so that they have a logarithm."""
    drawn = ops.neg(ops.log1p(ops.neg(ops.rand_like(x))))
    return ops.clamp(drawn, min=torch.finfo(x.dtype).eps / 2) / rate
