"""The losses as modules beside torch.nn's: values, gradients, weights, settings."""

from __future__ import annotations

import copy

import pytest
import torch
from closeness import assert_close
from ops.against_torch import CLOSE, F64, labels, probabilities, rand
from torch import nn

import graphnet as gn

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # of torch's kl_div

W = rand((3,), 0.1, 2, 5)
UNIT = rand((5, 3), 0.05, 0.95, 1)
LOGITS = rand((5, 3), -3, 3, 2)
EXTREME = torch.tensor([[1e3, -1e3, 0], [-1e3, 1e3, 1e3]], dtype=F64)
LABELS = torch.tensor([0, 2, -100, 1, 1])
LOSSES = {
    "L1": (gn.LossL1, nn.L1Loss, {}, LOGITS, UNIT),
    "L1, extreme": (gn.LossL1, nn.L1Loss, {}, EXTREME, -EXTREME),
    "smooth": (gn.LossSmoothL1, nn.SmoothL1Loss, {"beta": 0.5}, LOGITS, UNIT),
    "smooth, 0": (gn.LossSmoothL1, nn.SmoothL1Loss, {"beta": 0}, LOGITS, UNIT),
    "huber": (gn.LossHuber, nn.HuberLoss, {"delta": 2.0}, LOGITS, UNIT),
    "huber, extreme": (gn.LossHuber, nn.HuberLoss, {}, EXTREME, -EXTREME),
    "mse": (gn.LossMSE, nn.MSELoss, {}, LOGITS, UNIT),
    "bce": (gn.LossBCE, nn.BCELoss, {"weight": W}, UNIT, UNIT.flip(0)),
    "logits": (gn.LossBCEWithLogits, nn.BCEWithLogitsLoss, {}, LOGITS, UNIT),
    "logits, extreme": (gn.LossBCEWithLogits, nn.BCEWithLogitsLoss, {}, EXTREME, UNIT[:2]),
    "logits, weights": (
        gn.LossBCEWithLogits,
        nn.BCEWithLogitsLoss,
        {"weight": W, "pos_weight": W.flip(0)},
        LOGITS,
        UNIT,
    ),
    "labels": (gn.LossCrossEntropy, nn.CrossEntropyLoss, {}, LOGITS, LABELS),
    "labels, all": (
        gn.LossCrossEntropy,
        nn.CrossEntropyLoss,
        {"weight": W, "ignore_index": 1, "label_smoothing": 0.1},
        LOGITS,
        labels((5,), 3),
    ),
    "labels, extreme": (
        gn.LossCrossEntropy,
        nn.CrossEntropyLoss,
        {},
        EXTREME,
        torch.tensor([1, 1]),
    ),
    "one label": (
        gn.LossCrossEntropy,
        nn.CrossEntropyLoss,
        {"weight": W},
        LOGITS[0],
        torch.tensor(2),
    ),
    "image": (
        gn.LossCrossEntropy,
        nn.CrossEntropyLoss,
        {"weight": W},
        rand((2, 3, 4, 5)),
        labels((2, 4, 5), 3),
    ),
    "probabilities": (
        gn.LossCrossEntropy,
        nn.CrossEntropyLoss,
        {"weight": W, "label_smoothing": 0.1},
        LOGITS,
        probabilities((5, 3)),
    ),
    "nll": (gn.LossNLL, nn.NLLLoss, {"weight": W, "ignore_index": 1}, LOGITS, labels((5,), 3)),
    "kl": (gn.LossKLDiv, nn.KLDivLoss, {}, LOGITS, UNIT),
    "kl of logarithms": (gn.LossKLDiv, nn.KLDivLoss, {"log_target": True}, LOGITS, LOGITS.flip(0)),
}
every_loss = pytest.mark.parametrize(
    ("ours", "theirs", "settings", "x", "t"), LOSSES.values(), ids=LOSSES
)


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batchmean"])
def test_value_and_gradients(ours, theirs, settings, x, t, reduction):
    if reduction == "batchmean" and ours is not gn.LossKLDiv:
        with pytest.raises(gn.GraphError, match="'batchmean'"):
            ours(reduction=reduction, **settings)
        return
    loss, torchs = ours(reduction=reduction, **settings), theirs(reduction=reduction, **settings)
    leaves = [each.clone().requires_grad_(each.dtype.is_floating_point) for each in (x, t)]
    expected = torchs(*leaves)
    start = rand(expected.shape, 0.5, 1.5, 9)
    expected.backward(start)
    for _ in range(2):
        assert_close(loss.forward(x, t), expected.detach(), **CLOSE)
        for mine, leaf in zip(loss.backward(start), leaves, strict=True):
            if leaf.requires_grad:
                assert_close(mine, leaf.grad, **CLOSE)
            else:
                assert mine is None
    assert torch.equal(x, leaves[0].detach())


