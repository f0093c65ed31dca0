"""Compares every derivative of a graph with central differences.

The check runs in float64, on copies: the graph is not changed. Each operation is checked alone, so
that a wrong rule is reported where it is, and not as a wrong loss far downstream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import TYPE_CHECKING, Any, NamedTuple

from graphnet.check.finite_differences import Comparison, compare
from graphnet.check.hints import red_pen
from graphnet.check.report import NotChecked
from graphnet.console_text import shown, text_table
from graphnet.errors import FeedError
from graphnet.graph import Graph, Input, Node, Operation
from graphnet.graph.error_messages import explain_forward
from graphnet.graph.feed import bind
from graphnet.graph.nodes import Literal
from graphnet.graph.walks import ancestors
from graphnet.notebook import framed, html_paragraphs, html_table

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.draw.drawing import Drawing


class CheckRow(NamedTuple):
    """The result for one input of one operation.

    Attributes:
        index: the index of the operation in the list.
        name: its name.
        input: the name of the input.
        error: the difference between rule and central difference that was measured, relative to
            the largest gradient, where it is worst.
        bound: up to where the differences, which are inexact, explain the error.
        fault: what is wrong, in words; empty if nothing is.
        hint: the usual mistake that would explain it, in a sentence; empty if none does.
        left_out: why it was not checked; empty if it was.
    """

    index: int  # type: ignore[assignment]  # hides a tuple's method, which is not needed
    name: str
    input: str
    error: float
    bound: float
    fault: str = ""
    hint: str = ""
    left_out: str = ""

    @property
    def verdict(self) -> str:
        """The result in words."""
        return f"not checked: {self.left_out}" if self.left_out else self.fault or "right"


_RIGHT = (0, 3, 4)
"""The columns of numbers."""


class CheckReport:
    """The results for all operations, in walk order; it is true if all are right.

    Attributes:
        graph: the graph that was checked.
        rows: one for each input of each operation.
    """

    def __init__(self, graph: Graph, rows: list[CheckRow]) -> None:
        self.graph = graph
        self.rows = rows

    @property
    def first_wrong(self) -> CheckRow | None:
        """The first wrong derivative in walk order; None if all are right."""
        return next((row for row in self.rows if row.fault), None)

    @property
    def left_out(self) -> list[CheckRow]:
        """Those that could not be checked, since their values are infinite or NaN."""
        return [row for row in self.rows if row.left_out]

    def __bool__(self) -> bool:
        return self.first_wrong is None and not self.left_out

    @property
    def verdict(self) -> str:
        """In words: all are right, or which one is the first wrong."""
        wrong, left_out = self.first_wrong, self.left_out
        if wrong is None and left_out:
            first, others = left_out[0], len(self.rows) - len(left_out)
            return (
                f"{len(left_out)} of {len(self.rows)} derivatives could not be checked"
                f"{', the others are right' if others else ''}. The first is that of node "
                f"{first.index} {first.name!r} by {first.input!r}: {first.left_out}. Feed finite "
                "values."
            )
        if wrong is None:
            return f"All {len(self.rows)} derivatives are right."
        text = (
            f"The first wrong derivative is that of node {wrong.index} {wrong.name!r} "
            f"by {wrong.input!r}: {wrong.fault}."
        )
        return f"{text} {wrong.hint}" if wrong.hint else text

    def draw(self, **options: Any) -> Drawing:
        """Draw the graph with the worst error of each operation; wrong ones are marked.

        Args:
            options: the options of `Graph.draw`.
        """
        from graphnet.draw.picture import draw_graph

        errors: dict[int, float] = {}
        for row in self.rows:
            errors[row.index] = max(row.error, errors.get(row.index, 0.0))
        notes = {place: f"error {error:.1g}" for place, error in errors.items()}
        marks = {row.index: f"not checked by {row.input}" for row in reversed(self.left_out)}
        marks |= {row.index: f"wrong by {row.input}" for row in reversed(self.rows) if row.fault}
        return draw_graph(self.graph, notes=notes, marks=marks, remarks=[self.verdict], **options)

    def __repr__(self) -> str:
        return f"<CheckReport of {len(self.rows)} derivatives: {self.verdict}>"

    def __str__(self) -> str:
        return f"{text_table(self._table(), right=_RIGHT)}\n{shown(self.verdict)}"

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        return framed(html_table(self._table(), right=_RIGHT), html_paragraphs(self.verdict))

    def _table(self) -> list[tuple[str, ...]]:
        header = ("#", "operation", "by input", "error", "bound", "verdict")
        return [header, *map(_cells, self.rows)]


def _cells(row: CheckRow) -> tuple[str, ...]:
    """A row as texts."""
    numbers = f"{row.error:.1e}", f"{row.bound:.1e}"
    return str(row.index), row.name, row.input, *numbers, row.verdict


def check_graph(graph: Graph, node: Node, feed: Mapping[Any, Tensor] | None = None) -> CheckReport:
    """Compare the rules of every operation before `node` with central differences.

    Args:
        graph: the graph; it is not changed.
        node: the last node to check, such as the loss.
        feed: tensors for the inputs; if None, those of the last forward walk.

    Raises:
        FeedError: an input has no value.
        ShapeError: the fed sizes do not fit together.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((3,), name="x")
    >>> loss = x.tanh().sum()
    >>> report = graph.check(loss, {"x": empty(3).fill_(0.5)})
    >>> print(report.verdict)
    All 2 derivatives are right.
    >>> all(row.error < 1e-6 <= row.bound for row in report.rows)
    True
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
    return CheckReport(graph, rows)


