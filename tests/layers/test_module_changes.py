"""What is changed, frozen, kept or loaded after a module was made is honoured."""

from __future__ import annotations

import pytest
import torch
from layers.torch_pairs import (
    ALL,
    DOUBLE,
    Block,
    built_with,
    check,
    inputs_of,
    pair,
    seeded,
)

import graphnet as gn


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


@pytest.mark.parametrize("apart", ["0", "1", "1.0"], ids=["batch norm", "inner", "dropout inside"])
def test_a_module_inside_may_be_set_to_evaluation_apart(apart):
    ours = gn.Sequential(gn.BatchNorm1d(3), gn.Sequential(gn.Dropout(1.0), gn.BatchNorm1d(3)))
    theirs = torch.nn.Sequential(
        torch.nn.BatchNorm1d(3),
        torch.nn.Sequential(torch.nn.Dropout(1.0), torch.nn.BatchNorm1d(3)),
    )
    x = torch.randn(5, 3, generator=seeded(), dtype=torch.float32)
    for model in (ours, theirs):
        model.train()
        dict(model.named_modules())[apart].eval()
    torch.testing.assert_close(ours.forward(x), theirs(x).detach(), rtol=1e-6, atol=1e-6)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-6, atol=1e-7, msg=name)


@pytest.mark.parametrize("body", ALL)
def test_dtypes(body):
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
    module, before = built_with(gn, Block), built_with(gn, Block).state_dict()
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
    module = built_with(gn, Block)
    before = module.state_dict()
    module.load_state_dict({"scale": torch.zeros(3), "extra": torch.zeros(1)}, strict=False)
    assert module.scale.top.tolist() == [0, 0, 0]
    assert module.inner.weight.top.equal(before["inner.weight"])


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "got None"),
        ([torch.ones(3)], "got list"),
        ("weights.pt", "got str"),
        (gn.Linear(3, 2), "got Linear"),
    ],
    ids=["None", "list", "path", "module"],
)
def test_a_state_that_is_no_dict(state, words, strict):
    module = gn.Linear(3, 2)
    before = module.state_dict()
    with pytest.raises(gn.LoadError, match=f"dict of tensors by name.*{words}"):
        module.load_state_dict(state, strict)
    assert all(value.equal(before[name]) for name, value in module.state_dict().items())


def test_a_state_with_keys_of_several_kinds():
    module = gn.Linear(3, 2)
    state = {**module.state_dict(), 1: torch.ones(1), None: torch.ones(1), "extra": torch.ones(1)}
    with pytest.raises(gn.LoadError) as error:
        module.load_state_dict(state)
    assert [line.strip() for line in str(error.value).splitlines()[1:]] == [
        "1: unknown to this model; names are strings, got int",
        "None: unknown to this model; names are strings, got NoneType",
        "extra: unknown to this model",
    ]
    module.load_state_dict(state, strict=False)
