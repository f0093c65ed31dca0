"""What is learned in a page, from which rows; everything else is refused in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from warnings import warn

from graphnet.errors import FeedError, GraphError, RangeError, ShapeError, shape_text
from graphnet.graph import Graph, Input, Node, Operation
from graphnet.graph.feed import bind, require_mapping
from graphnet.graph.roles import checked_loss
from graphnet.graph.walks import ancestors
from graphnet.optim import Optimizer
from graphnet.playground.checked_rows import require_learnable_rows
from graphnet.playground.classes import Classes, classes_of
from graphnet.train.dataset import DataSet
from graphnet.train.training_graph import TrainingGraph, require_learnable
from graphnet.validation import must_be, require_integer

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.layers import Module

Rows = Mapping[Input, "Tensor"]
"""A tensor for each input, all with the same number of rows."""

MOST_NUMBERS = 3_000_000
"""Numbers of the rows that a page learns from: 3,821 images of MNIST."""
MOST_TEST_NUMBERS = 800_000
"""Numbers of the rows that it measures."""

_SEEDS = 2**32


@dataclass(frozen=True, eq=False)
class Task:
    """What a page trains.

    Attributes:
        graph: the list.
        loss: what is minimized.
        optimizer: what updates the parameters.
        output: what is shown as the prediction; None if nothing is known to be one.
        train: the rows to learn from.
        test: rows that are only measured; none if it is empty.
        batch_size: rows of a batch, at the start.
        seed: of the generator, at the start.
        title: of the page.
        model: the module that predicts; None for a list without.
        loss_module: what was given as the loss.
        left_out: rows that the page has no room for.
        is_open: True if the printed program takes batches of any size.
    """

    graph: Graph
    loss: Node
    optimizer: Optimizer
    output: Node | None
    train: Rows
    test: Rows
    batch_size: int
    seed: int
    title: str
    model: Module | None = None
    loss_module: Any = None
    left_out: int = 0
    is_open: bool = True

    @cached_property
    def inputs(self) -> list[Input]:
        """The inputs that the prediction is computed from."""
        end = self.loss if self.output is None else self.output
        read = set(ancestors(list(self.graph), [end]))
        return [node for node in self.train if node in read]

    @property
    def targets(self) -> list[Input]:
        """The other inputs."""
        return [node for node in self.train if node not in self.inputs]

    @cached_property
    def classes(self) -> Classes | None:
        """The classes that the rows belong to; None if they have none."""
        if self.output is None or len(self.targets) != 1:
            return None
        (target,) = self.targets
        return classes_of(self.output, target, self.train[target])

    @property
    def plane(self) -> Input | None:
        """The input of two numbers a row, whose plane can be drawn; None if there is another."""
        alone = self.is_open and len(self.inputs) == 1 and self.output is not None
        fits = alone and self.inputs[0].shape in ((None, 2),)
        return self.inputs[0] if fits and self.inputs[0].dtype.is_floating_point else None


def task_of_model(
    model: Module, loss: Any, data: Any, optimizer: Any, test: Any, **settings: Any
) -> Task:
    """What `gn.playground` trains.

    Raises:
        GraphError: something does not fit: see `gn.playground`.
    """
    given = DataSet(data)
    built = TrainingGraph(model, loss, given)
    require_learnable(built, loss, optimizer)
    rows = [given]
    if test is not None:
        rows.append(DataSet(test, "test"))
        built.require(rows[1], "test")
    nodes = (*built.inputs, *built.targets)
    train, *rest = (dict(zip(nodes, (*each.inputs, *each.targets), strict=True)) for each in rows)
    settings["title"] = settings["title"] or type(model).__name__
    output = built.outputs[0]
    task = _checked(built.graph, built.loss, optimizer, output, train, *(rest or [{}]), **settings)
    return replace(task, model=model, loss_module=loss)


def task_of_graph(
    graph: Graph,
    loss: Any,
    data: Any,
    optimizer: Any,
    test: Any,
    output: Any,
    **settings: Any,
) -> Task:
    """What `graph.playground` trains.

    Raises:
        GraphError: something does not fit: see `Graph.playground`.
    """
    if not isinstance(loss, Node):
        raise GraphError(must_be("loss", "a node of this graph, a single number", loss))
    checked_loss(graph, loss)
    require_output(graph, output)
    _require_optimizer(graph, loss, optimizer)
    train = _rows(graph, loss, data, "data")
    others = {} if test is None else _rows(graph, loss, test, "test")
    output = _output_of(graph, loss) if output is None else output
    settings["title"] = settings["title"] or "Network"
    return _checked(graph, loss, optimizer, output, train, others, **settings)


def _checked(
    graph: Graph,
    loss: Node,
    optimizer: Optimizer,
    output: Node | None,
    train: Rows,
    test: Rows,
    batch_size: Any,
    seed: Any,
    title: Any,
) -> Task:
    """The task, its settings checked."""
    batch = min(require_integer("batch_size", batch_size, 1), len(next(iter(train.values()))))
    if fixed := {node.shape[0] for node in train} - {None}:
        batch = _fixed_batch(fixed)
    if require_integer("seed", seed, 0) >= _SEEDS:
        raise RangeError(f"seed must be an integer from 0 to 2**32 - 1; got {seed}.")
    if not isinstance(title, str):
        raise GraphError(must_be("title", "a text", title))
    kept, others = bounded(train, MOST_NUMBERS), bounded(test, MOST_TEST_NUMBERS)
    require_learnable_rows(graph, kept, "data")
    require_learnable_rows(graph, others, "test")
    left_out = _count(train) - _count(kept) + _count(test) - _count(others)
    if left_out:
        tested = f", and {_count(others):,} of {_count(test):,} test rows" if test else ""
        warn(
            f"A page has room for about {MOST_NUMBERS:,} numbers to learn from: it holds the first "
            f"{_count(kept):,} of {_count(train):,} rows{tested}.",
            stacklevel=4,
        )
    task = Task(graph, loss, optimizer, output, kept, others, batch, int(seed), title)
    return replace(task, left_out=left_out)


def bounded(rows: Rows, most: int) -> Rows:
    """The first rows, as many as have so many numbers."""
    each = sum(tensor[0].numel() for tensor in rows.values())
    count = max(1, most // max(1, each))
    return rows if _count(rows) <= count else {node: all[:count] for node, all in rows.items()}


def _count(rows: Rows) -> int:
    return len(next(iter(rows.values()))) if rows else 0


def _fixed_batch(sizes: set[int | None]) -> int:
    """The batch of a list whose inputs have a fixed number of rows."""
    size, *others = sorted(size for size in sizes if size is not None)
    if others:
        raise ShapeError(
            "The inputs of a list with a fixed batch have that many rows each; got "
            f"{', '.join(map(str, (size, *others)))}. Make inputs with None as their first size."
        )
    return size


def require_output(graph: Graph, output: Any) -> None:
    """Refuse what is not a node of the list.

    Raises:
        GraphError: it is none.
    """
    if output is not None:
        if not isinstance(output, Node):
            raise GraphError(must_be("output", "a node of this graph, or None", output))
        graph.index(output)


def _require_optimizer(graph: Graph, loss: Node, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        rule = "one of graphnet, such as gn.SGD(graph.parameters(), lr=0.1)"
        raise GraphError(must_be("optimizer", rule, optimizer))
    known = {each for each in graph.parameters() if each.requires_grad}
    if known.isdisjoint(optimizer.parameters):
        raise GraphError(
            "The optimizer updates none of the parameters that this list can learn. Make it with "
            "graph.parameters()."
        )


def _rows(graph: Graph, loss: Node, data: Any, name: str) -> dict[Input, Tensor]:
    """The tensors that a list is fed, checked, in the order of the list."""
    require_mapping(data, graph.inputs)
    needed = [node for node in ancestors(list(graph), [loss]) if isinstance(node, Input)]
    if not needed:
        raise FeedError("A page trains on rows of data, and this loss reads no input.")
    names = {node.name: node for node in graph.inputs}
    given = {names.get(key, key) if isinstance(key, str) else key: data[key] for key in data}
    first = {node: _first_rows(node, rows) for node, rows in given.items()}
    bound = bind(names, graph.parameters(), needed, first)
    rows = {node: given[node] if first[node] is not given[node] else bound[node] for node in needed}
    sizes = [len(each) if each.ndim else 0 for each in rows.values()]
    if len(set(sizes)) != 1 or not sizes[0] or any(not node.shape for node in needed):
        each = ", ".join(f"{node.name} {shape_text(rows[node].shape)}" for node in needed)
        raise ShapeError(
            f"All tensors of {name} have the same number of rows, 1 or more; got {each}."
        )
    return rows


def _first_rows(node: Any, rows: Any) -> Any:
    """As many rows as an input of a fixed size takes; all for others."""
    size = node.shape[0] if isinstance(node, Input) and node.shape else None
    ranks = int(getattr(rows, "ndim", 0))
    return rows[:size] if size is not None and ranks and len(rows) > size else rows


def _output_of(graph: Graph, loss: Node) -> Node | None:
    """The last operation with rows that is computed without one of the inputs: the targets."""
    walked = ancestors(list(graph), [loss])
    inputs = {node for node in walked if isinstance(node, Input)}
    reads: dict[Node, frozenset[Node]] = {}
    found: Iterable[Node] = ()
    for node in walked:
        own = frozenset([node]) if isinstance(node, Input) else frozenset[Node]()
        reads[node] = own.union(*(reads[each] for each in node.inputs))
        if isinstance(node, Operation) and node.shape and reads[node] and reads[node] < inputs:
            found = (node,)
    return next(iter(found), None)
