"""What every loss refuses, and what it is called with: signatures beside torch's."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from ops.against_torch import F64, labels, rand

import graphnet as gn
from graphnet import ops

PAIRED = [
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
    "hinge_loss",
]
OF_LABELS = ["cross_entropy", "nll_loss"]
paired = pytest.mark.parametrize("name", PAIRED)
of_labels = pytest.mark.parametrize("name", OF_LABELS)
MODULES = {
    gn.LossMSE: torch.nn.MSELoss,
    gn.LossL1: torch.nn.L1Loss,
    gn.LossSmoothL1: torch.nn.SmoothL1Loss,
    gn.LossHuber: torch.nn.HuberLoss,
    gn.LossBCE: torch.nn.BCELoss,
    gn.LossBCEWithLogits: torch.nn.BCEWithLogitsLoss,
    gn.LossCrossEntropy: torch.nn.CrossEntropyLoss,
    gn.LossNLL: torch.nn.NLLLoss,
    gn.LossKLDiv: torch.nn.KLDivLoss,
}


def as_node(tensor):
    graph = gn.Graph()
    return graph.input(tuple(tensor.shape), name="x", dtype=tensor.dtype)


def settings(function):
    """The arguments and their defaults, without the two that torch deprecates."""
    parameters = inspect.signature(function).parameters.values()
    return {
        each.name: each.default
        for each in parameters
        if each.name not in ("size_average", "reduce")
    }


@pytest.mark.parametrize("name", [*PAIRED[:-1], *OF_LABELS])
def test_functions_have_torchs_arguments(name):
    assert settings(getattr(ops, name)) == settings(getattr(torch.nn.functional, name))


@pytest.mark.parametrize(("ours", "theirs"), MODULES.items(), ids=str)
def test_modules_have_torchs_arguments(ours, theirs):
    assert settings(ours) == settings(theirs)


@pytest.mark.parametrize("ours", [*MODULES, gn.LossHinge], ids=str)
def test_modules_pass_all_their_settings_on(ours):
    function = settings(ours.function)
    assert {name: function[name] for name in settings(ours)} == settings(ours)


# what is no tensor, or of another dtype


@paired
@pytest.mark.parametrize("wrong", [None, 1.0, [0.5, 0.5], "x"], ids=repr)
def test_only_tensors_are_compared(name, wrong):
    x = rand((2,), 0.1, 0.9)
    for each in (x, as_node(x)):
        for pair in ((wrong, each), (each, wrong), (wrong, wrong)):
            with pytest.raises(gn.GraphError, match="takes tensors or nodes"):
                getattr(ops, name)(*pair)


@of_labels
@pytest.mark.parametrize("wrong", [None, 1.0, [0, 1], "x"], ids=repr)
def test_only_tensors_are_classified(name, wrong):
    x, target = rand((2, 3)), labels((2,), 3)
    for left, right in ((x, target), (as_node(x), as_node(target))):
        for pair in ((wrong, right), (left, wrong)):
            with pytest.raises(gn.GraphError, match="takes tensors or nodes"):
                getattr(ops, name)(*pair)


@paired
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex128], ids=str)
def test_integers_have_no_loss(name, dtype):
    x, whole = rand((2,), 0.1, 0.9), torch.ones(2, dtype=dtype)
    for pair in ((x, whole), (whole, x), (whole, whole)):
        for reduction in ("mean", "none"):
            with pytest.raises(gn.DtypeError, match=r"floating|never mixed"):
                getattr(ops, name)(*pair, reduction=reduction)
            graph = gn.Graph()
            nodes = [
                graph.input((2,), dtype=each.dtype, name=n)
                for each, n in zip(pair, "xt", strict=True)
            ]
            with pytest.raises(gn.DtypeError, match=r"floating|never mixed"):
                getattr(ops, name)(*nodes, reduction=reduction)


@paired
def test_dtypes_are_not_mixed(name):
    x = rand((2,), 0.1, 0.9)
    graph = gn.Graph()
    nodes = [graph.input((2,), dtype=each, name=str(each)) for each in (F64, torch.float32)]
    for pair in ((x, x.float()), (x.float(), x), nodes, nodes[::-1]):
        with pytest.raises(gn.DtypeError, match="mixed"):
            getattr(ops, name)(*pair)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("mse_loss", "weight"),
        ("l1_loss", "weight"),
        ("huber_loss", "weight"),
        ("binary_cross_entropy", "weight"),
        ("binary_cross_entropy_with_logits", "weight"),
        ("binary_cross_entropy_with_logits", "pos_weight"),
        ("cross_entropy", "weight"),
        ("nll_loss", "weight"),
    ],
)
def test_weights_are_tensors_of_the_same_dtype(name, place):
    x = rand((3, 3), 0.1, 0.9)
    targets = [labels((3,), 3)] if name in OF_LABELS else [x]
    if name == "cross_entropy":
        targets.append(x)  # probabilities
    for target in targets:
        for weight in (torch.ones(3), torch.ones(3, dtype=torch.int64)):
            with pytest.raises(gn.DtypeError):
                getattr(ops, name)(x, target, **{place: weight})
        for weight in (2.0, [1.0, 1.0, 1.0], "w"):
            with pytest.raises(gn.GraphError, match="takes tensors or nodes"):
                getattr(ops, name)(x, target, **{place: weight})


def test_probabilities_are_of_the_same_dtype():
    x = rand((2, 3))
    for pair in ((x, x.float()), (x.float(), x)):
        with pytest.raises(gn.DtypeError, match="mixed"):
            ops.cross_entropy(*pair)


# settings of another kind


@pytest.mark.parametrize("wrong", [None, "1", [1], 1.0, 1.5, True, 2**63, -(2**63) - 1], ids=repr)
def test_the_label_to_ignore_is_an_integer(wrong):
    x, target = rand((2, 3)), labels((2,), 3)
    for call in (
        lambda: ops.cross_entropy(x, target, ignore_index=wrong),
        lambda: ops.cross_entropy(x, x, ignore_index=wrong),
        lambda: ops.nll_loss(x, target, ignore_index=wrong),
        lambda: gn.LossCrossEntropy(ignore_index=wrong),
        lambda: gn.LossNLL(ignore_index=wrong),
    ):
        with pytest.raises(gn.GraphError, match="ignore_index must"):
            call()


@pytest.mark.parametrize("wrong", [None, "1", [1], torch.ones(())], ids=repr)
def test_settings_that_are_numbers(wrong):
    x, target = rand((2, 3)), labels((2,), 3)
    for call in (
        lambda: ops.huber_loss(x, x, delta=wrong),
        lambda: gn.LossHuber(delta=wrong),
        lambda: ops.smooth_l1_loss(x, x, beta=wrong),
        lambda: gn.LossSmoothL1(beta=wrong),
        lambda: ops.cross_entropy(x, target, label_smoothing=wrong),
        lambda: gn.LossCrossEntropy(label_smoothing=wrong),
    ):
        with pytest.raises(gn.GraphError, match="must be a number"):
            call()


@pytest.mark.parametrize("name", ["huber_loss", "smooth_l1_loss"])
def test_a_bend_at_infinity_is_no_bend(name):
    x, t = rand((3,), -9, 9), rand((3,), seed=1)
    options = {"delta" if name == "huber_loss" else "beta": math.inf}
    ours, theirs = (getattr(side, name)(x, t, **options) for side in (ops, torch.nn.functional))
    assert ours == theirs


@pytest.mark.parametrize("name", [*PAIRED, *OF_LABELS])
def test_unknown_arguments_are_no_signature(name):
    x = rand((2, 3))
    with pytest.raises(TypeError):
        getattr(ops, name)(x, x, mean=True)
    with pytest.raises(TypeError):
        getattr(ops, name)(x)
