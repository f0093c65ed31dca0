"""Modules that a user writes, against the same modules in torch.nn with autograd in float64."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

import graphnet as gn

DOUBLE = torch.float64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def close(mine, other):
    # numbers about 1 through a few layers: 1e-12 is rounding of float64
    torch.testing.assert_close(mine, other.detach(), rtol=1e-12, atol=1e-12)


def check(ours, theirs, *inputs, generator=None):
    """One forward and backward of both; the gradients of the parameters add up in both."""
    leaves = [each.clone().requires_grad_(each.is_floating_point()) for each in inputs]
    expected = as_tuple(theirs(*leaves))
    generator = generator or seeded(7)
    grads = [torch.randn(each.shape, generator=generator, dtype=DOUBLE) for each in expected]
    torch.autograd.backward(expected, grads)
    for mine, other in zip(as_tuple(ours.forward(*inputs)), expected, strict=True):
        close(mine, other)
    results = ours.backward(*grads)
    assert isinstance(results, tuple) == (len(inputs) > 1)
    for mine, leaf in zip(as_tuple(results), leaves, strict=True):
        assert mine is None if leaf.grad is None else close(mine, leaf.grad) is None
    pairs = zip(ours.named_parameters(), theirs.named_parameters(), strict=True)
    for (name, mine), (same, other) in pairs:
        assert name == same
        close(mine.top, other)
        close(mine.grad, torch.zeros_like(other) if other.grad is None else other.grad)


# user modules, each twice: for graphnet with `build`, for torch with `forward`


class Block:
    def __init__(self, kit):
        super().__init__()
        self.scale = PARAMETER[kit](torch.linspace(-1, 1, 3))
        self.inner = kit.Linear(3, 3)
        self.outer = kit.Sequential(kit.Linear(3, 4), kit.Tanh())
        self.shift = PARAMETER[kit](torch.zeros(4))

    def compute(self, x):
        return self.outer(self.inner(x * self.scale).tanh() + x) + self.shift


class Net:
    def __init__(self, kit):
        super().__init__()
        self.encoder = kit.Sequential(twin(kit, Block), kit.Linear(4, 3), twin(kit, Block))
        self.head = kit.Linear(4, 2, bias=False)

    def compute(self, x):
        return self.head(self.encoder(x))


class Shared:
    def __init__(self, kit):
        super().__init__()
        self.layer = kit.Linear(3, 3)

    def compute(self, x):
        return self.layer(self.layer(self.layer(x).tanh()) + x)


class TwoInputs:
    def __init__(self, kit):
        super().__init__()
        self.left, self.right = kit.Linear(3, 2), kit.Linear(4, 2, bias=False)

    def compute(self, x, y):
        return self.left(x) * self.right(y)


class TwoOutputs:
    def __init__(self, kit):
        super().__init__()
        self.layer = kit.Linear(3, 3)

    def compute(self, x):
        y = self.layer(x)
        return y.tanh(), (y * y).sum(1), y


class Masked:
    def __init__(self, kit):
        super().__init__()
        self.layer = kit.Linear(3, 3)

    def compute(self, x, labels):
        return self.layer(x).masked_fill(labels.eq(0), 0.5)


PARAMETER = {gn: gn.Parameter, nn: nn.Parameter}


def twin(kit, body):
    method = "build" if kit is gn else "forward"
    return type(body.__name__, (body, kit.Module), {method: body.compute})(kit)


def pair(body):
    torch.manual_seed(0)
    theirs = twin(nn, body).double()
    ours = twin(gn, body).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


ALL = [Block, Net, Shared, TwoOutputs, TwoInputs, Masked]


def inputs_of(body, rows, generator):
    x = torch.randn(rows, 3, generator=generator, dtype=DOUBLE)
    if body is TwoInputs:
        return x, torch.randn(rows, 4, generator=generator, dtype=DOUBLE)
    if body is Masked:
        return x, torch.randint(0, 3, (rows, 1), generator=generator)
    return (x,)


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


# what changed since the first forward is honoured


class Scale(gn.Module):
    def __init__(self):
        self.factor, self.factors, self.layer = 2.0, [1.0, 2.0], gn.Identity()

    def build(self, x):
        y = self.layer(x) * self.factor * self.factors[0]
        return y if self.training else -y


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda module: setattr(module, "factor", 5.0), [5.0, -5.0]),
        (lambda module: setattr(module, "factors", [3.0]), [6.0, -6.0]),
        (lambda module: module.factors.__setitem__(0, 4.0), [8.0, -8.0]),
        (lambda module: setattr(module, "layer", gn.ReLU()), [2.0, 0.0]),
        (lambda module: module.eval(), [-2.0, 2.0]),
        (lambda module: module.eval().train(), [2.0, -2.0]),
        (lambda module: module.to(torch.float64), [2.0, -2.0]),
    ],
    ids=["number", "list", "inside a list", "module", "eval", "train", "type"],
)
def test_attribute_changed_after_forward(change, expected):
    module, x = Scale(), torch.tensor([1.0, -1.0])
    assert module.forward(x).tolist() == [2.0, -2.0]
    change(module)
    assert module.forward(x).tolist() == expected


def test_train_and_eval_reach_all_modules_inside():
    model = gn.Sequential(gn.Tanh(), gn.Sequential(gn.Tanh()))
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    model[1].train()
    assert [module.training for module in model.modules()] == [False, False, True, True]
    assert model.train() is model


@pytest.mark.parametrize("body", ALL)
def test_number_types(body):
    ours, theirs = pair(body)
    for change in (
        lambda m: m.float(),
        lambda m: m.to(DOUBLE),
        lambda m: m.to("cpu", torch.float32),
        lambda m: m.to(dtype=DOUBLE),
        lambda m: m.to(torch.device("cpu")),
        lambda m: m.double(),
    ):
        assert change(ours) is ours
        change(theirs)
        types = {value.dtype for value in theirs.state_dict().values()}
        assert {tensor.dtype for each in ours.param() for tensor in each} == types
        inputs = inputs_of(body, 3, seeded())
        ours.forward(*(x.to(*types) if x.is_floating_point() else x for x in inputs))
    check(ours, theirs, *inputs_of(body, 3, seeded()))


def test_a_type_that_cannot_be_learned():
    layer = gn.Linear(2, 2)
    with pytest.raises((gn.GraphError, TypeError)):
        layer.to(torch.int64)
    assert layer.weight.top.dtype is torch.float32


# frozen parameters and buffers


class Counted(gn.Module):
    def __init__(self):
        self.weight = gn.Parameter(torch.ones(2))
        self.mean = gn.Parameter(torch.full((2,), 3.0), requires_grad=False)
        self.count = gn.Parameter(torch.tensor(4), requires_grad=False)

    def build(self, x):
        return x * self.weight + self.mean


def test_buffers_are_state_and_no_parameters():
    module = Counted()
    assert list(module.state_dict()) == ["weight", "mean", "count"]
    assert module.parameters() == [module.weight]
    assert module.forward(torch.ones(2)).tolist() == [4, 4]
    module.backward(torch.ones(2))
    assert [gradient.tolist() for _, gradient in module.param()] == [[1, 1]]
    assert module.mean.grad is None
    module.double()
    assert module.mean.top.dtype is DOUBLE
    assert module.count.top.dtype is torch.int64
    module.requires_grad_(True)
    assert not module.mean.requires_grad


@pytest.mark.parametrize("used_before", [True, False])
def test_frozen_parameters_are_left_out(used_before):
    layer = gn.Linear(3, 2)
    x, grad = torch.ones(4, 3), torch.ones(4, 2)
    if used_before:
        layer.forward(x)
        layer.backward(grad)
        layer.zero_grad()
    layer.weight.requires_grad = False
    layer.forward(x)
    assert layer.backward(grad).shape == (4, 3)
    assert [gradient.tolist() for _, gradient in layer.param()] == [[4, 4]]
    assert layer.requires_grad_(False).param() == []
    assert len(layer.parameters()) == 2
    layer.requires_grad_()
    layer.zero_grad()
    layer.forward(x)
    layer.backward(grad)
    assert layer.weight.grad.tolist() == [[4, 4, 4]] * 2


# loading


def test_strict_loading_lists_every_difference():
    module, before = twin(gn, Block), twin(gn, Block).state_dict()
    module.load_state_dict(before)
    state = {name: value + 1 for name, value in before.items()}
    state["inner.weight"] = torch.zeros(3, 2)
    state["inner.bias"] = state["inner.bias"].double()
    state["shift"] = [0.0] * 4
    state["extra"] = torch.zeros(1)
    del state["scale"]
    with pytest.raises(gn.LoadError) as error:
        module.load_state_dict(state)
    lines = dict(line.strip().split(": ", 1) for line in str(error.value).splitlines()[1:])
    assert sorted(lines) == ["extra", "inner.bias", "inner.weight", "scale", "shift"]
    words = {"inner.weight": "(3, 2)", "inner.bias": "float64", "shift": "list", "scale": "(3,)"}
    assert all(word in lines[name] for name, word in words.items())
    with pytest.raises(gn.LoadError, match=r"inner\.weight"):
        module.load_state_dict(state, strict=False)
    assert all(value.equal(before[name]) for name, value in module.state_dict().items())


def test_loading_that_is_not_strict():
    module = twin(gn, Block)
    before = module.state_dict()
    module.load_state_dict({"scale": torch.zeros(3), "extra": torch.zeros(1)}, strict=False)
    assert module.scale.top.tolist() == [0, 0, 0]
    assert module.inner.weight.top.equal(before["inner.weight"])


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

    with pytest.raises(gn.GraphError, match="Nothing has no build"):
        Nothing().forward(torch.ones(2))


def test_backward_takes_one_gradient_for_each_output():
    module = twin(gn, TwoOutputs)
    with pytest.raises(gn.StateError, match="forward"):
        module.backward(torch.ones(2, 3))
    module.forward(torch.ones(2, 3))
    with pytest.raises(gn.ShapeError, match="3 outputs; 1 came"):
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
    assert repr(twin(gn, Net)).splitlines() == [
        "Net(",
        "  (encoder): Sequential(",
        *[f"    {line}" for line in f"(0): {twin(gn, Block)!r}".splitlines()],
        "    (1): Linear(4, 3, bias=True)",
        *[f"    {line}" for line in f"(2): {twin(gn, Block)!r}".splitlines()],
        "  )",
        "  (head): Linear(4, 2, bias=False)",
        ")",
    ]
    assert repr(Counted()) == "Counted()"
