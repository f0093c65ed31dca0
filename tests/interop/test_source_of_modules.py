"""Modules of torch.nn inside another one, with options that they show and do not, written back."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from interop.nn_modules import FOUR, MODULES, images
from interop.test_nn_modules import QUICK
from interop.written import assert_written_back_equal, double
from torch import nn
from torch.nn import utils
from torch.nn.utils import prune

import graphnet as gn

pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm:FutureWarning"),
]
REFUSED = {"FractionalMaxPool2d", "RReLU", "CrossMapLRN2d", "CTCLoss"}
"""Modules that are not imported."""


class Held(nn.Module):
    """Another module, under a name: of a layer of torch.nn, its call is written."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


class HeldOfTwo(Held):
    def forward(self, x, y):
        return self.inner(x, y)


class HeldOfThree(Held):
    def forward(self, x, y, z):
        return self.inner(x, y, z)


def held(inner, examples):
    return (Held, HeldOfTwo, HeldOfThree)[len(examples) - 1](inner)


@pytest.mark.parametrize(
    "name",
    [
        n if n in QUICK else pytest.param(n, marks=pytest.mark.slow)
        for n in MODULES
        if n not in REFUSED
    ],
)
def test_a_module_of_torch_is_written_back(name):
    torch.manual_seed(0)
    make, examples = MODULES[name]
    given = examples()
    assert_written_back_equal(make(), *given)
    assert_written_back_equal(held(make(), given), *given)


class Second(nn.Module):
    def forward(self, pair):
        return pair[1]


class CalledWithASize(Held):
    def forward(self, x):
        return self.inner(x, output_size=(10,))


def scaled():
    layer = nn.Linear(4, 3)
    layer.scale = nn.Parameter(torch.ones(3))
    return layer


def hooked():
    layer = nn.Linear(4, 3)
    layer.register_forward_hook(lambda _module, _inputs, output: output * 2)
    return layer


OPTIONS = {
    "AvgPool1d": (lambda: nn.AvgPool1d(3, 2, 1, True, False), images(2, 8)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1, True, False, 5), images(2, 8, 8)),
    "AvgPool3d": (lambda: nn.AvgPool3d(3, 2, 1, True, False), images(2, 8, 8, 8)),
    "Upsample, corners": (
        lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        images(2, 3, 4),
    ),
    "Upsample, its factor again": (
        lambda: nn.Upsample(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True),
        images(2, 3, 4),
    ),
    "MaxPool1d, both": (lambda: nn.MaxPool1d(2, return_indices=True), images(2, 8)),
    "MaxPool2d, both": (lambda: nn.MaxPool2d(2, return_indices=True), images(2, 8, 8)),
    "MaxPool2d, its indices": (
        lambda: nn.Sequential(nn.MaxPool2d(2, return_indices=True), Second()),
        images(2, 8, 8),
    ),
    "BatchNorm1d, average": (lambda: nn.BatchNorm1d(4, momentum=None), FOUR),
    "BatchNorm1d, no statistics": (lambda: nn.BatchNorm1d(4, track_running_stats=False), FOUR),
    "LayerNorm, no bias": (lambda: nn.LayerNorm(4, 1e-3, bias=False), FOUR),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4, 1e-2, affine=False), images(4, 3)),
    "RMSNorm": (lambda: nn.RMSNorm(4, 1e-2, elementwise_affine=False), FOUR),
    "Softplus": (lambda: nn.Softplus(2.0, 0.5), FOUR),
    "Hardtanh": (lambda: nn.Hardtanh(-0.3, 0.2), FOUR),
    "GELU": (lambda: nn.GELU("tanh"), FOUR),
    "PReLU": (lambda: nn.PReLU(4, 0.1), FOUR),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), images(2, 5, 5)),
    "ConvTranspose1d, sized": (
        lambda: CalledWithASize(nn.ConvTranspose1d(2, 3, 3, 2, 1)),
        images(2, 5),
    ),
    "a parameter more": (scaled, FOUR),
    "a hook": (hooked, FOUR),
    "pruned": (lambda: prune.l1_unstructured(nn.Linear(4, 3), "weight", 3), FOUR),
    **{
        f"weight_norm, dim={dim}": (
            lambda dim=dim: utils.weight_norm(nn.Conv1d(2, 5, 3), dim=dim),
            images(2, 6),
        )
        for dim in (0, 1, None)
    },
    "weight_norm, no bias": (lambda: utils.weight_norm(nn.Linear(4, 3, bias=False)), FOUR),
    "weight_norm of a bias": (
        lambda: utils.weight_norm(utils.weight_norm(nn.Linear(4, 3)), "bias"),
        FOUR,
    ),
    "spectral_norm": (lambda: utils.spectral_norm(nn.Linear(4, 3)), FOUR),
    "spectral_norm, two steps": (
        lambda: utils.spectral_norm(nn.Conv2d(2, 5, 3), n_power_iterations=2, eps=1e-3),
        images(2, 5, 5),
    ),
    "spectral_norm, transposed": (
        lambda: utils.spectral_norm(nn.ConvTranspose2d(2, 4, 3)),
        images(2, 5, 5),
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_layer_is_written_back_with_all_its_options(name):
    torch.manual_seed(0)
    make, examples = OPTIONS[name]
    assert_written_back_equal(Held(make()), *examples(), walks=3)


@pytest.mark.parametrize("name", [each for each in OPTIONS if "norm" in each])
def test_the_older_norms_import_with_equal_numbers_and_gradients(name):
    torch.manual_seed(0)
    make, examples = OPTIONS[name]
    module, given = make().double(), double(examples())
    weight = module.weight
    comparison = gn.compare_with_torch(module, *given)
    assert comparison, str(comparison)
    gn.from_torch(module, *given)
    assert type(module.weight) is type(weight)


@pytest.mark.parametrize("name", ["weight_norm, dim=0", "spectral_norm"])
def test_the_round_trip_of_an_older_norm_is_equal(name):
    torch.manual_seed(0)
    make, examples = OPTIONS[name]
    given = double(examples())
    model = gn.from_torch(nn.Sequential(make()).double(), *given)
    again = gn.from_torch(gn.to_torch(model), *given)
    assert list(again.state_dict()) == list(model.state_dict())
    for training in (True, False):
        ours, theirs = (each.train(training).forward(*given) for each in (again, model))
        assert_close(ours, theirs, rtol=0, atol=0)


def test_spectral_norm_of_another_module_than_a_layer_is_refused():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 4))

        def forward(self, x):
            return x @ self.weight.t()

    model = gn.from_torch(
        nn.Sequential(utils.parametrizations.spectral_norm(Own())), torch.ones(2, 4)
    )
    with pytest.raises(gn.GraphError, match=r"for the layers of torch\.nn"):
        gn.torch_source(model)


OWN = {
    "AvgPool2d": (gn.AvgPool2d(3, 2, 1, True, False), images(2, 8, 8)),
    "Upsample": (
        gn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        images(2, 3, 4),
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_a_layer_of_ours_is_written_with_options_that_it_does_not_show(name):
    layer, examples = OWN[name]
    (x,) = examples()
    model = gn.Sequential(layer)
    assert_close(gn.to_torch(model, x)(x), model.forward(x), rtol=1e-6, atol=1e-6)
