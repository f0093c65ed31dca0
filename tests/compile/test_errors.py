"""After an error in a step everything is unchanged, and a good step works."""

from __future__ import annotations

import gc
import linecache
from math import inf, nan

import pytest
import torch
from compile.training import (
    DOUBLE,
    Training,
    assert_same,
    dense_feeds,
    dense_training,
    randn,
    seeded,
)

import graphnet as gn


def everything(training):
    """All state, exactly; also the step counts and the state of dropout."""
    return training.state(), training.optimizer.state_dict()


def rich_world(kind="Adam", **settings):
    """A network with statistics, dropout and classes.

    There is no bias before the statistics: its gradient is 0 but for rounding, which Adam enlarges.
    """
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(3, 6, bias=False),
        gn.BatchNorm1d(6),
        gn.Tanh(),
        gn.Dropout(0.2),
        gn.Linear(6, 4),
    ).double()
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x", dtype=DOUBLE)
        t = gn.Input((None,), name="t", dtype=torch.int64)
        loss = gn.LossCrossEntropy()(model(x), t)
    return Training(graph, loss, getattr(gn, kind)(model.parameters(), lr=0.05, **settings))


def rich_feed(seed=0, rows=5):
    return {
        "x": randn(rows, 3, seed=seed),
        "t": torch.randint(0, 4, (rows,), generator=seeded(seed)),
    }


X, T = rich_feed()["x"], rich_feed()["t"]
WRONG_FEEDS = {
    "missing": ({"x": X}, gn.FeedError, "'t'"),
    "nothing": ({}, gn.FeedError, "'x'"),
    "misnamed": ({"x": X, "y": T}, gn.FeedError, "'y'"),
    "one too many": ({"x": X, "t": T, "u": T}, gn.FeedError, "'u'"),
    "wrong shape": ({"x": X[:, :2], "t": T}, gn.FeedError, "'x'"),
    "wrong dimensions": ({"x": X[0], "t": T}, gn.FeedError, "'x'"),
    "wrong type": ({"x": X.float(), "t": T}, gn.FeedError, "float32"),
    "no tensor": ({"x": [1.0], "t": T}, gn.FeedError, "'x'"),
    "None": ({"x": None, "t": T}, gn.FeedError, "'x'"),
    "other rows": ({"x": X, "t": T[:3]}, gn.GraphError, "loss"),
    "no such class": ({"x": X, "t": T + 7}, gn.GraphError, ""),
    "negative class": ({"x": X, "t": T - 5}, gn.GraphError, ""),
    "no rows": ({"x": X[:0], "t": T[:0]}, gn.GraphError, ""),
    "one row": ({"x": X[:1], "t": T[:1]}, gn.GraphError, ""),
}
NUMBERS = {
    "nan": ({"x": X * nan, "t": T}, gn.NonFiniteError, "'x'"),
    "one nan": (
        {"x": X.clone().index_fill_(0, torch.tensor(2), nan), "t": T},
        gn.NonFiniteError,
        "'x'",
    ),
    "inf": ({"x": X * inf, "t": T}, gn.NonFiniteError, "'x'"),
    "overflow": ({"x": X * 1e308, "t": T}, gn.NonFiniteError, "node"),
}
WRONG = WRONG_FEEDS | NUMBERS


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_feed_changes_nothing(name, warm):
    feed, kind, words = WRONG[name]
    ours, theirs = rich_world(), rich_world()
    step = ours.compiled()
    for seed in range(2 if warm else 0):
        torch.manual_seed(seed)
        step(rich_feed(seed))
        torch.manual_seed(seed)
        theirs.walk(rich_feed(seed))
    before = everything(ours)
    with pytest.raises(kind) as error:
        step(feed)
    assert words in str(error.value)
    assert_same(everything(ours), before, exact=True)
    for seed in range(4, 7):
        torch.manual_seed(seed)
        mine = step(rich_feed(seed))
        torch.manual_seed(seed)
        assert_same(mine, theirs.walk(rich_feed(seed)))
    assert_same(everything(ours), everything(theirs))


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_those_of_the_walk(name):
    if name in NUMBERS:
        return
    feed, _, _ = WRONG[name]
    ours, theirs = rich_world(), rich_world()
    with pytest.raises(Exception) as expected:
        theirs.walk(feed)
    with pytest.raises(type(expected.value)) as error:
        ours.compiled()(feed)
    assert str(error.value) == str(expected.value)


