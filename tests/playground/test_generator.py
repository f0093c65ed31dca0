"""Which networks a page can change, and which losses it offers for their targets."""

from __future__ import annotations

from inspect import signature

import pytest
import torch
from playground import pages

import graphnet as gn
from graphnet.playground import generator
from graphnet.playground.generator import MOST_LAYERS, MOST_UNITS, Structure, generator_of
from graphnet.playground.page import page_of, printed_program
from graphnet.playground.task import task_of_model


def task(model, loss=None, targets=None, optimizer=gn.SGD, inputs=2):
    x, t = torch.rand(30, inputs), pages.points(30)[1]
    sgd = optimizer(model.parameters(), lr=0.1)
    data = (x, t if targets is None else targets)
    return task_of_model(model, loss or gn.LossMSE(), data, sgd, None, **pages.SETTINGS)


@pytest.mark.parametrize(
    ("hidden", "activation"),
    [([], "Tanh"), ([5], "ReLU"), ([5, 4, 3], "Sigmoid"), ([MOST_UNITS], "Tanh"), ([3, 3], "none")],
)
def test_dense_layers_with_one_activation_can_be_changed(hidden, activation):
    layer = None if activation == "none" else getattr(gn, activation)
    found = generator_of(task(pages.dense_model(hidden, layer)))
    assert found.structure == Structure(tuple(hidden), activation, "LossMSE")
    assert (found.data["inputs"], found.data["outputs"]) == (2, 2)


SHARED = gn.Tanh()
OTHERS = {
    "too many layers": lambda: pages.dense_model([2] * (MOST_LAYERS + 1)),
    "too many units": lambda: pages.dense_model([MOST_UNITS + 1]),
    "two activations": lambda: gn.Sequential(
        gn.Linear(2, 3), gn.Tanh(), gn.Linear(3, 3), gn.ReLU(), gn.Linear(3, 2)
    ),
    "an activation at the end": lambda: gn.Sequential(gn.Linear(2, 2), gn.Tanh()),
    "an activation of other options": lambda: gn.Sequential(
        gn.Linear(2, 3), gn.LeakyReLU(0.3), gn.Linear(3, 2)
    ),
    "no bias": lambda: gn.Sequential(gn.Linear(2, 3, bias=False), gn.Tanh(), gn.Linear(3, 2)),
    "a layer twice": lambda: gn.Sequential(
        gn.Linear(2, 3), SHARED, gn.Linear(3, 3), SHARED, gn.Linear(3, 2)
    ),
    "a Sequential inside": lambda: gn.Sequential(
        gn.Sequential(gn.Linear(2, 3), gn.Tanh()), gn.Linear(3, 2)
    ),
    "a module of one's own": lambda: type("Own", (gn.Sequential,), {})(gn.Linear(2, 2)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_networks_are_fixed(name):
    assert generator_of(task(OTHERS[name]())) is None


def test_what_is_trained_otherwise_is_fixed():
    model = pages.dense_model([3])
    for loss in (gn.LossMSE(reduction="sum"), gn.LossHuber()):
        assert generator_of(task(model, loss)) is None
    frozen = pages.dense_model([3])
    frozen[0].weight.requires_grad = False
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.2}]
    for other, made in (
        (model, lambda _, lr: gn.SGD(model[0].parameters(), lr=lr)),
        (model, lambda _, lr: gn.SGD(groups, lr=lr)),
        (frozen, gn.SGD),
    ):
        assert generator_of(task(other, optimizer=made)) is None
    assert generator_of(pages.list_task()) is None


