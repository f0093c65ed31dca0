"""The affine map for weights, biases and inputs of all shapes, beside torch's."""

from __future__ import annotations

import pytest
import torch
from ops.against_torch import compare, rand

import graphnet as gn
from graphnet import ops


@pytest.mark.parametrize("bias", [None, (5,), (1,)], ids=str)
@pytest.mark.parametrize("x", [(3, 4), (4,), (2, 3, 4), (0, 4)], ids=str)
def test_linear(x, bias):
    tensors = [rand(x), rand((5, 4), seed=1)]
    if bias is not None:
        tensors.append(rand(bias, seed=2))
    compare(ops.linear, torch.nn.functional.linear, tensors)


@pytest.mark.parametrize("x", [(3, 4), (4,)], ids=str)
def test_a_weight_that_is_a_vector(x):
    compare(ops.linear, torch.nn.functional.linear, [rand(x), rand((4,), seed=1)])


@pytest.mark.parametrize("x", [(4,), (2, 3, 4)], ids=str)
def test_a_weight_that_is_a_vector_takes_one_number_as_bias(x):
    def linear(x, weight, bias):  # torch's own, of older versions, refuses a bias here
        return x @ weight + bias

    compare(ops.linear, linear, [rand(x), rand((4,), seed=1), rand((), seed=2)])


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        (((3, 4), (5, 3), (5,)), "the layer's in_features"),
        (((3, 4), (5, 3)), "the layer's in_features"),
        (((4,), (5, 3), (5,)), "the layer's in_features"),
        (((4,), (5, 3)), "the layer's in_features"),
        (((), (5, 4)), "the layer's in_features"),
        (((), (5, 4), (5,)), "the layer's in_features"),
        (((3, 4), (5, 4), (4,)), "linear cannot be applied here"),
        (((3, 4), (2, 5, 4)), r"weight and bias must be \(out_features, in_features\)"),
        (((3, 4), ()), r"weight and bias must be \(out_features, in_features\)"),
        (((3, 4), (5, 4), (2, 3, 5)), r"and \(out_features\)"),
        (((3, 4), (4,), (3,)), r"and \(out_features\)"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_refused_in_words_of_linear(shapes, text):
    graph = gn.Graph()
    nodes = [graph.input(shape, name=f"x{place}") for place, shape in enumerate(shapes)]
    with pytest.raises(gn.ShapeError, match=text):
        ops.linear(*nodes)


@pytest.mark.parametrize("wrong", [1.0, "a", [1.0], None])
def test_a_weight_that_is_no_tensor_is_refused(wrong):
    x = gn.Graph().input((3, 4), name="x")
    with pytest.raises(gn.GraphError, match="linear takes tensors or nodes"):
        ops.linear(x, wrong)
