"""The costs of a list as a table, module by module: what `summary()` shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from inspect import signature
from typing import TYPE_CHECKING, Any

from graphnet.console_text import printable, text_table
from graphnet.errors import DtypeError, GraphError, brief, counted
from graphnet.graph import Graph, Input
from graphnet.listing.costs import Row, costs
from graphnet.notebook import framed, html_paragraphs, html_table
from graphnet.validation import require_counts

if TYPE_CHECKING:
    from graphnet.layers import Module
    from graphnet.listing.costs import Shape

HEADER = (
    "module",
    "kind",
    "settings",
    "output",
    "weights",
    "parameters",
    "multiply-adds",
    "memory",
)
RIGHT = (5, 6, 7)
"""The columns of numbers."""


@dataclass(frozen=True, repr=False)
class Summary:
    """The costs of a list; `print` and a notebook show a table.

    Attributes:
        rows: one for each module, including everything inside it, in the order of the list.
        total: the whole list; since modules are nested, the rows do not add up to it.
        fed: True if all sizes are known, from a feed or from the inputs; else each unknown one was
            taken as 1.
    """

    rows: tuple[Row, ...]
    total: Row
    fed: bool

    def to_record(self) -> dict[str, list[Any]]:
        """The rows as columns by name, which `pandas.DataFrame(...)` takes."""
        names = [field.name for field in fields(Row)]
        return {name: [getattr(row, name) for row in self.rows] for name in names}

    def _table(self) -> list[tuple[str, ...]]:
        return [HEADER, *map(_cells, (*self.rows, self.total))]

    @property
    def remarks(self) -> list[str]:
        """The costs of the whole list, and what the columns mean, in sentences."""
        total = self.total
        frozen = f", {total.frozen:,} of them frozen" if total.frozen else ""
        computed = megabytes(total.tops - total.held)
        remarks = [
            f"{counted(total.parameters, 'parameter')}{frozen}; {counted(total.nodes, 'node')}.",
            f"Memory: parameters and buffers {megabytes(total.held)}, other values {computed}, "
            f"gradients {megabytes(total.grads)}; views are counted as copies.",
            f"Floating-point operations: {total.forward:,} forward, {total.backward:,} backward.",
        ]
        if not self.fed:
            remarks.append("Each size that is unknown, ?, is taken as 1.")
        if any(row.borrowed for row in self.rows):
            remarks.append("+ n: parameters that a module shares, counted where they were made.")
        return remarks

    def __str__(self) -> str:
        return "\n".join([text_table(self._table(), right=RIGHT), "", *self.remarks])

    def __repr__(self) -> str:
        return (
            f"<Summary of {counted(len(self.rows), 'module')}, "
            f"{counted(self.total.parameters, 'parameter')}>"
        )

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        remarks = html_paragraphs("\n".join(self.remarks))
        return framed(html_table(self._table(), right=RIGHT), remarks)


def summary(graph: Graph, depth: int | None = None) -> Summary:
    """The costs of each module of a list, and of the whole list.

    Gradients are counted for the nodes that the last loss depends on.

    Args:
        graph: the list.
        depth: how many levels of modules get rows; None for all. The outermost rows are always
            there.

    Raises:
        RangeError: the depth is not an integer of 1 or more.

    >>> import graphnet as gn
    >>> graph = gn.Graph()
    >>> y = gn.Sequential(gn.Linear(2, 25), gn.Tanh(), gn.Linear(25, 2))(
    ...     graph.input((100, 2), name="x")
    ... )
    >>> total = summary(graph).total
    >>> total.nodes, total.parameters, total.multiply_adds, total.forward
    (8, 127, 10000, 25200)
    """
    if depth is not None:
        require_counts(depth=depth)
    rows, total = costs(graph)
    fed = all(node.computed or None not in node.shape for node in graph.inputs)
    return Summary(tuple(row for row in rows if depth is None or row.depth <= depth), total, fed)


def summary_of(module: Module, inputs: Sequence[Any], depth: int | None = None) -> Summary:
    """The same for a module on inputs of these shapes.

    Args:
        module: the module.
        inputs: for each input its shape, or a tensor like it, such as one of integers.
        depth: as for `summary`.

    Raises:
        GraphError: there is not one shape or tensor for each input.
        ShapeError: the module does not take such shapes.
        DtypeError: it does not take such dtypes.
        RangeError: the depth is not an integer of 1 or more.
    """
    _require_inputs(module, inputs)
    names = ["x"] if len(inputs) == 1 else [f"x{place}" for place in range(len(inputs))]
    with Graph() as graph:
        try:
            module.append_to(graph, *map(_input, names, inputs))
        except DtypeError as error:
            like = next((each for each in inputs if isinstance(each, tuple | list)), None)
            raise error if like is None else _of_shapes(like, error) from None
    return summary(graph, depth)


def _of_shapes(shape: Sequence[int | None], error: DtypeError) -> DtypeError:
    """The error of a module that takes another dtype than a shape stands for."""
    sizes = ", ".join("1" if size is None else str(size) for size in shape)
    return DtypeError(
        f"{error}\n  way out: a shape stands for floating-point numbers; for integers give a "
        f"tensor like the input, such as summary(torch.zeros({sizes}, dtype=torch.int64))."
    )


def _input(name: str, like: Any) -> Input:
    """An input of a shape, or of the shape and dtype of a tensor."""
    if isinstance(like, tuple | list):
        return Input(tuple(like), name=name)
    return Input(tuple(like.shape), name=name, dtype=like.dtype)


def _require_inputs(module: Module, inputs: Sequence[Any]) -> None:
    rule = (
        f"{type(module).__name__}.summary takes a shape, or a tensor like it, for each input, such "
        "as summary((1, 3, 224, 224))"
    )
    for each in inputs:
        if not isinstance(each, tuple | list) and not hasattr(each, "shape"):
            raise GraphError(f"{rule}; got {brief(each)}.")
    wanted = signature(module.build)
    try:
        wanted.bind(*inputs)
    except TypeError:
        raise GraphError(
            f"{rule}; got {counted(len(inputs), 'shape')} for the inputs "
            f"({', '.join(wanted.parameters)})."
        ) from None


def _cells(row: Row) -> tuple[str, ...]:
    """A row as texts; nested modules are indented."""
    *outer, last = row.path.split(".")
    borrowed = f" + {row.borrowed:,}" if row.borrowed else ""
    uses = f", {counted(row.uses, 'use')}" if row.uses > 1 else ""
    return (
        "  " * len(outer) + printable(last or "-"),
        printable(row.kind) + uses,
        printable(row.settings),
        _sizes([row.output]),
        _sizes(row.weights),
        f"{row.parameters:,}{borrowed}" if row.parameters or row.borrowed else "",
        f"{row.multiply_adds:,}" if row.multiply_adds else "",
        megabytes(row.tops),
    )


def _sizes(shapes: Iterable[Shape]) -> str:
    """Shapes as sizes: 64×3×7×7, with ? for an unknown one and () for a single number."""
    texts = ["×".join("?" if size is None else str(size) for size in shape) for shape in shapes]
    return ", ".join(text or "()" for text in texts)


def megabytes(count: int) -> str:
    """A number of bytes in the largest unit in which it is 1 or more.

    >>> megabytes(508), megabytes(46_800_000)
    ('508 B', '46.8 MB')
    """
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            break
        size /= 1000
    return f"{size:.3g} {unit}" if size < 999.5 else f"{size:,.0f} {unit}"
