"""The numbers of small tensors in the page of a walk, and how each of them was computed.

A product is written out with its numbers: 0.5·0.2 + 1·-0.3 + 0.1 = -0.1. So are its two gradients,
which are products too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.nodes import Literal

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.stepping.walk import Event

MOST_NUMBERS = 32
"""The most numbers of a tensor that are shown one by one."""

_LONGEST_ROW = 5  # of a vector
_MOST_TERMS = 6  # of a written sum; of more, the first and the last
_PRODUCTS = ("linear", "linear_map", "matmul")


@dataclass
class Grid:
    """The numbers of one tensor.

    Attributes:
        label: which tensor: "value", "gradient".
        since: the first step after which it is known; that of a parameter always is.
        rows: its numbers as texts; all dimensions before the last are one, a long vector is several
            rows.
        told: how each number was computed, row by row; empty if it cannot be said in one line.
    """

    label: str
    since: int
    rows: list[list[str]]
    told: list[str] = field(default_factory=list)


def grid_of(label: str, since: int, tensor: Tensor | None, told: Iterable[str] = ()) -> list[Grid]:
    """The grid of a tensor; none if it has too many numbers, or none.

    >>> from torch import tensor
    >>> (grid,) = grid_of("value", 0, tensor([[1.0, -2.0], [0.5, 0.0]]))
    >>> grid.rows
    [['1', '-2'], ['0.5', '0']]
    """
    if tensor is None or not 0 < tensor.numel() <= MOST_NUMBERS:
        return []
    numbers = tensor.detach().double().cpu()
    rows = [[short(each) for each in row] for row in _rows(numbers)]
    return [Grid(label, since, rows, list(told))]


def _rows(numbers: Tensor) -> list[list[float]]:
    """The numbers in rows of the last dimension; those of a long vector in several rows."""
    if numbers.ndim < 2:
        flat: list[float] = numbers.flatten().tolist()
        return [flat[at : at + _LONGEST_ROW] for at in range(0, len(flat), _LONGEST_ROW)]
    rows: list[list[float]] = numbers.reshape(-1, numbers.shape[-1]).tolist()
    return rows


def short(number: float) -> str:
    """A number with three digits.

    >>> short(0.12345), short(-2.0), short(float("nan"))
    ('0.123', '-2', 'nan')
    """
    return f"{number:.3g}"


def told_forward(node: Node) -> list[str]:
    """How each number of a node's value was computed; nothing if no line can say it."""
    if not isinstance(node, Operation) or not 0 < node.top.numel() <= MOST_NUMBERS:
        return []
    factors = _factors(node)
    if factors is not None:
        left, right, bias = factors
        return _sums(left, right, bias)
    known = all(isinstance(each, Node | Literal) for each in node.sources)
    return _elementwise(node) if node.op.elementwise and known else []


def told_backward(node: Node, received: Sequence[tuple[Operation, Tensor]]) -> list[str]:
    """How each number of a node's gradient was computed, if one product has sent it.

    Args:
        node: what the gradient is of.
        received: what each use has sent: the operation, and the tensor.
    """
    if len(received) != 1:
        return []
    operation, sent = received[0]
    factors = _factors(operation)
    if factors is None or operation.grad is None or not 0 < sent.numel() <= MOST_NUMBERS:
        return []
    left, right, _ = factors
    grad = _matrix(operation.grad)
    place = [source is node for source in operation.sources].index(True)
    if place == 0:
        return _sums(grad, right.mT)
    if place == 2:
        return [_equation(column, total) for column, total in _columns(grad)]
    transposed = operation.op.name != "matmul"  # the weight of a layer is (out, in)
    return _sums(grad.mT, left) if transposed else _sums(left.mT, grad)


def _factors(node: Operation) -> tuple[Tensor, Tensor, Tensor | None] | None:
    """The matrices that an operation multiplies, and what it adds; None for other operations."""
    if node.op.name not in _PRODUCTS or not all(each.computed for each in node.inputs):
        return None
    x, weight, *bias = (source.top.detach().double().cpu() for source in node.inputs)
    if x.ndim < 1 or weight.ndim != 2 or (node.op.name == "matmul" and x.ndim != 2):
        return None
    return _matrix(x), weight if node.op.name == "matmul" else weight.mT, bias[0] if bias else None


def _matrix(tensor: Tensor) -> Tensor:
    numbers = tensor.detach().double().cpu()
    return numbers.reshape(-1, numbers.shape[-1])


def _sums(left: Tensor, right: Tensor, bias: Tensor | None = None) -> list[str]:
    """For each element of a product of matrices, its sum of products."""
    found = []
    columns = right.mT.tolist()
    for row in left.tolist():
        for place, column in enumerate(columns):
            pairs = list(zip(row, column, strict=True))
            total = sum(one * other for one, other in pairs)
            terms = [f"{short(one)}·{_signed(other)}" for one, other in pairs]
            added = [] if bias is None else [float(bias[place])]
            found.append(_equation(terms, total + sum(added), map(short, added)))
    return found


def _columns(matrix: Tensor) -> list[tuple[list[str], float]]:
    return [(list(map(_signed, column)), sum(column)) for column in matrix.mT.tolist()]


def _equation(terms: Sequence[str], total: float, added: Iterable[str] = ()) -> str:
    """A sum; of very many terms, the first and the last."""
    shown = list(terms)
    if len(shown) > _MOST_TERMS:
        shown[_MOST_TERMS - 1 : -1] = [f"… ({len(terms)} terms)"]
    return f"{' + '.join([*shown, *map(_bracketed, added)])} = {short(total)}"


def _elementwise(node: Operation) -> list[str]:
    """tanh(0.5) = 0.462, or 0.5 + 1 = 1.5, for each element."""
    tops = [_each(source.top, node) for source in node.sources]
    results = node.top.flatten().tolist()
    return [
        f"{_applied(node, args)} = {short(result)}"
        for *args, result in zip(*tops, results, strict=True)
    ]


def _each(value: Any, node: Node) -> list[float]:
    """The numbers that meet those of a node: a tensor is broadcast, a number is repeated."""
    if isinstance(value, int | float):
        return [value] * node.top.numel()
    numbers: list[float] = value.expand_as(node.top).flatten().tolist()
    return numbers


def _applied(node: Operation, args: Sequence[float]) -> str:
    if node.op.infix and len(args) == 2:
        sign = "·" if node.op.infix == "⊙" else f" {node.op.infix} "
        return f"{short(args[0])}{sign}{_signed(args[1])}"
    return f"{node.op.name}({', '.join(map(short, args))})"


def _signed(number: float) -> str:
    """A number as the second in a product or sum: a negative one in brackets."""
    return _bracketed(short(number))


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def numbers_of(events: Sequence[Event], steps: Sequence[int]) -> dict[Node, list[Grid]]:
    """The small tensors of a walk, by node: its value, and its gradient.

    Args:
        events: what happened.
        steps: for each event, the number of its picture.
    """
    leaves = {event.node for event in events if isinstance(event.node, Parameter)}
    found: dict[Node, list[Grid]] = {node: grid_of("value", 0, node.top) for node in leaves}
    sent: dict[Node, list[tuple[Operation, Tensor]]] = {}
    for event, step in zip(events, steps, strict=True):
        node = event.node
        if event.phase == "forward":
            grids = grid_of("value", step, event.value, told_forward(node))
        else:
            told = told_backward(node, sent.get(node, ()))
            grids = grid_of("gradient", step, event.value, told)
            if isinstance(node, Operation):
                for other, grad in event.contributions:
                    sent.setdefault(other, []).append((node, grad))
        found.setdefault(node, []).extend(grids)
    return found
