"""What programs make of the traits of ops: parts in place of the whole, no lines for views."""

from __future__ import annotations

import pytest
import torch
from closeness import assert_close
from compile.training import randn
from ops.table import CASES
from torch import Tensor

import graphnet as gn
from graphnet import ops
from graphnet.compile.targets.torch import fused_ops
from graphnet.compile.targets.torch.kernel_table import KERNELS
from graphnet.compile.targets.torch.printer import Namespace
from graphnet.graph import Operation
from graphnet.op import Op

HALF = [torch.float16, torch.bfloat16]
# Float32 and float64 may fuse a product and a sum, which rounds once less in each part.
CLOSE = {torch.float32: 1e-6, torch.float64: 1e-14}


def exact(ours, theirs):
    assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


# kernels


def elementwise_kernels():
    """An op of each elementwise class that has a kernel, and inputs for it."""
    shown = {type(case.op): case for case in CASES if all(s == (3, 4) for s in case.inputs)}
    for kind in KERNELS:
        if kind.elementwise:
            if kind in shown:
                yield shown[kind].op, [_positive(each) for each in shown[kind].tensors()]
            elif kind in (*fused_ops.FUSED, fused_ops.Copy):
                yield kind(), [0.3 if n == "a" else randn(3, 4, seed=len(n)) for n in kind.inputs]


def _positive(given):
    return given.abs() + 0.1 if given.dtype.is_floating_point else given


def run(op, arguments, out):
    """The kernel of an op, written into `out`."""
    kernel, names = KERNELS[type(op)], Namespace()
    words = dict(zip(op.inputs, [f"input_{name}" for name in op.inputs], strict=True))
    if kernel.function is not None:
        names.function(kernel.function)
    line = kernel.out.format(out="out", **words, **{k: repr(v) for k, v in op.options.items()})
    exec(line, names.known | dict(zip(words.values(), arguments, strict=True)) | {"out": out})
    return out


def test_kernels_that_read_first_may_write_over_any_input():
    tried = set()
    for op, arguments in elementwise_kernels():
        expected = op.forward(*arguments)
        alone = run(op, arguments, torch.empty_like(expected))
        assert_close(alone, expected, rtol=1e-14, atol=1e-14)
        for place, given in enumerate(arguments):
            fits = isinstance(given, Tensor) and given.dtype is expected.dtype
            if fits and KERNELS[type(op)].reads_first:
                copies = [each.clone() if isinstance(each, Tensor) else each for each in arguments]
                exact(run(op, copies, copies[place]), alone)
                tried.add(op.name)
    assert {"add", "where", "addcmul", "lerp", "tanh_grad"} <= tried


def test_ops_that_only_a_program_has_are_elementwise_if_they_say_so():
    for op, arguments in elementwise_kernels():
        whole = op.forward(*arguments).flatten()
        rows = [each.flatten() if isinstance(each, Tensor) else each for each in arguments]
        for place, expected in enumerate(whole):
            single = [e[place].view(1) if isinstance(e, Tensor) else e for e in rows]
            assert_close(op.forward(*single)[0], expected, rtol=1e-14, atol=1e-14)


def test_a_mask_is_not_overwritten_before_it_is_read():
    graph = gn.Graph()
    x = graph.input((None,), name="x", dtype=torch.bool)
    y = graph.input((None,), name="y")
    kept = x.masked_fill(y > 0, 1)  # nothing else reads the mask, which has the same dtype
    feed = {"x": torch.tensor([True, False, False]), "y": torch.tensor([-1.0, -1.0, 1.0])}
    assert graph.compile(kept, tune=False)(feed).tolist() == [True, False, True]


# views


