"""The ways to call a step: accumulate, many, clipping, profile; and what it leaves untouched."""

from __future__ import annotations

import copy
import gc
from math import inf

import pytest
import torch
from compile.worlds import (
    DOUBLE,
    World,
    assert_same,
    assert_same_training,
    dense_feeds,
    dense_world,
    randn,
    seeded,
)

import graphnet as gn

CLIPS = [
    {"max_norm": 0.05},
    {"max_norm": 1e6},
    {"max_norm": 0.05, "norm_type": 1.0},
    {"max_norm": 0.05, "norm_type": 3},
    {"max_norm": 0.01, "norm_type": inf},
    {"max_norm": 5.0, "norm_type": 0.0},
    {"max_norm": 0.0},
    {"clip_value": 0.01},
    {"clip_value": 0.0},
    {"max_norm": 0.1, "clip_value": 0.01},
    {"max_norm": inf},
]


def clipped_walk(world, feed, max_norm=None, norm_type=2.0, clip_value=None):
    value = world.graph.forward(feed, outputs=world.loss).clone()
    world.graph.backward(world.loss)
    parameters = world.optimizer.parameters
    if max_norm is not None:
        gn.optim.clip_grad_norm_(parameters, max_norm, norm_type)
    if clip_value is not None:
        gn.optim.clip_grad_value_(parameters, clip_value)
    world.optimizer.step()
    return value


def split_world(kind="SGD"):
    """Parameters in three stretches, one frozen, one that the loss does not use."""
    ours = dense_world(kind)
    first, second, third, *others = ours.optimizer.parameters
    second.requires_grad = False
    spare = gn.Parameter(randn(3), name="spare")
    spare.grad = randn(3, seed=7)
    groups = [{"params": others}, {"params": [spare, first], "lr": 0.2}, {"params": [third, second]}]
    ours.optimizer = getattr(gn, kind)(groups, lr=0.1)
    return ours


@pytest.mark.parametrize("make", [dense_world, split_world])
@pytest.mark.parametrize("clip", CLIPS, ids=str)
def test_clipping(clip, make):
    ours, theirs = make("Adam"), make("Adam")
    step = ours.compiled(**clip)
    for feed in dense_feeds() * 4:
        assert_same(step(feed), clipped_walk(theirs, feed, **clip))
        assert_same(ours.state(), theirs.state())


@pytest.mark.parametrize("clip", [{}, {"max_norm": 0.05}, {"clip_value": 0.01}], ids=str)
def test_accumulate(clip):
    """Gradients are added, also across batch sizes; the next step adds its own and updates."""
    ours, theirs = split_world(), split_world()
    step = ours.compiled(**clip)
    for count in (0, 1, 3, 0, 2):
        for place in range(count):
            feed = dense_feeds(rows=2 + place)[place]
            assert_same(step.accumulate(feed), theirs.graph.forward(feed, outputs=theirs.loss))
            theirs.graph.backward(theirs.loss, accumulate=place > 0)
            assert_same(ours.state(), theirs.state())
        feed = dense_feeds()[count]
        mine = step(feed)
        expected = theirs.graph.forward(feed, outputs=theirs.loss).clone()
        theirs.graph.backward(theirs.loss, accumulate=count > 0)
        parameters = theirs.optimizer.parameters
        if "max_norm" in clip:
            gn.optim.clip_grad_norm_(parameters, clip["max_norm"])
        if "clip_value" in clip:
            gn.optim.clip_grad_value_(parameters, clip["clip_value"])
        theirs.optimizer.step()
        assert_same(mine, expected)
        assert_same(ours.state(), theirs.state())


def two_losses():
    """Two losses of one graph: the second does not use the weight of the first."""
    graph = gn.Graph()
    x = graph.input((None, 3), name="x", dtype=DOUBLE)
    w, v = (graph.parameter(randn(3, 3, seed=n), name=name) for n, name in enumerate("wv"))
    optimizer = gn.SGD([w, v], lr=0.1, momentum=0.5)
    return [World(graph, ((x @ each) ** 2).mean(), optimizer) for each in (w, v)]


