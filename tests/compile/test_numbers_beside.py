"""Numbers beside booleans and integers: programs give the values and dtypes of torch."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close

import graphnet as gn
from graphnet import ops

TRUTH = torch.tensor([True, False, True, False, True])
KINDS = [torch.bool, torch.uint8, torch.int8, torch.int32, torch.int64]
FORMULAS = {
    "sum": lambda a: a + 1,
    "large sum": lambda a: a.long() + 300,
    "product": lambda a: a * 3,
    "chain": lambda a: a * 3 - 1,
    "fraction": lambda a: a * 2 * 1.5,
    "quotient": lambda a: a / 2,
    "reciprocal": lambda a: 2 / (a + 1),
    "divided by a count": lambda a: -3 / (a * a + 1),
    "greater": lambda a: a > -1,
    "beyond": lambda a: a > 300,
    "at least": lambda a: a >= 200,
    "less": lambda a: a < 0.5,
    "mean": lambda a: ((a > 0) + 1).float().mean(),
}
CLOSE = {"rtol": 1e-6, "atol": 0}


def assert_equal_in_all_forms(build, expected, **feed):
    assert_all_equal_in_all_forms({"": build}, {"": expected}, **feed)


def assert_all_equal_in_all_forms(builds, expected, **feed):
    """Several formulas in one program, by their names."""
    graph = gn.Graph()
    nodes = [graph.input(tuple(x.shape), name=name, dtype=x.dtype) for name, x in feed.items()]
    tops = [build(*nodes) for build in builds.values()]
    forms = [graph.forward(feed, outputs=tops)]
    forms += [graph.compile(tops, backend=backend)(feed) for backend in ("torch", "c")]
    for values in forms:
        for name, found in zip(builds, values, strict=True):
            assert found.dtype is expected[name].dtype, name
            assert_close(found, expected[name], **CLOSE, equal_nan=True)


@pytest.mark.filterwarnings("ignore:backend=")
@pytest.mark.parametrize("dtype", KINDS, ids=str)
def test_formulas(dtype):
    a = TRUTH.to(dtype)
    expected = {name: formula(a) for name, formula in FORMULAS.items()}
    assert_all_equal_in_all_forms(FORMULAS, expected, a=a)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:backend=")
@pytest.mark.parametrize("dtype", KINDS, ids=str)
@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_alone(name, dtype):
    a = TRUTH.to(dtype)
    assert_equal_in_all_forms(FORMULAS[name], FORMULAS[name](a), a=a)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int32, torch.int64], ids=str)
def test_a_number_that_is_chosen(dtype):
    a = TRUTH.to(dtype)
    expected = torch.where(a > 0, a, 300)
    assert_equal_in_all_forms(lambda a: ops.where(a > 0, a, 300), expected, a=a)


@pytest.mark.parametrize("backend", ["torch", "c"])
def test_labels_that_are_masked_while_a_program_trains(backend):
    """The label that is ignored is -100, not the truth of it."""
    labels = torch.tensor([0, 2, 2, 1])
    graph = gn.Graph()
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    w = graph.parameter(logits.clone(), name="w")
    t = graph.input((4,), name="t", dtype=torch.int64)
    loss = ops.cross_entropy(w, ops.where(t > 1, t, -100))
    step = graph.compile(loss, gn.SGD([w], lr=0.5), backend=backend)
    leaf = logits.clone().requires_grad_()
    expected = torch.nn.functional.cross_entropy(leaf, torch.where(labels > 1, labels, -100))
    expected.backward()
    assert_close(step(t=labels), expected.detach(), rtol=1e-6, atol=0)
    assert_close(w.top, logits - 0.5 * leaf.grad, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", KINDS, ids=str)
def test_logsumexp_of_integers(dtype):
    a = TRUTH.to(dtype) * (1 if dtype is torch.bool else torch.iinfo(dtype).max // 2 + 1)
    expected = a.float().logsumexp(0)
    assert_equal_in_all_forms(lambda a: ops.logsumexp(a, 0), expected, a=a)


@pytest.mark.filterwarnings("ignore:backend=")
def test_bytes_of_two_kinds_are_compared_as_numbers():
    a = torch.tensor([1, 200, 3], dtype=torch.uint8)
    signed = a.to(torch.int8)
    assert_equal_in_all_forms(lambda a: a.to(torch.int8) < a, signed < a, a=a)
    assert_equal_in_all_forms(lambda a: ops.eq(a.to(torch.int8), a), signed.eq(a), a=a)


PAIRS = [
    (torch.uint8, torch.int8),
    (torch.bool, torch.float32),
    (torch.int32, torch.int64),
    (torch.int64, torch.float64),
    (torch.bool, torch.int64),
]


@pytest.mark.filterwarnings("ignore:backend=")
@pytest.mark.parametrize("kinds", PAIRS, ids=str)
@pytest.mark.parametrize("name", ["cat", "stack"])
def test_two_dtypes_are_joined_in_the_one_of_torch(name, kinds):
    a, b = (TRUTH.int() - place for place in range(2))
    a, b = a.to(kinds[0]), b.to(kinds[1])
    for one, other in ((a, b), (b, a)):
        expected = getattr(torch, name)([one, other])
        assert torch.equal(getattr(ops, name)([one, other]), expected)
        assert_equal_in_all_forms(lambda x, y: getattr(ops, name)([x, y]), expected, x=one, y=other)
