"""Derivatives as nodes, of first and second order, against torch's double backward in float64."""

from __future__ import annotations

import random

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops

F64 = torch.float64
CLOSE = {"rtol": 1e-10, "atol": 1e-10}  # two derivatives in float64, the sums in another order


def rand(*shape, seed=0):
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def weights(values):
    """Numbers, all different, by which several values are summed up to one."""
    return [0.3 + 0.1 * place for place, _ in enumerate(values)]


def energy(grads):
    """One number from several gradients, in which every element of each has its say."""
    total = 0.0
    for factor, grad in zip(weights(grads), grads, strict=True):
        total = total + ((grad * grad + grad) * factor).sum()
    return total


def torch_derivatives(function, leaves):
    """Value, first derivatives, and derivatives of their energy, by double backward."""
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    with torch.enable_grad():
        value = function(*leaves)
        firsts = torch.autograd.grad(value, leaves, create_graph=True, materialize_grads=True)
        whole = energy(firsts)
        if not whole.requires_grad:  # a linear function
            return value, firsts, [torch.zeros_like(leaf) for leaf in leaves]
        seconds = torch.autograd.grad(whole, leaves, materialize_grads=True)
    return value.detach(), [first.detach() for first in firsts], seconds


def compare(function, shapes, feeds):
    """First and second derivatives of one list, walked for each of several feeds."""
    graph = gn.Graph()
    inputs = [graph.input(shape, name=f"x{place}", dtype=F64) for place, shape in enumerate(shapes)]
    value = function(*inputs)
    firsts = graph.gradients(value, inputs)
    seconds = graph.gradients(energy(firsts), inputs)
    graph.lint()
    for feed in feeds:
        found = graph.forward(dict(zip(inputs, feed, strict=True)), outputs=[*firsts, *seconds])
        _, *expected = torch_derivatives(function, feed)
        for tensor, reference in zip(found, [*expected[0], *expected[1]], strict=True):
            scale = 1 + float(reference.abs().max()) if reference.numel() else 1.0
            assert_close(tensor / scale, reference / scale, **CLOSE)


def pair(x, y):
    return ((x.tanh() * y.sigmoid() - x / (y * y + 1)) ** 2).mean()


# Functions of x (n, 3) and y (n, 3) to one number.
SMOOTH = {
    "a mix": pair,
    "powers": lambda x, y: ((x * x + 0.5) ** y).sum() + (x**3 * y).sum() + (1.7 ** (x * y)).mean(),
    "exp and log": lambda x, y: ((x * 0.3).exp() * (y * y + 1).log()).sum(),
    "roots": lambda x, y: ((x * x + y * y + 0.1).sqrt() / (1 + x.sigmoid())).sum(),
    "log1p and neg": lambda x, y: (-(x * x).log1p() - (-y).sigmoid()).sum(),
    "sums along rows": lambda x, y: ((x * y).sum(1) ** 2).mean(),
    "sums along columns": lambda x, y: ((x * y).sum(0) ** 2).mean(),
    "means that keep": lambda x, y: ((x - x.mean(0, keepdim=True)) ** 2 * y).sum(),
    "a mean of squares": lambda x, y: (x**2).mean() * (y**2).mean(),
    "normed rows": lambda x, y: (x / ((x * x).sum(1, keepdim=True) + 1).sqrt() * y).sum(),
    "softmax": lambda x, y: (x.exp() / x.exp().sum(1, keepdim=True) * y).sum(),
    "a product of matrices": lambda x, y: ((x @ y.T).tanh() @ x).sum(),
    "a layer": lambda x, y: (ops.linear(x, y.T @ y * 0.1, y.mean(0)) ** 2).mean(),
    "a matrix of columns": lambda x, y: ((x.T @ y) ** 2).sum(),
    "reshaped": lambda x, y: ((x.reshape(-1) * y.reshape(-1)).tanh() ** 2).sum(),
    "reshaped rows": lambda x, y: ((x.unsqueeze(1) * y.unsqueeze(2)).sum((0, 1)) ** 2).sum(),
    "transposed": lambda x, y: ((x.T.permute(1, 0) * y).transpose(0, 1) ** 3).mean(),
    "expanded": lambda x, y: (x.mean(0, keepdim=True).expand_as(y) * y.tanh()).sum(),
    "expanded by sizes": lambda x, y: (x.unsqueeze(1).expand(-1, 4, 3) ** 2).mean() * y.sum(),
    "abs and maximum": lambda x, y: ((x.abs() ** 1.5).maximum(y) ** 2).sum(),
    "where": lambda x, y: (x.where(x > y, y * x) ** 2).sum(),
    "relu": lambda x, y: ((x.relu() * y + x.clamp(-0.5, 0.5)) ** 2).sum(),
    "mse": lambda x, y: ops.mse_loss(x.tanh(), y),
    "bce": lambda x, y: ops.binary_cross_entropy(x.sigmoid(), y.sigmoid()),
    "linear": lambda x, y: (x * 2 - y).sum(),
    "one side alone": lambda x, y: (x**3).sum(),
}
BATCHES = (4, 1, 7, 12, 24)


