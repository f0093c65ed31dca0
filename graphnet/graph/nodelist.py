"""The list of nodes itself: how nodes are appended, and how they are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast, overload

from graphnet.errors import GraphError, counted
from graphnet.graph.constants import Constant, Constants
from graphnet.graph.entry import not_a_node, open_graphs
from graphnet.graph.error_messages import complaint, is_misfit
from graphnet.graph.location import user_line
from graphnet.graph.naming import Names, Scopes
from graphnet.graph.node import Node
from graphnet.graph.nodes import Input, Literal, Mode, Operation, spec_of
from graphnet.graph.parameter import Parameter
from graphnet.graph.shape_inference import infer
from graphnet.op import Training

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.graph.graph import Graph
    from graphnet.op import Op


class NodeList(Sequence[Node]):
    """Nodes in the order in which they are computed, each with an index and a unique name.

    `input`, `parameter` and applying an operation to a node are the only ways to add nodes, and
    each appends at the end. So the inputs of a node always precede it, a cycle cannot be built,
    and the reverse of the list is the order of the backward walk.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.scopes = Scopes()
        self._nodes: list[Node] = []
        self._inputs: dict[str, Input] = {}
        self._parameters: list[Parameter] = []
        self._constants = Constants()
        self._deriving = False
        self.training = True
        self._owners_of_modes: dict[Any, None] = {}

    # the three ways to append

    def input(
        self,
        shape: tuple[int | None, ...],
        *,
        name: str,
        dtype: dtype | None = None,
        requires_grad: bool = False,
    ) -> Input:
        """Append an input, which is fed at each forward walk; see `Input`."""
        return Input(shape, name=name, dtype=dtype, requires_grad=requires_grad, graph=self)

    def parameter(
        self, value: Tensor, *, name: str | None = None, requires_grad: bool = True
    ) -> Parameter:
        """Append a value that is learned, or a buffer if `requires_grad=False`; see `Parameter`."""
        parameter = Parameter(value, name=name, requires_grad=requires_grad)
        self.join(parameter)
        return parameter

    def append(self, op: Op, arguments: tuple[Any, ...]) -> Operation:
        """Append the use of an op: what `op(node, ...)` does.

        Raises:
            ShapeError: the shapes do not fit; nothing is appended.
            DtypeError: dtypes are mixed.
            GraphError: an argument belongs to another graph, or is neither a node nor a number.
        """
        op.rules_for(len(arguments))
        given = self._constants.among(op, arguments)
        sources = tuple(self._source(op, argument) for argument in given)
        try:
            spec = infer(op, tuple(spec_of(source) for source in sources))
        except Exception as error:
            if is_misfit(error):
                raise complaint(op, given, error, user_line()) from None
            raise
        for source in sources:
            if isinstance(source, Parameter):
                is_constant = isinstance(source, Constant)
                self.join(source, self.scopes.path("constant") if is_constant else None)
        operation = Operation(op, sources, spec, derived=self._deriving)
        self.add(operation, self.names.unique(self.scopes.path(op.name)))
        return operation

    def join(self, parameter: Parameter, name: str | None = None) -> None:
        """Append a parameter, unless it is already in the list.

        Its name is the one in the outermost module, else the one given, else its own.
        """
        if self in parameter.places:
            return
        given = self.scopes.known(parameter) or name or self.scopes.found(parameter)
        wanted = given or parameter.label
        if given or wanted is None:
            wanted = self.names.unique(wanted or self.scopes.path("parameter"))
        self.names.claim(wanted, parameter)
        parameter.places[self] = (len(self._nodes), wanted)
        self._parameters.append(parameter)
        self._keep(parameter)

    def add(self, node: Input | Operation, name: str) -> None:
        """Give a new node its index and name. `Input(...)` and `append` call this."""
        if isinstance(node, Input) and name == "outputs":
            raise GraphError("An input cannot be called 'outputs', a keyword of graph.forward.")
        self.names.claim(name, node)
        node.graph, node.index, node.name = cast("Graph", self), len(self._nodes), name
        if isinstance(node, Input):
            self._inputs[name] = node
        self._keep(node)

    def _keep(self, node: Node) -> None:
        self._nodes.append(node)

    def _source(self, op: Op, argument: Any) -> Node | Literal:
        """An argument of an op as the list stores it."""
        if isinstance(argument, Node):
            if not isinstance(argument, Parameter) and argument.graph is not self:
                raise GraphError(
                    f"{op.name}: {argument} belongs to another graph, {argument.graph!r}, than the "
                    f"other arguments, {self!r}. Only a parameter may be in several graphs."
                )
            return argument
        if isinstance(argument, int | float):
            return Literal(argument)
        if isinstance(argument, Mode):  # of an operation that is differentiated
            return argument
        if isinstance(argument, Training):
            leader = self.scopes.leader
            owner = self if leader is None else leader
            self._owners_of_modes[owner] = None
            return Mode(owner)
        raise GraphError(not_a_node(op.name, argument))

    # the training mode

    def train(self, mode: bool = True) -> Self:
        """Set training mode, which dropout and batch normalization follow.

        At each walk, an operation follows `training` of the module that appended it; this sets it
        for all modules of the list, and for operations that no module appended.
        """
        for owner in (self, *self.scopes.modules):
            owner.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode, as `train(False)`."""
        return self.train(False)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Use evaluation mode inside the block; afterwards each module has its old mode again."""
        before = [(owner, owner.training) for owner in (self, *self.scopes.modules)]
        try:
            self.eval()
            yield
        finally:
            for owner, mode in before:
                owner.training = mode

    @property
    def modes(self) -> tuple[bool, ...]:
        """The training modes of the modules, or of the graph, that operations depend on."""
        owners = self._owners_of_modes
        return tuple([owner.training for owner in owners]) if owners else ()

    # the sequence

    def __len__(self) -> int:
        return len(self._nodes)

    def __bool__(self) -> bool:
        return True  # an empty list is a graph too

    @overload
    def __getitem__(self, place: int | str) -> Node: ...
    @overload
    def __getitem__(self, place: slice) -> list[Node]: ...
    def __getitem__(self, place: int | str | slice) -> Node | list[Node]:
        """A node by index or name, or several nodes by a slice."""
        return self.names[place] if isinstance(place, str) else self._nodes[place]

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __contains__(self, node: object) -> bool:
        if isinstance(node, Parameter):
            return self in node.places
        return isinstance(node, Node) and node.graph is self

    def index(self, node: Any, start: int = 0, stop: int | None = None) -> int:
        """The index of a node in this list; a parameter may be in other lists as well.

        Raises:
            GraphError: it is not in this list.
        """
        if node not in self:
            text = repr(node) if isinstance(node, Node | int | str) else type(node).__name__
            raise GraphError(
                f"{text} is not a node of {self!r}; its nodes are graph[name] and graph[index]."
            )
        place = node.places[self][0] if isinstance(node, Parameter) else cast("Node", node).index
        if place not in range(*slice(start, stop).indices(len(self))):
            raise GraphError(f"{node!r} is at index {place}, not between {start} and {stop}.")
        return place

    def name_of(self, node: Node) -> str:
        """The name of a node in this graph."""
        return node.places[self][1] if isinstance(node, Parameter) else node.name

    def parameters(self) -> list[Parameter]:
        """The parameters and buffers in walk order, each once."""
        return list(self._parameters)

    @property
    def inputs(self) -> list[Input]:
        """The inputs in walk order."""
        return list(self._inputs.values())

    def __enter__(self) -> Self:
        open_graphs.set((*open_graphs.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        open_graphs.set(open_graphs.get()[:-1])

    def __repr__(self) -> str:
        numbers = sum(parameter.top.numel() for parameter in self._parameters)
        return (
            f"<Graph of {counted(len(self), 'node')}, {counted(len(self._inputs), 'input')}, "
            f"{counted(numbers, 'parameter')}>"
        )

    def __reduce__(self) -> NoReturn:
        raise GraphError(
            "A graph cannot be copied or pickled: build it again. What it has learned is in its "
            "parameters, and a module's parameters are copied and saved with the module."
        )

    def lint(self) -> None:
        """Check that the list is sound: order, indices, ownership and unique names.

        Raises:
            GraphError: it is not sound; the message names the first wrong node.
        """
        for place, node in enumerate(self._nodes):
            if self.index(node) != place:
                raise GraphError(f"{node!r} is at {place}, but its index is {self.index(node)}.")
            if self.names[self.name_of(node)] is not node:
                raise GraphError(
                    f"{node!r} shares its name with {self.names[self.name_of(node)]!r}."
                )
            for source in node.inputs:
                if self.index(source) >= place:
                    raise GraphError(f"{node!r} at {place} reads {source!r}, which comes later.")
