"""Modules that a user writes, against the same modules in torch.nn with autograd in float64."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from layers.torch_pairs import (
    ALL,
    DOUBLE,
    Block,
    Net,
    TwoInputs,
    TwoOutputs,
    built_with,
    check,
    close,
    inputs_of,
    pair,
    seeded,
)
from torch import nn

import graphnet as gn


@pytest.mark.parametrize("body", ALL)
def test_batches_of_several_sizes_accumulate(body):
    ours, theirs = pair(body)
    generator = seeded()
    for rows in (5, 1, 7, 0, 5):
        check(ours, theirs, *inputs_of(body, rows, generator), generator=generator)
    ours.zero_grad()
    theirs.zero_grad()
    check(ours, theirs, *inputs_of(body, 4, generator), generator=generator)


@pytest.mark.parametrize("body", ALL)
def test_names_order_and_state_are_those_of_torch(body):
    ours, theirs = pair(body)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    assert [p.shape for p in ours.parameters()] == [tuple(p.shape) for p in theirs.parameters()]
    for value in ours.state_dict().values():
        value.mul_(2)  # a copy: the module does not notice
    close(next(iter(ours.state_dict().values())), next(iter(theirs.state_dict().values())))
    theirs.load_state_dict({name: 3 * value for name, value in ours.state_dict().items()})
    ours.load_state_dict(theirs.state_dict())
    check(ours, theirs, *inputs_of(body, 4, seeded()))


def test_called_on_tensors_it_computes():
    ours, theirs = pair(TwoInputs)
    x, y = inputs_of(TwoInputs, 5, seeded())
    close(ours(x, y), theirs(x, y))


def test_gradient_of_an_output_that_is_a_scalar_may_be_left_out():
    class Total(gn.Module):
        def build(self, x):
            return (x * x).sum()

    module = Total()
    assert module.forward(torch.tensor([1.0, 2.0])) == 5
    assert module.backward().tolist() == [2, 4]


def test_input_that_is_returned_or_not_used():
    class Odd(gn.Module):
        def build(self, x, y):
            return x, x

    module = Odd()
    module.forward(torch.ones(2), torch.ones(3))
    used, unused = module.backward(torch.ones(2), torch.full((2,), 5.0))
    assert used.tolist() == [6, 6]
    assert unused is None


def test_forward_without_inputs():
    class Constant(gn.Module):
        def __init__(self):
            self.value = gn.Parameter(torch.tensor([1.0, 2.0]))

        def build(self):
            return self.value * 3

    module = Constant()
    assert module.forward().tolist() == [3, 6]
    module.backward(torch.ones(2))
    assert module.value.grad.tolist() == [3, 3]


# sharing


def test_called_twice_in_one_graph_it_shares_its_weights():
    ours, theirs = pair(Block)
    generator = seeded()
    x, z = (torch.randn(5, 3, generator=generator, dtype=DOUBLE) for _ in range(2))
    with gn.Graph() as graph:
        nodes = [gn.Input((None, 3), name=name, dtype=DOUBLE) for name in "xz"]
        total = (ours(nodes[0]) * ours(nodes[1])).sum()
    expected = (theirs(x) * theirs(z)).sum()
    expected.backward()
    close(graph.forward(x=x, z=z), expected)
    graph.backward(total)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(mine.grad, other.grad)
    assert graph.parameters() == ours.parameters()
    graph.lint()


def test_parameter_of_two_modules():
    ours = gn.Sequential(gn.Linear(3, 3), gn.Linear(3, 3))
    theirs = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)).double()
    ours.double().load_state_dict(theirs.state_dict())
    ours[1].weight, theirs[1].weight = ours[0].weight, theirs[0].weight
    assert [name for name, _ in ours.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    check(ours, theirs, torch.randn(4, 3, generator=seeded(), dtype=DOUBLE))
    ours.load_state_dict(theirs.state_dict())  # torch has it under both names


@pytest.mark.parametrize("body", ALL)
def test_a_copy_is_the_same_and_goes_its_own_way(body):
    ours, theirs = pair(body)
    inputs = inputs_of(body, 4, seeded())
    check(ours, theirs, *inputs)
    kept, kept_torch = copy.deepcopy(ours), copy.deepcopy(theirs)
    kept_torch.zero_grad()
    for (value, _), other in zip(kept.param(), kept_torch.parameters(), strict=True):
        value.mul_(2)
        other.data.mul_(2)
    check(kept, kept_torch, *inputs)
    check(ours, theirs, *inputs)


def through_pickle(module):
    return pickle.loads(pickle.dumps(module))


@pytest.mark.parametrize("how", [copy.deepcopy, through_pickle])
def test_a_copy_shares_what_the_original_shares(how):
    layer = gn.Linear(3, 3)
    model = gn.Sequential(layer, gn.Tanh(), layer)
    model[0].bias.requires_grad = False
    x = torch.randn(4, 3, generator=seeded())
    y = model.forward(x)
    other = how(model)
    assert other[0] is other[2]
    assert len(other.parameters()) == 2
    assert not set(other.parameters()) & set(model.parameters())
    assert [each.requires_grad for each in other.parameters()] == [True, False]
    assert other.forward(x).equal(y)


# what is refused


@pytest.mark.parametrize(
    "wrap",
    [
        lambda module: [module],
        lambda module: (module, gn.Tanh()),
        lambda module: {"first": module},
        lambda module: [[module]],
        lambda module: {"first": [module]},
        lambda module: [module.weight],
    ],
    ids=["list", "tuple", "dict", "list of lists", "dict of lists", "list of parameters"],
)
def test_modules_in_a_plain_container_are_refused(wrap):
    class Hiding(gn.Module):
        def __init__(self):
            self.layers = wrap(gn.Linear(2, 2))

        def build(self, x):
            return x * 2

    for use in (Hiding.parameters, Hiding.state_dict, lambda module: module.forward(torch.ones(2))):
        with pytest.raises(gn.GraphError) as error:
            use(Hiding())
        assert "Hiding.layers" in str(error.value)
        assert "Sequential" in str(error.value)


def test_module_without_build():
    class Nothing(gn.Module):
        pass

    class LikeTorch(gn.Module):
        def forward(self, x):
            return x

    with pytest.raises(gn.GraphError, match="Nothing has no build method: define build"):
        Nothing().forward(torch.ones(2))
    with pytest.raises(gn.GraphError, match="LikeTorch has no build method: rename its `forward`"):
        LikeTorch()(gn.Graph().input((2,), name="x"))


def test_backward_takes_one_gradient_for_each_output():
    module = built_with(gn, TwoOutputs)
    with pytest.raises(gn.StateError, match="forward"):
        module.backward(torch.ones(2, 3))
    module.forward(torch.ones(2, 3))
    with pytest.raises(gn.ShapeError, match="3 outputs; got 1"):
        module.backward(torch.ones(2, 3))
    module.backward(torch.ones(2, 3), torch.ones(2), torch.ones(2, 3))


def test_an_error_leaves_the_module_usable():
    ours, theirs = pair(TwoInputs)
    x, y = inputs_of(TwoInputs, 4, seeded())
    check(ours, theirs, x, y)
    for wrong in [(x, x), (x[:3], y), (x.float(), y), (x, None)]:
        with pytest.raises(gn.GraphError):
            ours.forward(*wrong)
    check(ours, theirs, x, y)


def test_repr_shows_what_is_inside():
    assert repr(built_with(gn, Net)).splitlines() == [
        "Net(",
        "  (encoder): Sequential(",
        *[f"    {line}" for line in f"(0): {built_with(gn, Block)!r}".splitlines()],
        "    (1): Linear(4, 3, bias=True)",
        *[f"    {line}" for line in f"(2): {built_with(gn, Block)!r}".splitlines()],
        "  )",
        "  (head): Linear(4, 2, bias=False)",
        ")",
    ]
    assert repr(built_with(gn, TwoInputs)).startswith("TwoInputs(")


def test_a_buffer_that_is_not_persistent_is_no_part_of_the_state():
    class Masked(gn.Module):
        def __init__(self):
            self.weight = gn.Parameter(torch.ones(2))
            self.mask = gn.Parameter(torch.ones(2), requires_grad=False, persistent=False)

        def build(self, x):
            return x * self.weight * self.mask

    model = Masked()
    assert list(model.state_dict()) == ["weight"]
    assert [name for name, _ in model.named_state()] == ["weight", "mask"]
    model.load_state_dict({"weight": torch.zeros(2)})
    assert model.double().mask.dtype is torch.float64
    assert copy.deepcopy(model).mask.persistent is False
    with pytest.raises(gn.GraphError, match="part of the state"):
        gn.Parameter(torch.ones(2), persistent=False)