def test_gradients_that_a_loss_does_not_reach():
    """The gradient of a parameter of the list that the loss does not use is zeros, not the last."""
    ours, theirs = two_losses(), two_losses()
    steps = [each.compiled() for each in ours]
    for number, place in enumerate((0, 1, 1, 0, 1, 0)):
        feed = {"x": randn(4, 3, seed=number)}
        assert_same(steps[place](feed), theirs[place].walk(feed))
        assert_same(ours[0].state(), theirs[0].state())
        steps[place].accumulate(feed)
        theirs[place].graph.forward(feed, outputs=theirs[place].loss)
        theirs[place].graph.backward(theirs[place].loss)
        assert_same(ours[0].state(), theirs[0].state())
        ours[place].step(feed)
        theirs[place].graph.forward(feed, outputs=theirs[place].loss)
        theirs[place].graph.backward(theirs[place].loss, accumulate=True)
        theirs[place].optimizer.step()
        assert_same(ours[0].state(), theirs[0].state())


def test_gradients_of_frozen_parameters():
    """They are zeros after a step, so that a parameter that is freed begins with none."""
    ours, theirs = dense_world(), dense_world()
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds()):
        for each in (ours, theirs):
            each.optimizer.parameters[2].requires_grad = number % 2 == 0
        assert_same(step(feed), theirs.walk(feed))
        assert_same(ours.state(), theirs.state())


def test_accumulate_equal_batches():
    """Many in a row of the same size run one program."""
    ours, theirs = dense_world("NAdam"), dense_world("NAdam")
    step = ours.compiled()
    for _ in range(2):
        sources = set()
        for place, feed in enumerate(dense_feeds()):
            step.accumulate(feed)
            sources.add(step.source)
            theirs.graph.forward(feed)
            theirs.graph.backward(theirs.loss, accumulate=place > 0)
            assert_same(ours.state(), theirs.state())
        assert len(sources) == 2  # the first sets the gradients, the others add to them
        step(dense_feeds()[0])
        theirs.graph.forward(dense_feeds()[0])
        theirs.graph.backward(theirs.loss, accumulate=True)
        theirs.optimizer.step()
        assert_same(ours.state(), theirs.state())


def test_accumulate_then_the_optimizer_itself():
    ours, theirs = dense_world("Adam"), dense_world("Adam")
    step = ours.compiled()
    first, second, third, *_ = dense_feeds()
    for place, feed in enumerate((first, second)):
        step.accumulate(feed)
        theirs.graph.forward(feed)
        theirs.graph.backward(theirs.loss, accumulate=place > 0)
    ours.optimizer.step()
    theirs.optimizer.step()
    assert_same(ours.state(), theirs.state())
    ours.optimizer.zero_grad()
    assert_same(step(third), theirs.walk(third))
    assert_same(ours.state(), theirs.state())


def test_an_error_between_accumulated_batches():
    ours, theirs = dense_world(), dense_world()
    step = ours.compiled()
    first, second, *_ = dense_feeds()
    step.accumulate(first)
    for call in (step, step.accumulate):
        with pytest.raises(gn.NonFiniteError):
            call(x=first["x"] * float("nan"), t=first["t"])
        with pytest.raises(gn.FeedError):
            call(x=first["x"])
    step(second)
    theirs.graph.forward(first)
    theirs.graph.backward(theirs.loss)
    theirs.graph.forward(second)
    theirs.graph.backward(theirs.loss, accumulate=True)
    theirs.optimizer.step()
    assert_same(ours.state(), theirs.state())


def test_many_stacked():
    ours, theirs = dense_world("Adam"), dense_world("Adam")
    x, t = randn(7, 4, 3), randn(7, 4, 2, seed=1)
    losses = ours.compiled().many(x=x, t=t)
    expected = [theirs.walk({"x": x[n], "t": t[n]}) for n in range(7)]
    assert_same(losses, torch.stack(expected))
    assert_same(ours.state(), theirs.state())


ORDERS = {
    "none": None,
    "reversed": torch.arange(9, -1, -1),
    "some": torch.tensor([3, 1, 3, 7, 9]),
    "one": torch.tensor([4]),
}