@pytest.mark.parametrize("method", ["accumulate", "many", "profile"])
def test_wrong_feeds_of_other_calls(method):
    ours = rich_world()
    step = ours.compiled()
    step(rich_feed())
    before = everything(ours)
    for feed, kind, _ in WRONG.values():
        given = feed
        if method == "many":
            if not all(isinstance(value, torch.Tensor) for value in feed.values()):
                continue
            given = {name: value[None] for name, value in feed.items()}
        with pytest.raises(kind):
            getattr(step, method)(given)
        assert_same(everything(ours), before, exact=True)
    step(rich_feed())


@pytest.mark.parametrize("kind", ["SGD", "Adam", "NAdam", "RAdam", "RMSprop"])
def test_numbers_that_are_not_finite(kind):
    """The message names the node where the walk finds the first such number."""
    ours = dense_training(kind)
    step = ours.compiled()
    good = dense_feeds()
    step(good[0])
    before = everything(ours)
    for value in (nan, inf, -inf):
        with pytest.raises(gn.NonFiniteError, match=r"'t'.* Look at the data"):
            step(x=good[0]["x"], t=good[0]["t"] * value)
        assert_same(everything(ours), before, exact=True)
    step(good[1])


def test_the_node_is_named():
    graph = gn.Graph()
    x = graph.input((None,), name="x", dtype=DOUBLE)
    w = graph.parameter(torch.ones((), dtype=DOUBLE), name="w")
    root = (x * w).log()
    step = graph.compile((root * 2).mean(), gn.SGD([w], lr=0.1), tune=False)
    step(x=randn(3).abs())
    with pytest.raises(gn.NonFiniteError, match="log"):
        step(x=-randn(3).abs())
    assert w.top.isfinite()


def test_gradients_that_are_not_finite_with_a_finite_loss():
    """The square root at 0 has an infinite slope; with a norm to clip the program sees it."""
    for options in ({}, {"max_norm": 1.0}):
        graph = gn.Graph()
        x = graph.input((None,), name="x", dtype=DOUBLE)
        w = graph.parameter(torch.ones((), dtype=DOUBLE), name="w")
        step = graph.compile((x * w).sqrt().mean(), gn.SGD([w], lr=0.1), tune=False, **options)
        step(x=torch.ones(3, dtype=DOUBLE))
        kept = w.top.clone()
        if options:
            with pytest.raises(gn.NonFiniteError):
                step(x=torch.zeros(3, dtype=DOUBLE))
            assert torch.equal(w.top, kept)


def test_without_the_check():
    ours, theirs = dense_training(), dense_training()
    step = ours.compiled(check_finite=False)
    feed = {name: value * nan for name, value in dense_feeds()[0].items()}
    assert_same(step(feed), theirs.walk(feed))
    assert_same(ours.state(), theirs.state())


def test_generator_after_an_error():
    """Dropout is drawn anew after an error in a feed, from the old state of its generator."""

    def make(generator):
        torch.manual_seed(0)
        model = gn.Sequential(gn.Linear(3, 6), gn.Dropout(0.5, generator=generator)).double()
        with gn.Graph() as graph:
            x = gn.Input((None, 3), name="x", dtype=DOUBLE)
            loss = (model(x) ** 2).mean()
        return Training(graph, loss, gn.SGD(model.parameters(), lr=0.1))

    first, second = seeded(1), seeded(1)
    ours, theirs = make(first), make(second)
    step = ours.compiled()
    for number in range(4):
        feed = {"x": randn(3, 3, seed=number)}
        assert_same(step(feed), theirs.walk(feed))
        with pytest.raises(gn.FeedError):
            step(x=randn(3, 2))
        assert torch.equal(first.get_state(), second.get_state())


