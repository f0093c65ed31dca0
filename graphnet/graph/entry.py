"""What the list keeps for each node: its place, its name, its shape, and its value."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from graphnet.errors import GraphError, NoValueError, StateError, shape_text
from graphnet.op import Op, Symbolic

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.graph.graph import Graph
    from graphnet.graph.nodelist import NodeList
    from graphnet.graph.trials import Spec

open_graphs: ContextVar[tuple[NodeList, ...]] = ContextVar("open_graphs", default=())
"""The graphs of the `with` blocks, the innermost last; each thread sees its own."""


class Entry(Symbolic):
    """One entry of a graph's list."""

    __slots__ = ("__weakref__", "graph", "index", "line", "name", "shape", "spec", "top")
    kind: ClassVar[str]
    """What it is: "input", "parameter" or "operation"."""
    graph: Graph
    """The graph whose list holds the node."""
    index: int
    """The place in the list."""
    name: str
    """A name of its own in the graph."""
    shape: tuple[int | None, ...]
    """The sizes, None where a size is unknown until a tensor is fed."""
    spec: Spec
    """The shapes at each trial, and the number type."""
    top: Tensor
    """The value; reading it before a forward pass has filled it is an error."""
    line: str
    """The file and line of the user that added the node."""

    @property
    def dtype(self) -> dtype:
        """The number type."""
        return self.spec.dtype

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The nodes that this one reads."""
        return ()

    @property
    def home_graph(self) -> NodeList | None:
        """The one graph that holds the node; None for a parameter of several graphs, or of none."""
        return self.graph

    @property
    def computed(self) -> bool:
        """True if `top` holds a value."""
        try:
            return self.top is not None
        except StateError:
            return False

    def forget(self) -> None:
        """Drop the value, if there is one."""
        with suppress(AttributeError):
            del self.top

    def apply(self, op: Op, arguments: tuple[Any, ...]) -> Any:
        """Append an operation to the graph of the arguments."""
        return graph_of(arguments).append(op, arguments)

    def _missing(self, attribute: str) -> NoReturn:
        # Python comes here only when an attribute is missing, as `top` is before a forward pass,
        # and with it every property that reads it.
        if attribute == "top" or isinstance(getattr(type(self), attribute, None), property):
            raise NoValueError(f"{self} has no value: a graph.forward that walks it comes first.")
        if attribute == "backward":
            raise AttributeError(
                "A node has no 'backward': it is the list that is walked, graph.backward(node)."
            )
        raise AttributeError(
            f"A node has no {attribute!r}. Its value is node.top, after graph.forward; operations "
            "without a method are functions in graphnet.ops."
        )

    if not TYPE_CHECKING:  # with it, type checkers would accept any attribute
        __getattr__ = _missing

    def __format__(self, form: str) -> str:
        if form:
            raise GraphError(f"{self} is no number; its value is: f'{{node.top:{form}}}'.")
        return str(self)

    def __str__(self) -> str:
        return f"node {self.index} {self.name!r}"

    def __repr__(self) -> str:
        return f"<{self.kind} {self.index} {self.name!r} {shape_text(self.shape)}>"

    def __bool__(self) -> NoReturn:
        raise GraphError(
            f"{self} is neither true nor false while the graph is built: it has no value yet. "
            "To choose between two values use ops.where."
        )


def graph_of(arguments: tuple[Any, ...]) -> NodeList:
    """The graph in which an operation on these arguments belongs.

    Raises:
        GraphError: only parameters of several graphs, or of none, outside any `with` block.
    """
    entries = [argument for argument in arguments if isinstance(argument, Entry)]
    for entry in entries:
        if entry.kind != "parameter":
            return entry.graph
    graph = next(reversed(open_graphs.get()), None)
    for entry in entries:
        graph = graph or entry.home_graph
    if graph is None:
        raise GraphError(
            "There is no graph to append to. Write `with graphnet.Graph() as graph:` around these "
            "lines, or say which one: graph.input(...), graph.parameter(...)."
        )
    return graph


def not_a_node(name: str, argument: object) -> str:
    """The message for something else than a node or a number in an operation on nodes."""
    kind = "None" if argument is None else type(argument).__name__
    text = f"{name} takes nodes and numbers; {kind} came."
    if type(argument).__module__.startswith("torch.nn"):
        return (
            f"{text} It is of torch.nn: use graphnet's own, such as graphnet.Linear or .Parameter."
        )
    if hasattr(argument, "shape"):
        text += (
            " A tensor enters the list by graph.input(shape, name=...) or, if it never changes, "
            "by graph.parameter(tensor, requires_grad=False); what a module learns is an attribute "
            "of it, self.weight = graphnet.Parameter(tensor)."
        )
    return text


def dtype_text(dtype: dtype) -> str:
    """The name of a number type: float32."""
    return str(dtype).removeprefix("torch.")
