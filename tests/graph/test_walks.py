"""The backward walk: its numbers against torch autograd in float64, and who gets a gradient."""

from __future__ import annotations

import random

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops

F64 = torch.float64
EXACT = {"rtol": 1e-12, "atol": 1e-12}  # the same sums in another order, in float64


def rand(*shape, seed=0):
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


def autograd(function, *leaves, grad=None):
    """The value of a function, and its gradients as torch computes them."""
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    with torch.enable_grad():
        value = function(*leaves)
    grads = torch.autograd.grad(value, leaves, grad, allow_unused=True)
    return value.detach(), [
        torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, grads, strict=True)
    ]


# numbers


def test_the_diamond_sums_over_all_ways():
    graph = gn.Graph()
    a = graph.input((), name="a", dtype=F64, requires_grad=True)
    b = a + a
    c = b + b
    graph.forward(a=torch.tensor(3.0, dtype=F64))
    graph.backward(c)
    assert (c.top, b.grad, a.grad) == (12, 2, 4)


def test_a_long_row_of_diamonds_is_walked_once():
    graph = gn.Graph()
    a = y = graph.input((), name="a", dtype=F64, requires_grad=True)
    for _ in range(60):  # 2**60 ways from the end to the start
        y = y + y
    graph.forward(a=torch.ones((), dtype=F64))
    graph.backward(y)
    assert a.grad == 2.0**60


# Functions of one or two (4, 3) values to a (4, 3) value, smooth or with kinks where no random
# number falls. The same lambda runs on tensors and on nodes.
UNARY = [
    *[torch.Tensor.tanh, torch.Tensor.sigmoid, torch.Tensor.relu, torch.Tensor.abs],
    lambda a: -a,
    lambda a: a.exp() / (a.exp() + 2),
    lambda a: (a * a + 1).sqrt(),
    lambda a: (a.abs() + 0.5).log(),
    lambda a: a**2 - 1.5,
    lambda a: 1.5**a,
    lambda a: a - a.mean(0, keepdim=True),
    lambda a: a / (1 + a.sum(1, keepdim=True) ** 2),
    lambda a: a.T.reshape(4, 3) + a.mean(),
    lambda a: (a @ a.T @ a) * 0.1,
    lambda a: a.permute(1, 0).transpose(0, 1).clamp(-0.7, 0.9),
    lambda a: a.unsqueeze(1).expand(4, 2, 3).sum((1,)),
    lambda a: a.reshape(2, 6).reshape(-1, 3) * 0.5,
]
BINARY = [
    *[lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b],
    lambda a, b: a / (b * b + 1),
    lambda a, b: a.maximum(b),
    lambda a, b: (a * a + 0.5) ** b,
    lambda a, b: a * b.sum(),
    lambda a, b: a + b.mean(1, keepdim=True),
    lambda a, b: a @ b.mT @ b,
    lambda a, b: b.where(a > 0.1, a),
]


def call(function, *values):
    """The method of a tensor's name on nodes too."""
    name = getattr(function, "__name__", "<lambda>")
    return function(*values) if name == "<lambda>" else getattr(values[0], name)()


def random_program(seed):
    """A function of three leaves, with up to 14 steps that use any value before them."""
    choose = random.Random(seed)
    steps = []
    for count in range(3, choose.randint(8, 17)):
        function = choose.choice(UNARY if choose.random() < 0.5 else BINARY)
        operands = [choose.randrange(count) for _ in range(1 if function in UNARY else 2)]
        steps.append((function, operands))

    def program(*leaves):
        values = list(leaves)
        for function, operands in steps:
            value = call(function, *[values[place] for place in operands])
            values.append(value.tanh() * 1.5 + value * 0.01)  # keeps the numbers moderate
        return (values[-1] * values[-2]).sum() + values[-3].mean()

    return program


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_have_the_gradients_of_autograd(seed):
    program = random_program(seed)
    leaves = [rand(4, 3, seed=seed * 3 + place) for place in range(3)]
    graph = gn.Graph()
    x = graph.input((4, 3), name="x", dtype=F64, requires_grad=True)
    v, w = (graph.parameter(leaf, name=name) for leaf, name in zip(leaves[1:], "vw", strict=True))
    loss = program(x, v, w)
    value, grads = autograd(program, *leaves)
    assert_close(graph.forward(x=leaves[0]), value, **EXACT)
    graph.backward(loss)
    for node, grad in zip((x, v, w), grads, strict=True):
        found = torch.zeros_like(grad) if node.grad is None else node.grad
        scale = 1 + float(grad.abs().max())
        assert_close(found / scale, grad / scale, **EXACT)
    graph.lint()