def test_views_of_what_stays_need_no_line():
    for case in [each for each in CASES if each.op.view and 0 not in each.inputs[0]]:
        graph = gn.Graph()
        first, *others = case.tensors()
        inputs = [
            graph.input(each.shape, name=f"x{place}", dtype=each.dtype)
            if isinstance(each, Tensor)
            else each
            for place, each in enumerate(others)
        ]
        result = case.op(graph.parameter(first), *inputs) * 2
        feed = {f"x{n}": each for n, each in enumerate(others) if isinstance(each, Tensor)}
        predict = graph.compile(result, tune=False)
        exact(predict(feed), graph.forward(feed, outputs=result))
        assert "rule_of" not in predict.source, case.name


# composites


def predictions(case, dtype):
    """What a program and a walk make of a row, and the program."""
    graph, feed, arguments = gn.Graph(), {}, []
    for place, each in enumerate(case.tensors(dtype)):
        feed[f"x{place}"] = each
        arguments.append(graph.input(each.shape, name=f"x{place}", dtype=each.dtype))
    result = case.op(*arguments)
    predict = graph.compile(result, tune=False)
    return predict(feed), graph.forward(feed, outputs=result).clone(), predict.program


def applied(program):
    return {type(node.op) for node in program if isinstance(node, Operation)}


@pytest.mark.parametrize("dtype", CLOSE)
def test_composite_ops_are_opened(dtype):
    cases = [case for case in CASES if case.op.composite]
    assert {"Gelu", "Elu", "Huber", "SquaredError", "LinearMap"} <= {case.kind for case in cases}
    for case in cases:
        ours, theirs, program = predictions(case, dtype)
        assert type(case.op) not in applied(program), case.name
        assert_close(ours, theirs, rtol=CLOSE[dtype], atol=CLOSE[dtype], equal_nan=True)


@pytest.mark.parametrize("dtype", HALF)
def test_composite_ops_keep_their_roundings_in_half_precision(dtype):
    whole = set()
    for case in [case for case in CASES if case.op.composite]:
        ours, theirs, program = predictions(case, dtype)
        exact(ours, theirs)
        whole |= applied(program) & {type(case.op)}
    # They compute in float32 and round once, so that their parts are not those of the dtype.
    assert {op.__name__ for op in whole} == {"Gelu", "GeluTanh", "Silu", "Softplus", "Mish"}


def test_a_function_and_its_derivative_share_what_both_compute():
    graph = gn.Graph()
    x = graph.input((None, 4), name="x")
    w = graph.parameter(torch.ones(4, 4))
    step = graph.compile(ops.gelu(x @ w).mean(), gn.SGD([w], lr=0.1), tune=False)
    step(x=torch.ones(3, 4))
    assert step.source.count("erf") == 1
    assert "rule_of_gelu" not in step.source


class Cubed(Op):
    """One of a user that consists of products."""

    symbol = "³"
    composite = True

    def forward(self, x):
        return x * x * x

    def grad_x(self, grad, x):
        return 3 * x * x * grad


def test_a_composite_op_of_a_user_is_opened():
    graph = gn.Graph()
    x = graph.input((None,), name="x", dtype=torch.float64)
    predict = graph.compile(Cubed()(x), tune=False)
    feed = {"x": randn(5)}
    exact(predict(feed), feed["x"] ** 2 * feed["x"])
    assert "rule_of" not in predict.source


def test_what_follows_a_convolution_is_written_where_it_has_its_place():
    """The convolution makes a new tensor in a layout that is known, and exp writes one like it."""
    graph = gn.Graph()
    x = graph.input((None, 3, 28, 28), name="x")
    y = ops.mish(ops.conv2d(x, graph.parameter(randn(8, 3, 5, 5, dtype=torch.float32))))
    step = graph.compile(y, tune=False)
    feed = {"x": randn(2, 3, 28, 28, dtype=torch.float32)}
    # Sums of 75 products, in another order.
    assert_close(step(feed), graph.forward(feed, outputs=y), rtol=1e-4, atol=1e-4)
    assert "convolution(" in step.source  # torch's kernel, not a product of matrices
    assert "rule_of" not in step.source
    assert "exp(conv2d_, out=mish_exp)" in step.source
    assert "mish_exp.tanh_()" in step.source