def test_random_state_after_a_loss_that_is_not_finite():
    """Random numbers for a failed batch are drawn as often as a walk draws them."""
    ours, theirs = rich_world("SGD"), rich_world("SGD")
    step = ours.compiled()
    torch.manual_seed(1)
    with pytest.raises(gn.NonFiniteError):
        step(NUMBERS["nan"][0])
    mine = torch.get_rng_state()
    torch.manual_seed(1)
    theirs.graph.forward(NUMBERS["nan"][0], outputs=theirs.loss)
    assert torch.equal(mine, torch.get_rng_state())


REFUSED = {
    "no scalar": lambda w: w.graph.compile(w.graph[-1].inputs[0], w.optimizer),
    "other graph": lambda w: dense_training().graph.compile(w.loss, w.optimizer),
    "whole number": lambda w: w.graph.compile(
        w.graph.input((), name="whole", dtype=torch.int64), w.optimizer
    ),
    "no node": lambda w: w.graph.compile("loss", w.optimizer),
    "negative norm": lambda w: w.graph.compile(w.loss, w.optimizer, max_norm=-1.0),
    "no norm": lambda w: w.graph.compile(w.loss, w.optimizer, max_norm=nan),
    "no power": lambda w: w.graph.compile(w.loss, w.optimizer, max_norm=1.0, norm_type=nan),
    "negative limit": lambda w: w.graph.compile(w.loss, w.optimizer, clip_value=-1.0),
    "no limit": lambda w: w.graph.compile(w.loss, w.optimizer, clip_value="much"),
    "no optimizer": lambda w: w.graph.compile(w.loss, torch.optim.SGD([torch.ones(1)], lr=0.1)),
    "source too early": lambda w: w.compiled().source,
    "program too early": lambda w: w.compiled().program,
    "memory too early": lambda w: w.compiled().memory,
    "clipping a prediction": lambda w: w.graph.compile(w.loss, max_norm=1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(gn.GraphError):
        REFUSED[name](dense_training())


def test_edited_settings_out_of_range():
    ours = dense_training("SGD", momentum=0.9)
    step = ours.compiled()
    feed = dense_feeds()[0]
    step(feed)
    before = everything(ours)
    ours.optimizer.param_groups[0]["lr"] = -1.0
    with pytest.raises(gn.RangeError):
        step(feed)
    ours.optimizer.param_groups[0]["lr"] = 0.1
    assert_same(everything(ours), before, exact=True)
    step(feed)


def test_an_error_in_a_users_op():
    """An op that raises in the middle of a step."""

    class Picky(gn.Op):
        symbol = "!"

        def forward(self, x):
            if self.threshold.limit is not None and x.sum() > self.threshold.limit:
                raise ZeroDivisionError("too large")
            return x * 1

        def grad_x(self, grad):
            return grad * 1

        threshold: object

    class Limit:
        limit = None

    limit = Limit()
    graph = gn.Graph()
    x = graph.input((None,), name="x", dtype=DOUBLE)
    w = graph.parameter(torch.ones((), dtype=DOUBLE), name="w")
    loss = Picky(threshold=limit)((x * w).tanh()).mean()
    optimizer = gn.Adam([w], lr=0.1)
    training = Training(graph, loss, optimizer)
    step = training.compiled()
    step(x=randn(3))
    before = everything(training)
    limit.limit = -10.0
    with pytest.raises(ZeroDivisionError):
        step(x=randn(3))
    assert_same(everything(training), before, exact=True)
    limit.limit = None
    step(x=randn(3))


def program():
    graph = gn.Graph()
    x = graph.input((3,), name="x")
    w = graph.parameter(torch.ones(3), name="w")
    loss = (x * w).sum()
    return graph, loss, gn.SGD([w], lr=0.1)


@pytest.mark.parametrize("call", ["step", "accumulate", "many", "profile", "predict"])
@pytest.mark.parametrize(
    "given", [torch.ones(3), [torch.ones(3)], 3.0], ids=["tensor", "list", "3"]
)
def test_a_feed_that_is_no_dict(call, given):
    graph, loss, sgd = program()
    step = graph.compile(loss, sgd)
    run = graph.compile(loss) if call == "predict" else step
    run = run if call in ("step", "predict") else getattr(step, call)
    with pytest.raises(gn.FeedError, match=r"A feed must be a dict.*; got \w+\. .*'x' \(3,\)"):
        run(given)
    with pytest.raises(gn.FeedError, match="A feed must be a dict"):
        run(given, x=torch.ones(3))


@pytest.mark.parametrize("runs", [0, -1, 1.5, "2"])
@pytest.mark.parametrize("predicts", [True, False])
def test_a_profile_of_no_runs(runs, predicts):
    graph, loss, sgd = program()
    run = graph.compile(loss) if predicts else graph.compile(loss, sgd)
    with pytest.raises(gn.RangeError, match="runs"):
        run.profile({"x": torch.ones(3)}, runs=runs)


@pytest.mark.parametrize(
    "limits",
    [{"max_norm": "1"}, {"max_norm": torch.tensor(1.0)}, {"clip_value": "0.5"},
     {"clip_value": torch.tensor(0.5)}, {"max_norm": 1, "norm_type": "inf"}],
    ids=str,
)  # fmt: skip
def test_limits_that_are_texts_or_tensors_are_numbers(limits):
    """As in `clip_grad_norm_` and `clip_grad_value_` of the walk."""
    feed = {"x": torch.tensor([3.0, 4.0, 0.0])}
    graph, loss, sgd = program()
    graph.compile(loss, sgd, **limits)(feed)
    walked, loss, sgd = program()
    walked.forward(feed)
    walked.backward(loss)
    if "max_norm" in limits:
        gn.clip_grad_norm_(sgd.parameters, *limits.values())
    else:
        gn.clip_grad_value_(sgd.parameters, *limits.values())
    sgd.step()
    ours, theirs = graph.parameters()[0], walked.parameters()[0]
    torch.testing.assert_close(ours.top, theirs.top, rtol=1e-6, atol=0)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf"), 0])
def test_a_common_norm_of_several_dtypes(norm_type):
    def made():
        graph = gn.Graph()
        x, y = (
            graph.input((3,), name=name, dtype=dtype)
            for name, dtype in (("x", torch.float32), ("y", torch.float64))
        )
        v, w = (
            gn.Parameter(torch.ones(3, dtype=dtype), name=name)
            for name, dtype in (("v", torch.float32), ("w", torch.float64))
        )
        loss = gn.ops.dtypes.Convert(torch.float64)((x * v).sum()) + (y * w).sum()
        return graph, loss, gn.SGD([v, w], lr=0.1)

    feed = {"x": torch.tensor([3.0, 4.0, 0.0]), "y": torch.tensor([1.0, 2.0, 2.0]).double()}
    graph, loss, sgd = made()
    graph.compile(loss, sgd, max_norm=1.0, norm_type=norm_type)(feed)
    grads = [torch.nn.Parameter(torch.ones(3, dtype=each.dtype)) for each in sgd.parameters]
    for each, value in zip(grads, feed.values(), strict=True):
        each.grad = value.clone()
    torch.nn.utils.clip_grad_norm_(grads, 1.0, norm_type)
    for mine, other in zip(sgd.parameters, grads, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-6, atol=0)


def test_sources_of_programs_are_forgotten_with_them():
    before = {name for name in linecache.cache if name.startswith("<graphnet")}
    graph, loss, sgd = program()
    step = graph.compile(loss, sgd)
    step(x=torch.ones(3))
    step.profile({"x": torch.ones(3)}, runs=1)
    kept = {name for name in linecache.cache if name.startswith("<graphnet")} - before
    assert len(kept) >= 1
    del step, graph, loss, sgd
    gc.collect()
    assert kept <= set(linecache.cache)  # a traceback may just be going through it
    graph, loss, _ = program()
    graph.compile(loss)(x=torch.ones(3))
    assert not kept & set(linecache.cache)
