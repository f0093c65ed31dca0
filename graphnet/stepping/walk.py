"""The walk as a sequence of events: one for each node forward, then one for each node backward.

It computes what `graph.forward` and `graph.backward` compute, by the same rules in the same order,
but it stops after each node, so that one can look.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import GEN_CLOSED, getgeneratorstate
from typing import TYPE_CHECKING, Any

from graphnet.console_text import shown
from graphnet.errors import GraphError, StateError, counted, shape_text
from graphnet.graph import Input, Node, Operation, Parameter
from graphnet.graph.entry import dtype_text
from graphnet.graph.feed import bind
from graphnet.graph.walks import BackwardPass, ForwardPass, ancestors, seed
from graphnet.listing.norm import norm
from graphnet.validation import require_choice

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.graph import Graph
    from graphnet.stepping.frames import Frames

PHASES = ("forward", "backward")
Part = tuple[Node, "Tensor"]
"""What a use contributes to a gradient: the node at its other end, and the tensor."""


@dataclass(frozen=True, eq=False, repr=False)
class Event:
    """What has just happened to one node.

    Attributes:
        number: which event of the walk it is, from 0.
        phase: "forward" or "backward".
        node: the node.
        place: its place in the list.
        name: its name.
        value: its `top` after a forward event, its `grad` after a backward event.
        contributions: in the backward event of an operation, what it sends to each of its inputs;
            in that of a parameter or an input, what it receives from each of its uses, in the order
            of the list: the other node, and the tensor.
    """

    number: int
    phase: str
    node: Node
    place: int
    name: str
    value: Tensor | None
    contributions: tuple[Part, ...] = ()

    @property
    def sentence(self) -> str:
        """What has happened, in one line."""
        what = "no gradient" if self.value is None else f"norm {norm(self.value):.4g}"
        return f"{self.phase} {self.place} {self.name!r}: {what}"

    def __str__(self) -> str:
        return shown(self.sentence)

    def __repr__(self) -> str:
        return f"<Event {self.number}: {self}>"


class Walk(Iterator[Event]):
    """A walk made one event at a time: `for event in graph.walk(feed, loss)`.

    Attributes:
        graph: the list.
        loss: the node that is differentiated.
        events: what has happened so far.

    Raises:
        FeedError: a feed is missing, misnamed, or not what its input requires.
        GraphError: the loss is not a node of the graph, or not a single floating-point number.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((), name="x", requires_grad=True)
    >>> loss = (x * x).tanh()
    >>> walk = graph.walk({"x": empty(()).fill_(2)}, loss)
    >>> print(walk.run_to("mul"))
    forward 1 'mul': norm 4
    >>> walk
    <Walk to 'tanh': 2 of 6 events, the last is forward 1 'mul': norm 4>
    >>> [event.name for event in walk]
    ['tanh', 'tanh', 'mul', 'x']
    >>> walk.events[-1].value
    tensor(0.0054)
    """

    def __init__(self, graph: Graph, feed: Mapping[Any, Tensor], loss: Node | str) -> None:
        self.graph, self.loss = graph, _loss_in(graph, loss)
        self.events: list[Event] = []
        nodes = list(graph)
        walked = ancestors(nodes, [self.loss])
        self._ahead = ForwardPass(nodes, walked, (self.loss,))
        self._back = BackwardPass(nodes, walked, (self.loss,))
        inputs = {node.name: node for node in graph.inputs}
        self._bound = bind(inputs, graph.parameters(), self._ahead.inputs, feed)
        reached = _reached(self._back, self.loss)
        forward = [("forward", node) for node in (*self._bound, *self._ahead.operations)]
        backward = [("backward", node) for node in reversed(walked) if node in reached]
        self._plan: list[tuple[str, Node]] = [*forward, *backward]
        if not self._plan:
            raise GraphError(f"Nothing is computed in a walk to {self.loss}; take another loss.")
        self._coming = self._walked()

    def __next__(self) -> Event:
        if self.events and getgeneratorstate(self._coming) != GEN_CLOSED:  # as an error leaves it
            self._refuse_changes(self.events[-1])
        event = next(self._coming)
        self.events.append(event)
        return event

    def __repr__(self) -> str:
        last = f", the last is {self.events[-1]}" if self.events else ""
        done, name = f"{len(self.events):,}", self.graph.name_of(self.loss)
        return f"<Walk to {name!r}: {done} of {counted(len(self._plan), 'event')}{last}>"

    def run_to(self, where: int | str | Node, phase: str | None = None) -> Event:
        """Go on until a node is reached, and return what happened there.

        Args:
            where: the node, its name, or its place in the list.
            phase: "forward" or "backward"; None takes whichever comes first.

        Raises:
            GraphError: the walk does not reach it, or is already past it; it has not moved then.
        """
        number = self._number_of(_node_in(self.graph, where), phase)
        for event in self:
            if event.number == number:
                return event
        raise StateError("The walk was ended by an error. Start a new one: graph.walk.")

    def frames(self, **options: Any) -> Frames:
        """Pictures of the events; runs the walk to its end.

        Args:
            options: `every_node`, `depth`, `engine`: see `Frames`.
        """
        from graphnet.stepping.frames import Frames

        return Frames(self, **options)

    def run(self) -> Walk:
        """Go on to the end."""
        for _ in self:
            pass
        return self

    # what will happen, and when

    def _number_of(self, node: Node, phase: str | None) -> int:
        """The number of the next event of a node, in a phase if one is given."""
        require_choice("phase", phase, (*PHASES, None))
        found = [
            number
            for number, (when, each) in enumerate(self._plan)
            if each is node and phase in (None, when)
        ]
        coming = [number for number in found if number >= len(self.events)]
        if coming:
            return coming[0]
        if found:
            raise GraphError(
                f"The walk does not reach {node} any more: it has made {len(self.events)} of its "
                f"{counted(len(self._plan), 'event')}. Start a new one: graph.walk."
            )
        raise GraphError(self._never(node, phase))

    def _never(self, node: Node, phase: str | None) -> str:
        """The message for a node that has no event in this walk."""
        text = (
            "A walk goes forward over what is fed and computed for the loss, and backward over "
            f"what a gradient reaches; {node} has no {f'{phase} ' if phase else ''}event."
        )
        others = [when for when, each in self._plan if each is node]
        if others:
            return f'{text} Ask for its other one: run_to(..., "{others[0]}").'
        return f"{text} print(*graph.walk(feed, loss), sep='\\n') shows all events."

    def _refuse_changes(self, last: Event) -> None:
        now = last.node.top if last.phase == "forward" else last.node.grad
        if now is not last.value and not isinstance(last.node, Parameter):
            raise StateError(
                f"{last.node} was computed anew since the walk stopped there, by another walk. "
                "Start a new one: graph.walk."
            )

    # the walk itself

    def _event(
        self, phase: str, node: Node, value: Tensor | None, parts: Iterable[Part] = ()
    ) -> Event:
        place, name = self.graph.index(node), self.graph.name_of(node)
        return Event(len(self.events), phase, node, place, name, value, tuple(parts))

    def _walked(self) -> Generator[Event, None, None]:
        for node in self._ahead.changing:
            node.forget()
        for node in self._ahead.walk(self._bound):
            yield self._event("forward", node, node.top)
        yield from self._backward()

    def _backward(self) -> Iterator[Event]:
        sums: dict[Node, Tensor] = {}
        parts: dict[Node, list[Part]] = {}
        walk = self._back.walk(sums, [seed(self.loss, None)], parts=parts)
        for phase, node in self._plan:
            if phase == "forward":
                continue
            if isinstance(node, Operation):
                next(walk)
                yield self._event("backward", node, node.grad, parts.get(node, ()))
            else:
                if isinstance(node, Input):
                    node.grad = sums.get(node)
                yield self._event("backward", node, sums.get(node), _received(node, parts))
        for _ in walk:  # its end sets the gradients of the leaves
            pass


def _received(node: Node, parts: Mapping[Node, Sequence[Part]]) -> list[Part]:
    """What a parameter or an input was passed by each of its uses, in the order of the list."""
    received = [(by, grad) for by, given in parts.items() for to, grad in given if to is node]
    return sorted(received, key=lambda part: part[0].index)


def _reached(walk: BackwardPass, loss: Node) -> set[Node]:
    """The nodes with a backward event: operations that a gradient reaches, leaves that want one."""
    reached = {loss, *walk.leaves}
    for operation, uses in walk.steps:
        if operation in reached:
            reached.update(use.source for use in uses)
    return {node for node in reached if node.requires_grad}


def _loss_in(graph: Graph, loss: Any) -> Node:
    """The node that a walk goes back from, checked to be one floating-point number."""
    node = _node_in(graph, loss)
    if node.shape != () or not node.dtype.is_floating_point:
        raise GraphError(
            "A walk goes back from a loss, a floating-point scalar; "
            f"{node} is {shape_text(node.shape)} {dtype_text(node.dtype)}. "
            "Append a mean() or a sum(), and walk to that."
        )
    return node


def _node_in(graph: Graph, where: Any) -> Node:
    """A node of a graph, given by itself, its name, or its place."""
    if isinstance(where, Node):
        graph.index(where)
        return where
    if isinstance(where, str):
        return graph[where]
    if type(where) is int and -len(graph) <= where < len(graph):
        return graph[where]
    given = repr(where) if isinstance(where, int | float | None) else type(where).__name__
    raise GraphError(
        "A node is named by itself, by its name, or by its place in the list, from 0 to "
        f"{len(graph) - 1}; got {given}. print(graph) lists all names and places."
    )