@every_loss
def test_weights_are_buffers_of_torchs_names(ours, theirs, settings, x, t):
    loss, torchs = ours(**settings), theirs(**settings)
    state = torchs.state_dict()
    assert list(loss.state_dict()) == list(state)
    assert loss.param() == []
    assert loss.parameters() == []
    loss.load_state_dict({name: value * 2 for name, value in state.items()})
    torchs.load_state_dict({name: value * 2 for name, value in state.items()})
    assert_close(loss(x, t), torchs(x, t), **CLOSE)
    assert_close(copy.deepcopy(loss)(x, t), torchs(x, t), **CLOSE)
    loss.float()
    target = t.float() if t.dtype.is_floating_point else t
    assert loss(x.float(), target).dtype is torch.float32


@every_loss
def test_derivatives_in_the_list(ours, theirs, settings, x, t):
    with gn.Graph() as graph:
        a = gn.Input((None, *x.shape[1:]) if x.ndim > 1 else x.shape, name="a", dtype=F64)
        b = gn.Input((None, *t.shape[1:]) if t.ndim else (), name="b", dtype=t.dtype)
        loss = ours(**settings)(a.tanh().sigmoid().log() if ours is not gn.LossBCE else a, b)
    if ours is not gn.LossBCE:
        assert graph.check(loss, {"a": x, "b": t})
    leaf = x.clone().requires_grad_()
    inner = leaf.tanh().sigmoid().log() if ours is not gn.LossBCE else leaf
    expected = torch.autograd.grad(theirs(**settings)(inner, t), leaf)[0]
    value = graph.forward(a=x, b=t, outputs=graph.gradients(loss, [a])[0])
    assert_close(value, expected, **CLOSE)


def test_hinge():
    x, t = torch.tensor([0.5, 2.0, -1.0, 1.0]), torch.tensor([1.0, 1, 1, -1])
    loss = gn.LossHinge()
    assert loss(x, t) == (0.5 + 0 + 2 + 2) / 4
    torch.testing.assert_close(loss.backward()[0], torch.tensor([-0.25, 0, -0.25, 0.25]))
    assert gn.LossHinge(reduction="none")(x, t).tolist() == [0.5, 0, 2, 2]
    with pytest.raises(gn.RangeError, match="-1 or 1"):
        loss(x, torch.tensor([0.0, 1, 1, 1]))


def test_settings_are_shown_and_refused():
    assert repr(gn.LossHuber("sum", 2.0)) == "LossHuber(reduction='sum', delta=2.0)"
    assert repr(gn.LossCrossEntropy(W, ignore_index=1)) == "LossCrossEntropy(ignore_index=1)"
    assert repr(gn.LossBCEWithLogits(pos_weight=W)) == "LossBCEWithLogits()"
    for wrong in (
        lambda: gn.LossHuber(delta=0),
        lambda: gn.LossSmoothL1(beta=-1),
        lambda: gn.LossCrossEntropy(label_smoothing=2),
    ):
        with pytest.raises(gn.RangeError):
            wrong()
    with pytest.raises(gn.GraphError, match="tensor"):
        gn.LossCrossEntropy([1.0, 2.0])


@pytest.mark.parametrize("compiled", [True, False])
def test_a_loss_of_ones_own_need_not_call_the_constructor_of_its_base(compiled):
    class Scaled(gn.losses.Loss):
        def __init__(self):
            self.scale = gn.Parameter(torch.ones(()))

        def build(self, y, t):
            return ((y * self.scale - t) ** 2).mean()

    torch.manual_seed(0)
    model, loss = gn.Linear(2, 1).double(), Scaled().double()
    x, t = rand((6, 2), -1, 1, 1), rand((6, 1), -1, 1, 2)
    weight, bias, scale = (
        each.top.clone().requires_grad_() for each in (*model.parameters(), loss.scale)
    )
    (((x @ weight.T + bias) * scale - t) ** 2).mean().backward()
    optimizer = gn.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
    gn.fit(model, loss, (x, t), optimizer, epochs=1, compile=compiled, progress=False)
    for ours, theirs in zip(optimizer.parameters, (weight, bias, scale), strict=True):
        assert_close(ours.top, theirs.detach() - 0.1 * theirs.grad, rtol=1e-13, atol=1e-14)
    assert gn.evaluate(model, loss, (x, t), batch_size=4)["loss"] > 0
