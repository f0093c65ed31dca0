"""Two ways to the same values and gradients, node by node, as a table."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, NamedTuple

from graphnet.errors import shape_text
from graphnet.table import text_table

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Graph, Node

_TOLERANCES = {"torch.float64": 1e-9, "torch.float32": 1e-4}
_COARSE = 2e-2  # for numbers of 16 bits
_SHARE = 0.01
"""A gradient may err as if it were this share of the largest: a sum of zero keeps its rounding."""

Pair = tuple["Tensor", "Tensor | None"]
"""The value and the gradient of a node."""


class Difference(NamedTuple):
    """How far two ways lie apart at one node.

    Attributes:
        place: in the list.
        name: of the node.
        kind: "input", "parameter" or "operation".
        shape: of the value.
        dtype: of the value, as text.
        value_size: the largest element of the value, without its sign.
        value: the largest difference of the values.
        grad_size: the largest element of the gradient; NaN where there is none.
        grad: the largest difference of the gradients; NaN where there is none.
    """

    place: int
    name: str
    kind: str
    shape: str
    dtype: str
    value_size: float
    value: float
    grad_size: float
    grad: float

    @classmethod
    def between(cls, graph: Graph, node: Node, ours: Pair, theirs: Pair) -> Difference:
        """The difference between what the walk has for a node and what the other way has."""
        (top, grad), (other_top, other_grad) = ours, theirs
        size = apart = nan
        if grad is None and other_grad is not None and node.requires_grad:
            grad = other_grad.new_zeros(other_grad.shape)
        if grad is not None and other_grad is not None:
            size, apart = _largest(other_grad), _apart(grad, other_grad)
        return cls(
            graph.index(node),
            graph.name_of(node),
            node.kind,
            shape_text(tuple(top.shape)),
            str(top.dtype),
            _largest(other_top),
            _apart(top, other_top),
            size,
            apart,
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        numbers = (self.value_size, self.value, self.grad_size, self.grad)
        return (str(self.place), self.name, self.kind, self.shape, *map(_text, numbers))

    @property
    def tolerance(self) -> float:
        """How far the ways may lie apart in this number type, relative to the size."""
        return _TOLERANCES.get(self.dtype, _COARSE)

    def agrees(self, largest: float) -> bool:
        """True if only rounding differs, where `largest` is the largest of all gradients."""
        least = _SHARE * largest
        return all(
            apart == 0 or isnan(size) or apart <= self.tolerance * max(size, floor)
            for apart, size, floor in (
                (self.value, self.value_size, 0.0),
                (self.grad, self.grad_size, least),
            )
        )


class TorchComparison:
    """The walk and torch's autograd on the same graph; true if only rounding differs.

    Attributes:
        rows: the largest differences at each node, in walk order.
        walk_seconds: of a forward and a backward walk.
        torch_seconds: of the same by torch's autograd.
    """

    def __init__(self, rows: list[Difference], walk_seconds: float, torch_seconds: float) -> None:
        self.rows = rows
        self.walk_seconds, self.torch_seconds = walk_seconds, torch_seconds

    @property
    def wrong(self) -> list[Difference]:
        """The nodes at which more than rounding differs."""
        largest = max((row.grad_size for row in self.rows if row.grad_size >= 0), default=0.0)
        return [row for row in self.rows if not row.agrees(largest)]

    def __bool__(self) -> bool:
        return not self.wrong

    @property
    def verdict(self) -> str:
        """Both times, and whether both ways agree, in words."""
        ratio = self.walk_seconds / self.torch_seconds
        text = (
            f"walk {1e3 * self.walk_seconds:.3g} ms, torch's autograd "
            f"{1e3 * self.torch_seconds:.3g} ms: {ratio:.2f} of its time.\n"
        )
        if not self.wrong:
            return f"{text}All {len(self.rows)} nodes agree."
        names = ", ".join(f"{row.place} {row.name!r}" for row in self.wrong[:5])
        return f"{text}{len(self.wrong)} of {len(self.rows)} nodes differ: {names}."

    def _table(self) -> list[tuple[str, ...]]:
        header = ("#", "node", "kind", "shape", "|value|", "difference", "|gradient|", "difference")
        return [header, *(row.cells for row in self.rows)]

    def __str__(self) -> str:
        return f"{text_table(self._table(), right=(0, 4, 5, 6, 7))}\n{self.verdict}"

    def __repr__(self) -> str:
        return f"<TorchComparison of {len(self.rows)} nodes: {len(self.wrong)} differ>"

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        from html import escape

        header, *body = self._table()
        lines = ["".join(f"<th>{escape(name)}</th>" for name in header)]
        lines += ["".join(f"<td>{escape(text)}</td>" for text in row) for row in body]
        rows = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>{rows}</table><p>{escape(self.verdict)}</p>"


def _largest(tensor: Tensor) -> float:
    """The largest element without its sign; 0 where there is none."""
    return float(tensor.detach().double().abs().max()) if tensor.numel() else 0.0


def _apart(left: Tensor, right: Tensor) -> float:
    """The largest difference; equal infinities, or NaN on both sides, are no difference."""
    left, right = left.detach().double(), right.detach().double()
    same = left.eq(right).logical_or(left.isnan().logical_and(right.isnan()))
    return _largest((left - right).masked_fill(same, 0))


def _text(number: float) -> str:
    return "" if isnan(number) else f"{number:.3g}"
