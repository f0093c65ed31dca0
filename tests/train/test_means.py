"""Means over batches are those over all rows, whatever a loss divides by; torch is the oracle."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from torch.nn import functional

import graphnet as gn

ROWS = 30
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(ROWS, 3, generator=GENERATOR, dtype=torch.float64)
CLASSES = torch.randint(3, (ROWS,), generator=GENERATOR)
SOME = CLASSES.masked_fill(torch.rand(ROWS, generator=GENERATOR) < 0.4, -100)
SOME[:7] = -100  # whole batches in which nothing counts
SOME[10] = 1
TOKENS = torch.randint(3, (ROWS, 4), generator=GENERATOR)
TOKENS[torch.rand(ROWS, 4, generator=GENERATOR) < 0.5] = 0
SOFT = torch.rand(ROWS, 3, generator=GENERATOR, dtype=torch.float64).softmax(1)
VALUES = torch.randn(ROWS, 3, generator=GENERATOR, dtype=torch.float64)
WEIGHT = torch.tensor([0.2, 1.0, 5.0], dtype=torch.float64)
RIGHT = (VALUES > 0).double()


class Tokens(gn.Module):
    """Logits of three classes at four places."""

    def __init__(self):
        self.inner = gn.Linear(3, 12)

    def build(self, x):
        return self.inner(x).reshape(-1, 3, 4)


def ce(**options):
    return gn.LossCrossEntropy(**options), lambda y, t: functional.cross_entropy(y, t, **options)


CASES = {
    "rows": (*ce(), CLASSES),
    "weights": (*ce(weight=WEIGHT), CLASSES),
    "ignored": (*ce(), SOME),
    "ignored and weights": (*ce(weight=WEIGHT), SOME),
    "another label": (*ce(ignore_index=1), CLASSES),
    "smooth": (*ce(weight=WEIGHT, label_smoothing=0.3), SOME),
    "soft": (*ce(weight=WEIGHT), SOFT),
    "sum": (*ce(weight=WEIGHT, reduction="sum"), SOME),
    "tokens": (*ce(weight=WEIGHT, ignore_index=0), TOKENS),
    "nll": (
        gn.LossNLL(WEIGHT, ignore_index=2),
        lambda y, t: functional.nll_loss(y, t, WEIGHT, ignore_index=2),
        CLASSES,
    ),
    "mse": (gn.LossMSE(), functional.mse_loss, VALUES),
    "mse, sum": (
        gn.LossMSE(reduction="sum"),
        lambda y, t: functional.mse_loss(y, t, reduction="sum"),
        VALUES,
    ),
    "bce": (
        gn.LossBCEWithLogits(pos_weight=WEIGHT),
        lambda y, t: functional.binary_cross_entropy_with_logits(y, t, pos_weight=WEIGHT),
        RIGHT,
    ),
    "function": (lambda y, t: ((y - t) ** 2).mean(), functional.mse_loss, VALUES),
    "a function of ops": (gn.ops.cross_entropy, functional.cross_entropy, SOME),
    "a partial function of ops": (
        partial(gn.ops.cross_entropy, weight=gn.Parameter(WEIGHT, requires_grad=False)),
        lambda y, t: functional.cross_entropy(y, t, WEIGHT),
        SOME,
    ),
    "a sum by a function of ops": (
        partial(gn.ops.mse_loss, reduction="sum"),
        lambda y, t: functional.mse_loss(y, t, reduction="sum"),
        VALUES,
    ),
    "kl": (
        gn.LossKLDiv(reduction="batchmean"),
        lambda y, t: functional.kl_div(y, t, reduction="batchmean"),
        SOFT,
    ),
}


REPLACED = "smooth", "sum"
"""Cases in which no label is ignored, where a batch without any would be an error."""


def model_for(targets, seed=0):
    torch.manual_seed(seed)
    return (Tokens() if targets is TOKENS else gn.Linear(3, 3)).to(torch.float64)


def outputs_of(weight, bias, targets):
    y = X @ weight.T + bias
    return y.reshape(-1, 3, 4) if targets is TOKENS else y


def parts_of(model):
    inner = getattr(model, "inner", model)
    return [each.top.clone().requires_grad_() for each in (inner.weight, inner.bias)]


def by_torch(model, loss, targets):
    """The loss of all rows, and its gradients."""
    parts = parts_of(model)
    with torch.enable_grad():
        value = loss(outputs_of(*parts, targets), targets)
    return float(value.detach()), torch.autograd.grad(value, parts)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("batch_size", [1, 4, ROWS])
@pytest.mark.parametrize("case", CASES)
def test_evaluation_does_not_depend_on_the_batch_size(case, batch_size, compiled):
    loss, oracle, targets = CASES[case]
    model = model_for(targets)
    options = {"batch_size": batch_size, "compile": compiled}
    measured = gn.evaluate(model, loss, (X, targets), **options)["loss"]
    assert measured == pytest.approx(by_torch(model, oracle, targets)[0], rel=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_accumulated_gradients_are_those_of_one_large_batch(case, compiled):
    loss, oracle, targets = CASES[case]
    model = model_for(targets)
    value, grads = by_torch(model, oracle, targets)
    expected = [part - 0.1 * grad for part, grad in zip(parts_of(model), grads, strict=True)]
    sgd = gn.SGD(model.parameters(), lr=0.1)
    history = gn.fit(
        model, loss, (X, targets), sgd, batch_size=4, accumulate=99, shuffle=False,
        compile=compiled,
    )  # fmt: skip
    for got, wanted in zip(parts_of(model), expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-13)
    assert history["loss"] == pytest.approx([value], rel=1e-12)
    assert history.losses[0] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    "case", [name for name in CASES if CASES[name][2] is not SOME or name in REPLACED]
)
def test_the_loss_of_an_epoch_is_that_of_all_rows(case, compiled):
    loss, oracle, targets = CASES[case]
    targets = torch.where(targets == -100, 0, targets) if case in REPLACED else targets
    model = model_for(targets)
    sgd = gn.SGD(model.parameters(), lr=0.0)
    options = {"batch_size": 7, "accumulate": 2, "seed": 0, "compile": compiled}
    history = gn.fit(model, loss, (X, targets), sgd, validation=(X, targets), **options)
    expected = by_torch(model, oracle, targets)[0]
    assert history["loss"] == pytest.approx([expected], rel=1e-12)
    assert history["validation_loss"] == pytest.approx([expected], rel=1e-12)


class Heads(gn.Module):
    """Three outputs."""

    def __init__(self):
        self.inner = gn.Linear(3, 3)

    def build(self, x):
        return self.inner(x), self.inner(x) * 2.0, self.inner(x) + 1.0


TERMS = {
    "different": (
        [gn.LossCrossEntropy(WEIGHT), (0.3, gn.LossMSE()), (0.01, gn.LossMSE(reduction="sum"))],
        lambda a, b, c, t, u, v: (
            functional.cross_entropy(a, t, WEIGHT)
            + 0.3 * functional.mse_loss(b, u)
            + 0.01 * functional.mse_loss(c, v, reduction="sum")
        ),
    ),
    "alike": (
        [None, gn.LossMSE(), (2.0, gn.LossL1())],
        lambda a, b, c, u, v: functional.mse_loss(b, u) + 2 * functional.l1_loss(c, v),
    ),
    "sums": (
        [None, gn.LossMSE(reduction="sum"), (2.0, gn.LossL1(reduction="sum"))],
        lambda a, b, c, u, v: (
            functional.mse_loss(b, u, reduction="sum")
            + 2 * functional.l1_loss(c, v, reduction="sum")
        ),
    ),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", TERMS)
def test_each_of_several_losses_divides_by_its_own(name, compiled):
    losses, oracle = TERMS[name]
    targets = (SOME, VALUES, VALUES + 1) if losses[0] else (VALUES, VALUES + 1)
    torch.manual_seed(1)
    model = Heads().to(torch.float64)
    parts = parts_of(model)
    with torch.enable_grad():
        y = outputs_of(*parts, None)
        value = oracle(y, y * 2, y + 1, *targets)
    whole = float(value.detach())
    grads = torch.autograd.grad(value, parts)
    for size in (3, ROWS):
        measured = gn.evaluate(model, losses, (X, targets), batch_size=size, compile=compiled)
        assert measured["loss"] == pytest.approx(whole, rel=1e-12)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    history = gn.fit(
        model, losses, (X, targets), sgd, batch_size=4, accumulate=99, seed=0, compile=compiled
    )
    for got, part, grad in zip(parts_of(model), parts, grads, strict=True):
        torch.testing.assert_close(got, part - 0.1 * grad, rtol=1e-12, atol=1e-13)
    assert history["loss"] == pytest.approx([whole], rel=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("name", TERMS)
def test_the_epoch_of_several_losses_is_that_of_all_rows(name, accumulate, compiled):
    """Batches of four with different numbers of labels; the rate is 0, so the model stays."""
    losses, oracle = TERMS[name]
    targets = (SOME, VALUES, VALUES + 1) if losses[0] else (VALUES, VALUES + 1)
    torch.manual_seed(1)
    model = Heads().to(torch.float64)
    y = outputs_of(*parts_of(model), None)
    whole = float(oracle(y, y * 2, y + 1, *targets).detach())
    options = {"batch_size": ROWS // 2, "accumulate": accumulate, "compile": compiled}
    history = gn.fit(model, losses, (X, targets), gn.SGD(model.parameters(), lr=0.0), **options)
    assert history["loss"] == pytest.approx([whole], rel=1e-12)


class Doubled(gn.Module):
    """A loss of a user, which counts as it likes: rows by the size of their target."""

    def build(self, y, t):
        return ((y - t) ** 2).mean(1).mul(t.abs().sum(1)).sum() / t.abs().sum()

    def counted(self, targets):
        return targets.abs().sum(1)


def test_a_loss_of_ones_own_says_what_it_divides_by():
    model = model_for(VALUES)
    whole, parts = (
        gn.evaluate(model, Doubled(), (X, VALUES), batch_size=size)["loss"] for size in (ROWS, 4)
    )
    assert parts == pytest.approx(whole, rel=1e-12)
    wrong = Doubled()
    wrong.counted = lambda targets: targets.sum()
    with pytest.raises(gn.ShapeError, match="number for each row"):
        gn.evaluate(model, wrong, (X, VALUES))


def test_targets_that_are_augmented_count_as_they_are():
    """Half of the labels are ignored by `augment`, which the data do not show."""
    model, seen = model_for(CLASSES), []

    def hidden(x, t, generator):
        t = t.masked_fill(torch.rand(len(t), generator=generator) < 0.5, -100)
        seen.append((x, t))
        return x, t

    before = copy.deepcopy(model)
    sgd = gn.SGD(model.parameters(), lr=0.1)
    history = gn.fit(
        model, gn.LossCrossEntropy(), (X, CLASSES), sgd, batch_size=5, accumulate=9, seed=3,
        augment=hidden,
    )  # fmt: skip
    x, t = (torch.cat(each) for each in zip(*seen[1:], strict=True))  # the first: for its shapes
    parts = parts_of(before)
    with torch.enable_grad():
        value = functional.cross_entropy(x @ parts[0].T + parts[1], t)
    grads = torch.autograd.grad(value, parts)
    for got, part, grad in zip(parts_of(model), parts, grads, strict=True):
        torch.testing.assert_close(got, part - 0.1 * grad, rtol=1e-12, atol=1e-13)
    assert history["loss"] == pytest.approx([float(value.detach())], rel=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_batch_without_any_label_is_skipped(compiled, accumulate, dtype):
    labels = CLASSES.clone()
    labels[8:16] = -100
    options = {"batch_size": 8 // accumulate, "accumulate": accumulate, "compile": compiled}

    def trained(x, t, **more):
        torch.manual_seed(0)
        model = gn.Sequential(gn.Linear(3, 3), gn.BatchNorm1d(3)).to(dtype)
        sgd = gn.SGD(model.parameters(), lr=0.1, momentum=0.9)
        data = x.to(dtype), t
        loss = gn.LossCrossEntropy()
        history = gn.fit(model, loss, data, sgd, shuffle=False, **options, **more)
        return model.state_dict(), history

    model, history = trained(X, labels, non_finite="skip")
    kept = torch.cat([torch.arange(8), torch.arange(16, ROWS)])
    expected, without = trained(X[kept], labels[kept])
    assert history.skipped == 1
    assert history.losses[1] != history.losses[1]  # NaN
    assert history["loss"] == pytest.approx(without["loss"], rel=1e-6)
    for name, value in expected.items():
        torch.testing.assert_close(model[name], value, rtol=0, atol=0)
    with pytest.raises(gn.GraphError, match=r"Step 1: .*empty batch.*ignored"):
        trained(X, labels)


def test_a_mean_of_no_label_at_all_is_refused():
    nothing = torch.full((ROWS,), -100)
    with pytest.raises(gn.GraphError, match="nothing in the data counts"):
        gn.evaluate(model_for(CLASSES), gn.LossCrossEntropy(), (X, nothing), batch_size=7)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_sum_of_no_label_at_all_is_0(compiled):
    nothing, loss = torch.full((ROWS,), -100), gn.LossCrossEntropy(WEIGHT, reduction="sum")
    options = {"batch_size": 7, "compile": compiled}
    measured = gn.evaluate(model_for(CLASSES), loss, (X, nothing), **options)
    logits = torch.zeros(ROWS, 3, dtype=torch.float64)
    assert measured["loss"] == functional.cross_entropy(logits, nothing, reduction="sum") == 0


class Halved(gn.Module):
    def __init__(self, inner):
        self.inner = inner

    def build(self, y, t):
        return self.inner(y, t) * 0.5 + (y * y).mean() * 0.0


INNER = gn.LossCrossEntropy(WEIGHT)
WRAPPED = {
    "function": lambda y, t: INNER(y, t) * 0.5,
    "module": Halved(INNER),
    "the same again": lambda y, t: INNER(y, t) * 0.5,
    "sum": lambda y, t: gn.LossCrossEntropy(WEIGHT, reduction="sum")(y, t) * 0.5,
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", WRAPPED)
def test_a_loss_that_calls_another_counts_as_that_does(name, compiled):
    model = model_for(SOME)
    reduction = "sum" if name == "sum" else "mean"
    y = model.forward(X)
    whole = float(0.5 * functional.cross_entropy(y, SOME, WEIGHT, reduction=reduction))
    for size in (3, 7, ROWS):
        options = {"batch_size": size, "compile": compiled}
        measured = gn.evaluate(model, WRAPPED[name], (X, SOME), **options)
        assert measured["loss"] == pytest.approx(whole, rel=1e-12)


def test_a_function_of_losses_that_divide_by_different_things_is_warned_about():
    first, second = gn.LossCrossEntropy(WEIGHT), gn.LossCrossEntropy()
    with pytest.warns(
        UserWarning, match=r"calls LossCrossEntropy, LossCrossEntropy.*list of losses"
    ):
        gn.evaluate(model_for(SOME), lambda y, t: first(y, t) + second(y, t), (X, SOME))
