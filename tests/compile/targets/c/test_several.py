"""Several steps in one call of C: the numbers are those of single steps of the walk."""

from __future__ import annotations

import signal

import pytest
import torch
from compile.training import (
    Training,
    assert_same,
    dense_training,
    randn,
)

import graphnet as gn
from graphnet.compile.run.bursts import LONG

ROWS = 23
X, T = randn(ROWS, 3), randn(ROWS, 2, seed=1)
ORDER = torch.randperm(ROWS, generator=torch.Generator().manual_seed(3))


def batches(size, order=None):
    places = torch.arange(ROWS) if order is None else order
    return [{"x": X[rows], "t": T[rows]} for rows in places.split(size)]


def in_c(step):
    """Whether a step ran as native code."""
    return step.source.startswith("#include")


def calls_of_c(step, monkeypatch):
    """The numbers of steps that are made in one call of C, as a list that grows."""
    counts = []
    runner = step._current.runner
    real = runner.many

    def many(given, first, numbers, losses):
        made = real(given, first, numbers, losses)
        counts.append((len(losses), made[0]))
        return made

    monkeypatch.setattr(runner, "many", many)
    return counts


OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adadelta", {}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
]


def test_the_table_names_every_optimizer():
    names = {each.__name__ for each in vars(gn.optim).values()
             if isinstance(each, type) and issubclass(each, gn.Optimizer)}  # fmt: skip
    assert names - {"Optimizer"} <= {kind for kind, _ in OPTIMIZERS}


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("kind", "settings"), OPTIMIZERS)
def test_every_optimizer(kind, settings, monkeypatch):
    """In the order of the data and in another, with a schedule in between, and a smaller rest."""
    ours, theirs = (dense_training(kind, lr=0.05, **settings) for _ in range(2))
    step = ours.compiled(backend="c")
    for number, (size, order) in enumerate([(5, None), (5, ORDER), (4, ORDER[:16]), (4, None)]):
        for each in (ours, theirs):
            each.optimizer.lr = 0.05 / (number + 1)
        losses = step.many(x=X, t=T, batch_size=size, order=order)
        assert_same(losses, torch.stack([theirs.walk(feed) for feed in batches(size, order)]))
        assert_same(ours.state(), theirs.state())
        assert in_c(step)
    feeds = batches(4)[:5]
    stacked = {name: torch.stack([feed[name] for feed in feeds]) for name in ("x", "t")}
    assert_same(step(feeds[0]), theirs.walk(feeds[0]))
    counts = calls_of_c(step, monkeypatch)
    assert_same(step.many(stacked), torch.stack([theirs.walk(feed) for feed in feeds]))
    assert_same(ours.state(), theirs.state())
    assert counts == [(5, 5)]


def network(watch=False):
    """Dropout, statistics, labels, and weights in two groups, one of them frozen."""
    torch.manual_seed(0)
    model = gn.Sequential(
        gn.Linear(3, 6, bias=False), gn.BatchNorm1d(6), gn.Tanh(), gn.Dropout(0.4), gn.Linear(6, 4)
    ).double()
    with gn.Graph() as graph:
        x = gn.Input((None, 3), name="x", dtype=torch.float64)
        t = gn.Input((None,), name="t", dtype=torch.int64)
        y = model(x)
        loss = gn.LossCrossEntropy()(y, t)
    model[1].weight.requires_grad = False
    groups = [{"params": model[0].parameters()},
              {"params": model[1].parameters() + model[4].parameters(), "lr": 0.02}]  # fmt: skip
    made = Training(graph, loss, gn.Adam(groups, lr=0.05))
    made.output, made.model = y, model
    return made


LABELS = torch.randint(0, 4, (20,), generator=torch.Generator().manual_seed(4))


def both(**options):
    """A compiled copy that has made one step, and a walked one."""
    ours, theirs = network(), network()
    watch = {"watch": [ours.output]} if options.pop("watch", False) else {}
    step = ours.compiled(backend="c", max_norm=1.0, **watch)
    torch.manual_seed(7)
    step(x=X[:4], t=LABELS[:4])
    torch.manual_seed(7)
    walk(theirs, {"x": X[:4], "t": LABELS[:4]})
    assert in_c(step)
    return ours, theirs, step


def walk(each, feed):
    loss = each.graph.forward(feed, outputs=each.loss).clone()
    each.graph.backward(each.loss)
    gn.optim.clip_grad_norm_(each.optimizer.parameters, 1.0)
    each.optimizer.step()
    return loss


