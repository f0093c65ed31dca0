"""What the list stores for each node: its index, its name, its shape, and its value."""

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
    from graphnet.graph.shape_inference import Spec

open_graphs: ContextVar[tuple[NodeList, ...]] = ContextVar("open_graphs", default=())
"""The graphs of the open `with` blocks, innermost last; each thread has its own."""


class Entry(Symbolic):
    """One entry of a graph's list."""

    __slots__ = ("__weakref__", "graph", "index", "line", "name", "shape", "spec", "top")
    kind: ClassVar[str]
    """What it is: "input", "parameter" or "operation"."""
    graph: Graph
    """The graph whose list holds the node."""
    index: int
    """The index in the list."""
    name: str
    """The name, unique in the graph."""
    shape: tuple[int | None, ...]
    """The sizes; None for a size that is unknown until a tensor is fed."""
    spec: Spec
    """The shapes at each trial, and the dtype."""
    top: Tensor
    """The value; reading it before a forward pass fills it is an error."""
    line: str
    """The file and line of the user's code that added the node."""

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def dtype(self) -> dtype:
        """The dtype."""
        return self.spec.dtype

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The nodes that this one reads."""
        return ()

    @property
    def only_graph(self) -> NodeList | None:
        """The one graph that holds the node; None for a parameter in several graphs or in none."""
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
            raise NoValueError(f"{self} has no value yet: run a graph.forward that walks it first.")
        if attribute == "backward":
            raise AttributeError(
                "A node has no 'backward': the graph is walked, graph.backward(node)."
            )
        raise AttributeError(
            f"A node has no {attribute!r}. Its value is node.top, after graph.forward; operations "
            "without a method are functions in graphnet.ops."
        )

    if not TYPE_CHECKING:  # with it, type checkers would accept any attribute
        __getattr__ = _missing

    def __format__(self, form: str) -> str:
        if form:
            raise GraphError(f"{self} is not a number; format its value: f'{{node.top:{form}}}'.")
        return str(self)

    def __str__(self) -> str:
        return f"node {self.index} {self.name!r}"

    def __repr__(self) -> str:
        return f"<{self.kind} {self.index} {self.name!r} {shape_text(self.shape)}>"

    def __bool__(self) -> NoReturn:
        raise GraphError(
            f"{self} is neither true nor false while the graph is built: it has no value yet. "
            "To choose between two values, use ops.where."
        )


def graph_of(arguments: tuple[Any, ...]) -> NodeList:
    """The graph in which an operation on these arguments belongs.

    Raises:
        GraphError: outside any `with` block, all are parameters in several graphs or in none.
    """
    entries = [argument for argument in arguments if isinstance(argument, Entry)]
    for entry in entries:
        if entry.kind != "parameter":
            return entry.graph
    graph = next(reversed(open_graphs.get()), None)
    for entry in entries:
        graph = graph or entry.only_graph
    if graph is None:
        raise GraphError(
            "There is no graph to append to. Put these lines in `with graphnet.Graph() as graph:`, "
            "or name one: graph.input(...), graph.parameter(...)."
        )
    return graph


def not_a_node(name: str, argument: object) -> str:
    """The message for an argument that is neither a node nor a number."""
    kind = "None" if argument is None else type(argument).__name__
    text = f"{name} takes nodes and numbers; got {kind}."
    if type(argument).__module__.startswith("torch.nn"):
        return (
            f"{text} It is torch.nn's: use graphnet's own, such as graphnet.Linear or .Parameter."
        )
    if type(argument).__module__ == "numpy":
        return (
            f"{text} Convert it first: torch.as_tensor(array, dtype=torch.float32) beside a node "
            "is a constant; of a single number, float(number)."
        )
    if hasattr(argument, "shape"):
        text += (
            " Add a tensor to the list by graph.input(shape, name=...) or, if it never changes, "
            "by graph.parameter(tensor, requires_grad=False). What a module learns is an attribute "
            "of it: self.weight = graphnet.Parameter(tensor)."
        )
    return text


def dtype_text(dtype: dtype) -> str:
    """The name of a dtype: float32."""
    return str(dtype).removeprefix("torch.")
