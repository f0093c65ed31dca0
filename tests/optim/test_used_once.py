"""A gradient is used once, and none is no gradient: beside torch, which is told by zero_grad."""

from __future__ import annotations

from itertools import permutations, product

import pytest
import torch
from closeness import assert_close
from sampling import some

import graphnet as gn

STEPS = 50
KINDS = [
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1}),
]
DTYPES = [torch.float32, torch.float64]
LIMITS = {torch.float32: 2e-4, torch.float64: 1e-9}  # rounding over 50 steps, in another order
FORMS = ["walked", "compiled", "mixed"]


class Body(gn.Module):
    """A body and two heads, of which the second may not be read; the other is made from it."""

    def __init__(self):
        self.body, self.a, self.b = gn.Linear(3, 5), gn.Linear(5, 2), gn.Linear(5, 2)

    def build(self, x):
        h = self.body(x).tanh()
        return self.a(h), self.b(h)


class Twin(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.a, self.b = (torch.nn.Linear(*size) for size in ((3, 5), (5, 2), (5, 2)))

    def forward(self, x):
        h = self.body(x).tanh()
        return self.a(h), self.b(h)


class Pair:
    """Two heads with one optimizer, a list and a step for each head, and the same in torch."""

    def __init__(self, kind, options, dtype, form, split=False):
        torch.manual_seed(0)
        self.ours, self.theirs, self.form = Body().to(dtype), Twin().to(dtype), form
        self.theirs.load_state_dict(self.ours.state_dict())
        self.lists = [self.listed(head, split) for head in (0, 1)]
        self.optimizer = getattr(gn, kind)(self.ours.parameters(), **options)
        self.torch_optimizer = getattr(torch.optim, kind)(self.theirs.parameters(), **options)
        self.steps = [graph.compile(loss, self.optimizer, tune=False) for graph, loss in self.lists]
        self.generator = torch.Generator().manual_seed(1)
        self.dtype = dtype

    def listed(self, head, split):
        """The list of one head; without `split` both heads stand in it."""
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=self.ours.body.weight.dtype)
            t = gn.Input((None, 2), name="t", dtype=x.dtype)
            if split:
                y = (self.ours.a, self.ours.b)[head](self.ours.body(x).tanh())
            else:
                y = self.ours(x)[head]
            loss = gn.LossMSE()(y, t)
        return graph, loss

    def batch(self):
        return [torch.randn(6, size, generator=self.generator, dtype=self.dtype) for size in (3, 2)]

    def walk(self, head, x, t, accumulate=False):
        graph, loss = self.lists[head]
        graph.forward(x=x, t=t, outputs=loss)
        graph.backward(loss, accumulate=accumulate)

    def backward(self, head, x, t):
        """In torch, where gradients are added."""
        with torch.enable_grad():
            (self.theirs(x)[head] - t).square().mean().backward()

    def step(self, number, head):
        x, t = self.batch()
        if self.form == "walked" or (self.form == "mixed" and number % 3 == 0):
            self.walk(head, x, t)
            self.optimizer.step()
        else:
            self.steps[head](x=x, t=t)
        self.torch_optimizer.zero_grad()
        self.backward(head, x, t)
        self.torch_optimizer.step()

    def check(self):
        limit = LIMITS[self.dtype]
        theirs = self.theirs.state_dict()
        for name, value in self.ours.state_dict().items():
            assert_close(value, theirs[name], rtol=limit, atol=limit)
        ours, theirs = (
            each.state_dict()["state"] for each in (self.optimizer, self.torch_optimizer)
        )
        if self.optimizer.step_in_state:
            steps = [
                {place: float(entry["step"]) for place, entry in state.items()}
                for state in (ours, theirs)
            ]
            assert steps[0] == steps[1]


@pytest.mark.parametrize(
    ("kind", "split", "form", "dtype"), some(product(KINDS, [True, False], FORMS, DTYPES), every=5)
)
def test_two_heads_with_one_optimizer(kind, split, form, dtype):
    pair = Pair(*kind, dtype, form, split)
    heads = [0, 1, 1, 0, 0, 0, 1]
    for number in range(STEPS):
        pair.step(number, heads[number % len(heads)])
    pair.check()


@pytest.mark.parametrize(("kind", "form", "dtype"), some(product(KINDS, FORMS, DTYPES), every=5))
def test_a_head_that_is_not_read_stays_as_it_is(kind, form, dtype):
    pair = Pair(*kind, dtype, form)
    before = pair.ours.b.weight.top.clone()
    for number in range(STEPS):
        pair.step(number, 0)
    pair.check()
    assert torch.equal(pair.ours.b.weight.top, before)
    assert pair.ours.b.weight.grad is None


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("form", ["walked", "compiled"])
@pytest.mark.parametrize(("kind", "options"), KINDS[1:3], ids=str)
def test_micro_batches_and_assigned_gradients(kind, options, form, split):
    pair = Pair(kind, options, torch.float64, form, split)
    for number in range(STEPS):
        pair.torch_optimizer.zero_grad()
        assigned = torch.randn(2, 5, generator=pair.generator, dtype=torch.float64)
        if number % 5 == 0 and split:  # of a parameter that is in no list of this head
            pair.ours.b.weight.grad = assigned
            pair.theirs.b.weight.grad = assigned.clone()
        for place in range(3):
            x, t = pair.batch()
            if form == "walked":
                pair.walk(0, x, t, accumulate=place > 0)
            elif place < 2:
                pair.steps[0].accumulate(x=x, t=t)
            else:
                pair.steps[0](x=x, t=t)
            pair.backward(0, x, t)
        if form == "walked":
            pair.optimizer.step()
        pair.torch_optimizer.step()
    pair.check()