@pytest.mark.parametrize("size", [1, 3, 5, 10, 100])
@pytest.mark.parametrize("order", ORDERS)
def test_many_from_a_data_set(order, size):
    ours, theirs = dense_world("Adam"), dense_world("Adam")
    x, t = randn(10, 3), randn(10, 2, seed=1)
    places = torch.arange(10) if ORDERS[order] is None else ORDERS[order]
    losses = ours.compiled().many(x=x, t=t, batch_size=size, order=ORDERS[order])
    expected = [theirs.walk({"x": x[rows], "t": t[rows]}) for rows in places.split(size)]
    assert_same(losses, torch.stack(expected))
    assert_same(ours.state(), theirs.state())


def test_many_by_nodes():
    ours, theirs = dense_world(), dense_world()
    x, t = randn(3, 4, 3), randn(3, 4, 2, seed=1)
    nodes = ours.graph.inputs
    losses = ours.compiled().many({nodes[0]: x, nodes[1]: t})
    assert_same(losses, torch.stack([theirs.walk({"x": x[n], "t": t[n]}) for n in range(3)]))


MANY_REFUSED = {
    "other sizes": {"x": randn(4, 3), "t": randn(3, 2)},
    "no size": {"x": randn(4, 3), "t": randn(4, 2), "batch_size": 0},
    "half a size": {"x": randn(4, 3), "t": randn(4, 2), "batch_size": 1.5},
    "true size": {"x": randn(4, 3), "t": randn(4, 2), "batch_size": True},
    "nothing": {},
    "a number": {"x": torch.tensor(1.0), "t": torch.tensor(1.0)},
    "no tensor": {"x": [[1.0]], "t": [[1.0]]},
    "misnamed": {"x": randn(4, 3), "y": randn(4, 2), "batch_size": 2},
    "order out of range": {
        "x": randn(4, 3), "t": randn(4, 2), "batch_size": 2, "order": torch.tensor([9, 1]),
    },
    "order of floats": {
        "x": randn(4, 3), "t": randn(4, 2), "batch_size": 2, "order": torch.tensor([0.0, 1.0]),
    },
    "order without a size": {"x": randn(4, 3), "t": randn(4, 2), "order": torch.arange(4)},
}  # fmt: skip


@pytest.mark.parametrize("name", MANY_REFUSED)
def test_many_refused(name):
    ours = dense_world()
    step, before = ours.compiled(), ours.state()
    with pytest.raises(gn.GraphError):
        step.many(**MANY_REFUSED[name])
    assert_same(ours.state(), before, exact=True)
    step(dense_feeds()[0])


def test_many_of_nothing():
    """No rows make no steps, as a loop over them would."""
    ours = dense_world()
    before = ours.state()
    losses = ours.compiled().many(x=randn(10, 3), t=randn(10, 2), batch_size=2, order=torch.arange(0))
    assert losses.shape == (0,)
    assert_same(ours.state(), before, exact=True)


def test_many_stops_at_an_error():
    ours, theirs = dense_world(), dense_world()
    x, t = randn(5, 4, 3), randn(5, 4, 2)
    x[3] = float("nan")
    with pytest.raises(gn.NonFiniteError):
        ours.compiled().many(x=x, t=t)
    for n in range(3):
        theirs.walk({"x": x[n], "t": t[n]})
    assert_same(ours.state(), theirs.state())


def test_loss_is_fresh():
    step = dense_world().compiled()
    feeds = dense_feeds()
    losses = [step(feed) for feed in feeds]
    kept = [loss.clone() for loss in losses]
    step(feeds[0])
    assert_same(losses, kept, exact=True)
    assert losses[0].shape == ()
    assert len({loss.data_ptr() for loss in losses}) == len(losses)
    losses[0].add_(1)  # an ordinary tensor, which may be written to
    assert not losses[0].is_inference()