class Net:
    """tanh(x v) w + b, and its mean square."""

    def __init__(self):
        self.graph = gn.Graph()
        self.x = self.graph.input((None, 3), name="x", dtype=F64)
        self.v = self.graph.parameter(rand(3, 4, seed=1), name="v")
        self.w = self.graph.parameter(rand(4, 2, seed=2), name="w")
        self.b = self.graph.parameter(rand(2, seed=3), name="b")
        self.hidden = (self.x @ self.v).tanh()
        self.y = self.hidden @ self.w + self.b
        self.loss = (self.y * self.y).sum()

    @property
    def grads(self):
        return [p.grad.clone() for p in (self.v, self.w, self.b)]

    def run(self, x, target=None, grad=None, **options):
        self.graph.forward(x=x)
        self.graph.backward(self.loss if target is None else target, grad, **options)
        return self.grads

    def expected(self, x, grad=None):
        leaves = [p.top for p in (self.v, self.w, self.b)]

        def function(v, w, b):
            y = (x @ v).tanh() @ w + b
            return y if grad is not None else (y * y).sum()

        return autograd(function, *leaves, grad=grad)[1]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_close(a, b, **EXACT)


def test_backward_twice_gives_the_same_to_the_last_bit():
    net = Net()
    first = net.run(rand(5, 3))
    net.graph.backward(net.loss)
    assert all(map(torch.equal, first, net.grads))
    same(first, net.expected(rand(5, 3)))


@pytest.mark.parametrize("sizes", [(2, 3), (1, 1, 1, 1, 1), (4, 1), (5, 0)])
def test_accumulated_micro_batches_are_the_big_batch(sizes):
    net, batch = Net(), rand(5, 3)
    for place, part in enumerate(batch.split(sizes)):
        found = net.run(part, accumulate=place > 0)
    same(found, net.expected(batch))
    net.run(rand(2, 3, seed=9))  # without accumulate, all of that is cleared
    same(net.grads, net.expected(rand(2, 3, seed=9)))


def test_several_losses_are_differentiated_together():
    net, x = Net(), rand(5, 3)
    penalty = (net.w * net.w).sum() * 0.1
    net.graph.forward(x=x)
    net.graph.backward([net.loss, penalty])
    together = net.grads
    net.graph.backward(net.loss)
    net.graph.backward(penalty, accumulate=True)
    same(together, net.grads)
    expected = net.expected(x)
    expected[1] += 0.2 * net.w.top
    same(together, expected)
    net.graph.backward([net.loss, net.loss])
    same(net.grads, [2 * grad for grad in net.expected(x)])


def test_a_node_that_is_not_a_scalar_starts_from_grad():
    net, x, seed = Net(), rand(5, 3), rand(5, 2, seed=4)
    before = seed.clone()
    same(net.run(x, net.y, seed), net.expected(x, seed))
    assert torch.equal(seed, before)
    net.graph.backward([net.loss, net.y], [None, seed])
    same(net.grads, map(torch.add, net.expected(x), net.expected(x, seed)))
    net.graph.backward(net.loss, torch.tensor(3.0, dtype=F64))
    same(net.grads, [3 * grad for grad in net.expected(x)])