LABELS = torch.arange(30) % 3
LOSSES = {
    "labels": (LABELS, 3, gn.LossCrossEntropy, ["MSE", "CrossEntropy", "BCEWithLogits"]),
    "ones": (gn.data.one_hot(LABELS, 3), 3, gn.LossMSE, ["MSE", "CrossEntropy", "BCEWithLogits"]),
    "signs": (2 * gn.data.one_hot(LABELS, 3) - 1, 3, gn.LossMSE, ["MSE"]),
    "two": ((LABELS[:, None] > 0).float(), 1, gn.LossBCEWithLogits, ["MSE", "BCEWithLogits"]),
    "numbers": (torch.rand(30, 2), 2, gn.LossMSE, ["MSE", "L1"]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_losses_are_those_of_the_targets(name):
    targets, outputs, loss, expected = LOSSES[name]
    found = generator_of(task(pages.dense_model([3], outputs=outputs), loss(), targets))
    assert [each.removeprefix("Loss") for each in found.losses] == expected
    for each in found.data["losses"].values():
        assert each["row"] == (1 if each["form"] == "labels" else outputs)
        assert (each["classes"] is None) == (name == "numbers")


def test_only_pages_that_need_them_hold_the_parts():
    small, large = page_of(task(pages.dense_model([3]))), page_of(pages.rows())
    for part in ("createTanh", "createUpdate", "const PARTS", "class DenseProgram"):
        assert part in small
        assert part not in large
    assert "class Pad" in page_of(pages.images())
    assert "class Pad" not in small


RATES = {"maximize": True, "weight_decay": 0.01}
ADAM = {**RATES, "betas": (0.8, 0.95), "eps": 1e-6}
DECOUPLED = {**ADAM, "decoupled_weight_decay": True}
OPTIMIZERS = {
    gn.SGD: {**RATES, "momentum": 0.9, "dampening": 0.1, "nesterov": True},
    gn.Adam: {**DECOUPLED, "amsgrad": True},
    gn.AdamW: {**ADAM, "amsgrad": True},
    gn.Adamax: ADAM,
    gn.NAdam: {**DECOUPLED, "momentum_decay": 0.01},
    gn.RAdam: DECOUPLED,
    gn.RMSprop: {**RATES, "alpha": 0.9, "eps": 1e-6, "momentum": 0.5, "centered": True},
    gn.Adagrad: {**RATES, "lr_decay": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-6},
    gn.Adadelta: {**RATES, "rho": 0.8, "eps": 1e-5},
}
OPTIONS = [
    (kind, {name: value, **({"momentum": 0.9} if name == "nesterov" else {})})
    for kind, options in OPTIMIZERS.items()
    for name, value in [*options.items(), ("lr", 0.05)]
]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_updates_networks_that_the_page_makes(kind, monkeypatch):
    """With all its options at once; Nesterov's momentum takes no dampening."""
    options = {**OPTIMIZERS[kind], "lr": 0.05}
    if options.pop("nesterov", False):
        is_updated(kind, {"momentum": 0.9, "nesterov": True}, monkeypatch)
    is_updated(kind, options, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options"),
    OPTIONS,
    ids=[f"{kind.__name__}-{next(iter(each))}" for kind, each in OPTIONS],
)
def test_so_it_does_with_each_option_alone(kind, options, monkeypatch):
    is_updated(kind, options, monkeypatch)


def is_updated(kind, options, monkeypatch):
    """Whether a page makes its networks' updates, with the numbers of the printed program."""
    monkeypatch.setattr(generator, "ACTIVATIONS", {"Tanh": gn.Tanh})  # the same for each
    monkeypatch.setattr(generator, "LOSSES", {"LossMSE": gn.LossMSE})

    def made(parameters, lr):
        return kind(parameters, **{"lr": lr, **options})

    given = task(pages.dense_model([3]), optimizer=made)
    found, program = generator_of(given), printed_program(given)
    assert found is not None
    assert found.update.numbers == program.numbers
    group = given.optimizer.param_groups[0]
    assert {name: group[name] for name in options} == options


def test_all_optimizers_are_tried():
    kinds = {each for name in dir(gn) if isinstance(each := getattr(gn, name), type)}
    assert {each for each in kinds if issubclass(each, gn.Optimizer)} - {gn.Optimizer} == {
        *OPTIMIZERS
    }
    for kind, options in OPTIMIZERS.items():
        taken = {*signature(kind).parameters} - {"params", "lr", "switches"}
        assert taken == {*options}, kind