def _leaf_values(
    graph: Graph, walked: Sequence[Node], feed: Mapping[Any, Tensor] | None
) -> dict[Node, Tensor]:
    """Copies of the values of inputs and parameters, in float64."""
    needed = [node for node in walked if isinstance(node, Input)]
    if feed is None:
        feed = last_feed(needed, "graph.check(node, {'x': tensor, ...})")
    fed = bind({node.name: node for node in graph.inputs}, graph.parameters(), needed, feed)
    leaves: dict[Node, Tensor] = {node: node.top for node in graph.parameters()}
    leaves |= dict(fed.items())
    return {
        node: value.double().clone() if value.dtype.is_floating_point else value.clone()
        for node, value in leaves.items()
    }


def last_feed(inputs: Sequence[Input], way_out: str) -> dict[Any, Tensor]:
    """The values of inputs in the last forward walk; `way_out` is a call that gives others.

    Raises:
        FeedError: one has no value.
    """
    for node in inputs:
        if not node.computed:
            raise FeedError(
                f"A check needs values, and {node} has none: run graph.forward(...) first, or "
                f"give a feed, {way_out}."
            )
    return {node: node.top for node in inputs}


def _check_operation(
    graph: Graph, operation: Operation, arguments: list[Any], top: Tensor
) -> list[CheckRow]:
    """Check the rules of one operation for all inputs that have one."""
    rows = []
    op = operation.op
    for place, (source, rule) in enumerate(
        zip(operation.sources, op.rules_for(len(arguments)), strict=True)
    ):
        if rule is None or isinstance(source, Literal) or not source.dtype.is_floating_point:
            continue
        where = graph.index(operation), graph.name_of(operation), graph.name_of(source)
        try:
            compared, fault = compare(op, place, arguments, top)
        except NotChecked as reason:
            rows.append(CheckRow(*where, *Comparison(nan), left_out=str(reason)))
            continue
        except Exception as problem:  # a faulty rule may raise anything; the report names it
            raised = f"{type(problem).__name__}: {problem}"
            compared, fault = Comparison(inf), f"the rule raises {raised}"
        hint = red_pen(op, place, arguments, top) if fault else ""
        rows.append(CheckRow(*where, *compared, fault, hint))
    return rows
