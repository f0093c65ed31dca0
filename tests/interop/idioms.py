"""Lines that people write in `forward`, one call of torch each, and inputs for them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so

NAN, INF = math.nan, math.inf


def rows(n):
    """Numbers of both signs, all different."""
    return torch.linspace(-1.1, 2.3, n * 4, dtype=torch.float64).reshape(n, 4)


def shuffled(n):
    """The same, in another order in each row."""
    x = rows(n)
    return torch.stack([row.roll(place) for place, row in enumerate(x)])


def positive(n):
    return rows(n) + 1.2


def special(n):
    """Zeros, equal numbers, infinity and NaN."""
    return torch.tensor([[0.0, NAN, INF, -INF], [0.5, 0.5, -0.0, 2.0]] * n, dtype=torch.float64)[:n]


def squares(n):
    return torch.linspace(-1, 1, n * 9, dtype=torch.float64).reshape(n, 3, 3)


def filled(x):
    y = torch.zeros(4)
    y[1:3] = 2
    return x * y


def written(x):
    y = x * 1
    y[:, torch.tensor([0, -1])] = x[:, 1:3]
    return y


def marked(x):
    """One element of each row, and one of all."""
    y = x * 1
    y[torch.arange(x.shape[0]), x.argmax(1)] = -1.0
    y[torch.tensor([0, 2]), torch.tensor([1, -2])] += x[0, :2]
    y[0, torch.tensor([3, 3])] = 5.0
    y[torch.tensor([[1, 1], [2, 1]]), 0] = 7.0
    return y


def swapped(x):
    """A write through a view that a composite operation gives."""
    y = x * 1
    y.swapaxes(0, 1)[0] = 7.0
    return y


def graph_sum(x):
    target = torch.tensor([0, 1, 1, 2])
    return x.new_zeros(x.shape[0], 3).index_add_(1, target, x)


def alibi(x):
    slopes = torch.tensor([0.5, 0.25]).view(1, 2, 1, 1)
    distances = torch.arange(4)[None] - torch.arange(4)[:, None]
    return x[:, None, None] + slopes * distances


def sobel(x):
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype)
    return F.conv2d(x[:, None], kernel[None, None], padding=1)


def nucleus(x):
    """The mask of top-p sampling."""
    ordered, places = x.sort(1, descending=True)
    removed = ordered.softmax(1).cumsum(1) > 0.8
    removed[:, 1:] = removed[:, :-1].clone()
    removed[:, 0] = False
    return x.masked_fill(removed.scatter(1, places, removed), -9.0)


def without_gradients(x):
    with torch.no_grad():
        weights = torch.tensor([1.0, 2.0, 3.0, 4.0])
        weights = torch.hstack([weights[:2], x[0, 2:] * 2])
    return x * weights


def contrastive(x):
    """The loss of SimCLR: each row against all others."""
    z = F.normalize(x, dim=1)
    others = (z @ z.T).masked_fill(torch.eye(x.shape[0], dtype=torch.bool), -9.0)
    return F.cross_entropy(others, torch.arange(x.shape[0]))


def likelihood(x):
    """Distributions of torch, which look at the values unless they are told not to."""
    normal = torch.distributions.Normal(x, x.exp())
    chosen = torch.distributions.Categorical(logits=x)
    return normal.log_prob(x * 2).sum(1) + chosen.log_prob(x.argmax(1)) + chosen.entropy()


def split(x):
    first, second = torch.hsplit(x, 2)
    rest = torch.tensor_split(x, (1, 3), dim=1)
    return first * 2 + second * rest[1] + rest[0]


def by_row(x):
    """A kernel for each row of a batch, as the message on groups says."""
    kernels = x[:, None, :2, :2]
    return torch.einsum("bok,bkl->bol", kernels.flatten(2), F.unfold(x[:, None], 2))


CONSTANTS = {
    "tensor": (lambda x: x * torch.tensor([0.5, 0.25, 2.0, 1.0]), rows),
    "tensor as an index": (lambda x: x[:, torch.tensor([0, 2])], rows),
    "tensor of booleans": (lambda x: x * torch.tensor([True, False, True, True]), rows),
    "new_tensor": (lambda x: x + x.new_tensor([1.0, 2.0, 3.0, 4.0]), rows),
    "tensor that is written": (lambda x: x * torch.tensor([1.0, 2.0, 3.0, 4.0]).mul_(2), rows),
    "as_tensor": (lambda x: x * torch.as_tensor([0.5, 0.25, 2.0, 1.0], dtype=x.dtype), rows),
    "kernel": (sobel, squares),
    "slopes": (alibi, rows),
    "new_full": (lambda x: x + x.new_full((4,), 3.0), rows),
    "new_zeros": (lambda x: x + x.new_zeros(4), rows),
    "new_ones": (lambda x: x * x.new_ones(4), rows),
    "full": (lambda x: x * torch.full((4,), 2.0), rows),
    "zeros": (lambda x: torch.cat([x, x * torch.zeros(4)], 1), rows),
    "zeros that are written": (filled, rows),
    "new_full of the batch": (lambda x: x + x.new_full((x.shape[0], 1), 3.0), rows),
    "tensor without gradients": (without_gradients, rows),
    "nan": (lambda x: torch.where(x > 0, x, NAN).nan_to_num(3.0), rows),
}
"""Constants that are made in `forward`."""

LOGIC = {
    "and": (lambda x: x * ((x > 0) & (x < 2)), rows),
    "or": (lambda x: x * ((x < 0) | (x > 1)), rows),
    "xor": (lambda x: x * ((x > 0) ^ (x > 1)), rows),
    "not": (lambda x: x * ~(x > 0), rows),
    "bitwise_xor": (lambda x: x * torch.bitwise_xor(x.long(), 3), rows),
    "and of integers": (lambda x: x * ((x * 9).long() & 5), rows),
    "shifts": (lambda x: x * ((x * 9).long() << 2) + ((x * 9).long() >> 1), rows),
    "xor in place": (lambda x: x * (x > 0).__ixor__(x > 1), rows),
    "logical_xor": (lambda x: x * torch.logical_xor(x, x - x[:1]), rows),
    "isnan": (torch.isnan, special),
    "isinf": (torch.isinf, special),
    "isfinite": (torch.isfinite, special),
    "isclose": (lambda x: torch.isclose(x, x.round()), special),
}
"""True and false."""

FUNCTIONS = {
    "log2": (torch.log2, positive),
    "log10": (torch.log10, positive),
    "exp2": (torch.exp2, rows),
    "log1p": (torch.log1p, positive),
    "expm1": (torch.expm1, rows),
    "erfc": (torch.erfc, rows),
    "sinc": (torch.sinc, rows),
    "sinc at 0": (
        lambda x: torch.sinc(x[:, :2] * 0 + x[:, 2:]),
        lambda n: special(n).nan_to_num().clamp(-1, 1),
    ),
    "frac": (torch.frac, rows),
    "logaddexp": (lambda x: torch.logaddexp(x, 1 - x), rows),
    "logaddexp of equals": (lambda x: torch.logaddexp(x, x.flip(1)), lambda n: rows(n) * 0),
    "hypot": (lambda x: torch.hypot(x, x + 1), rows),
    "hypot of large numbers": (lambda x: torch.hypot(x * 1e200, x.flip(1) * 1e200) / 1e200, rows),
    "xlogy": (lambda x: torch.xlogy(x, x + 3), rows),
    "xlogy at 0": (lambda x: torch.xlogy(x, x.exp()), lambda n: rows(n).clamp(min=0)),
    "xlogy of a number": (lambda x: torch.xlogy(2, x), positive),
    "xlogy by a number": (lambda x: torch.special.xlogy(x, 3.0), rows),
    "nan_to_num": (torch.nan_to_num, special),
    "nan_to_num of values": (lambda x: x.nan_to_num(1.0, 2.0, 3.0), special),
    "fmax": (lambda x: torch.fmax(x, x.flip(1)), rows),
    "fmin": (lambda x: torch.fmin(x, x.flip(1)), rows),
    "float_power": (lambda x: torch.float_power(x, 2), rows),
    "aliases": (lambda x: torch.arctan(torch.negative(x)).absolute().multiply(x), rows),
}
"""Functions of each element."""

SHAPES = {
    "movedim": (lambda x: x.movedim(0, 1), rows),
    "moveaxis": (lambda x: torch.moveaxis(x, 0, -1), squares),
    "swapaxes": (lambda x: x.swapaxes(0, 1), rows),
    "swapdims": (lambda x: x.swapdims(1, 2), squares),
    "write through swapaxes": (swapped, rows),
    "hstack": (lambda x: torch.hstack([x, x + 1]), rows),
    "vstack": (lambda x: torch.vstack([x, x + 1]), rows),
    "dstack": (lambda x: torch.dstack([x, x + 1]), rows),
    "column_stack": (lambda x: torch.column_stack([x, x[:, 0]]), rows),
    "tile": (lambda x: x.tile(2, 3), rows),
    "tile of fewer": (lambda x: x.tile(2), rows),
    "hsplit": (split, rows),
    "block_diag": (lambda x: torch.block_diag(x.T @ x, x[0]), rows),
    "broadcast_to": (lambda x: torch.broadcast_to(x[:, None], (x.shape[0], 3, 4)), rows),
    "view_as": (lambda x: x.view_as(x * 2), rows),
    "ravel": (lambda x: x.ravel(), rows),
    "diff": (lambda x: x.diff(dim=1), rows),
    "diag": (lambda x: torch.diag(x.sum(0)), rows),
    "diag of a matrix": (lambda x: torch.diag(x.T @ x), rows),
    "diag_embed": (torch.diag_embed, rows),
    "diag_embed above": (lambda x: torch.diag_embed(x, 1) + torch.diag_embed(x, -1), rows),
    "rot90": (lambda x: torch.rot90(x, 1, (1, 2)) - torch.rot90(x, -1, (1, 2)), squares),
    "rot90 twice": (lambda x: torch.rot90(x, 2), rows),
    "take_along_dim": (lambda x: torch.take_along_dim(x, x.argsort(1), 1), shuffled),
    "kron": (lambda x: torch.kron(x, x[:, :2]), rows),
    "meshed": (lambda x: torch.cartesian_prod(x[0], x[0, :2]), rows),
}
"""Elements in other places."""

WRITES = {
    "scatter of a value": (lambda x: x.scatter(1, x.argmax(1, keepdim=True), 5.0), shuffled),
    "one-hot": (
        lambda x: torch.zeros_like(x).scatter_(1, x.argmax(1, keepdim=True), 1.0) * x,
        shuffled,
    ),
    "scatter of a tensor": (lambda x: (x * 2).scatter(1, *x.topk(2, 1)[::-1]), shuffled),
    "top-k mask": (
        lambda x: torch.full_like(x, -INF).scatter(1, *x.topk(2, 1)[::-1]).softmax(1),
        shuffled,
    ),
    "scatter of truth": (nucleus, shuffled),
    "mask of the best": (
        lambda x: x * torch.zeros_like(x, dtype=torch.bool).scatter(1, x.topk(2, 1)[1], True),
        shuffled,
    ),
    "scatter_reduce to a mean": (
        lambda x: (x * 3).scatter_reduce(1, x[:, :2].argsort(1), x[:, :2], "mean"),
        shuffled,
    ),
    "scatter_reduce to a mean without itself": (
        lambda x: x.scatter_reduce(1, x[:, :3].argsort(1), x[:, :3], "mean", include_self=False),
        shuffled,
    ),
    "fill_diagonal_": (lambda x: (x @ x.T).fill_diagonal_(-9.0), rows),
    "eye": (lambda x: torch.eye(x.shape[0], 5, dtype=x.dtype) + x[:, :1], rows),
    "scatter_reduce": (lambda x: x.scatter_reduce(1, x.argsort(1), x, "sum"), shuffled),
    "index_add": (lambda x: x.index_add(1, torch.tensor([0, 0, 3]), x[:, 1:], alpha=2), rows),
    "index_add in place": (graph_sum, rows),
    "select_scatter": (lambda x: x.select_scatter(x[:, 0] * 2, 1, 3), rows),
    "index_fill": (lambda x: x.index_fill(1, torch.tensor([0, 2]), 3.0), rows),
    "index_copy": (lambda x: x.index_copy(1, torch.tensor([0, 3]), x[:, 1:3]), rows),
    "index_put": (written, rows),
    "index_put of pairs": (marked, shuffled),
    "index_put, added": (
        lambda x: x.index_put((torch.tensor([0, 0, 1]),), x[:3] * 2, accumulate=True),
        rows,
    ),
}
"""Values at indices."""

SUMS = {
    "tensordot": (lambda x: torch.tensordot(x, x, ([1], [1])), rows),
    "inner": (lambda x: torch.inner(x, x), rows),
    "cdist": (lambda x: torch.cdist(x, x[:2]), rows),
    "cdist, p=1": (lambda x: torch.cdist(x, x[:2], p=1), rows),
    "cdist of stacks": (lambda x: torch.cdist(x, x.flip(1)), squares),
    "dist": (lambda x: torch.dist(x, x.flip(0)), rows),
    "linalg.norm": (lambda x: torch.linalg.norm(x, dim=1) + torch.linalg.norm(x), rows),
    "linalg.norm, inf": (lambda x: torch.linalg.norm(x, INF, dim=1), rows),
    "linalg.norm at 0": (lambda x: torch.linalg.norm(x * 0, dim=1) + x[:, 0], rows),
    "vector_norm": (lambda x: torch.linalg.vector_norm(x, 3, dim=1, keepdim=True), rows),
    "matrix_norm": (torch.linalg.matrix_norm, squares),
    "multi_dot": (lambda x: torch.linalg.multi_dot([x, x.T, x]), rows),
    "cross": (lambda x: torch.linalg.cross(x[:, :3], x[:, 1:]), rows),
    "trace": (lambda x: torch.trace(x.T @ x), rows),
    "nansum": (lambda x: torch.where(x > 0, x, NAN).nansum(1), rows),
    "nanmean": (lambda x: torch.where(x > 0, x, NAN)[:, 2:].nanmean(), rows),
    "aminmax": (lambda x: torch.stack(x.detach().aminmax(dim=1)), shuffled),
    "count_nonzero": (lambda x: x * x.clamp(min=0).count_nonzero(1)[:, None], rows),
    "bucketize": (lambda x: x * torch.bucketize(x, torch.tensor([-0.5, 0.5])), rows),
    "cumprod": (lambda x: x.cumprod(1), rows),
    "cumprod with zeros": (lambda x: x.clamp(min=0).cumprod(1), rows),
    "contrastive loss": (contrastive, rows),
    "weighted loss": (
        lambda x: F.binary_cross_entropy_with_logits(
            x, x.gt(0.5).to(x.dtype), pos_weight=torch.tensor([2.0], dtype=x.dtype)
        ),
        rows,
    ),
    "likelihood": (likelihood, rows),
    "trapezoid": (lambda x: torch.trapezoid(x, dim=1), rows),
    "a kernel for each row": (by_row, squares),
}
"""Sums, products and norms."""

SAME = {**CONSTANTS, **LOGIC, **FUNCTIONS, **SHAPES, **WRITES, **SUMS}
"""All that is the same in each walk."""
