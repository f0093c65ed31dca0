"""Training in one call."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from train.small_runs import data, network, same, weights

import graphnet as gn
from graphnet import schedules

LOSS = gn.LossCrossEntropy()


def trained(model=None, optimizer=gn.SGD, lr=0.1, **options):
    model = model or network()
    given = {"epochs": 3, "batch_size": 7, "seed": 1, **options}
    history = gn.fit(model, LOSS, data(), optimizer(model.parameters(), lr=lr), **given)
    return model, history


def by_torch(model, rows_of_steps, lr=0.1, clip=None):
    """The same with torch's autograd, batch for batch."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    net.load_state_dict(model.state_dict())
    sgd = torch.optim.SGD(net.parameters(), lr=lr)
    x, t = data()
    losses = []
    with torch.enable_grad():
        for rows in rows_of_steps:
            sgd.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(x[rows]), t[rows])
            loss.backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
            sgd.step()
            losses.append(float(loss.detach()))
    return net.state_dict(), losses


def orders(epochs, size, seed=1):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        yield from torch.randperm(40, generator=generator).split(size)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    ("options", "size", "clip"),
    [({}, 7, None), ({"accumulate": 3}, 21, None), ({"clip": 0.1}, 7, 0.1)],
)
def test_each_step_is_that_of_torch(compiled, options, size, clip):
    start = network()
    model, history = trained(copy.deepcopy(start), compile=compiled, **options)
    expected, losses = by_torch(start, orders(3, size), clip=clip)
    assert list(history.losses) == pytest.approx(losses, rel=1e-5)  # float32, added in other orders
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-6)


def test_the_mean_of_an_epoch_weighs_batches_by_their_rows():
    _, history = trained(lr=0.0, batch_size=16)  # batches of 16, 16 and 8 rows, and no change
    whole = gn.evaluate(network(), LOSS, data())["loss"]
    assert history["loss"] == pytest.approx([whole] * 3, rel=1e-6)
    assert list(history["step"]) == [3, 6, 9]
    assert len(history.losses) == len(history.rates) == 9


@pytest.mark.parametrize("compiled", [True, False])
def test_validation_is_measured_in_evaluation_mode_after_each_epoch(compiled):
    model = network(dropout=True, norm=True)
    _, history = trained(
        model, validation=data(30, seed=5), metrics=[gn.metrics.accuracy, gn.metrics.error],
        compile=compiled,
    )  # fmt: skip
    measured = gn.evaluate(model, LOSS, data(30, seed=5), metrics={"right": gn.metrics.accuracy})
    assert history["validation_loss"][-1] == pytest.approx(measured["loss"], rel=1e-6)
    assert history["validation_accuracy"][-1] == measured["right"]
    assert history["validation_error"][-1] == pytest.approx(1 - measured["right"])


def test_a_seed_repeats_a_training():
    first, again = (trained(network(dropout=True), seed=3)[0] for _ in range(2))
    other = trained(network(dropout=True), seed=4)[0]
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


def test_a_generator_gives_the_order():
    model, _ = trained(seed=torch.Generator().manual_seed(1))
    assert same(weights(model), weights(trained(seed=1)[0]))


def test_a_schedule_gives_the_rate_of_each_update():
    rate = schedules.cosine(0.1, steps=18)
    _, history = trained(schedule=rate)
    assert list(history.rates) == [rate(step) for step in range(18)]
    assert history["lr"][-1] == rate(17)


def test_a_plateau_follows_the_validation_loss():
    plateau = schedules.on_plateau(0.1, factor=0.5, patience=1, threshold=0.999)
    _, history = trained(schedule=plateau, epochs=6, validation=data(10, seed=2))
    assert history["lr"] == [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]
    assert plateau.best == history["validation_loss"][0]


def test_augment_changes_what_is_learned():
    seen = []

    def doubled(x, t, generator):
        seen.append(len(x))
        assert isinstance(generator, torch.Generator)
        return torch.cat([x, x + 1]), torch.cat([t, t])

    _, history = trained(augment=doubled, epochs=1, lr=0.0)
    assert seen == [7, *[7, 7, 7, 7, 7, 5]]  # the first call tells shapes and dtypes
    x, t = data()
    twice = torch.cat([x, x + 1]), torch.cat([t, t])
    assert history["loss"][0] == pytest.approx(
        gn.evaluate(network(), LOSS, twice)["loss"], rel=1e-6
    )