@pytest.mark.parametrize("function", SMOOTH.values(), ids=SMOOTH)
def test_derivatives_of_a_list_for_batches_of_every_size(function):
    feeds = [(rand(n, 3, seed=n), rand(n, 3, seed=n + 50)) for n in BATCHES]
    compare(function, [(None, 3), (None, 3)], feeds)


@pytest.mark.parametrize("function", SMOOTH.values(), ids=SMOOTH)
def test_derivatives_of_a_list_of_known_sizes(function):
    for n in (1, 4):
        compare(function, [(n, 3), (n, 3)], [(rand(n, 3, seed=1), rand(n, 3, seed=2))])


# Two unknown sizes need not be equal: one of them may be 1 and is then broadcast.
BROADCAST = {
    "add": lambda x, y: ((x + y) ** 3).sum(),
    "sub": lambda x, y: ((x - y) ** 3).mean(),
    "mul": lambda x, y: (x * y).tanh().sum(),
    "div": lambda x, y: (x / (y * y + 1)).tanh().sum(),
    "pow": lambda x, y: ((x * x + 0.5) ** y).mean(),
    "maximum": lambda x, y: ((x * 2).maximum(y) ** 3).sum(),
    "where": lambda x, y: (x.where(x > y, y) ** 3).sum(),
    "fill": lambda x, y: ((x + y).masked_fill(x > y, 0.5) ** 3).sum(),
    "twice": lambda x, y: ((x * y + y) * x).sum() ** 2,
    "chained": lambda x, y: ((x.tanh() + y) * y.sigmoid()).mean(1).exp().sum(),
}
MATRICES = {
    "outer": lambda x, y: (x.unsqueeze(2) @ y.unsqueeze(1)).tanh().sum(),
    "inner": lambda x, y: ((x.unsqueeze(1) * y.unsqueeze(0)).sum(2) ** 2).mean(),
}
SIZES = [(4, 4), (4, 1), (1, 4), (1, 1), (12, 1), (1, 24)]


@pytest.mark.parametrize("function", (BROADCAST | MATRICES).values(), ids=BROADCAST | MATRICES)
@pytest.mark.parametrize("columns", [(3, 3), (3, 1), (1, 3)])
def test_two_unknown_sizes_may_differ(function, columns):
    feeds = [(rand(a, columns[0], seed=a), rand(b, columns[1], seed=b + 50)) for a, b in SIZES]
    compare(function, [(None, columns[0]), (None, columns[1])], feeds)


@pytest.mark.parametrize("function", BROADCAST.values(), ids=BROADCAST)
@pytest.mark.parametrize(
    ("shapes", "sizes"),
    [
        ([(None, None), (None,)], [((4, 3), (3,)), ((4, 3), (1,)), ((4, 1), (3,)), ((1, 1), (1,))]),
        ([(None, 3), ()], [((4, 3), ()), ((1, 3), ())]),
        ([(3,), (None, 3)], [((3,), (4, 3)), ((3,), (1, 3))]),
        ([(1, 3), (None, 3)], [((1, 3), (4, 3)), ((1, 3), (1, 3))]),
        ([(None, None), (None, None)], [((4, 1), (1, 3)), ((1, 3), (4, 1)), ((4, 3), (1, 1))]),
    ],
)
def test_ranks_and_more_unknown_sizes_may_differ(function, shapes, sizes):
    feeds = [(rand(*a, seed=1), rand(*b, seed=2)) for a, b in sizes]
    compare(function, shapes, feeds)


# Steps of random graphs: from one value of any shape, from one to a smaller one, and from two.
ONE = [
    *[torch.Tensor.tanh, torch.Tensor.sigmoid, torch.Tensor.relu],
    lambda a: (a * a + 0.5).log() - (a * a + 1).sqrt(),
    lambda a: a.exp() / (a.exp() + 2),
]
LESS = [
    *[lambda a: a.mean(0, keepdim=True), lambda a: a.mean(0), lambda a: a.sum() * 0.3],
    *[lambda a: (a * a).mean(-1, keepdim=True), lambda a: a.unsqueeze(0).sum(0)],
]
TWO = [
    *[lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a.maximum(b)],
    *[lambda a, b: a / (b * b + 1), lambda a, b: (a * a + 0.5) ** b],
    *[lambda a, b: a.where(a > b, b), lambda a, b: a.masked_fill(b > 0.2, 0.3)],
]


