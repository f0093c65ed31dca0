"""The update of every optimizer on tensors that stay, and on nodes, against torch."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from optim.test_formulas import CASES
from optim.torch_pairs import torch_optimizer

import graphnet as gn
from graphnet.optim.functionalize import Place

DTYPE = torch.float64
SHAPE = (3, 4)


def program(optimizer, group, numbers, names):
    """The update as a graph whose inputs are the numbers, the value, the gradient and the state."""
    graph = gn.Graph()
    with graph:
        fed = {name: gn.Input((), name=name, dtype=DTYPE) for name in numbers}
        value, grad, *state = (
            gn.Input((None, 4), name=name, dtype=DTYPE) for name in ("value", "grad", *names)
        )
        new, memory = optimizer.updated(
            {**group, **fed}, 1, value, grad, **dict(zip(names, state, strict=True))
        )
    return graph, (new, *memory.values())


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_the_update_on_tensors_and_on_nodes(kind, options):
    generator = torch.Generator().manual_seed(0)
    value = torch.randn(SHAPE, generator=generator, dtype=DTYPE)
    theirs = torch.nn.Parameter(value.clone())
    reference = torch_optimizer(kind, [theirs], options)
    optimizer = getattr(gn, kind)([gn.Parameter(value)], **options)
    group = optimizer.defaults
    names = optimizer.slots_of(group)
    first = {name: optimizer.first_value(group, name) for name in names}
    scalars = {name: torch.tensor(first[name]) for name in names if name in optimizer.scalars}
    state = {name: torch.full_like(value, first[name]) for name in names if name not in scalars}
    programs = {}
    for step in range(1, 21):
        grad = torch.randn(SHAPE, generator=generator, dtype=DTYPE)
        theirs.grad = grad.clone()
        reference.step()
        numbers = optimizer.numbers(group, step, **scalars)
        flags = {name: each for name, each in numbers.items() if isinstance(each, bool)}
        fed = {name: torch.tensor(numbers[name], dtype=DTYPE) for name in numbers.keys() - flags}
        if str(flags) not in programs:
            programs[str(flags)] = program(optimizer, {**group, **flags}, fed, [*state])
        graph, outputs = programs[str(flags)]
        before = [each.clone() for each in (value, grad, *state.values())]
        new, memory = optimizer.updated({**group, **numbers}, step, value, grad, **state)
        assert all(map(torch.equal, before, (value, grad, *state.values())))
        tops = graph.forward(value=value, grad=grad, **state, **fed, outputs=outputs)
        for top, each in zip(tops, (new, *memory.values()), strict=True):
            assert_close(top, each, rtol=1e-13, atol=1e-13)
        value, state = new, memory
        assert_close(value, theirs.detach(), rtol=1e-12, atol=1e-12)


def test_the_update_of_a_user_on_nodes():
    class SignDescent(gn.Optimizer):
        def update(self, group, step, value, grad):
            value -= group["lr"] * grad.sign() / step

    optimizer = SignDescent([gn.Parameter(torch.ones(1))], lr=0.5)
    with gn.Graph() as graph:
        value, grad = gn.Input((None,), name="value"), gn.Input((None,), name="grad")
        lr, step = gn.Input((), name="lr"), gn.Input((), name="step")
        optimizer.updated({"lr": lr}, step, value, grad)
    found = graph.forward(
        value=torch.ones(2), grad=torch.tensor([3.0, -3.0]), lr=torch.tensor(0.5),
        step=torch.tensor(2.0),
    )  # fmt: skip
    assert found.tolist() == [0.75, 1.25]


REFUSED = {
    "equal": (lambda p: p == 1, "compare"),
    "greater": (lambda p: p > 1, "compare"),
    "a part": (lambda p: p[0].mul_(2), "part"),
    "each": (list, "part"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_update_cannot_do(name):
    """What it wrote into a part would be lost, and a comparison would be that of one step."""
    use, words = REFUSED[name]
    with pytest.raises(gn.GraphError, match=words):
        use(Place(torch.ones(2)))


def test_a_number_given_at_each_step_is_not_0():
    graph = gn.Graph()
    assert Place(graph.input((), name="momentum"))


def written(place, x):
    place += x
    place -= 2 * x
    place *= 3
    place /= x
    return place


FORMS = {
    "add": lambda p, x: p.add_(x),
    "add alpha": lambda p, x: p.add_(x, alpha=0.3),
    "sub": lambda p, x: p.sub_(x, alpha=2),
    "mul div": lambda p, x: p.mul_(x).div_(x + 3),
    "addcmul": lambda p, x: p.addcmul_(x, x, value=-2),
    "addcdiv": lambda p, x: p.addcdiv_(x, x * x + 1, value=0.5),
    "lerp": lambda p, x: p.lerp_(x, 0.3),
    "copy": lambda p, x: p.copy_(x),
    "sub alpha": lambda p, x: p.sub_(x, alpha=0.3),
    "a method without a function": lambda p, x: p.copy_(p.roll(1) + x.flip(0)),
    "a mask": lambda p, x: p.copy_(p.where(p.gt(0), x)),
    "functions": lambda p, x: p.abs_().sqrt_().neg_(),
    "pure ones": lambda p, x: p.add_(p.abs().sqrt().add_(1.0)).mul_(p.numel()),
    "signs": lambda p, x: p.copy_(1 - p / 2 + 3 * -p - x + p**2 / 4 + 2 / (p * p + 1)),
    "written": written,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_place_is_written_as_a_tensor_is(form):
    start, x = torch.linspace(-1, 2, 5, dtype=DTYPE), torch.linspace(2, 3, 5, dtype=DTYPE)
    expected = form(start.clone(), x)
    for given in (x, Place(x)):
        place = Place(start)
        assert form(place, given) is place
        assert_close(place.now, expected, rtol=1e-14, atol=1e-14)
    assert start.equal(torch.linspace(-1, 2, 5, dtype=DTYPE))
