"""The training mode: that of the module which appended an operation, at the time of each walk."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close

import graphnet as gn

DTYPES = [torch.float32, torch.float64]
LIMITS = {torch.float32: 1e-5, torch.float64: 1e-12}  # a few steps, summed in another order
FORMS = ["walked", "compiled"]


def both(dtype):
    """A network with two normalizations, and its twin in torch with the same weights."""
    torch.manual_seed(0)
    ours = gn.Sequential(
        gn.Linear(3, 4), gn.BatchNorm1d(4), gn.Tanh(), gn.Linear(4, 4), gn.BatchNorm1d(4)
    ).to(dtype)
    nn = torch.nn
    theirs = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 4), nn.BatchNorm1d(4)
    ).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def batches(dtype, count=4):
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(6, 3, generator=generator, dtype=dtype) + 2,
         torch.randn(6, 4, generator=generator, dtype=dtype))
        for _ in range(count)
    ]  # fmt: skip


def listed(model, dtype):
    with gn.Graph() as graph:
        x, t = (
            gn.Input((None, size), name=name, dtype=dtype) for name, size in (("x", 3), ("t", 4))
        )
        loss = gn.LossMSE()(model(x), t)
    return graph, loss


def stepper(graph, loss, optimizer, form):
    if form == "compiled":
        return graph.compile(loss, optimizer, tune=False)

    def step(**feed):
        value = graph.forward(feed, outputs=loss)
        graph.backward(loss)
        optimizer.step()
        return value

    return step


def torch_step(net, optimizer, x, t):
    with torch.enable_grad():
        optimizer.zero_grad()
        loss = (net(x) - t).square().mean()
        loss.backward()
    optimizer.step()
    return loss.detach()


# What is set to which mode before the list is built, and what before each of the steps.
SETTINGS = [
    ({}, {}),
    ({1: False}, {}),
    ({}, {0: {1: False}}),
    ({4: False}, {2: {1: False, 4: True}}),
    ({}, {1: {"all": False}, 3: {"all": True}}),
]


def set_modes(model, modes):
    for part, mode in modes.items():
        (model if part == "all" else model[part]).train(mode)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("before", "later"), SETTINGS)
def test_parts_keep_the_mode_that_they_are_set_to(before, later, form, dtype):
    ours, theirs = both(dtype)
    for model in (ours, theirs):
        set_modes(model, before)
    graph, loss = listed(ours, dtype)
    step = stepper(graph, loss, gn.SGD(ours.parameters(), lr=0.1), form)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for number, (x, t) in enumerate(batches(dtype)):
        for model in (ours, theirs):
            set_modes(model, later.get(number, {}))
        assert_close(
            step(x=x, t=t),
            torch_step(theirs, optimizer, x, t),
            rtol=LIMITS[dtype],
            atol=LIMITS[dtype],
        )
    state = theirs.state_dict()
    for name, value in ours.state_dict().items():
        assert_close(value, state[name], rtol=LIMITS[dtype], atol=LIMITS[dtype])


@pytest.mark.parametrize("form", FORMS)
def test_predictions_follow_the_modules(form):
    ours, theirs = both(torch.float64)
    graph = gn.Graph()
    y = ours(graph.input((None, 3), name="x", dtype=torch.float64))
    predict = (
        graph.compile(y) if form == "compiled" else lambda **feed: graph.forward(feed, outputs=y)
    )
    (x, _), *_ = batches(torch.float64)
    for modes in ({"all": True}, {"all": False}, {1: True}, {1: False, 4: True}):
        for model in (ours, theirs):
            set_modes(model, modes)
        with torch.no_grad():
            assert_close(predict(x=x), theirs(x), rtol=1e-12, atol=1e-12)


def test_the_mode_of_a_graph_sets_all_its_modules():
    model = gn.Sequential(gn.Dropout(0.5), gn.Sequential(gn.Dropout(0.5)))
    with gn.Graph() as graph:
        y = gn.ops.dropout(model(gn.Input((3,), name="x")), 0.5, training=None)
    assert graph.eval() is graph
    assert not any(each.training for each in (graph, *model.modules()))
    x = torch.ones(3)
    assert torch.equal(graph.forward(x=x, outputs=y), x)
    graph.train()
    assert all(each.training for each in (graph, *model.modules()))


def test_each_module_has_its_mode_back_after_an_evaluation():
    model = gn.Sequential(gn.Dropout(0.5), gn.Dropout(0.5))
    graph = gn.Graph()
    model(graph.input((3,), name="x"))
    model[0].eval()
    with pytest.raises(KeyError), graph.evaluating():
        assert graph.modes == (False, False)
        raise KeyError
    assert [each.training for each in (graph, model, *model)] == [True, True, False, True]


@pytest.mark.parametrize("frozen", [0, 2])
def test_derivatives_follow_the_mode_of_what_they_derive(frozen):
    """The rules of an operation are nodes outside its module; its mode goes with them."""
    nn, double = torch.nn, torch.float64
    torch.manual_seed(0)
    ours = gn.Sequential(gn.BatchNorm1d(3), gn.Tanh(), gn.BatchNorm1d(3)).double()
    theirs = nn.Sequential(nn.BatchNorm1d(3), nn.Tanh(), nn.BatchNorm1d(3)).double()
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=double)
    (slope,) = graph.gradients(ours(x).square().mean(), [x])
    (curvature,) = graph.gradients((slope * slope).sum(), [x])
    for model in (ours, theirs):
        model[frozen].eval()
    (values, _), *_ = batches(double)
    given = values.clone().requires_grad_()
    with torch.enable_grad():
        loss = theirs(given).square().mean()
        (first,) = torch.autograd.grad(loss, given, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), given)
    tops = graph.forward(x=values, outputs=[slope, curvature])
    assert_close(tops, (first.detach(), second), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_fit_leaves_parts_alone_that_are_in_evaluation(compiled):
    ours, theirs = both(torch.float64)
    (x, t), *_ = batches(torch.float64)
    ours[1].eval()
    theirs[1].eval()
    sgd = gn.SGD(ours.parameters(), lr=0.1)
    options = {"batch_size": 6, "epochs": 3, "compile": compiled, "validation": (x, t)}
    gn.fit(ours, gn.LossMSE(), (x, t), sgd, **options)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for _ in range(3):
        torch_step(theirs, optimizer, x, t)
    assert [each.training for each in ours] == [True, False, True, True, True]
    for name, value in ours.state_dict().items():  # the order of the rows is another: 1e-12
        assert_close(value, theirs.state_dict()[name], rtol=1e-10, atol=1e-12)


def test_fit_trains_a_model_that_was_evaluated_before():
    model, _ = both(torch.float64)
    (x, t), *_ = batches(torch.float64)
    before = model[1].running_mean.top.clone()
    gn.fit(model.eval(), gn.LossMSE(), (x, t), gn.SGD(model.parameters(), lr=0.1), batch_size=6)
    assert model.training
    assert not torch.equal(model[1].running_mean.top, before)


@pytest.mark.parametrize("compiled", [True, False])
def test_an_evaluation_is_one_of_the_whole_and_changes_nothing(compiled):
    ours, theirs = both(torch.float64)
    (x, t), *_ = batches(torch.float64)
    ours[1].eval()
    loss = gn.evaluate(ours, gn.LossMSE(), (x, t), compile=compiled)["loss"]
    with torch.no_grad():
        assert loss == pytest.approx(float((theirs.eval()(x) - t).square().mean()), rel=1e-12)
    assert [each.training for each in ours] == [True, False, True, True, True]


class Maker(gn.Module):
    """Makes a dropout while it is built, and calls another that it does not hold."""

    def __init__(self, other):
        self.call = other.__call__  # a function: what it belongs to is not found

    def build(self, x):
        return gn.Dropout(1.0)(x), self.call(x)


def test_what_is_made_in_build_follows_its_maker_and_what_was_set_follows_itself():
    other = gn.Dropout(1.0).eval()
    maker = Maker(other)
    graph = gn.Graph()
    made, outside = maker(graph.input((2,), name="x"))
    x = torch.ones(2)
    seen = []
    for part, mode in ((maker, True), (maker, False), (other, True), (graph, True)):
        part.train(mode)
        tops = graph.forward(x=x, outputs=[made, outside])
        seen.append([bool(top.any()) for top in tops])
    assert seen == [[False, True], [True, True], [True, False], [False, False]]


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("mode", [True, False])
def test_a_backward_walk_has_the_mode_of_the_forward_walk(mode, alone):
    """Whatever is set in between: as in torch, whose graph is that of the forward pass."""
    ours, theirs = gn.BatchNorm1d(3).double(), torch.nn.BatchNorm1d(3).double()
    (x, _), *_ = batches(torch.float64)
    given = x.clone().requires_grad_()
    for module in (ours, theirs):
        module.train(mode)
    with torch.enable_grad():
        y = theirs(given)
        seed = (y.detach() ** 2).clone()
        (expected,) = torch.autograd.grad(y, given, seed)
    if alone:
        ours.forward(x)
        ours.train(not mode)
        grad = ours.backward(seed)
    else:
        graph = gn.Graph()
        node = graph.input((None, 3), name="x", dtype=torch.float64, requires_grad=True)
        out = ours(node)
        graph.forward(x=x)
        graph.train(not mode)
        graph.backward(out, seed)
        grad = node.grad
    assert_close(grad, expected, rtol=1e-10, atol=1e-12)


def test_the_events_of_a_walk_have_its_mode():
    model = gn.BatchNorm1d(3).double()
    graph = gn.Graph()
    loss = model(graph.input((None, 3), name="x", dtype=torch.float64)).square().sum()
    (x, _), *_ = batches(torch.float64)
    model.eval()
    walk = graph.walk({"x": x}, loss)
    for event in walk:
        if event.phase == "forward" and event.node is loss:
            model.train()
    grads = [each.grad.clone() for each in model.parameters()]
    model.eval()
    graph.forward(x=x)
    graph.backward(loss)
    assert_close(grads, [each.grad for each in model.parameters()], rtol=1e-12, atol=1e-12)
