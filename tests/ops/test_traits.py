"""The traits of every op are true, and no op lacks one that it has: over the table of all rows."""

from __future__ import annotations

import operator
from math import inf, prod

import pytest
import torch
from closeness import assert_close
from ops.cases import Case
from ops.table import CASES
from torch import Tensor

import graphnet as gn
from graphnet.graph import Operation
from graphnet.op import Op

KINDS = {case.kind: type(case.op) for case in CASES}
ROWS = {kind: [case for case in CASES if case.kind == kind] for kind in KINDS}


def kinds(trait):
    """The names of the ops with a trait."""
    return {kind for kind, op in KINDS.items() if getattr(op, trait)}


def rows(trait):
    """All rows of the ops with a trait; a test that looks at none would show nothing."""
    found = [case for case in CASES if getattr(case.op, trait)]
    assert found
    return found


def tensors_of(arguments):
    return [each for each in arguments if isinstance(each, Tensor)]


def copies(arguments):
    return [each.clone() if isinstance(each, Tensor) else each for each in arguments]


# elementwise


def is_elementwise(case: Case) -> bool:
    """Each element of the output is that of the op on the elements at this place."""
    arguments = case.tensors()
    top = case.op.forward(*arguments)
    given = tensors_of(arguments)
    try:
        wide_shape = torch.broadcast_shapes(*(each.shape for each in given))
    except RuntimeError:
        return False
    if top.shape != wide_shape:
        return False
    wide = [e.expand(top.shape).flatten() if isinstance(e, Tensor) else e for e in arguments]
    for place, expected in enumerate(top.flatten()):
        single = [e[place].view(1) if isinstance(e, Tensor) else e for e in wide]
        # One element is computed by another loop of torch's kernel than a row of them.
        if not torch.allclose(case.op.forward(*single)[0], expected, rtol=1e-13, atol=1e-13):
            return False
    return True


def test_elementwise_ops_give_the_same_for_one_element_as_for_all():
    for case in rows("elementwise"):
        assert is_elementwise(case), case.name


def test_no_other_op_computes_each_element_alone():
    """What moves numbers is left out: an identity is a view."""
    others = [op for op in KINDS.values() if op.pure and not (op.elementwise or op.structural)]
    assert [op for op in others if all(map(is_elementwise, ROWS[op.__name__]))] == []


# views


def shares_memory(case: Case) -> bool:
    arguments = case.tensors()
    top = case.op.forward(*arguments)
    memory = arguments[0].untyped_storage().data_ptr()
    return top.untyped_storage().data_ptr() == memory


def test_views_lie_in_the_memory_of_the_first_input():
    for case in rows("view"):
        assert shares_memory(case), case.name


def test_no_other_op_always_returns_a_view():
    # They write or look at values at each step; or the rows convert to the dtype they have, or are
    # empty, since each draws other numbers.
    exempt = {"Remember", "RememberAcross", "SignLabels", "Convert", "RandLike", "RandnLike"}
    others = KINDS.keys() - kinds("view") - exempt
    assert [kind for kind in others if all(map(shares_memory, ROWS[kind]))] == []


# pure


def test_pure_ops_give_equal_results_twice_and_change_nothing():
    for case in rows("pure"):
        arguments = case.tensors()
        torch.manual_seed(1)
        before = torch.get_rng_state()
        first = case.op.forward(*arguments).clone()
        assert torch.equal(torch.get_rng_state(), before), case.name
        torch.manual_seed(2)
        second = case.op.forward(*arguments)
        assert_close(first, second, rtol=0, atol=0, equal_nan=True)
        assert_close(tensors_of(arguments), tensors_of(case.tensors()), rtol=0, atol=0)


def test_what_draws_or_counts_is_not_pure():
    assert KINDS.keys() - kinds("pure") == {
        *("DropoutMask", "RandLike", "RandnLike"),
        *("Remember", "RememberAcross", "CountUp"),
        *("AllReduce", "CountedAllReduce"),  # they wait for others
    }


def test_only_ops_that_say_so_change_an_input():
    changed = set()
    for case in CASES:
        training = [each is False or each for each in case.tensors()]
        if case.kind == "Several":
            continue  # a check, which fails in training
        arguments = copies(training)
        case.op.forward(*arguments)
        pairs = zip(tensors_of(arguments), tensors_of(training), strict=True)
        if not all(torch.equal(now, then) for now, then in pairs):
            changed.add(case.kind)
    assert changed == kinds("mutates")


# what only moves numbers, and the floating-point operations of the others


def test_structural_ops_compute_no_new_number():
    for case in rows("structural"):
        arguments = case.tensors()
        top = case.op.forward(*arguments).double().flatten()
        numbers = [value for value in case.op.options.values() if isinstance(value, int | float)]
        numbers += [each for each in arguments if not isinstance(each, Tensor)]
        sizes = [size for each in tensors_of(arguments) for size in each.shape]
        filled = torch.tensor([0.0, 1.0, *numbers, *sizes], dtype=torch.float64)
        known = torch.cat([filled, *(each.double().flatten() for each in tensors_of(arguments))])
        assert torch.isin(top, known).all(), case.name


def shapes_of(case: Case, factor: int = 1) -> list[tuple[int, ...]]:
    """The shape of the output, then those of the inputs; each size times a factor."""
    arguments = case.tensors()
    found = [case.op.forward(*arguments), *tensors_of(arguments)]
    return [tuple(factor * size for size in each.shape) for each in found]


