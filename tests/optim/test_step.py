"""What a step and an optimizer take beside parameters and settings: closures, names, switches."""

from __future__ import annotations

import itertools

import pytest
import torch
from optim.torch_pairs import MEMORY, TorchPair, assert_words

import graphnet as gn


def test_a_closure_computes_the_loss_before_the_update():
    both = TorchPair()
    ours, theirs = both.optimizers("Adam", {})

    def closure():
        both.set_gradients()
        return len(calls)

    calls = []
    for number in range(5):
        calls.append(number)
        assert ours.step(closure) == number + 1
        theirs.step()
        both.check()
    assert ours.step() is None
    assert ours.step(closure=None) is None


def test_a_closure_that_raises_changes_nothing():
    both = TorchPair()
    ours, _ = both.optimizers("Adam", {})
    before = [parameter.top.clone() for parameter in both.ours]
    with pytest.raises(ZeroDivisionError):
        ours.step(lambda: 1 / 0)
    with pytest.raises(gn.GraphError, match="got float"):
        ours.step(0.5)
    assert all(map(torch.equal, before, [parameter.top for parameter in both.ours]))
    assert ours.state_dict()["state"] == {}


@pytest.mark.parametrize("given", [(), (True,), (False,)])
def test_zero_grad_takes_what_torch_takes(given):
    both = TorchPair()
    ours, _ = both.optimizers("SGD", {})
    both.set_gradients()
    ours.zero_grad(*given)
    if given == (False,):  # zeros, with which a step works
        assert not any(parameter.grad.any() for parameter in both.ours)
    else:
        assert all(parameter.grad is None for parameter in both.ours)


# the learning rate as a tensor


@pytest.mark.parametrize(("kind", "options"), MEMORY, ids=str)
def test_a_learning_rate_in_a_tensor_is_followed(kind, options):
    both = TorchPair()
    rates = [torch.tensor(0.1, dtype=torch.float64) for _ in range(2)]
    ours = getattr(gn, kind)(both.ours, **{**options, "lr": rates[0]})
    theirs = getattr(torch.optim, kind)(both.theirs, **{**options, "lr": 0.1})
    for _ in range(6):
        both.step(ours, theirs)
        both.check()
        rates[0].mul_(0.5)
        theirs.param_groups[0]["lr"] *= 0.5
    saved = ours.state_dict()["param_groups"][0]["lr"]
    rates[0].zero_()
    assert saved > 0


@pytest.mark.parametrize("lr", [torch.ones(2), torch.tensor(-1.0), torch.tensor(float("nan")), []])
def test_a_wrong_learning_rate(lr):
    with pytest.raises(gn.RangeError, match="lr must be a finite number"):
        gn.Adam([gn.Parameter(torch.ones(2))], lr=lr)


# parameters with names


def test_named_parameters():
    model = gn.Sequential(gn.Linear(2, 3), gn.Linear(3, 1))
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    ours = gn.SGD(model.named_parameters(), lr=0.1)
    theirs = torch.optim.SGD(net.named_parameters(), lr=0.1)
    names = theirs.param_groups[0]["param_names"]
    assert ours.param_groups[0]["param_names"] == names
    assert ours.parameters == model.parameters()
    ours.add_param_group({"params": [("extra", gn.Parameter(torch.ones(2)))]})
    assert ours.param_groups[1]["param_names"] == ["extra"]
    state = ours.state_dict()
    assert [group["param_names"] for group in state["param_groups"]] == [names, ["extra"]]
    ours.load_state_dict(state)
    assert ours.param_groups[0]["param_names"] == names
    theirs.load_state_dict(gn.SGD(model.named_parameters(), lr=0.7).state_dict())
    assert theirs.param_groups[0]["lr"] == 0.7


A, B, C = (gn.Parameter(torch.ones(2)) for _ in range(3))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([("a", A), B], ["pairs"]),
        ([A, ("b", B)], ["pairs"]),
        ([("a", A, 3)], ["pairs"]),
        ([("a", torch.ones(2))], ["got Tensor"]),
        ([("a", A), ("b", A)], ["twice"]),
        ([{"params": [("a", A)]}, {"params": [B]}], ["names are missing"]),
    ],
    ids=range(6),
)
def test_wrong_names(params, words):
    with pytest.raises(gn.GraphError) as error:
        gn.SGD(params, lr=0.1)
    assert_words(words, error)


def test_a_later_group_without_names_beside_one_with():
    sgd = gn.SGD([("a", A)], lr=0.1)
    with pytest.raises(gn.GraphError, match="names are missing"):
        sgd.add_param_group({"params": [B]})
    assert len(sgd.param_groups) == 1


# switches


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in MEMORY}))
def test_switches_are_taken_where_torch_takes_them_and_change_nothing(kind):
    both = TorchPair()
    for name in gn.Optimizer.switches:
        for value in (None, False, True):
            for optimizer, parameters in ((torch.optim, both.theirs), (gn, both.ours)):
                make = getattr(optimizer, kind)
                if name not in getattr(gn, kind).switches:
                    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
                        make(parameters, **{name: value})
                elif not (name == "differentiable" and value):
                    made = make(parameters, **{name: value})
        if name in getattr(gn, kind).switches:
            assert made.defaults == getattr(gn, kind)(both.ours).defaults
    with pytest.raises(gn.RangeError, match="`updated`"):
        getattr(gn, kind)(both.ours, differentiable=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        getattr(gn, kind)(both.ours, speed=1)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_two_implementations_at_once(kind):
    with pytest.raises(gn.RangeError, match="fused and foreach"):
        getattr(gn, kind)([A], fused=True, foreach=True)
    with pytest.raises(RuntimeError, match="fused"):
        getattr(torch.optim, kind)(TorchPair().theirs, fused=True, foreach=True)


def test_switches_in_a_group_are_notes():
    for name, value in itertools.product(gn.Optimizer.switches, (False, None)):
        gn.SGD([{"params": [A], name: value}], lr=0.1).step()