def test_several_outputs_with_weights():
    class Heads(gn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.one, self.two = gn.Linear(3, 6), gn.Linear(6, 2), gn.Linear(6, 1)

        def build(self, x):
            h = self.body(x).tanh()
            return self.one(h), self.two(h)

    x, t = data()
    model = Heads()
    adam = gn.Adam(model.parameters(), lr=0.02)
    losses = [gn.LossCrossEntropy(), (0.5, gn.LossMSE())]
    history = gn.fit(model, losses, (x, (t, x[:, :1])), adam, epochs=30, batch_size=10, seed=0)
    assert history["loss"][-1] < history["loss"][0] / 2


def poisoned():
    x, t = data()
    x = x.clone()
    x[3] = float("nan")
    return x, t


@pytest.mark.parametrize("compiled", [True, False])
def test_a_loss_that_is_not_finite_stops_before_the_update(compiled):
    model = network(norm=True)
    seen = []

    class Watch(gn.Callback):
        def step(self, run):
            seen.append(weights(run.task.model))

    sgd = gn.SGD(model.parameters(), lr=0.1)
    with pytest.raises(gn.NonFiniteError, match=r"Step \d: the loss is nan.*node 0 'x'"):
        gn.fit(model, LOSS, poisoned(), sgd, batch_size=5, seed=0, callbacks=[Watch()],
               compile=compiled)  # fmt: skip
    assert seen, "the order of this seed meets the bad row later"
    assert same(weights(model), seen[-1])


@pytest.mark.parametrize("compiled", [True, False])
def test_a_loss_that_is_not_finite_may_be_skipped(compiled):
    model = network()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    history = gn.fit(model, LOSS, poisoned(), sgd, batch_size=5, seed=0, non_finite="skip",
                     epochs=2, compile=compiled)  # fmt: skip
    assert history.skipped == 2
    assert sum(loss != loss for loss in history.losses) == 2
    assert all(loss == loss for loss in history["loss"])
    assert all(value.isfinite().all() for value in weights(model).values())


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("accumulate", [2, 3])
def test_batches_beside_one_that_is_skipped_leave_nothing_behind(compiled, accumulate):
    options = {"non_finite": "skip", "accumulate": accumulate, "batch_size": 4, "compile": compiled}
    start, (x, t) = network(norm=True).double(), poisoned()
    model, x = copy.deepcopy(start), x.double()  # normalizing four rows magnifies every rounding
    sgd = gn.SGD(model.parameters(), lr=0.1)
    history = gn.fit(model, LOSS, (x, t), sgd, seed=1, epochs=3, **options)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 2)
    )
    net.double().load_state_dict(start.state_dict())
    skipped = by_torch_without_nan(net, x, t, accumulate)
    assert history.skipped == skipped == 3
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, net.state_dict()[name], rtol=1e-9, atol=1e-9)


def by_torch_without_nan(net, x, t, accumulate):
    """The same in torch, where an update with a batch of NaN is undone; how many there were."""
    sgd, skipped = torch.optim.SGD(net.parameters(), lr=0.1), 0
    for rows in orders(3, 4 * accumulate):
        before = copy.deepcopy(net.state_dict())
        sgd.zero_grad()
        with torch.enable_grad():
            for part in rows.split(4):
                loss = torch.nn.functional.cross_entropy(net(x[part]), t[part])
                (loss * len(part) / len(rows)).backward()
        if all(value.isfinite().all() for value in net.state_dict().values()):
            sgd.step()
        else:  # the running means have seen the bad row
            net.load_state_dict(before)
            skipped += 1
    return skipped


class Root(gn.Module):
    """A root of 0: the loss is finite, and the gradient is not."""

    def __init__(self):
        super().__init__()
        self.first, self.last = gn.Linear(3, 4), gn.Linear(4, 2)

    def build(self, x):
        return self.last((self.first(x) * 0).sqrt())


