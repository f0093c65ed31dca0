"""Every derivative of a graph, compared with central differences.

The check runs in float64, on values of its own: the graph is not changed. Each operation is looked
at alone, so that a wrong rule is named where it stands, and not by a wrong loss far behind it.

Source: the central difference (f(x + h) - f(x - h)) / 2h, whose error falls with h²; see Press et
al., Numerical Recipes (3rd edition, 2007), section 5.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphnet.errors import GraphError
from graphnet.graph import Graph, Input, Node, Operation
from graphnet.graph.complaints import explain_forward
from graphnet.graph.feed import bind
from graphnet.graph.kinds import Literal
from graphnet.graph.passes import ancestors
from graphnet.graph.table import text_table

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.op import Op, Rule

STEP = 1e-6  # near the cube root of float64's precision, where both kinds of error are small
TOLERANCE = 1e-6
KINK = 1e-3  # the relative difference of two slopes from which on there is no derivative
PLACES = 256  # elements of each input that are moved one by one


class CheckRow(NamedTuple):
    """What was found for one input of one operation.

    Attributes:
        index: the place of the operation in the list.
        name: its name.
        input: the name of the input.
        error: the worst difference between rule and central difference, relative to the larger.
        fault: what is wrong in words; empty if nothing is.
    """

    index: int  # type: ignore[assignment]  # a tuple's method of that name is not needed
    name: str
    input: str
    error: float
    fault: str = ""


class CheckReport:
    """What was found for every operation, in walk order; it is true if all is right.

    Attributes:
        rows: one for each input of each operation.
    """

    def __init__(self, rows: list[CheckRow]) -> None:
        self.rows = rows

    @property
    def first_wrong(self) -> CheckRow | None:
        """The first wrong derivative in walk order; None if all are right."""
        return next((row for row in self.rows if row.fault), None)

    def __bool__(self) -> bool:
        return self.first_wrong is None

    def __str__(self) -> str:
        header = ("#", "operation", "by input", "worst error", "verdict")
        body = [
            (str(r.index), r.name, r.input, f"{r.error:.1e}", r.fault or "right") for r in self.rows
        ]
        wrong = self.first_wrong
        verdict = f"All {len(self.rows)} derivatives are right."
        if wrong is not None:
            verdict = (
                f"The first wrong derivative is that of node {wrong.index} {wrong.name!r} "
                f"by {wrong.input!r}: {wrong.fault}."
            )
        return f"{text_table([header, *body], right=(0, 3))}\n{verdict}"


def check_graph(graph: Graph, node: Node, feed: Mapping[Any, Tensor] | None = None) -> CheckReport:
    """Compare the rules of every operation before `node` with central differences.

    Args:
        graph: the graph; it is not changed.
        node: the last node to check, such as the loss.
        feed: tensors for the inputs; where None, those of the last forward walk.

    Raises:
        FeedError: an input has no value.
        ShapeError: the fed sizes do not fit together.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((3,), name="x")
    >>> loss = x.tanh().sum()
    >>> print(graph.check(loss, {"x": empty(3).fill_(0.5)}))
    #  operation  by input  worst error  verdict
    1  tanh       x             0.0e+00  right
    2  sum        tanh          0.0e+00  right
    All 2 derivatives are right.
    """
    graph.index(node)
    walked = ancestors(list(graph), [node])
    values = _leaf_values(graph, walked, feed)
    rows = []
    for operation in walked:
        if isinstance(operation, Operation):
            arguments = [values[s] if isinstance(s, Node) else s.top for s in operation.sources]
            try:
                values[operation] = operation.op.forward(*arguments)
            except Exception as error:
                raise explain_forward(operation, error) from None
            rows.extend(_check_operation(graph, operation, arguments, values[operation]))
    return CheckReport(rows)


def _leaf_values(
    graph: Graph, walked: Sequence[Node], feed: Mapping[Any, Tensor] | None
) -> dict[Node, Tensor]:
    """The values of inputs and parameters in float64, copied."""
    needed = [node for node in walked if isinstance(node, Input)]
    if feed is None:
        feed = {node: node.top for node in needed if node.computed}
    fed = bind({node.name: node for node in graph.inputs}, graph.parameters(), needed, feed)
    leaves: dict[Node, Tensor] = {node: node.top for node in graph.parameters()}
    leaves |= dict(fed.items())
    return {
        node: value.double().clone() if value.dtype.is_floating_point else value.clone()
        for node, value in leaves.items()
    }


def _check_operation(
    graph: Graph, operation: Operation, arguments: list[Any], top: Tensor
) -> list[CheckRow]:
    """Check the rules of one operation by all inputs that have one."""
    rows = []
    op = operation.op
    for place, (source, rule) in enumerate(
        zip(operation.sources, op.rules_for(len(arguments)), strict=True)
    ):
        if rule is None or isinstance(source, Literal) or not source.dtype.is_floating_point:
            continue
        try:
            error, fault = compare(op, place, arguments, top)
        except Exception as problem:  # a faulty rule may raise anything; the report names it
            error, fault = inf, f"the rule raises {type(problem).__name__}: {problem}"
        names = graph.name_of(operation), graph.name_of(source)
        rows.append(CheckRow(graph.index(operation), *names, error, fault))
    return rows


def compare(op: Op, place: int, arguments: list[Any], top: Tensor) -> tuple[float, str]:
    """The worst relative error of one rule at float64 arguments, and what is wrong in words."""
    x = arguments[place].contiguous()
    seed = _wave(top)
    grad = _by_rule(op, place, arguments, top, seed)
    if op.broadcasts:
        grad = grad.sum_to_size(x.shape)
    if grad.shape != x.shape:
        return inf, f"the rule returns the shape {tuple(grad.shape)}, not {tuple(x.shape)}"

    def moved(direction: Tensor) -> Tensor:
        result: Tensor = op.forward(*arguments[:place], x + direction, *arguments[place + 1 :])
        return result

    largest = float(grad.abs().max()) if grad.numel() else 0.0
    worst, fault = 0.0, ""
    for name, direction in _directions(x):
        ruled = float((grad * direction)[direction != 0].sum())
        error, slope = _compare_along(
            moved, top, seed, direction, _steps(x, direction), ruled, largest
        )
        if error > worst:
            worst = error
            fault = f"{ruled:.6g} by the rule, {slope:.6g} by differences at {name}"
    return worst, fault if worst > TOLERANCE else ""


def _compare_along(
    moved: Callable[[Tensor], Tensor],
    top: Tensor,
    seed: Tensor,
    direction: Tensor,
    steps: list[float],
    ruled: float,
    largest: float,
) -> tuple[float, float]:
    """The relative error along one direction at the best step, and the slope found there.

    Where the slopes at two steps do not agree there is no derivative, and no error.
    """
    found: list[tuple[float, float]] = []
    for step in steps:
        slopes = _slopes(moved, top, seed, direction, step)
        if slopes is None:
            continue
        low, high, slack = slopes
        central = (low + high) / 2
        scale = max(largest * float(direction.abs().max()), abs(central), 1e-300)
        kink = high - low > KINK * max(abs(low), abs(high))
        distance = max(low - ruled, ruled - high, 0.0) if kink else abs(ruled - central)
        error = max(distance - slack, 0.0) / scale
        if error <= TOLERANCE:
            return error, central
        found.append((error, central))
    if not found:
        return 0.0, ruled
    first, last = found[0][1], found[-1][1]
    if len(found) > 1 and not abs(first - last) <= KINK * max(abs(first), abs(last)):
        return 0.0, ruled
    error, central = min(found)
    return (error if isfinite(error) else inf), central


def _slopes(
    moved: Callable[[Tensor], Tensor], top: Tensor, seed: Tensor, direction: Tensor, step: float
) -> tuple[float, float, float] | None:
    """The least and the largest slope, and how much of their difference is rounding.

    At a kink every slope between its two sides is right, for each element of the output alone.
    None at the border of where the function is defined: it has one side there, and no derivative.
    """
    sides = []
    for signed in (step, -step):
        try:
            change = moved(direction * signed) - top
        except GraphError:  # outside the range of the function
            return None
        if not change.isfinite().all():
            return None
        sides.append(change * seed / signed)
    left, right = sides
    rounding = 4e-16 * float((top * seed).abs()[left != 0].sum()) / step
    return float(left.minimum(right).sum()), float(left.maximum(right).sum()), rounding


def _steps(x: Tensor, direction: Tensor) -> list[float]:
    """Steps to try: one for numbers about 1 and larger, and smaller ones for smaller numbers."""
    size = float((x * direction).abs().max())
    fine = 1e-4 * size if 1e-9 < size < 1e-2 else STEP / 30
    return [STEP * max(1.0, size), fine, fine / 10]


def _by_rule(op: Op, place: int, arguments: list[Any], top: Tensor, grad: Tensor) -> Tensor:
    """The gradient by one argument, as the rule of the op gives it."""
    rule = cast("Rule", op.rules_for(len(arguments))[place])
    result: Tensor = rule.function(op, *op.read(rule, place, arguments, grad, top))
    return result


def _directions(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Some single elements of x, and for a large x all of its elements at once."""
    count = x.numel()
    for place in range(0, count, max(1, count // PLACES)):
        direction = x.new_zeros(count)
        direction[place] = 1.0
        yield f"element {_place(place, tuple(x.shape))}", direction.view(x.shape)
    if count > PLACES:
        yield "all elements together", _wave(x)


def _wave(x: Tensor) -> Tensor:
    """Numbers between 0.5 and 2.5 in the shape of x, all different, the same at every call."""
    count = x.new_ones(x.numel()).cumsum(0)
    return (count * 2.4).cos().add(1.5).view(x.shape)


def _place(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place in a tensor of an element counted in walk order."""
    place: list[int] = []
    for size in reversed(shape):
        flat, index = divmod(flat, size)
        place.insert(0, index)
    return tuple(place)