def random_function(seed):
    """A function of three values that broadcast in any way, to one number."""

    def function(*leaves):
        choose, values = random.Random(seed), list(leaves)
        for _ in range(choose.randint(4, 12)):
            a, b = choose.choice(values), choose.choice(values)
            step = choose.choice([*ONE, *LESS, *TWO, *TWO])
            if step in TWO:
                value = step(a, b)
            elif step in ONE:
                value = getattr(a, step.__name__)() if step in ONE[:3] else step(a)
            else:
                value = step(a) if a.ndim else a.tanh()
            values.append(value.tanh() * 1.2 + value * 0.02)  # keeps the numbers moderate
        total = 0.0
        for value in values[-4:]:
            total = total + (value * value).mean() + value.sum() * 0.1
        return total

    return function


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_in_which_any_sizes_broadcast(seed):
    choose = random.Random(seed)
    kinds = [(None, 3), (None, 3), (None, 1), (1, 3), (3,), ()]
    shapes = [choose.choice(kinds) for _ in range(3)]
    feeds = []
    for rows in (4, 1, 12):
        sizes = [[choose.choice([rows, rows, 1]) if n is None else n for n in s] for s in shapes]
        feeds.append([rand(*each, seed=seed * 3 + place) for place, each in enumerate(sizes)])
    compare(random_function(seed), shapes, feeds)


def test_an_empty_batch_has_gradients_of_zeros():
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=F64)
    w = graph.parameter(rand(3, 2), name="w")
    loss = ((x @ w).tanh() ** 2).sum()
    (slope,) = graph.gradients(loss, [w])
    (bend,) = graph.gradients((slope**2).sum(), [w])
    values = graph.forward(x=rand(0, 3), outputs=[slope, bend])
    assert all(torch.equal(value, torch.zeros(3, 2, dtype=F64)) for value in values)


# higher orders


def test_derivatives_up_to_the_fifth():
    graph = gn.Graph()
    x = graph.input((), name="x", dtype=F64)
    nodes = [x**5 * 0.25 + x.tanh()]
    for _ in range(5):
        nodes += graph.gradients(nodes[-1], [x])
    at = torch.tensor(0.7, dtype=F64, requires_grad=True)
    expected = [at**5 * 0.25 + at.tanh()]
    for _ in range(5):
        expected += torch.autograd.grad(expected[-1], at, create_graph=True)
    found = graph.forward(x=at, outputs=nodes)
    assert_close(torch.stack(found), torch.stack(expected).detach(), **CLOSE)


def two_layers(x, v, c, w):
    return (x @ v + c).tanh() @ w


@pytest.mark.parametrize("rows", [5, 1])
@pytest.mark.parametrize("known", [True, False])
def test_a_gradient_penalty_is_differentiated_by_the_parameters(known, rows):
    leaves = [rand(3, 4, seed=1), rand(4, seed=2), rand(4, 1, seed=3)]
    batch = rand(rows, 3, seed=4)
    graph = gn.Graph()
    x = graph.input((rows if known else None, 3), name="x", dtype=F64)
    parameters = [graph.parameter(leaf, name=n) for leaf, n in zip(leaves, "vcw", strict=True)]
    y = two_layers(x, *parameters).sum()
    (slope,) = graph.gradients(y, [x])
    penalty = (((slope * slope).sum(1).sqrt() - 1) ** 2).mean()
    as_nodes = graph.gradients(penalty, parameters)

    torches = [leaf.clone().requires_grad_() for leaf in leaves]
    with torch.enable_grad():
        point = batch.clone().requires_grad_()
        (torch_slope,) = torch.autograd.grad(
            two_layers(point, *torches).sum(), point, create_graph=True
        )
        torch_penalty = (((torch_slope * torch_slope).sum(1).sqrt() - 1) ** 2).mean()
        expected = torch.autograd.grad(torch_penalty, torches)

    found = graph.forward(x=batch, outputs=[penalty, *as_nodes])
    assert_close(found[0], torch_penalty.detach(), **CLOSE)
    graph.backward(penalty)
    for node, value, reference in zip(parameters, found[1:], expected, strict=True):
        assert_close(value, reference, **CLOSE)
        assert_close(node.grad, reference, **CLOSE)


def test_the_walk_back_and_the_derivative_nodes_give_the_same():
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=F64, requires_grad=True)
    y = graph.input((None, 3), name="y", dtype=F64, requires_grad=True)
    loss = pair(x, y)
    nodes = graph.gradients(loss, [x, y])
    graph.forward(x=rand(5, 3), y=rand(1, 3, seed=1))
    graph.backward(loss)
    for leaf, node in zip((x, y), nodes, strict=True):
        assert_close(leaf.grad, node.top, **CLOSE)
