"""Two ways to the same values and gradients, node by node, as a table."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, NamedTuple

from graphnet.console_text import shown, text_table
from graphnet.errors import shape_text
from graphnet.notebook import framed, html_paragraphs, html_table

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Graph, Node

_TOLERANCES = {"torch.float64": 1e-9, "torch.float32": 1e-4}
_COARSE = 2e-2  # for 16-bit numbers
_SHARE = 0.01
"""A gradient may err as if it were this share of the largest: a sum of zero keeps its rounding."""

Pair = tuple["Tensor", "Tensor | None"]
"""The value and the gradient of a node."""


class Difference(NamedTuple):
    """How far two ways differ at one node.

    Attributes:
        place: in the list.
        name: of the node.
        kind: "input", "parameter" or "operation".
        shape: of the value.
        dtype: of the value, as text.
        value_size: the largest finite element of the value, without its sign.
        value: the largest difference of the values.
        grad_size: the largest finite element of the gradient; NaN if there is no gradient.
        grad: the largest difference of the gradients; NaN if there is no gradient, or a NaN.
        is_finite: False if the other way's value or gradient holds infinities or NaN.
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
    is_finite: bool = True

    @classmethod
    def between(cls, graph: Graph, node: Node, ours: Pair, theirs: Pair) -> Difference:
        """The difference between the walk's result for a node and the other way's."""
        (top, grad), (other_top, other_grad) = ours, theirs
        size = distance = nan
        if grad is None and other_grad is not None and node.requires_grad:
            grad = other_grad.new_zeros(other_grad.shape)
        if grad is not None and other_grad is not None:
            size, distance = _size(other_grad), _distance(grad, other_grad)
        place, name = graph.index(node), graph.name_of(node)
        shape, dtype = shape_text(tuple(top.shape)), str(top.dtype)
        values = _size(other_top), _distance(top, other_top)
        finite = all(bool(each.isfinite().all()) for each in theirs if each is not None)
        return cls(place, name, node.kind, shape, dtype, *values, size, distance, finite)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        numbers = (self.value_size, self.value, self.grad_size, self.grad)
        texts = [f"{number:.3g}" for number in numbers]
        if isnan(self.grad_size):
            texts[2:] = "", ""
        return (str(self.place), self.name, self.kind, self.shape, *texts)

    @property
    def tolerance(self) -> float:
        """How far the ways may differ in this dtype, relative to the size."""
        return _TOLERANCES.get(self.dtype, _COARSE)

    @property
    def value_agrees(self) -> bool:
        """True if the values differ only by rounding."""
        return self.value == 0 or self.value <= self.tolerance * self.value_size

    def agrees(self, largest: float) -> bool:
        """True if they differ only by rounding; `largest` is the largest of all gradients."""
        size = max(self.grad_size, _SHARE * largest)
        near = self.grad == 0 or self.grad <= self.tolerance * size
        return self.value_agrees and (near or isnan(self.grad_size))


_RIGHT = (0, 4, 5, 6, 7)
"""The columns of numbers."""


class TorchComparison:
    """The walk and torch's autograd on the same graph; true if they differ only by rounding.

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
        """The nodes that differ by more than rounding."""
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
            endless = sum(not row.is_finite for row in self.rows)
            more = f" {endless} of them hold infinities or NaN." if endless else ""
            return f"{text}All {len(self.rows)} nodes agree.{more}"
        return f"{text}{len(self.wrong)} of {len(self.rows)} nodes differ. {self._origin()}"

    def _origin(self) -> str:
        """Where the two ways diverge, in words: values in walk order, gradients in reverse."""
        for row in self.wrong:
            if not row.value_agrees:
                return f"The values diverge at {row.place} {row.name!r}."
        last = self.wrong[-1]
        return (
            f"In reverse, the gradients diverge at {last.place} {last.name!r}: check the rules of "
            "the nodes that read it."
        )

    def _table(self) -> list[tuple[str, ...]]:
        header = ("#", "node", "kind", "shape", "|value|", "difference", "|gradient|", "difference")
        return [header, *(row.cells for row in self.rows)]

    def __str__(self) -> str:
        return f"{text_table(self._table(), right=_RIGHT)}\n{shown(self.verdict)}"

    def __repr__(self) -> str:
        return f"<TorchComparison of {len(self.rows)} nodes: {len(self.wrong)} differ>"

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        return framed(html_table(self._table(), right=_RIGHT), html_paragraphs(self.verdict))


def _size(tensor: Tensor) -> float:
    """The largest finite element without its sign; 0 if there is none."""
    tensor = tensor.detach()
    return _largest(tensor[tensor.isfinite()])


def _largest(tensor: Tensor) -> float:
    return float(tensor.double().abs().max()) if tensor.numel() else 0.0


def _distance(left: Tensor, right: Tensor) -> float:
    """The largest difference; equal infinities, or NaN on both sides, are no difference."""
    left, right = left.detach().double(), right.detach().double()
    same = left.eq(right).logical_or(left.isnan().logical_and(right.isnan()))
    return _largest((left - right).masked_fill(same, 0))