def test_predictions_are_fresh_and_ordinary():
    ours = dense_world()
    nodes = [ours.graph.inputs[0], ours.graph.parameters()[0], ours.loss]
    predict = ours.graph.compile(nodes, tune=False)
    feed = dense_feeds()[0]
    x, w, loss = predict(feed)
    assert_same((x, w), (feed["x"], ours.graph.parameters()[0].top), exact=True)
    for tensor in (x, w, loss):
        assert not tensor.is_inference()
        tensor.zero_()
    assert feed["x"].any() and ours.graph.parameters()[0].top.any()


def test_kinds_of_feeds():
    """By node, by name, mixed; strided, expanded, transposed tensors; those that need gradients."""
    ours, theirs = dense_world(), dense_world()
    step = ours.compiled()
    x, t = ours.graph.inputs
    base = randn(3, 8)
    feeds = [
        ({x: randn(4, 3), t: randn(4, 2)}, {}),
        ({x: randn(4, 3)}, {"t": randn(4, 2)}),
        ({}, {"x": base.T[:4], "t": randn(2, 4).T}),
        ({}, {"x": base.T[::2], "t": randn(1, 2).expand(4, 2)}),
        ({}, {"x": randn(4, 3).requires_grad_(), "t": randn(4, 2)}),
        ({}, {"x": torch.nn.Parameter(randn(4, 3)), "t": randn(4, 2)}),
    ]
    for given, named in feeds:
        by_name = {each.name: value for each, value in given.items()} | named
        kept = {name: value.detach().clone() for name, value in by_name.items()}
        assert_same(step(given, **named) if given else step(**named), theirs.walk(by_name))
        assert_same({name: value.detach() for name, value in by_name.items()}, kept, exact=True)
    assert_same(ours.state(), theirs.state())


def test_the_graph_is_untouched():
    ours = split_world("Adam")
    graph = ours.graph

    def seen():
        return (
            len(graph), str(graph), [graph.name_of(node) for node in graph],
            [id(node) for node in graph], [p.name for p in graph.parameters()],
            [p.graph is graph for p in graph.parameters()], graph.training,
            [len(p.places) for p in graph.parameters()],
            [id(p.top) for p in graph.parameters()],
        )  # fmt: skip

    graph.forward(dense_feeds()[0])
    ours.optimizer.step()
    before = seen()
    step = ours.compiled()
    for feed in dense_feeds():
        step(feed)
    step.accumulate(dense_feeds()[0])
    step.profile(dense_feeds()[0], runs=2)
    graph.compile(graph[-1], tune=False)(dense_feeds()[0])
    # the tops of operations are dropped or those of the last walk; all else is as it was
    assert [part for part in seen()] == [*before]
    graph.lint()


def test_tops_of_the_walk_are_not_taken_for_new():
    """After a step the values in the list belong to old weights: backward refuses them."""
    ours = dense_world()
    step = ours.compiled()
    feed = dense_feeds()[0]
    ours.graph.forward(feed)
    step(feed)
    with pytest.raises(gn.StateError):
        ours.graph.backward(ours.loss)


def test_nodes_added_after_compiling():
    """A list that grows keeps its steps."""
    ours, theirs = dense_world(), dense_world()
    step = ours.compiled()
    for number, feed in enumerate(dense_feeds()):
        assert_same(step(feed), theirs.walk(feed))
        with ours.graph:
            (ours.loss * number).exp()
    ours.graph.input((3,), name="more")
    assert_same(step(dense_feeds()[0]), theirs.walk(dense_feeds()[0]))


def test_other_inputs_of_the_graph_need_no_feed():
    """An input that the loss does not depend on may be given or left out, as in the walk."""
    ours = dense_world()
    ours.graph.input((2,), name="spare", dtype=DOUBLE)
    step = ours.compiled()
    feed = dense_feeds()[0]
    step(feed)
    step(feed | {"spare": randn(2)})


def test_batch_sizes():
    ours, theirs = dense_world("Adam"), dense_world("Adam")
    step = ours.compiled()
    for number in range(60):
        feed = dense_feeds(rows=1 + number % 23)[number % 5]
        assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())
    assert len(step._plans) <= 16