@pytest.mark.parametrize("form", ["walked", "compiled"])
def test_what_a_step_has_used_is_not_added_to(form):
    """Micro-batches that never start afresh: each update is of the gradients since the last."""
    pair = Pair("SGD", {"lr": 0.1}, torch.float64, form)
    for _ in range(5):
        pair.torch_optimizer.zero_grad()
        for _ in range(2):
            x, t = pair.batch()
            if form == "walked":
                pair.walk(0, x, t, accumulate=True)
            else:
                pair.steps[0].accumulate(x=x, t=t)
            pair.backward(0, x, t)
        pair.optimizer.step()
        pair.torch_optimizer.step()
    pair.check()


def test_a_second_step_without_a_gradient_does_nothing():
    w = gn.Parameter(torch.ones(2))
    adam = gn.Adam([w], lr=0.1, weight_decay=0.1)
    w.grad = torch.ones(2)
    adam.step()
    after = w.top.clone()
    assert w.grad.tolist() == [1, 1]  # still to be read
    adam.step()
    gn.SGD([w], lr=1.0).step()
    assert torch.equal(w.top, after)
    assert adam.state_dict()["state"][0]["step"] == 1
    w.grad = torch.ones(2)
    adam.step()
    assert not torch.equal(w.top, after)


def test_gradients_set_to_zero_are_gradients():
    w = gn.Parameter(torch.ones(2))
    sgd = gn.SGD([w], lr=0.1, weight_decay=0.5)
    w.grad = torch.ones(2)
    sgd.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0, 0]
    sgd.step()
    assert_close(w.top, torch.full((2,), 0.95), rtol=1e-6, atol=0)
    sgd.zero_grad(set_to_none=False)
    sgd.zero_grad()
    sgd.step()
    assert_close(w.top, torch.full((2,), 0.95), rtol=1e-6, atol=0)


@pytest.mark.parametrize("form", ["walked", "compiled"])
def test_clipping_is_by_the_gradients_that_come_next(form):
    """That of the other head was used; the norm is of those that this step uses."""
    pair = Pair("SGD", {"lr": 0.1}, torch.float64, form, split=True)
    steps = [g.compile(loss, pair.optimizer, tune=False, max_norm=0.1) for g, loss in pair.lists]
    for number in range(8):
        x, t = pair.batch()
        head = number % 2
        if form == "walked":
            pair.walk(head, x, t)
            gn.clip_grad_norm_(pair.ours.parameters(), 0.1)
            pair.optimizer.step()
        else:
            steps[head](x=x, t=t)
        pair.torch_optimizer.zero_grad()
        pair.backward(head, x, t)
        torch.nn.utils.clip_grad_norm_(pair.theirs.parameters(), 0.1)
        pair.torch_optimizer.step()
    pair.check()


def test_a_norm_after_a_step_is_that_of_the_gradients_it_used():
    w = gn.Parameter(torch.zeros(2))
    w.grad = torch.tensor([3.0, 4.0])
    gn.SGD([w], lr=0.1).step()
    assert float(gn.clip_grad_norm_([w], float("inf"))) == 5


@pytest.mark.parametrize("frozen", [True, False])
def test_a_refused_step_leaves_gradients_as_they_are(frozen):
    pair = Pair("Adam", {}, torch.float64, "compiled")
    x, t = pair.batch()
    weight = pair.ours.b.weight
    weight.requires_grad = not frozen
    weight.grad = torch.ones_like(weight.top)
    before = [None if each.grad is None else each.grad.clone() for each in pair.ours.parameters()]
    with pytest.raises(gn.NonFiniteError):
        pair.steps[0](x=x * float("nan"), t=t)
    after = [each.grad for each in pair.ours.parameters()]
    assert_close(after, before, rtol=0, atol=0)
    pair.steps[0](x=x, t=t)
    assert weight.grad is None  # as after a backward walk


@pytest.mark.parametrize("form", ["walked", "compiled"])
def test_a_parameter_that_joins_the_list_later_is_one_of_the_list(form):
    """As after a backward walk, it has no gradient, although it had one before."""
    pair = Pair("SGD", {"lr": 0.1}, torch.float64, form, split=True)
    graph, _ = pair.lists[0]
    step = pair.steps[0]
    x, t = pair.batch()
    step(x=x, t=t)
    with graph:
        other = gn.LossMSE()(pair.ours(graph["x"])[1], graph["t"])
    graph.forward(x=x, t=t)
    graph.backward(other)
    before = pair.ours.b.weight.top.clone()
    if form == "compiled":
        step(x=x, t=t)
    else:
        pair.walk(0, x, t)
        pair.optimizer.step()
    assert torch.equal(pair.ours.b.weight.top, before)
    assert pair.ours.b.weight.grad is None


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_heads_that_take_turns_settle_on_their_programs(kind, order):
    """Whatever the order of the parameters: parted once, they are not brought together again."""
    torch.manual_seed(0)
    layers = [gn.Linear(4, 4) for _ in range(3)]
    body, *heads = layers
    parameters = [each for place in order for each in layers[place].parameters()]
    optimizer = getattr(gn, kind)(parameters, lr=0.01)
    steps = []
    for head in heads:
        with gn.Graph() as graph:
            loss = (head(body(gn.Input((None, 4), name="x"))) ** 2).mean()
        steps.append(graph.compile(loss, optimizer, tune=False))
    x = torch.randn(3, 4)
    programs = []
    for _ in range(6):
        for step in steps:
            step(x=x)
        programs.append([step.program for step in steps])
    assert all(now == last for now, last in zip(programs[3:], programs[2:], strict=False))
