"""Lines of `forward` that draw random numbers."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from interop.idioms import rows

DRAWN = {
    "randn_like": (lambda x: x + x.exp() * torch.randn_like(x), rows),
    "rand_like": (lambda x: x * torch.rand_like(x), rows),
    "randn": (lambda x: x * torch.randn(x.shape, dtype=x.dtype), rows),
    "randn of sizes": (lambda x: x[:, :3] * torch.randn(x.size(0), 3), rows),
    "randn of numbers": (lambda x: x * torch.randn(4), rows),
    "rand": (lambda x: x * torch.rand(x.shape[0], 1), rows),
    "normal": (lambda x: x * torch.normal(1.0, 2.0, x.shape, dtype=x.dtype), rows),
    "normal of numbers": (lambda x: x * torch.normal(1.0, 2.0, (4,), dtype=x.dtype), rows),
    "normal around": (lambda x: x * torch.normal(x.exp(), 2.0), rows),
    "normal_": (lambda x: x * torch.empty_like(x).normal_(1, 3), rows),
    "uniform_": (lambda x: x * x.new_empty(x.shape).uniform_(-2, 2), rows),
    "rsample": (lambda x: torch.distributions.Normal(x, x.exp()).rsample(), rows),
}
"""Random numbers that are torch's for the same seed."""

SPREAD = {
    "bernoulli": (lambda x: torch.bernoulli(x.sigmoid() * 0 + 0.3), 0.3, 0.21),
    "bernoulli of p": (lambda x: torch.bernoulli(x.detach(), 0.3) + x * 0, 0.3, 0.21),
    "bernoulli_": (lambda x: torch.empty_like(x).bernoulli_(0.3) + x * 0, 0.3, 0.21),
    "randn": (lambda x: torch.randn(x.shape, dtype=x.dtype) + x * 0, 0.0, 1.0),
    "rand_like": (lambda x: torch.rand_like(x) + x * 0, 0.5, 1 / 12),
    "exponential_": (lambda x: torch.empty_like(x).exponential_(2.0) + x * 0, 0.5, 0.25),
    "gumbel_softmax": (lambda x: F.gumbel_softmax(x * 0, 0.5, hard=True), 0.25, 0.1875),
    "randint": (lambda x: torch.randint(1, 4, (x.shape[0], 4)) + x * 0, 2.0, 2 / 3),
    "randint of numbers": (lambda x: torch.randint(4, (4,)) + x * 0, None, None),
    "randint_like": (lambda x: torch.randint_like(x, 1, 4) + x * 0, 2.0, 2 / 3),
    "multinomial": (
        lambda x: torch.multinomial(x.new_tensor([2.0, 3, 5]).expand(x.shape[0], 3), 1) + x * 0,
        *(1.3, 0.61),
    ),
    "multinomial of two": (
        lambda x: (
            torch.multinomial(x.new_tensor([1.0, 0, 1, 0]).expand(x.shape[0], 4), 2).repeat(1, 2)
            + x * 0
        ),
        *(1.0, 1.0),
    ),
    "sample": (
        lambda x: torch.distributions.Categorical(x[:, :3] * 0 + 0.1).sample()[:, None] + x * 0,
        *(1.0, 2 / 3),
    ),
    "randperm": (lambda x: torch.randperm(x.shape[0])[:, None] + x * 0, None, None),
    "randperm of a number": (lambda x: torch.randperm(4) + x * 0, 1.5, 1.25),
}
"""Random numbers with their mean and variance; None for those that depend on the batch."""
