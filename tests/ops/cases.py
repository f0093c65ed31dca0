"""The test table: one row for each operation and situation.

A row names the op, the function of torch that it must agree with, and the shapes of its inputs.
Everything else is derived from it: see `test_cases.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graphnet.op import Op
from graphnet.ops import (
    activations,
    arithmetic,
    broadcasting,
    comparison,
    functions,
    losses,
    powers,
    products,
    reductions,
    shapes,
)


@dataclass(frozen=True)
class Case:
    """One op in one situation.

    Attributes:
        op: the rule that is tested.
        torch: what torch computes for the same tensors.
        inputs: the shape of each input; a number stands for a literal argument.
        low, high: the range of the random values.
        edges: values that every input takes in all combinations; both sides must agree there.
        kinds: a dtype for each input that is not floating.
        smooth: False where the second derivative does not exist or is not comparable.
        edge_gradients: False where torch's gradient at the edges is an accident of its kernel.
    """

    op: Op
    torch: Callable[..., Any]
    inputs: tuple[Any, ...]
    low: float = -2.0
    high: float = 2.0
    edges: tuple[float, ...] = (0.0, 1.0, -1.0, 0.5, 1e3, -1e3, float("inf"), float("nan"))
    kinds: dict[int, torch.dtype] = field(default_factory=dict)
    edge_gradients: bool = True

    def tensors(self, dtype: torch.dtype = torch.float64, seed: int = 0) -> list[Any]:
        """Random inputs, the same at every call."""
        generator = torch.Generator().manual_seed(seed)
        return [self._random(place, generator, dtype) for place in range(len(self.inputs))]

    def _random(self, place: int, generator: torch.Generator, dtype: torch.dtype) -> Any:
        shape = self.inputs[place]
        if not isinstance(shape, tuple):
            return shape
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
        values = self.low + (self.high - self.low) * uniform
        kind = self.kinds.get(place, dtype)
        return values > 0 if kind is torch.bool else values.to(kind)

    @property
    def name(self) -> str:
        """For the test report."""
        return f"{self.op!r}-{'-'.join(map(str, self.inputs))}".replace(" ", "")


def binary(op: Op, function: Callable[..., Tensor], **settings: Any) -> list[Case]:
    """An op of two inputs that broadcasts, in the situations that broadcasting has."""
    situations = [
        ((3, 4), (3, 4)),
        ((3, 4), (4,)),
        ((1, 4), (3, 1)),
        ((), (2, 3)),
        ((2, 1, 3), (4, 1)),
        ((0, 4), (4,)),
        ((3, 4), 1.5),
        (0.5, (3, 4)),
    ]
    return [Case(op, function, inputs, **settings) for inputs in situations]


def unary(op: Op, function: Callable[..., Tensor], **settings: Any) -> list[Case]:
    """An op of one input of any shape."""
    return [Case(op, function, (shape,), **settings) for shape in ((3, 4), (), (0, 2), (2, 1, 3))]


def comparing(op: Op, function: Callable[..., Tensor]) -> list[Case]:
    """A comparison, with values that are often equal; a tensor stands on its left."""
    situations = [((3, 4), (3, 4)), ((1, 4), (3, 1)), ((0, 4), (4,)), ((3, 4), 1.0)]
    return [Case(op, function, inputs) for inputs in situations]


# The gradient exactly at a bound changed between versions of torch: tested in test_kinks.py.
BESIDE_BOUNDS = (0.0, 0.25, -2.0, 2.0, 1e3, -1e3, float("inf"), float("nan"))

CASES: list[Case] = [
    *binary(arithmetic.Add(), torch.add),
    *binary(arithmetic.Sub(), lambda x, y: x - y),
    *binary(arithmetic.Mul(), torch.mul),
    *binary(arithmetic.Div(), lambda x, y: x / y, low=0.5),
    *unary(arithmetic.Neg(), torch.neg),
    *[
        case
        for exponent in (2, 3, 0, 1, -1, 0.5, -0.5, 2.0)
        for case in unary(powers.PowScalar(exponent), lambda x, p=exponent: x**p, low=0.5)
    ],
    *[
        Case(powers.Pow(), torch.pow, shapes, low=0.5)
        for shapes in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 2), (2,)))
    ],
    *[
        case
        for base in (2.0, 0.5, 1, 0, 0.0)
        for case in unary(
            powers.Exponential(base), lambda y, b=base: b**y, low=0.1 if base == 0 else -2.0
        )
    ],
    *unary(arithmetic.Abs(), torch.abs),
    *unary(arithmetic.Sign(), torch.sign),
    *[
        Case(arithmetic.Maximum(), torch.maximum, shapes)
        for shapes in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 2), (2,)))
    ],
    *unary(arithmetic.Clamp(-1.0, 0.5), lambda x: x.clamp(-1.0, 0.5), edges=BESIDE_BOUNDS),
    *unary(arithmetic.Clamp(None, 1.0), lambda x: x.clamp(max=1.0), edges=BESIDE_BOUNDS),
    *unary(arithmetic.Clamp(-1, None), lambda x: x.clamp(min=-1), edges=BESIDE_BOUNDS),
    *unary(functions.Exp(), torch.exp),
    *unary(functions.Log(), torch.log, low=0.1),
    *unary(functions.Log1p(), torch.log1p, low=-0.9),
    *unary(functions.Sqrt(), torch.sqrt, low=0.1),
    *unary(activations.Identity(), lambda x: x * 1),
    *unary(activations.Tanh(), torch.tanh),
    *unary(activations.Sigmoid(), torch.sigmoid),
    *unary(activations.Relu(), torch.relu),
    *comparing(comparison.Eq(), torch.eq),
    *comparing(comparison.Ne(), torch.ne),
    *comparing(comparison.Gt(), torch.gt),
    *comparing(comparison.Ge(), torch.ge),
    *comparing(comparison.Lt(), torch.lt),
    *comparing(comparison.Le(), torch.le),
    Case(
        comparison.LogicalAnd(),
        torch.logical_and,
        ((3, 4), (4,)),
        kinds={0: torch.bool, 1: torch.bool},
    ),
    *[
        Case(comparison.Where(), torch.where, shapes, kinds={0: torch.bool})
        for shapes in (
            ((3, 4), (3, 4), (3, 4)),
            ((3, 1), (4,), ()),
            ((0, 2), (2,), (1,)),
            ((3, 4), (3, 4), 0.5),
        )
    ],
    *[
        Case(
            comparison.MaskedFill(2.0),
            lambda x, mask: x.masked_fill(mask, 2.0),
            shapes,
            kinds={1: torch.bool},
        )
        for shapes in (((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (4,)), ((0, 2), (2,)))
    ],
    *[
        Case(products.Matmul(), torch.matmul, shapes)
        for shapes in (((3, 4), (4, 5)), ((0, 4), (4, 5)), ((3, 0), (0, 5)), ((1, 1), (1, 1)))
    ],
    *[
        Case(products.Matmul(), torch.matmul, shapes)
        for shapes in (
            ((2, 3, 4), (2, 4, 5)),
            ((2, 3, 4), (4, 5)),
            ((3, 4), (2, 4, 5)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((0, 3, 4), (4, 5)),
        )
    ],
    *[
        Case(products.Matvec(), torch.matmul, shapes)
        for shapes in (((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4,)), ((0, 4), (4,)))
    ],
    *[
        Case(products.Vecmat(), torch.matmul, shapes)
        for shapes in (((3,), (3, 4)), ((3,), (2, 3, 4)), ((0,), (0, 4)))
    ],
    *[
        Case(products.Linear(), torch.nn.functional.linear, shapes)
        for shapes in (
            ((3, 4), (5, 4), (5,)),
            ((1, 4), (5, 4), (5,)),
            ((0, 4), (5, 4), (5,)),
            ((3, 1), (1, 1), (1,)),
        )
    ],
    *[
        Case(reductions.Sum(dims, keepdim), lambda x, d=dims, k=keepdim: x.sum(d, k), (shape,))
        for shape, dims in (
            ((3, 4), (0, 1)),
            ((3, 4), (1,)),
            ((2, 3, 4), (0, 2)),
            ((2, 3, 4), (1,)),
            ((0, 2), (0,)),
            ((0, 2), (1,)),
        )
        for keepdim in (False, True)
    ],
    Case(reductions.Sum(()), torch.sum, ((),)),
    *[
        Case(reductions.Mean(dims, keepdim), lambda x, d=dims, k=keepdim: x.mean(d, k), (shape,))
        for shape, dims in (
            ((3, 4), (0, 1)),
            ((3, 4), (1,)),
            ((2, 3, 4), (0, 2)),
            ((0, 2), (0,)),
            ((0, 2), (1,)),
        )
        for keepdim in (False, True)
    ],
    Case(reductions.Mean((0, 1), of_batch=True), torch.mean, ((3, 4),)),
    Case(reductions.Mean(()), torch.mean, ((),)),
    *[
        Case(shapes.Reshape(new), lambda x, s=new: x.reshape(s), (old,))
        for old, new in (((3, 4), (4, 3)), ((3, 4), (2, -1)), ((), (1, 1)), ((0, 2), (2, 0)))
    ],
    Case(shapes.ReshapeAs(), lambda x, y: x.reshape_as(y), ((3, 4), (2, 6))),
    Case(shapes.Transpose(0, 2), lambda x: x.transpose(0, 2), ((2, 3, 4),)),
    Case(shapes.Transpose(1, 1), lambda x: x.transpose(1, 1), ((2, 3),)),
    Case(shapes.Permute((2, 0, 1)), lambda x: x.permute(2, 0, 1), ((2, 3, 4),)),
    Case(shapes.Permute((-1, 0)), lambda x: x.permute(-1, 0), ((0, 3),)),
    Case(shapes.Unsqueeze(1), lambda x: x.unsqueeze(1), ((2, 3),)),
    Case(shapes.Unsqueeze(0), lambda x: x.unsqueeze(0), ((),)),
    Case(shapes.Squeeze(1), lambda x: x.squeeze(1), ((2, 1, 3),)),
    *[
        Case(broadcasting.Expand(new), lambda x, s=new: x.expand(s), (old,))
        for old, new in (((3, 1), (3, 4)), ((3, 1), (2, -1, 4)), ((), (2, 3)), ((1, 2), (0, 2)))
    ],
    *[
        Case(broadcasting.ExpandAs(), lambda x, y: x.expand_as(y), shapes)
        for shapes in (((3, 1), (3, 4)), ((4,), (2, 3, 4)), ((), (2,)), ((1, 2), (0, 2)))
    ],
    *[
        Case(broadcasting.SumAs(), lambda x, y: x.sum_to_size(y.shape), shapes)
        for shapes in (((3, 4), (3, 1)), ((2, 3, 4), (4,)), ((2,), ()), ((3, 4), (3, 4)))
    ],
    Case(broadcasting.Size(1), lambda x: torch.tensor(x.shape[1]), ((2, 3),)),
    *unary(broadcasting.ZerosLike(), torch.zeros_like),
    *unary(broadcasting.OnesLike(), torch.ones_like),
    *[
        Case(
            losses.SquaredError(),
            lambda x, t: torch.nn.functional.mse_loss(x, t, reduction="none"),
            (shape, shape),
        )
        for shape in ((3, 4), (), (0, 2))
    ],
    *[
        Case(
            losses.BinaryCrossEntropy(),
            lambda x, t: torch.nn.functional.binary_cross_entropy(x, t, reduction="none"),
            (shape, shape),
            low=0.05,
            high=0.95,
            edges=(0.0, 1.0, 0.5, 1e-30),
        )
        for shape in ((3, 4), (), (0, 2))
    ],
]