@pytest.mark.parametrize("compiled", [True, False])
def test_gradients_that_cannot_be_clipped_stop_too(compiled):
    model = Root()
    before = weights(model)
    with pytest.raises(gn.NonFiniteError, match=r"Step 0: .*he norm of (its|the) gradients"):
        trained(model, clip=1.0, compile=compiled)
    assert same(weights(model), before)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_loss_that_is_not_finite_may_be_ignored(compiled):
    model = network()
    sgd = gn.SGD(model.parameters(), lr=0.1)
    gn.fit(model, LOSS, poisoned(), sgd, batch_size=5, seed=0, non_finite="ignore",
           compile=compiled)  # fmt: skip
    assert not all(value.isfinite().all() for value in weights(model).values())


def test_autograd_is_put_back():
    with torch.enable_grad():
        trained(epochs=1)
        assert torch.is_grad_enabled()


def test_the_trained_list_can_be_drawn():
    _, history = trained(epochs=1)
    assert history.graph.draw(engine="ranker").svg.startswith("<svg")


def test_quiet_off_a_terminal(capsys):
    trained(epochs=1)
    assert capsys.readouterr() == ("", "")
    trained(epochs=1, progress=True)
    shown = capsys.readouterr().err
    assert "loss=" in shown and "lr=0.1" in shown


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"epochs": 0}, gn.RangeError, "epochs must be an integer of 1 or more; got 0"),
        ({"batch_size": 2.5}, gn.RangeError, "batch_size"),
        ({"accumulate": True}, gn.RangeError, "accumulate"),
        ({"non_finite": "pass"}, gn.RangeError, "'stop', 'skip' or 'ignore'; got 'pass'"),
        ({"compile": "fast"}, gn.RangeError, "'torch' or 'c'; got 'fast'"),
        ({"clip": -1.0}, gn.RangeError, "clip must be a number of 0 or more"),
        ({"clip_value": "a"}, gn.RangeError, "clip_value must be a number; got 'a'"),
        ({"seed": 1.5}, gn.RangeError, r"seed must be an integer.*got 1\.5"),
        ({"seed": 2**64}, gn.RangeError, "64 bits"),
        ({"schedule": 0.1}, gn.GraphError, r"schedule must be a function.*got 0\.1"),
        ({"augment": 3}, gn.GraphError, "augment must be a function.*got 3"),
        (
            {"augment": schedules.on_plateau(0.1)},
            gn.GraphError,
            "augment must be a function.*got .*Plateau",
        ),
        ({"callbacks": [gn.EarlyStopping]}, gn.GraphError, r"such as gn\.EarlyStopping\(\)"),
        ({"callbacks": None}, gn.GraphError, "a callback must be an object.*got None"),
        ({"train_metrics": True}, gn.GraphError, "give `metrics`"),
        ({"metrics": {"lr": gn.metrics.accuracy}}, gn.GraphError, "already has a column 'lr'"),
        ({"validation_split": 1.0}, gn.RangeError, "between 0 and 1.*got 1.0 of 40 rows"),
        ({"validation_split": 0.99}, gn.RangeError, "some on both sides; got 0.99"),
        ({"validation_split": "0.1"}, gn.RangeError, "must be a number; got '0.1'"),
        ({"validation_split": 0.1, "validation": data()}, gn.GraphError, "do the same"),
        ({"drop_last": 1}, gn.RangeError, "drop_last must be True or False; got 1"),
        ({"drop_last": True, "batch_size": 41}, gn.RangeError, "batch_size=41 is more than the 40"),
        ({"shuffle": None}, gn.RangeError, "shuffle must be True or False"),
        ({"train_metrics": "yes"}, gn.RangeError, "train_metrics must be True or False"),
        ({"resume": "no"}, gn.RangeError, "resume must be True or False; got 'no'"),
        ({"directory": 3}, gn.GraphError, "directory must be a path.*got 3"),
        ({"clip": torch.ones(2)}, gn.RangeError, "clip must be a number; got tensor"),
        ({"schedule": lambda step: -1.0}, gn.RangeError, "0 or more; got -1.0"),
        (
            {"validation": data(), "metrics": gn.metrics.accuracy},
            gn.GraphError,
            "a list of functions",
        ),
        (
            {"validation": data(), "metrics": [gn.metrics.confusion_matrix]},
            gn.GraphError,
            r"one number.*'confusion_matrix' returned a tensor of the shape \(2, 2\)",
        ),
        ({"validation": data()[0]}, gn.FeedError, r"validation has.*float32; t takes \(\?,\)"),
        ({"validation": data(), "metrics": ["accuracy"]}, gn.GraphError, "metrics are functions"),
        (
            {"validation": (torch.ones(3, 4), torch.zeros(3).long())},
            gn.FeedError,
            r"validation has.*\(\?, 4\).*x takes \(\?, 3\)",
        ),
        (
            {"validation": (torch.ones(3, 3), torch.zeros(3))},
            gn.FeedError,
            "float32.*t takes.*int64",
        ),
        ({"validation": ((data()[0],) * 2, data()[1])}, gn.FeedError, "3 tensors.*2"),
    ],
)
def test_what_cannot_be_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        trained(**options)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", ["clip", "clip_value"])
def test_an_infinite_limit_is_none(compiled, name):
    free, limited = (trained(compile=compiled, **{name: each})[0] for each in (None, float("inf")))
    assert same(weights(free), weights(limited))


