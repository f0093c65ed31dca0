"""Images in a program: what is a product without a copy, and what needs no new memory."""

from __future__ import annotations

from math import prod

import pytest
import torch
from compile.test_convolution import Fixed
from compile.training import assert_same_training, model_training, randn

import graphnet as gn
from graphnet.compile.targets.torch import assemble
from graphnet.compile.targets.torch.memory_format import BATCH_LAST, BY_PIXELS, ORDERS

# convolutions of single pixels


def bottleneck():
    """Single pixels with and without bias and batch norm, around windows that overlap."""
    return gn.Sequential(
        gn.Conv2d(3, 5, 1, bias=False),
        gn.BatchNorm2d(5),
        gn.ReLU(),
        gn.Conv2d(5, 4, 3, padding=1, bias=False),
        gn.BatchNorm2d(4),
        gn.ReLU(),
        gn.Conv2d(4, 6, 1),
        gn.Tanh(),
        gn.Conv2d(6, 2, 1, stride=2, bias=False),
    )


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("dtype", "exact"), [(torch.float64, {}), (torch.float32, {"rtol": 1e-4, "atol": 1e-5})]
)
def test_single_pixels_compute_the_same(order, place, dtype, exact, monkeypatch):
    monkeypatch.setattr(assemble, "Tuner", Fixed(place, order, True))

    def training():
        torch.manual_seed(0)
        return model_training(bottleneck(), (None, 3, 6, 6), dtype=dtype)

    feeds = [{"x": randn(4, 3, 6, 6, seed=seed, dtype=dtype)} for seed in range(2)]
    assert_same_training(training, feeds, steps=4, options={"tune": True}, **exact)


def source(model, shape, dtype=torch.float32):
    torch.manual_seed(0)
    step = model_training(model, (None, *shape[1:]), dtype=dtype).compiled(tune=False)
    step(x=torch.randn(*shape, dtype=dtype))
    return step.source.splitlines()


def test_single_pixels_are_products_that_copy_nothing():
    """Also of large images, where other windows use torch's kernel."""
    model = gn.Sequential(gn.Conv2d(40, 40, 3), gn.ReLU(), gn.Conv2d(40, 50, 1), gn.Tanh())
    lines = source(model, (2, 40, 20, 20), torch.float64)
    copies = [line.strip() for line in lines if "copy_(" in line or "zero_(" in line]
    assert copies == [  # all of the other convolution
        "layer0_weight_by_pixels.copy_(layer0_weight)",
        "gradients_conv2d_grad_weight_1_place.copy_(gradients_conv2d_grad_weight_1)",
        "gradients_sum_1_place.copy_(gradients_sum_1)",
    ]
    assert sum("mm(" in line for line in lines) == 3  # forward, and by weight and input


def test_a_stride_leaves_pixels_out():
    """Such a convolution is left to torch's kernel."""
    lines = source(gn.Conv2d(40, 40, 1, stride=2), (2, 40, 60, 60))
    assert any("convolution(" in line for line in lines)


# memory


def test_what_follows_a_convolution_needs_no_new_memory():
    """Its images are known to lie pixel by pixel, so results have their place before a step."""
    model = gn.Sequential(gn.Conv2d(40, 40, 3), gn.BatchNorm2d(40), gn.ReLU())
    assert not [line for line in source(model, (2, 40, 20, 20)) if "rule_of_layer" in line]


def test_kernels_are_copied_once_for_both_passes():
    model = gn.Sequential(gn.Conv2d(40, 40, 3), gn.ReLU(), gn.Conv2d(40, 40, 3))
    lines = source(model, (2, 40, 20, 20))
    copies = [line.strip() for line in lines if "weight_by_pixels.copy_(" in line]
    assert copies == [f"layer{at}_weight_by_pixels.copy_(layer{at}_weight)" for at in (0, 2)]
    assert not [line for line in lines if "weight.contiguous" in line]


def test_few_pixels_are_turned_instead_of_many_weights():
    """The weights and their gradients lie as the parameters do."""
    model = gn.Sequential(gn.Conv2d(40, 40, 3, padding=1), gn.ReLU())
    lines = source(model, (1, 40, 4, 4))
    assert not [line for line in lines if "weight_by_pixels" in line]
    (forward,) = (line for line in lines if " convolution(" in line)
    assert "(x.contiguous(), layer0_weight, " in forward
    (backward,) = (line for line in lines if " convolution_backward(" in line)
    assert ".contiguous(), x.contiguous(), layer0_weight, " in backward


@pytest.mark.parametrize("order", [BY_PIXELS, BATCH_LAST])
def test_kernels_that_are_computed(order, monkeypatch):
    """They are new at each step, for windows and for single pixels."""
    monkeypatch.setattr(assemble, "Tuner", Fixed(0, order, False))

    def training():
        torch.manual_seed(0)
        model = bottleneck()
        for at in (0, 3):
            gn.weight_norm(model[at])
        return model_training(model, (None, 3, 6, 6))

    assert_same_training(training, [{"x": randn(4, 3, 6, 6)}], steps=4, options={"tune": True})


# batch norm


def test_a_walk_keeps_one_image_of_a_batch_norm():
    with gn.Graph() as graph:
        y = gn.BatchNorm2d(3)(gn.Input((None, 3, 4, 4), name="x"))
    graph.forward(x=torch.randn(2, 3, 4, 4))
    images = [node for node in graph if node.top is not None and node.top.shape == y.top.shape]
    others = [node for node in images if node.top.data_ptr() != graph["x"].top.data_ptr()]
    assert others == [y]


def test_a_batch_norm_takes_few_passes_over_an_image():
    torch.manual_seed(0)
    training = model_training(gn.Sequential(gn.Conv2d(3, 4, 1), gn.BatchNorm2d(4)), (None, 3, 8, 8))
    step = training.compiled()
    step(x=randn(2, 3, 8, 8))
    images = [
        node
        for node in step.program
        if prod(node.shape) == 2 * 4 * 8 * 8 and not getattr(getattr(node, "op", None), "view", 1)
    ]
    of_loss = 7  # tanh, + 0.5 and the product, and their gradients
    assert len(images) == 1 + 4 + 2 + of_loss, [str(node) for node in images]