def feeds_of(x, t, size=4):
    return [{"x": a, "t": b} for a, b in zip(x.split(size), t.split(size), strict=True)]


def test_masks_statistics_and_watched_values(monkeypatch):
    ours, theirs, step = both(watch=True)
    counts = calls_of_c(step, monkeypatch)
    torch.manual_seed(5)
    losses = step.many(x=X[:20], t=LABELS, batch_size=4)
    torch.manual_seed(5)
    assert_same(losses, torch.stack([walk(theirs, feed) for feed in feeds_of(X[:20], LABELS)]))
    assert_same(ours.state(), theirs.state())
    assert counts == [(5, 5)]
    (watched,) = step.watched
    assert_same(watched, theirs.graph.nodes[ours.graph.index(ours.output)].top
                if hasattr(theirs.graph, "nodes") else theirs.output.top)  # fmt: skip
    kept = watched.clone()
    step(x=X[4:8], t=LABELS[4:8])
    assert_same(watched, kept, exact=True)


@pytest.mark.parametrize("wrong", ["nan", "label"])
def test_an_error_in_the_middle(wrong, monkeypatch):
    """The steps before it are made, and nothing of the one that fails."""
    ours, theirs, step = both()
    counts = calls_of_c(step, monkeypatch)
    x, t = X[:20].clone(), LABELS.clone()
    if wrong == "nan":
        x[13] = float("nan")
    else:
        t[13] = 4
    torch.manual_seed(5)
    with pytest.raises(gn.GraphError) as raised:
        step.many(x=x, t=t, batch_size=4)
    assert isinstance(raised.value, gn.NonFiniteError) == (wrong == "nan")
    assert ("x" if wrong == "nan" else "4") in str(raised.value)
    drawn = torch.get_rng_state()
    torch.manual_seed(5)
    for feed in feeds_of(x, t)[:3]:
        walk(theirs, feed)
    assert_same(ours.state(), theirs.state())
    assert counts[0] == (5, 3)
    theirs.graph.forward(feeds_of(X[:20], LABELS)[3])  # the mask of the step that failed
    assert torch.equal(drawn, torch.get_rng_state())
    theirs.model.load_state_dict(ours.model.state_dict())
    # It goes on from there, with the numbers of the fourth step.
    torch.manual_seed(6)
    losses = step.many(x=X[:20], t=LABELS, batch_size=4)
    torch.manual_seed(6)
    assert_same(losses, torch.stack([walk(theirs, feed) for feed in feeds_of(X[:20], LABELS)]))
    assert_same(ours.state(), theirs.state())


def test_ctrl_c_works_between_two_bursts(monkeypatch):
    """No step is made by half; those that are made are counted."""
    ours, theirs, step = both()
    real, made = step._current.runner.many, []

    def interrupted(given, first, numbers, losses):
        signal.raise_signal(signal.SIGINT)
        result = real(given, first, numbers, losses)
        made.append(result[0])
        return result

    monkeypatch.setattr(step._current.runner, "many", interrupted)
    monkeypatch.setattr(step._current.runner, "seconds", LONG / 16)  # so a burst has 16 steps
    x, t = X[:4].repeat(50, 1), LABELS[:4].repeat(50)
    torch.manual_seed(5)
    with pytest.raises(KeyboardInterrupt):
        step.many(x=x, t=t, batch_size=4)
    assert made == [16]
    torch.manual_seed(5)
    for feed in feeds_of(x, t)[:16]:
        walk(theirs, feed)
    assert_same(ours.state(), theirs.state())


def test_accumulated_gradients_come_first(monkeypatch):
    ours, theirs = dense_training("Adam"), dense_training("Adam")
    step = ours.compiled(backend="c")
    feeds = batches(5)[:4]
    step.accumulate(feeds[0])
    theirs.graph.forward(feeds[0], outputs=theirs.loss)
    theirs.graph.backward(theirs.loss)
    losses = step.many(x=X[5:20], t=T[5:20], batch_size=5)
    expected = [theirs.graph.forward(feeds[1], outputs=theirs.loss).clone()]
    theirs.graph.backward(theirs.loss, accumulate=True)
    theirs.optimizer.step()
    expected += [theirs.walk(feed) for feed in feeds[2:]]
    assert_same(losses, torch.stack(expected))
    assert_same(ours.state(), theirs.state())
