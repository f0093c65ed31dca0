"""Every row of the table: values, derivatives, second derivatives, shapes, edges, and more."""

from __future__ import annotations

import functools
import itertools
import operator

import torch
from closeness import assert_close
from ops.cases import Case, for_each_kind
from ops.table import CASES
from torch import Tensor

import graphnet as gn
from graphnet.check import compare
from graphnet.graph.nodes import Operation
from graphnet.op import Op

every_case = for_each_kind(CASES)

# Both sides run the same or equivalent kernels in float64: only rounding may differ.
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
# Second derivatives sum more terms in another order.
CLOSE_SECOND = {"rtol": 1e-10, "atol": 1e-10}


def build(
    case: Case, tensors: list[object], unknown: bool = False
) -> tuple[gn.Graph, list[gn.Input], Operation]:
    """A graph of one operation, with an input for each tensor."""
    graph = gn.Graph()
    arguments: list[object] = []
    for place, value in enumerate(tensors):
        if isinstance(value, Tensor):
            shape = tuple(None if unknown else size for size in value.shape)
            floating = value.dtype.is_floating_point
            value = graph.input(shape, name=f"x{place}", dtype=value.dtype, requires_grad=floating)
        arguments.append(value)
    operation = case.op(*arguments)
    inputs = [argument for argument in arguments if isinstance(argument, gn.Input)]
    return graph, inputs, operation


def feed(inputs: list[gn.Input], tensors: list[object]) -> dict[gn.Input, Tensor]:
    return dict(zip(inputs, [t for t in tensors if isinstance(t, Tensor)], strict=True))


def leaves(tensors: list[object]) -> list[object]:
    """Copies that torch's autograd follows."""
    return [
        value.detach().clone().requires_grad_(value.dtype.is_floating_point)
        if isinstance(value, Tensor)
        else value
        for value in tensors
    ]


def floating(tensors: list[object]) -> list[Tensor]:
    return [t for t in tensors if isinstance(t, Tensor) and t.dtype.is_floating_point]


def cotangent(top: Tensor) -> Tensor:
    """A gradient to start from, different at each element."""
    return torch.linspace(0.5, 1.5, top.numel(), dtype=top.dtype).reshape(top.shape)


def torch_gradients(case: Case, tensors: list[object]) -> tuple[Tensor, list[Tensor | None]]:
    """The value and the gradients by every floating input, from torch autograd."""
    copies = leaves(tensors)
    with torch.enable_grad():
        top = case.torch(*copies)
    if not top.requires_grad:
        return top, [None] * len(floating(copies))
    grads = torch.autograd.grad(top, floating(copies), cotangent(top), allow_unused=True)
    return top.detach(), list(grads)


def our_gradients(
    case: Case,
    tensors: list[object],
    built: tuple[gn.Graph, list[gn.Input], Operation] | None = None,
) -> tuple[Tensor, list[Tensor | None]]:
    """The value and the gradients by every floating input, from the two walks."""
    graph, inputs, operation = built or build(case, tensors)
    top = graph.forward(feed(inputs, tensors))
    if top.dtype.is_floating_point:
        graph.backward(operation, cotangent(top))
    return top, [node.grad for node in inputs if node.dtype.is_floating_point]


def assert_same(ours: list[Tensor | None], theirs: list[Tensor | None], **close: object) -> None:
    """Equal gradients, where none at all counts as zeros."""
    for our, their in zip(ours, theirs, strict=True):
        if our is None:
            assert their is None or not their.any()
        else:
            expected = torch.zeros_like(our) if their is None else their
            assert_close(our, expected, equal_nan=True, **close)


@every_case
def test_value_and_gradients_are_those_of_torch(case: Case) -> None:
    tensors = case.tensors()
    top, grads = our_gradients(case, tensors)
    expected, expected_grads = torch_gradients(case, tensors)
    assert top.dtype == expected.dtype
    assert_close(top, expected, equal_nan=True, **CLOSE)
    assert_same(grads, expected_grads, **CLOSE)


@every_case
def test_gradients_are_those_of_central_differences(case: Case) -> None:
    tensors = case.tensors()
    top = case.op.forward(*tensors)
    for place, rule in enumerate(case.op.rules_for(len(tensors))):
        value = tensors[place]
        if rule and isinstance(value, Tensor) and value.dtype.is_floating_point:
            error, fault = compare(case.op, place, tensors, top)
            assert not fault, (error, fault)