def test_a_seed_may_be_a_number_of_numpy():
    import numpy

    assert same(weights(trained(seed=numpy.int64(1))[0]), weights(trained(seed=1)[0]))


def test_a_single_callback_needs_no_list():
    stopping = gn.EarlyStopping()
    _, history = trained(callbacks=stopping)
    assert stopping.best == min(history["loss"])


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", ["clip", "clip_value"])
@pytest.mark.parametrize("limit", ["0.05", torch.tensor(0.05)])
def test_a_limit_may_be_a_text_or_a_tensor_of_one(compiled, name, limit):
    number, other = (trained(compile=compiled, **{name: each})[0] for each in (0.05, limit))
    tolerance = {"rtol": 1e-6, "atol": 1e-7}  # 0.05 is another number in float32
    for key, value in weights(number).items():
        torch.testing.assert_close(weights(other)[key], value, **tolerance)


@pytest.mark.parametrize("optimizer", [gn.SGD, "adam", torch.optim.SGD([torch.ones(1)], lr=0.1)])
def test_what_is_no_optimizer_is_refused(optimizer):
    with pytest.raises(gn.GraphError, match=r"such as gn\.Adam\(model\.parameters\(\)\)"):
        gn.fit(network(), LOSS, data(), optimizer)


def test_an_optimizer_of_another_model_is_refused():
    with pytest.raises(gn.GraphError, match="another model"):
        gn.fit(network(), LOSS, data(), gn.SGD(network().parameters(), lr=0.1))


def test_nothing_is_warned_of_a_healthy_training():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained()


class TwoHeads(gn.Module):
    def __init__(self):
        self.body, self.read, self.unread = gn.Linear(3, 4), gn.Linear(4, 2), gn.Linear(4, 2)

    def build(self, x):
        h = self.body(x).tanh()
        return self.read(h), self.unread(h)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [("SGD", {"momentum": 0.9, "weight_decay": 0.1}), ("Adam", {"weight_decay": 0.1})],
)
def test_a_head_that_the_loss_does_not_read_is_left_alone(kind, settings, compiled, dtype):
    """50 steps, compared with torch, whose gradient is None there."""
    torch.manual_seed(0)
    model = TwoHeads().to(dtype)
    optimizer = getattr(gn, kind)(model.parameters(), lr=0.01, **settings)
    parts = {name: value.clone().requires_grad_() for name, value in model.state_dict().items()}
    torch_optimizer = getattr(torch.optim, kind)(parts.values(), lr=0.01, **settings)
    x, t = torch.randn(6, 3, dtype=dtype), torch.randn(6, 2, dtype=dtype)
    options = {"epochs": 50, "batch_size": 6, "compile": compiled, "shuffle": False}
    gn.fit(model, [gn.LossMSE(), None], (x, t), optimizer, **options)
    for _ in range(50):
        torch_optimizer.zero_grad()
        with torch.enable_grad():
            h = torch.tanh(x @ parts["body.weight"].T + parts["body.bias"])
            y = h @ parts["read.weight"].T + parts["read.bias"]
            (y - t).square().mean().backward()
        torch_optimizer.step()
    limit = 1e-4 if dtype is torch.float32 else 1e-10  # rounding over 50 steps
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, parts[name].detach(), rtol=limit, atol=limit)
