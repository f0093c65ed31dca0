"""A row of the test table: one operation in one situation. The rows are in the files `rows_*`.

A row names the op, the function of torch that it must agree with, and the shapes of its inputs.
Everything else is derived from it: see `test_cases.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from graphnet.op import Op


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
    def kind(self) -> str:
        """The class of the op: the rows of one class are tested together."""
        return type(self.op).__name__

    @property
    def name(self) -> str:
        """For the test report."""
        return f"{self.op!r}-{'-'.join(map(str, self.inputs))}".replace(" ", "")


def for_each_kind(cases: list[Case]) -> Callable[[Callable[[Case], None]], Any]:
    """Turn the test of a row into one test for each class of ops; a failure names the row."""
    rows: dict[str, list[Case]] = {}
    for each in cases:
        rows.setdefault(each.kind, []).append(each)

    def decorated(test: Callable[[Case], None]) -> Any:
        def of_all_rows(kind: str) -> None:
            for case in rows[kind]:
                try:
                    test(case)
                except Exception as error:
                    error.add_note(f"in the row {case.name}")
                    raise

        of_all_rows.__name__, of_all_rows.__doc__ = test.__name__, test.__doc__
        return pytest.mark.parametrize("kind", rows)(of_all_rows)

    return decorated


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