def test_floating_point_operations_are_positive_and_grow():
    for case in CASES:
        shapes, double = shapes_of(case), shapes_of(case, 2)
        count = case.op.flops(*shapes)
        places = range(len(tensors_of(case.tensors())))
        back = [case.op.backward_flops(place, *shapes) for place in places]
        if case.op.structural:
            assert count == 0 == sum(back), case.name
        elif all(map(prod, shapes)):
            assert 0 < count < case.op.flops(*double) or not any(shapes), case.name
            assert all(0 < each <= count for each in back), case.name


def test_contractions_count_the_products_that_they_sum():
    """On ones each output is the number of its products, but where a border is filled with 0."""
    counted = set()
    for case in rows("contraction"):
        arguments = [torch.ones_like(each) for each in tensors_of(case.tensors())]
        biased = len(arguments) == 3 and not case.op.arguments[2].endswith("_like")
        if biased:
            arguments[2].zero_()
        top = case.op.forward(*arguments)
        count = case.op.flops(*shapes_of(case)) - biased * top.numel()
        summed = 2 * int(top.sum())
        padded = any(getattr(case.op, "padding", ()))
        assert count >= summed if padded else count == summed, case.name
        if not padded:
            counted.add(case.kind)
    assert counted == kinds("contraction")


# what consists of other ops


def parts(case: Case, dtype: torch.dtype) -> tuple[gn.Graph, list[str]]:
    """The list that `forward` appends for the arguments of a row, and the names of its ops."""
    graph = gn.Graph()
    arguments = [
        graph.parameter(each, requires_grad=False) if isinstance(each, Tensor) else each
        for each in case.tensors(dtype)
    ]
    with graph:
        case.op.forward(*arguments)
    return graph, [type(node.op).__name__ for node in graph if isinstance(node, Operation)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_composite_ops_apply_other_ops_that_give_the_same(dtype):
    for case in rows("composite"):
        graph, names = parts(case, dtype)
        assert names
        assert case.kind not in names
        expected = case.op.forward(*case.tensors(dtype))
        # The same methods of the same tensors: not even the rounding differs.
        assert_close(graph.forward(), expected, rtol=0, atol=0, equal_nan=True)


def test_no_other_op_consists_of_others_but_for_those_with_a_kernel_or_a_view():
    found = set()
    for kind, cases in ROWS.items():
        try:
            names = [parts(case, torch.float64)[1] for case in cases]
        except (AttributeError, TypeError, gn.GraphError):  # it needs what only tensors have
            continue
        if not KINDS[kind].composite and any(names) and not any(kind in each for each in names):
            found.add(kind)
    scans = {"RecurrentScan", "LinearScan"}  # a loop of them, which only native code unrolls
    assert found - kinds("view") - scans == {"Linear", "Conv2dGradWeight"}


# activations and formulas


def test_activations_are_flat_at_their_bounds():
    found = [case for case in CASES if case.op.bounds() and case.inputs[0] == (3, 4)]
    assert {case.kind for case in found} == {"Tanh", "Sigmoid", "Relu", "Clamp"}
    for case in found:
        bounds = case.op.bounds()
        x = torch.linspace(-60, 60, 1001, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            top = case.torch(x)
            (slope,) = torch.autograd.grad(top.sum(), x)
        assert bounds.low <= top.min(), case.name
        assert top.max() <= bounds.high, case.name
        for end, bound in ((0, bounds.low), (-1, bounds.high)):
            if abs(bound) < inf:
                # 60 is far enough for a smooth bound to be reached up to the rounding.
                assert abs(top[end] - bound) <= (0 if bounds.reached else 1e-15), case.name
                assert abs(slope[end]) < 1e-15, case.name
        assert bounds.rectifies == (bounds.reached and bounds.low == 0)


SIGNS = {
    "+": operator.add,
    "−": operator.sub,
    "⊙": operator.mul,
    "·": operator.matmul,
    "/": operator.truediv,
    ">": operator.gt,
    "≥": operator.ge,
    "<": operator.lt,
    "≤": operator.le,
    "=": operator.eq,
    "≠": operator.ne,
    "∧": operator.and_,
    "∨": operator.or_,
}


def test_the_sign_in_a_formula_is_that_of_the_operation():
    for case in rows("infix"):
        if getattr(case.op, "alpha", 1) == 1:
            left, right = case.tensors()
            if case.op.infix in "∧∨" and left.dtype.is_floating_point:
                left, right = left != 0, right != 0
            expected = SIGNS[case.op.infix](left, right)
            assert_close(case.op.forward(left, right), expected, rtol=1e-13, atol=0)


# defaults


def test_traits_agree_with_each_other():
    for op in KINDS.values():
        assert op.structural or not op.view
        assert not (op.structural or op.elementwise) or not op.contraction
        assert not op.pure or not op.mutates


class Own(Op):
    """One of a user, who says nothing."""

    symbol = "own"

    def forward(self, x, y):
        return x + y

    grad_x = grad_y = None


TRAITS = ["elementwise", "view", "composite", "pure", "mutates", "structural", "contraction"]


@pytest.mark.parametrize("trait", [*TRAITS, "infix"])
def test_an_op_of_a_user_has_no_trait_unless_it_says_so(trait):
    assert not getattr(Own, trait)
    assert Own().bounds() is None
    assert Own().flops((2, 3), (2, 3), (3,)) == 6