@every_case
def test_second_derivatives_are_those_of_torch(case: Case) -> None:
    """The gradient of a sum of squared gradients, by the inputs and by the gradient given."""
    tensors = case.tensors()
    copies = leaves(tensors)
    with torch.enable_grad():
        top = case.torch(*copies)
        if not top.requires_grad:
            return  # nothing to differentiate, as the first test has checked
        sources = [*floating(copies), cotangent(top.detach()).requires_grad_()]
        first = torch.autograd.grad(
            top, sources[:-1], sources[-1], create_graph=True, allow_unused=True
        )
        total = torch.stack([(each * each).sum() for each in first if each is not None]).sum()
    expected = [torch.zeros_like(source) for source in sources]
    if total.requires_grad:
        expected = torch.autograd.grad(total, sources, allow_unused=True, materialize_grads=True)

    graph, inputs, operation = build(case, tensors)
    seed = graph.parameter(cotangent(top.detach()))
    nodes = [*(node for node in inputs if node.dtype.is_floating_point), seed]
    squares = [(each * each).sum() for each in graph.gradients(operation, nodes[:-1], grad=seed)]
    ours = graph.gradients(functools.reduce(operator.add, squares), nodes)
    values = graph.forward(feed(inputs, tensors), outputs=ours)
    assert_same(list(values), list(expected), **CLOSE_SECOND)


@every_case
def test_derivatives_in_the_list_hold_for_sizes_unknown_when_built(case: Case) -> None:
    tensors = case.tensors()
    try:
        graph, inputs, operation = build(case, tensors, unknown=True)
    except gn.GraphError:
        return  # the op needs to know its sizes: all but a few do not, as the next test checks
    if not operation.dtype.is_floating_point:
        return
    nodes = [node for node in inputs if node.dtype.is_floating_point]
    ours = graph.gradients((operation * operation).sum(), nodes)
    values = graph.forward(feed(inputs, tensors), outputs=ours)
    copies = leaves(tensors)
    with torch.enable_grad():
        total = case.torch(*copies).square().sum()
    expected = [None] * len(nodes)
    if total.requires_grad:
        expected = torch.autograd.grad(total, floating(copies), allow_unused=True)
    assert_same(list(values), list(expected), **CLOSE)


def test_nearly_all_ops_take_sizes_unknown_when_built() -> None:
    refused = set()
    for case in CASES:
        try:
            build(case, case.tensors(), unknown=True)
        except gn.GraphError:
            refused.add(case.op.name)
    # These change sizes to given ones, or name sizes that must be equal or divisible.
    same = {"reshape", "reshape_as", "expand", "expand_to", "squeeze"}
    assert refused <= same | {"linear_scan", "recurrent_scan"}


@every_case
def test_inferred_shape_is_the_real_one(case: Case) -> None:
    tensors = case.tensors()
    _, _, operation = build(case, tensors)
    top = case.op.forward(*tensors)
    assert operation.shape == tuple(top.shape)
    assert operation.dtype == top.dtype


@every_case
def test_strided_inputs_give_the_same_and_are_untouched(case: Case) -> None:
    tensors = case.tensors()
    strided = [torch.stack([t, t], dim=-1)[..., 0] if isinstance(t, Tensor) else t for t in tensors]
    top, grads = our_gradients(case, tensors)
    strided_top, strided_grads = our_gradients(case, strided)
    # Another memory order may sum in another order.
    assert_close(strided_top, top, equal_nan=True, **CLOSE)
    assert_same(strided_grads, grads, **CLOSE)
    for given in (tensors, strided):
        for now, then in zip(given, case.tensors(), strict=True):
            assert torch.equal(now, then) if isinstance(now, Tensor) else now == then


@every_case
def test_float32_stays_float32(case: Case) -> None:
    top, grads = our_gradients(case, case.tensors(torch.float32))
    expected, _ = torch_gradients(case, case.tensors(torch.float32))
    assert top.dtype == expected.dtype
    assert all(grad is None or grad.dtype == torch.float32 for grad in grads)


@every_case
def test_edge_values_are_those_of_torch(case: Case) -> None:
    """Zeros, ties, large numbers, infinity and NaN: the same value and gradient as torch's."""
    count, built = len(floating(case.tensors())), build(case, case.tensors())
    for values in itertools.product(case.edges, repeat=min(count, 2)):
        tensors = case.tensors()
        remaining = iter([*values, *values])
        for tensor in floating(tensors):
            tensor.fill_(next(remaining))
        top, grads = our_gradients(case, tensors, built)
        expected, expected_grads = torch_gradients(case, tensors)
        assert_close(top, expected, equal_nan=True, **CLOSE)
        if case.edge_gradients:
            assert_same(grads, expected_grads, **CLOSE)


def test_symbols_are_short_texts() -> None:
    assert [case.name for case in CASES if not 0 < len(case.op.symbol) <= 18] == []


def op_classes(base):
    """The classes below a base that are ops, and not only what several of them share."""
    for cls in base.__subclasses__():
        yield from [cls] if hasattr(cls, "forward") else op_classes(cls)


def test_every_op_has_a_row() -> None:
    in_package = {cls for cls in op_classes(Op) if cls.__module__.startswith("graphnet.ops")}
    assert len(in_package) > 100
    missing = {cls.__name__ for cls in in_package - {type(case.op) for case in CASES}}
    assert not missing
