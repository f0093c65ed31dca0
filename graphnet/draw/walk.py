"""The walk as a sequence of events: one for each node forward, then one for each node backward.

It computes what `graph.forward` and `graph.backward` compute, by the same rules in the same order,
but it stops after each node, so that one can look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphnet.errors import GraphError, StateError
from graphnet.graph import Node, Operation, Parameter
from graphnet.graph.complaints import explain_backward, explain_forward
from graphnet.graph.feed import bind
from graphnet.graph.passes import BackwardPass, ForwardPass, ancestors, commit, hand, seed

if TYPE_CHECKING:
    from torch import Tensor

    from graphnet.draw.frames import Frames
    from graphnet.graph import Graph
    from graphnet.graph.uses import Use

__all__ = ["Event", "Walk"]


@dataclass(frozen=True)
class Event:
    """What has just happened to one node.

    Attributes:
        number: which event of the walk it is, from 0.
        phase: "forward" or "backward".
        node: the node.
        place: its place in the list.
        name: its name.
        value: its `top` after a forward event, its `grad` after a backward event.
        contributions: in a backward event what the node has handed to each of its inputs.
    """

    number: int
    phase: str
    node: Node
    place: int
    name: str
    value: Tensor | None
    contributions: tuple[tuple[Node, Tensor], ...] = ()

    def __str__(self) -> str:
        what = "no gradient" if self.value is None else f"norm {float(self.value.norm()):.4g}"
        return f"{self.phase} {self.place} {self.name!r}: {what}"


class Walk(Iterator[Event]):
    """A walk that is made one event at a time: `for event in graph.walk(feed, loss)`.

    Attributes:
        graph: the list.
        loss: the node that is differentiated.
        events: what has happened so far.

    >>> import graphnet as gn
    >>> from torch import empty
    >>> graph = gn.Graph()
    >>> x = graph.input((), name="x", requires_grad=True)
    >>> loss = (x * x).tanh()
    >>> walk = graph.walk({"x": empty(()).fill_(2)}, loss)
    >>> print(walk.run_to("mul"))
    forward 1 'mul': norm 4
    >>> [event.name for event in walk]
    ['tanh', 'tanh', 'mul', 'x']
    >>> walk.events[-1].value
    tensor(0.0054)
    """

    def __init__(self, graph: Graph, feed: Mapping[Any, Tensor], loss: Node) -> None:
        self.graph, self.loss = graph, loss
        self.events: list[Event] = []
        self._coming = self._walked(dict(feed))

    def __next__(self) -> Event:
        if self.events:
            self._refuse_changes(self.events[-1])
        event = next(self._coming)
        self.events.append(event)
        return event

    def run_to(self, where: int | str | Node, phase: str | None = None) -> Event:
        """Go on until a node is reached, and return what happened there.

        Args:
            where: the node, its name, or its place in the list.
            phase: "forward" or "backward"; whichever comes first where None.

        Raises:
            GraphError: the walk does not come there any more.
        """
        node = self.graph[where] if isinstance(where, int | str) else where
        for event in self:
            if event.node is node and phase in (None, event.phase):
                return event
        raise GraphError(
            f"The walk does not come to {node} any more; it has ended. Start a new one: graph.walk."
        )

    def frames(self, **options: Any) -> Frames:
        """A picture for each event, with the options of `Frames`; runs the walk to its end."""
        from graphnet.draw.frames import Frames

        return Frames(self, **options)

    def run(self) -> Walk:
        """Go on to the end."""
        for _ in self:
            pass
        return self

    def _refuse_changes(self, last: Event) -> None:
        now = last.node.top if last.phase == "forward" else last.node.grad
        if now is not last.value and not isinstance(last.node, Parameter):
            raise StateError(
                f"{last.node} was computed anew since the walk stopped there, by another walk. "
                "Start a new one: graph.walk."
            )

    def _event(
        self,
        phase: str,
        node: Node,
        value: Tensor | None,
        contributions: Sequence[tuple[Node, Tensor]] = (),
    ) -> Event:
        place, name = self.graph.index(node), self.graph.name_of(node)
        return Event(len(self.events), phase, node, place, name, value, tuple(contributions))

    def _walked(self, feed: dict[Any, Tensor]) -> Iterator[Event]:
        nodes = list(self.graph)
        walked = ancestors(nodes, [self.loss])
        yield from self._forward(ForwardPass(nodes, walked, (self.loss,)), feed)
        yield from self._backward(BackwardPass(nodes, walked, (self.loss,)), walked)

    def _forward(self, walk: ForwardPass, feed: dict[Any, Tensor]) -> Iterator[Event]:
        graph = self.graph
        inputs = {node.name: node for node in graph.inputs}
        bound = bind(inputs, graph.parameters(), walk.inputs, feed)
        for node in walk.changing:
            node.grad = None
            node.forget()
        for node, tensor in bound.items():
            node.top = tensor
            yield self._event("forward", node, node.top)
        for operation in walk.operations:
            try:
                operation.top = operation.op.forward(*[each.top for each in operation.sources])
            except Exception as error:
                explanation = explain_forward(operation, error)
                raise explanation from (None if isinstance(error, GraphError) else error)
            yield self._event("forward", operation, operation.top)

    def _backward(self, walk: BackwardPass, walked: Sequence[Node]) -> Iterator[Event]:
        sums: dict[Node, Tensor] = {}
        hand(seed(self.loss, None), self.loss, sums)
        uses = dict(walk.steps)
        for node in reversed(walked):
            if isinstance(node, Operation):
                if node.grad is not None:
                    given = [(use.source, self._contribution(use)) for use in uses[node]]
                    for source, grad in given:
                        hand(grad, source, sums)
                    yield self._event("backward", node, node.grad, given)
            elif node.requires_grad:
                total = sums.get(node) if isinstance(node, Parameter) else node.grad
                yield self._event("backward", node, total)
        for parameter in walk.parameters:
            commit(sums.get(parameter), parameter, accumulate=False)

    def _contribution(self, use: Use) -> Tensor:
        try:
            return use.gradient()
        except Exception as error:
            explain_backward(use, error)
            raise