def test_number_of_programs_is_bounded():
    ours = dense_world(momentum=0.5)
    step, predict = ours.compiled(), ours.graph.compile(ours.loss, tune=False)
    step(dense_feeds()[0])
    gc.collect()
    counts = []
    for rows in range(1, 61):
        step(dense_feeds(rows=rows)[0])
        predict(dense_feeds(rows=rows)[0])
        if rows % 20 == 0:
            gc.collect()
            counts.append(sum(issubclass(type(each), gn.Graph) for each in gc.get_objects()))
    assert counts[0] == counts[1] == counts[2]


def test_old_programs_are_forgotten():
    """Moving the parameters or the state does not pile up programs."""
    ours = dense_world("Adam")
    step = ours.compiled()
    counts = []
    for number in range(60):
        step(dense_feeds()[0])
        ours.optimizer.load_state_dict(ours.optimizer.state_dict())
        if number % 20 == 19:
            gc.collect()
            counts.append(sum(issubclass(type(each), gn.Graph) for each in gc.get_objects()))
    assert counts[1] == counts[2]


def test_a_step_that_is_dropped_frees_its_memory():
    def programs():
        gc.collect()
        return sum(issubclass(type(each), gn.Graph) for each in gc.get_objects())

    ours = dense_world()
    before = programs()
    for _ in range(3):
        ours.compiled()(dense_feeds()[0])
    ours.step = None
    assert programs() == before


class Cube(gn.Op):
    """A user's own op."""

    symbol = "³"

    def forward(self, x):
        return x * x * x

    def grad_x(self, grad, x):
        return 3 * x * x * grad


class Shifted(gn.Op):
    """One with options."""

    symbol = "+c"
    by: float
    times: int = 2

    def forward(self, x):
        return (x + self.by) * self.times

    def grad_x(self, grad):
        return grad * self.times


class Blend(gn.Op):
    """One of any number of inputs."""

    symbol = "Σ"

    def forward(self, *tensors):
        total = tensors[0] * 1
        for place, each in enumerate(tensors[1:]):
            total = total + each * (place + 2)
        return total

    def grad_tensors(self, grad, place):
        return grad * (place + 1)


class Turned(gn.Op):
    """One whose result is a view of what it is given."""

    symbol = "T"

    def forward(self, x):
        return x.mT

    def grad_x(self, grad):
        return grad.mT


class Same(gn.Op):
    """One that returns what it is given."""

    symbol = "="

    def forward(self, x):
        return x

    def grad_x(self, grad):
        return grad


class Twice(gn.Op):
    """One that repeats its input without copying it."""

    symbol = "2"

    def forward(self, x):
        return x.expand(3, *x.shape)

    def grad_x(self, grad):
        return grad.sum(0)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_own_ops(optimizer):
    def make():
        w, b = gn.Parameter(randn(3, 3) * 0.3, name="w"), gn.Parameter(randn(3), name="b")
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            h = Cube()(x @ w)
            h = Shifted(by=0.5)(h.tanh()) + Shifted(by=0.5, times=3)(h.tanh())
            h = Blend()(h, h * b, Same()(x).tanh(), h)
            loss = (Turned()(Turned()(h).sigmoid()).relu() * Same()(h)).mean()
        return World(graph, loss, getattr(gn, optimizer)([w, b], lr=0.01))

    feeds = [{"x": randn(4, 3, seed=n)} for n in range(3)]
    kept = [feed["x"].clone() for feed in feeds]
    assert_same_training(make, feeds)
    assert_same([feed["x"] for feed in feeds], kept, exact=True)


