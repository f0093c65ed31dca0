"""The graph: a list of nodes that is walked forward for values and in reverse for gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextvars import Token
from typing import TYPE_CHECKING, Any, cast, overload

from graphnet.errors import GraphError
from graphnet.graph.complaints import MISFITS, complaint
from graphnet.graph.derivatives import append_gradients
from graphnet.graph.entry import current_graph
from graphnet.graph.feed import bind
from graphnet.graph.kinds import Input, Literal, Operation, spec_of
from graphnet.graph.location import user_line
from graphnet.graph.naming import Names, Scopes
from graphnet.graph.node import Node
from graphnet.graph.parameter import Parameter
from graphnet.graph.passes import (
    BackwardPass,
    ForwardPass,
    OneAtATime,
    ancestors,
    refuse_stale,
    seed,
)
from graphnet.graph.table import node_table
from graphnet.graph.trials import infer

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from graphnet.check import CheckReport
    from graphnet.op import Op


_MOST_WALKS = 16  # that a graph keeps prepared, each as long as its list


class Graph(Sequence[Node]):
    """A list of nodes, in the order in which they are computed.

    `input`, `parameter` and applying an operation to a node are the only ways in, and each
    appends at the end. So the inputs of a node always stand before it, a cycle cannot be built,
    and the reverse of the list is the order of the backward walk.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((None,), name="x")
    >>> y = (x * x).sum()
    >>> graph.forward(x=empty(3).fill_(2))
    tensor(12.)
    """

    def __init__(self) -> None:
        self.training = True
        self.names = Names()
        self.scopes = Scopes()
        self._nodes: list[Node] = []
        self._inputs: dict[str, Input] = {}
        self._parameters: list[Parameter] = []
        self._deriving = False
        self._tokens: list[Token[Graph | None]] = []
        self._one_at_a_time = OneAtATime()
        self._forward: dict[tuple[Node, ...] | None, ForwardPass] = {}
        self._backward: dict[tuple[Node, ...], BackwardPass] = {}
        self._versions: dict[Node, int] = {}

    # the three ways in

    def input(
        self,
        shape: tuple[int | None, ...],
        *,
        name: str,
        dtype: dtype | None = None,
        requires_grad: bool = False,
    ) -> Input:
        """Append a place that is fed at each forward walk; see `Input`."""
        return Input(shape, name=name, dtype=dtype, requires_grad=requires_grad, graph=self)

    def parameter(
        self, value: Tensor, *, name: str | None = None, requires_grad: bool = True
    ) -> Parameter:
        """Append a value that is learned, or with `requires_grad=False` kept; see `Parameter`."""
        parameter = Parameter(value, name=name, requires_grad=requires_grad)
        self.join(parameter)
        return parameter

    def append(self, op: Op, arguments: tuple[Any, ...]) -> Operation:
        """Append the use of an op: what `op(node, ...)` does.

        Raises:
            ShapeError: the shapes do not fit; nothing is appended.
            DtypeError: number types are mixed.
            GraphError: an argument is of another graph, or neither a node nor a number.
        """
        sources = tuple(self._source(op, argument) for argument in arguments)
        try:
            spec = infer(op, tuple(spec_of(source) for source in sources))
        except MISFITS as error:
            raise complaint(op, arguments, error, user_line()) from None
        for source in sources:
            if isinstance(source, Parameter):
                self.join(source)
        operation = Operation(op, sources, spec, derived=self._deriving)
        self.add(operation, self.names.unique(self.scopes.path(op.name)))
        return operation

    def join(self, parameter: Parameter, name: str | None = None) -> None:
        """Take a parameter into the list, unless it stands there already."""
        if self in parameter.places:
            return
        wanted = name or parameter.label
        if wanted is None or name is not None:
            wanted = self.names.unique(wanted or self.scopes.path("parameter"))
        self.names.claim(wanted, parameter)
        parameter.places[self] = (len(self._nodes), wanted)
        self._parameters.append(parameter)
        self._keep(parameter)

    def add(self, node: Input | Operation, name: str) -> None:
        """Give a new node its place and name. `Input(...)` and `append` call this."""
        self.names.claim(name, node)
        node.graph, node.index, node.name = self, len(self._nodes), name
        if isinstance(node, Input):
            self._inputs[name] = node
        self._keep(node)

    def _keep(self, node: Node) -> None:
        self._nodes.append(node)
        if self._forward or self._backward:  # walks are prepared for the whole list
            self._forward.clear()
            self._backward.clear()

    def _source(self, op: Op, argument: Any) -> Node | Literal:
        """An argument of an op as the list keeps it."""
        if isinstance(argument, Node):
            if not isinstance(argument, Parameter) and argument.graph is not self:
                raise GraphError(
                    f"{op.name}: {argument} belongs to {argument.graph!r}, not to {self!r}. "
                    "Only a parameter may stand in several graphs."
                )
            return argument
        if isinstance(argument, int | float):
            return Literal(argument)
        raise GraphError(
            f"{op.name} came with a {type(argument).__name__} among nodes. A tensor enters the "
            "list by graph.input(shape, name=...) or, if it never changes, by "
            "graph.parameter(tensor, requires_grad=False)."
        )

    # the two walks

    def forward(
        self,
        feed: Mapping[Any, Tensor] | None = None,
        /,
        *,
        outputs: Node | Sequence[Node] | None = None,
        **named: Tensor,
    ) -> Any:
        """Walk the list and fill each `top`.

        Args:
            feed: a tensor for each input, by node or by name.
            outputs: the node or nodes to compute: only what they need is walked, and the values
                of all other nodes are dropped. Where None, the whole list is walked.
            named: tensors by the names of their inputs.

        Returns:
            The value of `outputs`, a tuple for several nodes; where None, the value of the last
            operation that `gradients` did not append.

        Raises:
            FeedError: a feed is missing, misnamed, or not what its input asks for.
            ShapeError: the fed sizes do not fit together.
        """
        with self._one_at_a_time:
            walk = self._forward_pass(None if outputs is None else self._targets(outputs))
            fed = {**feed, **named} if feed else named
            bound = bind(self._inputs, self._parameters, walk.inputs, fed)
            self._versions = walk.run(bound)
        if outputs is None or isinstance(outputs, Node):
            return walk.targets[0].top if walk.targets else None
        return tuple(target.top for target in walk.targets)

    def backward(
        self,
        target: Node | Sequence[Node],
        grad: Tensor | Sequence[Tensor | None] | None = None,
        accumulate: bool = False,
    ) -> None:
        """Walk the list in reverse and fill each `grad`.

        Old gradients are cleared first, so that a second call gives the same numbers.

        Args:
            target: the node to differentiate, or several of them.
            grad: the gradient to start from, of the shape of the target; 1 for a scalar.
            accumulate: add to the gradients of parameters, and to those of inputs since the
                last forward walk.

        Raises:
            StateError: the target has no value, or an input or a parameter changed since.
            GraphError: the target is not a scalar, and no `grad` is given.
        """
        targets = self._targets(target)
        grads = grad if isinstance(grad, tuple | list) else [grad] * len(targets)
        with self._one_at_a_time:
            seeds = [seed(node, each) for node, each in zip(targets, grads, strict=True)]
            walk = self._backward_pass(targets)
            refuse_stale(walk.leaves, self._versions)
            walk.run(seeds, accumulate)

    def gradients(
        self, target: Node, sources: Sequence[Node], grad: Node | None = None
    ) -> list[Node]:
        """Append nodes that compute the derivatives of the target by each of the sources.

        They are nodes like any other: drawn, computed for every batch size, differentiated again.
        A source on which the target does not depend gets a node of zeros.

        Raises:
            GraphError: the target is not a scalar, and no `grad` is given.

        >>> import graphnet as gn
        >>> from torch import empty
        >>> graph = gn.Graph()
        >>> x = graph.input((), name="x")
        >>> (slope,) = graph.gradients(x**3, [x])
        >>> (curvature,) = graph.gradients(slope, [x])
        >>> graph.forward(x=empty(()).fill_(2), outputs=[slope, curvature])
        (tensor(12.), tensor(12.))
        """
        wanted = self._targets(sources)
        nodes = ancestors(self._nodes, self._targets(target))
        outer, self._deriving = self._deriving, True
        try:
            with self, self.scopes.inside("gradients"):
                return append_gradients(nodes, target, wanted, grad)
        finally:
            self._deriving = outer

    def _targets(self, targets: Node | Sequence[Node]) -> tuple[Node, ...]:
        """The nodes that a caller names, each known to stand in this list."""
        nodes = (targets,) if isinstance(targets, Node) else tuple(targets)
        for node in nodes:
            self.index(node)
        return nodes

    def _forward_pass(self, targets: tuple[Node, ...] | None) -> ForwardPass:
        if (walk := self._forward.get(targets)) is None:
            if targets is None:
                results = [n for n in self._nodes if isinstance(n, Operation) and not n.derived]
                walk = ForwardPass(self._nodes, self._nodes, tuple(results[-1:]))
            else:
                walk = ForwardPass(self._nodes, ancestors(self._nodes, targets), targets)
            _keep_few(self._forward, targets, walk)
        return walk

    def _backward_pass(self, targets: tuple[Node, ...]) -> BackwardPass:
        walk = self._backward.get(targets)
        if walk is None or not walk.valid:
            walk = BackwardPass(self._nodes, ancestors(self._nodes, targets), targets)
            _keep_few(self._backward, targets, walk)
        return walk

    # the list

    def __len__(self) -> int:
        return len(self._nodes)

    def __bool__(self) -> bool:
        return True  # an empty list is a graph too

    @overload
    def __getitem__(self, place: int | str) -> Node: ...
    @overload
    def __getitem__(self, place: slice) -> list[Node]: ...
    def __getitem__(self, place: int | str | slice) -> Node | list[Node]:
        """A node by its place or its name, or several nodes by a slice."""
        return self.names[place] if isinstance(place, str) else self._nodes[place]

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __contains__(self, node: object) -> bool:
        if isinstance(node, Parameter):
            return self in node.places
        return isinstance(node, Node) and node.graph is self

    def index(self, node: Any, start: int = 0, stop: int | None = None) -> int:
        """The place of a node in this list; a parameter may stand in other lists as well.

        Raises:
            GraphError: it is not in this list.
        """
        if node not in self:
            raise GraphError(f"{node!r} is not a node of {self!r}.")
        place = node.places[self][0] if isinstance(node, Parameter) else cast("Node", node).index
        if place not in range(*slice(start, stop).indices(len(self))):
            raise GraphError(f"{node!r} stands at {place}, not between {start} and {stop}.")
        return place

    def name_of(self, node: Node) -> str:
        """The name of a node in this graph."""
        return node.places[self][1] if isinstance(node, Parameter) else node.name

    def parameters(self) -> list[Parameter]:
        """The parameters and buffers in walk order, each of them once."""
        return list(self._parameters)

    @property
    def inputs(self) -> list[Input]:
        """The inputs in walk order."""
        return list(self._inputs.values())

    def __enter__(self) -> Graph:
        self._tokens.append(current_graph.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        current_graph.reset(self._tokens.pop())

    def __str__(self) -> str:
        return node_table(self)

    def __repr__(self) -> str:
        numbers = sum(parameter.top.numel() for parameter in self._parameters)
        return f"<Graph of {len(self)} nodes, {len(self.inputs)} inputs, {numbers:,} parameters>"

    # modes and checks

    def train(self, mode: bool = True) -> Graph:
        """Set training mode, which dropout and batch normalization follow."""
        self.training = mode
        return self

    def eval(self) -> Graph:
        """Set evaluation mode."""
        return self.train(False)

    def lint(self) -> None:
        """Check that the list is sound: order, places, ownership and unique names.

        Raises:
            GraphError: it is not; the message names the first wrong node.
        """
        for place, node in enumerate(self._nodes):
            if self.index(node) != place:
                raise GraphError(f"{node!r} stands at {place}, and believes to be elsewhere.")
            if self.names[self.name_of(node)] is not node:
                raise GraphError(
                    f"{node!r} shares its name with {self.names[self.name_of(node)]!r}."
                )
            for source in node.inputs:
                if self.index(source) >= place:
                    raise GraphError(f"{node!r} at {place} reads {source!r}, which comes later.")

    def check(self, node: Node, feed: Mapping[Any, Tensor] | None = None) -> CheckReport:
        """Compare every operation before `node` with central differences; see `graphnet.check`."""
        from graphnet.check import check_graph

        return check_graph(self, node, feed)


def _keep_few(walks: dict[Any, Any], targets: Any, walk: Any) -> None:
    """Keep a prepared walk, and forget the oldest of too many."""
    if len(walks) == _MOST_WALKS:
        del walks[next(iter(walks))]
    walks[targets] = walk