def test_a_parameter_or_an_input_may_be_the_target_itself():
    graph = gn.Graph()
    scale = graph.parameter(torch.tensor(2.0, dtype=F64), name="scale")
    graph.backward(scale)  # it has a value before any walk
    assert scale.grad == 1
    x, t = (graph.input((2,), name=name, dtype=F64, requires_grad=True) for name in "xt")
    y = (x * x).sum()
    graph.forward({x: rand(2), t: rand(2)}, outputs=y)  # neither scale nor t is walked
    graph.backward([y, scale, t], [None, None, rand(2, seed=1)])
    assert scale.grad == 1
    assert torch.equal(x.grad, 2 * rand(2))
    assert torch.equal(t.grad, rand(2, seed=1))


# who gets a gradient


def test_what_is_not_reached_has_no_gradient():
    net, x = Net(), rand(5, 3)
    unused = net.graph.parameter(rand(2), name="unused")
    aside = net.y.exp()
    net.run(x)
    assert unused.grad is None
    assert aside.grad is None
    assert net.x.grad is None  # it did not ask for one
    unused.grad = torch.ones(2, dtype=F64)
    net.graph.backward(net.loss)
    assert unused.grad is None
    net.graph.backward(net.hidden, rand(5, 4))
    assert net.v.grad.any()
    assert net.w.grad is None
    assert net.y.grad is None
    assert net.loss.grad is None


def test_a_frozen_parameter_gets_no_gradient_until_it_is_freed():
    net, x = Net(), rand(5, 3)
    expected = net.expected(x)
    net.run(x)
    net.w.requires_grad = False
    net.graph.backward(net.loss)
    same([net.v.grad, net.b.grad], [expected[0], expected[2]])
    assert net.w.grad is None or not net.w.grad.any()
    net.w.requires_grad = True
    net.graph.backward(net.loss)
    same(net.grads, expected)


def test_a_buffer_has_no_gradient_and_lets_it_pass():
    graph = gn.Graph()
    x = graph.input((2,), name="x", dtype=F64, requires_grad=True)
    scale = graph.parameter(rand(2), requires_grad=False)
    y = (x * scale).sum()
    graph.forward(x=rand(2))
    graph.backward(y)
    assert scale.grad is None
    assert torch.equal(x.grad, scale.top)


def test_an_input_that_asks_has_a_gradient():
    graph = gn.Graph()
    x = graph.input((None, 2), name="x", dtype=F64, requires_grad=True)
    t = graph.input((None, 2), name="t", dtype=F64)
    loss = ((x - t) ** 2).sum()
    a, b = rand(3, 2, seed=1), rand(3, 2, seed=2)
    graph.forward(x=a, t=b)
    graph.backward(loss)
    assert_close(x.grad, 2 * (a - b), **EXACT)
    assert t.grad is None
    graph.backward(loss, accumulate=True)
    assert_close(x.grad, 4 * (a - b), **EXACT)
    graph.forward(x=a, t=b)
    assert x.grad is None


def test_an_input_may_ask_later():
    graph = gn.Graph()
    x = graph.input((2,), name="x", dtype=F64)
    y = (x * x).sum()
    graph.forward(x=rand(2))
    graph.backward(y)
    x.requires_grad = True
    graph.backward(y)
    assert torch.equal(x.grad, 2 * rand(2))


def test_labels_have_no_gradient_and_a_weight_used_twice_has_the_sum():
    graph = gn.Graph()
    w = graph.parameter(rand(3, 3), name="w")
    x = graph.input((None, 3), name="x", dtype=F64)
    mask = graph.input((None, 3), name="mask", dtype=torch.bool)
    y = ops.where(mask, (x @ w).tanh() @ w, 0.0).sum()
    a, keep = rand(4, 3, seed=1), rand(4, 3, seed=2) > 0
    graph.forward(x=a, mask=keep)
    graph.backward(y)
    _, (grad,) = autograd(lambda v: (((a @ v).tanh() @ v) * keep).sum(), w.top)
    assert_close(w.grad, grad, **EXACT)
    assert mask.grad is None
