"""SGD and Adam against torch.optim in float64, and the flat home of the parameters."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

import graphnet as gn
from graphnet.optim import Optimizer

SHAPES = [(3, 4), (4,), (), (0, 2), (2, 3, 2)]

CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.0, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 1.0}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 1.0}),
    ("SGD", {"lr": 0.1, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.02, "momentum": 0.95, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.0}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.0)}),
    ("Adam", {"lr": 0.05, "betas": (0.5, 0.99)}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.999)}),
    ("Adam", {"lr": 0.05, "eps": 1e-2}),
    ("Adam", {"lr": 0.05, "eps": 0.0}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.02}),
]
MEMORY = [("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}), ("Adam", {"lr": 0.05})]
"""One of each kind whose next step depends on the steps before."""


class Twins:
    """The same parameters in graphnet and in torch, given the same gradients."""

    def __init__(self, shapes=SHAPES, dtype=torch.float64, seed=0):
        self.generator = torch.Generator().manual_seed(seed)
        starts = [torch.randn(shape, generator=self.generator, dtype=dtype) for shape in shapes]
        self.ours = [gn.Parameter(start) for start in starts]
        self.theirs = [nn.Parameter(start.clone()) for start in starts]

    def optimizers(self, kind, options, places=None):
        places = range(len(self.ours)) if places is None else places
        ours = getattr(gn, kind)([self.ours[place] for place in places], **options)
        theirs = getattr(torch.optim, kind)([self.theirs[place] for place in places], **options)
        return ours, theirs

    def set_gradients(self, frozen=()):
        for place, (mine, other) in enumerate(zip(self.ours, self.theirs, strict=True)):
            grad = torch.randn(other.shape, generator=self.generator, dtype=other.dtype)
            other.grad = None if place in frozen else grad.clone()
            if mine.requires_grad == (place in frozen):  # touched only where it changes
                mine.requires_grad = place not in frozen
            if place not in frozen:
                mine.grad = grad

    def step(self, ours, theirs, frozen=()):
        self.set_gradients(frozen)
        ours.step()
        theirs.step()

    def check(self, tolerance=1e-12):
        # Values are about 1, so 1e-12 is rounding of float64 over the steps and nothing more.
        for mine, other in zip(self.ours, self.theirs, strict=True):
            torch.testing.assert_close(mine.top, other.detach(), rtol=tolerance, atol=tolerance)


def assert_words(words, error):
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_fifty_steps_equal_torch(kind, options):
    twins = Twins()
    pair = twins.optimizers(kind, options)
    for _ in range(50):
        twins.step(*pair)
        twins.check()


@pytest.mark.parametrize(("kind", "options"), [*MEMORY, ("SGD", {"momentum": 0.0})], ids=str)
@pytest.mark.parametrize("later", [{"lr": 0.3}, {"momentum": 0.5}, {"weight_decay": 0.1}], ids=str)
def test_settings_may_change_between_steps(kind, options, later):
    if kind == "Adam" and "momentum" in later:
        later = {"betas": (0.5, 0.9), "eps": 1e-3}
    twins = Twins()
    ours, theirs = twins.optimizers(kind, options)
    first = {name: theirs.defaults[name] for name in later}
    for settings in ({}, later, first, later):
        for name, value in settings.items():
            setattr(ours, name, value)
            theirs.param_groups[0][name] = value
        for _ in range(3):
            twins.step(ours, theirs)
            twins.check()


@pytest.mark.parametrize("meanwhile", ["nothing", "frozen", "copied"])
def test_momentum_that_comes_later_starts_with_a_whole_gradient(meanwhile):
    twins = Twins()
    ours, theirs = twins.optimizers("SGD", {"lr": 0.1, "dampening": 0.5})
    twins.step(ours, theirs)
    if meanwhile == "copied":
        twins.ours, twins.theirs, ours, theirs = copy.deepcopy(
            (twins.ours, twins.theirs, ours, theirs)
        )
    if meanwhile == "frozen":
        twins.step(ours, theirs, (0, 1))
    ours.momentum = theirs.param_groups[0]["momentum"] = 0.9
    for frozen in [(0, 1), (0,), (), ()] if meanwhile == "frozen" else [()] * 4:
        twins.step(ours, theirs, frozen)
        twins.check()


@pytest.mark.parametrize(("kind", "names"), [("SGD", 5), ("Adam", 4)])
def test_defaults_are_those_of_torch(kind, names):
    ours, theirs = Twins().optimizers(kind, {})
    common = {name: value for name, value in theirs.defaults.items() if hasattr(ours, name)}
    assert {name: getattr(ours, name) for name in common} == common
    assert len(common) == names


# the flat home


def network(dtype=torch.float64):
    return gn.Sequential(
        gn.Linear(2, 5, dtype=dtype), gn.Tanh(), gn.Linear(5, 4, dtype=dtype), gn.Tanh(),
        gn.Linear(4, 1, bias=False, dtype=dtype),
    )  # fmt: skip


def torch_network(state):
    net = nn.Sequential(
        nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1, bias=False)
    ).double()
    net.load_state_dict(state)
    return net


def test_all_values_lie_side_by_side_in_one_buffer():
    model = network()
    before = model.state_dict()
    gn.SGD(model.parameters())
    for field in ("top", "grad"):
        tensors = [getattr(parameter, field) for parameter in model.parameters()]
        assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == 1
        offset = 0
        for tensor in tensors:
            assert tensor.storage_offset() == offset
            assert tensor.is_contiguous()
            offset += tensor.numel()
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("layers", [1, 20])
def test_the_number_of_updates_does_not_grow_with_the_layers(layers):
    calls = []

    class Counting(Optimizer):
        def update(self, step, value, grad):
            calls.append((step, value.numel()))

    model = gn.Sequential(*(gn.Linear(3, 3) for _ in range(layers)))
    optimizer = Counting(model.parameters(), lr=0.1)
    optimizer.step()
    optimizer.step()
    assert calls == [(1, 12 * layers), (2, 12 * layers)]


GROUPS = {
    "same": [(0, 1, 2, 3), (0, 1, 2, 3)],
    "overlapping": [(0, 1, 2), (1, 2, 3)],
    "reordered": [(0, 1, 2, 3), (2, 0, 3, 1)],
    "subset": [(0, 1, 2, 3), (1,), (0, 3)],
    "later home is larger": [(1, 2), (0, 1, 2, 3)],
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS.keys())
@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_optimizers_that_share_parameters(groups, kind, options):
    twins = Twins([(3, 2), (4,), (2,), (2, 2)])
    pairs = [twins.optimizers(kind, options, groups[0])]
    twins.step(*pairs[0])
    pairs += [twins.optimizers(kind, options, group) for group in groups[1:]]
    for round_ in range(12):
        twins.step(*pairs[round_ * 7 % len(pairs)])
        twins.check()


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_module_changes_its_type_between_steps(kind, options):
    model = network(torch.float32)
    net = torch_network(model.state_dict()).float()
    ours = getattr(gn, kind)(model.parameters(), **options)
    theirs = getattr(torch.optim, kind)(net.parameters(), **options)
    generator = torch.Generator().manual_seed(1)
    for dtype in (torch.float32, torch.float64, torch.float32):
        model.to(dtype)
        memory = theirs.state_dict()
        theirs = getattr(torch.optim, kind)(net.to(dtype).parameters(), **options)
        theirs.load_state_dict(memory)  # brings the memory to the new type
        for _ in range(4):
            for mine, other in zip(model.parameters(), net.parameters(), strict=True):
                other.grad = torch.randn(other.shape, generator=generator, dtype=dtype)
                mine.grad = other.grad
            ours.step()
            theirs.step()
    for mine, other in zip(model.parameters(), net.parameters(), strict=True):
        assert mine.top.dtype is torch.float32
        # float32 rounds at 6e-8; a lost memory would differ by 1e-2
        torch.testing.assert_close(mine.top, other.detach(), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_a_copy_of_model_and_optimizer_goes_on_by_itself(kind, options):
    twins = Twins()
    pair = twins.optimizers(kind, options)
    twins.step(*pair)
    other = copy.deepcopy(twins)
    other.ours, other.theirs, *others = copy.deepcopy((twins.ours, twins.theirs, *pair))
    for _ in range(3):
        other.step(*others)
        other.check()
    twins.check()  # the first ones have not moved
    twins.step(*pair)
    twins.check()


# gradients, frozen parameters


def test_assigned_gradient_is_copied():
    parameter = gn.Parameter(torch.zeros(3))
    sgd = gn.SGD([parameter, gn.Parameter(torch.zeros(2))], lr=1.0)
    grad = torch.ones(3)
    parameter.grad = grad
    grad.fill_(7)
    sgd.step()
    assert parameter.top.tolist() == [-1, -1, -1]
    assert grad.tolist() == [7, 7, 7]
    parameter.grad = None
    assert parameter.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.ones(2), ["(3,)", "(2,)"]),
        (torch.ones(3, dtype=torch.float64), ["float64", "float32"]),
        (1.0, ["float"]),
    ],
    ids=["shape", "dtype", "number"],
)
def test_assigned_gradient_that_does_not_fit(value, words):
    parameter = gn.Parameter(torch.zeros(3))
    with pytest.raises(gn.GraphError) as error:
        parameter.grad = value
    assert_words(words, error)
    assert parameter.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_frozen_parameter_is_one_without_gradient_in_torch(kind, options):
    options = {**options, "weight_decay": 0.1}
    twins = Twins()
    twins.set_gradients(frozen=(1,))
    pair = twins.optimizers(kind, options)
    for frozen in [(1,), (), (0, 4), (0,), (), (0, 1, 2, 3, 4), ()]:
        for _ in range(3):
            twins.step(*pair, frozen)
            twins.check()


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_freed_parameter_that_lives_in_a_home_of_its_own(kind, options):
    twins = Twins([(2,), (3,), (2,)])
    twins.optimizers(kind, options, (0, 2))  # parameter 1 is left to live alone
    pair = twins.optimizers(kind, options, (0, 1))
    for frozen in [(1,), (), (0,), ()]:
        twins.step(*pair, frozen)
        twins.check()


# together with a graph


@pytest.mark.parametrize("moment", ["before the graph", "after the graph", "before backward"])
def test_optimizer_made_at_any_moment(moment):
    model = network()
    net = torch_network(model.state_dict())
    options = {"lr": 0.1, "momentum": 0.9}
    theirs = torch.optim.SGD(net.parameters(), **options)
    ours = gn.SGD(model.parameters(), **options) if moment == "before the graph" else None
    with gn.Graph() as graph:
        x = gn.Input((None, 2), name="x", dtype=torch.float64)
        t = gn.Input((None, 1), name="t", dtype=torch.float64)
        loss = gn.LossMSE()(model(x), t)
    if moment == "after the graph":
        ours = gn.SGD(model.parameters(), **options)
    generator = torch.Generator().manual_seed(2)
    for rows in (7, 3, 1, 7, 5):
        points = torch.rand(rows, 2, generator=generator, dtype=torch.float64)
        targets = torch.rand(rows, 1, generator=generator, dtype=torch.float64)
        graph.forward(x=points, t=targets)
        ours = ours or gn.SGD(model.parameters(), **options)
        graph.backward(loss)
        ours.step()
        theirs.zero_grad()
        nn.functional.mse_loss(net(points), targets).backward()
        theirs.step()
    for mine, other in zip(model.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(mine.top, other.detach(), rtol=0, atol=1e-12)


def test_step_leaves_graphs_of_other_parameters_fresh():
    first, second = gn.Linear(2, 2), gn.Linear(2, 2)
    gn.SGD(first.parameters() + second.parameters())  # one home for both
    sgd = gn.SGD(first.parameters(), lr=0.1)
    x = torch.ones(3, 2)
    first.forward(x)
    second.forward(x)
    first.backward(torch.ones(3, 2))
    sgd.step()
    second.backward(torch.ones(3, 2))
    assert second.weight.grad.tolist() == [[3, 3], [3, 3]]
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        first.backward(torch.ones(3, 2))


def test_a_changed_parameter_is_noticed_after_it_moved():
    first, second = gn.Parameter(torch.ones(2)), gn.Parameter(torch.ones(2))
    first.top = torch.ones(2)
    graph = gn.Graph()
    x = graph.input((2,), name="x")
    loss = (x * first * first).sum()
    graph.forward(x=torch.ones(2))
    first.top = torch.full((2,), 3.0)
    gn.SGD([first, second])
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        graph.backward(loss)


def test_a_changed_parameter_is_noticed_although_another_graph_saw_the_change():
    parameter = gn.Parameter(torch.ones(2))
    graphs = [gn.Graph(), gn.Graph()]
    losses = []
    for graph in graphs:
        with graph:
            losses.append((gn.Input((2,), name="x") * parameter * parameter).sum())
    graphs[0].forward(x=torch.ones(2))
    parameter.top = torch.full((2,), 3.0)
    graphs[1].forward(x=torch.ones(2))
    with pytest.raises(gn.StateError, match="changed after the forward pass"):
        graphs[0].backward(losses[0])
    graphs[1].backward(losses[1])
    assert parameter.grad.tolist() == [6, 6]


# bad settings, and optimizers of one's own

BAD_SETTINGS = [
    ("SGD", {"lr": -0.1}, ["lr", "-0.1"]),
    ("SGD", {"lr": math.nan}, ["lr", "nan"]),
    ("SGD", {"lr": math.inf}, ["lr", "inf"]),
    ("SGD", {"lr": "fast"}, ["lr", "fast"]),
    ("SGD", {"lr": None}, ["lr", "None"]),
    ("SGD", {"momentum": -0.5}, ["momentum", "-0.5"]),
    ("SGD", {"momentum": math.nan}, ["momentum", "nan"]),
    ("SGD", {"momentum": 0.9, "dampening": math.nan}, ["dampening", "nan"]),
    ("SGD", {"weight_decay": -1}, ["weight_decay", "-1"]),
    ("SGD", {"nesterov": True}, ["nesterov", "momentum"]),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ["nesterov", "dampening"]),
    ("Adam", {"lr": -1}, ["lr", "-1"]),
    ("Adam", {"betas": (1.0, 0.9)}, ["betas[0]", "1.0"]),
    ("Adam", {"betas": (0.9, 1.0)}, ["betas[1]", "1.0"]),
    ("Adam", {"betas": (-0.1, 0.9)}, ["betas[0]", "-0.1"]),
    ("Adam", {"betas": (0.9,)}, ["betas"]),
    ("Adam", {"betas": 0.9}, ["betas", "0.9"]),
    ("Adam", {"eps": -1e-8}, ["eps", "-1e-08"]),
    ("Adam", {"weight_decay": -0.5}, ["weight_decay", "-0.5"]),
]


@pytest.mark.parametrize(("kind", "options", "words"), BAD_SETTINGS, ids=str)
def test_bad_setting(kind, options, words):
    parameter = gn.Parameter(torch.ones(2))
    with pytest.raises(gn.GraphError) as error:
        getattr(gn, kind)([parameter], **options)
    assert_words(words, error)
    gn.SGD([parameter], lr=0.5).step()  # the parameter is as usable as before


PARAMETER = gn.Parameter(torch.ones(2))


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([], "at least one parameter"),
        (iter(()), "at least one parameter"),
        (PARAMETER, "a list of parameters"),
        (None, "a list of parameters"),
        (gn.Linear(1, 1), "model.parameters()"),
        (gn.Sequential(gn.Linear(1, 1)), "a Linear came"),
        ([torch.ones(2)], "a Tensor came"),
        ([{"params": [PARAMETER]}], "a dict came"),
        ([PARAMETER, PARAMETER], "twice"),
    ],
)
def test_bad_parameters(kind, params, words):
    with pytest.raises(gn.GraphError) as error:
        getattr(gn, kind)(params)
    assert_words([words], error)


class RMSprop(Optimizer):
    """What a user writes: the names that are remembered, and one step."""

    slots = ("square_avg",)

    def update(self, step, value, grad, square_avg):
        square_avg.mul_(0.99).addcmul_(grad, grad, value=0.01)
        value.addcdiv_(grad, square_avg.sqrt().add_(1e-8), value=-self.lr)


def test_optimizer_of_a_user():
    twins = Twins()
    ours = RMSprop(twins.ours, lr=0.01)
    theirs = torch.optim.RMSprop(twins.theirs, lr=0.01, alpha=0.99, eps=1e-8)
    for frozen in [(), (), (2,), (), (0, 1), ()]:
        twins.step(ours, theirs, frozen)
        twins.check()
    ours.zero_grad()
    assert not any(parameter.grad.any() for parameter in twins.ours)


def test_optimizer_without_update_says_so():
    class Empty(Optimizer):
        pass

    with pytest.raises(gn.GraphError, match="Empty has no update"):
        Empty([gn.Parameter(torch.ones(1))], lr=0.1).step()