VIEWS = {
    "turned": lambda x: Turned()(x),
    "same": lambda x: Same()(x),
    "twice": lambda x: Twice()(x),
    "same of a view": lambda x: Same()(x.mT),
    "view of the same": lambda x: Same()(x).reshape(-1),
    "narrow": lambda x: Same()(x)[1:],
    "expanded": lambda x: Same()(x.unsqueeze(0)).expand(2, 3, 3),
}
AFTER = {
    "relu": lambda y: y.relu(),
    "exp": lambda y: y.exp(),
    "add": lambda y: y + 1.0,
    "negate": lambda y: -y,
    "square": lambda y: y * y,
    "masked": lambda y: y.masked_fill(y > 0, 2.0),
    "clamp": lambda y: y.clamp(-0.5, 0.5),
    "power": lambda y: y**3,
    "chain": lambda y: ((y.tanh() + 1.0) * 2.0).relu(),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("of", ["input", "parameter", "operation"])
def test_views_of_own_ops_are_not_written_over(view, after, of):
    """What an op returns may be its input: writing there would change what others read."""
    graph = gn.Graph()
    x = graph.input((3, 3), name="x", dtype=DOUBLE)
    w = graph.parameter(randn(3, 3, seed=1), name="w")
    source = {"input": x, "parameter": w, "operation": (x * w).sin()}[of]
    first = AFTER[after](VIEWS[view](source))
    nodes = [first.sum(), (source * 2.0).sum(), (x * w).sum(), first]
    predict = graph.compile(nodes, tune=False)
    feed = {"x": randn(3, 3)}
    kept, weight = feed["x"].clone(), w.top.clone()
    expected = graph.forward(feed, outputs=nodes)
    for _ in range(2):
        torch.testing.assert_close(predict(feed), expected, rtol=1e-12, atol=1e-12)
        assert torch.equal(feed["x"], kept)
        assert torch.equal(w.top, weight)


class Noise(gn.Op):
    """A user's own op that draws random numbers."""

    symbol = "~"
    generator: object

    def forward(self, x):
        return x + torch.randn(x.shape, generator=self.generator, dtype=x.dtype)

    def trial(self, x):
        return x * 1

    def grad_x(self, grad):
        return grad * 1


def test_own_op_that_draws():
    """Two equal uses draw twice."""

    def make():
        w = gn.Parameter(randn(3), name="w")
        generator = seeded(4)
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            noise = Noise(generator=generator)
            loss = (noise(x * w) * noise(x * w)).mean()
        return World(graph, loss, gn.SGD([w], lr=0.01))

    assert_same_training(make, [{"x": randn(4, 3, seed=n)} for n in range(3)])


def test_profile():
    ours = dense_world("Adam")
    step = ours.compiled()
    step(dense_feeds()[0])
    before, counts = ours.state(), ours.optimizer.state_dict()
    profile = step.profile(dense_feeds()[1], runs=3)
    assert_same(ours.state(), before, exact=True)
    assert_same(ours.optimizer.state_dict(), counts, exact=True)
    assert profile.total > 0
    assert all(line.strip() in step.source for line, _, _ in profile.lines)
    assert len(str(profile).splitlines()) == len(profile.lines) + 2
    program = ours.graph.compile(ours.loss, tune=False)
    assert program.profile(dense_feeds()[1], runs=3).total > 0


@pytest.mark.parametrize("kind", ["NAdam", "RAdam"])
def test_profile_leaves_numbers_and_statistics(kind):
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.BatchNorm1d(4)).double()
    with gn.Graph() as graph:
        loss = (model(gn.Input((None, 3), name="x", dtype=DOUBLE)) ** 4).mean()
    ours = World(graph, loss, getattr(gn, kind)(model.parameters()))
    step = ours.compiled()
    for warm in (False, True):
        before = ours.state()
        step.profile(x=randn(5, 3), runs=3)
        assert_same(ours.state(), before, exact=True)
        if not warm:
            step(x=randn(5, 3))


def test_a_copied_world_has_its_own_step():
    """A deep copy of the model and a new step for it: the first is not disconnected."""
    torch.manual_seed(0)
    model = gn.Linear(3, 2).double()

    def step_for(module):
        with gn.Graph() as graph:
            loss = (module(gn.Input((None, 3), name="x", dtype=DOUBLE)) ** 2).mean()
        return World(graph, loss, gn.Adam(module.parameters()))

    first = step_for(model)
    step = first.compiled()
    step(x=randn(4, 3))
    other = copy.deepcopy(model)
    second = step_for(other)
    second.compiled()(x=randn(4, 3))
    kept = second.state()
    step(x=randn(4, 3, seed=1))
    assert_same(second.state(), kept, exact=True)
