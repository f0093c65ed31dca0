"""Fusion: find, by their pattern, several operations that torch does in one, and replace them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

from torch import finfo

from graphnet.compile.ir.program import Constant, Number, Program, Source
from graphnet.compile.ir.rewrite import Rewriting
from graphnet.compile.passes.dce import dce
from graphnet.compile.targets.torch.fused_ops import (
    Addcdiv,
    Addcmul,
    AddScaled,
    Dot,
    Lerp,
    LinearThen,
    LogSoftmaxGrad,
    MaxPoolGrad,
    NllMean,
    NllMeanGrad,
    ReluGrad,
    SigmoidGrad,
    TanhGrad,
)
from graphnet.graph import Node, Operation
from graphnet.graph.nodes import Literal
from graphnet.op import Op
from graphnet.ops.activations import Relu, Sigmoid, Tanh
from graphnet.ops.arithmetic import Add, Div, Mul, Neg, Sub
from graphnet.ops.broadcasting import ExpandAs
from graphnet.ops.classification import Pick, Place
from graphnet.ops.comparison import Le, MaskedFill, Ne
from graphnet.ops.functions import Exp
from graphnet.ops.losses import Total
from graphnet.ops.pooling import MaxPlaces, PutPixels
from graphnet.ops.products import Linear
from graphnet.ops.reductions import Mean, Sum

Pattern = Callable[[Rewriting, Op, tuple[Source, ...]], "tuple[Op, tuple[Source, ...]] | None"]
Found = tuple[Op, tuple[Source, ...]] | None


def fuse(program: Program) -> Program:
    """Replace several operations with one, where torch does them in one."""

    def change(copy: Rewriting, node: Operation, sources: tuple[Source, ...]) -> Node | None:
        for pattern in PATTERNS:
            found = pattern(copy, node.op, sources)
            if found is not None:
                op, arguments = found
                return copy.new.use(op, arguments, node.name, node.spec)
        return None

    return dce(Rewriting(program, change).new)


def parts(source: Source, kind: type[Op]) -> tuple[Any, ...] | None:
    """The sources of an operation of this kind; None for anything else."""
    if isinstance(source, Operation) and isinstance(source.op, kind):
        return source.sources
    return None


def is_number(source: Source | None) -> bool:
    """True for a plain number, one given at each step, or one computed from such numbers."""
    if isinstance(source, Operation):
        return source.shape == () and all(map(is_number, source.sources))
    return isinstance(source, Literal | Number)


def _shape(source: Source) -> object:
    return source.shape if isinstance(source, Node) else None


def is_tensor(source: Source) -> bool:
    """True for a node that is more than a number."""
    return isinstance(source, Node) and not is_number(source)


def is_half(node: Node) -> bool:
    """True for float16 and bfloat16."""
    return node.dtype.is_floating_point and node.dtype.itemsize < 4


def scaled(source: Source) -> tuple[Source, Source] | None:
    """The number a and the tensor y, if a source is a y."""
    x, y = parts(source, Mul) or (None, None)
    if is_number(x) and not is_number(y):
        return x, y
    return (y, x) if is_number(y) and not is_number(x) else None


def tanh_grad(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """g (1 - y y)."""
    if isinstance(op, Mul) and (rest := parts(sources[1], Sub)) and _is(rest[0], 1):
        square = parts(rest[1], Mul)
        if square and square[0] is square[1] and is_tensor(square[0]):
            return TanhGrad(), (sources[0], square[0])
    return None


def sigmoid_grad(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """g (y (1 - y))."""
    if isinstance(op, Mul) and (product := parts(sources[1], Mul)):
        rest = parts(product[1], Sub)
        if rest and _is(rest[0], 1) and rest[1] is product[0] and is_tensor(rest[1]):
            return SigmoidGrad(), (sources[0], product[0])
    return None


def relu_grad(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """g, filled with 0 where y <= 0."""
    test = parts(sources[1], Le) if isinstance(op, MaskedFill) and op.value == 0 else None
    if test and _is(test[1], 0) and is_tensor(test[0]):
        return ReluGrad(), (sources[0], test[0])
    return None


def log_softmax_grad(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """g - eʸ Σ g."""
    if isinstance(op, Sub) and op.alpha == 1 and (product := parts(sources[1], Mul)):
        exponential, total = parts(product[0], Exp), parts(product[1], Sum)
        if exponential and total and total[0] is sources[0]:
            dims, keepdim = product[1].op.dims, product[1].op.keepdim
            if len(dims) == 1 and keepdim and _shape(product[0]) == _shape(total[0]):
                return LogSoftmaxGrad(dims[0]), (sources[0], exponential[0])
    return None


def max_pool_grad(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """Pixels put at the positions of the maxima."""
    image = parts(sources[1], MaxPlaces) if isinstance(op, PutPixels) else None
    if image and image[0] is sources[2]:
        options = cast("Operation", sources[1]).op.options
        return MaxPoolGrad(**options), (sources[0], sources[1], sources[2])
    return None


def dot(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """Σ x y over all elements, and its mean."""
    product = parts(sources[0], Mul)
    if not isinstance(op, Sum | Mean) or not product or not copy.is_read_once(sources[0]):
        return None
    x, y = product
    if not isinstance(x, Node) or not isinstance(y, Node) or x.shape != y.shape or is_half(x):
        return None
    count = prod(size or 0 for size in x.shape)
    if len(op.dims) < x.ndim or op.keepdim or not count:
        return None
    if isinstance(op, Sum):
        return Dot(), (x, y)
    return Mul(), (copy.new.use(Dot(), (x, y), "dot"), Literal(1 / count))


def nll_mean(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """Σ -x[label] / the number of labels that count."""
    total = parts(sources[0], Sum)
    negative = parts(total[0], Neg) if total else None
    picked = parts(negative[0], Pick) if negative else None
    labels = _counted_labels(sources[1]) if isinstance(op, Div) else None
    if negative and picked and labels and labels[0] is picked[1] and picked[0].ndim == 2:
        ignored = negative[0].op.ignored
        if _is(labels[1], ignored):
            return NllMean(ignored), picked
    return None


def nll_mean_grad(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """-1 / the number of labels that count, put at the labels."""
    negative = parts(sources[0], Neg) if isinstance(op, Place) else None
    repeated = parts(negative[0], ExpandAs) if negative else None
    share = parts(repeated[0], Div) if repeated else None
    labels = _counted_labels(share[1]) if share else None
    if not share or not labels or not _is_one(share[0]) or labels[0] is not sources[1]:
        return None
    for node in copy.new:
        read = parts(node, NllMean)
        if read == (sources[2], sources[1]):
            return NllMeanGrad(cast("Operation", node).op.options["ignored"]), (node, *read)
    return None


def _counted_labels(source: Source) -> tuple[Any, ...] | None:
    """The labels and the one to ignore, if a source is the number of those that count."""
    total = parts(source, Total)
    return parts(total[0], Ne) if total else None


def linear_then(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """An activation of a linear map that nothing else reads."""
    if isinstance(op, Tanh | Relu | Sigmoid) and (given := parts(sources[0], Linear)):
        x, weight, bias = given
        if x.ndim == 2 and bias.shape == weight.shape[:1] and copy.is_read_once(sources[0]):
            return LinearThen(op.name), given
    return None


def add_scaled(copy: Rewriting, op: Op, sources: tuple[Source, ...]) -> Found:
    """x + a y, x + (a u) v, x + (a u) / v and x + a (y - x), each in the order of its kernel."""
    if not isinstance(op, Add | Sub) or op.alpha != 1:
        return None
    for x, other in (sources, sources[::-1]) if isinstance(op, Add) else (sources,):
        if not isinstance(x, Node) or is_number(x) or not copy.is_read_once(other):
            continue
        found = _scaled_product(copy, other) or _scaled_one(copy, x, other)
        if found is not None:
            fusion, (*read, factor) = found
            factor = _minus(copy, factor) if isinstance(op, Sub) else factor
            return (fusion, (x, *read, factor)) if _fits(factor, x) else None
    return None


def _scaled_product(copy: Rewriting, source: Source) -> Found:
    """(a u) v or (a u) / v, in the same order: u v may be in range where a u is not."""
    for kind, fusion in ((Mul, Addcmul()), (Div, Addcdiv())):
        inner, v = parts(source, kind) or (None, None)
        pair = scaled(inner) if inner is not None and copy.is_read_once(inner) else None
        if pair is not None and is_tensor(cast("Source", v)):
            return fusion, (pair[1], cast("Source", v), pair[0])
    return None


def _scaled_one(copy: Rewriting, x: Node, source: Source) -> Found:
    """a y, or if y is a difference from x, the other side of it."""
    pair = scaled(source)
    if pair is None:
        return None
    factor, y = pair
    way = parts(y, Sub) if copy.is_read_once(y) else None
    if way and way[1] is x and not is_number(way[0]) and _is_small(factor):
        return Lerp(), (way[0], factor)
    return AddScaled(), (y, factor)


def _is_small(factor: Source) -> bool:
    """True for a number below 1/2; torch's kernel uses another formula for larger ones."""
    return isinstance(factor, Literal) and abs(factor.top) < 0.5


def _fits(factor: Source, x: Node) -> bool:
    """True unless a factor is out of the range of the dtype, which kernels refuse."""
    if not isinstance(factor, Literal) or not x.dtype.is_floating_point:
        return True
    return abs(factor.top) <= finfo(x.dtype).max


def _minus(copy: Rewriting, factor: Source) -> Source:
    """A number with the opposite sign."""
    if isinstance(factor, Literal):
        return Literal(-factor.top)
    inner = parts(factor, Neg)
    return inner[0] if inner else copy.new.use(Neg(), (factor,), "minus")


def _is(source: Source, number: float) -> bool:
    return isinstance(source, Literal) and source.top == number


def _is_one(source: Source) -> bool:
    return _is(source, 1) or (
        isinstance(source, Constant) and source.shape == () and bool(source.top == 1)
    )


PATTERNS: tuple[Pattern, ...] = (
    tanh_grad,
    sigmoid_grad,
    relu_grad,
    log_softmax_grad,
    max_pool_grad,
    nll_mean,
    nll_mean_grad,
    dot,
    linear_then,
    add_scaled,
)
